"""What is measured of every system on the bench: time, memory, and how far its attribution can be trusted."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any

from ktviz.errors import FewUnitsError
from ktviz.explain.attribution import Through, attribute
from ktviz.explain.faithfulness import Faithfulness, faithfulness
from ktviz.explain.units import By
from ktviz.regions import Box
from ktviz.systems.prepared import Prepared
from ktviz.trace.trace import Trace
from ktviz.workbench.entrants import attempt

METHOD: Through = "footprint"
"""Of attribution: every system knows it, and it is the same question to all."""
SEEDS = 10
"""Of the random control."""


@dataclass(frozen=True)
class Times:
    """How long a system takes, in seconds.

    Attributes:
        plain: Median of its runs.
        recorded: Median of runs that were recorded.
    """

    plain: float
    recorded: float


def times_of(ready: Mapping[str, Prepared], repeats: int, done: Callable[[], object]) -> list[tuple[Times | None, str]]:
    """Times of some systems, in turns: what slows the machine for a while slows all of them.

    Args:
        ready: Which have made their first run, by name.
        repeats: Turns.
        done: Told after each run.

    Returns:
        Of each its times; or None and why there are none, where a run failed.
    """
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in ready}
    failed = dict.fromkeys(ready, "")
    for _ in range(repeats):
        for name, one in ready.items():
            if not failed[name]:
                pair, failed[name] = attempt(name, partial(both, one))
                found[name] += [] if pair is None else [pair]
            done()
    return [(None, failed[name]) if failed[name] else (medians(times), "") for name, times in found.items()]


def both(one: Prepared) -> tuple[float, float]:
    """How long a run takes, and one that is recorded."""
    return seconds(one.run), seconds(one.traced)


def medians(times: Sequence[tuple[float, float]]) -> Times:
    """Of several runs."""
    return Times(*(median(column) for column in zip(*times, strict=True)))


def seconds(work: Callable[[], object]) -> float:
    """How long some work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def tested(trace: Trace, region: Box, by: By, runs: int, seed: int) -> Faithfulness:
    """How far an attribution of a region can be trusted, by `METHOD` and the others beside it; errors as in those.

    Args:
        trace: Of a system on the bench.
        region: Of its output.
        by: Whose shares: the same for all systems.
        runs: Random halves that are left out.
        seed: Of these.
    """
    asked = attribute(trace, region, by=by, through=METHOD, quiet=True)
    try:
        return faithfulness(asked, seeds=range(SEEDS), subsets=runs, seed=seed, quiet=True)
    except FewUnitsError as error:
        todo = "Give one picture as reference: its ninths are tested" if by == "source" else "Choose another region"
        raise FewUnitsError(error.asked, error.found, todo) from None


def scores_of(found: Faithfulness) -> dict[str, Any]:
    """What the table says of a test: scores of `METHOD`, those of the random control, and how many runs were made.

    In pixels, which are the same for all; features are every system's own.
    """
    mine, control = found.frame[found.frame["method"] == METHOD].iloc[0], found.random.mean(numeric_only=True)
    return {
        "units": found.about["units"],
        "runs": found.about["subsets"][0] + found.about["alone"][0],
        "lds": float(mine["lds_pixels"]),
        "lds_random": float(control["lds_pixels"]),
        "deletion": float(mine["deletion"]),
        "deletion_random": float(control["deletion"]),
        "insertion": float(mine["insertion"]),
        "insertion_random": float(control["insertion"]),
        "trusted": found.trusted or "none",
        "baseline": found.about["baseline"],
        "instead": found.about["instead"],
    }
