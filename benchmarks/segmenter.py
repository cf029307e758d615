"""A small network that tells the classes of a picture: what a made picture shows, asked of somebody else."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ktviz.images import Pixels
from ktviz.labels import Classes
from ktviz.training.pairs import Pair, Pairs

STEPS, BATCH, SIDE = 2400, 4, 128
"""With a quarter of the steps it reads real pictures so badly that it tells little about made ones."""
WIDTHS = (16, 32, 64, 96)


class Segmenter(nn.Module):
    """Down by strided convolutions, up again with what was there before beside it."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        inside = (3, *WIDTHS[:-1])
        self.down = nn.ModuleList(step(a, b, 1 if a == 3 else 2) for a, b in zip(inside, WIDTHS, strict=True))
        self.up = nn.ModuleList(step(WIDTHS[k] + WIDTHS[k - 1], WIDTHS[k - 1], 1) for k in (3, 2, 1))
        self.last = nn.Conv2d(WIDTHS[0], classes, 1)

    def forward(self, picture: Tensor) -> Tensor:
        """Logits: (B, classes, H, W)."""
        levels = [picture]
        for layer in self.down:
            levels.append(layer(levels[-1]))
        found = levels[-1]
        for layer, beside in zip(self.up, levels[-2:0:-1], strict=True):
            found = layer(torch.cat([F.interpolate(found, beside.shape[2:], mode="nearest"), beside], 1))
        logits: Tensor = self.last(found)
        return logits


def step(inside: int, outside: int, stride: int) -> nn.Sequential:
    convolutions = [nn.Conv2d(inside, outside, 3, stride, 1), nn.Conv2d(outside, outside, 3, 1, 1)]
    return nn.Sequential(*(part for c in convolutions for part in (c, nn.BatchNorm2d(outside), nn.ReLU())))


def trained(pairs: Sequence[Pair], classes: Classes, seed: int = 0) -> Segmenter:
    """A segmenter that has learned from real pairs."""
    torch.manual_seed(seed)
    network, draws = Segmenter(len(classes)), Pairs(pairs, (SIDE, SIDE), seed)
    optimiser = torch.optim.AdamW(network.parameters(), 2e-3)
    for number in range(STEPS):
        for group in optimiser.param_groups:
            group["lr"] = 2e-3 * (1 - number / STEPS)
        batch = draws.batch([draws.draw() for _ in range(BATCH)])
        optimiser.zero_grad()
        F.cross_entropy(network(batch.photo), batch.labels[:, 0]).backward()
        optimiser.step()
    return network.eval()


@torch.no_grad()
def seen(network: Segmenter, picture: Pixels) -> npt.NDArray[np.int64]:
    """The class of every pixel of a picture (H, W, 3), whose sides are multiples of 8: (H, W)."""
    image = torch.from_numpy(picture.copy()).permute(2, 0, 1)[None].float() / 127.5 - 1
    return np.asarray(network(image)[0].argmax(0).numpy())


class Agreement:
    """Mean intersection over union of what is seen and what is there, over all pictures, of the classes that occur."""

    def __init__(self, classes: int) -> None:
        self.counts = np.zeros((classes, classes), np.int64)

    def add(self, found: npt.NDArray[np.int64], true: npt.NDArray[np.integer]) -> None:
        """Another picture."""
        size = len(self.counts)
        self.counts += np.bincount(true.ravel().astype(np.int64) * size + found.ravel(), minlength=size**2).reshape(
            size, size
        )

    @property
    def mean(self) -> float:
        """From 0 to 1."""
        both = np.diag(self.counts)
        either = self.counts.sum(0) + self.counts.sum(1) - both
        there = self.counts.sum(1) > 0
        return float((both[there] / either[there]).mean())
