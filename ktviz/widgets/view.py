"""What all views have in common: the scene they draw, the selection they share with Python, requests and answers."""

from __future__ import annotations

import os
import sys
import weakref
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import cache
from importlib.resources import files
from secrets import token_hex
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Self

import anywidget
import numpy.typing as npt
import traitlets

from ktviz.errors import KtvizError, SettingError, TraceError
from ktviz.explain.counterfactual import Comparison
from ktviz.trace.groups import GROUPS
from ktviz.trace.recorded import Traced, as_trace
from ktviz.trace.trace import Trace
from ktviz.values import one_of
from ktviz.widgets.after import strip
from ktviz.widgets.answers import Answers, answered
from ktviz.widgets.change import Change
from ktviz.widgets.options import options
from ktviz.widgets.panels.registry import beside, drawn
from ktviz.widgets.selection import Selection, as_selection, checked_region
from ktviz.widgets.sites import checked_site, choices, first_site
from ktviz.widgets.state import SiteState
from ktviz.widgets.subject import Subject
from ktviz.widgets.words import NOTHING, checked_node, in_words, meant, named_node

if TYPE_CHECKING:
    from ktviz.widgets.page import PageReport


BY = ("source", *GROUPS)
"""How sources can be shown: one by one, or together."""


@cache
def static_text(name: str) -> str:
    """A file of the front end, as text: a path would keep every closed widget in memory."""
    return (files("ktviz.widgets") / "static" / name).read_text(encoding="utf-8")


class Checked(traitlets.TraitType[Any, Any]):
    """A trait whose values a function checks, and makes what they are to be.

    Args:
        check: From a value and the view; raises KtvizError.
        **more: As in `traitlets.TraitType`.
    """

    default_value = None

    def __init__(self, check: Callable[[Any, Any], Any], **more: Any) -> None:
        super().__init__(**more)
        self.check = check

    def validate(self, obj: Any, value: Any) -> Any:
        """The value as it is to be kept."""
        return self.check(value, obj)


class View(anywidget.AnyWidget):
    """A live view of a trace; its subclasses say which parts are drawn.

    Args:
        trace: Of one image; of several sites one is shown at a time.
        model: The system; not needed while the one that recorded lives.
        photo: The photo, where the trace was saved without it.
        pictures: (H, W, 3) of sources by name, for models whose sources ktviz does not hold.
        by: How sources are shown at first.

    Attributes:
        by: "source" shows sources one by one; "creator", "licence", "bank" or "year" shows them together; may be set.
        site: Name of the site that is shown, at first the last of `trace.sites` that has retrievals; may be set. Each
            site has its own selection.
        region: A `Box` in whole px of the picture in which the site's queries lie, or None; may be set.
        selection: The selected retrievals (`Selection`) of the trace that is shown; may be set from query numbers.
        node: (bank, number) of the selected node of a cluster tree, or None; may be set.
        showing: "before", the trace that the view is of, or "after", that of its counterfactual; may be set.
        comparison: The latest counterfactual that was asked for in the view, or None.

    Raises:
        TraceError: Not a trace of one image, or one without retrievals.
        MismatchError: `model` or `photo` is not the trace's.
        SettingError: Another `by`.
    """

    parts: ClassVar[tuple[str, ...]] = ()

    by = Checked(lambda value, _: one_of("by", value, BY), default_value="source").tag(sync=True)
    site = Checked(lambda value, view: view._ready(value), default_value="")
    region = Checked(lambda value, view: checked_region(value, view._subject.trace), allow_none=True)
    selection = Checked(lambda value, view: as_selection(value, view.shown))
    node = Checked(lambda value, view: checked_node(value, view._subject), allow_none=True)
    showing = Checked(lambda value, view: view._known(value), default_value="before")
    comparison = traitlets.Instance(Comparison, allow_none=True, read_only=True)

    _esm = traitlets.Unicode().tag(sync=True)
    _css = traitlets.Unicode().tag(sync=True)
    _scene = traitlets.Bytes().tag(sync=True)
    _after = traitlets.Bytes().tag(sync=True)
    _tried = traitlets.Bytes().tag(sync=True)
    _parts = traitlets.List(traitlets.Unicode()).tag(sync=True)
    _selected = traitlets.Any(NOTHING).tag(sync=True)
    _site = traitlets.Any("").tag(sync=True)
    _stand_in = traitlets.Unicode().tag(sync=True)

    def __init__(
        self,
        trace: Traced,
        *,
        model: object | None = None,
        photo: npt.ArrayLike | None = None,
        pictures: Mapping[str, npt.ArrayLike] | None = None,
        by: str = "source",
    ) -> None:
        one_of("by", by, BY)  # refused before there is a view to close
        trace = as_trace(trace)
        self._show(trace, first_site(trace), lambda site: Subject.create(trace, model, photo, pictures, site))
        self.by = by

    def _show(self, trace: Trace, site: str, subject_at: Callable[[str], Subject]) -> None:
        """Begin with a site of a trace; `subject_at` makes the subject of any of them."""
        self._trace, self._subject_at, self._current = trace, subject_at, site
        self._states: dict[str, SiteState] = {}
        state = self._state(site)
        super().__init__(
            _esm=self._script(),
            _css=static_text("ktviz.css"),
            _scene=state.scene,
            _parts=[*self.parts],
            _site=site,
            _stand_in=token_hex(8),
            site=site,
        )
        self.selection = state.agreed["selection"]
        self.on_msg(self._on_message)

    @property
    def further(self) -> list[str]:
        """Files of the front end besides the bundle: of the panels that any site has and that are not in it."""
        names: dict[str, None] = {}
        for site in choices(self._trace):
            with suppress(KtvizError):  # it is told where that site is asked for
                subject = self._subject if site["name"] == self._current else self._subject_at(site["name"])
                shown = [*drawn(self.parts, subject), *beside(self.parts, subject)]
                names |= dict.fromkeys(panel.name for panel in shown if panel.further)
        return [*names]

    def _script(self) -> str:
        """All that the browser runs."""
        return "\n".join(static_text(f"{name}.js") for name in (*self.further, "ktviz"))

    def _state(self, site: str) -> SiteState:
        """What the view holds of a site; made when it is first asked for."""
        if site not in self._states:
            subject = self._subject_at(site)
            here = weakref.ref(self)  # what the widget holds must not hold the widget: closed views are to be freed
            answers = Answers(subject, lambda change: make(here(), site, change))
            nothing = Selection(subject.trace)
            agreed = {"region": None, "selection": nothing, "node": None, "showing": "before", "_selected": NOTHING}
            self._states[site] = SiteState({"before": answers}, agreed)
        return self._states[site]

    def _ready(self, site: object) -> str:
        """A site that can be shown at once."""
        if site != self._current:
            _ = self._state(checked_site(site, self._trace)).scene  # what fails does so before anything is changed
        return str(site)

    @property
    def trace(self) -> Trace:
        """What the view is of, with all its sites."""
        return self._trace

    @property
    def shown(self) -> Trace:
        """The trace that is shown, and that the selection is of: that of the site, or while `showing` is "after" its
        counterfactual."""
        return self._shown.trace

    @property
    def comparisons(self) -> list[Comparison]:
        """The counterfactuals of the site that the view keeps, the oldest first."""
        return [after.comparison for after in self._states[self._current].tried]

    @property
    def _answers(self) -> dict[str, Answers]:
        return self._states[self._current].answers

    @property
    def _agreed(self) -> dict[str, Any]:
        return self._states[self._current].agreed

    @property
    def _subject(self) -> Subject:
        return self._answers["before"].subject

    @property
    def _shown(self) -> Subject:
        return self._states[self._current].shown

    def _known(self, showing: object) -> str:
        """Which of the two traces is meant, if there is that one."""
        if not isinstance(showing, str) or showing not in self._answers:
            known = " and ".join(self._answers)
            raise SettingError(f"showing {str(showing)[:40]!r}", f"there is {known}", "Leave a source out in the view")
        return showing

    def _compare(self, site: str, change: Change) -> None:
        """Show the counterfactual of a change; without one, go back to the recorded translation alone."""
        if site != self._current:
            return  # another site has been chosen since
        state = self._states[site]
        after = None if change == Change() else state.tried_with(change)
        scene = b"" if after is None else after.scene()
        showing = "before" if after is None else "after"
        with self.hold_sync():  # the browser hears all of it at once
            self._after, self._tried = scene, strip(state.tried)
            state.after = after
            if after is not None:
                state.answers["after"] = Answers(after.subject)
                self.set_trait("comparison", after.comparison)
            self._agree({**self._selected, "showing": showing})
            if after is None:
                state.answers.pop("after", None)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._subject.library or self._trace!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @traitlets.observe("site")
    def _switch(self, change: dict[str, Any]) -> None:
        """Show another site, with what was selected there."""
        if change["new"] == self._current:
            return
        self._current = change["new"]
        state = self._states[self._current]
        with self.hold_sync():  # the browser hears all of it at once
            self._scene, self._after, self._site = state.scene, state.after_scene, self._current
            self._tried = strip(state.tried)
            self._tell()

    @traitlets.observe("_site")
    def _switch_in_the_browser(self, _: object) -> None:
        try:
            self.site = self._site
        except KtvizError as error:  # shown there, and the site stays
            self._site = self._current
            self.send({"kind": "error", "error": [error.asked, error.found, error.todo]})

    @traitlets.observe("region", "selection", "node", "showing")
    def _set_in_python(self, change: dict[str, Any]) -> None:
        if change["new"] != self._agreed[change["name"]]:
            self._agree(in_words(change["name"], change["new"], self._selected, self._subject))

    @traitlets.observe("_selected")
    def _set_in_the_browser(self, _: object) -> None:
        if self._selected == self._agreed["_selected"]:
            return
        try:
            self._agree(self._selected)
        except KtvizError as error:  # shown there, and what was selected before stays
            self._selected = self._agreed["_selected"]
            self.send({"kind": "error", "error": [error.asked, error.found, error.todo]})

    def _agree(self, selected: object) -> None:
        """Make all traits say the same, or none of them if this cannot be meant."""
        if not isinstance(selected, Mapping):
            raise SettingError("a selection", f"a {type(selected).__name__}", "Select a region, retrievals or a source")
        node = named_node(self._agreed["node"], self._subject)
        showing = self._known(selected.get("showing", self._agreed["showing"]))
        subject = self._answers[showing].subject
        region, queries, found = meant({"node": node, **selected}, subject)
        self._states[self._current].agreed = {
            "showing": showing,
            "region": region,
            "selection": Selection(subject.trace, queries),
            "node": found,
            "_selected": {**selected, "node": named_node(found, subject), "showing": showing},
        }
        self._tell()

    def _tell(self) -> None:
        """Set all traits to what is agreed."""
        # Observers are told when all is set, and may set other things: what they are told of is agreed already.
        with self.hold_trait_notifications():
            for name, value in self._agreed.items():
                setattr(self, name, value)

    def _on_message(self, _: object, content: object, buffers: object) -> None:
        if isinstance(content, Mapping) and isinstance(content.get("id"), int):
            shown = self._states[self._current]
            states = [shown, *(state for state in self._states.values() if state is not shown)]
            self.send(*answered([one for state in states for one in state.answers.values()], content))

    def plot(self, *, width: float | None = None) -> Any:
        """What the view shows, as a matplotlib figure for print.

        Args:
            width: In inches, such as 3.4 for one column of a paper and 7 for two; None: for the screen.

        Raises:
            SettingError: Text would be too small to read.

        Example:
            >>> import ktviz as kt
            >>> with kt.Explorer(trace) as view:
            ...     print(view.plot(width=7).get_figwidth())
            7.0
        """
        return self.shown.plot(width=width)

    def to_html(
        self, path: str | os.PathLike[str], *, max_mb: float | None = None, overwrite: bool = False
    ) -> PageReport:
        """Write the view as one file that works offline: everything but re-translation stays live.

        The page is of the trace and, where there is one, of the counterfactual beside it, with the other sites as far
        as there is room. What there is no room for is left out, and the page says so.

        Args:
            path: Where.
            max_mb: How large the file may be; if None, 4 MB for 512x512 px, in proportion for more, 9 at most.
            overwrite: Whether a file that exists may be replaced.

        Returns:
            What the file takes, by its parts, and what was left out.

        Raises:
            StorageError: The file exists, or the disk refuses.
            SettingError: What every page of it has takes more than `max_mb`.

        Example:
            >>> import ktviz as kt
            >>> home = pathlib.Path(tempfile.mkdtemp())
            >>> with kt.Explorer(trace) as view:
            ...     report = view.to_html(home / "page.html", max_mb=2)
            >>> report.bytes == (home / "page.html").stat().st_size < 2_000_000, report.left_out
            (True, ())
        """
        from ktviz.widgets.page import write_page

        return write_page(self, path, max_mb, overwrite)

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        from ktviz.widgets.page import frame
        from ktviz.widgets.snapshot import snapshot

        text = {"text/plain": repr(self)}
        if options.display == "page":
            return {**text, "text/html": frame(self)}, {}
        if options.display == "static":
            return {**text, "text/html": snapshot(self._shown, self.by)}, {}
        live, metadata = super()._repr_mimebundle_(**kwargs) or ({}, {})
        if options.display == "both":
            text["text/html"] = snapshot(self._shown, self.by)
        return {**live, **text}, metadata

    def _ipython_display_(self, **kwargs: Any) -> None:
        """Show the view; a snapshot, where one is asked for beside it, is an output of its own.

        Of one output notebooks draw one kind alone: without the kernel that would be an error.
        """
        import IPython.display

        from ktviz.widgets.snapshot import standing_in

        show: Callable[..., object] = IPython.display.display
        bundle, metadata = self._repr_mimebundle_(**kwargs)
        if options.display == "both":
            show({"text/html": standing_in(bundle.pop("text/html"), self._stand_in)}, raw=True)
        show(bundle, metadata=metadata, raw=True)

    def __del__(self, ending: Callable[[], bool] = sys.is_finalizing) -> None:
        """Free what it holds, but not while Python ends and takes its modules away itself."""
        if not ending():
            super().__del__()

    def close(self) -> None:
        """Take the view off every page, and free what it holds."""
        if vars(self).get("_states"):  # not so where the view was refused: it is closed when it is collected
            self.on_msg(self._on_message, remove=True)
            subject = replace(self._subject, case=None, frozen="the view is closed")
            agreed = {**self._agreed, "showing": "before"}
            self._states = {self._current: SiteState({"before": Answers(subject)}, agreed)}
            self._subject_at = closed
            self.layout.close()
        super().close()


def closed(site: str) -> Subject:
    """What a closed view says of sites that it has not shown."""
    raise TraceError(f"view site {site!r}", "the view is closed", "Make another view of the trace")


def make(view: View | None, site: str, change: Change) -> None:
    """Show a counterfactual in its view, if that is still there."""
    if view is not None:
        view._compare(site, change)
