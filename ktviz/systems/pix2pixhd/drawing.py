"""Pictures of label maps and of objects."""

from __future__ import annotations

import numpy as np
import torch

from ktviz.images import Pixels
from ktviz.labels import Classes, class_of, coloured
from ktviz.labels.maps import Map
from ktviz.library.kinds.codes.cutting import SURROUNDINGS, TILE_PX, cut_out, tiles
from ktviz.systems.pix2pixhd.objects import Numbers, Objects
from ktviz.systems.pix2pixhd.planes import edges

SHOWN = 9
"""Members in the picture of a centre."""


def drawn_map(instances: Map, classes: Classes) -> Pixels:
    """A label map in the colours of its classes, objects with dark outlines: (H, W, 3)."""
    colours = coloured(class_of(instances), classes)
    border = edges(torch.from_numpy(instances)[None, None])[0, 0].numpy() > 0
    return np.where(border[..., None], colours // 2, colours)


def object_picture(objects: Objects, entry: int) -> Pixels:
    """An object out of the picture that it is of; see `cut_out`."""
    source = int(objects.source_of(torch.tensor([entry]))[0])
    box = np.asarray(objects.box)[entry].tolist()
    return cut_out(objects.picture(source), objects.object_map(source), int(objects.number[entry]), box)


def object_tiles(objects: Objects, entries: Numbers, side: int = TILE_PX) -> Pixels:
    """Objects out of the pictures that they are of; see `tiles`."""
    source = objects.source_of(torch.from_numpy(entries)).numpy()
    columns = source, objects.number[entries], np.asarray(objects.box)[entries]
    return tiles(*columns, lambda one: (objects.picture(one), objects.object_map(one)), side)


def mosaic(objects: Objects, entries: Numbers) -> Pixels:
    """The first objects of some, in rows of three."""
    shown = object_tiles(objects, entries[:SHOWN])
    rows = -(-max(1, len(shown)) // 3)
    found = np.full((rows * TILE_PX, 3 * TILE_PX, 3), SURROUNDINGS)
    for place, one in enumerate(shown):
        top, left = place // 3 * TILE_PX, place % 3 * TILE_PX
        found[top : top + TILE_PX, left : left + TILE_PX] = one
    return found
