"""The checker of lesson 3: the linear datamodelling score. It says what is wrong, by what a result must do."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import spearmanr

from ktviz.lessons.feedback import SEED, Feedback, Solution, expect, judge

CLOSE = 1e-6


def lds(shares: Any, kept: Any, change: Any) -> float:
    """Rank correlation of what was kept of the shares, and how near the region stayed."""
    return float(spearmanr(np.asarray(kept) @ np.asarray(shares), -np.asarray(change)).statistic)


def check_lds(solution: Solution, seed: int = SEED) -> Feedback:
    """The exercise: `solution(shares, kept, change)` takes (K,), (runs, K) of 0 and 1 and (runs,) to a number."""
    learnt = "a claim about sources has become a forecast, and a forecast can be wrong."
    return judge("Exercise, LDS", solution, examine_lds, learnt, seed)


def examine_lds(solution: Solution, seed: int) -> None:
    shares, kept = np.array([0.5, 0.3, 0.2]), np.array([[1, 1, 0], [1, 0, 1], [0, 1, 1], [1, 0, 0], [0, 0, 1]])
    change = 1 - kept @ shares
    best = number(solution(shares, kept, change))
    expect(not close(best, -1), "the less is kept, the more changes: your sign is the wrong way round.")
    expect(close(best, 1), f"here the shares foretell the order of all changes: 1, yours says {best:.3g}.")
    worst = number(solution(shares, kept, kept @ shares))
    expect(close(worst, -1), f"where most changes though most is kept, the score is -1; yours says {worst:.3g}.")
    curved = number(solution(shares, kept, change**3))
    expect(close(curved, 1), f"only the order counts, not by how much: still 1, yours says {curved:.3g}.")
    scaled = number(solution(10 * shares, kept, change))
    expect(close(scaled, 1), f"shares ten times as large say the same: 1, yours says {scaled:.3g}.")
    ties = number(solution(np.array([1.0, 1.0]), np.array([[1, 0], [0, 1], [1, 1], [0, 0]]), np.array([2, 1, 0, 3])))
    wanted = lds([1, 1], [[1, 0], [0, 1], [1, 1], [0, 0]], [2, 1, 0, 3])
    expect(abs(ties - wanted) < CLOSE, "runs with equal forecasts share a rank: the mean of the ranks that they take.")
    random = np.random.default_rng(seed)
    some, runs, moved = random.random(6), random.integers(0, 2, (20, 6)), random.random(20)
    found, wanted = number(solution(some, runs, moved)), lds(some, runs, moved)
    expect(abs(found - wanted) < CLOSE, "perfect forecasts are right, others are off: are ranks correlated?")


def number(found: Any) -> float:
    """A result as a number."""
    expect(found is not None, "it returns nothing.")
    try:
        value = float(found)
    except (TypeError, ValueError):
        expect(False, f"one number is asked for, yours is a {type(found).__name__}.")
        raise
    expect(bool(np.isfinite(value)), "yours is not a finite number.")
    return value


def close(one: float, other: float) -> bool:
    return abs(one - other) < CLOSE
