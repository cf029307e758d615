"""A plane of points cut into tiles, each half as wide as the one above: bins where many lie, points where few do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ktviz.widgets.library_map.plane import Plane
from ktviz.widgets.packing import Part

DEEPEST = 14
"""Times that the plane is halved at most: at a thousandth of a leaf everything is told apart."""
BINS = 128
"""Along a side of a tile."""
MOST_POINTS = 1500
"""Points of a tile that are drawn one by one."""
FINE = 65_535
"""Steps along a side of a tile, in which places of points are told."""
OTHERS = 255
"""The group of all sources beyond those with a colour."""


@dataclass(frozen=True, eq=False)
class Tiles:
    """Points, in the order of the tiles that they lie in.

    Attributes:
        places: (n, 2) of the points, in that order.
        number: (n,) which point each is.
        code: (n,) where each lies: bits of x and y of its smallest tile, one after the other.
        group: (n,) uint8 the colour of each, `OTHERS` for the rest.
    """

    places: Plane
    number: npt.NDArray[np.int64]
    code: npt.NDArray[np.uint32]
    group: npt.NDArray[np.uint8]

    @classmethod
    def create(cls, places: Plane, group: npt.NDArray[np.uint8]) -> Tiles:
        """Points in tiles.

        Args:
            places: (n, 2) in the unit square.
            group: (n,) of each.
        """
        cells = np.clip(places * 2**DEEPEST, 0, 2**DEEPEST - 1).astype(np.uint32)
        code = interleaved(cells[:, 0]) | interleaved(cells[:, 1]) << np.uint32(1)
        order = np.argsort(code, kind="stable")
        return cls(places[order], order, code[order], group[order])

    def within(self, level: int, x: int, y: int) -> slice:
        """The points of a tile."""
        size = 2 * (DEEPEST - level)
        first = int(interleaved(np.array([x], np.uint32))[0] | interleaved(np.array([y], np.uint32))[0] << 1) << size
        start, end = np.searchsorted(self.code, [first, first + (1 << size)])
        return slice(int(start), int(end))

    def tile(self, level: int, x: int, y: int, group: int | None = None) -> dict[str, Part]:
        """What is drawn of a tile, of one group alone if one is named.

        Returns:
            For few points `place` (n, 2) uint16 in steps of the tile, `number` (n,) int32 and `group` (n,) uint8; for
            many `count` (BINS, BINS) uint16, by row, and the most frequent group of each bin, `group` (BINS, BINS)
            uint8.
        """
        mine = np.arange(len(self.code))[self.within(level, x, y)]
        if group is not None:
            mine = mine[self.group[mine] == group]
        inside = np.clip(self.places[mine] * 2**level - (x, y), 0, 1)
        if len(mine) <= MOST_POINTS or level == DEEPEST:
            mine, inside = mine[: 4 * MOST_POINTS], inside[: 4 * MOST_POINTS]
            place = np.round(inside * FINE).astype(np.uint16)
            return {"place": place, "number": self.number[mine].astype(np.int32), "group": self.group[mine]}
        column, row = np.minimum(inside * BINS, BINS - 1).astype(np.int64).T
        cell = row * BINS + column
        count = np.bincount(cell, minlength=BINS * BINS)
        return {
            "count": np.minimum(count, FINE).astype(np.uint16).reshape(BINS, BINS),
            "group": most_frequent(cell, self.group[mine]).reshape(BINS, BINS),
        }


def most_frequent(cell: npt.NDArray[np.int64], group: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The most frequent group of each of the bins, the first of equal ones; `OTHERS` where nothing is."""
    known = np.unique(group)
    found, best = np.full(BINS * BINS, OTHERS, np.uint8), np.zeros(BINS * BINS, np.int64)
    for one in known:
        count = np.bincount(cell[group == one], minlength=BINS * BINS)
        more = count > best
        found[more], best[more] = one, count[more]
    return found


def interleaved(values: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    """The bits of numbers below 2^16, a zero after each."""
    bits = values.astype(np.uint32)
    for shift, mask in ((8, 0x00FF00FF), (4, 0x0F0F0F0F), (2, 0x33333333), (1, 0x55555555)):
        bits = (bits | bits << np.uint32(shift)) & np.uint32(mask)
    return bits
