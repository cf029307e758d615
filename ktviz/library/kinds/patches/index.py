"""The beam's index: keys of entries and of the nodes above them, ready for one choice of band weights.

Keys are bytes, and what a beam proposes follows from whole numbers and products that are rounded once: it does not
depend on chunks, threads or kernels. Other weights change queries, and one factor for each entry, and no key.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from ktviz.library.kinds.patches.bands import band_vectors, inverse_norm
from ktviz.library.kinds.patches.entries import GRID_CHUNK, Entries
from ktviz.library.kinds.patches.keys import KeyProjection
from ktviz.library.kinds.patches.lists import Lists
from ktviz.library.kinds.patches.tree import Tree
from ktviz.retrieval.exact import on_grid

PARTS = 1024
"""Of 1 that factors are rounded to where centres are added up, so that their sums are exact."""


@dataclass(frozen=True, eq=False)
class Level:
    """Nodes of a level of the tree, and leaves above it.

    Attributes:
        nodes: (n,) their numbers in the tree.
        centres: Mean keys of what lies below them, in a list for each node of the level above.
    """

    nodes: Tensor
    centres: Lists


@dataclass(frozen=True, eq=False)
class Index:
    """What a beam search holds in memory.

    Attributes:
        tree: The cluster tree.
        projection: Patches to keys.
        weights: (4,) of LL, LH, HL, HH.
        keys: (N, D) int8 of the entries in leaf order.
        factors: (N,) float32: norm of each entry's patch over that of its weighted bands.
        entries: The same in a list for each leaf.
        levels: From the top to the leaves.
    """

    tree: Tree
    projection: KeyProjection
    weights: Tensor
    keys: Tensor
    factors: Tensor
    entries: Lists
    levels: tuple[Level, ...]

    @classmethod
    def create(
        cls, tree: Tree, entries: Entries, keys: Tensor, projection: KeyProjection, weights: Sequence[float]
    ) -> Index:
        weight, leaves = torch.tensor(weights), tree.leaves
        whole = inverse_norm(entries.energy, torch.ones(4))
        factors = torch.where(whole > 0, inverse_norm(entries.energy, weight) / whole, 0.0)
        start, sizes = tree.start[leaves], tree.end[leaves] - tree.start[leaves]
        listed = Lists.create(keys, projection.units, factors, start, sizes)
        there = torch.ones(len(keys), dtype=torch.bool)
        above = levels(tree, keys, factors, projection.units, there)
        return cls(tree, projection, weight, keys, factors, listed, above)

    def without(self, excluded: Tensor) -> Index:
        """The index of the entries that are left: its clusters have the centres of what is left of them."""
        above = levels(self.tree, self.keys, self.factors, self.projection.units, ~excluded)
        return replace(self, entries=self.entries.without(excluded.numpy()), levels=above)

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
        keys, left = self.query_keys(queries), self if excluded is None else self.without(excluded)
        number = torch.full((len(self.tree) + 1,), -1)
        number[self.tree.leaves] = torch.arange(len(self.tree.leaves))
        leaves = number[left.route(keys, beam)]
        return torch.from_numpy(left.entries.best(keys, leaves.numpy(), length))

    def query_keys(self, queries: Tensor) -> Tensor:
        """Keys of queries (N, 16 C), their bands weighted, each in units of its own: (N, D) float32."""
        keys = torch.empty(len(queries), len(self.projection.units))
        weights = self.weights.double()[self.projection.band_of]
        for rows in torch.arange(len(queries)).split(GRID_CHUNK):
            keys[rows] = self.projection.of_bands(band_vectors(on_grid(queries[rows]))).mul_(weights).float()
        return keys

    def route(self, keys: Tensor, beam: int) -> Tensor:
        """The best leaves: query keys (N, D) to (N, beam) nodes, the best first, -1 where there are fewer.

        Level by level only children of the kept nodes stay in the race, beside leaves above the last level.
        """
        visits, best = np.zeros((len(keys), 1), np.int64), torch.zeros(len(keys), 1, dtype=torch.int64)
        for level in self.levels:
            visits = level.centres.best(keys, visits, beam)
            best = torch.where(torch.from_numpy(visits >= 0), level.nodes[torch.from_numpy(visits)], -1)
        return best


def levels(tree: Tree, keys: Tensor, factors: Tensor, units: Tensor, there: Tensor) -> tuple[Level, ...]:
    """The levels of a tree, with centres of the entries that are there."""
    parts = (factors * PARTS).round_().to(torch.int64)
    sums, counts = node_sums(tree, keys, parts, there)
    centres = (sums / (PARTS * counts.clamp(min=1))[:, None]).float() * units
    above, found = torch.zeros(1, dtype=torch.int64), []
    for _ in range(tree.depth):
        below = [tree.children[node] if len(tree.children[node]) else torch.tensor([node]) for node in above.tolist()]
        nodes, sizes = torch.cat(below), torch.tensor([len(some) for some in below])
        listed = Lists.of_means(centres[nodes], counts[nodes] > 0, sizes.cumsum(0) - sizes, sizes)
        found.append(Level(nodes, listed))
        above = nodes
    return tuple(found)


def node_sums(tree: Tree, keys: Tensor, parts: Tensor, there: Tensor) -> tuple[Tensor, Tensor]:
    """Sums of keys times whole numbers below each node, of entries that are there, (nodes, D) float64, exact; and how
    many these are, (nodes,)."""
    leaves = tree.leaves
    start, end = tree.start[leaves], tree.end[leaves]
    sums = torch.zeros(len(leaves) + 1, keys.shape[1], dtype=torch.float64)
    for leaf, (first, last) in enumerate(zip(start.tolist(), end.tolist(), strict=True), 1):
        mine = first + there[first:last].nonzero()[:, 0]
        sums[leaf] = (keys[mine].to(torch.int64) * parts[mine, None]).sum(0)
    counts = torch.cat((torch.zeros(1, dtype=torch.int64), there.long().cumsum(0)))
    running = sums.cumsum(0)
    total = running[torch.searchsorted(start, tree.end)] - running[torch.searchsorted(start, tree.start)]
    return total, counts[tree.end] - counts[tree.start]


def remaining(start: int, end: int, excluded: Tensor | None) -> Tensor:
    """The entries of a range that are not excluded: (n,) int64."""
    rows = torch.arange(start, end)
    return rows if excluded is None else rows[~excluded[start:end]]


def group(labels: Tensor) -> list[tuple[int, Tensor]]:
    """Positions of each label: (N,) int64 to [(label, positions)], labels ascending, -1 left out."""
    order = labels.argsort(stable=True)
    values, sizes = labels[order].unique_consecutive(return_counts=True)
    pairs = zip(values.tolist(), order.split(sizes.tolist()), strict=True)
    return [(label, positions) for label, positions in pairs if label >= 0]
