"""The losses of CoCosNet (section 3.4 and the published weights)."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional as F

from ktviz.errors import SettingError
from ktviz.systems.blocks.adversarial import Maps, feature_matching, hinge, scales
from ktviz.systems.blocks.contextual import contextual_loss
from ktviz.systems.blocks.levels import LEVELS, Features, across_levels
from ktviz.systems.cocosnet.correspondence import Warp, cells_of_labels
from ktviz.values import number, short, whole

CONTEXT = ((-1, 1, 8.0), (-2, 1, 4.0), (-3, 2, 2.0), (-4, 4, 1.0))
"""Depth, side of the means that are taken there, weight, in `contextual`."""
SMALLEST = 1e-10


@dataclass(frozen=True)
class Weights:
    """Of the losses; those of the published training on ADE20k.

    Attributes:
        domain: Features of label map and photograph alike.
        adversarial: What the discriminators say.
        matching: Their features.
        self_matching: Features of a fixed network, where the exemplar is the target itself.
        perceptual: Its features at one depth.
        depth: Which.
        contextual: Its features, wherever they lie.
        finest: Whether `contextual` takes the second depth, too.
        mask: Labels, warped.
        cycle: There and back.
        self_warp: The warped exemplar, where it is the target itself.

    Raises:
        SettingError: One is no number from 0, or there is no such depth.
    """

    domain: float = 10.0
    adversarial: float = 10.0
    matching: float = 10.0
    self_matching: float = 1.0
    perceptual: float = 0.01
    depth: int = -1
    contextual: float = 10.0
    finest: bool = False
    mask: float = 100.0
    cycle: float = 0.0
    self_warp: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "depth", whole("depth", self.depth))
        for name in (weight.name for weight in fields(self) if weight.name not in ("depth", "finest")):
            object.__setattr__(self, name, number(name, getattr(self, name)))
            if not 0 <= getattr(self, name) < math.inf:
                raise SettingError(f"{name} {getattr(self, name)}", "not a number from 0", "Give 0 for none")
        if not -len(LEVELS) <= self.depth < len(LEVELS):
            raise SettingError(f"depth {self.depth}", f"there are {len(LEVELS)}", "Give -1, the coarsest, or -2")
        if not isinstance(self.finest, bool):
            raise SettingError(f"finest {short(self.finest)}", "neither True nor False", "Give one of them")


def self_matching(fake: Features, real: Features, itself: Tensor) -> Tensor:
    """How far features of fixed depth are from the true ones, for samples whose exemplar is the target itself.

    The weights of the samples add up to 1, and are then averaged once more, as published.
    """
    return across_levels(partial(per_sample, itself=itself), fake, real)


def per_sample(made: Tensor, true: Tensor, itself: Tensor) -> Tensor:
    """Mean distance of the samples that are their own exemplar."""
    share = itself / (itself.sum() + 1e-5)
    return ((made - true).abs().flatten(1).mean(1) * share).mean()


def contextual(fake: Features, exemplar: Features, finest: bool) -> Tensor:
    """How far features are from having their likes in the exemplar's."""
    found = []
    for depth, side, weight in CONTEXT if finest else CONTEXT[:-1]:
        made, wanted = (F.avg_pool2d(f[depth], side) for f in (fake, exemplar))
        found.append(weight * contextual_loss(made, wanted.detach(), "channels").mean())
    return torch.stack(found).sum()


def masked_labels(warp: Warp, labels: Tensor, exemplar_labels: Tensor) -> Tensor:
    """How unlike the target's labels the exemplar's are, warped to it; unknown ones and those it lacks do not count.

    Args:
        warp: Of the cells.
        labels: Planes of the target's labels, (B, classes, H, W); the first is for unknown.
        exemplar_labels: Of the exemplar's.
    """
    there, wanted = cells_of_labels(exemplar_labels).flatten(2), cells_of_labels(labels).flatten(2).argmax(1)
    known = (exemplar_labels.flatten(2).amax(2) > 0).float()
    known[:, 0] = 0
    mixed = warp.to_target(there.mT).mT
    apart = F.nll_loss((mixed + SMALLEST).log(), wanted, reduction="none")
    counted = known.gather(1, wanted)
    return (apart * counted).sum() / counted.sum().clamp(min=1)


def cycled(warp: Warp, cells: Tensor) -> Tensor:
    """How far the exemplar's cells, (B, M, V), are from themselves, there and back."""
    return F.l1_loss(warp.to_exemplar(warp.to_target(cells)), cells)


def generator_losses(
    fake: Maps, real: Maps, made: Features, true: Features, exemplar: Features, itself: Tensor, weights: Weights
) -> dict[str, Tensor]:
    """What the made picture adds, by name.

    Args:
        fake: What the discriminators say of it.
        real: And of the target.
        made: Features of the made picture by a fixed network.
        true: Of the target.
        exemplar: Of the exemplar.
        itself: (B,) 1 for samples whose exemplar is the target itself.
        weights: Of all losses.
    """
    passing = scales(lambda logits: -logits.mean(), fake).mean()
    return {
        "adversarial": weights.adversarial * passing,
        "matching": weights.matching * feature_matching(fake, real),
        "self_matching": weights.self_matching * self_matching(made, true, itself),
        "perceptual": weights.perceptual * F.mse_loss(made[weights.depth], true[weights.depth].detach()),
        "contextual": weights.contextual * contextual(made, exemplar, weights.finest),
    }


def discriminator_losses(fake: Maps, real: Maps, weights: Weights) -> dict[str, Tensor]:
    """Of the discriminators, for maps of a made picture through which nothing flows back."""
    return {
        "fake": weights.adversarial * scales(lambda logits: hinge(logits, False), fake).mean(),
        "real": weights.adversarial * scales(lambda logits: hinge(logits, True), real).mean(),
    }
