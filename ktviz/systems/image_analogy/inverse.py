"""Learned inverse blocks: one pass in place of an optimisation, from features back to features two levels below."""

from __future__ import annotations

import os
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ktviz.networks.threads import Conv2d
from ktviz.networks.weights import load_weights, save_weights
from ktviz.systems.image_analogy.pyramid import LEVELS, WIDTHS, Pyramid

HIDDEN = {5: 64, 4: 48, 3: 32, 2: 32}
"""Channels inside the block that starts at each level."""


class InverseBlock(nn.Module):
    """Corrects values two levels below a target so that the pyramid takes them nearer to the target.

    It sees the target, by how much the values miss it, and the values; its output is a correction of the values.

    Args:
        above: Channels of the target.
        below: Channels of the values; 3 for pixels.
        hidden: Channels inside.
    """

    def __init__(self, above: int, below: int, hidden: int) -> None:
        super().__init__()
        self.target = border_conv(2 * above, hidden)
        self.middle = border_conv(hidden, hidden)
        self.joined = border_conv(hidden + below, hidden)
        self.correction = border_conv(hidden, below)
        for weights in self.correction.parameters():
            nn.init.zeros_(weights)  # an untrained block corrects nothing

    def forward(self, values: Tensor, target: Tensor, missing: Tensor) -> Tensor:
        """(B, below, h, w), (B, above, h/4, w/4) twice, to (B, below, h, w); sizes are rounded up."""
        height, width = values.shape[2:]
        inner = F.relu(self.target(torch.cat((target, missing), 1)))
        inner = F.relu(self.middle(enlarged(inner, (-(-height // 2), -(-width // 2)))))
        inner = F.relu(self.joined(torch.cat((enlarged(inner, (height, width)), values), 1)))
        corrected: Tensor = values + self.correction(inner)
        return corrected


class Inverse(nn.Module):
    """The four blocks of a pyramid: conv5_1 to conv3_1, conv4_1 to conv2_1, conv3_1 to conv1_1, conv2_1 to pixels.

    Args:
        widths: Channels of the pyramid's levels 1 to 5.
    """

    def __init__(self, widths: Sequence[int] = WIDTHS) -> None:
        super().__init__()
        channels = (3, *widths)
        for level, hidden in HIDDEN.items():
            self.add_module(LEVELS[level], InverseBlock(channels[level], channels[level - 2], hidden))

    @classmethod
    def load(cls, path: str | os.PathLike[str], widths: Sequence[int] = WIDTHS) -> Inverse:
        """Blocks that `ktviz train image-analogy` or `save` wrote.

        Raises:
            WeightsError: The file is missing, damaged, of another architecture, or holds NaN.
        """
        inverse = cls(widths)
        load_weights(inverse, path)
        return inverse.eval().requires_grad_(False)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the weights, rounded to float16, with a digest of them, for `load`.

        Raises:
            StorageError: The disk refuses.
        """
        save_weights(self, path, {})

    def forward(self, pyramid: Pyramid, values: Tensor, target: Tensor, level: int) -> Tensor:
        """Values of `level` - 2 whose features at `level` come near to the target.

        Args:
            pyramid: The frozen pyramid that the blocks invert.
            values: (B, C, h, w), where to start; kept above 0, or within [0, 1] for pixels.
            target: (B, C', h', w').
            level: Of the target.
        """
        missing = target - pyramid.between(values, level - 2, level)[-1]
        made = self.get_submodule(LEVELS[level])(values, target, missing)
        return made.clamp(0, 1) if level == 2 else F.relu(made)


def border_conv(inputs: int, outputs: int) -> Conv2d:
    """A 3x3 convolution that repeats the border, which maps of any size have."""
    return Conv2d(inputs, outputs, 3, padding=1, padding_mode="replicate")


def enlarged(values: Tensor, size: tuple[int, int]) -> Tensor:
    """Values (B, C, h, w) repeated to another height and width."""
    return F.interpolate(values, size=size, mode="nearest")
