"""A picture painted on another processor: all that may differ is rounding, and what rounding decides.

Descriptors there differ in their last digits, and so do cosines. Where two cells of the exemplar are equally similar,
either may come first, and the last one that is kept may be another. So every recorded cell must be as similar as the
one found in its place, weigh as much as that follows from, and be what the exemplar says of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from ktviz.errors import Difference
from ktviz.systems.cocosnet.live import Live
from ktviz.trace.rows import first_row
from ktviz.trace.trace import Trace

SIMILARITY = 1e-5
"""What a cosine may differ by (docs/exactness.md)."""
Flags = npt.NDArray[np.bool_]
SAME = ("image", "site", "query", "y", "x", "box", "rank", "chosen", "canvas", "catalogue", "bank", "source")
"""Columns that no rounding touches."""


@dataclass(frozen=True)
class Case:
    """A recorded trace and what is found here.

    Attributes:
        name: What errors call the trace.
        trace: As it was recorded.
        again: As it is made here.
        live: The run, worked out here.
        temperature: Of it.
    """

    name: str
    trace: Trace
    again: Trace
    live: Live
    temperature: float

    def check(self) -> Flags:
        """Raise Difference at the first column that rounding does not explain; else, which winners are other ones."""
        for column in self.trace.table.column_names:
            if column in SAME and not self.trace.table[column].equals(self.again.table[column]):
                raise Difference(f"{self.name}: the column {column} was changed")
        self.check_candidates()
        for column, true in self.expected().items():
            self.compare(column, true, self.room(column))
        other: Flags = self.trace.column("entry") != self.again.column("entry")
        return other

    def check_candidates(self) -> None:
        """Every candidate is one that could be taken, once, and as good as the one that is found in its place."""
        query, entry = (self.column(name).astype(np.int64) for name in ("query", "entry"))
        true = self.live.similarity(query, entry).numpy().astype(np.float64)
        found = self.again.column("similarity", winners=False).astype(np.float64)
        pairs, count = np.unique(np.stack((query, entry)), axis=1, return_counts=True)
        twice = np.isin(query, pairs[0][count > 1])
        for row in np.flatnonzero((np.abs(true - found) > SIMILARITY) | twice)[:1]:
            found_here = "a candidate that is not as good as the one found here"
            raise Difference(f"{self.name}, retrieval {query[row]}: {found_here} (recorded entry {entry[row]})")

    def expected(self) -> dict[str, npt.NDArray[np.generic]]:
        """What the other columns should hold, given the recorded entries."""
        entry = torch.from_numpy(self.column("entry").astype(np.int64))
        exemplar = self.live.passage.exemplar
        found = {
            "source_box": exemplar.catalogue.boxes(entry).numpy(),
            "cocosnet.entry_class": exemplar.cell_labels()[entry].numpy(),
        }
        known = ("similarity", "weight", "left_over", "margin", "cocosnet.entropy", "cocosnet.target_class")
        return {**found, **{name: self.again.column(name, winners=False) for name in known}}

    def room(self, column: str) -> float:
        """What the numbers of a column may differ by."""
        sharp = SIMILARITY / self.temperature
        rooms = {"similarity": SIMILARITY, "margin": 2 * SIMILARITY, "weight": sharp}
        kept = int(self.column("rank").max()) + 1
        most = sharp * float(np.log(max(2, len(self.live.passage.source))))
        return {**rooms, "left_over": kept * sharp, "cocosnet.entropy": most}.get(column, 0.0)

    def compare(self, column: str, true: npt.NDArray[np.generic], room: float) -> None:
        """Raise Difference at the first row in which a column differs by more than `room`."""
        stated = self.column(column)
        row = first_row(stated.astype(np.float64), true.astype(np.float64), room)
        if row is not None:
            query = int(self.column("query")[row])
            raise Difference(f"{self.name}, retrieval {query}, {column}: {stated[row]}, should be {true[row]}")

    def column(self, name: str) -> npt.NDArray[np.generic]:
        """A column of the recorded trace, of all candidates."""
        found: npt.NDArray[np.generic] = self.trace.column(name, winners=False)
        return found
