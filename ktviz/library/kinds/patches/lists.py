"""Lists of vectors as bytes, of which the best for a query are found without looking at others.

Each dimension is scaled by its largest number: where few vectors hold much and queries may, bytes of one scale for all
would say nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from ktviz.library.kinds.patches.scan_kernel import BLOCK, FOUR, LOW, OFFSET, ROOM, scan
from ktviz.networks.threads import shared_out

LARGEST, LARGEST_ASKED = 127, 63
"""Of the numbers of vectors, and of those of queries."""
NOTHING = np.iinfo(np.int64).min + 1
"""Less than any product."""
FIRST = 4
"""Lists that are visited before the others: what they hold tells what the others must exceed."""
TINY = torch.finfo(torch.float32).tiny
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False, repr=False)
class Lists:
    """Vectors in lists.

    Attributes:
        scale: (D,) float32: what the numbers of vectors are multiples of.
        blocks: (blocks, 16 D) int8,
        offsets: (blocks, 16) int32, and
        factors: (blocks, 16) float32; see `scan_kernel`.
        block_of: (lists + 1,) the first block of each list.
        first: (lists,) its first vector.
        sizes: (lists,) how many it holds.
    """

    scale: Tensor
    blocks: NDArray[np.int8]
    offsets: NDArray[np.int32]
    factors: NDArray[np.float32]
    block_of: Ints
    first: Ints
    sizes: Ints

    @classmethod
    def create(cls, numbers: Tensor, scale: Tensor, factors: Tensor, first: Tensor, sizes: Tensor) -> Lists:
        """Lists of vectors.

        Args:
            numbers: (N, D) int8.
            scale: (D,) float32: what they are multiples of.
            factors: (N,) float32 by which products are multiplied; NaN for vectors that are not to be found.
            first: (lists,) the first vector of each list, in rising order.
            sizes: (lists,) how many it holds.
        """
        row = places(first.numpy(), sizes.numpy(), 1)
        block_of = np.r_[0, (-(-sizes.numpy() // BLOCK)).cumsum()]
        place, count, size = places(block_of[:-1], sizes.numpy(), BLOCK), int(block_of[-1]), -(-len(scale) // FOUR)
        flat = np.zeros((count * BLOCK, size * FOUR), np.int8)
        flat[place, : len(scale)] = numbers.numpy()[row]
        factor = np.full(count * BLOCK, np.nan, np.float32)
        factor[place] = factors.numpy()[row]
        offsets = (-OFFSET * flat.sum(1, dtype=np.int32)).reshape(count, BLOCK)
        blocks = np.ascontiguousarray(flat.reshape(count, BLOCK, size, FOUR).transpose(0, 2, 1, 3)).reshape(count, -1)
        return cls(
            scale, blocks, offsets, factor.reshape(count, BLOCK), block_of, first.numpy().copy(), sizes.numpy().copy()
        )

    @classmethod
    def of_means(cls, means: Tensor, there: Tensor, first: Tensor, sizes: Tensor) -> Lists:
        """Lists of vectors (N, D) float32 of which some are not there, (N,) bool: each dimension by its largest."""
        scale = (means.abs().amax(0) / LARGEST).clamp(min=TINY)
        factors = torch.where(there, 1.0, torch.nan)
        return cls.create((means / scale).round_().to(torch.int8), scale, factors, first, sizes)

    def without(self, gone: NDArray[np.bool_]) -> Lists:
        """The same without some of the vectors (N,), counted from the first of the first list."""
        factors = self.factors.copy()
        place = places(self.block_of[:-1], self.sizes, BLOCK)
        factors.reshape(-1)[place[gone[places(self.first, self.sizes, 1)]]] = np.nan
        return replace(self, factors=factors)

    def best(self, queries: Tensor, visits: Ints, wanted: int) -> Ints:
        """The vectors with the largest products with each query, of the lists that it visits.

        Args:
            queries: (n, D) float32.
            visits: (n, L) lists, the most promising first; -1 for none.
            wanted: Vectors per query.

        Returns:
            (n, wanted) vectors by falling product, of equal ones the lower first, -1 where there are fewer.
        """
        asked = self.asked(queries)
        found = np.empty((len(asked), ROOM * wanted + 2 * BLOCK), np.int64)
        counts = np.zeros(len(asked), np.int64)

        def visit(start: int, end: int) -> None:
            rows = slice(start, end)
            for some in (visits[rows, :FIRST], visits[rows, FIRST:]):
                held = self.blocks, self.offsets, self.factors, self.block_of, self.first
                scan(asked[rows], *held, *by_list(some, len(self.sizes)), wanted, found[rows], counts[rows])

        shared_out(len(asked), visit)
        there = np.arange(found.shape[1]) < counts[:, None]
        ranked = -np.sort(-np.where(there, found, NOTHING), axis=1)[:, :wanted]
        return np.where(ranked > NOTHING, LOW - (ranked & LOW), -1)

    def asked(self, queries: Tensor) -> NDArray[np.uint8]:
        """Queries (n, D) as bytes: each as large as fits, and above 0."""
        scaled = queries * self.scale
        largest = scaled.abs().amax(1, keepdim=True).clamp(min=TINY)
        numbers = (scaled / largest * LARGEST_ASKED).round_().add_(OFFSET).to(torch.uint8)
        found: NDArray[np.uint8] = F.pad(numbers, (0, -numbers.shape[1] % FOUR), value=OFFSET).numpy()
        return found


def places(starts: Ints, sizes: Ints, unit: int) -> Ints:
    """Numbers one after the other from each list's start, in units: (N,)."""
    begins = np.repeat(starts * unit - np.r_[0, sizes.cumsum()[:-1]], sizes)
    found: Ints = begins + np.arange(int(sizes.sum()))
    return found


def by_list(visits: Ints, count: int) -> tuple[NDArray[np.int64], Ints]:
    """Visits (n, L) list by list: the queries, and where those of each list begin, (lists + 1,)."""
    query, list_of = np.nonzero(visits >= 0)[0], visits[visits >= 0]
    order = np.argsort(list_of, kind="stable")
    return query[order], np.searchsorted(list_of[order], np.arange(count + 1))
