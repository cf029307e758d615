"""A datamodel of a region (Ilyas et al. 2022): a line fitted to what happened when units were really left out.

How near the region stays to the translation (minus the mean difference, in levels) is explained by a sum over the units
that were kept. The shares are the terms of this sum.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ktviz.errors import TraceError
from ktviz.explain.exclusion import Budget, Exclusion
from ktviz.explain.subsets import Kept, parts, rank_correlation
from ktviz.trace.overlap import Floats

FEW = 15
"""Runs with which even few units are fitted; of more units, at most half of all subsets are run, and others are left
for a test."""
HELD_OUT = 4
"""One in so many runs is not fitted to, but tells how good the fit is."""
STRENGTHS = np.logspace(-9, 3, 49)
"""Of the ridge."""


@dataclass(frozen=True)
class Line:
    """A ridge regression.

    Attributes:
        slope: (units,).
        start: Its value without any unit.
        ridge: Strength of the penalty.
    """

    slope: Floats
    start: float
    ridge: float

    @classmethod
    def fit(cls, kept: Kept, near: Floats) -> Line:
        """Fit how near the region stayed (runs,) to what was kept (runs, units).

        The strength is the one whose predictions of each run from all others err least. That takes no further fits:
        the error is the residual over one minus the run's part in its own prediction.
        """
        inputs, outcome = kept - kept.mean(0), near - near.mean()
        u, s, v = np.linalg.svd(inputs, full_matrices=False)
        along, best = u.T @ outcome, (np.inf, 0.0)
        for ridge in STRENGTHS:
            shrunk = s**2 / (s**2 + ridge)
            own = 1 / len(kept) + (u**2) @ shrunk
            error = (outcome - u @ (shrunk * along)) / np.maximum(1 - own, 1e-9)
            best = min(best, (float((error**2).mean()), float(ridge)))
        slope = v.T @ (s / (s**2 + best[1]) * along)
        return cls(slope, float(near.mean() - kept.mean(0) @ slope), best[1])

    def predict(self, kept: Kept) -> Floats:
        """How near it should stay: (runs,)."""
        found: Floats = self.start + kept @ self.slope
        return found


def datamodel(exclusion: Exclusion, runs: int, seed: int, budget: Budget) -> tuple[Floats, dict[str, Any]]:
    """Shares of the units of a region, fitted to runs without random subsets of them.

    Args:
        exclusion: The region, and what can be left out.
        runs: Translations that are made, at most; few units have fewer subsets.
        seed: Of the subsets.
        budget: Time.

    Returns:
        Shares (units,) that add up to 1; negative where the region stays nearer without a unit. And what is known about
        the fit: `fitted` and `held_out` runs, `ridge`, `held_out_correlation` (Spearman) and `held_out_r2` of the runs
        that were not fitted to (None where they are too few), and `fitted_to`: the units that were left out in each.

    Raises:
        TraceError: Leaving out changes nothing, or the region stays as near without most units; or nothing would be
            left to retrieve, or time was up before there was anything to fit.
    """
    present = exclusion.present
    if not len(present):
        raise TraceError("attribute through datamodel", "no knowledge has a part in this region", "Take another region")
    asked = min(runs, max(FEW, 2 ** (len(present) - 1)))
    kept = parts(len(present), asked, seed)
    change = exclusion.changes([present[~some] for some in kept], budget, "leaving out")
    known = np.isfinite(change[:, 0])
    kept, near = kept[: len(change)][known], -change[known, 0]
    held = len(kept) // HELD_OUT
    fitted, tested = slice(0, len(kept) - held), slice(len(kept) - held, None)
    if not len(kept):
        why, todo = "there was no time for a run", "Give more seconds"
        if len(change):
            why, todo = "nothing would be left to retrieve", "Add sources to the bank, or ask by='entry'"
        raise TraceError("attribute through datamodel", why, todo)
    # All of them together are known without a run: nothing changes.
    whole = np.ones((1, len(present)), dtype=bool)
    line = Line.fit(np.concatenate((whole, kept[fitted])), np.concatenate(([0.0], near[fitted])))
    if line.slope.sum() <= 0:
        why = "changed nothing in this region" if not near.any() else "follows no sum over what is left out"
        raise TraceError("attribute through datamodel", f"the knowledge {why}", "Take another region or method")
    share = np.zeros(len(exclusion.units))
    share[present] = line.slope / line.slope.sum()
    about = {
        "runs": len(change),
        "fitted": len(kept) - held,
        "held_out": held,
        "held_out_correlation": stated(rank_correlation(line.predict(kept[tested]), near[tested])),
        "held_out_r2": stated(explained(line.predict(kept[tested]), near[tested])),
        "ridge": line.ridge,
        "fitted_to": [present[~some].tolist() for some in kept[fitted]],
    }
    return share, about


def explained(predicted: Floats, near: Floats) -> float:
    """R²: part of the variance that is predicted; NaN where there is none."""
    if len(near) < 2 or near.std() == 0:
        return np.nan
    return float(1 - ((predicted - near) ** 2).sum() / ((near - near.mean()) ** 2).sum())


def stated(score: float) -> float | None:
    """A score as files keep it."""
    return None if np.isnan(score) else score
