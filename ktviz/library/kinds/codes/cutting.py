"""Objects cut out of their pictures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ktviz.images import Pixels, resize
from ktviz.labels.maps import Map

TILE_PX = 48
SURROUNDINGS = np.uint8(40)
"""Grey of what is not of an object."""


def cut_out(pixels: Pixels, objects: Map, number: int, box: Sequence[float]) -> Pixels:
    """An object of a picture, the rest of its box in grey.

    Args:
        pixels: (H, W, 3) uint8.
        objects: (H, W), the object of every pixel.
        number: Of the object.
        box: Around it: x, y, width and height in px.

    Example:
        >>> pixels, objects = np.full((4, 4, 3), 200, np.uint8), np.eye(4, dtype=np.int64)
        >>> cut_out(pixels, objects, 1, (0, 0, 2, 2))[..., 0].tolist()
        [[200, 40], [40, 200]]
    """
    left, top, width, height = (int(side) for side in box)
    part = slice(top, top + height), slice(left, left + width)
    return np.where((objects[part] == number)[..., None], pixels[part], SURROUNDINGS)


def tile(picture: Pixels, side: int = TILE_PX) -> Pixels:
    """A picture fitted into a square, in the middle of grey: (side, side, 3)."""
    height, width = picture.shape[:2]
    scale = side / max(height, width)
    small = resize(picture, max(1, round(width * scale)), max(1, round(height * scale)))
    found = np.full((side, side, 3), SURROUNDINGS)
    top, left = (side - small.shape[0]) // 2, (side - small.shape[1]) // 2
    found[top : top + small.shape[0], left : left + small.shape[1]] = small
    return found
