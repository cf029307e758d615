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

from ktviz.library.kinds.patches.scan_kernel import BLOCK, FOUR, LOW, OFFSET, ROOM, scan
from ktviz.networks.threads import shared_out

LARGEST, LARGEST_ASKED = 127, 63
"""Of the numbers of vectors, and of those of queries."""
NEVER = -(2**30)
"""What is added to products with what is not there."""
FIRST = 4
"""Lists that are visited before the others: what they hold tells what the others must exceed."""
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False, repr=False)
class Lists:
    """Vectors in lists.

    Attributes:
        scale: (D,) float32: what the numbers of vectors are multiples of.
        blocks: (blocks, 16 D) int8, and
        bias: (blocks, 16) int32; see `scan_kernel`.
        block_of: (lists + 1,) the first block of each list.
        first: (lists,) its first vector.
        sizes: (lists,) how many it holds.
    """

    scale: Tensor
    blocks: NDArray[np.int8]
    bias: NDArray[np.int32]
    block_of: Ints
    first: Ints
    sizes: Ints

    @classmethod
    def create(cls, vectors: Tensor, first: Tensor, sizes: Tensor) -> Lists:
        """Lists of vectors that lie one after the other.

        Args:
            vectors: (N, D) float32, D a multiple of 4.
            first: (lists,) the first of each list.
            sizes: (lists,) how many it holds.
        """
        scale = (vectors.abs().amax(0) / LARGEST).clamp(min=torch.finfo(torch.float32).tiny)
        numbers = (vectors / scale).round_().to(torch.int8).numpy()
        block_of = np.r_[0, (-(-sizes.numpy() // BLOCK)).cumsum()]
        return cls(
            scale, *packed(numbers, block_of, first.numpy(), sizes.numpy()), block_of, first.numpy(), sizes.numpy()
        )

    @property
    def places(self) -> Ints:
        """Where each vector lies, counted through all blocks: (N,), in the order of their lists."""
        return places(self.block_of, self.sizes)

    def numbers(self) -> NDArray[np.int8]:
        """The vectors, in units of `scale`: (N, D), in the order of their lists."""
        found: NDArray[np.int8] = self.blocks.reshape(-1, len(self.scale) // FOUR, BLOCK, FOUR).transpose(0, 2, 1, 3)
        return found.reshape(-1, len(self.scale))[self.places]

    def without(self, gone: NDArray[np.bool_]) -> Lists:
        """The same without some of the vectors (N,), in the order of their lists."""
        bias = self.bias.copy()
        bias.reshape(-1)[self.places[gone]] = NEVER
        return replace(self, bias=bias)

    def best(self, queries: Tensor, visits: Ints, wanted: int) -> tuple[Ints, Ints]:
        """The vectors with the largest products with each query, of the lists that it visits.

        Args:
            queries: (n, D) float32.
            visits: (n, L) lists, the most promising first; -1 for none.
            wanted: Vectors per query.

        Returns:
            (n, wanted) vectors by falling product, of equal ones the lower first, -1 where there are fewer; and their
            products, in units that differ from query to query.
        """
        asked = self.asked(queries)
        found = np.empty((len(asked), ROOM * wanted + 2 * BLOCK), np.int64)
        counts = np.zeros(len(asked), np.int64)

        def visit(start: int, end: int) -> None:
            rows = slice(start, end)
            for some in (visits[rows, :FIRST], visits[rows, FIRST:]):
                given = self.blocks, self.bias, self.block_of, self.first, *by_list(some, len(self.sizes))
                scan(asked[rows], *given, wanted, found[rows], counts[rows])

        shared_out(len(asked), visit)
        there = np.arange(found.shape[1]) < counts[:, None]
        ranked = -np.sort(-np.where(there, found, np.iinfo(np.int64).min + 1), axis=1)[:, :wanted]
        return np.where(ranked > np.int64(NEVER) << 31, LOW - (ranked & LOW), -1), ranked >> 32

    def asked(self, queries: Tensor) -> NDArray[np.uint8]:
        """Queries (n, D) as bytes: each as large as fits, and above 0."""
        scaled = queries * self.scale
        largest = scaled.abs().amax(1, keepdim=True).clamp(min=torch.finfo(torch.float32).tiny)
        found: NDArray[np.uint8] = (scaled / largest * LARGEST_ASKED).round_().add_(OFFSET).to(torch.uint8).numpy()
        return found


def packed(
    numbers: NDArray[np.int8], block_of: Ints, first: Ints, sizes: Ints
) -> tuple[NDArray[np.int8], NDArray[np.int32]]:
    """Vectors (N, D) in blocks, and the bias of each place."""
    blocks, size = int(block_of[-1]), numbers.shape[1]
    place, row = places(block_of, sizes), places(np.r_[first, len(numbers)], sizes, 1)
    flat, bias = np.zeros((blocks * BLOCK, size), np.int8), np.full(blocks * BLOCK, NEVER, np.int32)
    flat[place], bias[place] = numbers[row], -OFFSET * numbers[row].sum(1, dtype=np.int32)
    in_fours = flat.reshape(blocks, BLOCK, size // FOUR, FOUR).transpose(0, 2, 1, 3)
    return np.ascontiguousarray(in_fours).reshape(blocks, -1), bias.reshape(blocks, BLOCK)


def places(starts: Ints, sizes: Ints, unit: int = BLOCK) -> Ints:
    """Numbers one after the other from each list's start, in units: (N,)."""
    begins = np.repeat(starts[:-1] * unit - np.r_[0, sizes.cumsum()[:-1]], sizes)
    found: Ints = begins + np.arange(int(sizes.sum()))
    return found


def by_list(visits: Ints, count: int) -> tuple[NDArray[np.int64], Ints]:
    """Visits (n, L) list by list: the queries, and where those of each list begin, (lists + 1,)."""
    query, list_of = np.nonzero(visits >= 0)[0], visits[visits >= 0]
    order = np.argsort(list_of, kind="stable")
    return query[order], np.searchsorted(list_of[order], np.arange(count + 1))
