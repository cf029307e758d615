"""The losses of pix2pixHD (section 3.2): least squares at every scale, and features alike in the discriminators."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

Maps = Sequence[Sequence[Tensor]]
"""What `Discriminators` say: by scale and layer."""


def adversarial(maps: Maps, real: bool) -> Tensor:
    """How far the last maps are from saying real, or fake: mean squares, summed over the scales."""
    return torch.stack([F.mse_loss(scale[-1], torch.full_like(scale[-1], float(real))) for scale in maps]).sum()


def adversarial_log(maps: Maps, real: bool) -> Tensor:
    """The same by cross-entropy."""
    losses = [F.binary_cross_entropy_with_logits(s[-1], torch.full_like(s[-1], float(real))) for s in maps]
    return torch.stack(losses).sum()


def feature_matching(fake: Maps, real: Maps, weight: float = 10.0) -> Tensor:
    """How far the discriminators' features of a made picture are from those of the true one; none flow back from these.

    Every scale counts the same, and every layer a fourth of what four would: the published balance for three layers
    with strides.
    """
    layers = len(fake[0]) - 1
    differences = [
        F.l1_loss(one, other.detach())
        for made, true in zip(fake, real, strict=True)
        for one, other in zip(made[:-1], true[:-1], strict=True)
    ]
    return torch.stack(differences).sum() * (4 / layers) / len(fake) * weight
