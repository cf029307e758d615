"""The networks of pix2pixHD: generators, encoder and discriminators (Wang et al. 2018, section 3).

The state dicts of generator and encoder have the keys of the published code; those of the discriminators are named
by scale and layer (`published_keys`).
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import cast

from torch import Tensor, nn

from ktviz.networks.threads import Conv2d
from ktviz.systems.blocks.hourglass import Hourglass, ResidualBlock, down, entry, last, up
from ktviz.systems.blocks.pyramid import halved


class LocalEnhancer(nn.Module):
    """A generator for twice the size: a global one at half the size, and finer features added to its (section 3.1).

    Args:
        inside: Channels that come in.
        width: Channels at full size; the global generator works with twice as many at half the size.
        downs: Steps down of the global generator.
        blocks: Its residual blocks.
        local_blocks: Residual blocks after the sum.

    Example:
        >>> import torch
        >>> LocalEnhancer(10, width=3, downs=2, blocks=1, local_blocks=2)(torch.zeros(1, 10, 32, 48)).shape
        torch.Size([1, 3, 32, 48])
    """

    def __init__(self, inside: int, width: int, downs: int, blocks: int, local_blocks: int) -> None:
        super().__init__()
        whole = Hourglass(inside, 3, 2 * width, downs, blocks).model
        self.model = whole[: -len(last(width, 3))]
        self.model1_1 = nn.Sequential(*entry(inside, width), *down(width))
        self.model1_2 = nn.Sequential(
            *(ResidualBlock(2 * width) for _ in range(local_blocks)), *up(width), *last(width, 3)
        )

    def forward(self, planes: Tensor) -> Tensor:
        picture: Tensor = self.model1_2(self.model1_1(planes) + self.model(halved(planes)))
        return picture


class Discriminators(nn.Module):
    """Patch discriminators that look at a picture at several scales (section 3.2).

    Args:
        inside: Channels that come in: label planes and picture.
        width: Channels of the first layer; they double with every layer, up to 512.
        layers: Layers with a stride, before two without.
        scales: Discriminators, each at half the size of the one before.

    Example:
        >>> import torch
        >>> maps = Discriminators(10, width=4, layers=3, scales=2)(torch.zeros(1, 10, 32, 48))
        >>> [tuple(scale[-1].shape[2:]) for scale in maps]
        [(7, 9), (5, 6)]
    """

    def __init__(self, inside: int, width: int, layers: int, scales: int) -> None:
        super().__init__()
        self.scales = nn.ModuleList(patch_discriminator(inside, width, layers) for _ in range(scales))

    def forward(self, planes: Tensor) -> list[list[Tensor]]:
        """The maps of all layers at every scale, finest first; the last of each are its logits."""
        found = []
        for layers in self.scales:
            maps = [planes]
            for layer in cast(nn.ModuleList, layers):
                maps.append(layer(maps[-1]))
            found.append(maps[1:])
            planes = halved(planes)
        return found


def patch_discriminator(inside: int, width: int, layers: int) -> nn.ModuleList:
    """The layers of one discriminator; all pad by 2, so that maps grow by one cell a layer."""
    widths = [min(width << step, 512) for step in range(layers + 1)]
    found = [nn.Sequential(Conv2d(inside, width, 4, 2, 2), nn.LeakyReLU(0.2))]
    for step, (before, after) in enumerate(pairwise(widths), 1):
        stride = 2 if step < layers else 1
        norm = nn.InstanceNorm2d(after)
        found.append(nn.Sequential(Conv2d(before, after, 4, stride, 2), norm, nn.LeakyReLU(0.2)))
    return nn.ModuleList([*found, nn.Sequential(Conv2d(widths[-1], 1, 4, 1, 2))])


def published_keys(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A discriminators' state dict of the published code under our names: there the last scale is the finest.

    Example:
        >>> import torch
        >>> list(published_keys({"scale0_layer4.0.bias": torch.zeros(1), "scale1_layer4.0.bias": torch.zeros(1)}))
        ['scales.1.4.0.bias', 'scales.0.4.0.bias']
    """
    parts = {key: key.removeprefix("scale").replace("_layer", ".").split(".", 1) for key in state}
    finest = max(int(scale) for scale, _ in parts.values())
    return {f"scales.{finest - int(parts[key][0])}.{parts[key][1]}": value for key, value in state.items()}
