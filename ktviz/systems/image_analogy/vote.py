"""Average votes: a cell becomes the mean of what its neighbours' matches say about it.

For every offset o of the patch, the neighbour p + o says nn(p + o) - o; those that lie within both pictures, and not in
an excluded region, are averaged. Where none does, the cell's own match nn(p) is taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from ktviz.systems.image_analogy.field import Size

ROWS = 1 << 20
"""Votes, or numbers of features, that are looked at together."""


@dataclass(frozen=True)
class Votes:
    """What every cell of a picture is made of.

    Attributes:
        field: (H, W, 2) int64, the matches.
        there: Height and width of the other picture.
        patch: Side of the window in cells, odd.
        forbidden: (h, w) bool, cells of the other picture that have no vote; or None.
    """

    field: Tensor
    there: Size
    patch: int
    forbidden: Tensor | None = None

    @property
    def size(self) -> Size:
        """Height and width of this picture."""
        return self.field.shape[0], self.field.shape[1]

    def of(self, cells: Tensor) -> tuple[Tensor, Tensor]:
        """The exact sources of some cells, and their weights.

        Args:
            cells: (N,) numbers of cells, counted row by row.

        Returns:
            Numbers of cells of the other picture (N, patch^2), -1 where there is no vote; and weights of the same
            shape, each 1 / count, 0 where there is none.
        """
        sources = torch.stack([self.source(cells, *offset) for offset in self.offsets()], 1)
        sources[:, self.patch**2 // 2] = torch.where(
            (sources >= 0).any(1), sources[:, self.patch**2 // 2], self.own(cells)
        )
        valid = sources >= 0
        return sources, valid / valid.sum(1, keepdim=True)

    def average(self, values: Tensor) -> Tensor:
        """(C, h, w) of the other picture to (C, H, W) of this one, in the precision of the values."""
        channels = values.shape[0]
        by_cell = values.permute(1, 2, 0).reshape(-1, channels).contiguous()
        made = []
        for cells in torch.arange(self.size[0] * self.size[1], device=values.device).split(max(1, ROWS // channels)):
            total = values.new_zeros(len(cells), channels)
            count = values.new_zeros(len(cells))
            for offset in self.offsets():
                source = self.source(cells, *offset)
                valid = (source >= 0).to(values.dtype)
                total.addcmul_(by_cell[source.clamp(min=0)], valid[:, None])
                count += valid
            alone = count == 0
            total[alone] = by_cell[self.own(cells[alone])]
            made.append(total / count.clamp(min=1)[:, None])
        return torch.cat(made).T.reshape(channels, *self.size).contiguous()

    def offsets(self) -> Iterator[Size]:
        """Down and right to each neighbour of the window, row by row."""
        radius = self.patch // 2
        return ((dy, dx) for dy in range(-radius, radius + 1) for dx in range(-radius, radius + 1))

    def source(self, cells: Tensor, dy: int, dx: int) -> Tensor:
        """What the neighbour at an offset says: numbers of cells of the other picture, -1 for nothing."""
        (height, width), (h, w) = self.size, self.there
        rows, columns = cells // width + dy, cells % width + dx
        inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
        match = self.field[rows.clamp(0, height - 1), columns.clamp(0, width - 1)]
        rows, columns = match[:, 0] - dy, match[:, 1] - dx
        inside &= (rows >= 0) & (rows < h) & (columns >= 0) & (columns < w)
        said = torch.where(inside, rows * w + columns, -1)
        if self.forbidden is not None:
            said = torch.where(inside & ~self.forbidden.flatten()[said.clamp(min=0)], said, -1)
        return said

    def own(self, cells: Tensor) -> Tensor:
        """The cells' own matches."""
        match = self.field.flatten(0, 1)[cells]
        return match[:, 0] * self.there[1] + match[:, 1]
