"""Discriminators at two scales (section 3.3)."""

from __future__ import annotations

from torch import Tensor, nn

from ktviz.networks.threads import Conv2d
from ktviz.systems.blocks.attention import Attention
from ktviz.systems.blocks.pyramid import halved
from ktviz.systems.cocosnet.features import normed


class PatchDiscriminator(nn.Module):
    """Five layers, with attention before the fourth.

    Args:
        inside: Channels that come in: label planes and picture.
        width: Channels of the first layer.
        attention: Whether there is attention.
    """

    def __init__(self, inside: int, width: int, attention: bool) -> None:
        super().__init__()
        self.model0 = nn.Sequential(Conv2d(inside, width, 4, 2, padding=1), nn.LeakyReLU(0.2))
        self.model1 = nn.Sequential(normed(width, 2 * width, 4, 2), nn.LeakyReLU(0.2))
        self.model2 = nn.Sequential(normed(2 * width, 4 * width, 4, 2), nn.LeakyReLU(0.2))
        self.attn = Attention(4 * width) if attention else nn.Identity()
        self.model3 = nn.Sequential(normed(4 * width, 8 * width, 4, 1), nn.LeakyReLU(0.2))
        self.model4 = nn.Sequential(Conv2d(8 * width, 1, 4, padding=1))

    def forward(self, planes: Tensor) -> list[Tensor]:
        """The maps of all layers; the last are the logits."""
        first = self.model0(planes)
        second = self.model1(first)
        third = self.model2(second)
        fourth = self.model3(self.attn(third))
        return [first, second, third, fourth, self.model4(fourth)]


class Discriminators(nn.Module):
    """The same at full and at half size; arguments as in `PatchDiscriminator`.

    Example:
        >>> import torch
        >>> maps = Discriminators(6, width=8, attention=True)(torch.zeros(1, 6, 64, 64))
        >>> [tuple(scale[-1].shape[2:]) for scale in maps]
        [(6, 6), (2, 2)]
    """

    def __init__(self, inside: int, width: int, attention: bool) -> None:
        super().__init__()
        self.discriminator_0 = PatchDiscriminator(inside, width, attention)
        self.discriminator_1 = PatchDiscriminator(inside, width, attention)

    def forward(self, planes: Tensor) -> list[list[Tensor]]:
        """By scale, finest first, and layer."""
        return [self.discriminator_0(planes), self.discriminator_1(halved(planes))]
