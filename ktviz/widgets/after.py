"""The second trace of a view: a counterfactual of its first, as one more scene."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ktviz.explain.counterfactual import Comparison
from ktviz.images import Pixels
from ktviz.widgets.packing import pack
from ktviz.widgets.scene import columns, describe, encoded
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
        """All that the view draws of it, packed; the photo and the pictures of sources are those of the first scene."""
        shown = encoded({"output": self.comparison.pictures["after"], "difference": self.difference()}, PICTURES_BYTES)
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
