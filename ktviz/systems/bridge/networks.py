"""The networks of bridging: codes of a reference and of labels, pictures of both, and what judges them (section 3).

A code is a map of non-negative numbers, half as large as the picture. Those of what is asked for and of what is there
are added up, so that each has its part in the sum.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ktviz.networks.threads import Conv2d
from ktviz.systems.blocks.pyramid import doubled
from ktviz.systems.blocks.spade import Spade

EPSILON = 1e-6
Activation = Callable[[Tensor], Tensor]
Code = Tensor | Sequence[tuple[Tensor, Tensor]]
"""A code (B, codes, h, w); or several, each after its part in what the norms make of them."""
Modulations = list[tuple[float, float]]
"""What a code says at each norm that it reaches: mean size of the scales beyond 1, and of the shifts."""


def normed(channels: int) -> nn.InstanceNorm2d:
    """Instance norm with a gain and an offset."""
    return nn.InstanceNorm2d(channels, EPSILON, affine=True)


def bare_norm(features: Tensor) -> Tensor:
    """Instance norm without: (B, C, h, w) to the same."""
    return F.instance_norm(features, eps=EPSILON)


def leaky(features: Tensor) -> Tensor:
    """What lets a fifth of what is below 0 through."""
    return F.leaky_relu(features, 0.2)


class Residual(nn.Module):
    """A residual block that norms and activates before it convolves.

    Args:
        inside: Channels that come in.
        outside: Channels that go out.
        resize: "up" for twice the size, "down" for half of it, or "" for the same.
        norm: Makes the norm of so many channels; none if None.
        activation: Before each convolution.
    """

    def __init__(
        self,
        inside: int,
        outside: int,
        resize: str = "",
        norm: Callable[[int], nn.Module] | None = normed,
        activation: Activation = F.relu,
    ) -> None:
        super().__init__()
        self.resize, self.activation = resize, activation
        self.norm_1 = None if norm is None else norm(inside)
        self.conv_1 = Conv2d(inside, outside, 3, padding=1)
        self.norm_2 = None if norm is None else norm(outside)
        self.conv_2 = Conv2d(outside, outside, 3, padding=1)
        self.shortcut = Conv2d(inside, outside, 1) if resize or inside != outside else None

    def forward(self, features: Tensor, code: Code | None = None, modulations: Modulations | None = None) -> Tensor:
        """(B, C, h, w); with a code where the norms take one, and a list for what it says."""
        found = self.larger(self.activation(adjusted(self.norm_1, features, code, modulations)))
        found = self.conv_2(self.activation(adjusted(self.norm_2, self.conv_1(found), code, modulations)))
        kept = self.larger(features)
        kept = kept if self.shortcut is None else self.shortcut(kept)
        return self.smaller(found) + self.smaller(kept)

    def larger(self, features: Tensor) -> Tensor:
        return doubled(features) if self.resize == "up" else features

    def smaller(self, features: Tensor) -> Tensor:
        return F.avg_pool2d(features, 2) if self.resize == "down" else features


def adjusted(
    norm: nn.Module | None, features: Tensor, code: Code | None, modulations: Modulations | None = None
) -> Tensor:
    """Features after a norm, which may take a code, or a mixture of what it makes of several."""
    if norm is None:
        return features
    if code is None:
        found: Tensor = norm(features)
        return found
    assert isinstance(norm, Spade)
    if isinstance(code, Tensor):
        scale, shift = norm.modulation(features, code)
    else:  # parts add up to 1, so that what is said can be mixed in place of what is made of it
        said = [[part * one for one in norm.modulation(features, code)] for part, code in code]
        scale, shift = (torch.stack(several).sum(0) for several in zip(*said, strict=True))
    if modulations is not None:
        modulations.append((float(scale.detach().abs().mean()), float(shift.detach().abs().mean())))
    return norm.modulated(features, scale, shift)


class Encoder(nn.Module):
    """The code of a picture in a direction of attributes (E).

    Args:
        attributes: How many there are.
        width: Channels at full size, and twice as many of the code.
        blocks: Residual blocks after the step down.
        norms: Whether blocks and codes are normed, as published. What labels say is the same everywhere, and a norm
            takes it away; and a code that is normed is never nothing.

    Example:
        >>> Encoder(4, width=3, blocks=1)(torch.zeros(1, 3, 32, 32), torch.zeros(1, 4)).shape
        torch.Size([1, 6, 16, 16])
    """

    def __init__(self, attributes: int, width: int, blocks: int, norms: bool = True) -> None:
        super().__init__()
        norm = normed if norms else None
        self.entry = Conv2d(3 + attributes, width, 1)
        others = (Residual(2 * width, 2 * width, "", norm) for _ in range(blocks))
        self.blocks = nn.ModuleList([Residual(width, 2 * width, "down", norm), *others])
        self.last = Conv2d(2 * width, 2 * width, 1)
        self.norm = normed(2 * width) if norms else None

    def forward(self, picture: Tensor, difference: Tensor) -> Tensor:
        """(B, 3, H, W) in [-1, 1] and (B, attributes) to (B, codes, H/2, W/2), from 0."""
        planes = difference[:, :, None, None].expand(-1, -1, *picture.shape[2:])
        found = self.entry(torch.cat([picture, planes], 1))
        for block in self.blocks:
            found = block(found)
        return F.relu(adjusted(self.norm, self.last(F.relu(found)), None))


class Mapping(nn.Module):
    """The code of a difference of attributes and of noise, without any picture (M).

    Args:
        attributes: How many there are.
        noise: Numbers of it.
        codes: Channels of the code.
        ups: Steps up, each by 2, and
        start: the side from which they lead.
        norms: Whether codes are normed, as published.

    Example:
        >>> Mapping(4, noise=6, codes=6, ups=2)(torch.zeros(1, 6), torch.zeros(1, 4)).shape
        torch.Size([1, 6, 16, 16])
    """

    def __init__(self, attributes: int, noise: int, codes: int, ups: int, start: int = 4, norms: bool = True) -> None:
        super().__init__()
        self.start = start
        self.entry = nn.Linear(noise + attributes, start * start * 2 * codes)
        self.blocks = nn.ModuleList(Residual(codes if step else 2 * codes, codes, "up") for step in range(ups))
        self.last, self.norm = Conv2d(codes, codes, 1), normed(codes) if norms else None

    def forward(self, noise: Tensor, difference: Tensor) -> Tensor:
        """(B, noise) and (B, attributes) to (B, codes, h, w), from 0."""
        found = self.entry(torch.cat([noise, difference], 1)).unflatten(1, (-1, self.start, self.start))
        for block in self.blocks:
            found = block(found)
        return F.relu(adjusted(self.norm, self.last(F.relu(found)), None))


class Generator(nn.Module):
    """A picture out of the source and of a code (G).

    Args:
        codes: Channels of the code.
        width: Channels at full size; they double with every step down.
        downs: Steps down, and up again.
        hidden: Channels between code and norms.
        leaking: Whether a fifth of what is below 0 comes to the last layer; published: nothing. Where a small network
            has nothing above 0, the colour is always the same, and does not learn.

    Example:
        >>> Generator(6, width=4, downs=2, hidden=8)(torch.zeros(1, 3, 32, 32), torch.zeros(1, 6, 16, 16)).shape
        torch.Size([1, 3, 32, 32])
    """

    def __init__(self, codes: int, width: int, downs: int, hidden: int, leaking: bool = False) -> None:
        super().__init__()

        def injected(channels: int) -> Spade:
            return Spade(channels, codes, hidden, bare_norm, nn.ZeroPad2d)

        widths = [width << step for step in range(downs + 1)]
        deep = widths[-1]
        self.entry = Conv2d(3, width, 1)
        downward = [Residual(widths[step], widths[step + 1], "down") for step in range(downs)]
        self.before = nn.ModuleList([*downward, Residual(deep, deep)])
        self.after = nn.ModuleList(
            [
                Residual(deep, deep, "", injected),
                *(Residual(widths[step + 1], widths[step], "up", injected) for step in reversed(range(downs))),
            ]
        )
        self.activation: Activation = leaky if leaking else F.relu
        self.last = Conv2d(width, 3, 1)

    def between(
        self, picture: Tensor, alpha: Tensor, one: Tensor, other: Tensor, modulations: Modulations | None = None
    ) -> Tensor:
        """A picture of two codes, as the published test mixes them: not the codes, but what every norm makes of them.

        Args:
            picture: (B, 3, H, W).
            alpha: Part of the first code, from 0 to 1.
            one: (B, codes, h, w).
            other: The same.
            modulations: As in `forward`.
        """
        return self.forward(picture, ((alpha, one), (1 - alpha, other)), modulations)

    def forward(self, picture: Tensor, code: Code, modulations: Modulations | None = None) -> Tensor:
        """(B, 3, H, W) and (B, codes, h, w), or several, to (B, 3, H, W), both in [-1, 1]; a list gets what they say
        at two norms of each block."""
        found = self.entry(picture)
        for block in self.before:
            found = block(found)
        for block in self.after:
            found = block(found, code, modulations)
        return torch.tanh(self.last(self.activation(found)))


class Discriminator(nn.Module):
    """How real a picture is, and which attributes it has (D).

    Args:
        attributes: How many there are.
        width: Channels at full size; they double with every step down.
        downs: Steps down.
        side: Of a picture in px.

    Example:
        >>> real, has = Discriminator(4, width=4, downs=3, side=32)(torch.zeros(1, 3, 32, 32))
        >>> real.shape, has.shape
        (torch.Size([1, 1]), torch.Size([1, 4]))
    """

    def __init__(self, attributes: int, width: int, downs: int, side: int) -> None:
        super().__init__()
        self.entry = Conv2d(3, width, 1)
        self.blocks = nn.ModuleList(
            Residual(width << step, width << (step + 1), "down", None, leaky) for step in range(downs)
        )
        deep, left = width << downs, side >> downs
        self.real, self.real_last = Conv2d(deep, deep, left), nn.Linear(deep, 1)
        self.has, self.has_last = Conv2d(deep, deep, left), nn.Linear(deep, attributes)

    def forward(self, picture: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, H, W) in [-1, 1] to (B, 1) and (B, attributes) logits."""
        found = self.entry(picture)
        for block in self.blocks:
            found = block(found)
        found = leaky(found)
        return (
            self.real_last(leaky(self.real(found)).flatten(1)),
            self.has_last(leaky(self.has(found)).flatten(1)),
        )
