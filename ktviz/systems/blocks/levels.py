"""How far pictures are apart in the features of a fixed network, at five depths."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

Features = Sequence[Tensor]
"""Of a fixed network, at five depths, finest first."""
LEVELS = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0)
"""Weights of the depths (Wang et al. 2018, published code)."""


def across_levels(apart: Callable[[Tensor, Tensor], Tensor], fake: Features, real: Features) -> Tensor:
    """How far features are from the true ones, through which nothing flows back: the depths' weighted sum.

    Args:
        apart: Of the features of one depth, made and true.
        fake: Features of the made picture.
        real: And of the true one.

    Example:
        >>> across_levels(torch.dist, [torch.ones(1)] * 5, [torch.zeros(1)] * 5)
        tensor(1.4688)
    """
    return torch.stack([w * apart(a, b.detach()) for w, a, b in zip(LEVELS, fake, real, strict=True)]).sum()
