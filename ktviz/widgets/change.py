"""What is otherwise in a counterfactual, as a person asks for it in a view."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ktviz.regions import Box, SourceRegion
from ktviz.trace.groups import GROUPS
from ktviz.widgets.asking import Body, RequestError, numbers, pairs
from ktviz.widgets.scene import credited
from ktviz.widgets.subject import Subject

KNOWN_BY = GROUPS
"""By what sources can be left out together."""
MOST_PARTS = 64
LARGEST = 2**31


@dataclass(frozen=True)
class Change:
    """What a run is made again without, and with which other settings.

    Attributes:
        without: Numbers of sources in the view.
        by: Whatever has a creator, a licence, a bank or a year: ("creator", name).
        parts: Parts of sources: number of the source, and a box in its px.
        entries: Numbers of stored entries.
        weights: Of the bands; None for those that were recorded.
        styles: Objects by place among the winners, with the number of the style that they are to take.
        copies: Objects, with the place of the one that they are to look like.
    """

    without: tuple[int, ...] = ()
    by: tuple[tuple[str, str], ...] = ()
    parts: tuple[tuple[int, Box], ...] = ()
    entries: tuple[int, ...] = ()
    weights: tuple[float, ...] | None = None
    styles: tuple[tuple[int, int], ...] = ()
    copies: tuple[tuple[int, int], ...] = ()

    @classmethod
    def asked(cls, subject: Subject, body: Body) -> Change:
        """From the body of a request.

        Raises:
            RequestError: It names something that is not there.
        """
        weights, count = band_weights(body.get("weights")), len(subject.trace)
        copies = pairs(body, "copies", count)
        numbers({"queries": [*copies.values()]}, "queries", count)
        return cls(
            tuple(numbers(body, "without", len(subject.everyone))),
            tuple(known_by(body)),
            tuple(parts(body, len(subject.everyone))),
            tuple(numbers(body, "entries", LARGEST)),
            None if list(weights or ()) == recorded_weights(subject) else weights,
            tuple(pairs(body, "styles", count).items()),
            tuple(copies.items()),
        )

    def body(self, subject: Subject) -> dict[str, Any]:
        """The request that asks for it."""
        return {
            "without": self.without,
            "by": self.by,
            "parts": [[source, box.x, box.y, box.width, box.height] for source, box in self.parts],
            "entries": self.entries,
            "weights": self.weights or recorded_weights(subject),
            "styles": self.styles,
            "copies": self.copies,
        }

    def left_out(self, subject: Subject) -> list[object]:
        """All that the run is to do without, as `kt.without` takes it."""
        names = [subject.everyone[number] for number in self.without]
        for field, value in self.by:
            names += sources_by(subject, field, value)
        regions = [SourceRegion(subject.everyone[source], box) for source, box in self.parts]
        return [*dict.fromkeys(names), *regions, *self.entries]

    def removed(self, subject: Subject) -> tuple[int, ...]:
        """Numbers of the sources that are left out as a whole, as far as the view lists them."""
        gone = {name for name in self.left_out(subject) if isinstance(name, str)}
        return tuple(number for number, name in enumerate(subject.everyone) if name in gone)


def recorded_weights(subject: Subject) -> list[float]:
    """Of the bands; none where they were not compared."""
    return list(subject.trace.picture.settings.get("band_weights") or ())


def band_weights(given: object) -> tuple[float, ...] | None:
    """Four numbers; None where none are given."""
    if given is None or given == []:
        return None
    if not isinstance(given, list) or any(type(weight) not in (int, float) for weight in given):
        raise RequestError(f"band weights {str(given)[:40]}", "not four numbers", "Give those of LL, LH, HL, HH")
    return tuple(given)


def known_by(body: Body) -> Iterable[tuple[str, str]]:
    """What is left out by creator, licence, bank or year."""
    for pair in listed(body, "by"):
        fits = isinstance(pair, Sequence) and len(pair) == 2 and pair[0] in KNOWN_BY and isinstance(pair[1], str)
        if not fits:
            raise RequestError(f"by {str(pair)[:60]}", f"not one of {', '.join(KNOWN_BY)} and a name", "Name both")
        yield pair[0], pair[1]


def parts(body: Body, count: int) -> Iterable[tuple[int, Box]]:
    """Parts of sources."""
    given = listed(body, "parts")
    if len(given) > MOST_PARTS:
        raise RequestError("parts of sources", f"more than {MOST_PARTS}", "Leave out fewer, or whole sources")
    for part in given:
        if not isinstance(part, Sequence) or len(part) != 5 or any(type(n) not in (int, float) for n in part):
            found = "not the number of a source and x, y, width and height"
            raise RequestError(f"part {str(part)[:60]}", found, "Give five numbers")
        (source,) = numbers({"part": [part[0]]}, "part", count)
        yield source, Box(*part[1:])


def listed(body: Body, name: str) -> Sequence[Any]:
    """A list by its name in a request; empty where it is not there."""
    given = body.get(name, [])
    if not isinstance(given, list):
        raise RequestError(f"{name} {str(given)[:60]}", "no list", "Give one")
    return given


def sources_by(subject: Subject, field: str, value: str) -> list[str]:
    """Names of all sources with a creator, a licence, a bank or a year, also of those that the trace does not list.

    Raises:
        RequestError: There is none.
    """
    stored = [] if subject.banks is None else subject.banks.describe_sources()
    known = {str(about["source"]): about for about in (*subject.described.values(), *stored)}
    found = [name for name, about in known.items() if credited(about)[field] == value]
    if not found:
        raise RequestError(f"sources with {field} {value[:60]!r}", "there is none", "Name one that the view shows")
    return found
