"""Entries on a GPU: the feature maps lie there, and patches are put together and compared there.

What is found is what the CPU finds, to the bit: fast products only propose, within a bound that holds for sums in any
order, and products on the grid of exact products are the same whoever computes them.
"""

from __future__ import annotations

from functools import cached_property

import torch
from torch import Tensor

from ktviz.library.kinds.patches.entries import Entries
from ktviz.library.kinds.patches.grid import SIZE

CPU = torch.device("cpu")
AT_ONCE = 8192
"""Patches that are compared with all queries at a time: 64 MB for C = 128, and 200 MB of similarities."""


class Carried:
    """Entries whose maps were carried to a device.

    Args:
        entries: Those.
        device: Where to.
    """

    def __init__(self, entries: Entries, device: torch.device) -> None:
        self.entries, self.device = entries, device
        sides = torch.tensor([features.shape[:2] for features in entries.maps])
        self.width, cells = sides[:, 1], sides.prod(1)
        self.first = cells.cumsum(0) - cells

    @cached_property
    def cells(self) -> Tensor:
        """All cells of all maps, one after the other: (cells, C) on the device, carried at first use."""
        return torch.cat([features.to(self.device).flatten(0, 1) for features in self.entries.maps])

    def vectors(self, rows: Tensor) -> Tensor:
        """Patches flattened position by position: (n, 16 C) float32, each four runs of cells of its map."""
        source, y, x = self.entries.where(rows)
        self.entries.opened(source, y, x)
        width = self.width[source]
        corner = self.first[source] + y * width + x
        place = (corner[:, None] + torch.arange(SIZE) * width[:, None]).to(self.device)
        count, channels = self.cells.shape
        runs = self.cells.as_strided((count - SIZE + 1, SIZE * channels), (channels, 1))
        return runs[place].flatten(1).float()

    def on_grid(self, rows: Tensor, out: Tensor | None = None) -> Tensor:
        """The same on the grid of exact products: (n, 16 C) float64; see `Entries.on_grid`."""
        return self.vectors(rows).mul_(self.scales(rows).float()[:, None]).round_().double()

    def views(self, rows: Tensor) -> None:
        """Nothing: kernels of the CPU do not read a GPU's memory."""

    def energies(self, rows: Tensor) -> Tensor:
        """Squared norm per band: (..., 4) float32."""
        return self.entries.energies(rows).to(self.device)

    def scales(self, rows: Tensor) -> Tensor:
        """The powers of two by which patches are multiplied to lie on the grid: float64 of the rows' shape."""
        return self.entries.scales(rows).to(self.device)


def carried(entries: Entries, device: torch.device) -> Carried | None:
    """Entries on a GPU; None where their maps would take more than half of its free memory."""
    there = Carried(entries, device)
    first = entries.maps[0]
    needed = int((there.first[-1] + first.numel()) * first.shape[2] * first.element_size())
    return there if needed <= torch.cuda.mem_get_info(device)[0] // 2 else None
