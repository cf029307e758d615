"""Seeded generator of portraits: people in clay, with attributes that can be switched, each in a shade of its own.

Person, attributes and shades (`faces`) are drawn apart, so that one person can be seen with other hair, with glasses
or older, and everything else stays as it is to the pixel.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .faces import ATTRIBUTES, HAIR, Face, attributes, person, shades
from .painting import paint

__all__ = ["ATTRIBUTES", "Portrait", "face_of", "portrait"]

Array = np.ndarray
FINER = 4
"""Samples a pixel, in each direction."""
LEAST = 32


@dataclass(frozen=True)
class Portrait:
    """A portrait: (size, size, 3) display RGB in [0, 1], and who is in it."""

    picture: Array
    face: Face


def portrait(
    seed: int, changed: Mapping[str, bool] | None = None, shades_seed: int | None = None, size: int = 96
) -> Portrait:
    """A portrait. `seed` is the person's and the attributes', `changed` some attributes otherwise, `shades_seed` that
    of the shades, `size` the side in px.

    Raises:
        ValueError: The size is below 32 px, an attribute is unknown, or not exactly one colour of hair is left.

    Example:
        >>> portrait(3, {"Glasses": True}, size=32).face.has("Glasses")
        True
    """
    if size < LEAST:
        raise ValueError(f"size: {size} pixels were asked for, at least {LEAST} are needed")
    face = face_of(seed, changed, shades_seed)
    fine = paint(face, FINER * size, seed % 1000)
    return Portrait(fine.reshape(size, FINER, size, FINER, 3).mean((1, 3)), face)


def face_of(seed: int, changed: Mapping[str, bool] | None = None, shades_seed: int | None = None) -> Face:
    """Who is in a portrait; arguments and errors as there."""
    unknown = set(changed or {}) - set(ATTRIBUTES)
    if unknown:
        raise ValueError(f"attributes: {', '.join(sorted(unknown))} unknown; there are {', '.join(ATTRIBUTES)}")
    known = attributes(np.random.default_rng([2, seed])) | dict(changed or {})
    if sum(known[name] for name in HAIR) != 1:
        raise ValueError(f"hair: {', '.join(name for name in HAIR if known[name]) or 'no colour'}; give exactly one")
    of_shades = seed if shades_seed is None else shades_seed
    return Face(person(np.random.default_rng([1, seed])), shades(np.random.default_rng([3, of_shades])), known)
