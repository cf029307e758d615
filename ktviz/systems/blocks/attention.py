"""Non-local attention (SAGAN, Zhang et al. 2019): every cell adds what it finds in all others.

Rows of the matrix of all cells by all others do not depend on each other: where no gradient is asked for, some are made
at a time and dropped, so that memory grows with the cells. Gradients need the whole matrix.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import spectral_norm

from ktviz.networks.threads import Conv2d

NUMBERS = 1 << 22
"""Weights that are made together, in 17 MB."""


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
        found = attended(queries.flatten(2).mT, keys.flatten(2), F.max_pool2d(values, 2).flatten(2))
        added: Tensor = self.gamma * self.o(found.view_as(values)) + features
        return added


def attended(queries: Tensor, keys: Tensor, values: Tensor, numbers: int = NUMBERS) -> Tensor:
    """What every cell finds.

    Args:
        queries: (B, N, D).
        keys: (B, D, M).
        values: (B, V, M).
        numbers: Weights that are made together, where no gradient is asked for.

    Returns:
        (B, V, N).

    Example:
        >>> attended(torch.zeros(1, 2, 3), torch.ones(1, 3, 4), torch.tensor([[[1.0, 2.0, 3.0, 4.0]]])).tolist()
        [[[2.5, 2.5]]]
    """
    if any(part.requires_grad for part in (queries, keys, values)):
        return values @ torch.softmax(queries @ keys, -1).mT
    rows = max(1, numbers // (len(queries) * keys.shape[2]))
    found = values.new_empty(*values.shape[:2], queries.shape[1])  # parts of it between the blocks would scatter memory
    for some, part in zip(queries.split(rows, 1), found.split(rows, 2), strict=True):
        part.copy_(values @ torch.softmax(some @ keys, -1).mT)
    return found
