"""Line drawings of pots: outlines, rims, grooves and a little hatching, in the hand of a medium."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ..colour import hex_colour, mix, smoothstep
from ..noise import plane_fbm
from .shape import BODY, INSIDE, NOTHING, TABLE, Seen

Array = np.ndarray
MEDIA = {
    "pencil": ("#f4f1ea", "#4a4a4c", 0.8),
    "ink": ("#fbfaf6", "#16161a", 1.0),
    "sepia": ("#efe3cb", "#6b4424", 0.95),
    "blueprint": ("#23478f", "#dfe9f7", 0.85),
    "chalk": ("#2b2f2d", "#ece9df", 0.8),
}
"""Paper, line, and how much of a line there is."""


@dataclass(frozen=True)
class Hand:
    """How a drawing looks: a medium of `MEDIA`, by number, the width of lines in 128ths, and how much is hatched."""

    medium: int
    width: float
    hatching: float


def hand(rng: np.random.Generator) -> Hand:
    """Any hand."""
    return Hand(int(rng.integers(len(MEDIA))), float(rng.uniform(0.9, 1.7)), float(rng.choice([0.0, 0.5, 1.0])))


def drawn(seen: Seen, how: Hand, seed: int) -> Array:
    """Display colours of a drawing: (h, w, 3)."""
    size = seen.part.shape[0]
    paper, line, strength = list(MEDIA.values())[how.medium]
    lines = strokes(seen, how.width * size / 128)
    hatched = how.hatching * 0.6 * hatching(seen, size)
    tooth = plane_fbm(seen.part.shape, size / 64, seed + 30, 3)
    grainy = np.clip(1 + 0.55 * tooth, 0.3, 1) if list(MEDIA)[how.medium] in ("pencil", "chalk") else 1.0
    ink = np.clip(np.maximum(lines, hatched) * grainy * strength, 0, 1)
    sheet = hex_colour(paper) * (1 + 0.02 * plane_fbm(seen.part.shape, size / 9, seed + 31, 4))[..., None]
    return np.clip(mix(sheet, hex_colour(line), ink), 0, 1)


def strokes(seen: Seen, width: float) -> Array:
    """1 on a line: borders of parts, grooves, the edge of the table."""
    part = seen.part.astype(np.int16)
    border = (np.roll(part, 1, 0) != part) | (np.roll(part, 1, 1) != part)
    border[0] = border[:, 0] = False
    apart = ndimage.distance_transform_edt(~border)
    lines = smoothstep(width * 0.5 + 0.7, width * 0.5 - 0.7, apart)
    px = 1 / seen.part.shape[0]
    for at in seen.form.grooves:
        away = np.abs(seen.height - at) * seen.form.height / px
        lines = np.maximum(lines, 0.8 * smoothstep(width * 0.4 + 0.7, width * 0.4 - 0.7, away) * (seen.part == BODY))
    table = np.abs(seen.y - TABLE - 0.14) / px
    behind = smoothstep(width * 0.35 + 0.7, width * 0.35 - 0.7, table) * (seen.part == NOTHING)
    return np.maximum(lines, 0.75 * behind)


def hatching(seen: Seen, size: int) -> Array:
    """Slanted strokes on the side away from the light, and in the opening."""
    rows, columns = np.mgrid[:size, :size] * (128 / size)
    wave = np.abs(((rows + columns) / 4.2) % 1 - 0.5)
    stroke = smoothstep(0.16, 0.08, wave)
    dark = smoothstep(0.15, 0.75, seen.normal[..., 0]) * (seen.part == BODY) + 0.9 * (seen.part == INSIDE)
    return stroke * np.clip(dark, 0, 1)
