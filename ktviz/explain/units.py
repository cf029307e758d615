"""What shares are of: sources, entries, nodes of the cluster tree, or bands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from ktviz.errors import AbilityError
from ktviz.explain.case import Case
from ktviz.trace.overlap import Floats
from ktviz.trace.shares import ABOUT, source_numbers
from ktviz.trace.trace import Trace

By = Literal["source", "entry", "node", "band"]
BANDS = ("LL", "LH", "HL", "HH")
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Units:
    """The things that share the credit.

    Attributes:
        by: What they are.
        rows: One dictionary per unit, whose first item names it.
        number: (rows of the trace,) unit of each row; empty for bands.
        chosen: (rows of the trace,) bool, the winners.
        without: Per unit what to leave out of a search so that it cannot be used: names of sources, or numbers of
            entries. For bands nothing: they lose their weight in the match instead.
    """

    by: By
    rows: Sequence[dict[str, Any]]
    number: Ints
    chosen: npt.NDArray[np.bool_]
    without: Sequence[tuple[str | int, ...]]

    def __len__(self) -> int:
        return len(self.rows)

    def sum(self, credit: Floats) -> Floats:
        """Sum of the credit of all rows of the trace: (units,)."""
        return np.bincount(self.number, credit, len(self)).astype(np.float64)

    def sum_winners(self, credit: Floats) -> Floats:
        """Sum of the credit of all retrievals, each given to its winner: (units,)."""
        return np.bincount(self.number[self.chosen], credit, len(self)).astype(np.float64)

    def frame(self, share: Floats, only: Ints | None = None) -> pd.DataFrame:
        """The shares as a table, largest first; sources and bands all, of entries and nodes those that have a share.

        Args:
            share: (units,), or one per unit of `only`.
            only: Numbers of the units to list; their numbers go with them as `unit`.
        """
        listed = np.arange(len(self)) if only is None else only
        rows = [{"unit": int(n), "share": float(s), **self.rows[n]} for n, s in zip(listed, share, strict=True)]
        frame = pd.DataFrame(rows, columns=["unit", "share", *self.rows[0]] if self.rows else None)
        if only is None and self.by in ("entry", "node"):
            frame = frame[frame["share"] != 0]
        frame.insert(0, self.by, frame.pop(self.by))
        frame = frame.sort_values("share", ascending=False, kind="stable", ignore_index=True)
        return frame if only is not None else frame.drop(columns="unit")


def units_of(trace: Trace, by: By, case: Case | None) -> Units:
    """The units of a trace."""
    chosen = trace.column("chosen", winners=False).astype(bool)
    if by == "band":
        rows: list[dict[str, Any]] = [{"band": band} for band in BANDS]
        return Units(by, rows, np.empty(0, dtype=np.int64), chosen, [()] * len(BANDS))
    if by == "source":
        number = source_numbers(trace)
        rows = [{name: s[name] for name in ("source", *ABOUT) if name in s} for s in trace.about["sources"]]
        return Units(by, rows, number, chosen, [(row["source"],) for row in rows])
    if by == "entry":
        return by_entry(trace, chosen)
    return by_node(trace, case, chosen)


def by_entry(trace: Trace, chosen: npt.NDArray[np.bool_]) -> Units:
    entry = trace.column("entry", winners=False).astype(np.int64)
    known, first, number = np.unique(entry, return_index=True, return_inverse=True)
    source, box = trace.column("source", winners=False), trace.column("source_box", winners=False)
    rows = [
        {"entry": int(e), "source": source[n], "source_box": box[n].tolist()} for e, n in zip(known, first, strict=True)
    ]
    return Units("entry", rows, number.astype(np.int64), chosen, [(int(e),) for e in known])


def by_node(trace: Trace, case: Case | None, chosen: npt.NDArray[np.bool_]) -> Units:
    """Leaves of the cluster trees."""
    if case is None:
        raise AbilityError("attribute by node", "the trace is of a system without a cluster tree", "Take another `by`")
    leaves = case.system.leaves(case.trace)
    return Units("node", leaves.rows, leaves.number, chosen, leaves.without)
