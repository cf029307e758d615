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
from ktviz.systems.descents import Descent, Road, Way
from ktviz.systems.kt.live import Live
from ktviz.systems.protocol import Ints


def descents(case: Live, queries: Sequence[int], entries: Ints | None = None) -> list[Descent]:
    """The ways down of some queries, in their order; each in the bank of its winner, or of another entry (N,).

    Raises:
        UnknownNameError: There is no such query.
    """
    strangers = [query for query in queries if not 0 <= query < len(case.grid)]
    if strangers:
        raise UnknownNameError(
            f"query {strangers[0]}", f"the image has queries 0 to {len(case.grid) - 1:,}", "Take one of these"
        )
    asked = torch.tensor(queries, dtype=torch.int64)
    winner = case.winner[asked] if entries is None else torch.from_numpy(entries)
    number = torch.searchsorted(case.banks.entry_offset, winner, right=True) - 1
    found: dict[int, Descent] = {}
    for bank, mine in group(number):
        vectors = to_vectors(case.grid.unfold(case.asked, asked[mine]))
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
    leaves = descend(vectors, tree)
    greedy = ways(vectors, tree.paths(leaves), tree)
    visited = visited_leaves(bank, vectors, leaves, settings)
    return [
        Descent(query, bank.name, nodes(path), tuple(road), way, nodes(seen))
        for query, path, road, way, seen in zip(
            queries.tolist(), paths.tolist(), steps, greedy, visited.tolist(), strict=True
        )
    ]


def nodes(padded: Sequence[int]) -> tuple[int, ...]:
    """Numbers of nodes without the -1 that stand for none."""
    return tuple(node for node in padded if node >= 0)


def ways(vectors: Tensor, paths: Tensor, tree: Tree) -> list[Way]:
    """Paths (N, depth) with the cosines of queries (N, 16 C) to their nodes."""
    near = torch.full(paths.shape, float("nan"))
    for level in range(paths.shape[1]):
        for node, mine in group(paths[:, level]):
            near[mine, level] = cosines(vectors[mine], tree.centres_of(torch.tensor([node])))[:, 0]
    return [Way(nodes(path), row[: len(nodes(path))].numpy()) for path, row in zip(paths.tolist(), near, strict=True)]


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
