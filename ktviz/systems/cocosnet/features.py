"""Features of label maps and of photographs in one domain: an adaptive feature net for each (section 3.1)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.utils import spectral_norm

from ktviz.networks.threads import Conv2d
from ktviz.systems.blocks.spade import SpadeBlock, leaky


class AdaptiveFeatures(nn.Module):
    """Features of a picture or a label map, at a fourth of its size; it is its own condition.

    Args:
        inside: Channels that come in.
        width: Channels of the first layer.
        outside: Channels of the features.
        kernel: Side of the convolutions with a stride: 3 or 4.
        hidden: As in `Spade`.
    """

    def __init__(self, inside: int, width: int, outside: int, kernel: int, hidden: int) -> None:
        super().__init__()
        self.layer1 = normed(inside, width, 3, 1)
        self.layer2 = normed(width, 2 * width, kernel, 2)
        self.layer3 = normed(2 * width, 4 * width, 3, 1)
        self.layer4 = normed(4 * width, 8 * width, kernel, 2)
        self.layer5 = normed(8 * width, 8 * width, 3, 1)
        self.head_0 = SpadeBlock(8 * width, 8 * width, inside, hidden)
        self.G_middle_0 = SpadeBlock(8 * width, 8 * width, inside, hidden)
        self.G_middle_1 = SpadeBlock(8 * width, outside, inside, hidden)

    def forward(self, planes: Tensor) -> Tensor:
        """(B, inside, H, W) to (B, outside, H/4, W/4)."""
        features: Tensor = self.layer1(planes)
        for layer in (self.layer2, self.layer3, self.layer4, self.layer5):
            features = layer(leaky(features))
        for block in (self.head_0, self.G_middle_0, self.G_middle_1):
            features = block(features, planes)
        return features


def normed(inside: int, outside: int, kernel: int, stride: int) -> nn.Sequential:
    """A convolution with spectral norm, and instance norm without parameters; no activation.

    Args:
        inside: Channels that come in: (B, inside, h, w).
        outside: Channels that go out.
        kernel: Side of the convolution, which pads by 1.
        stride: Its steps.

    Example:
        >>> import torch
        >>> normed(3, 4, kernel=3, stride=2)(torch.zeros(1, 3, 8, 6)).shape
        torch.Size([1, 4, 4, 3])
    """
    convolution = Conv2d(inside, outside, kernel, stride, padding=1, bias=False)
    return nn.Sequential(spectral_norm(convolution), nn.InstanceNorm2d(outside))
