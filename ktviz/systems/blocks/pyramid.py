"""Pictures at several scales."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F


def halved(planes: Tensor) -> Tensor:
    """Half the size, by means that leave out what lies beyond the border: (B, C, H, W) to (B, C, H/2, W/2)."""
    return F.avg_pool2d(planes, 3, stride=2, padding=1, count_include_pad=False)


def doubled(features: Tensor) -> Tensor:
    """Twice the size, every cell four times: (B, C, h, w) to (B, C, 2 h, 2 w)."""
    return F.interpolate(features, scale_factor=2, mode="nearest")
