"""Checkers of lessons 5 and 9: attention, and what a list of it leaves out. Each says what is wrong, never how."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from ktviz.lessons.feedback import SEED, Feedback, Solution, expect, judge

CLOSE = 1e-5


def heaviest(weights: Tensor, top: int) -> tuple[Tensor, Tensor, Tensor]:
    """Of each row of weights (N, P) the heaviest entries (N, top), their weights, and what the others weigh (N,)."""
    kept, entry = weights.topk(top, dim=1)
    return entry, kept, 1 - kept.sum(1)


def check_heaviest(solution: Solution, seed: int = SEED) -> Feedback:
    """The exercise of lesson 5: `solution(weights, top)` takes (N, P) to entries, weights and what is left over."""
    learnt = "a list of candidates is honest if it says what it leaves out."
    return judge("Exercise, the heaviest", solution, examine_heaviest, learnt, seed)


def examine_heaviest(solution: Solution, seed: int) -> None:
    weights = torch.tensor([[0.1, 0.6, 0.3], [0.5, 0.25, 0.25]])
    entry, kept, left = parts(solution(weights, 2), 2, 2)
    expect(not torch.equal(entry, torch.tensor([[0, 2], [1, 2]])), "yours are the lightest entries, not the heaviest.")
    expect(entry[0].tolist() != [2, 1], "the heaviest comes first.")
    expect(entry[0].tolist() == [1, 2], f"of 0.1, 0.6, 0.3 the heaviest two are 1 and 2; yours {entry[0].tolist()}.")
    expect(
        not torch.allclose(kept.sum(1), torch.ones(2)),
        "your weights add up to 1: they are what they were, and the rest is left over.",
    )
    expect(torch.allclose(kept[0], torch.tensor([0.6, 0.3])), "weights do not belong to their entries.")
    rest = torch.tensor([0.1, 0.25])
    expect(torch.allclose(left, rest, atol=CLOSE), f"left over are 0.1 and 0.25; yours {left.tolist()}.")
    random = torch.rand(7, 12, generator=torch.Generator().manual_seed(seed)).softmax(1)
    found, wanted = parts(solution(random.clone(), 5), 7, 5), heaviest(random, 5)
    expect(
        all(torch.allclose(one.float(), two.float(), atol=CLOSE) for one, two in zip(found, wanted, strict=True)),
        "small cases are right, a larger one is not.",
    )


def parts(found: Any, rows: int, top: int) -> tuple[Tensor, Tensor, Tensor]:
    """A result as three tensors."""
    expect(found is not None, "it returns nothing.")
    expect(
        isinstance(found, (tuple, list)) and len(found) == 3,
        "three results are asked for: entries, weights, left over.",
    )
    one, two, three = (torch.as_tensor(part).detach() for part in found)
    two, three = two.float(), three.float()
    shapes = {"entries": (one, (rows, top)), "weights": (two, (rows, top)), "left over": (three, (rows,))}
    for name, (part, shape) in shapes.items():
        expect(tuple(part.shape) == shape, f"{name}: the shape {shape} is asked for, yours has {tuple(part.shape)}.")
    return one, two, three


def attend(queries: Tensor, keys: Tensor) -> Tensor:
    """Scaled dot-product attention: (N, D) and (P, D) to weights (N, P) whose rows sum to 1 (Vaswani et al. 2017)."""
    return (queries @ keys.T / math.sqrt(queries.shape[1])).softmax(1)


def check_attend(solution: Solution, seed: int = SEED) -> Feedback:
    """The exercise of lesson 9: `solution(queries, keys)` takes (N, D) and (P, D) to weights (N, P)."""
    learnt = "attention is soft retrieval: every key has a part, and most have next to none."
    return judge("Exercise, attention", solution, examine_attend, learnt, seed)


def examine_attend(solution: Solution, seed: int) -> None:
    queries = torch.tensor([[4.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]])
    keys = torch.tensor([[4.0, 0, 0, 0], [0, 4.0, 0, 0], [-4.0, 0, 0, 0]])
    found = weights_of(solution(queries, keys), (2, 3))
    expect(bool(torch.isfinite(found).all()), "yours are not all finite.")
    expect(
        not torch.allclose(found.sum(0), torch.ones(3), atol=CLOSE),
        "the parts of every key add up to 1: it is the parts of every query that must.",
    )
    expect(torch.allclose(found.sum(1), torch.ones(2), atol=CLOSE), "the parts of a query do not add up to 1.")
    expect(bool((found >= 0).all()), "a part is less than nothing.")
    expect(int(found[0].argmax()) == 0, "the first query is most like the first key, and takes most of another.")
    expect(torch.allclose(found[1], torch.full((3,), 1 / 3)), "a query of zeros is like no key more than another.")
    unscaled = (queries @ keys.T).softmax(1)
    expect(
        not torch.allclose(found, unscaled, atol=CLOSE) or torch.allclose(unscaled, attend(queries, keys), atol=CLOSE),
        "with more numbers in a key, products grow, and so would the contrast: something is to be divided by √D.",
    )
    expect(torch.allclose(found, attend(queries, keys), atol=CLOSE), "the parts are off, though their order is right.")
    draw = torch.Generator().manual_seed(seed)
    more, others = torch.randn(5, 9, generator=draw), torch.randn(7, 9, generator=draw)
    found = weights_of(solution(more.clone(), others.clone()), (5, 7))
    right = torch.allclose(found, attend(more, others), atol=CLOSE)
    expect(right, "with other numbers in a key the parts are off: by what do you divide?")
    large = weights_of(solution(100 * queries, 100 * keys), (2, 3))
    expect(bool(torch.isfinite(large).all()), "with large numbers yours are not finite: does an exponential overflow?")


def weights_of(found: Any, shape: tuple[int, int]) -> Tensor:
    """A result as weights."""
    expect(found is not None, "it returns nothing.")
    value = torch.as_tensor(found).detach().float()
    expect(tuple(value.shape) == shape, f"the shape {shape} is asked for, yours has {tuple(value.shape)}.")
    return value
