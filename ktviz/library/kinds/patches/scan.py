"""Scans: the best of many entries, proposed by fast products and settled exactly.

A product in single precision may err by a known amount, so it proposes a few entries more than are wanted. Where what
it left out could still be among the best, the query is compared with everything again, on the grid of exact products.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from ktviz.library.kinds.patches.bands import TINY, band_energy, band_parts, inverse_norm, weight_bands, weighted
from ktviz.library.kinds.patches.carried import AT_ONCE, CPU, Carried
from ktviz.library.kinds.patches.compare import Comparable, Ranked, rank, similarities
from ktviz.library.kinds.patches.entries import GATHER_CHUNK, GRID_CHUNK, Entries
from ktviz.retrieval.exact import leading, on_grid, root, rounding

MORE = 8
"""Entries proposed beyond those that are wanted."""
QUERIES_AT_ONCE = 512
"""Queries scanned exactly at a time: their parts take 32 MB for C = 128."""

Scope = tuple[Tensor, Tensor]
"""Numbers of some queries, and the entries (n,), ascending, among which they seek."""


def scan(
    queries: Tensor,
    scopes: Sequence[Scope],
    entries: Entries,
    weights: Tensor,
    length: int,
    there: Carried | None = None,
) -> Ranked:
    """The best entries of each query (N, 16 C) in its scope; found on a GPU if entries were carried `there`."""
    energy = band_energy(queries)
    norm = root(weighted(energy, weights)).clamp(min=TINY)
    unit = weight_bands(queries, weights) / norm[:, None]
    # Bands that hold little of a query are small differences of large numbers, rounded before, here and on the grid.
    inexact = rounding(math.isqrt(queries.shape[1])) * root(weighted(energy, torch.ones(4)) * weights.max()) / norm
    proposed = torch.full((len(queries), length + MORE), -1)
    bound = torch.full((len(queries),), -torch.inf)
    for mine, rows in scopes:
        proposed[mine], bound[mine] = propose(unit[mine], rows, there or entries, weights, proposed.shape[1])
    found = rank(queries, proposed, entries, weights, length)
    doubtful = (bound > -torch.inf) & (found.similarity[:, -1] <= bound + inexact)
    if not doubtful.any():
        return found
    for mine, rows in scopes:
        again = mine[doubtful[mine]]
        for start in range(0, len(again), QUERIES_AT_ONCE):
            part = again[start : start + QUERIES_AT_ONCE]
            shortlist = best_on_grid(queries[part], rows, there or entries, weights, length)
            found.put(part, rank(queries[part], shortlist, entries, weights, length))
    return found


def propose(
    unit: Tensor, rows: Tensor, entries: Entries | Carried, weights: Tensor, width: int
) -> tuple[Tensor, Tensor]:
    """The entries that may be the best, by fast products.

    Args:
        unit: (N, 16 C) queries, their bands weighted, divided by the norm of the weighted bands.
        rows: (n,) entries to choose from.
        entries: All of them; where they lie is where products are computed.
        weights: (4,) of the bands.
        width: Entries to propose per query.

    Returns:
        (N, width) entries, -1 where there are fewer; and what no other entry's similarity exceeds: (N,) float32, -inf
        if all were proposed.
    """
    if len(rows) <= width:
        return F.pad(rows, (0, width - len(rows)), value=-1).expand(len(unit), -1), torch.tensor(-torch.inf)
    there, at_once = place_of(entries, GATHER_CHUNK)
    unit = unit.to(there)
    best = torch.full((len(unit), width), -torch.inf, device=there)
    entry = torch.full((len(unit), width), -1, device=there)
    for chunk in rows.split(at_once):
        energy = entries.energies(chunk)
        inverse = inverse_norm(energy, weights)
        # The error grows with what cancels in the sum: with the whole patches, of which some bands may weigh nothing.
        whole = root(weighted(energy, torch.ones(4)) * weights.max())
        error = rounding(unit.shape[1]) * whole * inverse
        most = torch.addmm(error, unit, entries.vectors(chunk).mul_(inverse[:, None]).T)
        best, place = torch.cat((best, most), 1).topk(width, dim=1)
        entry = torch.cat((entry, chunk.to(there).expand(len(unit), -1)), 1).gather(1, place)
    return entry.cpu(), best[:, -1].cpu()


def all_similarities(
    queries: Tensor, rows: Tensor, entries: Comparable, weights: Tensor
) -> Iterator[tuple[Tensor, Tensor]]:
    """Some entries (n,) at a time, and the exact similarities of all queries (N, 16 C) to them: (N, n)."""
    there, at_once = place_of(entries, GRID_CHUNK)
    asked = on_grid(queries)
    energy, parts = band_energy(asked)[:, None].to(there), band_parts(asked).flatten(0, 1).to(there)
    for chunk in rows.split(at_once):
        dots = (parts @ entries.on_grid(chunk).T).view(len(queries), 4, -1).transpose(1, 2)
        yield chunk, similarities(dots, energy, entries.energies(chunk), entries.scales(chunk), weights)[0]


def best_on_grid(queries: Tensor, rows: Tensor, entries: Entries | Carried, weights: Tensor, length: int) -> Tensor:
    """The best of some entries, every one compared exactly: (N, length), -1 where there are fewer."""
    there, _ = place_of(entries, GRID_CHUNK)
    best = torch.full((len(queries), length), -torch.inf, device=there)
    entry = torch.full((len(queries), length), -1, device=there)
    for chunk, found in all_similarities(queries, rows, entries, weights):
        values = torch.cat((best, found), 1)
        place = leading(values, length)  # earlier columns are lower entries
        best = values.gather(1, place)
        entry = torch.cat((entry, chunk.to(there).expand(len(queries), -1)), 1).gather(1, place)
    return entry.cpu()


def place_of(entries: Comparable, at_once: int) -> tuple[torch.device, int]:
    """Where entries are compared, and how many at a time; so many on the CPU."""
    return (entries.device, AT_ONCE) if isinstance(entries, Carried) else (CPU, at_once)
