"""What the networks read besides the classes: borders of objects, and one code a region."""

from __future__ import annotations

import torch
from torch import Tensor


def edges(ids: Tensor) -> Tensor:
    """1 where a pixel touches another object, on either side: (B, 1, H, W) to the same, float.

    Example:
        >>> edges(torch.tensor([[[[1, 1, 2, 2]]]])).tolist()
        [[[[0.0, 1.0, 1.0, 0.0]]]]
    """
    found = torch.zeros(ids.shape, dtype=torch.bool, device=ids.device)
    across, down = ids[..., 1:] != ids[..., :-1], ids[..., 1:, :] != ids[..., :-1, :]
    found[..., 1:] |= across
    found[..., :-1] |= across
    found[..., 1:, :] |= down
    found[..., :-1, :] |= down
    return found.float()


def region_means(features: Tensor, ids: Tensor) -> Tensor:
    """The mean code of every region, at all its pixels; regions of different samples are different ones.

    Args:
        features: (B, C, H, W).
        ids: (B, 1, H, W) int: of an object, or of a class.

    Example:
        >>> region_means(torch.tensor([[[[1.0, 3.0, 8.0]]]]), torch.tensor([[[[7, 7, 2]]]])).tolist()
        [[[[2.0, 2.0, 8.0]]]]
    """
    batch, channels = features.shape[:2]
    own = ids.reshape(batch, -1).long()
    step = own.max() - own.min() + 1  # so that a number in one sample is another one in the next
    apart = own + step * torch.arange(batch, device=own.device)[:, None]
    regions, region = torch.unique(apart.flatten(), return_inverse=True)
    flat = features.flatten(2).movedim(1, 2).reshape(-1, channels)
    sums = flat.new_zeros(len(regions), channels).index_add(0, region, flat)
    means = sums / torch.bincount(region, minlength=len(regions))[:, None]
    return means[region].reshape(batch, -1, channels).movedim(2, 1).reshape(features.shape)
