"""How much the pixels of a region depend on each cell of what a picture is made of: the energy of the derivative.

For generators that look at a picture as a whole. A field measured once, as of a decoder of convolutions alone, would
not do: what a cell reaches depends on where it lies within the coarsest cells, and on the picture.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from ktviz.networks.threads import threads_for
from ktviz.regions import Mask
from ktviz.trace.overlap import Floats

PROBES, SEED = 8, 0
"""Random mixtures of pixels by which energy is measured, and their seed."""


@dataclass(frozen=True, eq=False)
class Energy:
    """Of a picture.

    Attributes:
        painted: The picture (3, H, W) as a function of its cells.
        cells: (N, V) of which it was made, row by row.
        columns: Cells in a row.
        cell_px: Side of a cell in px of the picture.
        size: Height and width of the picture in px.
    """

    painted: Callable[[Tensor], Tensor] = field(repr=False)
    cells: Tensor = field(repr=False)
    columns: int
    cell_px: int
    size: tuple[int, int]

    @torch.inference_mode(False)
    @torch.enable_grad()
    def of(self, mask: Mask) -> Floats:
        """How much the pixels of a region (H, W) depend on each cell: (N,), adding up to 1; all 0 if on none.

        Measured at the run itself: the energy of the derivative of the pixels by the cell's values, E |J' v|^2 over
        random mixtures v of the pixels.
        """
        random = torch.Generator().manual_seed(SEED)
        at = self.cells.clone().requires_grad_(True)
        pixels = self.painted(at)[:, torch.from_numpy(mask)]
        found = torch.zeros(len(at), dtype=torch.float64)
        with threads_for(len(at)):
            for probe in range(PROBES):
                mixture = torch.randn(pixels.shape, generator=random)
                (gradient,) = torch.autograd.grad(pixels, at, mixture, retain_graph=probe < PROBES - 1)
                found += gradient.double().square().sum(1)
        total = float(found.sum())
        part: Floats = found.numpy() / (total or 1.0)
        return part

    @cached_property
    def reach(self) -> str:
        """How far what decides the middle of the picture lies from it, in words."""
        half, most = self.radii(0.5, 0.9)
        return f"half of what decides the middle is within {half:.0f} px, nine tenths {most:.0f} px"

    def radii(self, *parts: float) -> list[float]:
        """Distances in px within which lie parts of what decides the cell in the middle of the picture."""
        side, y, x = self.cell_px, len(self.cells) // self.columns // 2, self.columns // 2
        mask = np.zeros(self.size, dtype=bool)
        mask[side * y : side * (y + 1), side * x : side * (x + 1)] = True
        row, column = np.divmod(np.arange(len(self.cells)), self.columns)
        distance = side * np.hypot(row - y, column - x)
        order = np.argsort(distance, kind="stable")
        reached = self.of(mask)[order].cumsum()
        return [float(distance[order][min(int(np.searchsorted(reached, part)), len(order) - 1)]) for part in parts]
