"""Several traces in one view, with one selection: other banks, settings, systems or photographs, side by side."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

import anywidget
import traitlets
from ipywidgets import Widget, widget_serialization

from ktviz.errors import SettingError
from ktviz.regions import Box
from ktviz.trace.recorded import Traced, as_trace
from ktviz.trace.trace import Trace
from ktviz.values import short
from ktviz.widgets.selection import checked_region
from ktviz.widgets.view import View, static_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ktviz.widgets.page import PageReport

MOST = 6
"""Traces side by side: of more, none could be seen."""
LONGEST = 60
"""Letters of a setting in a title."""


class Compared(View):
    """One of several traces that are compared."""

    parts: ClassVar[tuple[str, ...]] = ("translation",)


class Compare(anywidget.AnyWidget):
    """Two or more traces side by side: what is selected in one is selected in all::

        kt.Compare(with_impasto, with_woodcut)
        kt.Compare(trace, kt.without(trace, "starry-river"), titles=["all", "without one"])

    Below the pictures stands who gave how much in which, of the selection, and how much of each goes to the same source
    as in the first.

    Args:
        *traces: Two to six, of one image each.
        titles: What each is called; in what they differ, if None.
        models: Their systems in the same order, where these do not live any more.

    Attributes:
        views: The view of each trace, in their order.
        region: A `Box` in px of the first trace's canvas, or None; may be set. In traces of other sizes the same part
            is selected.

    Raises:
        SettingError: Fewer than two traces, or more than six; other numbers of titles or models.
        TraceError: One of them is no trace of one image, or has no retrievals.

    Example:
        >>> import ktviz as kt
        >>> from ktviz import samples
        >>> photo = samples.photo("coffee")[:40, :56]
        >>> analogy = kt.ImageAnalogy(photo[:, ::-1])
        >>> with Compare(*(analogy.traced(photo, iterations=count) for count in (1, 2))) as both:
        ...     both.titles
        ...     print(both.plot(width=3.4).get_figwidth())
        ...     both.to_html(pathlib.Path(tempfile.mkdtemp()) / "both.html").left_out
        ('iterations 1', 'iterations 2')
        3.4
        ()
    """

    region = traitlets.Any(None, allow_none=True)

    _views = traitlets.List(traitlets.Instance(Widget)).tag(sync=True, **widget_serialization)
    _titles = traitlets.List(traitlets.Unicode()).tag(sync=True)
    _esm = traitlets.Unicode().tag(sync=True)
    _css = traitlets.Unicode().tag(sync=True)

    def __init__(
        self, *traces: Traced, titles: Sequence[str] | None = None, models: Sequence[object] | None = None
    ) -> None:
        known = [as_trace(trace) for trace in traces]
        if not 2 <= len(known) <= MOST:
            raise SettingError(
                f"compare {len(known)} traces", f"not 2 to {MOST}", "Give some that you want side by side"
            )
        for what, given in (("titles", titles), ("models", models)):
            if given is not None and (isinstance(given, str) or len(given) != len(known)):
                raise SettingError(
                    f"compare with {what} {short(given)}", f"not {len(known)}", "Give one for each trace"
                )
        views = []
        try:
            for trace, model in zip(known, models or [None] * len(known), strict=True):
                views.append(Compared(trace, model=model))
        except BaseException:
            for view in views:
                view.close()
            raise
        further = dict.fromkeys(one for view in views for one in view.further)
        super().__init__(
            _views=views,
            _titles=[*(titles or differences(known))],
            _esm="\n".join(static_text(f"{name}.js") for name in (*further, "compare", "ktviz")),
            _css=static_text("ktviz.css"),
        )
        for view in views:
            view.observe(self._taken, "region")

    @property
    def views(self) -> tuple[View, ...]:
        """The view of each trace."""
        return tuple(self._views)

    @property
    def titles(self) -> tuple[str, ...]:
        """What each trace is called."""
        return tuple(self._titles)

    def __repr__(self) -> str:
        return f"Compare({', '.join(self.titles)})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @traitlets.validate("region")
    def _checked(self, proposal: Mapping[str, Any]) -> Box | None:
        return checked_region(proposal["value"], self.views[0].shown)

    @traitlets.observe("region")
    def _give(self, change: Mapping[str, Any]) -> None:
        """The same part in all views."""
        for view in self.views:
            view.region = None if change["new"] is None else scaled(change["new"], self.views[0].shown, view.shown)

    def _taken(self, change: Mapping[str, Any]) -> None:
        """What was selected in the first view, in the browser or in Python."""
        if change["owner"] is self.views[0] and change["new"] != self.region:
            self.region = change["new"]

    def plot(self, *, width: float | None = None) -> Figure:
        """The outputs side by side, and who gave how much in which, as a matplotlib figure for print.

        Args:
            width: In inches, such as 3.4 for one column of a paper and 7 for two; None: for the screen.
        """
        from ktviz.figures.side_by_side import side_by_side_figure

        shown, regions = [view.shown for view in self.views], [view.region for view in self.views]
        return side_by_side_figure(shown, self.titles, regions, width=width)

    def to_html(
        self, path: str | os.PathLike[str], *, max_mb: float | None = None, overwrite: bool = False
    ) -> PageReport:
        """Write the comparison as one file that works offline; arguments and errors as in `View.to_html`."""
        from ktviz.widgets.page import write_comparison

        return write_comparison(self, path, max_mb, overwrite)

    def close(self) -> None:
        """Take it off every page, with its views."""
        for view in self.views:
            view.close()
        super().close()


def scaled(region: Box, one: Trace, other: Trace) -> Box:
    """The same part of a picture of another size, in whole px."""
    (height, width), (tall, wide) = one.size, other.size
    left, top = (
        min(most - 1, round(at)) for most, at in ((wide, region.x * wide / width), (tall, region.y * tall / height))
    )
    right = min(wide, max(left + 1, round(region.right * wide / width)))
    bottom = min(tall, max(top + 1, round(region.bottom * tall / height)))
    return Box(left, top, right - left, bottom - top)


def differences(traces: Sequence[Trace]) -> list[str]:
    """In what each of some traces differs from the others, in a few words; their numbers where they do not differ."""
    facts = [facts_of(trace) for trace in traces]
    names = dict.fromkeys(name for one in facts for name in one)
    differing = [name for name in names if len({repr(one.get(name)) for one in facts}) > 1]
    found = [", ".join(in_words(name, one[name]) for name in differing if one.get(name)) for one in facts]
    return found if len(set(found)) == len(found) and all(found) else numbered(found)


def numbered(titles: Sequence[str]) -> list[str]:
    """Titles that some share, told apart by their numbers."""
    return [f"{number}: {title}" if title else str(number) for number, title in enumerate(titles, 1)]


def facts_of(trace: Trace) -> dict[str, str]:
    """What a trace was made of and how, by name."""
    settings = {name: plain(value) for name, value in trace.picture.settings.items()}
    size = f"{trace.size[1]} x {trace.size[0]} px"
    return {"": trace.system or "", "banks": " + ".join(trace.about["banks"]), "size": size, **settings}


def plain(value: Any) -> str:
    """A setting in few words."""
    text = (
        f"{value:g}"
        if isinstance(value, float)
        else ", ".join(map(str, value))
        if isinstance(value, (list, tuple))
        else str(value)
    )
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def in_words(name: str, value: str) -> str:
    """A fact with its name, where that is needed."""
    return value if name in ("", "banks", "size") else f"{name.replace('_', ' ')} {value}"
