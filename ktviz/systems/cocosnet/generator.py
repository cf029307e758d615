"""From a warped exemplar and a label map to a picture (section 3.2)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from ktviz.networks.threads import Conv2d
from ktviz.systems.blocks.attention import Attention
from ktviz.systems.blocks.pyramid import doubled
from ktviz.systems.blocks.spade import SpadeBlock, leaky

COARSEST_PX = 32
"""Pixels that one cell of the first features covers."""


class Generator(nn.Module):
    """A picture in [-1, 1], from coarse to fine; every block sees the condition.

    Args:
        condition: Channels of the condition: a picture's and the label planes.
        width: Channels of the last block; the first has 16 times as many.
        hidden: As in `Spade`.
        attention: Whether every cell of a half of the size looks at all others.

    Example:
        >>> import torch
        >>> Generator(5, width=2, hidden=4, attention=False)(torch.zeros(1, 5, 64, 96)).shape
        torch.Size([1, 3, 64, 96])
    """

    def __init__(self, condition: int, width: int, hidden: int, attention: bool) -> None:
        super().__init__()

        def block(inside: int, outside: int) -> SpadeBlock:
            return SpadeBlock(inside * width, outside * width, condition, hidden)

        self.fc = Conv2d(condition, 16 * width, 3, padding=1)
        self.head_0, self.G_middle_0, self.G_middle_1 = block(16, 16), block(16, 16), block(16, 16)
        self.up_0, self.up_1, self.up_2, self.up_3 = block(16, 8), block(8, 4), block(4, 2), block(2, 1)
        self.attn = Attention(4 * width) if attention else nn.Identity()
        self.conv_img = Conv2d(width, 3, 3, padding=1)

    def forward(self, condition: Tensor) -> Tensor:
        """(B, condition, H, W), sides divisible by 32, to (B, 3, H, W)."""
        height, width = condition.shape[-2:]
        coarse = (height // COARSEST_PX, width // COARSEST_PX)
        features = self.fc(F.interpolate(condition, coarse, mode="nearest"))
        features = self.G_middle_0(doubled(self.head_0(features, condition)), condition)
        features = self.up_0(doubled(self.G_middle_1(features, condition)), condition)
        features = doubled(self.up_1(doubled(features), condition))
        features = self.up_2(self.attn(features), condition)
        features = self.up_3(doubled(features), condition)
        picture: Tensor = self.conv_img(leaky(features)).tanh()
        return picture
