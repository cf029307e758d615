"""Seeded generator of pots: line drawings of some, photographs of others, and the style of each.

A form (`forms`) is seen a little from above (`shape`), and drawn by hand (`drawing`) or glazed (`glazes`) and lit
(`light`). Form and style are drawn apart, so that one form can be seen in many styles.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .drawing import Hand, drawn, hand
from .forms import form
from .glazes import Style, style
from .light import lit, smaller
from .shape import NOTHING, Seen, see

__all__ = ["Pot", "drawing", "photograph"]

Array = np.ndarray
FINER = 3
"""Samples a pixel, in each direction."""
LEAST = 32


@dataclass(frozen=True)
class Pot:
    """A picture of a pot, and what is known of it.

    Attributes:
        picture: (size, size, 3) display RGB in [0, 1].
        mask: (size, size) where the pot is.
        style: Of a photograph, or
        hand: of a drawing.
    """

    picture: Array
    mask: Array
    style: Style | None = None
    hand: Hand | None = None


def photograph(seed: int, styles_seed: int | None = None, size: int = 128) -> Pot:
    """A glazed pot by daylight. `seed` is the form's, `styles_seed` the style's, `size` the side in px.

    Raises:
        ValueError: The size is below 32 px.

    Example:
        >>> photograph(3, size=32).picture.shape
        (32, 32, 3)
    """
    seed_of_style = seed if styles_seed is None else styles_seed
    look = style(np.random.default_rng([2, seed_of_style]))
    seen = shown(seed, size)
    return Pot(smaller(lit(seen, look, seed % 1000), FINER), mask_of(seen), style=look)


def drawing(seed: int, styles_seed: int | None = None, size: int = 128) -> Pot:
    """The same form, drawn; arguments as in `photograph`."""
    seed_of_hand = seed if styles_seed is None else styles_seed
    how = hand(np.random.default_rng([3, seed_of_hand]))
    seen = shown(seed, size)
    return Pot(smaller(drawn(seen, how, seed % 1000), FINER), mask_of(seen), hand=how)


def shown(seed: int, size: int) -> Seen:
    """A form as it is seen."""
    if size < LEAST:
        raise ValueError(f"size: {size} pixels were asked for, at least {LEAST} are needed")
    rng = np.random.default_rng([1, seed])
    made = form(rng)
    return see(made, FINER * size, float(rng.uniform(0.2, 0.34)), float(rng.uniform(-0.04, 0.04)))


def mask_of(seen: Seen) -> Array:
    """Where most of a pixel is the pot."""
    return smaller((seen.part != NOTHING).astype(np.float64)[..., None], FINER)[..., 0] > 0.5
