"""The second trace of a view: a counterfactual of its first, as one more scene."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ktviz.errors import TraceError
from ktviz.explain.counterfactual import Comparison, compare
from ktviz.systems.protocol import check_ability
from ktviz.widgets.asking import Body, RequestError, numbers, pairs
from ktviz.widgets.packing import pack
from ktviz.widgets.pictures import GAIN, brightened, encoded
from ktviz.widgets.scene import canvas_part, columns, describe
from ktviz.widgets.subject import Subject

PICTURES_BYTES = 800_000
"""Pictures are compressed with loss where they would take more."""
MOST_HEIRS = 24
"""Pairs of sources that are listed as having taken over from each other."""


Looks = Mapping[str, Mapping[int, int]]
NO_LOOKS: Looks = {"styles": {}, "copies": {}}


@dataclass(frozen=True, eq=False)
class After:
    """A counterfactual in a view.

    Attributes:
        subject: Its trace; sources have the numbers that they have in the recorded one.
        comparison: What changed.
        removed: Numbers of the sources that were left out.
        looks: Which objects, by place among the winners, take a style, by number, or look like another object.
    """

    subject: Subject
    comparison: Comparison
    removed: tuple[int, ...]
    looks: Looks = field(default_factory=lambda: NO_LOOKS)

    def scene(self) -> bytes:
        """All that the view draws of it, packed; canvas and pictures of sources are those of the first scene."""
        output = canvas_part(str(self.subject.trace.site_about["output"]))
        found = {canvas_part(name): pixels for name, pixels in self.subject.beside.items()}
        difference = brightened(self.comparison.difference)
        found |= {output: self.comparison.pictures["after"], "difference": difference}
        shown = encoded(found, PICTURES_BYTES)
        return pack(self.describe(), {**shown, **columns(self.subject)})

    def describe(self) -> dict[str, Any]:
        """What its scene says in words and numbers."""
        return {**describe(self.subject), "comparison": self.changes()}

    def changes(self) -> dict[str, Any]:
        """What changed; `heirs` are [from, to, retrievals, share], largest share first."""
        winners = self.comparison.new_winners
        moved = winners[winners["source_before"] != winners["source_after"]]
        heirs = moved.head(MOST_HEIRS)
        pairs = (heirs[name].map(self.subject.number) for name in ("source_before", "source_after"))
        return {
            "headline": self.comparison.headline(),
            "gain": GAIN,
            "removed": self.removed,
            "moved": float(moved["overlap"].sum()),
            "heirs": list(zip(*pairs, heirs["retrievals"], heirs["overlap"], strict=True)),
            "looks": {name: [[*pair] for pair in chosen.items()] for name, chosen in self.looks.items()},
            "effects": self.effects(),
        }

    def effects(self) -> list[dict[str, Any]]:
        """Of every object whose look was changed: its place, what was done to it, and the mean change in levels inside
        and outside of it; outside is None where it fills the picture."""
        asked = {**self.looks["styles"], **self.looks["copies"]}
        if not asked or self.subject.trace.regions is None:
            return []
        (number, labels), found = self.subject.trace.regions, []
        for place in asked:
            mask = labels == number[place]
            outside = None if mask.all() else float(self.comparison.difference[~mask].mean())
            inside = float(self.comparison.difference[mask].mean())
            found.append({"place": place, "said": self.said(place), "inside": inside, "outside": outside})
        return found

    def said(self, place: int) -> str:
        """What was done to an object, in words."""
        known, label = self.subject.styles, self.subject.trace.column("label").astype(int)
        look = known.look(int(label[place]))
        like = self.looks["copies"].get(place)
        other = f"object {label[like]}" if like is not None else known.styles[look.taken].name
        return f"{look.kind} {label[place]} like {other}"


def translated(subject: Subject, body: Body) -> After | None:
    """The photo translated without some sources, or with other band weights; None where that is as it was recorded.

    Args:
        subject: With a live model.
        body: {without, weights}.

    Raises:
        TraceError: A retrieval would find nothing any more: both traces have their retrievals at the same places.
    """
    case = subject.live()
    removed = numbers(body, "without", len(subject.everyone))
    without = [subject.everyone[number] for number in removed]
    recorded = case.trace.picture.settings.get("band_weights")
    weights = band_weights(body.get("weights"), recorded)
    changed: dict[str, Any] = {}
    if weights is not None and list(weights) != list(recorded or ()):
        changed["band_weights"] = weights
    looks = {name: pairs(body, name, len(case.trace)) for name in NO_LOOKS}
    if any(looks.values()):
        changed |= restyled(subject, looks)
    if not without and not changed:
        return None
    for ability in ("rerun", "exclude"):
        check_ability(case.system, ability, "a counterfactual")
    other = case.system.rerun(case.trace, without=without, **changed)
    other = other.site(subject.site) if len(other.sites) > 1 else other
    if len(other) < len(case.trace):
        lost = f"{len(case.trace) - len(other)} of {len(case.trace)} retrievals would find nothing any more"
        raise TraceError(
            "show the counterfactual beside the trace", lost, "Ask for it in Python: kt.without(trace, ...)"
        )
    found = compare(case.trace.with_canvases({case.trace.site_about["output"]: case.output}), other)
    return After(subject.counterfactual(other), found, tuple(removed), looks)


def restyled(subject: Subject, looks: Looks) -> dict[str, Any]:
    """The settings with which some objects look otherwise."""
    label = subject.trace.column("label").astype(int)
    styles = {int(label[place]): number for place, number in looks["styles"].items()}
    for place in looks["copies"].values():
        numbers({"queries": [place]}, "queries", len(label))
    copies = {int(label[place]): int(label[other]) for place, other in looks["copies"].items()}
    return subject.styles.settings(styles, copies)


def band_weights(given: object, recorded: Sequence[float] | None) -> Sequence[float] | None:
    """Four numbers, or the recorded weights where none are given."""
    if given is None or given == []:
        return recorded
    if not isinstance(given, list) or any(type(weight) not in (int, float) for weight in given):
        raise RequestError(f"band weights {str(given)[:40]}", "not four numbers", "Give those of LL, LH, HL, HH")
    return given
