"""Entries: stored patches as views into the feature maps of their sources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ktviz.library.kinds.patches.bands import band_energy, to_patches, weighted
from ktviz.library.kinds.patches.grid import SIZE
from ktviz.retrieval.exact import NORM_BITS, grid_scale, power_above, root

LANES = 16
"""Channels that kernels read at a time."""
GATHER_CHUNK = 4096
"""Patches gathered at a time where all entries are walked: 32 MB for C = 128."""
GRID_CHUNK = 256
"""The same where they are put on the grid of exact products: 4 MB, which stays near the cache."""


@dataclass(frozen=True, repr=False)
class Entries:
    """N entries in leaf order, and the maps they look into.

    Attributes:
        source: (N,) int64 number of the source.
        y: (N,) int64 top feature row.
        x: (N,) int64 left feature column.
        energy: (N, 4) float32 squared norm per band.
        maps: Per source the features, (h, w, C) in position-major order, half or single precision.
    """

    source: Tensor
    y: Tensor
    x: Tensor
    energy: Tensor
    maps: Sequence[Tensor]

    @classmethod
    def create(cls, source: Tensor, y: Tensor, x: Tensor, maps: Sequence[Tensor]) -> Entries:
        """Entries with their band energies computed."""
        entries = cls(source, y, x, torch.empty(len(source), 4), maps)
        for rows in torch.arange(len(source)).split(GRID_CHUNK):
            vectors = entries.vectors(rows)
            scale = grid_scale(vectors)
            entries.energy[rows] = (band_energy((vectors * scale).round_()) / scale.square()).float()
        return entries

    def __len__(self) -> int:
        return self.source.shape[0]

    def __repr__(self) -> str:
        return f"Entries({len(self):,} in {len(self.maps)} maps of {self.channels} channels)"

    @property
    def channels(self) -> int:
        return self.maps[0].shape[2]

    def vectors(self, rows: Tensor) -> Tensor:
        """Patches flattened position by position: (n, 16 C) float32 (rows, columns, channels)."""
        return self.gather(rows).float()

    def on_grid(self, rows: Tensor, out: Tensor | None = None) -> Tensor:
        """The same on the grid of exact products, multiplied by `scales`: (n, 16 C) float64.

        Memory that is asked for and handed back for every chunk costs more than the arithmetic: give it as `out`.
        """
        out = torch.empty(len(rows), SIZE * SIZE * self.channels, dtype=torch.float64) if out is None else out
        # Single precision is enough to scale and round numbers of half precision.
        return out.copy_(self.vectors(rows).mul_(self.scales(rows).float()[:, None]).round_())

    def views(self, rows: Tensor) -> tuple[Tensor, Tensor] | None:
        """Where in memory patches begin, and bytes from one of their rows to the next: int64 of the rows' shape.

        None where features are of another kind than kernels read.
        """
        if self.maps[0].dtype != torch.float16 or self.channels % LANES:
            return None
        source, size = self.source[rows], 2 * self.channels
        stride = self._widths[source] * size
        return self._starts[source] + self.y[rows] * stride + self.x[rows] * size, stride

    def scales(self, rows: Tensor) -> Tensor:
        """The powers of two by which patches are multiplied to lie on the grid: float64 of the rows' shape."""
        return grid_scales(self.energy[rows])

    def gather(self, rows: Tensor) -> Tensor:
        """Patches (n, 16 C) of the maps' own type, source by source: each is four runs of memory in its map.

        NumPy copies such runs faster than PyTorch.
        """
        source = self.source[rows]
        width = self._widths[source]
        place = ((self.y[rows] * width + self.x[rows])[:, None] + torch.arange(SIZE) * width[:, None]).numpy()
        out = np.empty((len(rows), SIZE, SIZE * self.channels), dtype=self._runs[0].dtype)
        for number in np.unique(source.numpy()).tolist():
            mine = np.flatnonzero(source.numpy() == number)
            out[mine] = self._runs[number][place[mine]]
        return torch.from_numpy(out).flatten(1)

    @cached_property
    def _starts(self) -> Tensor:
        return torch.tensor([features.data_ptr() for features in self.maps])

    @cached_property
    def _widths(self) -> Tensor:
        return torch.tensor([features.shape[1] for features in self.maps])

    @cached_property
    def _runs(self) -> list[NDArray[np.generic]]:
        """Per source all runs of four cells in its map, by the number of their first cell, as views."""
        step = SIZE * self.channels
        runs = [m.as_strided((m.shape[0] * m.shape[1] - SIZE + 1, step), (self.channels, 1)) for m in self.maps]
        return [run.numpy() for run in runs]

    def patches(self, rows: Tensor) -> Tensor:
        """Patches of some entries: (n, C, 4, 4) float32."""
        return to_patches(self.vectors(rows))

    def take(self, rows: Tensor) -> Entries:
        """The same entries in another order, or some of them."""
        return Entries(self.source[rows], self.y[rows], self.x[rows], self.energy[rows], self.maps)


def grid_scales(energy: Tensor) -> Tensor:
    """What takes patches of some band energies (..., 4) to the grid of exact products: powers of two (...) float64."""
    norm = root(weighted(energy.double(), torch.ones(4)))
    return 2.0**NORM_BITS / power_above(1.001 * norm)  # energies are rounded, and so will be the patches
