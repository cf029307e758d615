"""The library map as a widget: what it sends to the browser, what it answers, and what it has in common with views."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Self

import anywidget
import numpy as np
import traitlets

from ktviz.errors import KtvizError, MismatchError, SettingError, UnknownNameError
from ktviz.figures.colours import SOURCE_COLOURS
from ktviz.images import encode_image
from ktviz.library.banks import Banks
from ktviz.library.kinds.patches.features import FeatureExtractor
from ktviz.library.kinds.patches.union import BankUnion
from ktviz.library.kinds.trees import alone
from ktviz.trace.recorded import Traced, as_trace
from ktviz.values import one_of, short
from ktviz.widgets.asking import RequestError, numbers
from ktviz.widgets.library_map.drawing import SIDE_PX, encoder_of, patch_of
from ktviz.widgets.library_map.points import Entries, points_of, sheet, shown
from ktviz.widgets.library_map.tiles import DEEPEST, OTHERS, Tiles
from ktviz.widgets.packing import Part, pack
from ktviz.widgets.scene import credited
from ktviz.widgets.view import View, static_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_LISTED = 500
"""Sources that are named in the list; of more, the largest."""
MOST_MARKED = 20_000
THUMB_PX, PATCH_PX, SOURCE_PX = 32, 96, 220
Of = Literal["entries", "sources"]
Answer = tuple[dict[str, Any], dict[str, Part]]


class LibraryMap(anywidget.AnyWidget):
    """All entries of banks, or their sources, on a plane: alike ones are near each other::

        kt.LibraryMap(library["art"])                     # density when far, points, then pictures when near
        kt.LibraryMap(banks, trace=trace)                 # and what a translation took, larger the more often
        places = kt.LibraryMap(banks, trace=trace)
        places.follow(trace.explore())                    # and of it, what is selected there

    A click tells of an entry: its source, its way down the tree, its neighbours. A patch that is drawn beside the map
    is searched for.

    Args:
        banks: Of a library, of any kind.
        of: "entries" or "sources".
        trace: A translation with these banks, whose winners are marked.
        encoder: The banks' own, for drawings, where it is not the one that comes with ktviz.

    Attributes:
        entry: Number of the entry, or the source, that is selected, or None; may be set.
        marked: Numbers of those that are marked; may be set.
        node: (bank, number) of the leaf of the selected entry, or None; as of a view of trees.

    Raises:
        SettingError: Something else than banks.
        MismatchError: The trace was made with other banks.

    Example:
        >>> import ktviz as kt
        >>> places, view = kt.LibraryMap(world.library["toy"], trace=trace), kt.Explorer(trace)
        >>> places
        LibraryMap(toy/flat: 845 entries)
        >>> places.follow(view)
        >>> view.region = kt.Box(0, 0, 16, 16)
        >>> len(places.marked) <= 4, float(places.plot(width=7).get_figwidth())
        (True, 7.0)
    """

    entry = traitlets.Int(None, allow_none=True)
    marked = traitlets.Any(())
    node = traitlets.Any(None, allow_none=True)

    _esm = traitlets.Unicode().tag(sync=True)
    _css = traitlets.Unicode().tag(sync=True)
    _scene = traitlets.Bytes().tag(sync=True)
    _marked = traitlets.Bytes().tag(sync=True)
    _entry = traitlets.Int(-1).tag(sync=True)

    def __init__(
        self,
        banks: Any,
        *,
        of: Of = "entries",
        trace: Traced | None = None,
        encoder: FeatureExtractor | None = None,
    ) -> None:
        union = banks if isinstance(banks, Banks) else alone(banks)
        if union is None:
            raise SettingError(f"a map of {short(banks)}", "no banks of a library", 'Give library["art"]')
        sources = one_of("of", of, ("entries", "sources")) == "sources"
        self.banks, self.encoder, self.traced = union, encoder, None if trace is None else as_trace(trace)
        if self.traced is not None:
            for name, digest in union.digests().items():
                if self.traced.about["digests"].get(name) != digest:
                    found = f"the trace has another {name}"
                    raise MismatchError("a map with a trace", found, "Give the banks that it was made with")
        self.points = points_of(union, sources)
        self.places = self.points.places()
        source = self.points.all_sources()
        counts = np.bincount(source, minlength=len(union.sources))
        self.largest = np.argsort(-counts, kind="stable")
        group = np.full(len(union.sources), OTHERS, np.uint8)
        group[self.largest[: len(SOURCE_COLOURS)]] = np.arange(min(len(SOURCE_COLOURS), len(group)), dtype=np.uint8)
        self.group, self.tiles = group, Tiles.create(self.places, group[source])
        self._following: list[Callable[[], None]] = []
        super().__init__(
            _esm=static_text("map.js"), _css=static_text("ktviz.css"), _scene=pack(self._described(counts), {})
        )
        if self.traced is not None:
            self.marked = self._winners(self.traced.column("entry"))
        self.on_msg(self._on_message)

    def __repr__(self) -> str:
        return f"LibraryMap({', '.join(self.banks.names[:3])}: {len(self.points):,} {self.points.what})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _described(self, counts: Any) -> dict[str, Any]:
        """What the browser draws before it asks for anything."""
        listed = [int(one) for one in self.largest[:MOST_LISTED]]
        about = self.banks.describe_sources()
        rows = [
            {
                "source": number,
                **credited(about[number]),
                "count": int(counts[number]),
                "group": int(self.group[number]),
            }
            for number in listed
        ]
        return {
            "title": ", ".join(self.banks.names[:3]) + (" …" if len(self.banks.names) > 3 else ""),
            "what": self.points.what,
            "count": len(self.points),
            "sources": rows,
            "unlisted": len(self.banks.sources) - len(rows),
            "deepest": DEEPEST,
            "draws": isinstance(self.points, Entries),
            "traced": self.traced is not None,
        }

    def follow(self, view: View) -> None:
        """Mark what is selected in a view of a trace with these banks, and select the leaf of an entry in its tree.

        Raises:
            MismatchError: It is of other banks.
        """
        about = view.trace.about["digests"]
        if any(about.get(name) != digest for name, digest in self.banks.digests().items()):
            raise MismatchError("follow a view", "its trace was made with other banks", "Give a view of these")
        here = weakref.ref(self)

        def selected(_: object) -> None:
            places = here()
            if places is not None:
                chosen = view.selection.queries or view.shown.column("query").tolist()
                mine = np.isin(view.shown.column("query"), chosen)
                places.marked = places._winners(view.shown.column("entry")[mine])

        def leaf(change: Mapping[str, Any]) -> None:
            if change["new"] is not None and view.node != change["new"]:
                view.node = change["new"]

        view.observe(selected, "selection")
        self.observe(leaf, "node")
        self._following.append(lambda: view.unobserve(selected, "selection"))
        selected(None)

    def _winners(self, entries: Any) -> tuple[int, ...]:
        """The points that some entries are."""
        known = np.asarray(entries)[np.asarray(entries) >= 0].tolist()
        if isinstance(self.points, Entries) or self.points.what == "entries":
            return tuple(known)
        unions = self.banks.source_of(_tensor(known))
        return tuple(int(one) for one in unions)

    @traitlets.validate("entry")
    def _checked_entry(self, proposal: Mapping[str, Any]) -> int | None:
        value: int | None = proposal["value"]
        if value is not None and not 0 <= value < len(self.points):
            found = f"{self.points.what} go from 0 to {len(self.points) - 1:,}"
            raise UnknownNameError(f"{self.points.what} {value}", found, "Take one of them")
        return value

    @traitlets.validate("marked")
    def _checked_marked(self, proposal: Mapping[str, Any]) -> tuple[int, ...]:
        found = tuple(int(one) for one in proposal["value"])
        if found and not 0 <= min(found) <= max(found) < len(self.points):
            raise UnknownNameError("marked", f"not all from 0 to {len(self.points) - 1:,}", "Take numbers of the map's")
        return found

    @traitlets.observe("entry")
    def _selected(self, change: Mapping[str, Any]) -> None:
        self._entry = -1 if change["new"] is None else change["new"]
        path = [] if change["new"] is None else self.points.path(change["new"])
        self.node = path[-1] if path else None

    @traitlets.observe("_entry")
    def _selected_in_the_browser(self, change: Mapping[str, Any]) -> None:
        self.entry = None if change["new"] < 0 else change["new"]

    @traitlets.observe("marked")
    def _mark(self, change: Mapping[str, Any]) -> None:
        unique, times = np.unique(np.array(change["new"], dtype=np.int64), return_counts=True)
        kept = np.argsort(-times, kind="stable")[:MOST_MARKED]
        parts: dict[str, Part] = {
            "place": self.places[unique[kept]],
            "times": times[kept].astype(np.int32),
            "number": unique[kept].astype(np.int32),
        }
        self._marked = pack({"left_out": len(unique) - len(kept)}, parts)

    def _on_message(self, _: object, content: object, buffers: Sequence[Any]) -> None:
        if not isinstance(content, Mapping) or not isinstance(content.get("id"), int):
            return
        reply: dict[str, Any] = {"id": content["id"], "ok": True}
        try:
            answer = self._answer(str(content.get("kind")), content.get("body") or {}, buffers)
        except KtvizError as error:
            self.send({**reply, "ok": False, "error": [error.asked, error.found, error.todo]})
            return
        self.send(reply, [pack(*answer)])

    def _answer(self, kind: str, body: Mapping[str, Any], buffers: Sequence[Any]) -> Answer:
        """What the browser asks for."""
        if kind == "tile":
            named = numbers({"tile": body.get("tile")}, "tile", 2**DEEPEST)
            if len(named) != 3:
                raise RequestError(f"tile {short(named)}", "not level, column and row", "Name them")
            level, x, y = named
            group = body.get("group")
            return {}, self.tiles.tile(min(level, DEEPEST), x, y, group if isinstance(group, int) else None)
        if kind == "pictures":
            wanted = numbers(body, "numbers", len(self.points))
            made = sheet([self.points.picture(one) for one in wanted], THUMB_PX)
            return {"side": THUMB_PX}, {"sheet": encode_image(made, "small")} if wanted else {}
        if kind == "entry":
            (number,) = numbers({"entry": [body.get("entry")]}, "entry", len(self.points))
            return self._told(number)
        if kind == "drawing" and buffers and isinstance(self.banks, BankUnion) and isinstance(self.points, Entries):
            drawn = np.frombuffer(buffers[0], np.uint8).reshape(SIDE_PX, SIDE_PX, 3)
            self.encoder = self.encoder or encoder_of(self.banks)
            return self._near(self.points.found(patch_of(drawn, self.encoder)))
        raise RequestError(f"a map's {kind[:40]}", "nothing that it answers", "Reload the page")

    def _told(self, number: int) -> Answer:
        """An entry: its picture, its source with its place there, its way down the tree, its neighbours."""
        source = self.points.source_of([number])[0]
        values, parts = self._near(self.points.neighbours(number))
        whole, box = self.points.pictures[source], self.points.box(number)
        values |= {
            "source": {"source": source, **credited(self.banks.describe_sources()[source])},
            "group": int(self.group[source]),
            "place": self.places[number].tolist(),
            "path": self.points.path(number),
            "box": None if box is None else [box.x, box.y, box.width, box.height],
            "size": [whole.shape[1], whole.shape[0]],
        }
        picture = encode_image(sheet([self.points.picture(number)], PATCH_PX), "webp")
        return values, {**parts, "picture": picture, "whole": encode_image(shown(whole, SOURCE_PX), "small")}

    def _near(self, found: Sequence[tuple[int, float]]) -> Answer:
        """Neighbours, the nearest first, with their pictures."""
        near = [entry for entry, _ in found]
        rows = [
            {
                "number": entry,
                "likeness": likeness,
                "place": self.places[entry].tolist(),
                "group": int(self.group[source]),
            }
            for (entry, likeness), source in zip(found, self.points.source_of(near), strict=True)
        ]
        return {"neighbours": rows, "side": PATCH_PX}, {
            "neighbours": encode_image(sheet([self.points.picture(one) for one in near], PATCH_PX), "webp")
        } if near else {}

    def plot(self, *, width: float | None = None) -> Figure:
        """The map as a matplotlib figure for print: how many lie where, by source, and what is marked.

        Args:
            width: In inches, such as 3.4 for one column of a paper and 7 for two; None: for the screen.
        """
        from ktviz.figures.library_map import library_map_figure

        marked = self.places[np.array(self.marked, dtype=np.int64)]
        about = self.banks.describe_sources()
        titles = [credited(about[int(one)])["title"] for one in self.largest[: len(SOURCE_COLOURS)]]
        return library_map_figure(self.tiles.places, self.tiles.group, titles, marked, repr(self), width=width)

    def close(self) -> None:
        """Take it off every page."""
        for end in vars(self).get("_following", ()):  # not there where the map was refused
            end()
        self._following = []
        super().close()


def _tensor(values: Sequence[int]) -> Any:
    import torch

    return torch.tensor(values, dtype=torch.int64)
