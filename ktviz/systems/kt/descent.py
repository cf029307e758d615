"""The way down: at every level of the tree, the roads a query's winner could have taken, and how near each was."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ktviz.errors import UnknownNameError
from ktviz.library.kinds.patches.bands import to_vectors
from ktviz.library.kinds.patches.bank import Bank
from ktviz.library.kinds.patches.group import group
from ktviz.library.kinds.patches.search import SearchSettings, descend
from ktviz.library.kinds.patches.tree import Tree
from ktviz.retrieval.exact import cosines
from ktviz.systems.descents import Descent, Road
from ktviz.systems.kt.live import Live


def descents(case: Live, queries: Sequence[int]) -> list[Descent]:
    """The ways down of some queries, in their order; each in the bank of its winner.

    Raises:
        UnknownNameError: There is no such query.
    """
    strangers = [query for query in queries if not 0 <= query < len(case.grid)]
    if strangers:
        raise UnknownNameError(
            f"query {strangers[0]}", f"the image has queries 0 to {len(case.grid) - 1:,}", "Take one of these"
        )
    asked = torch.tensor(queries, dtype=torch.int64)
    winner = case.winner[asked]
    number = torch.searchsorted(case.banks.entry_offset, winner, right=True) - 1
    found: dict[int, Descent] = {}
    for bank, mine in group(number):
        vectors = to_vectors(case.grid.unfold(case.features, asked[mine]))
        local = winner[mine] - case.banks.entry_offset[bank]
        ways = bank_descents(case.banks.banks[bank], vectors, local, asked[mine], case.settings.search)
        found.update(zip(mine.tolist(), ways, strict=True))
    return [found[n] for n in range(len(asked))]


def bank_descents(
    bank: Bank, vectors: Tensor, winner: Tensor, queries: Tensor, settings: SearchSettings
) -> list[Descent]:
    """Descents in one bank: vectors (N, 16 C), winners (N,) among its entries, numbers of the queries (N,)."""
    tree = bank.tree
    paths = tree.paths(tree.leaf_of(winner))
    steps = roads(vectors, paths, tree)
    greedy = descend(vectors, tree)
    visited = visited_leaves(bank, vectors, greedy, settings)
    return [
        Descent(query, bank.name, tuple(n for n in path if n >= 0), tuple(way), leaf, tuple(n for n in seen if n >= 0))
        for query, path, way, leaf, seen in zip(
            queries.tolist(), paths.tolist(), steps, greedy.tolist(), visited.tolist(), strict=True
        )
    ]


def roads(vectors: Tensor, paths: Tensor, tree: Tree) -> list[list[Road]]:
    """The children beside each path (N, depth), compared with queries (N, 16 C), one product per parent."""
    found: list[list[Road]] = [[] for _ in vectors]
    for level in range(paths.shape[1]):
        taken = paths[:, level]
        for parent, mine in group(tree.parent[taken.clamp(min=0)].masked_fill(taken < 0, -1)):
            children = tree.children[parent]
            similarity = cosines(vectors[mine], tree.centres_of(children))
            nodes, best = children.numpy(), children[similarity.argmax(1)]
            for row, values, node, greedy in zip(
                mine.tolist(), similarity.numpy(), taken[mine].tolist(), best.tolist(), strict=True
            ):
                found[row].append(Road(level + 1, nodes, values, node, greedy))
    return found


def visited_leaves(bank: Bank, vectors: Tensor, greedy: Tensor, settings: SearchSettings) -> Tensor:
    """Leaves that the search compared, best first: (N, n), -1 where there are fewer; (N, 0) for all."""
    if settings.preset == "exact":
        return greedy.new_empty(len(greedy), 0)
    if settings.preset == "paper":
        return greedy[:, None]
    index = bank.index(settings.band_weights)
    return index.route(index.query_keys(vectors), settings.beam)
