"""Label maps as networks read them."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F


def one_hot(labels: Tensor, classes: int) -> Tensor:
    """A plane for every class: (B, 1, H, W) int to (B, classes, H, W) float.

    Example:
        >>> import torch
        >>> one_hot(torch.tensor([[[[1, 0]]]]), 2).tolist()
        [[[[0.0, 1.0]], [[1.0, 0.0]]]]
    """
    return F.one_hot(labels[:, 0].long(), classes).movedim(-1, 1).float()
