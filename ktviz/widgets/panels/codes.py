"""Styles of objects: what each took, what else it could have taken, and the stored objects behind every style."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ktviz.images import Pixels
from ktviz.licences import readable
from ktviz.systems.styles import Look, Style, Styles
from ktviz.widgets.asking import MOST, Answer, Body, numbers, places
from ktviz.widgets.packing import Part, to_json
from ktviz.widgets.panels.panel import Panel
from ktviz.widgets.pictures import sheet
from ktviz.widgets.room import Room
from ktviz.widgets.subject import Subject

CENTRE = "centre"
"""What systems call the column of the style that an object took."""
MOST_MEMBERS = 12
"""Members of a style that are shown, the nearest to it."""
SIDE_PX = 64


def appears(subject: Subject) -> bool:
    """Where objects took styles, or can be asked for theirs."""
    return subject.trace.has(CENTRE) or can(subject)["codes"]


def can(subject: Subject) -> dict[str, bool]:
    """Whether styles can be asked for, and changed."""
    regions = len(subject.trace) > 0 and subject.trace.regions is not None
    codes = subject.can("codes") and regions
    return {"codes": codes, "restyle": codes and subject.can("rerun", "exclude")}


# Answers


def styles(subject: Subject, body: Body) -> Answer:
    """{queries} → what each looks like: {label, kind, measure, given, small, taken, options}."""
    return {"looks": looks_at(subject, places(subject, body))}, {}


def members(subject: Subject, body: Body) -> Answer:
    """{styles} → who is behind each, and a sheet of pictures for each: a row of its nearest members."""
    known = subject.styles
    asked = numbers(body, "styles", len(known.styles))
    return {"members": [behind(known, number) for number in asked]}, {
        f"sheet/{number}": sheet(member_row(known, number)) for number in asked if len(known.styles[number].members)
    }


def looks_at(subject: Subject, asked: Sequence[int]) -> list[dict[str, Any]]:
    """Looks of objects, by place among the winners."""
    label = subject.trace.column("label").astype(int)
    return [described(subject.styles, subject.styles.look(int(label[place]))) for place in asked]


def described(known: Styles, look: Look) -> dict[str, Any]:
    """A look as JSON holds it."""
    options = [
        {"style": style, "apart": round(float(apart), 5), **option(known.styles[style])}
        for style, apart in zip(look.options.tolist(), look.apart, strict=True)
    ]
    said = {"label": look.label, "kind": look.kind, "measure": look.measure, "given": look.given, "small": look.small}
    return {**said, "taken": look.taken, "options": options}


def option(style: Style) -> dict[str, Any]:
    """A style as JSON holds it."""
    return {"name": style.name, "number": style.number, "members": len(style.members)}


def behind(known: Styles, number: int) -> dict[str, Any]:
    """The nearest members of a style, with what is known of their sources."""
    style = known.styles[number]
    sources = known.sources(style.members[:MOST_MEMBERS])
    nearest = [
        {
            "entry": int(entry),
            "source": about["source"],
            "creator": str(about.get("creator", "unknown")),
            "licence": readable(str(about.get("licence", "unknown"))),
            "apart": round(float(apart), 5),
        }
        for entry, about, apart in zip(style.members, sources, style.apart, strict=False)
    ]
    entries = [int(entry) for entry in style.members] if len(style.members) <= MOST else []
    return {"style": number, **option(style), "nearest": nearest, "entries": entries}


def member_row(known: Styles, number: int) -> Pixels:
    """Pictures of the nearest members of a style: (1, members, side, side, 3)."""
    return known.pictures(known.styles[number].members[:MOST_MEMBERS], SIDE_PX)[None]


# What a page keeps


def in_page(subject: Subject, room: Room) -> dict[str, Part]:
    """Looks of all objects, as JSON; and members of styles, of those that were taken first: `members/n` as JSON,
    `sheet/n` their pictures."""
    if not can(subject)["codes"]:
        return {}
    looks: dict[str, Part] = {"looks": to_json(looks_at(subject, range(len(subject.trace)))).encode()}
    found = room.take(looks, "styles of objects")
    known = subject.styles
    for number in in_use_first(subject):
        parts: dict[str, Part] = {f"members/{number}": to_json(behind(known, number)).encode()}
        if len(known.styles[number].members):
            parts[f"sheet/{number}"] = sheet(member_row(known, number), "small")
        taken = room.take(parts, "who is behind some styles")
        if not taken:
            break
        found |= taken
    return found


def in_use_first(subject: Subject) -> Iterator[int]:
    """The styles that objects took, then those that they could have taken."""
    looks = [subject.styles.look(int(label)) for label in subject.trace.column("label")]
    taken = [look.taken for look in looks if look.taken >= 0]
    yield from dict.fromkeys([*taken, *(int(option) for look in looks for option in look.options)])


PANEL = Panel(
    "codes",
    row=1,
    height_px=520,
    needs="translation",
    further=True,
    appears=appears,
    can=can,
    answers={"styles": styles, "members": members},
    kept=in_page,
)
