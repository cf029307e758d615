"""A generator that looks at a picture coarsely: down by strided convolutions, residual blocks, up again.

Johnson et al. 2016, as Wang et al. 2018 (pix2pixHD) use it three times: whole as global generator, without residual
blocks as encoder, and in parts as local enhancer. Keys of state dicts are those of the published code.
"""

from __future__ import annotations

from torch import Tensor, nn

from ktviz.networks.threads import Conv2d, ConvTranspose2d


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions with instance norm, added to what came in.

    Args:
        channels: That come in, and go out: (B, C, h, w) to the same.

    Example:
        >>> import torch
        >>> ResidualBlock(4)(torch.zeros(1, 4, 5, 7)).shape
        torch.Size([1, 4, 5, 7])
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv_block = nn.Sequential(
            nn.ReflectionPad2d(1),
            *normed(Conv2d(channels, channels, 3)),
            nn.ReflectionPad2d(1),
            *normed(Conv2d(channels, channels, 3))[:2],
        )

    def forward(self, features: Tensor) -> Tensor:
        added: Tensor = features + self.conv_block(features)
        return added


class Hourglass(nn.Module):
    """From a picture or label planes to a picture in [-1, 1].

    Args:
        inside: Channels that come in.
        outside: Channels that go out.
        width: Channels at full size; they double with every step down.
        downs: Steps down, each by 2.
        blocks: Residual blocks at the bottom.

    Example:
        >>> import torch
        >>> Hourglass(10, 3, width=4, downs=2, blocks=1)(torch.zeros(1, 10, 32, 48)).shape
        torch.Size([1, 3, 32, 48])
    """

    def __init__(self, inside: int, outside: int, width: int, downs: int, blocks: int) -> None:
        super().__init__()
        self.model = nn.Sequential(
            *entry(inside, width),
            *(layer for step in range(downs) for layer in down(width << step)),
            *(ResidualBlock(width << downs) for _ in range(blocks)),
            *(layer for step in reversed(range(downs)) for layer in up(width << step)),
            *last(width, outside),
        )

    def forward(self, planes: Tensor) -> Tensor:
        picture: Tensor = self.model(planes)
        return picture


def normed(convolution: nn.Module) -> list[nn.Module]:
    """A convolution, instance norm without parameters, and ReLU.

    Args:
        convolution: With `out_channels`, transposed or not: (B, C, h, w) to what it makes of that.

    Example:
        >>> [type(layer).__name__ for layer in normed(nn.Conv2d(3, 4, 1))]
        ['Conv2d', 'InstanceNorm2d', 'ReLU']
    """
    channels = convolution.out_channels
    assert isinstance(channels, int)
    return [convolution, nn.InstanceNorm2d(channels), nn.ReLU()]


def entry(inside: int, width: int) -> list[nn.Module]:
    """From what comes in to features of full size."""
    return [nn.ReflectionPad2d(3), *normed(Conv2d(inside, width, 7))]


def down(width: int) -> list[nn.Module]:
    """Half the size, twice the channels."""
    return normed(Conv2d(width, 2 * width, 3, stride=2, padding=1))


def up(width: int) -> list[nn.Module]:
    """Twice the size, to so many channels from twice as many."""
    return normed(ConvTranspose2d(2 * width, width, 3, stride=2, padding=1, output_padding=1))


def last(width: int, outside: int) -> list[nn.Module]:
    """From features of full size to a picture in [-1, 1]."""
    return [nn.ReflectionPad2d(3), Conv2d(width, outside, 7), nn.Tanh()]
