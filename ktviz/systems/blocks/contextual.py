"""The contextual loss (Mechrez et al. 2018): features alike wherever they lie."""

from __future__ import annotations

from typing import Literal

from torch import Tensor
from torch.nn import functional as F

from ktviz.systems.blocks.norms import unit

BANDWIDTH = 0.1


def contextual_loss(features: Tensor, exemplar: Tensor, centring: Literal["channels", "places"]) -> Tensor:
    """How far features are from having their likes in an exemplar: (B, C, h, w) twice to (B,).

    Args:
        features: Of the picture that is made.
        exemplar: Of the picture that it should resemble.
        centring: What is taken off both: the exemplar's mean over the channels, at the same place, or over the places.

    Example:
        >>> import torch
        >>> same = torch.randn(1, 8, 6, 6, generator=torch.manual_seed(0))
        >>> bool(contextual_loss(same, same, "places") < contextual_loss(same.flip(1), same, "places"))
        True
    """
    made, wanted = features.flatten(2), exemplar.flatten(2)
    centre = wanted.mean(1 if centring == "channels" else 2, keepdim=True)
    made, wanted = unit(made - centre), unit(wanted - centre)
    distance = 1 - made.mT @ wanted
    relative = distance / (distance.amin(-1, keepdim=True) + 1e-3)
    share = F.softmax((1 - relative) / BANDWIDTH, -1)
    return -share.amax(-1).mean(-1).log()
