"""What discriminators at several scales say of a picture, as losses.

`Maps` are by scale and layer; the last of a scale are its logits, the others features.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

Maps = Sequence[Sequence[Tensor]]


def scales(loss: Callable[[Tensor], Tensor], maps: Maps) -> Tensor:
    """A loss of the logits of every scale: (scales,)."""
    return torch.stack([loss(scale[-1]) for scale in maps])


def least_squares(logits: Tensor, real: bool) -> Tensor:
    """How far logits are from 1, which says real, or from 0 (LSGAN, Mao et al. 2017)."""
    return F.mse_loss(logits, torch.full_like(logits, float(real)))


def cross_entropy(logits: Tensor, real: bool) -> Tensor:
    """The same as a probability (Goodfellow et al. 2014)."""
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, float(real)))


def hinge(logits: Tensor, real: bool) -> Tensor:
    """How far a discriminator is from a margin of 1 on the right side (Lim and Ye 2017).

    Example:
        >>> hinge(torch.tensor([2.0, 0.5, -1.0]), real=True)
        tensor(0.8333)
    """
    return F.relu(1 - logits if real else 1 + logits).mean()


def feature_matching(fake: Maps, real: Maps) -> Tensor:
    """How far the discriminators' features of a made picture are from those of the true one, where nothing flows back.

    Layers are added up, scales averaged (Wang et al. 2018, equation 4).
    """
    apart = [
        F.l1_loss(one, other.detach())
        for made, true in zip(fake, real, strict=True)
        for one, other in zip(made[:-1], true[:-1], strict=True)
    ]
    return torch.stack(apart).sum() / len(fake)
