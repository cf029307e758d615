"""Noise that says what pictures look like, so that labels can tell which of all hats was meant."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from ktviz.errors import SettingError
from ktviz.images import Pixels

SMALLER = 2
"""Sides over those at which pictures are looked at."""
SAMPLE = 1024
"""Pictures out of which components are found, at most."""
SMALLEST = 1e-6
"""Of what varies most, from which something varies at all; and of each number, from 0 to 1."""


def looks(pictures: Pixels, has: Tensor, shown: Tensor, groups: Sequence[Sequence[int]], size: int) -> Tensor:
    """A row of noise for each picture that says what its attributes look like.

    Of the pictures that have an attribute, and of what shows in its place, principal components say most with few
    numbers. What follows from which attributes are there, and from the numbers of the groups before, is taken away
    first: a fringe does not say which hat is above it. So numbers have mean 0 and variance 1 and do not correlate, as
    noise that is drawn. Pictures that lack the attribute have drawn numbers in their stead.

    Args:
        pictures: (n, H, W, 3) uint8, aligned.
        has: (n, attributes) 0 or 1.
        shown: (attributes, 1, H, W) the places of attributes, from 0 to 1.
        groups: Of attributes, the clearest first; each has as many numbers, and what is left over is drawn.
        size: Numbers of a row.

    Returns:
        (n, size) float32.

    Raises:
        SettingError: There are more groups than numbers.

    Example:
        >>> import numpy as np
        >>> pictures = np.arange(0, 250, 50, dtype=np.uint8)[:, None, None, None].repeat(4, 1).repeat(4, 2).repeat(3, 3)
        >>> looks(pictures, torch.ones(5, 1), torch.ones(1, 1, 4, 4), [[0]], 1)[:, 0].abs().round(decimals=1)
        tensor([1.4000, 0.7000, 0.0000, 0.7000, 1.4000])
    """
    if size < len(groups):
        found, todo = f"{len(groups)} groups of attributes", f"Give {len(groups)} or more, or begin with drawn noise"
        raise SettingError(f"noise of {size} numbers", found, todo)
    noise, known, each = torch.randn(len(pictures), size), has.clone(), size // len(groups)
    for place, group in enumerate(groups):
        mine = (has[:, list(group)].amax(1) > 0).nonzero()[:, 0]
        if len(mine) > 1:
            there = seen(pictures[mine.numpy()], shown[list(group)].amax(0))
            numbers = components(beyond(there, known[mine]), each)
            columns = slice(place * each, place * each + numbers.shape[1])
            noise[mine, columns] = numbers
            known = torch.cat([known, torch.zeros(len(known), numbers.shape[1])], 1)
            known[mine, known.shape[1] - numbers.shape[1] :] = numbers
    return noise


def seen(pictures: Pixels, where: Tensor) -> Tensor:
    """What shows in a place (1, H, W), as rows of numbers."""
    planes = torch.from_numpy(pictures).permute(0, 3, 1, 2)
    smaller = torch.cat([F.avg_pool2d(part.float() / 127.5 - 1, SMALLER) for part in planes.split(SAMPLE)])
    rows: Tensor = (smaller * F.avg_pool2d(where.float()[None], SMALLER)).flatten(1)
    return rows


def beyond(values: Tensor, known: Tensor) -> Tensor:
    """Values (n, numbers) without what is a linear function of what is known (n, k)."""
    given = torch.cat([torch.ones(len(known), 1), known], 1).double()
    directions, sizes, _ = torch.linalg.svd(given, full_matrices=False)
    directions = directions[:, sizes > SMALLEST * sizes[0]].float()
    found: Tensor = values - directions @ (directions.T @ values)
    return found


def components(values: Tensor, count: int) -> Tensor:
    """Principal components of rows (n, numbers), each of variance 1: (n, count), or fewer where no more varies."""
    sample = values[:: -(-len(values) // SAMPLE)]
    sizes, directions = torch.linalg.eigh((sample @ sample.T).double())
    sizes, directions = sizes.flip(0)[:count].clamp(min=0), directions.flip(1)[:, :count]
    there = (sizes > SMALLEST * sizes[0]) & (sizes > SMALLEST * sample.numel() * SMALLEST)
    axes = sample.T.double() @ (directions[:, there] / sizes[there].sqrt())
    signs = axes.gather(0, axes.abs().argmax(0, keepdim=True)).sign()  # else either could be found
    scores = values.double() @ (axes * signs)
    equal: Tensor = scores / (sizes[there] / len(sample)).sqrt()
    return equal.float()
