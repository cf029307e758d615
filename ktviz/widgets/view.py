"""What all views have in common: the scene they draw, the selection they share with Python, requests and answers."""

from __future__ import annotations

import logging
import os
import traceback
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib.resources import files
from operator import index
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Self, SupportsIndex, TypeGuard

import anywidget
import numpy as np
import numpy.typing as npt
import traitlets

from ktviz.errors import KtvizError, SettingError, UnknownNameError
from ktviz.explain.counterfactual import Comparison
from ktviz.regions import Box
from ktviz.systems.kt.translator import Translator
from ktviz.trace.trace import Trace
from ktviz.widgets.after import After
from ktviz.widgets.answers import Answers, numbers
from ktviz.widgets.options import options
from ktviz.widgets.packing import pack
from ktviz.widgets.scene import scene_of, short_digest
from ktviz.widgets.selection import Selection, as_selection, checked_region, queries_in
from ktviz.widgets.subject import Subject

if TYPE_CHECKING:
    from matplotlib.figure import Figure

log = logging.getLogger("ktviz")
Node = tuple[str, int]
"""A node of a cluster tree: name of the bank, number of the node."""


@cache
def static_text(name: str) -> str:
    """A file of the front end, as text: a path would keep every closed widget in memory."""
    return (files("ktviz.widgets") / "static" / name).read_text(encoding="utf-8")


NOTHING: dict[str, Any] = {"kind": "none"}


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
        trace: Of one image and one site.
        model: The translator; not needed while the one that recorded lives.
        photo: The photo, where the trace was saved without it.
        pictures: (H, W, 3) of sources by name, for models whose sources ktviz does not hold.

    Attributes:
        region: A `Box` of the output in whole px, or None; may be set.
        selection: The selected retrievals (`Selection`) of the trace that is shown; may be set from query numbers.
        node: (bank, number) of the selected node of a cluster tree, or None; may be set.
        showing: "before", the trace that the view is of, or "after", that of its counterfactual; may be set.
        comparison: The latest counterfactual that was asked for in the view, or None.

    Raises:
        TraceError: Not a trace of one image and one site.
        MismatchError: `model` or `photo` is not the trace's.
    """

    parts: ClassVar[tuple[str, ...]] = ()

    region = Checked(lambda value, view: checked_region(value, view.trace), allow_none=True)
    selection = Checked(lambda value, view: as_selection(value, view.shown))
    node = Checked(lambda value, view: checked_node(value, view._subject), allow_none=True)
    showing = Checked(lambda value, view: view._known(value), default_value="before")
    comparison = traitlets.Instance(Comparison, allow_none=True, read_only=True)

    _esm = traitlets.Unicode().tag(sync=True)
    _css = traitlets.Unicode().tag(sync=True)
    _scene = traitlets.Bytes().tag(sync=True)
    _after = traitlets.Bytes().tag(sync=True)
    _parts = traitlets.List(traitlets.Unicode()).tag(sync=True)
    _selected = traitlets.Any(NOTHING).tag(sync=True)

    def __init__(
        self,
        trace: Trace,
        *,
        model: Translator | None = None,
        photo: npt.ArrayLike | None = None,
        pictures: Mapping[str, npt.ArrayLike] | None = None,
    ) -> None:
        self._show(Subject.create(trace, model, photo, pictures))

    def _show(self, subject: Subject) -> None:
        self._subject = subject
        nothing = Selection(subject.trace)
        self._agreed: dict[str, Any] = {
            "region": None,
            "selection": nothing,
            "node": None,
            "showing": "before",
            "_selected": NOTHING,
        }
        super().__init__(
            _esm=static_text("ktviz.js"), _css=static_text("ktviz.css"), _scene=scene_of(subject), _parts=[*self.parts]
        )
        here = weakref.ref(self)  # what the widget holds must not hold the widget: closed views are to be freed
        self._answers = {"before": Answers(subject, lambda found: keep(here(), found))}
        self.selection = nothing
        self.on_msg(self._on_message)

    @property
    def trace(self) -> Trace:
        """What the view is of."""
        return self._subject.trace

    @property
    def shown(self) -> Trace:
        """The trace that is shown, and that the selection is of: `trace`, or while `showing` is "after" the other."""
        return self._shown.trace

    @property
    def _shown(self) -> Subject:
        return self._answers[self._agreed["showing"]].subject

    def _known(self, showing: object) -> str:
        """Which of the two traces is meant, if there is that one."""
        if not isinstance(showing, str) or showing not in self._answers:
            known = " and ".join(self._answers)
            raise SettingError(f"showing {str(showing)[:40]!r}", f"there is {known}", "Leave a source out in the view")
        return showing

    def _compare(self, after: After | None) -> None:
        """Take in a counterfactual and show it; None goes back to the recorded translation alone."""
        showing = "before" if after is None else "after"
        scene = b"" if after is None else after.scene()
        with self.hold_sync():  # the browser hears all of it at once
            self._after = scene
            if after is not None:
                self._answers["after"] = Answers(after.subject)
                self.set_trait("comparison", after.comparison)
            self._agree({**self._selected, "showing": showing})
            if after is None:
                self._answers.pop("after", None)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._subject.library or self._subject.trace!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

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
        self._agreed = {
            "showing": showing,
            "region": region,
            "selection": Selection(subject.trace, queries),
            "node": found,
            "_selected": {**selected, "node": named_node(found, subject), "showing": showing},
        }
        # Observers are told when all is set, and may set other things: what they are told of is agreed already.
        with self.hold_trait_notifications():
            for name, value in self._agreed.items():
                setattr(self, name, value)

    def _on_message(self, _: object, content: object, buffers: object) -> None:
        if isinstance(content, Mapping) and isinstance(content.get("id"), int):
            self.send(*answered([*self._answers.values()], content))

    def plot(self) -> Figure:
        """What the view shows, as a matplotlib figure for print."""
        return self.shown.plot()

    def to_html(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write the view as one file that works offline: everything but re-translation stays live.

        The page is of the trace that is shown.

        Args:
            path: Where.
            overwrite: Whether a file that exists may be replaced.

        Raises:
            StorageError: The file exists, or the disk refuses.
        """
        from ktviz.widgets.page import write_page

        write_page(self, path, overwrite)

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        from ktviz.widgets.page import frame
        from ktviz.widgets.snapshot import snapshot

        text = {"text/plain": repr(self)}
        if options.display == "page":
            return {**text, "text/html": frame(self)}, {}
        if options.display == "static":
            return {**text, "text/html": snapshot(self._shown)}, {}
        live, metadata = super()._repr_mimebundle_(**kwargs) or ({}, {})
        if options.display == "both":
            text["text/html"] = snapshot(self._shown)
        return {**live, **text}, metadata

    def close(self) -> None:
        """Take the view off every page, and free what it holds."""
        if "_answers" in vars(self):  # not so where the view was refused: it is closed when it is collected
            self.on_msg(self._on_message, remove=True)
            self._subject = replace(self._subject, case=None, frozen="the view is closed")
            self._answers = {"before": Answers(self._subject)}
            self._agreed["showing"] = "before"
            self.layout.close()
        super().close()


def keep(view: View | None, found: After | None) -> None:
    """Show a counterfactual in its view, if that is still there."""
    if view is not None:
        view._compare(found)


def answered(known: Sequence[Answers], request: Mapping[str, Any]) -> tuple[dict[str, Any], list[bytes]]:
    """The message that answers a request, also where it fails: nothing stays without an answer.

    Args:
        known: Those about the traces of a view; a request that names none is about the first.
        request: As it came. If its trace has made room for another since, the answer has no error, but is not ok.
    """
    envelope = {"id": request["id"], "kind": str(request.get("kind"))[:40]}
    about = {short_digest(one.subject): one for one in known}
    answers = about.get(str(request["trace"])) if "trace" in request else known[0]
    if answers is None:
        return {**envelope, "ok": False}, []
    try:
        values, parts = answers.to(request)
        return {**envelope, "ok": True}, [pack(values, parts)]
    except KtvizError as error:
        return {**envelope, "ok": False, "error": [error.asked, error.found, error.todo]}, []
    except Exception as error:
        # As text: a record that held the traceback would hold the view.
        log.error("a view's request failed\n%s", traceback.format_exc())
        return {**envelope, "ok": False, "error": [envelope["kind"], repr(error)[:400], "See the log"]}, []


def meant(selected: Mapping[str, Any], subject: Subject) -> tuple[Box | None, Sequence[int], Node | None]:
    """Region, query numbers and node that the browser's words stand for.

    Raises:
        KtvizError: Something that the trace does not have.
    """
    node = node_at(selected.get("node"), subject)
    kind = selected.get("kind", "none")
    if kind == "none":
        return None, [], node
    if kind == "region":
        region = checked_region(selected.get("box") or (), subject.trace)
        return region, [] if region is None else queries_in(subject.trace, region), node
    if kind == "source":
        (number,) = numbers({"source": [selected.get("source")]}, "source", len(subject.names))
        mine = subject.trace.column("source") == subject.names[number]
        return None, subject.trace.column("query")[mine].tolist(), node
    if kind == "queries" and isinstance(selected.get("queries"), list):
        return None, Selection(subject.trace, selected["queries"]).queries, node
    raise SettingError(f"a selection of kind {str(kind)[:40]!r}", "unknown", "Select a region, retrievals or a source")


def in_words(name: str, value: Any, selected: Mapping[str, Any], subject: Subject) -> Mapping[str, Any]:
    """What the browser is told when a trait was set in Python."""
    if name == "node":
        return {**selected, "node": named_node(value, subject)}
    if name == "showing":
        return {**selected, "showing": value}
    if name == "region":
        return {"kind": "region", "box": as_list(value)} if value else NOTHING
    return {"kind": "queries", "queries": [*value]} if len(value) else NOTHING


def node_at(place: object, subject: Subject) -> Node | None:
    """A node from the numbers of its bank and of itself, as the browser names it."""
    if place is None:
        return None
    banks = list(subject.trace.about["banks"])
    if not isinstance(place, Sequence) or len(place) != 2:
        raise SettingError(f"node {str(place)[:40]}", "not two numbers", "Give those of the bank and of the node")
    (bank,) = numbers({"bank": [place[0]]}, "bank", len(banks))
    return checked_node((banks[bank], place[1]), subject)


def checked_node(value: object, subject: Subject) -> Node | None:
    """A node that exists, from (bank, number), or from the number where there is one bank.

    Raises:
        UnknownNameError: There is no such node.
    """
    if value is None:
        return None
    sizes = {} if subject.banks is None else {bank.name: len(bank.tree) for bank in subject.banks.banks}
    pair = value if isinstance(value, Sequence) and len(value) == 2 else (*sizes, value) if len(sizes) == 1 else ()
    bank, number = pair or (None, None)
    if not isinstance(bank, str) or not is_whole(number) or not 0 <= index(number) < sizes.get(bank, 0):
        known = ", ".join(f"{name}: 0 to {count - 1}" for name, count in sizes.items())
        found = f"there is none; known: {known or 'no tree'}"
        raise UnknownNameError(f"node {str(value)[:60]}", found, "Give (bank, number)")
    return bank, index(number)


def is_whole(value: object) -> TypeGuard[SupportsIndex]:
    """Whether this is a whole number, and no truth value."""
    return isinstance(value, SupportsIndex) and not isinstance(value, (bool, np.bool_))


def named_node(node: Node | None, subject: Subject) -> list[int] | None:
    """A node as the browser has it: number of the bank, number of the node."""
    return None if node is None else [list(subject.trace.about["banks"]).index(node[0]), node[1]]


def as_list(box: Box) -> list[float]:
    """x, y, width, height."""
    return [box.x, box.y, box.width, box.height]
