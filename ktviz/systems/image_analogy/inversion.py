"""Feature inversion by optimisation: values two levels below whose features come near to a target."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ktviz.systems.image_analogy.pyramid import Pyramid

HISTORY = 4
SMALLEST_STEP = 1e-9
SMALLEST_GRADIENT = 1e-7


@dataclass(frozen=True)
class Inversion:
    """What an inversion found.

    Attributes:
        values: (1, C, h, w), two levels below the target.
        before: Sum of squared differences to the target at the start.
        after: The same at the end.
    """

    values: Tensor
    before: float
    after: float


def energy(pyramid: Pyramid, values: Tensor, target: Tensor, level: int) -> Tensor:
    """Sum of squared differences between a target and what the pyramid makes of values two levels below."""
    return (pyramid.between(values, level - 2, level)[-1] - target).square().sum()


def optimised(pyramid: Pyramid, start: Tensor, target: Tensor, level: int, iterations: int) -> Inversion:
    """Minimise the energy by L-BFGS with a strong Wolfe line search; the best values seen are kept.

    Args:
        pyramid: Frozen.
        start: (1, C, h, w), values of `level` - 2.
        target: (1, C', h', w'), features of `level`.
        level: Of the target, 2 to 5.
        iterations: At most.
    """
    values = start.clone(memory_format=torch.contiguous_format).requires_grad_()
    search = torch.optim.LBFGS(
        [values],
        max_iter=iterations,
        history_size=HISTORY,
        tolerance_grad=SMALLEST_GRADIENT,
        tolerance_change=SMALLEST_STEP,
        line_search_fn="strong_wolfe",
    )
    seen: list[float] = []
    best = start

    def closure() -> Tensor:
        nonlocal best
        search.zero_grad()
        loss = energy(pyramid, values, target, level)
        loss.backward()
        if not seen or loss.item() < min(seen):
            best = values.detach().clone()
        seen.append(loss.item())
        return loss

    with torch.enable_grad():
        search.step(closure)
    return Inversion(best, seen[0], min(seen))
