"""Lists of vectors as bytes, of which the best for a query are found without looking at others.

Each dimension is scaled by its largest number: where few vectors hold much and queries may, bytes of one scale for all
would say nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from ktviz.library.kinds.patches import lists_kernel
from ktviz.library.kinds.patches.dot_kernel import BLOCK, FOUR, OFFSET

LARGEST, LARGEST_ASKED = 127, 63
"""Of the numbers of vectors, and of those of queries."""
FIRST = 4
"""Lists that are visited before the others: what they hold tells what the others must exceed."""
TINY = torch.finfo(torch.float32).tiny
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False, repr=False)
class Lists:
    """Vectors in lists.

    Attributes:
        scale: (D,) float32: what the numbers of vectors are multiples of.
        blocks: (blocks, 16 D) int8, and
        offsets: (blocks, 16) int32; see `dot_kernel`.
        block_of: (lists + 1,) the first block of each list.
        first: (lists,) its first vector.
        sizes: (lists,) how many it holds.
    """

    scale: Tensor
    blocks: NDArray[np.int8]
    offsets: NDArray[np.int32]
    block_of: Ints
    first: Ints
    sizes: Ints

    @classmethod
    def create(cls, numbers: Tensor, scale: Tensor, first: Tensor, sizes: Tensor) -> Lists:
        """Lists of vectors.

        Args:
            numbers: (N, D) int8.
            scale: (D,) float32: what they are multiples of.
            first: (lists,) the first vector of each list, in rising order.
            sizes: (lists,) how many it holds.
        """
        lists = cls.empty(scale, first.numpy(), sizes.numpy())
        row = places(lists.first, lists.sizes, 1)
        lists.put(lists.places(), numbers[torch.from_numpy(row)])
        return lists

    @classmethod
    def empty(cls, scale: Tensor, first: Ints, sizes: Ints) -> Lists:
        """Lists with room for vectors."""
        block_of = blocks_of(sizes)
        blocks = np.zeros((int(block_of[-1]), BLOCK * padded(len(scale))), np.int8)
        return cls(scale, blocks, np.zeros((len(blocks), BLOCK), np.int32), block_of, first.copy(), sizes.copy())

    @classmethod
    def of_means(cls, means: Tensor, first: Tensor, sizes: Tensor) -> Lists:
        """Lists of vectors (N, D) float32, each dimension scaled by its largest."""
        scale = (means.abs().amax(0) / LARGEST).clamp(min=TINY)
        return cls.create((means / scale).round_().to(torch.int8), scale, first, sizes)

    def __len__(self) -> int:
        return int(self.sizes.sum())

    def __getitem__(self, vectors: Tensor) -> Tensor:
        """Numbers of some vectors (n,), where lists hold them one after the other: (n, D) int8."""
        lists = np.searchsorted(self.first, vectors.numpy(), side="right") - 1
        block, lane = np.divmod(self.block_of[lists] * BLOCK + vectors.numpy() - self.first[lists], BLOCK)
        found = np.ascontiguousarray(self._words[block, :, lane]).view(np.int8)
        return torch.from_numpy(found[:, : len(self.scale)])

    def put(self, place: Ints, numbers: Tensor) -> None:
        """Write vectors (n, D) int8 to some places (n,)."""
        flat = F.pad(numbers, (0, padded(len(self.scale)) - numbers.shape[1])).numpy()
        block, lane = np.divmod(place, BLOCK)
        self._words[block, :, lane] = flat.view(np.int32)
        self.offsets[block, lane] = -OFFSET * flat.sum(1, dtype=np.int32)

    def places(self) -> Ints:
        """Where each vector lies, in order: the number of its block times 16, and its own within: (N,)."""
        return places(self.block_of[:-1], self.sizes, BLOCK)

    def spread(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Values (N,) of vectors where these lie, (blocks, 16); NaN where there is none."""
        found = np.full(self.offsets.shape, np.nan, np.float32)
        found.reshape(-1)[self.places()] = values
        return found

    @property
    def _words(self) -> NDArray[np.int32]:
        """(blocks, D / 4, 16): four numbers of each vector of a block after the other."""
        return self.blocks.view(np.int32).reshape(len(self.blocks), -1, BLOCK)

    def best(self, queries: Tensor, factors: NDArray[np.float32], visits: Ints, wanted: int) -> Ints:
        """The vectors with the largest products with each query, of the lists that it visits.

        Args:
            queries: (n, D) float32.
            factors: (blocks, 16) by which products are multiplied; NaN for vectors that are not to be found.
            visits: (n, L) lists, the most promising first; -1 for none.
            wanted: Vectors per query.

        Returns:
            (n, wanted) vectors by falling product, of equal ones the lower first, -1 where there are fewer.
        """
        found = np.empty((len(queries), wanted), np.int64)
        held = self.blocks, self.offsets, factors, self.block_of, self.first
        lists_kernel.best(self.asked(queries), *held, visits, FIRST, found)
        ranked = -np.sort(-found, axis=1)
        return np.where(ranked > lists_kernel.NOTHING, lists_kernel.LOW - (ranked & lists_kernel.LOW), -1)

    def asked(self, queries: Tensor) -> NDArray[np.uint8]:
        """Queries (n, D) as bytes: each as large as fits, and above 0."""
        scaled = queries * self.scale
        largest = scaled.abs().amax(1, keepdim=True).clamp(min=TINY)
        numbers = (scaled / largest * LARGEST_ASKED).round_().add_(OFFSET).to(torch.uint8)
        found: NDArray[np.uint8] = F.pad(numbers, (0, -numbers.shape[1] % FOUR), value=OFFSET).numpy()
        return found


def padded(size: int) -> int:
    """Numbers of a vector as it lies in a block."""
    return -(-size // FOUR) * FOUR


def blocks_of(sizes: Ints) -> Ints:
    """The first block of each of some lists, and the end: (lists + 1,)."""
    found: Ints = np.r_[0, (-(-sizes // BLOCK)).cumsum()]
    return found


def places(starts: Ints, sizes: Ints, unit: int) -> Ints:
    """Numbers one after the other from each list's start, in units: (N,)."""
    begins = np.repeat(starts * unit - np.r_[0, sizes.cumsum()[:-1]], sizes)
    found: Ints = begins + np.arange(int(sizes.sum()))
    return found
