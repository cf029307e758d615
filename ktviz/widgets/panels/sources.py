"""Share, picture, creator and licence of every source."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from ktviz.images import encode_image, pixel_digest, shrink
from ktviz.trace.trace import Trace
from ktviz.widgets.asking import Answer, Body, numbers
from ktviz.widgets.packing import Part
from ktviz.widgets.panels.panel import Panel
from ktviz.widgets.pictures import LONGEST_PX
from ktviz.widgets.room import Room
from ktviz.widgets.subject import Subject

THUMB_PX = 200
FIRST_THUMBS = 24
"""Sources whose small picture comes with the scene; those of the others are asked for."""
STORED_BYTES = 1_000_000
"""In a page, pictures of sources are made smaller until all fit in so much."""
LARGE = "large pictures of sources"
"""What a page lacks that has thumbs alone, in words."""
SIDES_PX = (640, 448, 320, 224, 160)

_encoded: WeakKeyDictionary[Trace, dict[tuple[str, int], bytes]] = WeakKeyDictionary()
"""Pictures of sources as pages have them, by their digest and longest side: the sites of a recording have them in
common."""


def thumbs(subject: Subject) -> dict[str, Part]:
    """Small pictures of the first sources."""
    found: dict[str, Part] = {}
    for number in range(min(FIRST_THUMBS, len(subject.names))):
        picture = subject.picture(number)
        if picture is not None:
            found[f"thumb/{number}"] = encode_image(shrink(picture, THUMB_PX), "jpeg")
    return found


def pictures(subject: Subject, body: Body) -> Answer:
    """{sources} → each as its bank saw it."""
    found: dict[str, Part] = {}
    for number in numbers(body, "sources", len(subject.everyone)):
        picture = subject.picture(number)
        if picture is not None:
            found[f"picture/{number}"] = encode_image(shrink(picture, LONGEST_PX), "small")
    return {}, found


def in_page(subject: Subject, room: Room) -> dict[str, Part]:
    """Pictures of the sources that gave something, as large as fits."""
    most = min(STORED_BYTES, room.left // 3)
    used = [n for n, share in enumerate(subject.shares["share"]) if share]
    kept = _encoded.setdefault(subject.trace.whole.recording, {})
    found = {n: picture for n in used if (picture := subject.picture(n)) is not None}
    for side in SIDES_PX:
        parts: dict[str, Part] = {}
        for number, picture in found.items():
            key = pixel_digest(picture), side
            parts[f"picture/{number}"] = kept[key] = kept.get(key) or encode_image(shrink(picture, side), "small")
        if room.size_of(parts) <= most:
            return room.take(parts, LARGE)
    room.lacking.append(LARGE)  # so many sources that their thumbs must do
    return {}


PANEL = Panel(
    "sources",
    row=0,
    height_px=600,
    needs="groups",
    pictures=thumbs,
    answers={"pictures": pictures},
    kept=in_page,
)
