"""A small network that tells attributes of portraits: what a made picture shows, asked of somebody else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.portraits import Sitter
from ktviz.images import Pixels

STEPS, BATCH = 1_400, 16
WIDTHS = (16, 32, 64, 96)
SHIFT_PX = 3
"""Pictures are moved by so much, and made lighter or darker by so many parts, so that it learns no pixels by heart."""
LIGHT = 0.05


class Classifier(nn.Module):
    """Down by strided convolutions, then a part of the picture decides as much as any other."""

    def __init__(self, attributes: Sequence[str]) -> None:
        super().__init__()
        self.attributes = tuple(attributes)
        inside = (3, *WIDTHS[:-1])
        self.down = nn.Sequential(*(part for a, b in zip(inside, WIDTHS, strict=True) for part in step(a, b)))
        self.last = nn.Linear(WIDTHS[-1] * 9, len(attributes))

    def forward(self, picture: Tensor) -> Tensor:
        """Logits: (B, attributes)."""
        found: Tensor = self.last(F.adaptive_avg_pool2d(self.down(picture), 3).flatten(1))
        return found

    @torch.no_grad()
    def sees(self, pixels: Pixels) -> dict[str, bool]:
        """The attributes of a picture."""
        return dict(zip(self.attributes, (self(as_batch([pixels]))[0] > 0).tolist(), strict=True))


def step(inside: int, outside: int) -> list[nn.Module]:
    convolutions = [nn.Conv2d(inside, outside, 3, 2, 1), nn.Conv2d(outside, outside, 3, 1, 1)]
    return [part for c in convolutions for part in (c, nn.BatchNorm2d(outside), nn.ReLU())]


def as_batch(pictures: Sequence[Pixels]) -> Tensor:
    """(B, 3, H, W) in [-1, 1]."""
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 127.5 - 1


def trained(sitters: Sequence[Sitter], seed: int = 0) -> Classifier:
    """A classifier that has learned from portraits."""
    torch.manual_seed(seed)
    network, random = Classifier([*sitters[0].has]), np.random.default_rng(seed)
    optimiser = torch.optim.AdamW(network.parameters(), 2e-3, weight_decay=1e-2)
    pictures = as_batch([one.pixels for one in sitters])
    has = torch.tensor([[*one.has.values()] for one in sitters], dtype=torch.float32)
    for number in range(STEPS):
        for group in optimiser.param_groups:
            group["lr"] = 2e-3 * (1 - number / STEPS)
        chosen = random.integers(len(sitters), size=BATCH)
        batch = torch.stack([varied(pictures[one], random) for one in chosen])
        optimiser.zero_grad()
        F.binary_cross_entropy_with_logits(network(batch), has[chosen]).backward()
        optimiser.step()
    return network.eval()


def varied(picture: Tensor, random: np.random.Generator) -> Tensor:
    """A picture (3, H, W) moved a little, in another light."""
    down, across = random.integers(-SHIFT_PX, SHIFT_PX + 1, 2).tolist()
    light, tint = 1 + LIGHT * random.standard_normal() / 2, LIGHT * random.standard_normal((3, 1, 1)) / 2
    moved = picture.roll((down, across), (1, 2)) * light + torch.from_numpy(tint).float()
    return moved.clamp(-1, 1)


class Right:
    """Which part of what was wanted is seen."""

    def __init__(self) -> None:
        self.flipped: list[bool] = []
        self.kept: list[bool] = []

    def add(self, seen: Mapping[str, bool], has: Mapping[str, bool], wanted: Mapping[str, bool]) -> None:
        """Another picture."""
        for name, there in wanted.items():
            (self.kept if has[name] == there else self.flipped).append(seen[name] == there)
