"""Which retrievals a backtracking figure shows: telling ones, spread out, whose curves do not tangle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ktviz.explain.shares import query_overlap
from ktviz.images import Pixels
from ktviz.library.kinds.patches.features import STRIDE
from ktviz.library.kinds.patches.grid import SIZE
from ktviz.regions import Box, Region
from ktviz.systems.kt.translation import Translation

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

PATCH = SIZE * STRIDE
"""Side of a patch in image px."""
MAX_SOURCES = 8
MIN_SHARE = 0.005
"""Sources below this share are shown only if no other is left."""
BLOCKS = 20
"""Each source offers its best query of each block; the photo is BLOCKS x BLOCKS of them."""
MAX_SWEEPS = 12


@dataclass(frozen=True)
class Pick:
    """A recorded retrieval that is shown.

    Attributes:
        query: Its number in the grid.
        place: Its source's place in the figure's list of sources.
        similarity: Of the winner.
        query_box: In input px.
        source_box: In px of the source's picture.
    """

    query: int
    place: int
    similarity: float
    query_box: Box
    source_box: Box


@dataclass(frozen=True)
class Selection:
    """What a figure shows.

    Attributes:
        sources: Numbers of the shown sources in the searched banks, largest share first.
        shares: Their shares.
        sides: (side, rank) of each: 0 left or 1 right of the photo; rank 0 is on top.
        picks: Grouped by source.
    """

    sources: tuple[int, ...]
    shares: tuple[float, ...]
    sides: tuple[tuple[int, int], ...]
    picks: tuple[Pick, ...]


@dataclass(frozen=True)
class Queries:
    """The queries that lie within the photo.

    Attributes:
        number: (n,) in the grid.
        corner: (n, 2) y, x in input px.
        source: (n,) number of the winner's source.
        source_corner: (n, 2) y, x of the winner's patch in px of the source's picture.
        similarity: (n,) of the winner.
        merit: (n,) up to 1, how telling a pair of patches is.
    """

    number: Ints
    corner: Ints
    source: Ints
    source_corner: Ints
    similarity: Floats
    merit: Floats

    @property
    def centre(self) -> Floats:
        """(n, 2) y, x in input px."""
        return self.corner.astype(np.float64) + PATCH / 2


def select(translation: Translation, picks: int, region: Region = None) -> Selection:
    """Choose sources and retrievals behind a region; the same question gives the same choice."""
    height, width = translation.input.shape[:2]
    covered = query_overlap(translation, region)
    queries = visible_queries(translation, covered)
    sources, shares = main_sources(translation, queries, covered, min(picks, MAX_SOURCES))
    queries = with_merit(queries, translation, sources)
    extent = np.array([height, width], dtype=np.float64)
    offers = [best_per_block(queries, s, extent) for s in sources]
    counts = allot(shares, [len(rows) for rows in offers], picks)
    middles = np.array([queries.centre[queries.source == s].mean(0) for s in sources]) / extent
    sides = take_sides(middles, counts)
    chosen = untangle(queries, offers, counts, sides, extent)
    return Selection(
        tuple(sources),
        tuple(shares),
        tuple(sides),
        tuple(as_pick(queries, row, place) for place, row in chosen),
    )


def visible_queries(translation: Translation, covered: Tensor) -> Queries:
    """The queries that cover the region, and whose box lies within the photo; where there is none, those next to it."""
    height, width = translation.input.shape[:2]
    matches = translation.matches
    corner = translation.grid.corners().numpy() * STRIDE
    inside = np.all(corner + PATCH <= (height, width), axis=1)
    if (inside & (covered.numpy() > 0)).any():
        inside &= covered.numpy() > 0
    else:  # a region in the last few px, which only patches that reach into the padding paint
        centre = corner + PATCH / 2
        target = centre[int(covered.argmax())]
        inside &= np.abs(centre - target).sum(1) == np.abs(centre[inside] - target).sum(1).min()
    source, y, x = (t.numpy() for t in translation.banks.locate(matches.winner))
    return Queries(
        number=np.flatnonzero(inside),
        corner=corner[inside],
        source=source[inside],
        source_corner=np.stack((y, x), 1)[inside] * STRIDE,
        similarity=matches.winner_similarity.double().numpy()[inside],
        merit=np.zeros(np.count_nonzero(inside)),
    )


def with_merit(queries: Queries, translation: Translation, sources: Sequence[int]) -> Queries:
    """Judge the queries some sources won: flat patches match well but show nothing, so contrast counts."""
    contrast = local_contrast(translation.input, queries.corner)
    for source in sources:
        rows = queries.source == source
        theirs = local_contrast(translation.banks.picture(source), queries.source_corner[rows])
        contrast[rows] = np.minimum(contrast[rows], theirs)
    merit = 0.6 * standing(contrast) + 0.4 * standing(queries.similarity)
    # A box on the very edge shows little of its surroundings, and its curve runs along the frame.
    edge = (queries.corner < PATCH).any(1) | (queries.corner + 2 * PATCH > translation.input.shape[:2]).any(1)
    return replace(queries, merit=merit - 0.25 * edge)


def local_contrast(image: Pixels, corner: Ints) -> Floats:
    """Standard deviation of the brightness of the boxes with these top-left corners (n, 2): (n,)."""
    grey = image.astype(np.float64).mean(2)
    y, x = corner.T
    area = PATCH * PATCH

    def mean(values: Floats) -> Floats:
        table = np.pad(values.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
        low_y, low_x = y + PATCH, x + PATCH
        total: Floats = table[low_y, low_x] - table[y, low_x] - table[low_y, x] + table[y, x]
        return total / area

    contrast: Floats = np.sqrt((mean(grey**2) - mean(grey) ** 2).clip(0))
    return contrast


def standing(values: Floats) -> Floats:
    """Place of each value among all: 0 for the smallest, 1 for the largest."""
    place = np.empty(len(values))
    place[values.argsort(kind="stable")] = np.linspace(0, 1, len(values))
    return place


def main_sources(
    translation: Translation, queries: Queries, covered: Tensor, most: int
) -> tuple[list[int], list[float]]:
    """The sources with the largest shares among those that have a visible query, and the shares."""
    banks = translation.banks
    source, _, _ = banks.locate(translation.matches.winner)
    share = torch.zeros(len(banks.sources), dtype=torch.float64)
    share.index_add_(0, source, covered)
    visible = np.unique(queries.source).tolist()
    order = sorted(visible, key=lambda s: (-float(share[s]), banks.source_names[s]))
    order = [s for n, s in enumerate(order) if n == 0 or share[s] >= MIN_SHARE][:most]
    return order, [float(share[s]) for s in order]


def allot(shares: Sequence[float], available: Sequence[int], picks: int) -> list[int]:
    """How many picks each source gets: one each, the rest in proportion (d'Hondt), within what is there."""
    counts = [1] * len(shares)
    while sum(counts) < min(picks, sum(available)):
        open_ = [n for n in range(len(shares)) if counts[n] < available[n]]
        counts[max(open_, key=lambda n: shares[n] / (counts[n] + 1))] += 1
    return counts


def take_sides(middles: Floats, counts: Sequence[int]) -> list[tuple[int, int]]:
    """Side and rank of each source.

    Args:
        middles: (sources, 2) mean y, x of its queries, 0..1.
        counts: Picks of each source.
    """
    number = len(counts)
    if number == 1:
        return [(1, 0)]

    def cost(left: tuple[int, ...]) -> float:
        walk = sum(counts[n] * (middles[n, 1] if n in left else 1 - middles[n, 1]) for n in range(number))
        lopsided = abs(sum(counts) - 2 * sum(counts[n] for n in left))
        return float(walk) + 0.15 * lopsided

    halves = {number // 2, number - number // 2}
    left = min((c for half in sorted(halves) for c in combinations(range(number), half)), key=cost)
    sides = [(0 if n in left else 1, 0) for n in range(number)]
    for side in (0, 1):
        stack = sorted((n for n in range(number) if sides[n][0] == side), key=lambda n: float(middles[n, 0]))
        for rank, n in enumerate(stack):
            sides[n] = (side, rank)
    return sides


def best_per_block(queries: Queries, source: int, extent: Floats) -> Ints:
    """Rows of the most telling query of a source in each block of the photo."""
    rows = (queries.source == source).nonzero()[0]
    rows = rows[np.argsort(-queries.merit[rows], kind="stable")]
    block = (queries.centre[rows] / extent * BLOCKS).astype(np.int64) @ (BLOCKS, 1)
    best: Ints = rows[np.sort(np.unique(block, return_index=True)[1])]
    return best


def untangle(
    queries: Queries,
    offers: Sequence[Ints],
    counts: Sequence[int],
    sides: Sequence[tuple[int, int]],
    extent: Floats,
) -> list[tuple[int, int]]:
    """Choose rows from the offers: (source's place, row) per pick.

    One pick after the other takes the cheapest row beside the others' present rows, until nothing changes.
    """
    places = [place for place, count in enumerate(counts) for _ in range(count)]
    rows: list[int | None] = [None] * len(places)
    for _ in range(MAX_SWEEPS):
        before = list(rows)
        for n, place in enumerate(places):
            others = [(places[m], row) for m, row in enumerate(rows) if m != n and row is not None]
            rows[n] = int(offers[place][cost_of(offers[place], place, others, queries, sides, extent).argmin()])
        if rows == before:
            break
    return [(place, row) for place, row in zip(places, rows, strict=True) if row is not None]


def cost_of(
    rows: Ints,
    place: int,
    others: Sequence[tuple[int, int]],
    queries: Queries,
    sides: Sequence[tuple[int, int]],
    extent: Floats,
) -> Floats:
    """What each of the rows would cost beside the other picks (source's place, row): (n,).

    The weights were found by looking at figures.
    """
    side, rank = sides[place]
    spot, target = queries.centre[rows], queries.source_corner[rows]
    reach = spot[:, 1] / extent[1] if side == 0 else 1 - spot[:, 1] / extent[1]
    cost: Floats = (1 - queries.merit[rows]) + 1.2 * reach**2
    for other, row in others:
        away, apart = spot - queries.centre[row], (target - queries.source_corner[row]).astype(np.float64)
        cost += 100.0 * (rows == row) + 1.5 * nearness(away, 0.16 * float(np.hypot(*extent)))
        cost += 3.0 * (np.abs(away).max(1) < 2 * PATCH)
        if other == place:
            cost += 2.0 * nearness(apart, 5.0 * PATCH) + 3.0 * (np.abs(apart).max(1) < 3.5 * PATCH)
            cost += 1.0 * (np.abs(apart[:, 0]) < PATCH)
        level = np.abs(away[:, 0]) < 0.05 * extent[0]
        if sides[other][0] == side:
            # Curves cross where the order of the queries is not the order of the boxes they lead to.
            order = np.sign(apart[:, 0]) if other == place else float(np.sign(rank - sides[other][1]))
            cost += np.where(order * away[:, 0] < 0, 1.3 + np.abs(away[:, 0]) / extent[0] * 2, 0)
            cost += 2.0 * level + 2.0 * (np.abs(away[:, 0]) < PATCH)
        else:
            passing = away[:, 1] > 0 if side == 0 else away[:, 1] < 0
            cost += 1.0 * (level & passing)
    return cost


def nearness(away: Floats, distance: float) -> Floats:
    """1 at the same place, 0 far away: (n, 2) to (n,)."""
    near: Floats = np.exp(-((away / distance) ** 2).sum(1))
    return near


def as_pick(queries: Queries, row: int, place: int) -> Pick:
    y, x = queries.corner[row]
    source_y, source_x = queries.source_corner[row]
    return Pick(
        query=int(queries.number[row]),
        place=place,
        similarity=float(queries.similarity[row]),
        query_box=Box(float(x), float(y), PATCH, PATCH),
        source_box=Box(float(source_x), float(source_y), PATCH, PATCH),
    )
