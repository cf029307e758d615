"""The space of codes: those that are stored, on a map; the one that was used, and its neighbours; any other's picture.

A point of the map is a code: that of an entry, or the used one, moved along the map; what the map does not show of it
stays. So where nothing was moved, the picture is the recorded one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ktviz.errors import TraceError
from ktviz.explain.projection import apart, spread
from ktviz.images import Pixels, encode_image, shrink
from ktviz.licences import readable
from ktviz.systems.code_space import CodeSpace
from ktviz.widgets.asking import Answer, Body, RequestError, numbers
from ktviz.widgets.packing import Part, to_json
from ktviz.widgets.panels.panel import Panel
from ktviz.widgets.pictures import GAIN, LONGEST_PX, brightened
from ktviz.widgets.room import Room
from ktviz.widgets.subject import Subject

MOST, MOST_BYTES = 2_000, 400_000
"""Entries on a map, and bytes of their codes: of more, the nearest to the used one are there, and the view says so."""
TILES = 48
"""Entries whose pictures come with the scene, those all over the map."""
NEIGHBOURS = 12
"""Entries nearest to the used code, whose pictures do, too."""
SIDE_PX = 96
LOSSLESS_PX = 256 * 256
"""Larger pictures are compressed with loss on their way, so that they follow the pointer."""
FARTHEST = 1e6


def space_of(subject: Subject) -> CodeSpace | None:
    """The space of the run, if it can be asked and something is stored in it."""
    if not subject.can("space") or not len(subject.trace):
        return None
    try:
        return subject.space if len(subject.space.codes) else None
    except TraceError:  # the trace was saved without a part of what went in
        return None


def appears(subject: Subject) -> bool:
    """Where there is a map."""
    return space_of(subject) is not None


def can(subject: Subject) -> dict[str, bool]:
    """Whether pictures of codes can be asked for."""
    return {"space": appears(subject)}


def describe(subject: Subject) -> dict[str, Any]:
    """The map, and what is on it: see `SpaceAbout` in the browser."""
    space, projection = subject.space, subject.projection
    said = {
        "kind": space.kind,
        "origin": space.origin,
        "stored": len(space.codes),
        "explained": projection.explained,
        "axes": projection.axes,
        "used": space.used,
        "place": projection.places(space.used),
        "parts": [[*pair] for pair in space.parts.items()],
        "gain": GAIN,
    }
    return {"space": said}


def shown(space: CodeSpace) -> list[int]:
    """The entries that are on the map, the nearest to the used code first."""
    room = max(1, min(MOST, MOST_BYTES // (4 * space.codes.shape[1])))
    nearest: list[int] = np.argsort(apart(space.codes, space.used), kind="stable").tolist()
    return nearest[:room]


def pictures(subject: Subject) -> dict[str, Part]:
    """Codes and places of entries, what is known of them, and the first small pictures."""
    space, projection = subject.space, subject.projection
    entries = shown(space)
    codes = space.codes[entries]
    places = projection.places(codes)
    first = [*entries[:NEIGHBOURS], *(entries[n] for n in spread(places, 0, TILES))]
    return {
        "space/entry": np.array(entries, np.int32),
        "space/code": codes.astype(np.float32),
        "space/place": places.astype(np.float32),
        "space/about": to_json([credit(about) for about in space.sources(entries)]).encode(),
        **tiles(space, dict.fromkeys(first)),
    }


def credit(about: Any) -> dict[str, str]:
    """What is said of the source of an entry."""
    title = str(about.get("title", "unknown"))
    return {
        "source": str(about["source"]),
        "title": str(about["source"]).rsplit("/", 1)[-1] if title in ("unknown", "") else title,
        "creator": str(about.get("creator", "unknown")),
        "licence": readable(str(about.get("licence", "unknown"))),
    }


def tiles(space: CodeSpace, entries: Sequence[int] | dict[int, None]) -> dict[str, Part]:
    """Small pictures of entries: `tile/n`."""
    found = space.thumbs([*entries], SIDE_PX)
    return {f"tile/{entry}": encode_image(pixels, "small") for entry, pixels in zip(entries, found, strict=True)}


# Answers


def entries(subject: Subject, body: Body) -> Answer:
    """{entries} → their small pictures."""
    space = subject.space
    return {}, tiles(space, dict.fromkeys(numbers(body, "entries", len(space.codes))))


def decode(subject: Subject, body: Body) -> Answer:
    """{entry, moved} → the picture of the code of an entry, or for -1 of the used one, moved by so much on the map; and
    how far it is from the recorded picture."""
    space = subject.space
    code = subject.projection.moved(base(space, body.get("entry")), moved(body.get("moved")))
    made, recorded = space.picture(code), subject.output
    assert recorded is not None
    away = np.abs(made.astype(np.int16) - recorded).mean(2)
    return {"levels": float(away.mean())}, {"picture": sent(made), "difference": sent(brightened(away))}


def base(space: CodeSpace, entry: object) -> Any:
    """The code of an entry, or the used one."""
    if entry == -1:
        return space.used
    (number,) = numbers({"entry": [entry]}, "entry", len(space.codes))
    return space.codes[number]


def moved(given: object) -> Any:
    """Two finite numbers."""
    pair = given if isinstance(given, list) and len(given) == 2 else ()
    if not pair or not all(type(one) in (int, float) and abs(one) <= FARTHEST for one in pair):
        raise RequestError(
            f"moved {str(given)[:40]}", f"not two numbers up to {FARTHEST:g}", "Say how far right and up"
        )
    return np.array(pair, np.float64)


def sent(pixels: Pixels) -> bytes:
    """A picture as it travels."""
    shrunk = shrink(pixels, LONGEST_PX)
    return encode_image(shrunk, "png" if shrunk[..., 0].size <= LOSSLESS_PX else "jpeg")


# What a page keeps


def in_page(subject: Subject, room: Room) -> dict[str, Part]:
    """Small pictures of the entries that the scene has none of, the nearest to the used code first."""
    space = subject.space
    known = pictures(subject)
    found: dict[str, Part] = {}
    for entry in shown(space):
        if f"tile/{entry}" in known:
            continue
        taken = room.take(tiles(space, [entry]), "small pictures of some codes")
        if not taken:
            break
        found |= taken
    return found


PANEL = Panel(
    "space",
    row=1,
    height_px=760,
    further=True,
    appears=appears,
    can=can,
    describe=describe,
    pictures=pictures,
    answers={"decode": decode, "entries": entries},
    kept=in_page,
)
