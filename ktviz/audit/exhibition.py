"""Whose work fills this exhibition? A page about all outputs of a store: who gave how much, with pictures."""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from ktviz.errors import StorageError, TraceError
from ktviz.figures.colours import OTHER, SOURCE_COLOURS
from ktviz.figures.layout import percent
from ktviz.files import replacing
from ktviz.images import encode_image, shrink
from ktviz.printing import counted
from ktviz.trace.groups import Group, group_of
from ktviz.trace.store import TraceStore
from ktviz.trace.trace import Trace

THUMB_PX = 320
NAMED = 6
"""Shares that are named below a picture; the rest are added up."""


@dataclass(frozen=True)
class Part:
    """What somebody gave.

    Attributes:
        name: Who, or what it is by.
        share: From 0 to 1.
        colour: The same in the whole page.
    """

    name: str
    share: float
    colour: str

    @property
    def percent(self) -> str:
        """In words."""
        return percent(self.share)


@dataclass(frozen=True)
class Shown:
    """One output.

    Attributes:
        name: Of its trace.
        picture: JPEG as a data address; empty where the trace holds none.
        parts: Who gave how much, largest first.
    """

    name: str
    picture: str
    parts: tuple[Part, ...]


def write_exhibition(
    store: TraceStore,
    path: str | os.PathLike[str],
    *,
    by: Group = "creator",
    title: str = "Whose work fills these pictures?",
    overwrite: bool = False,
) -> Path:
    """Write a page about all outputs of a store: who gave how much in all, and to each, with pictures.

    Shares are by overlap. Pictures are those that traces were saved with (`pictures="both"`). The page is one file, and
    asks nothing of the network.

    Args:
        store: Of traces.
        path: Of the page, .html.
        by: "creator", "licence", "bank" or "year".
        title: Of the page.
        overwrite: Replace a page that is there.

    Returns:
        The path.

    Raises:
        SettingError: Another `by`.
        TraceError: The store holds no trace that can be read.
        StorageError: The page is there already, or the disk refuses.

    Example:
        >>> store = kt.TraceStore(tempfile.mkdtemp())
        >>> name = store.append(trace, pictures="both")
        >>> page = kt.write_exhibition(store, pathlib.Path(tempfile.mkdtemp()) / "page.html")
        >>> "Painter 1" in page.read_text()
        True
    """
    path = Path(path)
    if path.exists() and not overwrite:
        raise StorageError(f"write {str(path)!r}", "it exists", "Name another, or say overwrite=True (--overwrite)")
    table = store.shares(by)
    if not len(table):
        raise TraceError("an exhibition", "the store holds no trace that can be read", "Append some")
    names = table[by].astype(str).tolist()
    colours = {name: SOURCE_COLOURS[n] if n < len(SOURCE_COLOURS) else OTHER for n, name in enumerate(names)}
    known = store.about_sources()
    outputs, unread = list[Shown](), set[str]()
    for name in dict.fromkeys(store.names):
        try:
            outputs += shown(store.open(name), name, by, known, colours)
        except TraceError:
            unread.add(name)
    page = environment().get_template("exhibition.html.jinja")
    text = page.render(
        title=title,
        by=by,
        outputs=outputs,
        total=[{**row, "colour": colours[str(row[by])], "name": str(row[by])} for row in table.to_dict("records")],
        facts=[counted(len(outputs), "output"), counted(len(table), by, plural(by)), "shares: overlap"],
        broken=sorted({*table.attrs.get("broken", ()), *unread}),
        percent=percent,
    )
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path


def plural(by: str) -> str:
    """Of what the page is by."""
    return f"{by}s"


def environment() -> Environment:
    """Text of strangers is shown as text."""
    return Environment(loader=PackageLoader("ktviz.audit", "."), autoescape=True, undefined=StrictUndefined)


def shown(
    opened: Trace, name: str, by: Group, known: Mapping[str, Mapping[str, Any]], colours: Mapping[str, str]
) -> Iterator[Shown]:
    """The outputs of a trace."""
    for number in range(len(opened.pictures)):
        whole = opened.image(number)
        painting = whole.painting()
        one = whole if painting is None else painting
        yield Shown(name, picture_of(one), parts_of(one, by, known, colours))


def picture_of(trace: Trace) -> str:
    """The output in small."""
    if trace.output is None:
        return ""
    return "data:image/jpeg;base64," + b64encode(encode_image(shrink(trace.output, THUMB_PX), "jpeg")).decode()


def parts_of(
    trace: Trace, by: Group, known: Mapping[str, Mapping[str, Any]], colours: Mapping[str, str]
) -> tuple[Part, ...]:
    """Who gave how much to one output."""
    shares: dict[str, float] = {}
    for source, share in trace.sources()[["source", "share"]].itertuples(index=False):
        name = str(group_of(known[source], by))
        shares[name] = shares.get(name, 0.0) + float(share) / len(trace.sites)
    ranked = sorted((item for item in shares.items() if item[1] > 0), key=lambda item: (-item[1], item[0]))
    named = [Part(name, share, colours.get(name, OTHER)) for name, share in ranked[:NAMED]]
    rest = sum(share for _, share in ranked[NAMED:])
    return (*named, *([Part("others", rest, OTHER)] if rest else []))
