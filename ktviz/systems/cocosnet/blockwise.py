"""The warp without its dense matrix: some rows at a time, and of each row only what counts is kept.

A row of the matrix is the softmax of the cosines between a cell of the target and all cells of the exemplar. Rows do
not depend on each other, so a block of them is worked out as a whole and dropped: memory grows with the cells, not with
their product.

Cosines are products on a grid of whole numbers (`ktviz.retrieval.exact`), in double precision: they, the entries that
are kept and their order are the same bit for bit in blocks of any size, on any number of threads and on any processor,
for equal descriptors; of equally similar cells the one with the lowest number comes first. Weights, what is left over,
entropy and colours are worked out in double precision and rounded once, to single: another order of their sums can at
most move the last bit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from ktviz.retrieval.exact import leading, lengths, on_grid

NUMBERS = 1 << 23
"""Cosines that are looked at together, in 170 MB."""
CELLS = 4096
"""Descriptors that are brought on the grid together."""


@dataclass(frozen=True)
class Mixture:
    """What N cells of a target take from M cells of an exemplar.

    Attributes:
        entry: (N, k) int64 numbers of the cells with the largest cosines, best first.
        similarity: (N, k) float32 cosines of descriptors.
        weight: (N, k) float32 part of each in its row's mixture.
        left_over: (N,) float32 part of all cells that are not kept.
        entropy: (N,) float32 of the whole row in nats: 0 where one cell gives all, log M where all give alike.
        fed: (M,) float32 what each cell of the exemplar gives in all, in cells of the target; adds up to N.
        cells: (N, V) float32 mixed values.
    """

    entry: Tensor
    similarity: Tensor
    weight: Tensor
    left_over: Tensor
    entropy: Tensor
    fed: Tensor
    cells: Tensor


def mixed(
    target: Tensor,
    source: Tensor,
    values: Tensor,
    temperature: float,
    top: int = 8,
    forbidden: Tensor | None = None,
    numbers: int = NUMBERS,
) -> Mixture:
    """Mix the cells of an exemplar for every cell of a target: equation 3 of the paper, rows of `Warp`.

    Args:
        target: (N, D) descriptors of any length.
        source: (M, D) descriptors.
        values: (M, V) what is mixed: colours, or patches.
        temperature: Smaller is sharper.
        top: Cells that are kept of each row; all, where there are fewer.
        forbidden: (M,) bool, cells that do not exist for the softmax; at least one is left.
        numbers: Cosines that are looked at together.

    Example:
        >>> found = mixed(torch.eye(2), torch.tensor([[1.0, 0.0], [1.0, 1.0]]), torch.tensor([[0.0], [8.0]]), 0.1)
        >>> found.entry.tolist(), [round(x, 2) for x in found.cells[:, 0].tolist()]
        ([[0, 1], [1, 0]], [0.41, 7.99])
    """
    there = torch.arange(len(source)) if forbidden is None else (~forbidden).nonzero()[:, 0]
    work = Work.create(source[there], values[there], min(len(target), max(1, numbers // len(there))))
    rows = [work.mixed(target[some], temperature, top) for some in torch.arange(len(target)).split(work.rows)]
    entry, similarity, weight, left_over, entropy, cells = (torch.cat(parts) for parts in zip(*rows, strict=True))
    fed = torch.zeros(len(source)).index_copy_(0, there, work.fed.float())
    return Mixture(there[entry], similarity, weight, left_over, entropy, fed, cells)


@dataclass(frozen=True, eq=False)
class Work:
    """An exemplar, and room for a block of rows, which is used again and again: fresh memory costs more than sums.

    Attributes:
        grid: (M, D) float64 descriptors on the grid.
        length: (M,) their lengths.
        values: (M, V) float64.
        fed: (M,) float64 what the cells have given so far.
        room: (2, rows, M) float64.
        single: (rows, M) float32.
    """

    grid: Tensor
    length: Tensor
    values: Tensor
    fed: Tensor
    room: Tensor
    single: Tensor

    @classmethod
    def create(cls, source: Tensor, values: Tensor, rows: int) -> Work:
        """For blocks of so many rows."""
        grid, count = all_on_grid(source), len(source)
        fed, room = torch.zeros(count, dtype=torch.float64), torch.empty(2, rows, count, dtype=torch.float64)
        return cls(grid, lengths(grid), values.double(), fed, room, torch.empty(rows, count))

    @property
    def rows(self) -> int:
        """Of a block."""
        return self.room.shape[1]

    def mixed(self, target: Tensor, temperature: float, top: int) -> tuple[Tensor, ...]:
        """Some rows, at most a block: entry, similarity, weight, left over, entropy, cells."""
        asked, (cosine, weights) = on_grid(target), self.room[:, : len(target)]
        torch.mul(lengths(asked)[:, None], self.length, out=weights)
        torch.mm(asked, self.grid.T, out=cosine).div_(weights)
        entry = leading(self.single[: len(target)].copy_(cosine), top)
        similarity = cosine.gather(1, entry)
        logits = cosine.sub_(similarity[:, :1]).div_(temperature)
        total = torch.exp(logits, out=weights).sum(1, keepdim=True)
        self.fed.add_(weights.div_(total).sum(0))
        kept, cells = weights.gather(1, entry), weights @ self.values
        entropy = total[:, 0].log() - logits.mul_(weights).sum(1)
        left_over = (1 - kept.sum(1)).clamp(min=0)
        return entry, *(part.float() for part in (similarity, kept, left_over, entropy, cells))


def all_cosines(target: Tensor, source: Tensor, numbers: int = NUMBERS) -> Iterator[tuple[Tensor, Tensor]]:
    """Cosines of cells (N, D) with cells (M, D), some rows at a time: their numbers (n,), and (n, M) float64."""
    grid = all_on_grid(source)
    length = lengths(grid)
    for rows in torch.arange(len(target)).split(max(1, numbers // len(source))):
        asked = on_grid(target[rows])
        yield rows, asked @ grid.T / (lengths(asked)[:, None] * length)


def all_on_grid(vectors: Tensor) -> Tensor:
    """`on_grid` in parts, for little memory beside the result."""
    grid = torch.empty(vectors.shape, dtype=torch.float64)
    for some in torch.arange(len(vectors)).split(CELLS):
        grid[some] = on_grid(vectors[some])
    return grid
