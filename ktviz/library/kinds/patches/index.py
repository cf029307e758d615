"""The beam's index: keys of entries, and the frozen centres above them, ready for one choice of band weights.

Keys are bytes, and what a beam proposes follows from whole numbers and products that are rounded once: it does not
depend on chunks, threads or kernels. Other weights change queries, and one factor for each entry, and no key; leaving
entries out changes which leaves are empty, and no centre.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ktviz.library.kinds.patches.dot_kernel import BLOCK
from ktviz.library.kinds.patches.entries import Entries
from ktviz.library.kinds.patches.factors_kernel import weigh
from ktviz.library.kinds.patches.keys import KeyProjection
from ktviz.library.kinds.patches.lists import Lists
from ktviz.library.kinds.patches.tree import Children, Tree, levels_of
from ktviz.networks.threads import shared_out, sharing

Factors = NDArray[np.float32]
LEAST_KEPT = 40
"""Nodes of a level above the leaves that stay in the race at least, if the beam is as wide."""


@dataclass(frozen=True, eq=False)
class Level:
    """Nodes of a level of the tree, and leaves above it.

    Attributes:
        nodes: (n,) their numbers in the tree.
        centres: Of what lies below them, in a list for each node of the level above.
    """

    nodes: Tensor
    centres: Lists


@dataclass(frozen=True, eq=False)
class Index:
    """What a beam search holds in memory.

    Attributes:
        tree: The cluster tree.
        projection: Patches to keys.
        levels: From the top to the leaves.
        weights: (4,) of LL, LH, HL, HH.
        keys: Of the entries, in a list for each leaf.
        factors: (blocks, 16) norm of each entry's patch over that of its weighted bands.
        counts: (nodes,) entries that are left below each node.
    """

    tree: Tree
    projection: KeyProjection
    levels: tuple[Level, ...]
    weights: Tensor
    keys: Lists
    factors: Factors
    counts: Tensor

    @classmethod
    def create(
        cls,
        tree: Tree,
        projection: KeyProjection,
        levels: tuple[Level, ...],
        entries: Entries,
        keys: Lists,
        weights: Sequence[float],
    ) -> Index:
        weight = torch.tensor(weights)
        return cls(tree, projection, levels, weight, keys, factors_of(entries, keys, weight), tree.end - tree.start)

    def without(self, excluded: Tensor) -> Index:
        """The index of the entries that are left (entries,) bool: what lies between empty leaves is not reached."""
        gone = excluded.nonzero()[:, 0].numpy()
        leaf = np.searchsorted(self.keys.first, gone, side="right") - 1
        factors = self.factors.copy()
        factors.reshape(-1)[self.keys.block_of[leaf] * BLOCK + gone - self.keys.first[leaf]] = np.nan
        before = torch.cat((torch.zeros(1, dtype=torch.int64), (~excluded).cumsum(0)))
        return replace(self, factors=factors, counts=before[self.tree.end] - before[self.tree.start])

    @sharing()
    def shortlist(self, queries: Tensor, beam: int, length: int, excluded: Tensor | None) -> Tensor:
        """The most promising entries of each query by their keys.

        Args:
            queries: (N, 16 C) vectors.
            beam: Leaves visited per query.
            length: Entries wanted per query.
            excluded: (entries,) bool of entries to pass over.

        Returns:
            (N, length) int64 entries, the most promising first; -1 where the visited leaves held fewer.
        """
        left = self if excluded is None else self.without(excluded)
        number = torch.full((len(self.tree) + 1,), -1)
        number[self.tree.leaves] = torch.arange(len(self.tree.leaves))

        def some(first: int, last: int) -> Tensor:
            keys = left.query_keys(queries[first:last])
            leaves = number[left.route(keys, beam)].numpy()
            return torch.from_numpy(left.keys.best(keys, left.factors, leaves, length))

        return torch.cat(shared_out(len(queries), some))

    @cached_property
    def there(self) -> list[Factors]:
        """Of each level (blocks, 16): 1 for nodes below which entries are left, NaN for the others."""
        return [
            level.centres.spread(torch.where(self.counts[level.nodes] > 0, 1.0, torch.nan).numpy())
            for level in self.levels
        ]

    def query_keys(self, queries: Tensor) -> Tensor:
        """Keys of queries (N, 16 C), their bands weighted, each in units of its own: (N, D) float32."""
        return self.projection.of_queries(queries).mul_(self.weights[self.projection.band_of])

    def route(self, keys: Tensor, beam: int) -> Tensor:
        """The best leaves: query keys (N, D) to (N, beam) nodes, the best first, -1 where there are fewer.

        Level by level only children of the kept nodes stay in the race, beside leaves above the last level. Above the
        leaves few are kept: the best leaves lie below a third as many nodes.
        """
        visits, best = np.zeros((len(keys), 1), np.int64), torch.zeros(len(keys), 1, dtype=torch.int64)
        for number, (level, there) in enumerate(zip(self.levels, self.there, strict=True), 1):
            kept = beam if number == len(self.levels) else min(beam, max(LEAST_KEPT, beam // 3))
            visits = level.centres.best(keys, there, visits, kept)
            best = torch.where(torch.from_numpy(visits >= 0), level.nodes[torch.from_numpy(visits)], -1)
        return best


def levels(parent: Tensor, centres: Tensor) -> tuple[Level, ...]:
    """The levels of a tree, from the parents (nodes,) and the centres (nodes, D) of its nodes."""
    children, above, found = Children(parent), torch.zeros(1, dtype=torch.int64), []
    for _ in range(int(levels_of(parent).max())):
        sizes, first = children.sizes[above], children.first[above]
        first, sizes = torch.where(sizes > 0, first, above), sizes.clamp(min=1)
        before = sizes.cumsum(0) - sizes
        nodes = (first - before).repeat_interleave(sizes) + torch.arange(int(sizes.sum()))
        found.append(Level(nodes, Lists.of_means(centres[nodes], before, sizes)))
        above = nodes
    return tuple(found)


def factors_of(entries: Entries, keys: Lists, weights: Tensor) -> Factors:
    """Norm of each entry's patch over that of its weighted bands, where its key lies: (blocks, 16)."""
    factors = np.empty(keys.offsets.size, np.float32)
    given = entries.energy.numpy(), weights.numpy(), np.r_[keys.first, len(entries)], keys.block_of, factors
    shared_out(len(keys.sizes), lambda first, last: weigh(*given, first, last))
    return factors.reshape(keys.offsets.shape)


def remaining(start: int, end: int, excluded: Tensor | None) -> Tensor:
    """The entries of a range that are not excluded: (n,) int64."""
    rows = torch.arange(start, end)
    return rows if excluded is None else rows[~excluded[start:end]]
