"""Pieces: parts of an output that were taken from one work in one piece, patch beside patch, at one constant offset.

Coherence makes pieces of its own: it lets a query go on where its neighbour's winner ends. So what counts is what the
search chose by itself (`kt.coherent` is false): a piece is reported where such retrievals, side by side, go on in one
work, more of them than chance puts together. A piece says where patches are from; whether pixels agree is another
question (`copies`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
import numpy.typing as npt
import pandas as pd

from ktviz.explain.regret import coherent
from ktviz.regions import Mask
from ktviz.trace.overlap import around
from ktviz.trace.shares import own_sources, source_numbers
from ktviz.trace.trace import Trace

LEAST = 12
"""Retrievals, chosen by the search itself, in the smallest piece that is reported: three rows of four, 40x32 px.
Of pictures that share nothing with any work the largest had 10, and 8 where the limit had been set on others
(`benchmarks/results/pieces.md`)."""
ARRANGEMENTS = tuple(
    np.array(((x, 0), (0, y)))[:: 1 - 2 * turned] for x, y, turned in product((1, -1), (1, -1), (0, 1))
)
"""The ways in which a work can lie: as it is, mirrored, turned, (8, 2, 2). All but the first are chance."""
NOT_OWN = -1
Ints = npt.NDArray[np.int64]
COLUMNS = ["source", "retrievals", "own", "area", "x", "y", "width", "height"]
PLACES = ["source_x", "source_y", "source_width", "source_height"]


@dataclass(frozen=True, eq=False)
class Winners:
    """The winners of a trace on their grid.

    Attributes:
        row: (N,) of each retrieval.
        column: (N,)
        source: (N,) number of its source.
        own: (N,) whether the search chose it, not coherence.
        place: (N, 2) where it is in the output, and
        origin: (N, 2) where its winner is in the source, x and y in quarters of a patch.
    """

    row: Ints
    column: Ints
    source: Ints
    own: npt.NDArray[np.bool_]
    place: Ints
    origin: Ints

    @cached_property
    def offset(self) -> Ints:
        """(N,) which retrievals have the same source and the same way from the output to it: a number each."""
        return self.numbered(ARRANGEMENTS[0])

    def numbered(self, arrangement: Ints) -> Ints:
        """`offset`, if the works lay otherwise."""
        way = self.origin - self.place @ arrangement
        way -= way.min(0, initial=0)
        across, down = way.max(0, initial=0) + 1
        keys = (self.source * across + way[:, 0]) * down + way[:, 1]  # one number each: many times faster than rows
        return np.unique(keys, return_inverse=True)[1].reshape(-1)

    def parts(self, number: Ints) -> Ints:
        """Number of the connected part of each retrieval: neighbours of one number, none with `NOT_OWN`."""
        grid = np.full((self.row.max() + 1, self.column.max() + 1), NOT_OWN)
        grid[self.row, self.column] = number
        part: Ints = connected(grid)[self.row, self.column]
        return part

    def own_sizes(self, arrangement: Ints = ARRANGEMENTS[0]) -> Ints:
        """How many own retrievals the part of each has, counting own ones alone: (N,), 0 for others."""
        part = self.parts(np.where(self.own, self.numbered(arrangement), NOT_OWN))
        _, place, count = np.unique(part[self.own], return_inverse=True, return_counts=True)
        size = np.zeros(len(part), dtype=np.int64)
        size[self.own] = count[place.reshape(-1)]
        return size


def winners_of(trace: Trace) -> Winners:
    """The winners of a trace of one image, one site."""
    box, source_box = trace.column("box").astype(np.float64), trace.column("source_box").astype(np.float64)
    y, x = (trace.column(name).astype(np.int64) for name in ("y", "x"))
    step = min((int(gap) for places in (y, x) for gap in np.diff(np.unique(places))), default=1)
    # Boxes in a source are scaled like the source: their size tells the scale. Those in the output are all of one size,
    # but for the last ones, which end with the image.
    place, size = np.round(4 * box[:, :2] / box[:, 2:].max(0)), source_box[:, 2:]
    source = source_numbers(trace, winners=True)
    origin = np.nan_to_num(np.round(4 * source_box[:, :2] / size))
    return Winners(
        (y - y.min()) // step,
        (x - x.min()) // step,
        source,
        ~coherent(trace) & ~own_sources(trace)[source],  # a picture is no work of its own
        place.astype(np.int64),
        origin.astype(np.int64),
    )


def connected(grid: Ints) -> Ints:
    """Label of the connected part of each place: places side by side that hold the same number from 0."""
    label = np.arange(grid.size).reshape(grid.shape)
    down, right = (grid[1:] == grid[:-1]) & (grid[1:] >= 0), (grid[:, 1:] == grid[:, :-1]) & (grid[:, 1:] >= 0)
    while True:
        before = label.copy()
        for joined, one, other in ((down, label[1:], label[:-1]), (right, label[:, 1:], label[:, :-1])):
            one[joined] = np.minimum(one, other)[joined]
            other[joined] = np.minimum(one, other)[joined]
        label = label.flat[label]  # jump to the label of the label: long parts settle in a few rounds
        if np.array_equal(label, before):
            return label


def on_grids(trace: Trace) -> bool:
    """Whether retrievals have neighbours that could go on in each other: not regions, nor sources that are wholes."""
    places = (trace.column(name).astype(np.float64) for name in ("y", "x", "source_box"))
    return len(trace) > 0 and not any(np.isnan(place).any() for place in places)


def control(trace: Trace) -> int:
    """The largest piece that chance makes here: the most own retrievals that go on in a mirrored or turned work."""
    if not on_grids(trace):
        return 0
    winners = winners_of(trace)
    return max(int(winners.own_sizes(other).max(initial=0)) for other in ARRANGEMENTS[1:])


def pieces_of(trace: Trace) -> Iterator[tuple[Ints, Ints]]:
    """The retrievals of each piece, largest first, and those of them that the search chose by itself side by side."""
    if not on_grids(trace):
        return
    winners = winners_of(trace)
    size = winners.own_sizes()
    core = size >= max(LEAST, control(trace) + 1)
    whole = winners.parts(winners.offset)
    labels, counts = np.unique(whole[core], return_counts=True)
    for label in labels[np.argsort(-counts, kind="stable")]:
        mine = whole == label
        yield np.flatnonzero(mine), np.flatnonzero(mine & core)


def pieces(trace: Trace) -> pd.DataFrame:
    """Parts of the output that were taken from one work in one piece, largest first.

    Args:
        trace: Of one image, one site.

    Returns:
        source, retrievals, own (how many of them the search chose by itself, in parts larger than chance makes), area
        (part of the output), the box around it (x, y, width, height in px of the output) and the box it comes from
        (source_x ... in px of the original source).
    """
    box, source_box, overlap = trace.column("box"), trace.column("source_box"), trace.overlap()
    source, side = trace.column("source"), box[:, 2:].max(0)
    rows = []
    for part, own in pieces_of(trace):
        here, there = around(box[part]), around(source_box[part])
        scale = source_box[part[0], 2:] / side
        # Where the output ends within a patch, the piece of the source ends there, too.
        place = (*here, *there[:2], *(here[2:] * scale))
        row = [source[part[0]], len(part), len(own), float(overlap[part].sum()), *place]
        rows.append(dict(zip(COLUMNS + PLACES, row, strict=True)))
    return pd.DataFrame(rows, columns=COLUMNS + PLACES)


def pieces_mask(trace: Trace) -> Mask:
    """The pixels of all pieces: (H, W)."""
    mask = np.zeros(trace.size, dtype=bool)
    for part, _ in pieces_of(trace):
        for x, y, width, height in trace.column("box")[part].astype(int).tolist():
            mask[y : y + height, x : x + width] = True
    return mask
