"""The checker of lesson 4: which patches a bank keeps. It says what is wrong, by what a result must do."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ktviz.lessons.feedback import SEED, Feedback, Solution, expect, judge


def survivors(patches: Tensor, threshold: float) -> list[int]:
    """Numbers of the patches (N, D) that stay: one goes if it looks like one that was kept before it."""
    unit, kept = F.normalize(patches, dim=1), list[int]()
    for number, patch in enumerate(unit):
        if not kept or float((unit[kept] @ patch).max()) <= threshold:
            kept.append(number)
    return kept


def check_survivors(solution: Solution, seed: int = SEED) -> Feedback:
    """The exercise: `solution(patches, threshold)` takes (N, D) to the numbers of those that stay, in their order."""
    learnt = "the first of its kind stays. That is why the order of sources is part of a bank's digest."
    return judge("Exercise, survivors", solution, examine_survivors, learnt, seed)


def examine_survivors(solution: Solution, seed: int) -> None:
    different = numbers(solution(torch.eye(4), 0.9), 4)
    expect(different == [0, 1, 2, 3], f"four patches that have nothing in common all stay; yours keeps {different}.")
    same = numbers(solution(torch.ones(3, 5), 0.9), 3)
    expect(bool(same), "of three equal patches one stays; yours keeps none.")
    expect(same == [0], f"of three equal patches the first stays; yours keeps {same}.")
    louder = numbers(solution(torch.tensor([[1.0, 2.0], [10.0, 20.0]]), 0.9), 2)
    expect(louder == [0], "a patch with ten times the contrast looks the same: only directions count.")
    opposite = numbers(solution(torch.tensor([[1.0, 0.0], [-1.0, 0.0]]), 0.9), 2)
    expect(opposite == [0, 1], "a patch and its opposite do not look alike; yours keeps one of them.")
    angles = torch.tensor([0.0, 20.0, 40.0]).deg2rad()
    chain = numbers(solution(torch.stack((angles.cos(), angles.sin()), 1), 0.9), 3)
    expect(
        chain != [0],
        "the third patch is like the second, and the second was not kept: only those that were kept can turn it away.",
    )
    expect(chain == [0, 2], f"of three patches, each 20 degrees further, the first and the third stay; yours {chain}.")
    random = torch.randn(60, 3, generator=torch.Generator().manual_seed(seed))
    threshold = clear_threshold(random)
    found = numbers(solution(random.clone(), threshold), 60)
    expect(found == survivors(random, threshold), "small cases are right, a larger one is not.")


def clear_threshold(patches: Tensor) -> float:
    """About 0.8, and far from the similarity of any two patches (N, D): rounding turns nobody away."""
    unit = F.normalize(patches.double(), dim=1)
    similarity = (unit @ unit.T).flatten()
    around = similarity[(similarity - 0.8).abs() < 0.05].sort().values
    widest = int(around.diff().argmax())
    return float(around[widest : widest + 2].mean())


def numbers(found: Any, count: int) -> list[int]:
    """A result as numbers of patches."""
    expect(found is not None, "it returns nothing.")
    values = np.asarray(found.tolist() if isinstance(found, Tensor) else list(found))
    expect(values.dtype != np.bool_, "numbers of patches are asked for, yours is a mask.")
    expect(values.ndim == 1, f"a list of numbers is asked for, yours has the shape {values.shape}.")
    whole = values.dtype.kind in "iuf" and bool((values == np.floor(values)).all())
    expect(whole, "numbers of patches are whole; yours are not.")
    kept = [int(value) for value in values.tolist()]
    expect(all(0 <= number < count for number in kept), f"there are {count} patches, numbered from 0; yours {kept}.")
    return kept
