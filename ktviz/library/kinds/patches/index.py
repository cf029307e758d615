"""The beam's index: keys of entries and of the nodes above them, ready for one choice of band weights.

Keys are whole numbers, so few and so small that products round nothing, in whatever order they add up: what a beam
proposes does not depend on chunks, threads or kernels. Of the directions in which a bank's keys differ, those are kept
in which some entry holds most: a query may hold half of its energy where only a few entries hold any.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ktviz.library.kinds.patches.bands import band_vectors, inverse_norm
from ktviz.library.kinds.patches.entries import GRID_CHUNK, Entries
from ktviz.library.kinds.patches.keys import KeyProjection, fix_signs
from ktviz.library.kinds.patches.lists import Lists
from ktviz.library.kinds.patches.tree import Tree
from ktviz.retrieval.exact import on_grid, root

NUMBERS = 128
"""Of a key, at most."""
KEY_NORM, LONGEST_KEY = 4000, 4050
"""Norm of keys before they are rounded to whole numbers, and after it at most."""
BASIS_NORM = 2000
"""Of directions: products with keys less the mean key stay below 2^24, where single precision rounds nothing."""
SAMPLE = 20_000
"""Entries from which directions are found."""
CHUNK = 16_384


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
        basis: (D, at most `NUMBERS`) float32 whole numbers: from such keys, weighted, to those that are compared.
        entries: Keys of the entries, in a list for each leaf.
        levels: From the top to the leaves.
    """

    tree: Tree
    projection: KeyProjection
    weights: Tensor
    basis: Tensor
    entries: Lists
    levels: tuple[Level, ...]

    @classmethod
    def create(
        cls, tree: Tree, entries: Entries, keys: Tensor, projection: KeyProjection, weights: Sequence[float]
    ) -> Index:
        weight = torch.tensor(weights)
        whole = weighted_keys(keys, entries.energy, weight, projection.band_of)
        mean = (whole.sum(0, dtype=torch.float64) / len(whole)).round_().float()
        basis = telling(whole, mean, directions(whole, mean))
        leaves = tree.leaves
        vectors = torch.cat([(some - mean) @ basis for some in whole.split(CHUNK)])
        listed = Lists.create(vectors, tree.start[leaves], tree.end[leaves] - tree.start[leaves])
        return cls(tree, projection, weight, basis, listed, levels(tree, listed))

    def without(self, excluded: Tensor) -> Index:
        """The index of the entries that are left: its clusters have the centres of what is left of them."""
        gone = excluded.numpy()
        return replace(self, entries=self.entries.without(gone), levels=levels(self.tree, self.entries, gone))

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
        leaves = left.route(keys, beam)
        number = torch.full((len(self.tree) + 1,), -1)
        number[self.tree.leaves] = torch.arange(len(self.tree.leaves))
        return torch.from_numpy(left.entries.best(keys, number[leaves].numpy(), length)[0])

    def query_keys(self, queries: Tensor) -> Tensor:
        """Keys of queries (N, 16 C), to be compared with those of entries: (N, `NUMBERS`) float32 whole numbers."""
        keys = torch.empty(len(queries), len(self.projection.band_of))
        share = KEY_NORM * root(self.weights.double())[self.projection.band_of]
        for rows in torch.arange(len(queries)).split(GRID_CHUNK):
            bands = band_vectors(on_grid(queries[rows]))
            inverse = inverse_norm(bands.square().sum(2), self.weights)
            keys[rows] = self.projection.of_bands(bands).mul_(inverse[:, None]).mul_(share).round_().float()
        return keys @ self.basis

    def route(self, keys: Tensor, beam: int) -> Tensor:
        """The best leaves: query keys (N, `NUMBERS`) to (N, beam) nodes, the best first, -1 where there are fewer.

        Level by level only children of the kept nodes stay in the race, beside leaves above the last level.
        """
        visits, best = np.zeros((len(keys), 1), np.int64), torch.zeros(len(keys), 1, dtype=torch.int64)
        for level in self.levels:
            visits, _ = level.centres.best(keys, visits, beam)
            best = torch.where(torch.from_numpy(visits >= 0), level.nodes[torch.from_numpy(visits)], -1)
        return best


def weighted_keys(keys: Tensor, energy: Tensor, weights: Tensor, band_of: Tensor) -> Tensor:
    """Keys (N, D) as whole numbers, weighted by their bands, of norm at most `LONGEST_KEY`: (N, D) float32."""
    found = torch.empty(keys.shape, dtype=torch.float32)
    share = root(weights)[band_of]
    for rows in torch.arange(len(keys)).split(CHUNK):
        some = keys[rows].float().mul_(KEY_NORM * inverse_norm(energy[rows], weights)[:, None]).mul_(share).round_()
        # Where the weighted bands hold next to nothing, half precision may have made more of it.
        long = some.norm(dim=1) > LONGEST_KEY
        more = some[long].double()
        some[long] = (more * (KEY_NORM / more.abs().sum(1, keepdim=True))).round_().float()
        found[rows] = some
    return found


def directions(keys: Tensor, mean: Tensor) -> Tensor:
    """Principal directions of keys (N, D), as whole numbers: (D, D) float32."""
    sample = (keys[:: -(-len(keys) // SAMPLE)] - mean).double()  # whole numbers: their moments are exact
    found = fix_signs(torch.linalg.eigh(sample.T @ sample).eigenvectors)
    return (BASIS_NORM * found).round_().float()


def telling(keys: Tensor, mean: Tensor, basis: Tensor) -> Tensor:
    """The directions in which some entry holds most: (D, at most `NUMBERS`), filled up to a multiple of four."""
    most = torch.stack([((some - mean) @ basis).abs().amax(0) for some in keys.split(CHUNK)]).amax(0)
    kept = basis[:, most.argsort(descending=True, stable=True)[:NUMBERS].sort().values]
    return torch.nn.functional.pad(kept, (0, -kept.shape[1] % 4))


def levels(tree: Tree, entries: Lists, gone: NDArray[np.bool_] | None = None) -> tuple[Level, ...]:
    """The levels of a tree, with centres of the entries that are not gone."""
    numbers = entries.numbers()
    there = np.ones(len(numbers), bool) if gone is None else ~gone
    sums = node_sums(tree, torch.from_numpy(numbers), torch.from_numpy(there))
    counts = node_sums(tree, torch.ones(len(numbers), 1, dtype=torch.int8), torch.from_numpy(there))
    centres = (sums / counts.clamp(min=1)).float() * entries.scale
    above, found = torch.zeros(1, dtype=torch.int64), []
    for _ in range(tree.depth):
        below = [tree.children[node] if len(tree.children[node]) else torch.tensor([node]) for node in above.tolist()]
        nodes, sizes = torch.cat(below), torch.tensor([len(some) for some in below])
        empty = (counts[nodes, 0] == 0).numpy()
        found.append(Level(nodes, Lists.create(centres[nodes], sizes.cumsum(0) - sizes, sizes).without(empty)))
        above = nodes
    return tuple(found)


def node_sums(tree: Tree, numbers: Tensor, counted: Tensor) -> Tensor:
    """Sums of the whole numbers below each node, of the entries that are counted: (nodes, D) float64, exact."""
    leaves = tree.leaves
    start, end = tree.start[leaves], tree.end[leaves]
    sums = torch.zeros(len(leaves) + 1, numbers.shape[1], dtype=torch.float64)
    for leaf, (first, last) in enumerate(zip(start.tolist(), end.tolist(), strict=True), 1):
        sums[leaf] = numbers[first:last][counted[first:last]].sum(0, dtype=torch.int64)
    running = sums.cumsum(0)
    return running[torch.searchsorted(start, tree.end)] - running[torch.searchsorted(start, tree.start)]


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
