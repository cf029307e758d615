"""Features of a fixed network, by which training compares pictures: the shipped pyramid in the place of VGG-19."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ktviz.systems.image_analogy.packaged import WEIGHTS
from ktviz.systems.image_analogy.pyramid import Pyramid


class Perceptual(nn.Module):
    """Features of pictures in [-1, 1], conv1_1 to conv5_1, each level brought to an RMS of 1 on some photographs.

    Args:
        photographs: (B, 3, H, W) in [-1, 1], on which the RMS is measured.
        pyramid: The network; the shipped one if None.
    """

    scale: Tensor

    def __init__(self, photographs: Tensor, pyramid: Pyramid | None = None) -> None:
        super().__init__()
        self.pyramid = Pyramid.load(WEIGHTS.path("pyramid.safetensors")) if pyramid is None else pyramid
        self.requires_grad_(False)
        with torch.no_grad():
            levels = self.pyramid((photographs + 1) / 2)
        self.register_buffer("scale", torch.stack([1 / level.square().mean().sqrt() for level in levels]))

    def forward(self, picture: Tensor) -> list[Tensor]:
        """Five maps, the finest first."""
        levels = self.pyramid((picture + 1) / 2)
        return [scale * level for scale, level in zip(self.scale, levels, strict=True)]
