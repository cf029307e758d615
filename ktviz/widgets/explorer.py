"""The Explorer, and each of its parts alone."""

from __future__ import annotations

from typing import Any, ClassVar

from ktviz.errors import RegionError
from ktviz.library.union import BankUnion
from ktviz.trace.live import check_equal
from ktviz.trace.trace import Trace
from ktviz.widgets.subject import Subject
from ktviz.widgets.view import View


class Explorer(View):
    """Translation, sources, cluster tree, band matches and table of one trace, linked by one selection.

    view = kt.Explorer(trace)      # or trace.explore()
    view                           # the last line of a cell draws it
    view.region = kt.Box(120, 80, 64, 64)
    view.selection.to_pandas()
    """

    parts: ClassVar[tuple[str, ...]] = ("translation", "sources", "tree", "bands", "table")


class TranslationView(View):
    """Input and output with overlays, and curves to the sources."""

    parts: ClassVar[tuple[str, ...]] = ("translation",)


class SourcesView(View):
    """Share, credit and licence of every source."""

    parts: ClassVar[tuple[str, ...]] = ("sources",)


class TreeView(View):
    """The cluster trees of banks, and how a translation went through them.

        kt.TreeView(library["art"])                   # the trees alone
        kt.TreeView(trace)                            # with visits, and the way of the selected retrieval
        kt.TreeView(library["art"], visits=trace)     # the same, said in full

    Args:
        of: Banks of a library, or a trace.
        visits: A translation with these banks.
        **more: As in `View`.

    Raises:
        MismatchError: `visits` was made with other banks.
    """

    parts: ClassVar[tuple[str, ...]] = ("tree",)

    def __init__(self, of: BankUnion | Trace, *, visits: Trace | None = None, **more: Any) -> None:
        if isinstance(of, BankUnion) and visits is not None:
            for name, digest in of.digests().items():
                check_equal(name, str(visits.about["digests"].get(name, "none")), digest)
            of = visits
        if isinstance(of, BankUnion):
            self._show(Subject.of_banks(of))
        else:
            super().__init__(of, **more)


class BandView(View):
    """A retrieval and its candidates, band by band.

    Args:
        trace: Of one image and one site.
        at: Row and column of the retrieval on the grid of queries, counted from 0.
        **more: As in `View`.

    Raises:
        RegionError: There is no such retrieval.
    """

    parts: ClassVar[tuple[str, ...]] = ("bands",)

    def __init__(self, trace: Trace, *, at: tuple[int, int] | None = None, **more: Any) -> None:
        super().__init__(trace, **more)
        if at is not None:
            self.selection = [query_at(self.trace, *at)]


class TableView(View):
    """The selected retrievals as rows."""

    parts: ClassVar[tuple[str, ...]] = ("table",)


def query_at(trace: Trace, row: int, column: int) -> int:
    """Number of the query in a row and column of the grid of queries."""
    y, x = trace.column("y"), trace.column("x")
    rows, columns = sorted(set(y.tolist())), sorted(set(x.tolist()))
    if not (0 <= row < len(rows) and 0 <= column < len(columns)):
        raise RegionError(f"retrieval at ({row}, {column})", f"{len(rows)} rows of {len(columns)}", "Count from 0")
    hit = (y == rows[row]) & (x == columns[column])
    return int(trace.column("query")[hit][0])
