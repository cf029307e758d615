"""The warp scaled between the exemplar's mean colour and what was mixed, and carried on by the generator."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ktviz.networks.threads import threads_for
from ktviz.regions import Box, Mask
from ktviz.systems.cocosnet.correspondence import CELL_PX
from ktviz.systems.cocosnet.passage import Passage
from ktviz.systems.protocol import Ints
from ktviz.trace.overlap import Floats

PROBES, SEED = 8, 0
"""Random mixtures of pixels by which energy is measured, and their seed."""


@dataclass(frozen=True, eq=False)
class WarpBlend:
    """See `ktviz.systems.protocol.Blend`. The generator looks at a picture as a whole, so every cell reaches the part.

    Attributes:
        passage: Of the run.
        cells: (N, V) what was mixed.
        mean: (1, V) the exemplar's mean colour.
        within: The part.
    """

    passage: Passage
    cells: Tensor
    mean: Tensor
    within: Box

    @property
    def retrievals(self) -> Ints:
        """All cells."""
        return np.arange(len(self.cells))

    def __call__(self, amount: Tensor, /) -> Tensor:
        """The part (3, h, w) for amounts (N,)."""
        amount = amount[:, None]
        made = self.passage.painted(self.cells * amount + self.mean * (1 - amount))
        rows, columns = self.within.pixels
        return made[:, rows, columns]


@torch.inference_mode(False)
@torch.enable_grad()
def energy(passage: Passage, cells: Tensor, mask: Mask) -> Floats:
    """How much the pixels of a region depend on each cell of the warp: (N,), adding up to 1; all 0 if on none.

    Measured at the run itself: the energy of the derivative of the pixels by the cell's colours, E |J' v|^2 over random
    mixtures v of the pixels. A field measured once, as of a decoder of convolutions alone, would not do: what a cell
    reaches depends on where it lies within the generator's coarsest cells.

    Args:
        passage: Of the run.
        cells: (N, V) what was mixed.
        mask: (H, W), the region.
    """
    random = torch.Generator().manual_seed(SEED)
    at = cells.clone().requires_grad_(True)
    pixels = passage.painted(at)[:, torch.from_numpy(mask)]
    found = torch.zeros(len(cells), dtype=torch.float64)
    with threads_for(len(cells)):
        for probe in range(PROBES):
            mixture = torch.randn(pixels.shape, generator=random)
            (gradient,) = torch.autograd.grad(pixels, at, mixture, retain_graph=probe < PROBES - 1)
            found += gradient.double().square().sum(1)
    total = float(found.sum())
    part: Floats = found.numpy() / (total or 1.0)
    return part


def radius(passage: Passage, cells: Tensor, part: float) -> float:
    """Distance in px within which lies a part of what decides the cell in the middle of the picture."""
    rows, columns = passage.grid
    y, x = rows // 2, columns // 2
    mask = np.zeros(passage.size, dtype=bool)
    mask[CELL_PX * y : CELL_PX * (y + 1), CELL_PX * x : CELL_PX * (x + 1)] = True
    row, column = np.divmod(np.arange(len(cells)), columns)
    distance = CELL_PX * np.hypot(row - y, column - x)
    order = np.argsort(distance, kind="stable")
    reached = energy(passage, cells, mask)[order].cumsum()
    return float(distance[order][min(int(np.searchsorted(reached, part)), len(order) - 1)])
