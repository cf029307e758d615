"""Objects cut out of their pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ktviz.images import Pixels, resize
from ktviz.labels.maps import Map
from ktviz.library.kinds.codes.rows import Numbers

Read = Callable[[int], tuple[Pixels, Map]]
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


def tiles(source: Numbers, number: Numbers, box: Numbers, read: Read, side: int = TILE_PX) -> Pixels:
    """Objects fitted into squares, each source read once: (n, side, side, 3).

    Args:
        source: (n,) that each is of.
        number: (n,) of each in its source.
        box: (n, 4) around each in px.
        read: From a source to its picture and the object of every pixel.
        side: In px.
    """
    found = np.zeros((len(source), side, side, 3), dtype=np.uint8)
    for one in np.unique(source).tolist():
        picture, objects = read(one)
        for n in np.flatnonzero(source == one).tolist():
            found[n] = tile(cut_out(picture, objects, int(number[n]), box[n].tolist()), side)
    return found


def tile(picture: Pixels, side: int = TILE_PX) -> Pixels:
    """A picture fitted into a square, in the middle of grey: (side, side, 3)."""
    height, width = picture.shape[:2]
    scale = side / max(height, width)
    small = resize(picture, max(1, round(width * scale)), max(1, round(height * scale)))
    found = np.full((side, side, 3), SURROUNDINGS)
    top, left = (side - small.shape[0]) // 2, (side - small.shape[1]) // 2
    found[top : top + small.shape[0], left : left + small.shape[1]] = small
    return found
