"""The Explorer, and each of its parts alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ktviz.errors import RegionError, TraceError
from ktviz.explain.case import check_equal
from ktviz.figures.backend import Backend, is_plotly
from ktviz.library.banks import Banks
from ktviz.library.kinds.codes.bank import CodeBank
from ktviz.library.kinds.patches.bank import Bank
from ktviz.library.kinds.pictures.bank import PictureBank
from ktviz.library.kinds.trees import with_trees
from ktviz.systems.protocol import check_ability
from ktviz.trace.recorded import Traced, as_trace
from ktviz.trace.trace import Trace
from ktviz.widgets.panels.registry import PANELS
from ktviz.widgets.panels.tree import best_of_all
from ktviz.widgets.sites import first_site
from ktviz.widgets.subject import Subject
from ktviz.widgets.view import View

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Explorer(View):
    """Translation, sources, cluster tree, band matches and table of one trace, linked by one selection.

    Tree and bands are there where the trace has some.

    In a notebook, the last line of a cell draws it::

        view = kt.Explorer(trace)  # or trace.explore()
        view.region = kt.Box(120, 80, 64, 64)
        view.selection.to_pandas()

    Example:
        >>> with kt.Explorer(trace) as view:
        ...     view.region = kt.Box(0, 0, 16, 16)
        ...     print(len(view.selection))
        4
    """

    parts: ClassVar[tuple[str, ...]] = tuple(panel.name for panel in PANELS)


class TranslationView(View):
    """Input and output with overlays, and curves to the sources.

    Example:
        >>> with kt.TranslationView(trace) as view:
        ...     view.region = kt.Box(0, 0, 16, 16)
        ...     print(len(view.selection))
        4
    """

    parts: ClassVar[tuple[str, ...]] = ("translation",)

    def plot(self, *, width: float | None = None) -> Figure:
        """The paper's figure of the selected region: curves from its patches to those that won them.

        Args:
            width: In inches, as of two columns of a paper (7); None: for the screen.
        """
        from ktviz.figures.backtracking import backtracking_figure

        return backtracking_figure(self.shown, region=self.region, model=self._subject.model, width=width)


class SourcesView(View):
    """Share, credit and licence of every source.

    Example:
        >>> with kt.SourcesView(trace, by="bank") as view:
        ...     print(view.plot(width=3.4).get_figwidth())
        3.4
    """

    parts: ClassVar[tuple[str, ...]] = ("sources",)

    def plot(self, backend: Backend = "matplotlib", *, width: float | None = None) -> Any:
        """Bars of the shares in the selected region: for print (`width` in inches), or with "plotly" to hover over.

        For print they are of sources together where the view shows them so (`by`); with "plotly" always of each.
        """
        if is_plotly(backend):
            from ktviz.figures.interactive import share_bars

            return share_bars(self.shown, self.region)
        if self.by != "source":
            from ktviz.explain.attribution import attribute

            return attribute(self.shown, self.region, by=self.by).plot(width=width)
        from ktviz.figures.share_bars import share_figure

        return share_figure(self.shown, self.region, width)


class StylesView(View):
    """What style each object took, what else it could have taken, and who is behind it, beside the translation.

    Example:
        >>> kt.StylesView(trace).site
        'retrieval'
    """

    parts: ClassVar[tuple[str, ...]] = ("codes",)

    def plot(self, *, width: float | None = None) -> Figure:
        """The largest object of each class with its style and the members of that.

        Args:
            width: In inches, such as 3.4 for one column of a paper and 7 for two; None: for the screen.

        Raises:
            SettingError: Text would be too small to read.
            AbilityError: The system has no styles.
            TraceError: The model is gone.
        """
        from ktviz.figures.styles import styles_figure

        return styles_figure(self.shown, model=self._subject.model, width=width)


class AttributesView(View):
    """Attributes as switches: what the source has, what is wanted, after whom, and of what every cell was made.

    Example:
        >>> kt.AttributesView(trace).site
        'retrieval'
    """

    parts: ClassVar[tuple[str, ...]] = ("attributes",)

    def plot(self, *, width: float | None = None) -> Figure:
        """Source, reference, output, of what its cells were made, and by how much each attribute was to change.

        Args:
            width: In inches, such as 3.4 for one column of a paper and 7 for two; None: for the screen.

        Raises:
            SettingError: Text would be too small to read.
            AbilityError: The system changes no attributes.
            TraceError: The model is gone.
        """
        from ktviz.figures.attributes import attributes_figure

        return attributes_figure(self.shown, model=self._subject.model, width=width)


class ReuseView(View):
    """How much each cell of the source feeds, beside the translation.

    Example:
        >>> kt.ReuseView(trace).site
        'retrieval'
    """

    parts: ClassVar[tuple[str, ...]] = ("reuse",)

    def plot(self, *, width: float | None = None) -> Figure:
        """Entropy of every place, reuse of every cell, and the most used cells.

        Args:
            width: In inches, such as 3.4 for one column of a paper and 7 for two; None: for the screen.

        Raises:
            SettingError: Text would be too small to read.
            TraceError: The retrievals do not mix the cells of one source.
        """
        from ktviz.figures.reuse import reuse_figure

        return reuse_figure(self.shown, model=self._subject.model, width=width)


class CodeSpaceView(View):
    """Stored codes on a map, the one that was used with its neighbours, and the picture of any other.

    Example:
        >>> kt.CodeSpaceView(trace).site
        'retrieval'
    """

    parts: ClassVar[tuple[str, ...]] = ("space",)

    def plot(self, *, width: float | None = None) -> Figure:
        """The map, the neighbours of the used code, and pictures along both axes of the map.

        Args:
            width: In inches, such as 3.4 for one column of a paper and 7 for two; None: for the screen.

        Raises:
            SettingError: Text would be too small to read.
            AbilityError: The system makes no pictures of codes.
            TraceError: The model is gone, or nothing is stored.
        """
        from ktviz.figures.code_space import code_space_figure

        return code_space_figure(self.shown, model=self._subject.model, width=width)


class TreeView(View):
    """The cluster trees of banks, and how a translation went through them::

        kt.TreeView(library["art"])                   # the trees alone; of one bank, too
        kt.TreeView(trace)                            # with visits, and the way of the selected retrieval
        kt.TreeView(library["art"], visits=trace)     # the same, said in full

    Args:
        of: A bank or banks of a library, or a trace.
        visits: A translation with these banks.
        **more: As in `View`.

    Raises:
        MismatchError: `visits` was made with other banks.
        LibraryError: The banks are of a kind without trees.
        TraceError: Two traces, and no banks.

    Example:
        >>> with kt.TreeView(trace) as view:
        ...     view.region = kt.Box(0, 0, 16, 16)
        ...     print(len(view.selection))
        4
    """

    parts: ClassVar[tuple[str, ...]] = ("tree",)

    def __init__(
        self,
        of: Bank | CodeBank | PictureBank | Banks[Any] | Traced,
        *,
        visits: Traced | None = None,
        **more: Any,
    ) -> None:
        if isinstance(of, (Banks, Bank, CodeBank, PictureBank)):
            of = with_trees(of)
        elif visits is not None:
            raise TraceError("a tree view", "two traces", "Give banks and visits=, or a trace alone")
        if isinstance(of, Banks) and visits is not None:
            for name, digest in of.digests().items():
                check_equal(name, str(as_trace(visits).about["digests"].get(name, "none")), digest)
            of = visits
        if isinstance(of, Banks):
            subject = Subject.of_banks(of)
            self._show(subject.trace, subject.site, lambda _: subject)
        else:
            super().__init__(of, **more)

    def plot(self, backend: Backend = "matplotlib", *, width: float | None = None) -> Any:
        """The tree of the bank of the selected retrieval or node, with its path; of the first bank if nothing is.

        Where the exact winner lies below other nodes, its way is marked. With "plotly" it is an icicle to zoom into.

        Args:
            width: On paper, in inches, such as 3.4 for one column of a paper and 7 for two; None: for the screen.

        Raises:
            SettingError: Text would be too small to read.
            AbilityError: The system has no tree.
            TraceError: The model is gone.
        """
        from ktviz.figures.cluster_tree import tree_figure
        from ktviz.figures.interactive import tree_icicle

        plotly = is_plotly(backend)
        asked = "draw a cluster tree"
        if self._subject.model is not None:
            check_ability(self._subject.model, "tree", asked)
        if self._subject.treeless:
            raise TraceError(asked, "the run chose in no tree of its system", "Give the bank: kt.TreeView(bank)")
        if self._subject.banks is None or not self._subject.trees:
            raise TraceError(asked, self._subject.frozen or "its system holds no banks", "Give the view model=")
        banks = {bank.name: bank for bank in self._subject.banks.banks}
        query = self.selection[0] if len(self.selection) else None
        name = next(iter(banks)) if self.node is None else self.node[0]
        if query is not None:
            name = self.selection.to_pandas()["bank"].iloc[0]
        if name not in banks:  # a site of centres, which are of no single bank
            bank = next(iter(banks.values()))
            return tree_icicle(bank) if plotly else tree_figure(bank, width=width)
        visited = self.shown if len(self.shown) > 0 and name in self.shown.about["banks"] else None
        if plotly:
            return tree_icicle(banks[name], visited)
        return tree_figure(banks[name], visited, query, self._exact_way(query, name), width=width)

    def _exact_way(self, query: int | None, bank: str) -> dict[int, float]:
        """The nodes of a tree down to the exact winner of a query, and how near it is to each, where that is known."""
        if query is None or not self._shown.can("oracle", "tree"):
            return {}
        case, place = self._shown.live(), np.flatnonzero(self.shown.column("query") == query)[:1]
        best = best_of_all(case, place)
        if best is None:
            return {}
        (way,) = case.system.descents(case.trace, place.tolist(), best[0])
        if way.bank != bank:
            return {}
        near = [float(road.similarity[road.nodes == road.taken][0]) for road in way.roads]
        return dict(zip(way.path, near, strict=True))


class BandView(View):
    """A retrieval and its candidates, band by band.

    Args:
        trace: Of one image.
        at: Row and column of the retrieval on the grid of queries of the site that is shown at first, counted from 0.
        **more: As in `View`.

    Raises:
        RegionError: There is no such retrieval.

    Example:
        >>> with kt.BandView(trace) as view:
        ...     view.region = kt.Box(0, 0, 16, 16)
        ...     print(len(view.selection))
        4
    """

    parts: ClassVar[tuple[str, ...]] = ("bands",)

    def __init__(self, trace: Trace, *, at: tuple[int, int] | None = None, **more: Any) -> None:
        shown = as_trace(trace) if at is None else trace.site(first_site(trace))
        query = None if at is None else query_at(shown, at)  # refused before there is a view to close
        super().__init__(trace, **more)
        if query is not None:
            self.selection = [query]

    def plot(self, *, width: float | None = None) -> Figure:
        """The selected retrieval band by band; the first one if none is selected.

        Args:
            width: In inches, as of two columns of a paper (7); None: for the screen.

        Raises:
            SettingError: Text would be too small to read.
            TraceError: The model is gone.
        """
        from ktviz.figures.band_grid import band_figure

        query = self.selection[0] if len(self.selection) else int(self.shown.column("query")[0])
        return band_figure(self.shown, query, model=self._subject.model, width=width)


class TableView(View):
    """The selected retrievals as rows.

    Example:
        >>> with kt.TableView(trace) as view:
        ...     view.region = kt.Box(0, 0, 16, 16)
        ...     print(len(view.selection))
        4
    """

    parts: ClassVar[tuple[str, ...]] = ("table",)


def query_at(trace: Trace, at: tuple[int, int]) -> int:
    """Number of the query in a row and column of the grid of queries.

    Raises:
        RegionError: There is none.
    """
    (rows, y), (columns, x) = (np.unique(trace.column(name), return_inverse=True) for name in ("y", "x"))
    hit = np.flatnonzero((y == at[0]) & (x == at[1])) if np.shape(at) == (2,) else np.empty(0)
    if not len(hit):
        found = f"there is none in {len(rows)} rows of {len(columns)}"
        raise RegionError(f"the retrieval at {str(at)[:40]}", found, "Give row and column, counted from 0")
    return int(trace.column("query")[hit[0]])
