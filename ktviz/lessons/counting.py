"""The checker of lesson 1: shares, counted by hand. It says what is wrong, by what a result must do."""

from __future__ import annotations

from typing import Any

import numpy as np

from ktviz.lessons.feedback import SEED, Feedback, Solution, as_mapping, expect, judge
from ktviz.regions import Box

CLOSE = 1e-6


def shares(boxes: Any, sources: Any, region: Box) -> dict[str, float]:
    """The part of a region that each source has: a pixel's credit goes in equal parts to the retrievals over it."""
    inside = [np.zeros((int(region.height), int(region.width))) for _ in boxes]
    for mask, (x, y, width, height) in zip(inside, np.asarray(boxes, dtype=int).tolist(), strict=True):
        x, y = x - int(region.x), y - int(region.y)
        mask[max(0, y) : max(0, y + height), max(0, x) : max(0, x + width)] = 1
    over = np.maximum(np.sum(inside, axis=0), 1)
    found: dict[str, float] = {}
    for mask, source in zip(inside, sources, strict=True):
        found[source] = found.get(source, 0.0) + float((mask / over).mean())
    return found


def check_shares(solution: Solution, seed: int = SEED) -> Feedback:
    """The exercise: `solution(boxes, sources, region)` takes (N, 4) px, N names and a box to the share of each name."""
    learnt = "that is all of overlap: it follows from the rows of a trace, so anybody can count it again."
    return judge("Exercise, shares", solution, examine_shares, learnt, seed)


def examine_shares(solution: Solution, seed: int) -> None:
    region = Box(0, 0, 10, 10)
    halves = named(solution([[0, 0, 5, 10], [5, 0, 5, 10]], ["a", "b"], region))
    expect(set(halves) == {"a", "b"}, f"two sources paint a half each; yours names {sorted(halves)}.")
    expect(close(halves["a"], 0.5), f"a source that covers a half has a share of 0.5, yours has {halves['a']:.3g}.")
    both = named(solution([[0, 0, 10, 10], [0, 0, 10, 10]], ["a", "b"], region))
    expect(
        close(both["a"], 0.5) and close(both["b"], 0.5),
        f"where two sources lie over each other, each has a half of the credit; yours have {both['a']:.3g} and "
        f"{both['b']:.3g}.",
    )
    twice = named(solution([[0, 0, 5, 10], [0, 0, 5, 10], [5, 0, 5, 10]], ["a", "a", "b"], region))
    expect(close(twice["a"], 0.5), f"two retrievals of one source over the same half: 0.5, yours has {twice['a']:.3g}.")
    beyond = named(solution([[-5, -5, 10, 10]], ["a"], region))
    expect(close(beyond["a"], 0.25), f"what lies outside the region does not count: 0.25, yours {beyond['a']:.3g}.")
    apart = named(solution([[20, 20, 5, 5], [0, 0, 10, 10]], ["far", "a"], Box(0, 0, 10, 10)))
    expect(close(apart["a"], 1) and close(apart.get("far", 0), 0), "a retrieval outside the region has no part in it.")
    random = np.random.default_rng(seed)
    boxes = np.column_stack((random.integers(0, 40, (30, 2)), np.full((30, 2), 16)))
    names, place = [f"s{n % 4}" for n in range(30)], Box(12, 9, 21, 17)
    found, wanted = named(solution(boxes, names, place)), shares(boxes, names, place)
    worst = max(abs(found.get(name, 0.0) - wanted.get(name, 0.0)) for name in {*found, *wanted})
    expect(worst < CLOSE, "simple cases are right; where many lie over each other at other places, shares are off.")


def named(found: Any) -> dict[str, float]:
    """A result as shares by name."""
    return {str(name): float(share) for name, share in as_mapping(found, "from names to shares").items()}


def close(one: float, other: float) -> bool:
    return abs(one - other) < CLOSE
