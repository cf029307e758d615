"""What shares are of: sources, those of a creator, licence, bank or year, parts of them, entries, nodes, or bands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from ktviz.errors import AbilityError
from ktviz.explain.case import Case
from ktviz.regions import Box, SourceRegion
from ktviz.trace.groups import GROUPS, grouped
from ktviz.trace.overlap import Floats
from ktviz.trace.shares import ABOUT, own_sources, source_numbers, source_sides, source_weights
from ktviz.trace.trace import Trace

By = Literal["source", "part", "entry", "node", "band", "creator", "licence", "bank", "year"]
BANDS = ("LL", "LH", "HL", "HH")
PARTS = (
    ("top left", "top", "top right"),
    ("left", "centre", "right"),
    ("bottom left", "bottom", "bottom right"),
)
"""Of a source: ninths."""
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Units:
    """The things that share the credit.

    Attributes:
        by: What they are.
        rows: One dictionary per unit, whose first item names it.
        number: (rows of the trace,) unit of each row; empty for bands.
        retrieval: (rows of the trace,) retrieval of each row, by place among the winners.
        weight: (rows of the trace,) part of each row in its retrieval; where that is hard, 1 for the winner.
        without: Per unit what to leave out of a search so that it cannot be used: names of sources, parts of them, or
            numbers of entries. For bands nothing: they lose their weight in the match instead.
    """

    by: By
    rows: Sequence[dict[str, Any]]
    number: Ints
    retrieval: Ints
    weight: Floats
    without: Sequence[tuple[str | int | SourceRegion, ...]]

    def __len__(self) -> int:
        return len(self.rows)

    def sum(self, credit: Floats) -> Floats:
        """Sum of the credit of all retrievals (N,), which goes to their candidates by weight: (units,)."""
        return np.bincount(self.number, credit[self.retrieval] * self.weight, len(self)).astype(np.float64)

    def within(self, retrievals: Ints) -> Ints:
        """The units that have a part in some retrievals."""
        return np.unique(self.number[np.isin(self.retrieval, retrievals) & (self.weight != 0)])

    def left(self, kept: Ints, count: int) -> Floats:
        """What is left of each of `count` retrievals where only some units are kept: (N,) from 0 to 1."""
        gone = np.where(np.isin(self.number, kept), 0.0, self.weight)
        left: Floats = 1.0 - np.bincount(self.retrieval, gone, count).astype(np.float64)
        return left

    def of_knowledge(self, trace: Trace) -> Units:
        """The same, where what a query takes from the very picture in which it lies has no part: that is no knowledge,
        and what a blend begins with."""
        own = own_sources(trace)[source_numbers(trace)]
        if self.by == "band" or not own.any():
            return self
        there = np.bincount(self.retrieval, np.where(own, self.weight, 0.0), len(trace))[self.retrieval]
        weight = np.divide(self.weight, 1 - there, where=~own & (there < 1), out=np.zeros_like(self.weight))
        return replace(self, weight=weight)

    def frame(
        self, share: Floats, parts: Mapping[str, Floats] = MappingProxyType({}), only: Ints | None = None
    ) -> pd.DataFrame:
        """The shares as a table, largest first; sources and bands all, of others those that have a share.

        Args:
            share: (units,), or one per unit of `only`.
            parts: Of what each share is the sum, by name; likewise.
            only: Numbers of the units to list; their numbers go with them as `unit`.
        """
        listed = np.arange(len(self)) if only is None else only
        rows = [{"unit": int(n), "share": float(s), **self.rows[n]} for n, s in zip(listed, share, strict=True)]
        frame = pd.DataFrame(rows, columns=["unit", "share", *(self.rows[0] if self.rows else [self.by])])
        for place, (name, part) in enumerate(parts.items(), 2):
            frame.insert(place, name, part)
        if only is None and self.by in ("part", "entry", "node"):
            frame = frame[frame["share"] != 0]
        frame.insert(0, self.by, frame.pop(self.by))
        frame = frame.sort_values("share", ascending=False, kind="stable", ignore_index=True)
        return frame if only is not None else frame.drop(columns="unit")


def trace_rows(trace: Trace) -> Ints:
    """Which retrieval, by place among the winners, each row belongs to."""
    place = np.zeros(int(trace.column("query", winners=False).max(initial=-1)) + 1, dtype=np.int64)
    place[trace.column("query")] = np.arange(len(trace))
    rows: Ints = place[trace.column("query", winners=False)]
    return rows


def units_of(trace: Trace, by: By, case: Case | None) -> Units:
    """The units of a trace."""
    of_rows = trace_rows(trace), trace.column("weight", winners=False).astype(np.float64)
    if by == "band":
        rows: list[dict[str, Any]] = [{"band": band} for band in BANDS]
        return Units(by, rows, np.empty(0, dtype=np.int64), *of_rows, [()] * len(BANDS))
    if by == "source":
        number = source_numbers(trace)
        rows = [{name: s[name] for name in ("source", *ABOUT) if name in s} for s in trace.about["sources"]]
        return Units(by, rows, number, of_rows[0], source_weights(trace), [(row["source"],) for row in rows])
    if by in GROUPS:
        return by_group(trace, by, of_rows[0])
    if by == "part":
        return by_part(trace, of_rows)
    if by == "entry":
        return by_entry(trace, of_rows)
    return by_node(trace, case, of_rows)


def by_group(trace: Trace, by: By, retrieval: Ints) -> Units:
    """Sources together that are of one creator, licence, bank or year."""
    groups = grouped(trace.about["sources"], by)
    place = {name: number for number, names in enumerate(groups.values()) for name in names}
    of_source = np.array([place[source["source"]] for source in trace.about["sources"]], dtype=np.int64)
    rows = [{by: name, "sources": names} for name, names in groups.items()]
    number = of_source[source_numbers(trace)]
    return Units(by, rows, number, retrieval, source_weights(trace), [tuple(names) for names in groups.values()])


def by_entry(trace: Trace, of_rows: tuple[Ints, Floats]) -> Units:
    entry = trace.column("entry", winners=False).astype(np.int64)
    known, first, number = np.unique(entry, return_index=True, return_inverse=True)
    source, box = trace.column("source", winners=False), trace.column("source_box", winners=False)
    rows = [
        {"entry": int(e), "source": source[n], "source_box": box[n].tolist()} for e, n in zip(known, first, strict=True)
    ]
    return Units("entry", rows, number.astype(np.int64), *of_rows, [(int(e),) for e in known])


def by_part(trace: Trace, of_rows: tuple[Ints, Floats]) -> Units:
    """Ninths of sources: an entry belongs to the one in which its middle lies; one that lies nowhere to the source."""
    names, sides, source = [s["source"] for s in trace.about["sources"]], source_sides(trace), source_numbers(trace)
    box = trace.column("source_box", winners=False).astype(np.float64)
    place = np.floor(len(PARTS) * (box[:, :2] + box[:, 2:] / 2) / sides[source]).clip(0, len(PARTS) - 1)
    somewhere = ~np.isnan(place).any(1)
    column, row = np.where(somewhere[:, None], place, -1).astype(np.int64).T
    known, number = np.unique(np.stack((source, row, column), 1), axis=0, return_inverse=True)
    rows, without = zip(*(part_of(names[of], sides[of], *place) for of, *place in known.tolist()), strict=True)
    return Units("part", rows, number.reshape(-1).astype(np.int64), *of_rows, [(part,) for part in without])


def part_of(name: str, sides: Floats, row: int, column: int) -> tuple[dict[str, Any], str | SourceRegion]:
    """A ninth of a source in whole px, and how it is left out; all of the source where row and column are -1."""
    if row < 0:
        return {"part": name, "source": name, "source_box": None}, name
    left, right = (round(n * sides[0] / len(PARTS)) for n in (column, column + 1))
    top, bottom = (round(n * sides[1] / len(PARTS)) for n in (row, row + 1))
    box = Box(left, top, right - left, bottom - top)
    told = {"part": f"{name}, {PARTS[row][column]}", "source": name, "source_box": [left, top, box.width, box.height]}
    return told, SourceRegion(name, box)


def by_node(trace: Trace, case: Case | None, of_rows: tuple[Ints, Floats]) -> Units:
    """Leaves of the cluster trees."""
    if case is None:
        raise AbilityError("attribute by node", "the trace is of a system without a cluster tree", "Take another `by`")
    leaves = case.system.leaves(case.trace)
    return Units("node", leaves.rows, leaves.number, *of_rows, leaves.without)
