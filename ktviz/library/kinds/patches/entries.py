"""Entries: stored patches as views into the feature maps of their sources, which are opened when one is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ktviz.errors import LibraryError
from ktviz.library.kinds.patches import find_kernel
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
        source: (N,) number of the source.
        y: (N,) top feature row.
        x: (N,) left feature column.
        energy: (N, 4) float32 squared norm per band.
        maps: Per source the features, (h, w, C) in position-major order, half or single precision.
        sorted: (N,) the entries source by source, in order of their places there, where that is known.
    """

    source: Tensor
    y: Tensor
    x: Tensor
    energy: Tensor
    maps: Sequence[Tensor]
    sorted: Tensor | None = None

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
        source, y, x = self.where(rows)
        known, size = self.opened(source, y, x), 2 * self.channels
        stride = known[source, 2] * size
        return known[source, 0] + y * stride + x * size, stride

    def where(self, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Source, top row and left column of patches: three int64 of the rows' shape."""
        return self.source[rows].long(), self.y[rows].long(), self.x[rows].long()

    def energies(self, rows: Tensor) -> Tensor:
        """Squared norm per band: (..., 4) float32."""
        return self.energy[rows]

    def scales(self, rows: Tensor) -> Tensor:
        """The powers of two by which patches are multiplied to lie on the grid: float64 of the rows' shape."""
        return grid_scales(self.energy[rows])

    def gather(self, rows: Tensor) -> Tensor:
        """Patches (n, 16 C) of the maps' own type, source by source: each is four runs of memory in its map.

        NumPy copies such runs faster than PyTorch.
        """
        source, y, x = self.where(rows)
        width = self.opened(source, y, x)[source, 2]
        place = ((y * width + x)[:, None] + torch.arange(SIZE) * width[:, None]).numpy()
        out = np.empty((len(rows), SIZE, SIZE * self.channels), dtype=self._run(0).dtype)
        for number in np.unique(source.numpy()).tolist():
            mine = np.flatnonzero(source.numpy() == number)
            out[mine] = self._run(number)[place[mine]]
        return torch.from_numpy(out).flatten(1)

    def opened(self, source: Tensor, y: Tensor, x: Tensor) -> Tensor:
        """What is known of the maps of some patches, all of them opened; see `_known`.

        Raises:
            LibraryError: Patches do not lie in their maps: kernels read what they are told to.
        """
        known = self._known
        for number in source[known[source, 0] == 0].unique().tolist():
            features = self.maps[number]
            known[number, 1:] = torch.tensor(features.shape[:2])
            known[number, 0] = features.data_ptr()  # last: to other threads it says that the rest is there
        rows, columns = known[source, 1], known[source, 2]
        if not bool(((y >= 0) & (x >= 0) & (y + SIZE <= rows) & (x + SIZE <= columns)).all()):
            raise LibraryError("read entries of a bank", "some lie outside their maps", "Build it again")
        return known

    def __getstate__(self) -> dict[str, Any]:
        """Without addresses, which are those of this process and of these very maps."""
        return {name: value for name, value in vars(self).items() if name != "_known"}

    @cached_property
    def _known(self) -> Tensor:
        """Of each source where its map lies in memory, its rows and its columns: (sources, 3); 0 until it is opened."""
        return torch.zeros(len(self.maps), 3, dtype=torch.int64)

    def _run(self, number: int) -> NDArray[np.generic]:
        """All runs of four cells in the map of a source, by the number of their first cell, as a view."""
        features, step = self.maps[number], SIZE * self.channels
        cells = features.shape[0] * features.shape[1]
        run: NDArray[np.generic] = features.as_strided((cells - SIZE + 1, step), (self.channels, 1)).numpy()
        return run

    @cached_property
    def by_source(self) -> Tensor:
        """(N,) the entries source by source, in order of their places there."""
        if self.sorted is not None:
            inside = not len(self) or 0 <= int(self.sorted.min()) <= int(self.sorted.max()) < len(self)
            if not inside:
                raise LibraryError("find entries of a bank by their places", "some do not exist", "Build it again")
            return self.sorted
        return torch.from_numpy(np.lexsort([side.numpy() for side in (self.x, self.y, self.source)]))

    @cached_property
    def first(self) -> Tensor:
        """(sources + 1,) where those of each source begin."""
        counts = np.bincount(self.source.numpy(), minlength=len(self.maps))
        return torch.from_numpy(np.r_[0, counts.cumsum()])

    def of_source(self, source: int) -> Tensor:
        """The entries of a source, in order of their places: (n,) int64."""
        return self.by_source[self.first[source] : self.first[source + 1]].long()

    def find(self, source: Tensor, y: Tensor, x: Tensor) -> Tensor:
        """The entries at some places (n,) of sources: (n,) int64, -1 where there is none."""
        out = torch.empty(len(source), dtype=torch.int64)
        given = (source, y, x, self.first, self.by_source, self.y, self.x, out)
        find_kernel.find(*(one.numpy() for one in given))
        return out

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
