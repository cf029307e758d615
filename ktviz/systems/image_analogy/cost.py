"""The cost of a match: how unlike two patches are, in both pairs of features at once.

d(p, q) = -1/|V| sum over o in V of n(F_A'(p + o)) . n(F_B'(q + o)) + n(F_A(p + o)) . n(F_B(q + o)),

V being the offsets of the patch that lie within both pictures. The sum of two cosines is one product of vectors, that
of both features of a cell side by side; so the cost is the same in both directions.
"""

from __future__ import annotations

import warnings
from functools import cached_property

import torch
from torch import Tensor
from torch.nn import functional as F

from ktviz.systems.image_analogy.field import Size

TINY = 1e-8
"""Norm below which a cell counts as empty: its cosines are 0, not NaN."""
CHUNK = 1 << 24
"""Numbers that an exact search, or an exact cost, holds at once."""
SPARE = 8
"""Proposals of an exact search beyond those wanted, whose order is decided in double precision."""
ROUNDING = 2e-6
"""What a product in single precision may be off by."""


def joined(prime: Tensor, plain: Tensor) -> Tensor:
    """Both features of each cell, normalised, side by side: (C, H, W) twice to (2C, H, W)."""
    return torch.cat([F.normalize(features, dim=0, eps=TINY) for features in (prime, plain)])


class PatchCost:
    """The cost between cells of two pictures at one level.

    Args:
        here: (C, H, W), from `joined`: A' and A for the way there, B and B' for the way back.
        there: (C, h, w): B' and B, or A and A', in the same order of *pairs*.
        patch: Side of a patch in cells, odd.
    """

    def __init__(self, here: Tensor, there: Tensor, patch: int) -> None:
        self.here, self.there, self.patch = here, there, patch

    @cached_property
    def rows(self) -> tuple[Tensor, Tensor]:
        """`window_rows` here and there."""
        return window_rows(self.here, self.patch), window_rows(self.there, self.patch)

    @property
    def size_here(self) -> Size:
        """Height and width in cells of the picture that asks."""
        return self.here.shape[1], self.here.shape[2]

    @property
    def size_there(self) -> Size:
        """Height and width in cells of the picture that is asked."""
        return self.there.shape[1], self.there.shape[2]

    def back(self) -> PatchCost:
        """The same cost in the other direction."""
        other = PatchCost(self.there, self.here, self.patch)
        other.rows = self.rows[::-1]
        return other

    def __call__(self, cells: Tensor, entries: Tensor) -> Tensor:
        """The cost of some matches, as the search compares them: in the features' precision.

        Each is one sum in one order, whatever else is asked at the same time and on however many threads.

        Args:
            cells: (N,) numbers of cells here, ascending.
            entries: (N,) numbers of cells there.
        """
        total = self.here[0].numel()
        before = cells.new_zeros(total + 1)
        before[1:] = cells.bincount(minlength=total).cumsum(0)
        sums = csr(before, entries, self.here.new_zeros(len(cells)), (total, self.there[0].numel()))
        for row in range(self.patch):
            ours, theirs = self.window_row(row)
            sums = torch.sparse.sampled_addmm(sums, ours, theirs.T)
        return -sums.values() / self.overlap(cells, entries)

    def exact(self, cells: Tensor, entries: Tensor) -> Tensor:
        """The cost as it is recorded: summed in double precision, rounded to single.

        Args:
            cells: (N,) numbers of cells here.
            entries: (N,) numbers of cells there.
        """
        width = self.rows[0].shape[1]
        found = []
        for ours, theirs in zip(
            *(numbers.split(max(1, CHUNK // 8 // width)) for numbers in (cells, entries)), strict=True
        ):
            sums = torch.zeros(len(ours), dtype=torch.float64, device=cells.device)
            for row in range(self.patch):
                left, right = self.window_row(row)
                sums += (left[ours].double() * right[theirs].double()).sum(1)
            found.append((-sums / self.overlap(ours, theirs)).float())
        return torch.cat(found) if found else torch.zeros(0, device=cells.device)

    def best(self, cells: Tensor, count: int = 1, forbidden: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Exact search: the best cells there, ties to the lowest number.

        Args:
            cells: (N,) numbers of cells here.
            count: How many.
            forbidden: (h, w) bool of cells there that may not be entered.

        Returns:
            Numbers (N, count) and costs (N, count) float32; fewer where fewer are left.
        """
        height, width = self.size_there
        rows, columns = torch.arange(height, device=cells.device), torch.arange(width, device=cells.device)
        left = height * width if forbidden is None else int((~forbidden).sum())
        count = min(count, left)
        numbers, costs = [], []
        for part in cells.split(max(1, CHUNK // (height * width))):
            sums = self.here.new_zeros(len(part), height * width)
            for row in range(self.patch):
                ours, theirs = self.window_row(row)
                sums.addmm_(ours[part], theirs.T)
            y, x = part // self.size_here[1], part % self.size_here[1]
            high = self.shared(y[:, None], rows, self.size_here[0], height)
            wide = self.shared(x[:, None], columns, self.size_here[1], width)
            sums /= (high[:, :, None] * wide[:, None, :]).flatten(1)
            if forbidden is not None:
                sums[:, forbidden.flatten()] = -torch.inf
            proposed = self.proposed(sums, count)
            cost = self.exact(part.repeat_interleave(proposed.shape[1]), proposed.flatten()).view_as(proposed)
            cost[:, 1:][proposed.diff(dim=1) == 0] = torch.inf  # proposed twice
            order = cost.argsort(dim=1, stable=True)[:, :count]
            numbers.append(proposed.gather(1, order))
            costs.append(cost.gather(1, order))
        return torch.cat(numbers), torch.cat(costs)

    def proposed(self, sums: Tensor, count: int) -> Tensor:
        """Numbers in ascending order, some twice: the best by a fast product, and the first that are as good up to
        rounding. A stable sort by the exact cost then leaves ties to the lowest number.
        """
        best = sums.topk(min(count + SPARE, sums.shape[1]), dim=1)
        near = sums >= best.values[:, count - 1 : count] - ROUNDING
        first = torch.where(near, -torch.arange(sums.shape[1], device=sums.device), -sums.shape[1])
        first = -first.topk(best.indices.shape[1], dim=1).values
        first = torch.where(first < sums.shape[1], first, best.indices[:, :1])
        return torch.cat((best.indices, first), 1).sort(dim=1).values

    def window_row(self, row: int) -> tuple[Tensor, Tensor]:
        """One row of every cell's patch, here and there: (H * W, patch * C) and (h * w, patch * C)."""
        parts = []
        for rows, (height, width) in zip(self.rows, (self.size_here, self.size_there), strict=True):
            parts.append(rows[row * width : (row + height) * width])
        return parts[0], parts[1]

    def overlap(self, cells: Tensor, entries: Tensor) -> Tensor:
        """|V|: how many offsets of the patch lie within both pictures; (N,) int64, at least 1."""
        (height, width), (h, w) = self.size_here, self.size_there
        high = self.shared(cells // width, entries // w, height, h)
        return high * self.shared(cells % width, entries % w, width, w)

    def shared(self, place: Tensor, entry: Tensor, length: int, other: int) -> Tensor:
        """|V| along one axis."""
        radius = self.patch // 2
        before = torch.minimum(place, entry).clamp(max=radius)
        after = torch.minimum(length - 1 - place, other - 1 - entry).clamp(max=radius)
        return before + after + 1


def window_rows(features: Tensor, patch: int) -> Tensor:
    """Each cell's neighbours to both sides, itself between them, zeros beyond the border.

    Args:
        features: (C, H, W).
        patch: Side of a patch.

    Returns:
        ((H + patch - 1) * W, patch * C), with the rows of zeros above and below.
    """
    radius = patch // 2
    padded = F.pad(features, (radius, radius, radius, radius)).permute(1, 2, 0).contiguous()
    return padded.unfold(1, patch, 1).transpose(2, 3).reshape(-1, patch * features.shape[0])


def csr(before: Tensor, columns: Tensor, values: Tensor, shape: tuple[int, int]) -> Tensor:
    """A sparse matrix, without PyTorch's word that it may change how these are made."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta state")
        return torch.sparse_csr_tensor(before, columns, values, shape, check_invariants=False)
