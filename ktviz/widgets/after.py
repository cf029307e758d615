"""The second trace of a view: a counterfactual of its first, as one more scene."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ktviz.errors import TraceError
from ktviz.explain.counterfactual import Comparison, compare
from ktviz.images import Pixels
from ktviz.systems.protocol import check_ability
from ktviz.widgets.asking import Body, RequestError, numbers
from ktviz.widgets.packing import pack
from ktviz.widgets.pictures import encoded
from ktviz.widgets.scene import canvas_part, columns, describe
from ktviz.widgets.subject import Subject

PICTURES_BYTES = 800_000
"""Pictures are compressed with loss where they would take more."""
GAIN = 5
"""How many times the picture of the difference is brightened: most counterfactuals change a few levels."""
MOST_HEIRS = 24
"""Pairs of sources that are listed as having taken over from each other."""


@dataclass(frozen=True, eq=False)
class After:
    """A counterfactual in a view.

    Attributes:
        subject: Its trace; sources have the numbers that they have in the recorded one.
        comparison: What changed.
        removed: Numbers of the sources that were left out.
    """

    subject: Subject
    comparison: Comparison
    removed: tuple[int, ...]

    def scene(self) -> bytes:
        """All that the view draws of it, packed; canvas and pictures of sources are those of the first scene."""
        output = canvas_part(str(self.subject.trace.site_about["output"]))
        shown = encoded({output: self.comparison.pictures["after"], "difference": self.difference()}, PICTURES_BYTES)
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
        }

    def difference(self) -> Pixels:
        """Where the pixels changed, brightened: (H, W, 3)."""
        levels = np.clip((GAIN * self.comparison.difference).round(), 0, 255).astype(np.uint8)
        return np.repeat(levels[..., None], 3, axis=2)


def translated(subject: Subject, body: Body) -> After | None:
    """The photo translated without some sources, or with other band weights; None where that is as it was recorded.

    Args:
        subject: With a live model.
        body: {without, weights}.

    Raises:
        TraceError: A retrieval would find nothing any more: both traces have their retrievals at the same places.
    """
    case = subject.live()
    removed = numbers(body, "without", len(subject.names))
    without = [subject.names[number] for number in removed]
    recorded = case.trace.picture.settings.get("band_weights")
    weights = band_weights(body.get("weights"), recorded)
    changed = {} if weights is None or list(weights) == list(recorded or ()) else {"band_weights": weights}
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
    return After(subject.counterfactual(other), found, tuple(removed))


def band_weights(given: object, recorded: Sequence[float] | None) -> Sequence[float] | None:
    """Four numbers, or the recorded weights where none are given."""
    if given is None or given == []:
        return recorded
    if not isinstance(given, list) or any(type(weight) not in (int, float) for weight in given):
        raise RequestError(f"band weights {str(given)[:40]}", "not four numbers", "Give those of LL, LH, HL, HH")
    return given
