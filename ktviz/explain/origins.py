"""Origins: where in its sources each cell of an output comes from, and how far two runs agree about that.

Outputs and sources are divided into cells, as many down as across, whatever their size. A cell of an output has a
distribution over the cells of all sources: overlap, carried on to the places of the recorded candidates by their
weights. What is left over is of no known place, and so is what has no picture, such as labels. Nothing is known where
sources are only the nearest explanation, not the cause. What a query takes from the very picture in which it lies is no
knowledge, and what took away (a weight below 0) gave nothing: both are left out, and the rest counts in their place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from ktviz.errors import MismatchError, SettingError
from ktviz.explain.result import check_retrieved, one_site
from ktviz.explain.units import Ints, trace_rows
from ktviz.licences import UNKNOWN
from ktviz.printing import counted
from ktviz.regions import Mask, Region, region_mask
from ktviz.trace.overlap import Floats, box_sums, corners, coverage
from ktviz.trace.recorded import Traced
from ktviz.trace.shares import own_sources, source_numbers, source_sides
from ktviz.trace.trace import Trace
from ktviz.values import whole

CELLS, MOST_CELLS = 16, 48
"""Cells a side, and the most: memory and time grow with their fourth power, where all of a source is everywhere."""
DUST = 1e-9
"""What rounding leaves between two numbers that are equal."""


@dataclass(frozen=True, eq=False)
class Origins:
    """Where the cells of an output come from.

    Attributes:
        cells: Cells a side, of the output and of each source.
        sources: What each source is called; equal names are the same source.
        part: (cells², sources · cells²) sparse: the part of each cell of the output, row by row, that comes from each
            cell of each source. A row adds up to what is known, at most 1.
        own: (cells²,) the part of each cell that is of the very picture in which it lies. It is left out of `part`,
            and the rest counts in its place.
        size: (height, width) of the output in px.

    Example:
        >>> found = kt.origins(trace, cells=4)
        >>> type(found).__name__
        'Origins'
    """

    cells: int
    sources: tuple[str, ...]
    part: Any
    own: Floats
    size: tuple[int, int]

    def __repr__(self) -> str:
        sources = counted(len(self.sources), "source")
        return f"Origins({self.cells}x{self.cells} cells, {sources}, {self.known.mean():.0%} known)"

    @cached_property
    def known(self) -> Floats:
        """(cells², ) how much of each cell's origin is known."""
        found: Floats = np.asarray(self.part.sum(1)).reshape(-1)
        return found

    @property
    def spread(self) -> float:
        """In how many cells of sources the origin of a cell lies: exponential of its entropy, median; NaN for none."""
        entries = self.part.tocoo()
        share = entries.data / self.known[entries.row]
        entropy = np.bincount(entries.row, -share * np.log(share), len(self.known))
        there = np.exp(entropy[self.known > 0])
        return float(np.median(there)) if len(there) else np.nan

    def of(self, sources: tuple[str, ...]) -> Any:
        """`part` with the columns of other sources, among which are its own.

        Example:
            >>> found = kt.origins(trace, cells=4)
            >>> found.part.shape, found.of((*found.sources, "another")).shape
            ((16, 80), (16, 96))
        """
        place = np.array([sources.index(name) for name in self.sources], dtype=np.int64)
        entries, each = self.part.tocoo(), self.cells**2
        column = place[entries.col // each] * each + entries.col % each
        return sparse.coo_array((entries.data, (entries.row, column)), (each, len(sources) * each)).tocsr()


@dataclass(frozen=True, eq=False)
class Agreement:
    """How far two runs take the cells of an output from the same places.

    Attributes:
        cells: (n, n) what the two distributions of each cell have in common: the sum of the smaller parts, 0 to 1.
        most: (n, n) what they could have in common at most, as less may be known of one.
        chance: Mean of what they would have in common if the cells of one were put in any order, over all orders; of a
            region, what its cells would have in common with cells of the other from anywhere.
        region: (n, n) the cells that were asked about.

    Example:
        >>> found = kt.agreement(trace, trace)
        >>> round(found.share, 3), round(found.above_chance, 3)
        (1.0, 1.0)
    """

    cells: Floats
    most: Floats
    chance: float
    region: Mask

    def __repr__(self) -> str:
        return f"Agreement({self.share:.1%}, by chance {self.chance:.1%}, above chance {self.above_chance:.1%})"

    @property
    def share(self) -> float:
        """Mean over the cells of the region."""
        return float(self.cells[self.region].mean())

    @property
    def at_most(self) -> float:
        """What that could be, as less may be known of one."""
        return float(self.most[self.region].mean())

    @property
    def above_chance(self) -> float:
        """1 where they agree as far as can be known, 0 where no more than chance; NaN where chance alone does that."""
        room, more = self.at_most - self.chance, self.share - self.chance
        return (more if abs(more) > DUST else 0.0) / room if room > DUST else np.nan


def origins(trace: Traced, cells: int = CELLS, called: Mapping[str, str] | None = None) -> Origins:
    """Where each cell of an output comes from.

    Args:
        trace: Of one image; of several sites, the one that painted the output is asked.
        cells: Cells a side, 48 at most.
        called: What sources are called that others call otherwise; the others go by the digest of their file, or else
            by their names.

    Raises:
        SettingError: Not a number of cells that the output has, or too many.
        TraceError: Nothing was retrieved, or none of several sites painted.

    Example:
        >>> import ktviz as kt
        >>> from ktviz import samples
        >>> photo = samples.photo("coffee")[:48, :64]
        >>> found = origins(kt.ImageAnalogy(photo[:, ::-1]).traced(photo, iterations=1))
        >>> found.cells, found.sources, found.known.min().round(6)
        (16, ('reference',), np.float64(1.0))
    """
    trace = one_site(trace)
    check_retrieved(trace, "where cells come from")
    check_cells("cells", cells)
    if cells > min(trace.size):
        height, width = trace.size
        raise SettingError(f"{cells} cells a side", f"the output has {width}x{height} px", "Give a smaller number")
    if trace.caveat:
        return Origins(cells, (), sparse.csr_array((cells**2, 0)), np.zeros(cells**2), trace.size)
    own, named = own_sources(trace), [name_of(source, called or {}) for source in trace.about["sources"]]
    sources = tuple(dict.fromkeys(name for name, mine in zip(named, own, strict=True) if not mine))
    number = np.array([-1 if mine else sources.index(name) for name, mine in zip(named, own, strict=True)], np.int64)
    cover = covered(trace, cells)
    part = cover @ taken(trace, cells, number)
    part.eliminate_zeros()
    return Origins(cells, sources, part, cover @ of_itself(trace, number), trace.size)


def check_cells(name: str, cells: int) -> None:
    """Raise SettingError unless a number of cells a side is from 1 to `MOST_CELLS`."""
    if not 1 <= whole(name, cells) <= MOST_CELLS:
        raise SettingError(f"{name} {cells}", f"not from 1 to {MOST_CELLS}", f"Give a whole number up to {MOST_CELLS}")


def name_of(source: Mapping[str, Any], called: Mapping[str, str]) -> str:
    """What a source is called, the same in every trace in which it is the same."""
    name = str(source["source"])
    digest = str(source.get("sha256", UNKNOWN))
    return called.get(name, name if digest == UNKNOWN else digest)


def agreement(
    one: Traced | Origins, other: Traced | Origins, cells: int = CELLS, *, region: Region = None
) -> Agreement:
    """How far two runs take the cells of an output from the same places, whatever systems they are of.

    Args:
        one: A trace, or where its cells come from.
        other: Of an output of the same thing.
        cells: Cells a side, of traces.
        region: Of the output of the first: all cells that it reaches into are asked about; None for all.

    Raises:
        MismatchError: Origins of other numbers of cells.
        RegionError: The region is empty or outside.
        SettingError, TraceError: As in `origins`.

    Example:
        >>> import ktviz as kt
        >>> from ktviz import samples
        >>> photo = samples.photo("coffee")[:48, :64]
        >>> trace = kt.ImageAnalogy(photo[:, ::-1]).traced(photo, iterations=1)
        >>> agreement(trace, trace).above_chance
        1.0
        >>> int(agreement(trace, trace, region=kt.Box(0, 0, 32, 24)).region.sum())
        64
    """
    first, second = (found if isinstance(found, Origins) else origins(found, cells) for found in (one, other))
    if first.cells != second.cells:
        raise MismatchError(f"origins of {first.cells} cells a side", f"others have {second.cells}", "Ask for as many")
    return agreed(first, second, reached(region, first.size, first.cells))


def reached(region: Region, size: tuple[int, int], cells: int) -> Mask:
    """The cells of an output of so many px, (height, width), that a region reaches into: (cells, cells)."""
    mask = region_mask(region, *size)
    for axis, side in enumerate(size):
        mask = np.logical_or.reduceat(mask, np.arange(cells) * side // cells, axis)
    return mask


def agreed(first: Origins, second: Origins, region: Mask) -> Agreement:
    """How far the origins of two outputs agree about a region, (cells, cells)."""
    sources = tuple(dict.fromkeys((*first.sources, *second.sources)))
    mine, theirs = first.of(sources), second.of(sources)
    common = np.asarray(mine.minimum(theirs).sum(1)).reshape(first.cells, -1)
    most = np.minimum(first.known, second.known).reshape(first.cells, -1)
    asked = np.flatnonzero(region)
    chance = by_chance(mine[asked], theirs)
    if not region.all():
        chance = (chance + by_chance(mine, theirs[asked])) / 2
    return Agreement(common, most, chance, region)


def by_chance(one: Any, other: Any) -> float:
    """Mean, over all pairs of a row of one (N, P) and a row of the other, of the sum of the smaller of their values."""
    mine, theirs, total = one.tocsc(), other.tocsc(), 0.0
    for place in np.flatnonzero((np.diff(mine.indptr) > 0) & (np.diff(theirs.indptr) > 0)):
        values, known = (table.data[slice(*table.indptr[place : place + 2])] for table in (mine, theirs))
        known = np.sort(known)
        smaller = np.searchsorted(known, values)
        below = np.concatenate(([0.0], known.cumsum()))
        total += float((below[smaller] + values * (len(known) - smaller)).sum())
    return total / float(one.shape[0] * other.shape[0])


def covered(trace: Trace, cells: int) -> Any:
    """The part of each cell of an output that each retrieval covers, as in `Trace.overlap`: (cells², retrievals)."""
    rows, columns = (np.arange(cells + 1) * side // cells for side in trace.size)
    area = np.outer(np.diff(rows), np.diff(columns)).reshape(-1)
    if trace.regions is not None:
        return of_regions(*trace.regions, rows, columns).multiply(1 / area[:, None]).tocsr()
    box = np.stack(corners(trace.column("box"), *trace.size), 1)
    credit = 1 / np.maximum(coverage(trace.column("box"), *trace.size), 1)
    number, cell, px = cut(box, rows, columns, credit)
    return sparse.coo_array((px / area[cell], (cell, number)), (cells**2, len(trace))).tocsr()


def of_regions(number: Ints, labels: Ints, rows: Ints, columns: Ints) -> Any:
    """Pixels of each cell that each retrieval about a region has, regions of several in equal parts: (cells², N)."""
    known, which, count = np.unique(number, return_inverse=True, return_counts=True)
    at = np.searchsorted(known, labels).clip(max=len(known) - 1)
    down, across = (np.repeat(np.arange(len(edges) - 1), np.diff(edges)) for edges in (rows, columns))
    cell, here = down[:, None] * (len(columns) - 1) + across, np.nonzero(known[at] == labels)
    shape = ((len(rows) - 1) * (len(columns) - 1), len(known))
    px = sparse.coo_array((1 / count[at[here]], (cell[here], at[here])), shape)
    return px.tocsr()[:, which]


def taken(trace: Trace, cells: int, number: Ints) -> Any:
    """The part of each retrieval that comes from each cell of each source: (retrievals, sources · cells²).

    Args:
        trace: Of one site.
        cells: Cells a side.
        number: (sources of the trace,) which source each is; -1 for one that does not count.
    """
    weight, retrieval = given(trace, number), trace_rows(trace)
    source, sides = source_numbers(trace), source_sides(trace)
    rows = np.flatnonzero((weight != 0) & ~np.isnan(sides[source]).any(1))
    weight, retrieval, source = weight[rows], retrieval[rows], source[rows]
    box, sides = trace.column("source_box", winners=False).astype(np.float64)[rows], sides[source]
    ends = np.concatenate((box[:, :2], box[:, :2] + box[:, 2:]), 1) / np.tile(sides, 2) * cells
    ends[np.isnan(ends).any(1)] = 0, 0, cells, cells  # what lies nowhere is all of its source
    edges = np.arange(cells + 1.0)
    place, cell, share = cut(ends.clip(0, cells), edges, edges)
    column = number[source][place] * cells**2 + cell
    shape = (len(trace), (number.max(initial=-1) + 1) * cells**2)
    return sparse.coo_array((share * weight[place], (retrieval[place], column)), shape).tocsr()


def weights(trace: Trace) -> Floats:
    """The part of each row in its retrieval, at most 1 in all; what took away gave nothing: (rows,)."""
    retrieval, weight = trace_rows(trace), trace.column("weight", winners=False).astype(np.float64).clip(0)
    found: Floats = weight / np.maximum(np.bincount(retrieval, weight, len(trace)), 1)[retrieval]
    return found


def of_itself(trace: Trace, number: Ints) -> Floats:
    """The part of each retrieval that is of sources that do not count; as in `taken`: (retrievals,)."""
    own = np.where(number[source_numbers(trace)] < 0, weights(trace), 0)
    found: Floats = np.bincount(trace_rows(trace), own, len(trace)).astype(np.float64)
    return found


def given(trace: Trace, number: Ints) -> Floats:
    """The part of each row in its retrieval, of what is from sources that count alone: (rows,)."""
    weight, counts = weights(trace), np.asarray(number[source_numbers(trace)] >= 0)
    other = of_itself(trace, number)[trace_rows(trace)]
    found: Floats = np.divide(weight, 1 - other, where=counts & (other < 1 - DUST), out=np.zeros_like(weight))
    return found


def cut(
    boxes: npt.NDArray[Any], rows: npt.NDArray[Any], columns: npt.NDArray[Any], credit: Floats | None = None
) -> tuple[Ints, Ints, Floats]:
    """Boxes cut along a grid.

    Args:
        boxes: (N, 4) left, top, right, bottom, inside the grid.
        rows: Edges of the grid's rows, from 0.
        columns: Edges of its columns.
        credit: (H, W) what each pixel counts; None: the parts of a box add up to 1.

    Returns:
        Of each piece: its box, the cell that it lies in, row by row, and what it counts; three arrays (n,).
    """
    (left, right), (top, bottom) = ((boxes[:, n], boxes[:, n + 2]) for n in (0, 1))
    (first_column, last_column), (first_row, last_row) = span(left, right, columns), span(top, bottom, rows)
    pieces: list[tuple[Ints, Ints, Floats]] = [(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))]
    for across in range(int((last_column - first_column).max(initial=-1)) + 1):
        for down in range(int((last_row - first_row).max(initial=-1)) + 1):
            mine = np.flatnonzero((first_column + across <= last_column) & (first_row + down <= last_row))
            column, row = first_column[mine] + across, first_row[mine] + down
            x, y = np.maximum(left[mine], columns[column]), np.maximum(top[mine], rows[row])
            width = np.minimum(right[mine], columns[column + 1]) - x
            height = np.minimum(bottom[mine], rows[row + 1]) - y
            if credit is None:
                value = width * height / ((right - left) * (bottom - top))[mine]
            else:
                value = box_sums(credit, np.stack((x, y, width, height), 1))
            pieces.append((mine, row * (len(columns) - 1) + column, value))
    box, cell, counts = (np.concatenate(parts) for parts in zip(*pieces, strict=True))
    return box, cell, counts


def span(start: npt.NDArray[Any], stop: npt.NDArray[Any], edges: npt.NDArray[Any]) -> tuple[Ints, Ints]:
    """The first and the last cell of a side that some spans reach into: two arrays (N,); -1 as last for empty ones."""
    first = np.searchsorted(edges, start, side="right") - 1
    return first, np.where(stop > start, np.searchsorted(edges, stop, side="left") - 1, -1)
