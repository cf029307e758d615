"""Norms of the decoder: one that a style adapts, and one over the whole of a sample."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

EPSILON = 1e-5
TINY = 1e-30
"""Squares below have no root to derive."""


def adapted(features: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
    """Adaptive instance norm (Huang and Belongie 2017): every channel of a sample with a mean and deviation of its own.

    Args:
        features: (B, C, h, w).
        shift: (B, C) means that they get, and
        scale: (B, C) deviations, as they are: nothing is added to them.

    Example:
        >>> features = torch.tensor([[[[0.0, 2.0]]]])
        >>> adapted(features, torch.tensor([[5.0]]), torch.tensor([[3.0]])).round().tolist()
        [[[[2.0, 8.0]]]]
    """
    return torch.addcmul(shift[:, :, None, None], F.instance_norm(features, eps=EPSILON), scale[:, :, None, None])


class LayerNorm(nn.Module):
    """Every sample less its mean over channels and cells, by its deviation; then a gain and an offset for each channel.

    The deviation is the unbiased one, and what keeps it from 0 is added to it and not to its square: `nn.GroupNorm` is
    another norm. Gains begin anywhere between 0 and 1, as published. Cells are added up channel by channel, each on one
    thread, so that the sum is the same on any number of them.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.empty(channels).uniform_())
        self.beta = nn.Parameter(torch.zeros(channels))

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, h, w) to the same."""
        count = features[0].numel()
        apart = features - mean(features)
        deviation = (mean(apart.square()) * (count / (count - 1))).clamp(min=TINY).sqrt()
        return apart / (deviation + EPSILON) * self.gamma[:, None, None] + self.beta[:, None, None]


def mean(features: Tensor) -> Tensor:
    """Over channels and cells: (B, C, h, w) to (B, 1, 1, 1)."""
    return features.mean((2, 3), keepdim=True).mean(1, keepdim=True)
