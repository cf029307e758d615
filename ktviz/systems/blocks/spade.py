"""Spatially adaptive normalisation (SPADE, Park et al. 2019): features are normalised, then scaled and shifted by what
a condition says at each place. Keys of state dicts are those of the published code.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import spectral_norm

from ktviz.networks.threads import Conv2d
from ktviz.systems.blocks.norms import positional_norm

Norm = Callable[[Tensor], Tensor]


class Spade(nn.Module):
    """Normalised features, scaled and shifted by a condition.

    Args:
        channels: Of the features.
        condition: Channels of the condition.
        hidden: Channels between condition and scale.
        norm: Without parameters.
        padding: What all its convolutions continue pictures by: one cell.
    """

    def __init__(
        self,
        channels: int,
        condition: int,
        hidden: int,
        norm: Norm = positional_norm,
        padding: Callable[[int], nn.Module] = nn.ReflectionPad2d,
    ) -> None:
        super().__init__()
        self.norm, self.padding = norm, padding(1)
        self.mlp_shared = nn.Sequential(padding(1), Conv2d(condition, hidden, 3), nn.ReLU())
        self.mlp_gamma, self.mlp_beta = Conv2d(hidden, channels, 3), Conv2d(hidden, channels, 3)

    def forward(self, features: Tensor, condition: Tensor) -> Tensor:
        """(B, C, h, w), from a condition of any size."""
        return self.modulated(features, *self.modulation(features, condition))

    def modulation(self, features: Tensor, condition: Tensor) -> tuple[Tensor, Tensor]:
        """What a condition says: by how much features are scaled beyond 1, and shifted; (B, C, h, w) each."""
        seen = self.padding(self.mlp_shared(F.interpolate(condition, features.shape[-2:], mode="nearest")))
        return self.mlp_gamma(seen), self.mlp_beta(seen)

    def modulated(self, features: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        """Features, normalised, scaled and shifted."""
        found: Tensor = self.norm(features) * (1 + scale) + shift
        return found


class SpadeBlock(nn.Module):
    """A residual block with two SPADE layers, and a third where the number of channels changes.

    Args:
        inside: Channels that come in.
        outside: Channels that go out.
        condition: Channels of the condition.
        hidden: As in `Spade`.

    Example:
        >>> import torch
        >>> block = SpadeBlock(8, 4, condition=5, hidden=6)
        >>> block(torch.zeros(1, 8, 4, 4), torch.zeros(1, 5, 32, 32)).shape
        torch.Size([1, 4, 4, 4])
    """

    def __init__(self, inside: int, outside: int, condition: int, hidden: int) -> None:
        super().__init__()
        between = min(inside, outside)
        self.conv_0 = spectral_norm(Conv2d(inside, between, 3))
        self.conv_1 = spectral_norm(Conv2d(between, outside, 3))
        self.norm_0 = Spade(inside, condition, hidden)
        self.norm_1 = Spade(between, condition, hidden)
        if inside != outside:
            self.conv_s = spectral_norm(Conv2d(inside, outside, 1, bias=False))
            self.norm_s = Spade(inside, condition, hidden)

    def forward(self, features: Tensor, condition: Tensor) -> Tensor:
        changed = self.conv_0(reflected(leaky(self.norm_0(features, condition))))
        changed = self.conv_1(reflected(leaky(self.norm_1(changed, condition))))
        kept = self.conv_s(self.norm_s(features, condition)) if hasattr(self, "conv_s") else features
        added: Tensor = kept + changed
        return added


def reflected(features: Tensor) -> Tensor:
    """One cell more at every border, by reflection."""
    return F.pad(features, (1, 1, 1, 1), mode="reflect")


def leaky(features: Tensor) -> Tensor:
    return F.leaky_relu(features, 0.2)
