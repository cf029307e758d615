"""Coherence: where candidates are nearly equal, the one that continues a neighbour's source wins.

In flat regions (sky, water, walls) almost equal candidates win at random and the picture breaks into blotches; the
published method has this fault. Accepting a neighbour's continuation within a small loss of similarity is Ashikhmin's
coherent search (2001), done here along the anti-diagonals of the query grid, so that many queries are decided at once.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from ktviz.library.kinds.patches.bands import to_vectors
from ktviz.library.kinds.patches.compare import compare
from ktviz.library.kinds.patches.grid import QUERY_STEP, PatchGrid
from ktviz.library.kinds.patches.union import BankUnion
from ktviz.retrieval.matches import Matches


def continue_neighbours(
    matches: Matches,
    features: Tensor,
    grid: PatchGrid,
    banks: BankUnion,
    weights: Tensor,
    tolerance: float,
    excluded: Tensor | None = None,
    above: Tensor | None = None,
) -> Matches:
    """Let queries continue the winner of the query to the left or above.

    Args:
        matches: The retrievals of an image or of a strip of it, row by row.
        features: (C, h, w), its features.
        grid: Its queries.
        banks: What was searched.
        weights: (4,) band weights of the search.
        tolerance: Loss of similarity that is accepted; 0 changes nothing, as published.
        excluded: (entries,) bool of entries that may not be taken.
        above: (columns,) winners of the row of queries above a strip.

    Returns:
        Matches whose `chosen` and extension `coherent` (N,) say where a continuation was taken. One that was not among
        the candidates takes the place of the last.
    """
    coherent = torch.zeros(len(matches), dtype=torch.bool)
    if tolerance <= 0:
        return replace(matches, extensions={**matches.extensions, "coherent": coherent})
    before = 0 if above is None else len(above)
    winner = matches.winner if above is None else torch.cat((above, matches.winner))
    similarity, bands = matches.winner_similarity, matches["bands"][:, 0].clone()
    floor = matches.similarity[:, 0] - tolerance
    for query in anti_diagonals(grid):
        offered = continuations(query + before, winner, grid, banks, excluded)
        already = (offered == matches.entry[query, :1]).any(1)
        undecided = ((offered >= 0).any(1) & ~already).nonzero()[:, 0]
        if not len(undecided):
            continue
        query, offered = query[undecided], offered[undecided]
        value, within = compare(to_vectors(grid.unfold(features, query)), offered, banks, weights)
        value, better = value.max(1)
        taken = value >= floor[query]
        query, better = query[taken], better[taken]
        winner[query + before], similarity[query] = offered[taken, better], value[taken]
        bands[query] = within[taken, better]
        coherent[query] = True
    return record(matches, banks, winner[before:], similarity, bands, coherent)


def continuations(
    query: Tensor, winner: Tensor, grid: PatchGrid, banks: BankUnion, excluded: Tensor | None = None
) -> Tensor:
    """The entries that go on where the winners above and to the left of some queries (n,) end: (n, 2), -1 for none."""
    above = torch.where(query >= grid.columns, banks.shifted(winner[query - grid.columns], QUERY_STEP, 0), -1)
    left = torch.where(query % grid.columns > 0, banks.shifted(winner[query - 1], 0, QUERY_STEP), -1)
    offered = torch.stack((above, left), dim=1).sort(dim=1).values  # of equal ones the lower entry wins
    return offered if excluded is None else torch.where(excluded[offered.clamp(min=0)], -1, offered)


def anti_diagonals(grid: PatchGrid) -> list[Tensor]:
    """Queries in an order in which the left and the upper neighbour always come first."""
    number = torch.arange(len(grid))
    diagonal = number // grid.columns + number % grid.columns
    order = diagonal.argsort(stable=True)
    return list(order.split(diagonal.bincount().tolist()))


def record(
    matches: Matches, banks: BankUnion, winner: Tensor, similarity: Tensor, bands: Tensor, coherent: Tensor
) -> Matches:
    """Write the continuations into the matches."""
    rows = coherent.nonzero()[:, 0]
    known = matches.entry[rows] == winner[rows, None]
    last = matches.entry.shape[1] - 1
    column = torch.where(known.any(1), known.int().argmax(1), last)
    entry, values, within = matches.entry.clone(), matches.similarity.clone(), matches["bands"].clone()
    chosen, path = matches.chosen.clone(), matches["path"].clone()
    entry[rows, column], values[rows, column], within[rows, column] = winner[rows], similarity[rows], bands[rows]
    chosen[rows] = column
    path[rows] = banks.paths(winner[rows])[:, : path.shape[1]]
    return replace(
        matches,
        entry=entry,
        similarity=values,
        chosen=chosen,
        extensions={"bands": within, "path": path, "coherent": coherent},
    )
