"""Backtracking: from a region of the output to the source patches behind it, with pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pandas as pd

from ktviz.errors import TraceError
from ktviz.explain.case import Case, case_if_any
from ktviz.explain.regret import coherent
from ktviz.explain.result import Result, one_site
from ktviz.images import Pixels
from ktviz.printing import counted
from ktviz.regions import Mask, Region, bounding_box, region_mask
from ktviz.trace.recorded import Traced

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = ["query", "entry", "bank", "source", "similarity", "margin"]
CREDIT = ["title", "creator", "year", "licence"]


@dataclass(frozen=True, eq=False, repr=False)
class Backtrack(Result):
    """The winners behind a region: one row per retrieval that painted a part of it, largest overlap first.

    Columns: query, box (px of the output), overlap (part of the region), entry, bank, source, source_box (px
    of the original source), similarity, margin, coherent (chosen because it continues a neighbour's source), title,
    creator, year, licence.

    Example:
        >>> found = kt.backtrack(trace, kt.Box(0, 0, 8, 8))
        >>> found.frame[["source", "overlap"]].values.tolist()
        [['toy/flat/red.png', 1.0]]
    """

    case: Case | None = None
    mask: Mask | None = None

    kind: ClassVar[str] = "a backtrack"

    def headline(self) -> str:
        """The result in one line."""
        x, y, width, height = self.about["region"]
        return f"{counted(len(self), 'retrieval')} behind {width:g}x{height:g} px at ({x:g}, {y:g})"

    @cached_property
    def patches(self) -> list[tuple[Pixels, Pixels]]:
        """Per row the query's part of its canvas and the part of the source that won it, as pictures.

        Raises:
            TraceError: The result was read from a file, or is of a model without pictures.
        """
        case = self._asked()
        return case.system.patches(case.trace, self.about["places"])

    def summary(self) -> pd.Series:
        """The result in a few numbers."""
        shares = self.frame.groupby("source", observed=True)["overlap"].sum().sort_values(ascending=False)
        facts: Mapping[str, object] = {
            "region": self.about["region"],
            "retrievals": len(self),
            "sources": ", ".join(f"{name} {share:.1%}" for name, share in shares.items()),
            "similarity, median": round(float(self.frame["similarity"].median()), 4),
        }
        return pd.Series(facts, name=self.kind)

    def _repr_html_(self) -> str | None:
        """What a notebook shows."""
        from ktviz.figures.cards import backtrack_card, unless_refused

        return unless_refused(backtrack_card, self)

    def plot(self, picks: int = 8, *, width: float | None = None) -> Figure:
        """The paper's figure for this region: curves from its patches to the patches that won them.

        Args:
            picks: How many retrievals to show.
            width: In inches, as of two columns of a paper (7); None: for the screen.

        Example:
            >>> float(kt.backtrack(trace, kt.Box(0, 0, 8, 8)).plot(width=7).get_figwidth())
            7.0
        """
        from ktviz.figures.backtracking import backtracking_figure

        case = self._asked()
        return backtracking_figure(case.trace, picks, self.mask, model=case.system, width=width)

    def _asked(self) -> Case:
        if self.case is None:
            raise TraceError("pictures of a backtrack", "it has no model with it", "Backtrack again with model=")
        return self.case


def backtrack(
    trace: Traced, region: Region = None, *, model: object | None = None, photo: Pixels | None = None
) -> Backtrack:
    """The winners behind a region of the output.

    Args:
        trace: Of one image and one site, or a result that was recorded.
        region: A `Box`, mask, polygon or pixel of the output; None for all of it.
        model: The system, for pictures; not needed while the one that recorded lives.
        photo: The photo, where the trace was saved without it.

    Raises:
        RegionError: The region is empty or outside.
        TraceError: A trace of several sites, or only a part.
        MismatchError: Another model, library or photo.

    Example:
        >>> found = kt.backtrack(trace, kt.Box(24, 24, 16, 16))
        >>> sorted(set(found.frame["source"]))
        ['toy/flat/green.png', 'toy/flat/yellow.png']
    """
    trace = one_site(trace)
    mask = region_mask(region, *trace.size)
    box, source_box = trace.column("box"), trace.column("source_box")
    covered = trace.overlap(mask)
    rows = np.flatnonzero(covered)
    rows = rows[np.argsort(-covered[rows], kind="stable")]
    frame = pd.DataFrame({name: trace.column(name)[rows] for name in COLUMNS})
    frame.insert(1, "box", list(box[rows]))
    frame.insert(2, "overlap", covered[rows])
    frame.insert(6, "source_box", list(source_box[rows]))
    frame["coherent"] = coherent(trace)[rows]
    credit = {source["source"]: source for source in trace.about["sources"]}
    for name in CREDIT:
        frame[name] = [credit[source].get(name, "unknown") for source in frame["source"]]
    around = bounding_box(mask)
    about = {
        "region": [around.x, around.y, around.width, around.height],
        "region_px": int(mask.sum()),
        "trace": trace.digest,
        "places": rows.tolist(),
    }
    return Backtrack(frame, about, {}, case_if_any(trace, model=model, photo=photo), mask)
