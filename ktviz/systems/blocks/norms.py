"""Norms without parameters, and the length of vectors."""

from __future__ import annotations

import torch
from torch import Tensor

EPSILON = 1e-5
SMALLEST = torch.finfo(torch.float64).eps
"""What keeps the length of nothing from dividing."""


def positional_norm(features: Tensor) -> Tensor:
    """Every cell less its mean over the channels, by their deviation (PONO, Li et al. 2019): of (B, C, h, w)."""
    mean = features.mean(1, keepdim=True)
    return (features - mean) / (features.var(1, keepdim=True) + EPSILON).sqrt()


def unit(vectors: Tensor) -> Tensor:
    """Vectors along the second axis, of length 1.

    Example:
        >>> unit(torch.tensor([[0.0, 4.0]])).tolist()
        [[0.0, 1.0]]
    """
    lengths: Tensor = torch.linalg.vector_norm(vectors, dim=1, keepdim=True)
    return vectors / (lengths + SMALLEST)
