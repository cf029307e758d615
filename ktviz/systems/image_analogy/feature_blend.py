"""Blending: where a picture's own features are strong, they are kept; elsewhere the other picture's are taken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

Curve = Literal["sigmoid", "step"]
CURVES: tuple[Curve, ...] = ("sigmoid", "step")
SHARPNESS, THRESHOLD = 300.0, 0.05
"""kappa and tau."""


@dataclass(frozen=True)
class FeatureBlend:
    """How much of a picture's own features is kept at one level.

    Attributes:
        response: (H, W), the features' energy, 0 to 1.
        kept: (H, W), that part of them: 0 to the level's alpha.
    """

    response: Tensor
    kept: Tensor

    def mix(self, own: Tensor, other: Tensor) -> Tensor:
        """kept * own + (1 - kept) * other, of (C, H, W)."""
        return self.kept * own + (1 - self.kept) * other

    def cpu(self) -> FeatureBlend:
        """The same on the CPU."""
        return FeatureBlend(self.response.cpu(), self.kept.cpu())


def blend(own: Tensor, alpha: float, curve: Curve = "sigmoid") -> FeatureBlend:
    """How much is kept of a picture's own features (C, H, W).

    The paper's sigmoid, alpha * sigmoid(300 (m - 0.05)), or the published code's step: alpha where m >= 0.05. The
    response m is the sum of squared features, from 0 at its least to 1 at its most; of a picture that is the same
    everywhere, 0.
    """
    energy = own.square().sum(0)
    low, high = energy.min(), energy.max()
    response = (energy - low) / torch.where(high > low, high - low, torch.ones_like(high))
    if curve == "step":
        return FeatureBlend(response, alpha * (response >= THRESHOLD).to(own.dtype))
    return FeatureBlend(response, alpha * torch.sigmoid(SHARPNESS * (response - THRESHOLD)))
