"""Pairs with known correspondence: a picture, and the same picture bent and in other colours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

AFFINE, SHIFT, BEND = 0.15, 0.1, 0.06
"""Deviations of the affine part, of its shift, and of a smooth bend on a 4x4 grid, in half picture sides."""
MIXING, GAMMA = 0.5, 0.4
"""Deviations of the mixing of colours, and of the logarithm of gamma."""


@dataclass(frozen=True)
class Twins:
    """Pictures and their twins.

    Attributes:
        picture: (B, 3, H, W) in [0, 1].
        twin: The same shape: the picture bent, then recoloured.
        origin: (B, H, W, 2): for each pixel of the twin, x and y in the picture, as `grid_sample` takes them.
    """

    picture: Tensor
    twin: Tensor
    origin: Tensor

    def correspondence(self, height: int, width: int) -> Tensor:
        """(B, height, width, 2): x and y in the picture, -1 to 1, of the twin's cells on a coarser grid."""
        return F.interpolate(self.origin.permute(0, 3, 1, 2), size=(height, width), mode="area").permute(0, 2, 3, 1)


def bends(count: int, height: int, width: int, random: np.random.Generator, strength: float = 1.0) -> Tensor:
    """Where each pixel of a bent picture was: (count, height, width, 2), as `grid_sample` takes it.

    Args:
        count: Of pictures.
        height: Of a picture in px.
        width: Of a picture.
        random: Where the draws come from.
        strength: 0 leaves everything where it is.
    """

    def draw(*shape: int) -> Tensor:
        return strength * torch.from_numpy(random.standard_normal(shape).astype(np.float32))

    affine = torch.cat((torch.eye(2) + AFFINE * draw(count, 2, 2), SHIFT * draw(count, 2, 1)), 2)
    bend = F.interpolate(BEND * draw(count, 2, 4, 4), size=(height, width), mode="bicubic", align_corners=False)
    return F.affine_grid(affine, [count, 3, height, width], align_corners=False) + bend.permute(0, 2, 3, 1)


def twins(picture: Tensor, random: np.random.Generator) -> Twins:
    """Bend and recolour each picture of a batch.

    Args:
        picture: (B, 3, H, W) in [0, 1].
        random: Where the draws come from.
    """
    count, _, height, width = picture.shape

    def draw(*shape: int) -> Tensor:
        return torch.from_numpy(random.standard_normal(shape).astype(np.float32)).to(picture.device)

    origin = bends(count, height, width, random).to(picture.device)
    bent = F.grid_sample(picture, origin, padding_mode="reflection", align_corners=False)
    mixing = torch.eye(3, device=picture.device) + MIXING * draw(count, 3, 3)
    mixed = torch.einsum("bij,bjhw->bihw", mixing, bent)
    low, high = mixed.amin((2, 3), keepdim=True), mixed.amax((2, 3), keepdim=True)
    gamma = (GAMMA * draw(count)).exp()[:, None, None, None]
    return Twins(picture, ((mixed - low) / (high - low).clamp(min=1e-3)) ** gamma, origin)
