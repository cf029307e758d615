"""Pictures of label maps and of objects."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from ktviz.images import Pixels, resize
from ktviz.labels import Classes
from ktviz.labels.maps import Map
from ktviz.systems.pix2pixhd.objects import Objects, labels_of
from ktviz.systems.pix2pixhd.planes import edges

SURROUNDINGS = np.uint8(40)
"""Grey of what is not of an object."""
TILE_PX = 48
SHOWN = 9
"""Members in the picture of a centre."""


def drawn_map(instances: Map, classes: Classes) -> Pixels:
    """A label map in the colours of its classes, objects with dark outlines: (H, W, 3)."""
    colours = np.array(classes.colours, dtype=np.uint8)[labels_of(instances)]
    border = edges(torch.from_numpy(instances)[None, None])[0, 0].numpy() > 0
    return np.where(border[..., None], colours // 2, colours)


def cut_out(pixels: Pixels, instances: Map, number: int, box: Sequence[float]) -> Pixels:
    """An object of a picture, the rest of its box in grey.

    Args:
        pixels: (H, W, 3) uint8.
        instances: (H, W) of it; it may be larger or smaller than the picture.
        number: Of the object.
        box: Around it, in px of the instance map.
    """
    left, top, width, height = (int(side) for side in box)
    mask = instances[top : top + height, left : left + width] == number
    rows, columns = (
        np.minimum((np.arange(length) + start) * side // known, side - 1)
        for start, length, side, known in (
            (top, height, pixels.shape[0], instances.shape[0]),
            (left, width, pixels.shape[1], instances.shape[1]),
        )
    )
    return np.where(mask[..., None], pixels[rows[:, None], columns], SURROUNDINGS)


def object_picture(objects: Objects, entry: int) -> Pixels:
    """An object out of the picture that it is of; see `cut_out`."""
    source = int(objects.source_of(torch.tensor([entry]))[0])
    box = np.asarray(objects.box)[entry].tolist()
    return cut_out(objects.picture(source), objects.object_map(source), int(objects.number[entry]), box)


def tile(picture: Pixels, side: int = TILE_PX) -> Pixels:
    """A picture fitted into a square, in the middle of grey."""
    height, width = picture.shape[:2]
    scale = side / max(height, width)
    small = resize(picture, max(1, round(width * scale)), max(1, round(height * scale)))
    found = np.full((side, side, 3), SURROUNDINGS)
    top, left = (side - small.shape[0]) // 2, (side - small.shape[1]) // 2
    found[top : top + small.shape[0], left : left + small.shape[1]] = small
    return found


def mosaic(objects: Objects, entries: Sequence[int]) -> Pixels:
    """The first objects of some, in rows of three."""
    tiles = [tile(object_picture(objects, int(entry))) for entry in entries[:SHOWN]]
    rows = -(-max(1, len(tiles)) // 3)
    found = np.full((rows * TILE_PX, 3 * TILE_PX, 3), SURROUNDINGS)
    for place, one in enumerate(tiles):
        top, left = place // 3 * TILE_PX, place % 3 * TILE_PX
        found[top : top + TILE_PX, left : left + TILE_PX] = one
    return found
