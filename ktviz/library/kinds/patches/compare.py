"""Comparison: the weighted cosine of bands that is recorded, and the order of candidates that follows from it.

Computed on the grid of exact products (`ktviz.retrieval.exact`), so that a query and an entry have one similarity,
whatever they are compared with, in whatever parts, on however many threads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from ktviz.library.kinds.patches import exact_kernel
from ktviz.library.kinds.patches.bands import coefficients, inverse_norm, spread, weighted
from ktviz.library.kinds.patches.entries import GRID_CHUNK
from ktviz.networks.threads import shared_out, sharing
from ktviz.retrieval.exact import grid_scale, leading, on_grid, root

QUERIES_AT_ONCE = 512
"""Queries worked with at a time: where no kernel reads the features, their bands take 32 MB for C = 128."""


class Comparable(Protocol):
    """Something whose entries can be compared: `Entries`, or a union of banks."""

    def energies(self, rows: Tensor, /) -> Tensor: ...

    def scales(self, rows: Tensor, /) -> Tensor: ...

    def on_grid(self, rows: Tensor, /, out: Tensor | None = None) -> Tensor: ...

    def views(self, rows: Tensor, /) -> tuple[Tensor, Tensor] | None: ...


@dataclass(frozen=True)
class Ranked:
    """Compared candidates of N queries, best first, of equal ones the lowest entry first.

    Attributes:
        entry: (N, k) int64, -1 for none.
        similarity: (N, k) float32 weighted cosine, -inf for none.
        bands: (N, k, 4) float32 cosine within each band.
    """

    entry: Tensor
    similarity: Tensor
    bands: Tensor

    @property
    def columns(self) -> tuple[Tensor, Tensor, Tensor]:
        """All three."""
        return self.entry, self.similarity, self.bands

    def put(self, rows: Tensor, others: Ranked) -> None:
        """Take the candidates of some queries from elsewhere."""
        self.entry[rows], self.similarity[rows], self.bands[rows] = others.entry, others.similarity, others.bands


@sharing()
def rank(queries: Tensor, candidates: Tensor, entries: Comparable, weights: Tensor, length: int) -> Ranked:
    """Compare candidates (N, R), -1 for none, and keep the best."""

    def some(first: int, last: int) -> Ranked:
        return best_of(queries[first:last], candidates[first:last], entries, weights, length)

    found = shared_out(len(queries), some)
    return found[0] if len(found) == 1 else Ranked(*map(torch.cat, zip(*(one.columns for one in found), strict=True)))


def best_of(queries: Tensor, candidates: Tensor, entries: Comparable, weights: Tensor, length: int) -> Ranked:
    """The same on one thread; cosines within bands are of those alone that are kept."""
    rows = candidates.clamp(min=0)
    scales, stored = entries.scales(rows), entries.energies(rows)
    energy, dots = products(queries, rows, scales, entries)
    asked = energy[:, None]
    similarity = cosine(dots / scales[..., None], asked, stored, weights).masked_fill_(candidates < 0, -torch.inf)
    order = leading(similarity, length, number=candidates)
    bands = order[..., None].expand(-1, -1, 4)
    kept = dots.gather(1, bands) / scales.gather(1, order)[..., None]
    within = cosines_within(kept, asked, stored.gather(1, bands))
    return Ranked(candidates.gather(1, order), similarity.gather(1, order), within)


def compare(queries: Tensor, candidates: Tensor, entries: Comparable, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Similarities of queries (N, 16 C) to candidates (N, R), -1 for none.

    Returns:
        The weighted cosine (N, R) float32, -inf for none, and the cosine within each band (N, R, 4) float32.
    """
    rows = candidates.clamp(min=0)
    scales = entries.scales(rows)
    energy, dots = products(queries, rows, scales, entries)
    similarity, within = similarities(dots, energy[:, None], entries.energies(rows), scales, weights)
    return similarity.masked_fill_(candidates < 0, -torch.inf), within


def products(queries: Tensor, rows: Tensor, scales: Tensor, entries: Comparable) -> tuple[Tensor, Tensor]:
    """Band energies of queries (n, 16 C) on the grid, (n, 4), and products with entries (n, R) there: (n, R, 4).

    By a kernel where it reads such features, else by matrix products: both are exact.
    """
    energy, dots = torch.empty(len(rows), 4, dtype=torch.float64), torch.empty(*rows.shape, 4, dtype=torch.float64)
    views = entries.views(rows)
    if views is None:
        for some in torch.arange(len(rows)).split(QUERIES_AT_ONCE):
            energy[some], dots[some] = gathered(queries[some], rows[some], entries)
        return energy, dots
    read = queries.contiguous(), *views, scales.float(), energy, dots

    def multiply(first: int, last: int) -> None:
        asked, *others = (one[first:last] for one in read)
        scale = torch.cat([grid_scale(few) for few in asked.split(QUERIES_AT_ONCE)])
        exact_kernel.products(*(one.numpy() for one in (asked, scale, *others)))

    shared_out(len(rows), multiply)
    return energy, dots


def gathered(queries: Tensor, rows: Tensor, entries: Comparable) -> tuple[Tensor, Tensor]:
    """The same by matrix products, with so few entries at a time as can be gathered."""
    bands, step = coefficients(on_grid(queries)), max(1, GRID_CHUNK // max(1, rows.shape[1]))
    dots = [
        entries.on_grid(stored.flatten()).view(*stored.shape, asked.shape[2]) @ asked.transpose(1, 2)
        for asked, stored in zip(spread(bands).split(step), rows.split(step), strict=True)
    ]
    return bands.square().sum((2, 3, 4)), torch.cat(dots)


def similarities(dots: Tensor, asked: Tensor, stored: Tensor, scales: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """From products on the grid to cosines.

    Args:
        dots: (..., 4) products of queries and entries in each band.
        asked: (..., 4) band energies of the queries on the grid.
        stored: (..., 4) band energies of the entries.
        scales: (...) what the entries were multiplied by.
        weights: (4,) of the bands.

    Returns:
        The weighted cosine (...) and the cosine within each band (..., 4), float32; 0 where there is no energy.
    """
    dots = dots / scales[..., None]
    return cosine(dots, asked, stored, weights), cosines_within(dots, asked, stored)


def cosine(dots: Tensor, asked: Tensor, stored: Tensor, weights: Tensor) -> Tensor:
    """The weighted cosine (...) float32 of products (..., 4) of queries on the grid with entries as they are."""
    similarity = weighted(dots, weights) * inverse_norm(asked, weights) * inverse_norm(stored.double(), weights)
    return similarity.clamp_(-1, 1).float()


def cosines_within(dots: Tensor, asked: Tensor, stored: Tensor) -> Tensor:
    """The same within each band: (..., 4) float32."""
    norm = root(asked * stored.double())
    return torch.where(norm > 0, dots / norm, 0.0).clamp_(-1, 1).float()
