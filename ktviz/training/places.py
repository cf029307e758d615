"""Where attributes show in aligned pictures: where those that have one differ on the average from the others."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from ktviz.images import Pixels

EFFECT = 0.5
"""From which a pixel shows an attribute."""
AROUND = 5
"""Side of the square by which places grow, and over which their edges are softened, in px."""
LOCAL = 0.32
"""Part of a picture that an attribute covers at most that shows in one place: more is said by all of it."""
AT_ONCE = 256
"""Pictures added up at a time."""


def effects(pictures: Pixels, has: Tensor) -> Tensor:
    """How far pictures with an attribute differ from the others: Cohen's d, of the colour in which it is largest.

    Args:
        pictures: (n, H, W, 3) uint8, aligned.
        has: (n, attributes) 0 or 1.

    Returns:
        (attributes, H, W), the difference of means over the standard deviation; 0 for what all pictures have, or none.

    Example:
        >>> import numpy as np
        >>> pictures = np.zeros((4, 8, 8, 3), np.uint8)
        >>> pictures[:2, :2] = [[[[200]]], [[[220]]]]
        >>> found = effects(pictures, torch.tensor([[1.0], [1.0], [0.0], [0.0]]))
        >>> places(found)[0, 0, :, 0].round(decimals=1)
        tensor([1.0000, 1.0000, 0.8000, 0.6000, 0.4000, 0.2000, 0.0000, 0.0000])
    """
    with_it, without = moments(pictures, has), moments(pictures, 1 - has)
    apart = (with_it[0] - without[0]).abs()
    spread = ((with_it[1] + without[1]) / 2).sqrt()
    found: Tensor = (apart / spread).nan_to_num(0.0).amax(-1)  # nothing over nothing is none
    return found


def places(effect: Tensor, least: float = EFFECT) -> Tensor:
    """Where each attribute shows.

    Args:
        effect: (attributes, H, W).
        least: From which a pixel shows it.

    Returns:
        (attributes, 1, H, W) from 0 to 1, with soft edges.
    """
    there = (effect[:, None] > least).float()
    grown = F.max_pool2d(there, AROUND, stride=1, padding=AROUND // 2)
    return F.avg_pool2d(grown, AROUND, stride=1, padding=AROUND // 2, count_include_pad=False)


def moments(pictures: Pixels, counts: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and variance of some of the pictures, by (n, sets) 0 or 1: (sets, H, W, 3); NaN for none."""
    several = counts.double().T
    total, squares = (torch.zeros(len(several), *pictures.shape[1:], dtype=torch.float64) for _ in range(2))
    for start in range(0, len(pictures), AT_ONCE):
        values = torch.from_numpy(pictures[start : start + AT_ONCE]).double()
        mine = several[:, start : start + AT_ONCE]
        total += torch.tensordot(mine, values, 1)
        squares += torch.tensordot(mine, values.square(), 1)
    count = several.sum(1)[:, None, None, None]
    mean = total / count
    return mean, (squares / count - mean.square()).clamp(min=0)


def local(shown: Tensor) -> Tensor:
    """Whether each attribute shows in one place: (attributes, 1, H, W) to (attributes,) bool."""
    covered: Tensor = shown.mean((1, 2, 3))
    return (covered > 0) & (covered <= LOCAL)
