"""The beam's index: keys of entries and centres, ready for one choice of band weights.

Keys are whole numbers, short enough that a product in single precision rounds nothing, in whatever order it adds up:
what a beam proposes does not depend on chunks, threads or kernels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from ktviz.library.kinds.patches.bands import band_vectors, inverse_norm
from ktviz.library.kinds.patches.entries import GRID_CHUNK, Entries
from ktviz.library.kinds.patches.keys import KeyProjection
from ktviz.library.kinds.patches.tree import Tree
from ktviz.retrieval.exact import leading, on_grid, root

PER_LEAF = 8
"""Entries a leaf may propose to one query; more where few leaves are visited."""
FIRST = 4
"""Leaves that are visited before the others: what they hold tells what the others must exceed."""
PRODUCTS_AT_ONCE = 2**19
"""Products held at a time: 2 MB."""
KEY_NORM, LONGEST_KEY = 4000, 4050
"""Norm of keys before they are rounded to whole numbers, and after it at most: products stay below 2^24, also with
means that are rounded once more (by half of sqrt(D): 10 for D = 400)."""


@dataclass(frozen=True)
class Index:
    """What a beam search holds in memory.

    Attributes:
        tree: The cluster tree.
        projection: Patches to keys.
        weights: (4,) of LL, LH, HL, HH.
        keys: (N, D) float32 whole numbers: keys of the entries in leaf order, weighted, of norm at most `LONGEST_KEY`.
        sums: (nodes, D) float64 whole numbers: sum of the keys below each node, and
        counts: (nodes,) how many they are.
    """

    tree: Tree
    projection: KeyProjection
    weights: Tensor
    keys: Tensor
    sums: Tensor
    counts: Tensor

    @classmethod
    def create(
        cls, tree: Tree, entries: Entries, keys: Tensor, projection: KeyProjection, weights: Sequence[float]
    ) -> Index:
        weight = torch.tensor(weights)
        share = root(weight)[projection.band_of]
        keys = keys.float().mul_(KEY_NORM * inverse_norm(entries.energy, weight)[:, None]).mul_(share).round_()
        # Where the weighted bands hold next to nothing, half precision may have made more of it.
        long = keys.norm(dim=1) > LONGEST_KEY
        more = keys[long].double()
        keys[long] = (more * (KEY_NORM / more.abs().sum(1, keepdim=True))).round_().float()
        return cls(tree, projection, weight, keys, node_sums(tree, keys), tree.end - tree.start)

    @cached_property
    def centres(self) -> Tensor:
        """(nodes, D) float32 whole numbers: mean of the keys below each node, rounded.

        A query's product with it is its mean similarity to those entries.
        """
        return (self.sums / self.counts.clamp(min=1)[:, None]).round_().float()

    def without(self, excluded: Tensor) -> Index:
        """The index of the entries that are left: its clusters have the centres of what is left of them."""
        gone = torch.cat((torch.zeros(1, dtype=torch.int64), excluded.long().cumsum(0)))
        counts = self.counts - (gone[self.tree.end] - gone[self.tree.start])
        return replace(self, sums=self.sums - node_sums(self.tree, self.keys, excluded), counts=counts)

    def shortlist(self, queries: Tensor, beam: int, length: int, excluded: Tensor | None) -> Tensor:
        """The most promising entries of each query by their keys.

        Args:
            queries: (N, 16 C) vectors.
            beam: Leaves visited per query.
            length: Entries wanted per query.
            excluded: (entries,) bool of entries to pass over.

        Returns:
            (N, length) int64 entries; -1 where the visited leaves held fewer.
        """
        keys, left = self.query_keys(queries), self if excluded is None else self.without(excluded)
        return left.visit(keys, left.route(keys, beam), length, excluded)

    def query_keys(self, queries: Tensor) -> Tensor:
        """Keys of queries (N, 16 C), as those of entries: (N, D) float32 whole numbers."""
        keys = torch.empty(len(queries), len(self.projection.band_of))
        share = KEY_NORM * root(self.weights.double())[self.projection.band_of]
        for rows in torch.arange(len(queries)).split(GRID_CHUNK):
            bands = band_vectors(on_grid(queries[rows]))
            inverse = inverse_norm(bands.square().sum(2), self.weights)
            keys[rows] = self.projection.of_bands(bands).mul_(inverse[:, None]).mul_(share).round_().float()
        return keys

    def route(self, keys: Tensor, beam: int) -> Tensor:
        """The best leaves: (N, D) query keys to (N, at most beam) nodes, -1 where there are fewer.

        Level by level only children of the kept nodes stay in the race, beside leaves above the last level. One product
        compares all nodes of a level: there are far fewer of them than entries, and picking pairs would cost more.
        """
        nodes, kept = torch.zeros(1, dtype=torch.int64), torch.ones(len(keys), 1, dtype=torch.bool)
        best = torch.zeros(len(keys), 1, dtype=torch.int64)
        for _ in range(self.tree.depth):
            below = [self.tree.children[n] if len(self.tree.children[n]) else torch.tensor([n]) for n in nodes.tolist()]
            parent = torch.repeat_interleave(torch.arange(len(nodes)), torch.tensor([len(b) for b in below]))
            nodes = torch.cat(below)
            similarity = (keys @ self.centres[nodes].T).masked_fill_(~kept[:, parent], -torch.inf)
            similarity[:, self.counts[nodes] == 0] = -torch.inf
            place = leading(similarity, beam)
            reached = similarity.gather(1, place) > -torch.inf
            best = torch.where(reached, nodes[place], -1)
            kept = torch.zeros_like(similarity, dtype=torch.bool).scatter_(1, place, reached)
        return best

    def visit(self, keys: Tensor, leaves: Tensor, length: int, excluded: Tensor | None) -> Tensor:
        """Compare each query with the entries of its leaves, the best leaves first: they tell what others must exceed.

        Of each leaf only the best entries come into the last choice.
        """
        per_leaf = max(PER_LEAF, -(-length // leaves.shape[1]))  # few leaves must still yield `length` entries
        bound = torch.full((len(keys),), -torch.inf)
        similarity, entry = self.best_of(keys, leaves[:, :FIRST], bound, per_leaf, excluded)
        if similarity.shape[1] >= length:
            bound = similarity.topk(length, dim=1).values[:, -1]
        more = self.best_of(keys, leaves[:, FIRST:], bound, per_leaf, excluded)
        similarity, entry = torch.cat((similarity, more[0]), 1), torch.cat((entry, more[1]), 1)
        return entry.gather(1, leading(similarity, length, number=entry))

    def best_of(
        self, keys: Tensor, leaves: Tensor, bound: Tensor, count: int, excluded: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """The best entries of each leaf for its query, of leaves that hold one as similar as the query's bound.

        Args:
            keys: (N, D) of the queries.
            leaves: (N, L) they visit.
            bound: (N,) least similarity of interest.
            count: Entries per leaf.
            excluded: (entries,) bool of entries to pass over.

        Returns:
            (N, L * count) similarities, -inf for none; and entries, -1 for none.
        """
        similarity, entry = torch.full((leaves.numel(), count), -torch.inf), torch.full((leaves.numel(), count), -1)
        leaf = leaves.flatten()
        visits = leaf.argsort()[int((leaf < 0).sum()) :]
        largest = int((self.tree.end - self.tree.start)[leaf[visits].unique()].max()) if len(visits) else 0
        for slots in visits.split(max(1, PRODUCTS_AT_ONCE // largest)) if largest else ():
            query = slots // leaves.shape[1]
            found, first = self.products(keys.index_select(0, query), leaf[slots], excluded)
            worth = (found.amax(1) >= bound[query]).nonzero()[:, 0]
            found, first, slots = found[worth], first[worth], slots[worth]
            place = leading(found, count)
            value = found.gather(1, place)
            similarity[slots, : place.shape[1]] = value
            entry[slots, : place.shape[1]] = torch.where(value > -torch.inf, place + first[:, None], -1)
        shape = len(keys), leaves.shape[1] * count
        return similarity.view(shape), entry.view(shape)

    def products(self, keys: Tensor, leaves: Tensor, excluded: Tensor | None) -> tuple[Tensor, Tensor]:
        """Products of query keys (n, D) with those of the entries of one leaf each (n,), equal leaves side by side.

        Returns:
            (n, entries of the largest leaf), -inf where there is no entry or it is excluded; and each leaf's first
            entry (n,).
        """
        leaf, counts = leaves.unique_consecutive(return_counts=True)
        starts, sizes = self.tree.start[leaf], self.tree.end[leaf] - self.tree.start[leaf]
        found = torch.full((len(keys), int(sizes.max())), -torch.inf)
        runs = zip(keys.split(counts.tolist()), found.split(counts.tolist()), strict=True)
        for (asked, out), start, size in zip(runs, starts.tolist(), sizes.tolist(), strict=True):
            rows = slice(start, start + size)
            torch.mm(asked, self.keys[rows].T, out=out[:, :size])
            if excluded is not None:
                out[:, :size].masked_fill_(excluded[rows], -torch.inf)
        return found, starts.repeat_interleave(counts)


def node_sums(tree: Tree, keys: Tensor, counted: Tensor | None = None) -> Tensor:
    """Sums of the keys below each node, of all entries or of those that are counted: (nodes, D) float64, exact."""
    leaves = tree.leaves
    start, end = tree.start[leaves], tree.end[leaves]
    sums = torch.zeros(len(leaves) + 1, keys.shape[1], dtype=torch.float64)
    for leaf, (first, last) in enumerate(zip(start.tolist(), end.tolist(), strict=True), 1):
        rows = keys[first:last] if counted is None else keys[first:last][counted[first:last]]
        if len(rows):
            sums[leaf] = rows.sum(0, dtype=torch.float64)
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
