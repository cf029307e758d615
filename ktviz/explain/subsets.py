"""Random subsets of units, and how well shares tell what becomes of a region when only these are left."""

from __future__ import annotations

from collections.abc import Callable
from math import comb

import numpy as np
import numpy.typing as npt
import pandas as pd

from ktviz.trace.overlap import Floats

Kept = npt.NDArray[np.bool_]
LEAST = 3
"""Points without which a rank correlation says nothing."""


def halves(count: int, most: int, seed: int) -> Kept:
    """Different random halves of two or more units: (at most `most`, count), true for those that are kept.

    Of an odd number, one more is kept than left out.
    """
    random, half = np.random.default_rng((seed, 0)), np.arange(count) < -(-count // 2)
    return different(lambda: random.permutation(half), min(most, comb(count, count // 2)), count)


def parts(count: int, most: int, seed: int) -> Kept:
    """Different random subsets in which each unit is kept with a chance of one half, and never all are."""
    random = np.random.default_rng((seed, 1))
    return different(lambda: random.random(count) < 0.5, min(most, 2**count - 1), count)


def different(draw: Callable[[], Kept], wanted: int, count: int) -> Kept:
    """So many different ones that leave something out: (wanted, count)."""
    found: dict[bytes, Kept] = {}
    while len(found) < wanted:
        one = draw()
        if not one.all():
            found.setdefault(one.tobytes(), one)
    return np.array(list(found.values()), dtype=bool).reshape(-1, count)


def rank_correlation(one: Floats, other: Floats) -> float:
    """Spearman's, equal values sharing their ranks: 0 where one does not vary, NaN with fewer than three points."""
    if len(one) < LEAST:
        return np.nan
    # Sums of the same numbers in another order are equal.
    first, second = (pd.Series(np.round(values, 8)).rank().to_numpy() for values in (one, other))
    if first.std() == 0 or second.std() == 0:
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])
