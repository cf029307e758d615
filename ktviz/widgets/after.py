"""The second trace of a view: a counterfactual of its first, as one more scene."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ktviz.errors import TraceError
from ktviz.explain.counterfactual import Comparison, compare
from ktviz.images import Pixels, encode_image, shrink
from ktviz.systems.protocol import check_ability
from ktviz.widgets.change import Change
from ktviz.widgets.packing import pack, zipped
from ktviz.widgets.pictures import GAIN, brightened, encoded
from ktviz.widgets.scene import canvas_part, columns, describe, short_digest
from ktviz.widgets.subject import Subject

PICTURES_BYTES = 800_000
"""Pictures are compressed with loss where they would take more."""
MOST_HEIRS = 24
"""Pairs of sources that are listed as having taken over from each other."""
STRIP_PX = 120
"""Longest side of the pictures of counterfactuals that are kept."""


@dataclass(frozen=True, eq=False)
class After:
    """A counterfactual in a view.

    Attributes:
        subject: Its trace; sources have the numbers that they have in the recorded one.
        comparison: What changed.
        change: What was asked for.
        removed: Numbers of the sources that were left out as a whole.
    """

    subject: Subject
    comparison: Comparison
    change: Change = field(default_factory=Change)
    removed: tuple[int, ...] = ()

    def scene(self) -> bytes:
        """All that the view draws of it, packed; canvas and pictures of sources are those of the first scene."""
        return zipped(self.describe(), {**encoded(self.pictures(), PICTURES_BYTES), **columns(self.subject)})

    def pictures(self) -> dict[str, Pixels]:
        """What its scene has of its own, by their names there."""
        output = canvas_part(str(self.subject.trace.site_about["output"]))
        found = {canvas_part(name): pixels for name, pixels in self.subject.beside.items()}
        difference = brightened(self.comparison.difference)
        return {**found, output: self.comparison.pictures["after"], "difference": difference}

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
            "change": self.change.body(self.subject),
            "removed": self.removed,
            "moved": float(moved["overlap"].sum()),
            "heirs": list(zip(*pairs, heirs["retrievals"], heirs["overlap"], strict=True)),
            "effects": self.effects(),
        }

    def effects(self) -> list[dict[str, Any]]:
        """Of every object whose look was changed: its place, what was done to it, and the mean change in levels inside
        and outside of it; outside is None where it fills the picture."""
        asked = [place for place, _ in (*self.change.styles, *self.change.copies)]
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
        like = dict(self.change.copies).get(place)
        other = f"object {label[like]}" if like is not None else known.styles[look.taken].name
        return f"{look.kind} {label[place]} like {other}"


def strip(tried: Sequence[After]) -> bytes:
    """The counterfactuals that a view keeps, packed: what each was asked for, how much changed, its small picture."""
    states = [
        {
            "digest": short_digest(after.subject),
            "change": after.change.body(after.subject),
            "changed": after.comparison.changed_share,
        }
        for after in tried
    ]
    found = {
        f"picture/{n}": encode_image(shrink(after.comparison.pictures["after"], STRIP_PX), "small")
        for n, after in enumerate(tried)
    }
    return pack({"states": states}, found)


def translated(subject: Subject, change: Change) -> After:
    """The photo translated with a change.

    Args:
        subject: With a live model.
        change: Something.

    Raises:
        TraceError: A retrieval would find nothing any more: both traces have their retrievals at the same places.
    """
    case = subject.live()
    settings = {} if change.weights is None else {"band_weights": change.weights}
    if change.styles or change.copies:
        settings |= restyled(subject, change)
    for ability in ("rerun", "exclude"):
        check_ability(case.system, ability, "a counterfactual")
    # Entries are those that are stored: of a site alone, their numbers might be those of its centres.
    asked = case.trace.whole.recording if change.entries else case.trace
    other = case.system.rerun(asked, without=change.left_out(subject), **settings)
    other = other.site(subject.site) if len(other.sites) > 1 else other
    if len(other) < len(case.trace):
        lost = f"{len(case.trace) - len(other)} of {len(case.trace)} retrievals would find nothing any more"
        raise TraceError(
            "show the counterfactual beside the trace", lost, "Ask for it in Python: kt.without(trace, ...)"
        )
    found = compare(case.trace.with_canvases({case.trace.site_about["output"]: case.output}), other)
    return After(subject.counterfactual(other), found, change, change.removed(subject))


def restyled(subject: Subject, change: Change) -> dict[str, Any]:
    """The settings with which some objects look otherwise."""
    label = subject.trace.column("label").astype(int)
    styles = {int(label[place]): number for place, number in change.styles}
    copies = {int(label[place]): int(label[other]) for place, other in change.copies}
    return subject.styles.settings(styles, copies)
