"""Overlap: how much of a region each query covers, before any decoder."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

from ktviz.regions import Mask

Value = TypeVar("Value", bound=np.generic)
Floats = npt.NDArray[np.float64]
DUST = 1e-12
"""What sums of rounded numbers leave where nothing is."""


def overlap(boxes: npt.NDArray[np.floating], mask: npt.NDArray[np.bool_ | np.floating]) -> Floats:
    """The part of a region that each query covers.

    A pixel's credit goes in equal parts to the queries whose boxes cover it (the mean of overlapping patches), so the
    parts sum to 1 if the boxes cover the region.

    Args:
        boxes: (N, 4) x, y, width, height in px.
        mask: (H, W), the region; or how much each pixel counts.

    Returns:
        (N,).
    """
    boxes, mask = cut_out(boxes, mask)
    credit = mask / np.maximum(coverage(boxes, *mask.shape), 1)
    part: Floats = box_sums(credit, boxes) / mask.sum(dtype=np.float64)
    part[part < DUST] = 0
    return part


def boxes_reaching(boxes: npt.NDArray[np.floating], mask: Mask) -> Mask:
    """Which boxes (N, 4) reach into a region (H, W): (N,)."""
    boxes, mask = cut_out(boxes, mask)
    found: Mask = box_sums(mask.astype(np.float64), boxes) > 0
    return found


def cut_out(boxes: npt.NDArray[np.floating], mask: npt.NDArray[Value]) -> tuple[Floats, npt.NDArray[Value]]:
    """The rectangle of an image that a region (H, W) fills, and boxes (N, 4) as they lie in it, in whole px.

    What is then summed over the picture is summed over that alone.
    """
    down, across = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(down):
        return boxes.astype(np.float64), mask
    (y, bottom), (x, right) = (down[0], down[-1] + 1), (across[0], across[-1] + 1)
    start = boxes[:, :2].round()
    inside = np.concatenate((start - (x, y), (boxes[:, :2] + boxes[:, 2:]).round() - start), 1)
    return inside.astype(np.float64), mask[y:bottom, x:right]


def label_overlap(
    number: npt.NDArray[np.int64], labels: npt.NDArray[np.int64], mask: npt.NDArray[np.bool_ | np.floating]
) -> Floats:
    """The part of a region that each query covers, where queries are the regions of a label map.

    Args:
        number: (N,) regions that ask.
        labels: (H, W) label map.
        mask: (H, W), the region; or how much each pixel counts.

    Returns:
        (N,).
    """
    asking = np.bincount(number)
    inside = (labels < len(asking)).nonzero()
    sums = np.bincount(labels[inside], mask[inside], len(asking))
    part: Floats = sums[number] / np.maximum(asking[number], 1) / mask.sum(dtype=np.float64)
    return part


def label_places(number: npt.NDArray[np.int64], labels: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Place among some queries of the one that asks for each pixel's region, -1 where none does: (H, W).

    Args:
        number: (N,) regions that ask; of several queries about one region the first counts.
        labels: (H, W) label map.
    """
    known, first = np.unique(number, return_index=True)
    at = np.searchsorted(known, labels).clip(max=len(known) - 1)
    places: npt.NDArray[np.int64] = np.where(known[at] == labels, first[at], -1)
    return places


def coverage(boxes: npt.NDArray[np.floating], height: int, width: int) -> Floats:
    """How many boxes cover each pixel: (H, W)."""
    shape = height + 1, width + 1
    left, top, right, bottom = corners(boxes, height, width)
    starts, ends = np.concatenate((top, bottom)), np.concatenate((bottom, top))
    edges = np.concatenate((left, right))
    up, down = (np.bincount(y * shape[1] + edges, minlength=shape[0] * shape[1]) for y in (starts, ends))
    cover: Floats = (up - down).reshape(shape).cumsum(0).cumsum(1)[:-1, :-1].astype(np.float64)
    return cover


def box_sums(values: Floats, boxes: npt.NDArray[np.floating]) -> Floats:
    """Sum of the values (H, W) under each box: (N,)."""
    table = np.zeros((values.shape[0] + 1, values.shape[1] + 1))
    values.cumsum(0).cumsum(1, out=table[1:, 1:])
    left, top, right, bottom = corners(boxes, *values.shape)
    sums: Floats = table[bottom, right] - table[top, right] - table[bottom, left] + table[top, left]
    return sums


def corners(boxes: npt.NDArray[np.floating], height: int, width: int) -> tuple[npt.NDArray[np.int64], ...]:
    """Left, top, right, bottom of boxes in whole px, clipped to the image: four arrays (N,)."""
    edges = np.stack((boxes[:, 0], boxes[:, 1], boxes[:, 0] + boxes[:, 2], boxes[:, 1] + boxes[:, 3]))
    limits = np.array([width, height, width, height])[:, None]
    left, top, right, bottom = np.clip(edges.round(), 0, limits).astype(np.int64)
    return left, top, right, bottom


def around(boxes: npt.NDArray[np.floating]) -> Floats:
    """The smallest box x, y, width, height around some: (n, 4) to (4,)."""
    start, end = boxes[:, :2].min(0), (boxes[:, :2] + boxes[:, 2:]).max(0)
    return np.concatenate((start, end - start)).astype(np.float64)
