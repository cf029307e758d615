"""The networks of MUNIT: what a picture shows, how it looks, and pictures out of both (Huang et al. 2018, section 5).

Keys of state dicts are those of the published code.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ktviz.networks.threads import Conv2d
from ktviz.systems.blocks.pyramid import doubled, halved
from ktviz.systems.munit.norms import LayerNorm, adapted

Activation = Callable[[Tensor], Tensor]
Moments = tuple[Tensor, Tensor]
"""Shift and scale of one layer, (B, C) each."""
STYLE_DOWNS = 4
"""Steps down of the style encoder."""


def nothing(features: Tensor) -> Tensor:
    """What follows a convolution that nothing follows."""
    return features


def leaky(features: Tensor) -> Tensor:
    """What follows a discriminator's convolution."""
    return F.leaky_relu(features, 0.2)


class Convolution(nn.Module):
    """A convolution of a picture that is mirrored at its border, a norm, and an activation.

    Args:
        inside: Channels that come in.
        outside: Channels that go out.
        size: Of the kernel.
        stride: 1, or 2 for a step down.
        padding: What the picture is continued by, in cells.
        norm: What follows; nothing if None. A style replaces it.
        activation: What follows that.
    """

    def __init__(
        self,
        inside: int,
        outside: int,
        size: int,
        stride: int,
        padding: int,
        norm: nn.Module | None = None,
        activation: Activation = F.relu,
    ) -> None:
        super().__init__()
        self.conv = Conv2d(inside, outside, size, stride)
        self.norm, self.padding, self.activation = norm, padding, activation

    def forward(self, features: Tensor, style: Moments | None = None) -> Tensor:
        found: Tensor = self.conv(F.pad(features, [self.padding] * 4, mode="reflect"))
        if style is not None:
            found = adapted(found, *style)
        elif self.norm is not None:
            found = self.norm(found)
        return self.activation(found)


class Residual(nn.Module):
    """Two convolutions, added to what came in."""

    def __init__(self, channels: int, norm: Callable[[int], nn.Module] | None) -> None:
        super().__init__()
        norms = [None if norm is None else norm(channels) for _ in range(2)]
        first, second = norms
        self.model = nn.ModuleList(
            [
                Convolution(channels, channels, 3, 1, 1, first),
                Convolution(channels, channels, 3, 1, 1, second, nothing),
            ]
        )

    def forward(self, features: Tensor, styles: Sequence[Moments | None] = (None, None)) -> Tensor:
        found = features
        for layer, style in zip(self.model, styles, strict=True):
            found = layer(found, style)
        return features + found


class Residuals(nn.Module):
    """Residual blocks, one after the other."""

    def __init__(self, channels: int, blocks: int, norm: Callable[[int], nn.Module] | None) -> None:
        super().__init__()
        self.model = nn.ModuleList(Residual(channels, norm) for _ in range(blocks))

    def forward(self, features: Tensor, styles: Sequence[Moments] | None = None) -> Tensor:
        for number, block in enumerate(self.model):
            mine = (None, None) if styles is None else styles[2 * number : 2 * number + 2]
            features = block(features, mine)
        return features


class ContentEncoder(nn.Module):
    """What a picture shows, without how it looks: instance norms take mean and deviation away.

    Args:
        width: Channels at full size; they double with every step down.
        downs: Steps down, each by 2.
        blocks: Residual blocks after them.

    Example:
        >>> ContentEncoder(width=4, downs=2, blocks=1)(torch.zeros(1, 3, 32, 48)).shape
        torch.Size([1, 16, 8, 12])
    """

    def __init__(self, width: int, downs: int, blocks: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [Convolution(3, width, 7, 1, 3, nn.InstanceNorm2d(width))]
        for step in range(downs):
            wide = width << step
            layers.append(Convolution(wide, 2 * wide, 4, 2, 1, nn.InstanceNorm2d(2 * wide)))
        self.model = nn.Sequential(*layers, Residuals(width << downs, blocks, nn.InstanceNorm2d))

    def forward(self, picture: Tensor) -> Tensor:
        """(B, 3, H, W) to (B, width * 2^downs, h, w)."""
        content: Tensor = self.model(picture)
        return content


class StyleEncoder(nn.Module):
    """How a picture looks, as a few numbers for the whole of it: no norm, or these would be taken away.

    Args:
        width: Channels at full size; they double with the first two steps down.
        numbers: Of the code.

    Example:
        >>> StyleEncoder(width=4, numbers=8)(torch.zeros(1, 3, 32, 48)).shape
        torch.Size([1, 8])
    """

    def __init__(self, width: int, numbers: int) -> None:
        super().__init__()
        widths = [width << min(step, 2) for step in range(STYLE_DOWNS + 1)]
        steps = [Convolution(a, b, 4, 2, 1) for a, b in pairwise(widths)]
        last = Conv2d(widths[-1], numbers, 1)
        self.model = nn.Sequential(Convolution(3, width, 7, 1, 3), *steps, nn.AdaptiveAvgPool2d(1), last)

    def cells(self, picture: Tensor) -> Tensor:
        """What every cell says before their mean is taken: (B, 3, H, W) to (B, C, h, w)."""
        found: Tensor = self.model[:-2](picture)
        return found

    def code(self, pooled: Tensor) -> Tensor:
        """The code of means over cells, of which it is a linear function: (B, C) to (B, numbers)."""
        last = cast(nn.Conv2d, self.model[-1])
        return F.linear(pooled, last.weight[:, :, 0, 0], last.bias)

    def forward(self, picture: Tensor) -> Tensor:
        """(B, 3, H, W) to (B, numbers)."""
        return self.code(self.cells(picture).mean((2, 3)))


class Decoder(nn.Module):
    """A picture out of what it is to show, and of the style of every layer.

    Args:
        width: Channels at full size.
        ups: Steps up, each by 2.
        blocks: Residual blocks before them; these are what a style adapts.

    Example:
        >>> decoder = Decoder(width=4, ups=2, blocks=1)
        >>> decoder(torch.zeros(1, 16, 8, 12), torch.zeros(1, decoder.parameters_of_style)).shape
        torch.Size([1, 3, 32, 48])
    """

    def __init__(self, width: int, ups: int, blocks: int) -> None:
        super().__init__()
        inside = width << ups
        self.channels, self.layers = inside, 2 * blocks
        steps: list[nn.Module] = []
        for step in reversed(range(ups)):
            wide = width << step
            steps += [Doubled(), Convolution(2 * wide, wide, 5, 1, 2, LayerNorm(wide))]
        last = Convolution(width, 3, 7, 1, 3, None, torch.tanh)
        self.model = nn.ModuleList([Residuals(inside, blocks, None), *steps, last])

    @property
    def parameters_of_style(self) -> int:
        """Numbers that say how all its layers are adapted."""
        return 2 * self.channels * self.layers

    def styles(self, parameters: Tensor) -> list[Moments]:
        """Those numbers (B, n), layer by layer: first all shifts of one, then its scales."""
        parts = parameters.unflatten(1, (self.layers, 2, self.channels))
        return [(part[:, 0], part[:, 1]) for part in parts.unbind(1)]

    def forward(self, content: Tensor, parameters: Tensor) -> Tensor:
        """(B, C, h, w) and (B, n) to (B, 3, H, W) in [-1, 1]."""
        found: Tensor = self.model[0](content, self.styles(parameters))
        for layer in self.model[1:]:
            found = layer(found)
        return found


class Doubled(nn.Module):
    """Twice the size, every cell four times."""

    def forward(self, features: Tensor) -> Tensor:
        return doubled(features)


class Linear(nn.Module):
    """A layer of the network that says how a style adapts the decoder."""

    def __init__(self, inside: int, outside: int, activation: Activation) -> None:
        super().__init__()
        self.fc, self.activation = nn.Linear(inside, outside), activation

    def forward(self, numbers: Tensor) -> Tensor:
        return self.activation(self.fc(numbers))


class Perceptron(nn.Module):
    """From a style code to how it adapts the decoder: two hidden layers.

    Example:
        >>> Perceptron(8, 64, hidden=16)(torch.zeros(2, 8)).shape
        torch.Size([2, 64])
    """

    def __init__(self, inside: int, outside: int, hidden: int) -> None:
        super().__init__()
        self.model = nn.Sequential(
            Linear(inside, hidden, F.relu), Linear(hidden, hidden, F.relu), Linear(hidden, outside, nothing)
        )

    def forward(self, code: Tensor) -> Tensor:
        found: Tensor = self.model(code)
        return found


class Generator(nn.Module):
    """All networks of one domain: its pictures to content and style, and back.

    Args:
        width: Channels at full size.
        downs: Steps down.
        blocks: Residual blocks, of the content encoder and of the decoder.
        numbers: Of a style code.
        hidden: Numbers in a hidden layer.

    Example:
        >>> generator = Generator(width=4, downs=2, blocks=1, numbers=8, hidden=16)
        >>> picture = torch.zeros(1, 3, 32, 48)
        >>> generator.decode(generator.content(picture), generator.style(picture)).shape
        torch.Size([1, 3, 32, 48])
    """

    def __init__(self, width: int, downs: int, blocks: int, numbers: int, hidden: int) -> None:
        super().__init__()
        self.enc_style = StyleEncoder(width, numbers)
        self.enc_content = ContentEncoder(width, downs, blocks)
        self.dec = Decoder(width, downs, blocks)
        self.mlp = Perceptron(numbers, self.dec.parameters_of_style, hidden)

    def content(self, picture: Tensor) -> Tensor:
        """What a picture (B, 3, H, W) in [-1, 1] shows: (B, C, h, w)."""
        found: Tensor = self.enc_content(picture)
        return found

    def style(self, picture: Tensor) -> Tensor:
        """How a picture (B, 3, H, W) in [-1, 1] looks: (B, numbers)."""
        found: Tensor = self.enc_style(picture)
        return found

    def decode(self, content: Tensor, style: Tensor) -> Tensor:
        """A picture of this domain: (B, 3, H, W) in [-1, 1]."""
        found: Tensor = self.dec(content, self.mlp(style))
        return found


class Discriminators(nn.Module):
    """Patch discriminators that look at a picture at several scales, each half as large as the one before.

    Args:
        width: Channels of the first layer; they double with every layer.
        layers: Steps down of each.
        scales: How many.

    Example:
        >>> [tuple(scale[-1].shape) for scale in Discriminators(width=4, layers=3, scales=2)(torch.zeros(1, 3, 32, 48))]
        [(1, 1, 4, 6), (1, 1, 2, 3)]
    """

    def __init__(self, width: int, layers: int, scales: int) -> None:
        super().__init__()
        self.cnns = nn.ModuleList(discriminator(width, layers) for _ in range(scales))

    def forward(self, picture: Tensor) -> list[list[Tensor]]:
        """The logits at every scale, finest first, each in a list of its own: nothing else of them is asked."""
        found = []
        for layers in self.cnns:
            found.append([layers(picture)])
            picture = halved(picture)
        return found


def discriminator(width: int, layers: int) -> nn.Sequential:
    """One of them."""
    widths = [3, *(width << step for step in range(layers))]
    steps = [Convolution(a, b, 4, 2, 1, None, leaky) for a, b in pairwise(widths)]
    return nn.Sequential(*steps, Conv2d(widths[-1], 1, 1))
