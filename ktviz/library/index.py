"""The beam's index: keys of entries and centres, ready for one choice of band weights.

Keys are whole numbers, short enough that a product in single precision rounds nothing, in whatever order it adds up:
what a beam proposes does not depend on chunks, threads or kernels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ktviz.library.entries import GRID_CHUNK, Entries
from ktviz.library.keys import KeyProjection
from ktviz.library.tree import Tree
from ktviz.model.bands import band_vectors, inverse_norm
from ktviz.model.exact import leading, on_grid, root

PER_LEAF = 8
"""Entries a leaf may propose to one query; more where few leaves are visited."""
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
        centres: (nodes, D) float32 whole numbers: mean of the keys below each node, rounded. A query's product with it
            is its mean similarity to those entries.
    """

    tree: Tree
    projection: KeyProjection
    weights: Tensor
    keys: Tensor
    centres: Tensor

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
        bounds = zip(tree.start.tolist(), tree.end.tolist(), strict=True)
        sums = torch.stack([keys[start:end].sum(0, dtype=torch.float64) for start, end in bounds])
        centres = (sums / (tree.end - tree.start)[:, None]).round_().float()
        return cls(tree, projection, weight, keys, centres)

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
        keys = self.query_keys(queries)
        return self.visit(keys, self.route(keys, beam), length, excluded)

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
            place = leading(similarity, beam)
            reached = similarity.gather(1, place) > -torch.inf
            best = torch.where(reached, nodes[place], -1)
            kept = torch.zeros_like(similarity, dtype=torch.bool).scatter_(1, place, reached)
        return best

    def visit(self, keys: Tensor, leaves: Tensor, length: int, excluded: Tensor | None) -> Tensor:
        """Compare each query with the entries of its leaves, one matrix product per leaf."""
        beam = leaves.shape[1]
        per_leaf = max(PER_LEAF, -(-length // beam))  # few leaves must still yield `length` entries
        similarity = torch.full((leaves.numel(), per_leaf + 1), -torch.inf)
        entry = torch.full((leaves.numel(), per_leaf + 1), -1)
        asked = leaves.flatten()
        for leaf, slots in group(asked):
            found, rows = self.products(keys.index_select(0, slots // beam), leaf, excluded)
            value, place = found.topk(min(per_leaf + 1, found.shape[1]), dim=1)
            similarity[slots, : value.shape[1]] = value
            entry[slots, : value.shape[1]] = place + rows.start if isinstance(rows, slice) else rows[place]
        # Which of equal entries are among the best is left open by `topk`: where the first of the others is equal, too.
        unsettled = (similarity[:, -1] > -torch.inf) & (similarity[:, -1] == similarity[:, -2])
        for leaf, slots in group(asked.masked_fill(~unsettled, -1)):
            found, rows = self.products(keys.index_select(0, slots // beam), leaf, excluded)
            place = leading(found, per_leaf + 1)
            entry[slots] = place + rows.start if isinstance(rows, slice) else rows[place]
        similarity[:, -1], entry[:, -1] = -torch.inf, -1
        similarity, entry = similarity.view(len(keys), -1), entry.view(len(keys), -1)
        return entry.gather(1, leading(similarity, length, number=entry))

    def products(self, keys: Tensor, leaf: int, excluded: Tensor | None) -> tuple[Tensor, slice | Tensor]:
        """Products of query keys (n, D) with those of a leaf's entries, and which entries these are."""
        start, end = int(self.tree.start[leaf]), int(self.tree.end[leaf])
        rows = slice(start, end) if excluded is None else remaining(start, end, excluded)
        return keys @ self.keys[rows].T, rows


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
