"""The beam's index: keys of entries and centres, ready for one choice of band weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ktviz.library.entries import Entries
from ktviz.library.keys import KeyProjection
from ktviz.library.tree import Tree
from ktviz.model.bands import inverse_norm

PER_LEAF = 8
"""Entries a leaf may propose to one query; more where few leaves are visited."""


@dataclass(frozen=True)
class Index:
    """What a beam search holds in memory.

    Attributes:
        tree: The cluster tree.
        projection: Patches to keys.
        keys: (N, D) float32 keys of the entries in leaf order, divided by their weighted norm.
        centres: (nodes, D) float32 mean of the keys below each node: a query's product with it is its mean similarity
            to those entries.
        key_weight: (D,) band weight of each key dimension.
    """

    tree: Tree
    projection: KeyProjection
    keys: Tensor
    centres: Tensor
    key_weight: Tensor

    @classmethod
    def create(
        cls, tree: Tree, entries: Entries, keys: Tensor, projection: KeyProjection, weights: Sequence[float]
    ) -> Index:
        weight = torch.tensor(weights)
        keys = keys.float().mul_(inverse_norm(entries.energy, weight)[:, None])
        bounds = zip(tree.start.tolist(), tree.end.tolist(), strict=True)
        centres = torch.stack([keys[start:end].mean(0) for start, end in bounds])
        return cls(tree, projection, keys, centres, weight[projection.band_of])

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
        keys = self.projection(queries) * self.key_weight
        return self.scan(keys, self.route(keys, beam), length, excluded)

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
            value, place = similarity.topk(min(beam, len(nodes)), dim=1)
            reached = value > -torch.inf
            best = torch.where(reached, nodes[place], -1)
            kept = torch.zeros_like(similarity, dtype=torch.bool).scatter_(1, place, reached)
        return best

    def scan(self, keys: Tensor, leaves: Tensor, length: int, excluded: Tensor | None) -> Tensor:
        """Compare each query with the entries of its leaves, one matrix product per leaf."""
        per_leaf = max(PER_LEAF, -(-length // leaves.shape[1]))  # few leaves must still yield `length` entries
        similarity = torch.full((leaves.numel(), per_leaf), -torch.inf)
        entry = torch.full((leaves.numel(), per_leaf), -1)
        for leaf, slots in group(leaves.flatten()):
            start, end = int(self.tree.start[leaf]), int(self.tree.end[leaf])
            rows = slice(start, end) if excluded is None else remaining(start, end, excluded)
            known = self.keys[rows]
            value, place = (keys[slots // leaves.shape[1]] @ known.T).topk(min(per_leaf, len(known)), dim=1)
            similarity[slots, : value.shape[1]] = value
            entry[slots, : value.shape[1]] = place + start if isinstance(rows, slice) else rows[place]
        similarity, entry = similarity.view(len(keys), -1), entry.view(len(keys), -1)
        order = similarity.topk(length, dim=1).indices
        return entry.gather(1, order)


def remaining(start: int, end: int, excluded: Tensor | None) -> Tensor:
    """The entries of a range that are not excluded: (n,) int64.

    Excluded entries are left out of every product rather than masked in its result, so that a search without them
    rounds as it would in a library that never held them.
    """
    rows = torch.arange(start, end)
    return rows if excluded is None else rows[~excluded[start:end]]


def group(labels: Tensor) -> list[tuple[int, Tensor]]:
    """Positions of each label: (N,) int64 to [(label, positions)], labels ascending, -1 left out."""
    order = labels.argsort(stable=True)
    values, sizes = labels[order].unique_consecutive(return_counts=True)
    pairs = zip(values.tolist(), order.split(sizes.tolist()), strict=True)
    return [(label, positions) for label, positions in pairs if label >= 0]
