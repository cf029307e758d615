"""Queries: what asks, and where it lies."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, repr=False)
class Queries:
    """Where the N queries of one image lie.

    Attributes:
        y: (N,) int64 row in the site's grid.
        x: (N,) int64 column.
        box: (N, 4) float32 x, y, width, height in px of the input.
    """

    y: Tensor
    x: Tensor
    box: Tensor

    @classmethod
    def grid(cls, rows: int, columns: int, step_px: float, size_px: float | None = None) -> Queries:
        """Queries on a regular grid, row by row.

        Args:
            rows: Rows of queries.
            columns: Queries in a row.
            step_px: Distance of neighbours in px of the input.
            size_px: Side of a query's box; `step_px` if None.
        """
        y, x = (t.flatten() for t in torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij"))
        size = torch.full((rows * columns,), step_px if size_px is None else size_px)
        return cls(y, x, torch.stack((x * step_px, y * step_px, size, size), dim=1).float())

    def __len__(self) -> int:
        return len(self.y)

    def __repr__(self) -> str:
        rows, columns = len(self.y.unique()), len(self.x.unique())
        return f"Queries({len(self):,} in {rows} rows and {columns} columns)"
