"""Ablation: really leave units out, one by one, and look at what changes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ktviz.errors import TraceError
from ktviz.explain.exclusion import Budget, Exclusion
from ktviz.explain.units import Ints
from ktviz.trace.overlap import Floats

LEAST = 1.0
"""Levels by which shares are divided at least. Where the photo already shows a source, the knowledge changes next to
nothing, and its absence very much."""


@dataclass(frozen=True)
class Ablation:
    """What changed in a region without each of some units.

    Attributes:
        share: (n,) change over the change that the knowledge made; NaN where nothing would be left to retrieve.
        levels: (n,) the same in levels (0..255, mean over pixels and colours).
        change: What the knowledge changed, in levels.
    """

    share: Floats
    levels: Floats
    change: float


def ablate(exclusion: Exclusion, chosen: Ints, budget: Budget) -> Ablation:
    """Exclude units one by one, as many as there is time for.

    Raises:
        TraceError: Neither the knowledge nor its absence changes the region.
    """
    change = exclusion.knowledge
    levels = exclusion.changes([chosen[n : n + 1] for n in range(len(chosen))], budget, "leaving out one by one")[:, 0]
    if change == 0 and not np.nan_to_num(levels).any():
        raise TraceError("attribute through ablation", "the knowledge changed nothing in this region", "Take another")
    return Ablation(levels / max(change, LEAST), levels, change)
