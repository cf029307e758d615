"""Pictures of label maps and of objects."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from ktviz.images import Pixels
from ktviz.labels import Classes, class_of
from ktviz.labels.maps import Map
from ktviz.library.kinds.codes.cutting import SURROUNDINGS, TILE_PX, cut_out, tile
from ktviz.systems.pix2pixhd.objects import Objects
from ktviz.systems.pix2pixhd.planes import edges

SHOWN = 9
"""Members in the picture of a centre."""


def drawn_map(instances: Map, classes: Classes) -> Pixels:
    """A label map in the colours of its classes, objects with dark outlines: (H, W, 3)."""
    colours = np.array(classes.colours, dtype=np.uint8)[class_of(instances)]
    border = edges(torch.from_numpy(instances)[None, None])[0, 0].numpy() > 0
    return np.where(border[..., None], colours // 2, colours)


def object_picture(objects: Objects, entry: int) -> Pixels:
    """An object out of the picture that it is of; see `cut_out`."""
    source = int(objects.source_of(torch.tensor([entry]))[0])
    box = np.asarray(objects.box)[entry].tolist()
    return cut_out(objects.picture(source), objects.object_map(source), int(objects.number[entry]), box)


def mosaic(objects: Objects, entries: Sequence[int]) -> Pixels:
    """The first objects of some, in rows of three."""
    tiles = [tile(object_picture(objects, int(entry))) for entry in entries[:SHOWN]]
    rows = -(-max(1, len(tiles)) // 3)
    found = np.full((rows * TILE_PX, 3 * TILE_PX, 3), SURROUNDINGS)
    for place, one in enumerate(tiles):
        top, left = place // 3 * TILE_PX, place % 3 * TILE_PX
        found[top : top + TILE_PX, left : left + TILE_PX] = one
    return found
