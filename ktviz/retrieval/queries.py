"""Queries: what asks, and where it lies."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, repr=False)
class Queries:
    """Where the N queries of one image lie on their canvas: at places of a grid, or as regions of a label map.

    Attributes:
        y: (N,) int64 row in the site's grid; None for regions.
        x: (N,) int64 column.
        box: (N, 4) float32 x, y, width, height in px of the canvas; of a region the box around it.
        label: (N,) int64 number of each query's region in `labels`; None on a grid.
        labels: (H, W) int64 label map of the canvas, numbers from 0 to 2^24 - 1.

    Example:
        >>> Queries.grid(2, 3, step_px=8)
        Queries(6 in 2 rows and 3 columns)
    """

    y: Tensor | None
    x: Tensor | None
    box: Tensor
    label: Tensor | None = None
    labels: Tensor | None = None

    @classmethod
    def grid(
        cls, rows: int, columns: int, step_px: float | tuple[float, float], size_px: float | None = None
    ) -> Queries:
        """Queries on a regular grid, row by row.

        Args:
            rows: Rows of queries.
            columns: Queries in a row.
            step_px: Distance of neighbours in px of the canvas; where they differ, down and across.
            size_px: Side of a query's box; `step_px` if None.
        """
        down, across = step_px if isinstance(step_px, tuple) else (step_px, step_px)
        y, x = (t.flatten() for t in torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij"))
        size = torch.tensor([across, down] if size_px is None else [size_px, size_px]).expand(rows * columns, 2)
        return cls(y, x, torch.cat((torch.stack((x * across, y * down), 1), size), 1).float())

    @classmethod
    def whole(cls, height: int, width: int) -> Queries:
        """One query: the canvas as a whole, in px.

        Example:
            >>> Queries.whole(48, 64).box
            tensor([[ 0.,  0., 64., 48.]])
        """
        zero = torch.zeros(1, dtype=torch.int64)
        return cls(zero, zero, torch.tensor([[0.0, 0.0, width, height]]))

    @classmethod
    def regions(cls, labels: Tensor, numbers: Tensor | None = None) -> Queries:
        """One query for each region of a label map, such as an instance map.

        Args:
            labels: (H, W) whole numbers from 0 to 2^24 - 1.
            numbers: (N,) the regions that ask; None for all, ascending.

        Example:
            >>> Queries.regions(torch.tensor([[7, 7, 0], [7, 7, 0]])).box
            tensor([[2., 0., 1., 2.],
                    [0., 0., 2., 2.]])
        """
        labels = labels.detach().long().cpu()
        numbers = labels.unique() if numbers is None else numbers.detach().long().cpu()
        boxes = []
        for number in numbers.tolist():
            y, x = (labels == number).nonzero(as_tuple=True)
            if not len(y):
                boxes.append([0.0, 0.0, 0.0, 0.0])
                continue
            left, top = int(x.min()), int(y.min())
            boxes.append([left, top, int(x.max()) + 1 - left, int(y.max()) + 1 - top])
        return cls(None, None, torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4), numbers, labels)

    def __len__(self) -> int:
        return len(self.box)

    def __repr__(self) -> str:
        if self.y is None or self.x is None:
            return f"Queries({len(self):,} {'boxes' if self.label is None else 'regions of a label map'})"
        rows, columns = len(self.y.unique()), len(self.x.unique())
        return f"Queries({len(self):,} in {rows} rows and {columns} columns)"
