"""A network whose weights are the moving average of another's, which is what is kept of an adversarial training."""

from __future__ import annotations

import copy
from typing import Generic, TypeVar

import torch
from torch import nn

N = TypeVar("N", bound=nn.Module)


class Average(nn.Module, Generic[N]):
    """An exponential moving average.

    Args:
        network: Of which; untouched.
        decay: How much of the average stays at every update. At first less does, so that its beginning is forgotten.

    Example:
        >>> network = nn.Linear(1, 1, bias=False)
        >>> average = Average(network, decay=0.999)
        >>> with torch.no_grad():
        ...     _ = network.weight.fill_(7)
        >>> average.update(network)
        >>> average.network.weight.item()
        7.0
    """

    network: N
    updates: torch.Tensor

    def __init__(self, network: N, decay: float) -> None:
        super().__init__()
        self.network = copy.deepcopy(network).requires_grad_(False)
        self.decay = decay
        self.register_buffer("updates", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def update(self, network: N) -> None:
        """Take the weights of the network in; buffers are copied."""
        kept = min(self.decay, int(self.updates) / (int(self.updates) + 10))
        self.updates += 1
        for own, other in zip(self.network.parameters(), network.parameters(), strict=True):
            own.lerp_(other, 1 - kept)
        for buffer, now in zip(self.network.buffers(), network.buffers(), strict=True):
            buffer.copy_(now)
