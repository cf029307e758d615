"""Non-local attention (SAGAN, Zhang et al. 2019): every cell adds what it finds in all others."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import spectral_norm

from ktviz.networks.threads import Conv2d


class Attention(nn.Module):
    """Adds to features what attention finds, by a learned amount that is 0 at first: (B, C, h, w) to the same.

    Example:
        >>> features = torch.ones(1, 16, 4, 4)
        >>> bool((Attention(16)(features) == features).all())
        True
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        asked = channels // 8
        self.theta = spectral_norm(Conv2d(channels, asked, 1, bias=False))
        self.phi = spectral_norm(Conv2d(channels, asked, 1, bias=False))
        self.g = spectral_norm(Conv2d(channels, channels // 2, 1, bias=False))
        self.o = spectral_norm(Conv2d(channels // 2, channels, 1, bias=False))
        self.gamma = nn.Parameter(torch.tensor(0.0))

    def forward(self, features: Tensor) -> Tensor:
        queries, keys, values = self.theta(features), F.max_pool2d(self.phi(features), 2), self.g(features)
        weights = torch.softmax(queries.flatten(2).mT @ keys.flatten(2), -1)
        found = F.max_pool2d(values, 2).flatten(2) @ weights.mT
        added: Tensor = self.gamma * self.o(found.view_as(values)) + features
        return added
