"""Entries: stored patches as views into the feature maps of their sources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ktviz.model.bands import band_energy, to_patches
from ktviz.model.patches import SIZE

GATHER_CHUNK = 4096
"""Patches gathered at a time where all entries are walked: 32 MB for C = 128."""


@dataclass(frozen=True)
class Entries:
    """N entries in leaf order, and the maps they look into.

    Attributes:
        source: (N,) int64 number of the source.
        y: (N,) int64 top feature row.
        x: (N,) int64 left feature column.
        energy: (N, 4) float32 squared norm per band.
        maps: Per source the features, (h, w, C) in position-major order, any float type.
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
        for start in range(0, len(source), GATHER_CHUNK):
            rows = torch.arange(start, min(start + GATHER_CHUNK, len(source)))
            entries.energy[rows] = band_energy(entries.vectors(rows))
        return entries

    def __len__(self) -> int:
        return self.source.shape[0]

    @property
    def channels(self) -> int:
        return self.maps[0].shape[2]

    def vectors(self, rows: Tensor) -> Tensor:
        """Patches flattened position by position: (n, 16 C) float32 (rows, columns, channels)."""
        source = self.source[rows]
        step = torch.arange(SIZE)
        out = torch.empty(len(rows), SIZE * SIZE * self.channels)
        for number in source.unique().tolist():
            mine = (source == number).nonzero()[:, 0]
            features = self.maps[number]
            height, width, channels = features.shape
            y = self.y[rows[mine]][:, None, None] + step[:, None]
            x = self.x[rows[mine]][:, None, None] + step
            cells = features.view(height * width, channels).index_select(0, (y * width + x).flatten())
            out[mine] = cells.view(len(mine), -1).float()
        return out

    def patches(self, rows: Tensor) -> Tensor:
        """Patches of some entries: (n, C, 4, 4) float32."""
        return to_patches(self.vectors(rows))

    def take(self, rows: Tensor) -> Entries:
        """The same entries in another order, or some of them."""
        return Entries(self.source[rows], self.y[rows], self.x[rows], self.energy[rows], self.maps)
