"""Grid geometry: patches of a feature map, taken apart and put together again."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

SIZE = 4
"""Side of a patch in feature cells."""
QUERY_STEP = 2
"""Distance of neighbouring queries in feature cells; they overlap by half."""


@dataclass(frozen=True)
class PatchGrid:
    """The queries of one feature map, or of a strip of it: 4x4 patches every 2 cells, row by row.

    Attributes:
        height: Feature map height h in cells, even and at least 4.
        width: Feature map width w in cells, even and at least 4.
        top: Row of cells of the whole map in which a strip begins.
    """

    height: int
    width: int
    top: int = 0

    def __post_init__(self) -> None:
        if min(self.height, self.width) < SIZE or self.height % QUERY_STEP or self.width % QUERY_STEP:
            raise ValueError(f"a query grid needs even sides of at least {SIZE} cells, not {self.height}x{self.width}")

    @property
    def rows(self) -> int:
        """Rows of queries."""
        return (self.height - SIZE) // QUERY_STEP + 1

    @property
    def columns(self) -> int:
        """Queries in a row."""
        return (self.width - SIZE) // QUERY_STEP + 1

    def __len__(self) -> int:
        return self.rows * self.columns

    def strip(self, rows: slice) -> PatchGrid:
        """Some rows of queries as a grid of their own, over the rows of cells that they cover."""
        return PatchGrid(
            QUERY_STEP * (rows.stop - rows.start - 1) + SIZE, self.width, self.top + QUERY_STEP * rows.start
        )

    def over(self, cells: slice) -> slice:
        """The rows of queries that cover some rows of cells."""
        return slice(max(0, (cells.start - SIZE) // QUERY_STEP + 1), min(self.rows, -(-cells.stop // QUERY_STEP)))

    @property
    def cells(self) -> slice:
        """The rows of cells of the whole map that it covers."""
        return slice(self.top, self.top + self.height)

    def corners(self, index: Tensor | None = None) -> Tensor:
        """Top-left cells (y, x) of some queries, or of all, counted from `top`: (N, 2) int64."""
        index = torch.arange(len(self)) if index is None else index
        return QUERY_STEP * torch.stack((index // self.columns, index % self.columns), dim=1)

    def unfold(self, features: Tensor, index: Tensor | None = None) -> Tensor:
        """Queries of a feature map.

        Args:
            features: (C, h, w).
            index: (N,) query numbers; all if None.

        Returns:
            (N, C, 4, 4).
        """
        corner = self.corners(index)
        step = torch.arange(SIZE)
        place = (corner[:, 0, None, None] + step[:, None]) * self.width + corner[:, 1, None, None] + step
        # Gathering whole cells is fast where a cell's channels lie together (the translator's maps do).
        cells = features.permute(1, 2, 0).reshape(self.height * self.width, -1)
        return cells.index_select(0, place.flatten()).view(len(corner), SIZE, SIZE, cells.shape[-1]).movedim(-1, 1)

    def coverage(self) -> Tensor:
        """How many queries cover each cell: (h, w) float32, 1 in the corners and 4 inside."""
        cover = torch.zeros(1, self.height, self.width)
        self.add_patches(cover, torch.ones(1, 1, 1, 1).expand(len(self), 1, SIZE, SIZE), torch.arange(len(self)))
        return cover[0]

    def add_patches(self, total: Tensor, patches: Tensor, index: Tensor) -> None:
        """Overlap-add some queries' patches (N, C, 4, 4), their numbers ascending, into a map (C, h, w).

        Queries that share a cell are added from the last to the first. To have the same sum whatever the parts, add the
        last part first.
        """
        corner, cells = self.corners(index), total.permute(1, 2, 0)
        for row in range(SIZE):
            for column in range(SIZE):
                # Within one of the 16 positions no two queries share a cell, so the order of addition is fixed.
                cells[corner[:, 0] + row, corner[:, 1] + column] += patches[:, :, row, column]

    def fold(self, patches: Tensor) -> Tensor:
        """Mean of overlapping patches: (N, C, 4, 4) to (C, h, w); the inverse of `unfold`."""
        total = patches.new_zeros(self.height, self.width, patches.shape[1]).permute(2, 0, 1)
        self.add_patches(total, patches, torch.arange(len(self)))
        return total / self.coverage()
