"""Ablation: really leave units out, one by one, and look at what changes."""

from __future__ import annotations

from dataclasses import dataclass

from ktviz.explain.exclusion import Budget, Exclusion
from ktviz.explain.units import Ints
from ktviz.trace.overlap import Floats


@dataclass(frozen=True)
class Ablation:
    """What changed in a region without each of some units.

    Attributes:
        share: (n,) part of the change that the knowledge made; NaN where nothing would be left to retrieve.
        levels: (n,) the same in levels (0..255, mean over pixels and colours).
        change: What the knowledge changed, in levels.
    """

    share: Floats
    levels: Floats
    change: float


def ablate(exclusion: Exclusion, chosen: Ints, budget: Budget) -> Ablation:
    """Exclude units one by one, as many as there is time for.

    Raises:
        TraceError: The knowledge changed nothing in the region.
    """
    change = float(exclusion.knowledge[0])
    levels = exclusion.changes([chosen[n : n + 1] for n in range(len(chosen))], budget, "leaving out one by one")[:, 0]
    return Ablation(levels / change, levels, change)
