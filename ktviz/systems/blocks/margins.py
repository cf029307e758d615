"""Pictures of any size for networks that take whole cells: continued to the right and below by their last pixels.

That adds no object, and no edge where there is none. What a network makes is cut off there again.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F


def missing(height: int, width: int, stride: int, cells: int = 2) -> tuple[int, int]:
    """What sides lack to multiples of a stride, of so many cells at least: below and beside.

    Example:
        >>> missing(20, 33, 16)
        (12, 15)
    """
    below, beside = (max(cells * stride, -(-side // stride) * stride) - side for side in (height, width))
    return below, beside


def widened(image: Tensor, stride: int, cells: int = 2) -> Tensor:
    """A picture (1, 3, H, W) whose sides are multiples of a stride, of so many cells at least."""
    height, width = image.shape[2:]
    below, beside = missing(height, width, stride, cells)
    return F.pad(image, (0, beside, 0, below), mode="replicate")
