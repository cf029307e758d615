"""Copied regions: connected parts of an output whose winners continue one source at one constant offset.

Such a part repeats a piece of one work as it stands, patch beside patch (with `transfer="swap"` its very features).
Where neighbours' winners come from unrelated places, even of one source, nothing larger than a patch was copied.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from ktviz.regions import Mask
from ktviz.trace.overlap import around
from ktviz.trace.shares import source_numbers
from ktviz.trace.trace import Trace

LEAST = 6
"""Retrievals in the smallest region that is reported: two rows of three, 32x24 px. Chance hardly makes one so large;
whether it does is counted each time (`control`)."""
SHUFFLES = 5
Ints = npt.NDArray[np.int64]
COLUMNS = ["source", "retrievals", "area", "x", "y", "width", "height"]
PLACES = ["source_x", "source_y", "source_width", "source_height"]


@dataclass(frozen=True)
class Winners:
    """The winners of a trace on their grid.

    Attributes:
        y: (N,) row of each retrieval.
        x: (N,) column.
        source: (N,) number of its source.
        place: (N, 2) where it is in the output, and
        origin: (N, 2) where its winner is in the source, x and y in quarters of a patch.
    """

    y: Ints
    x: Ints
    source: Ints
    place: Ints
    origin: Ints

    @property
    def offset(self) -> Ints:
        """(N, 2) from the place in the output to the place in the source."""
        return self.origin - self.place

    def shuffled(self, seed: int) -> Winners:
        """The same winners at random places: what chance alone would copy."""
        order = np.random.default_rng(seed).permutation(len(self.y))
        return Winners(self.y, self.x, self.source[order], self.place, self.origin[order])


def winners_of(trace: Trace) -> Winners:
    """The winners of a trace of one image, one site."""
    box, source_box = trace.column("box").astype(np.float64), trace.column("source_box").astype(np.float64)
    y, x = (trace.column(name).astype(np.int64) for name in ("y", "x"))
    # Boxes in a source are scaled like the source: their size tells the scale. Those in the output are all of one size,
    # but for the last ones, which end with the image.
    place, size = np.round(4 * box[:, :2] / box[:, 2:].max(0)), source_box[:, 2:]
    origin = np.nan_to_num(np.round(4 * source_box[:, :2] / size))
    return Winners(y, x, source_numbers(trace, winners=True), place.astype(np.int64), origin.astype(np.int64))


def components(winners: Winners) -> Ints:
    """Number of the connected part that each retrieval belongs to: neighbours with the same source and offset."""
    gaps = np.concatenate([np.diff(np.unique(places)) for places in (winners.y, winners.x)])
    step = int(gaps.min()) if len(gaps) else 1
    rows, columns = (winners.y - winners.y.min()) // step, (winners.x - winners.x.min()) // step
    keys = np.column_stack((winners.source, winners.offset))
    _, key = np.unique(keys, axis=0, return_inverse=True)
    grid = np.full((rows.max() + 1, columns.max() + 1), -1)
    grid[rows, columns] = key.reshape(-1)
    label = np.arange(grid.size).reshape(grid.shape)
    down, right = (grid[1:] == grid[:-1]) & (grid[1:] >= 0), (grid[:, 1:] == grid[:, :-1]) & (grid[:, 1:] >= 0)
    while True:
        before = label.copy()
        for joined, one, other in ((down, label[1:], label[:-1]), (right, label[:, 1:], label[:, :-1])):
            one[joined] = np.minimum(one, other)[joined]
            other[joined] = np.minimum(one, other)[joined]
        label = label.flat[label]  # jump to the label of the label: long parts settle in a few rounds
        if np.array_equal(label, before):
            part: Ints = label[rows, columns]
            return part


def large_parts(winners: Winners) -> list[Ints]:
    """The retrievals of each connected part that is large enough to report, largest first."""
    part = components(winners)
    labels, counts = np.unique(part, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return [np.flatnonzero(part == labels[n]) for n in order if counts[n] >= LEAST]


def copied_regions(trace: Trace) -> pd.DataFrame:
    """Connected regions of the output that were copied from one source at one constant offset, largest first.

    Args:
        trace: Of one image, one site.

    Returns:
        source, retrievals, area (part of the output), the box around it (x, y, width, height in px of the output) and
        the box it comes from (source_x ... in px of the original source).
    """
    box, source_box, overlap = trace.column("box"), trace.column("source_box"), trace.overlap()
    source, side = trace.column("source"), box[:, 2:].max(0)
    rows = []
    for part in large_parts(winners_of(trace)):
        here, there = around(box[part]), around(source_box[part])
        scale = source_box[part[0], 2:] / side
        # Where the output ends within a patch, the piece of the source ends there, too.
        row = [source[part[0]], len(part), float(overlap[part].sum()), *here, *there[:2], *(here[2:] * scale)]
        rows.append(dict(zip(COLUMNS + PLACES, row, strict=True)))
    return pd.DataFrame(rows, columns=COLUMNS + PLACES)


def control(trace: Trace) -> int:
    """How many regions are found in several shuffles, in which the same winners lie at random places; 0 is expected."""
    winners = winners_of(trace)
    return sum(len(large_parts(winners.shuffled(seed))) for seed in range(SHUFFLES))


def copied_mask(trace: Trace) -> Mask:
    """The pixels of all copied regions: (H, W)."""
    mask = np.zeros(trace.picture.size, dtype=bool)
    for part in large_parts(winners_of(trace)):
        for x, y, width, height in trace.column("box")[part].astype(int).tolist():
            mask[y : y + height, x : x + width] = True
    return mask
