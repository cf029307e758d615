"""Attributes as switches: what the source has, what is wanted, by how much each changes, and what is made of it."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any

import numpy as np

from ktviz.images import encode_image
from ktviz.licences import readable
from ktviz.systems.switches import Switched, Switches
from ktviz.widgets.asking import Answer, Body, RequestError, numbers
from ktviz.widgets.packing import Part, to_json
from ktviz.widgets.panels.panel import Panel
from ktviz.widgets.room import Room
from ktviz.widgets.subject import Subject

DIFFERENCE = "difference"
"""What systems call the setting that says by how much each attribute changes."""
STORED = "attributes/"
"""How the names of all begin that a page keeps."""


def appears(subject: Subject) -> bool:
    """Where attributes were changed, or can be."""
    return DIFFERENCE in subject.trace.picture.settings or can(subject)["attributes"]


def can(subject: Subject) -> dict[str, bool]:
    """Whether attributes can be asked for, and switched."""
    return {"attributes": len(subject.trace) > 0 and subject.can("attributes")}


def attributes(subject: Subject, body: Body) -> Answer:
    """{} → the attributes as they were recorded, and the pictures: see `answer`."""
    return answer(subject.switches, subject.switches.recorded())


def switch(subject: Subject, body: Body) -> Answer:
    """{on, labels, reference, amount} → the picture with other attributes: see `answer`.

    `on` are numbers of attributes, `reference` is one of the names in `references`, -1 for the first of the ranking.
    """
    switches = subject.switches
    on = [switches.names[number] for number in numbers(body, "on", len(switches.names))]
    labels, amount = (real(body, name) for name in ("labels", "amount"))
    return answer(switches, switches.switched(on, labels, reference(switches, body), amount))


def real(body: Body, name: str) -> float:
    """A finite number, by its name in a request."""
    given = body.get(name)
    if isinstance(given, bool) or not isinstance(given, (int, float)) or not isfinite(given):
        raise RequestError(f"{name} {str(given)[:40]}", "no finite number", "Give one")
    return float(given)


def reference(switches: Switches, body: Body) -> str | None:
    """The name of a reference, by its number in a request; None for the first of the ranking."""
    if body.get("reference") == -1:
        return None
    (number,) = numbers({"reference": [body.get("reference")]}, "reference", len(switches.references))
    return switches.references[number]


def answer(switches: Switches, found: Switched) -> Answer:
    """Attributes in words and numbers; the pictures `source`, `output` and, where there is one, `reference`; and
    `shares`, (parts, rows, columns)."""
    pictures = {"source": found.source, "output": found.output, "reference": found.reference}
    encoded = {name: encode_image(pixels) for name, pixels in pictures.items() if pixels is not None}
    shares = np.stack([*found.shares.values()]).astype(np.float32)
    return {**described(switches, found), "columns": shares.shape[2]}, {**encoded, "shares": shares}


def described(switches: Switches, found: Switched) -> dict[str, Any]:
    """Attributes as JSON holds them: names stand once, then their numbers."""
    names, known = [*switches.names], [*switches.references]
    place = {name: number for number, name in enumerate(known)}
    return {
        "names": names,
        "exclusive": [[names.index(name) for name in group] for group in switches.exclusive],
        "has": [*found.has.values()],
        "wanted": [*found.wanted.values()],
        "difference": [*found.difference.values()],
        "amount": found.amount,
        "labels": found.labels,
        "references": known,
        "reference": credit(found.about),
        "taken": place.get(found.about["source"], -1) if found.about else -1,
        "chosen": found.chosen,
        "ranking": [[place[name], round(similarity, 5)] for name, similarity in found.ranking],
        "whose": [*found.shares],
    }


def credit(about: Mapping[str, Any]) -> dict[str, str] | None:
    """Who made the reference; None where there is none."""
    if not about:
        return None
    known = {name: str(about.get(name, "unknown")) for name in ("source", "creator", "licence")}
    return {**known, "licence": readable(known["licence"])}


def in_page(subject: Subject, room: Room) -> dict[str, Part]:
    """What was recorded: words as JSON, pictures, shares."""
    if not can(subject)["attributes"]:
        return {}
    values, parts = attributes(subject, {})
    shown = {f"{STORED}{name}": part for name, part in parts.items()}
    return room.take({f"{STORED}said": to_json(values).encode(), **shown}, "attributes as recorded")


PANEL = Panel(
    "attributes",
    row=1,
    height_px=640,
    further=True,
    appears=appears,
    can=can,
    answers={"attributes": attributes, "switch": switch},
    kept=in_page,
)
