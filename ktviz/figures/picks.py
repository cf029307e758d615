"""Which retrievals a backtracking figure shows: telling ones, spread out, whose curves do not tangle."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from ktviz.errors import TraceError
from ktviz.images import Pixels
from ktviz.regions import Box, Region, bounding_box
from ktviz.trace.shares import source_numbers, source_shares
from ktviz.trace.trace import Trace

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Find = Callable[[str], Pixels | None]
"""From the name of a source to its picture, if there is one."""

LEAST = 16
"""A retrieval is judged by the contrast of its place; of a smaller place, by so many px around it."""
MAX_SOURCES = 8
MIN_SHARE = 0.005
"""Sources below this share are shown only if no other is left."""
BLOCKS = 20
"""Each source offers its best query of each block; the photo is BLOCKS x BLOCKS of them."""
MAX_SWEEPS = 12


@dataclass(frozen=True)
class Taken:
    """A part of a source that a retrieval took.

    Attributes:
        box: In px of the source's picture.
        weight: Its part in the retrieval's result.
    """

    box: Box
    weight: float


@dataclass(frozen=True)
class Pick:
    """A recorded retrieval that is shown.

    Attributes:
        query: Its number.
        place: Its winner's source's place in the figure's list of sources.
        similarity: Of the winner.
        query_box: In px of the picture in which it lies.
        taken: What it took from that source, the winner first.
    """

    query: int
    place: int
    similarity: float
    query_box: Box
    taken: tuple[Taken, ...]

    @property
    def source_box(self) -> Box:
        """Where the winner lies."""
        return self.taken[0].box


@dataclass(frozen=True)
class Selection:
    """What a figure shows.

    Attributes:
        sources: Names of the shown sources, largest share first.
        shares: Their shares.
        pictures: Of them; None where there is none.
        sides: (side, rank) of each: 0 left or 1 right of the photo; rank 0 is on top.
        picks: Grouped by source.
    """

    sources: tuple[str, ...]
    shares: tuple[float, ...]
    pictures: tuple[Pixels | None, ...] = field(compare=False)
    sides: tuple[tuple[int, int], ...]
    picks: tuple[Pick, ...]


@dataclass(frozen=True)
class Offered:
    """Retrievals that may be shown.

    Attributes:
        number: (n,) of the query.
        box: (n, 4) x, y, width, height in px of the photo.
        source: (n,) number of the winner's source.
        source_box: (n, 4) of the winner in px of the source's picture.
        similarity: (n,) of the winner.
        merit: (n,) up to 1, how telling a pair of patches is.
    """

    number: Ints
    box: Floats
    source: Ints
    source_box: Floats
    similarity: Floats
    merit: Floats

    @property
    def centre(self) -> Floats:
        """(n, 2) y, x in px of the photo."""
        return middle(self.box)

    @property
    def side(self) -> float:
        """What counts as near, in px."""
        return max(LEAST, float(np.median(self.box[:, 2:]))) if len(self.box) else LEAST


def select(trace: Trace, find: Find, picks: int, region: Region = None) -> Selection:
    """Choose sources and retrievals behind a region; the same question gives the same choice.

    Args:
        trace: Of one image and one site, with the picture in which its queries lie.
        find: The sources' pictures.
        picks: How many retrievals.
        region: Of the output; None for all.
    """
    photo = trace.input
    assert photo is not None
    queries = queries_behind(trace, region)
    sources, shares = main_sources(trace, queries, region, min(picks, MAX_SOURCES))
    known = trace.about["sources"]
    pictures = {number: find(known[number]["source"]) for number in sources}
    for number, picture in pictures.items():
        mine = queries.source == number
        queries.source_box[mine] = in_picture(queries.source_box[mine], known[number], picture)
    soft = trace.site_about["kind"] != "hard"  # a retrieval that takes from one place alone is no better than others
    queries = with_merit(
        replace(queries, similarity=np.zeros_like(queries.similarity)) if soft else queries, photo, pictures
    )
    extent = np.array(photo.shape[:2], dtype=np.float64)
    offers = [best_per_block(queries, s, extent) for s in sources]
    counts = allot(shares, [len(rows) for rows in offers], picks)
    middles = np.array([queries.centre[queries.source == s].mean(0) for s in sources]) / extent
    sides = take_sides(middles, counts)
    chosen = untangle(queries, offers, counts, sides, extent)
    shown = [as_pick(trace, queries, row, n, known[sources[n]], pictures[sources[n]]) for n, row in chosen]
    return Selection(
        tuple(known[number]["source"] for number in sources),
        tuple(shares),
        tuple(pictures.values()),
        tuple(sides),
        tuple(shown),
    )


def queries_behind(trace: Trace, region: Region) -> Offered:
    """The retrievals that cover a part of a region.

    Raises:
        TraceError: There are none.
    """
    rows = np.flatnonzero(trace.overlap(region))
    if not len(rows):
        raise TraceError("show what is behind a region", "no retrieval covers it", "Take one that retrievals painted")
    return Offered(
        number=trace.column("query")[rows].astype(np.int64),
        box=query_boxes(trace)[rows],
        source=source_numbers(trace, winners=True)[rows],
        source_box=trace.column("source_box")[rows].astype(np.float64),
        similarity=np.nan_to_num(trace.column("similarity")[rows].astype(np.float64)),
        merit=np.zeros(len(rows)),
    )


def query_boxes(trace: Trace) -> Floats:
    """Where the queries of a trace lie: (retrievals, 4); of the regions of a label map, the boxes around them."""
    box = trace.column("box").astype(np.float64)
    labels = trace.picture.labels(trace.site_about["canvas"])
    if labels is not None:
        for row in np.flatnonzero(np.isnan(box[:, 0])):
            around = bounding_box(labels == trace.column("label")[row])
            box[row] = around.x, around.y, around.width, around.height
    return box


def in_picture(box: Floats, about: Mapping[str, object], picture: Pixels | None) -> Floats:
    """Parts of a source (n, 4) in px of its picture; a part without a box is the source as a whole."""
    height, width = size_of(about, picture)
    known = about.get("height") and about.get("width") and picture is not None
    # Less than a cell of a scaled picture is cut off: the side that lost less tells the scale.
    scale = max(height / float(str(about["height"])), width / float(str(about["width"]))) if known else 1.0
    found: Floats = np.where(np.isnan(box[:, :1]), (0, 0, width, height), box * scale)
    return found


def size_of(about: Mapping[str, object], picture: Pixels | None) -> tuple[int, int]:
    """(height, width) of a source's picture; where there is none, of the original, and if that is unknown, a square."""
    if picture is not None:
        return picture.shape[0], picture.shape[1]
    return int(str(about.get("height") or LEAST)), int(str(about.get("width") or LEAST))


def with_merit(queries: Offered, photo: Pixels, pictures: Mapping[int, Pixels | None]) -> Offered:
    """Judge queries: flat patches match well but show nothing, so contrast counts."""
    contrast = local_contrast(photo, queries.box)
    for source, picture in pictures.items():
        rows = queries.source == source
        if picture is not None:
            contrast[rows] = np.minimum(contrast[rows], local_contrast(picture, queries.source_box[rows]))
    merit = 0.6 * standing(contrast) + 0.4 * standing(queries.similarity)
    # A box on the very edge shows little of its surroundings, and its curve runs along the frame.
    reach = np.maximum(LEAST, queries.box[:, 3:1:-1])
    top_left = queries.centre - reach / 2
    edge = (top_left < reach).any(1) | (top_left + 2 * reach > photo.shape[:2]).any(1)
    return replace(queries, merit=merit - 0.25 * edge)


def local_contrast(image: Pixels, box: Floats) -> Floats:
    """Standard deviation of the brightness of boxes (n, 4), or of `LEAST` px around those that are smaller: (n,)."""
    grey = image.astype(np.float64).mean(2)
    extent = np.array(grey.shape)
    side = np.minimum(np.maximum(LEAST, box[:, 3:1:-1]).round().astype(np.int64), extent)
    low = np.clip((middle(box) - side / 2).round().astype(np.int64), 0, extent - side)
    (y, x), (bottom, right) = low.T, (low + side).T
    area = side.prod(1)

    def mean(values: Floats) -> Floats:
        table = np.pad(values.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
        total: Floats = table[bottom, right] - table[y, right] - table[bottom, x] + table[y, x]
        return np.asarray(total / area)

    contrast: Floats = np.sqrt((mean(grey**2) - mean(grey) ** 2).clip(0))
    return contrast


def middle(box: Floats) -> Floats:
    """(n, 2) y, x of boxes (n, 4)."""
    found: Floats = (box[:, :2] + box[:, 2:] / 2)[:, ::-1]
    return found


def standing(values: Floats) -> Floats:
    """Place of each value among all: 0 for the smallest, 1 for the largest."""
    place = np.empty(len(values))
    place[values.argsort(kind="stable")] = np.linspace(0, 1, len(values))
    return place


def main_sources(trace: Trace, queries: Offered, region: Region, most: int) -> tuple[list[int], list[float]]:
    """The sources with the largest shares among those that won a query, and the shares."""
    names = [source["source"] for source in trace.about["sources"]]
    share = source_shares(trace, region)
    won = np.unique(queries.source).tolist()
    order = sorted(won, key=lambda s: (-float(share[s]), names[s]))
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


def best_per_block(queries: Offered, source: int, extent: Floats) -> Ints:
    """Rows of the most telling query of a source in each block of the photo."""
    rows = (queries.source == source).nonzero()[0]
    rows = rows[np.argsort(-queries.merit[rows], kind="stable")]
    block = (queries.centre[rows] / extent * BLOCKS).astype(np.int64) @ (BLOCKS, 1)
    best: Ints = rows[np.sort(np.unique(block, return_index=True)[1])]
    return best


def untangle(
    queries: Offered,
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
    queries: Offered,
    sides: Sequence[tuple[int, int]],
    extent: Floats,
) -> Floats:
    """What each of the rows would cost beside the other picks (source's place, row): (n,).

    The weights were found by looking at figures.
    """
    side, rank = sides[place]
    patch, spot, target = queries.side, queries.centre[rows], middle(queries.source_box[rows])
    reach = spot[:, 1] / extent[1] if side == 0 else 1 - spot[:, 1] / extent[1]
    cost: Floats = (1 - queries.merit[rows]) + 1.2 * reach**2
    for other, row in others:
        away, apart = spot - queries.centre[row], target - middle(queries.source_box[[row]])[0]
        cost += 100.0 * (rows == row) + 1.5 * nearness(away, 0.16 * float(np.hypot(*extent)))
        cost += 3.0 * (np.abs(away).max(1) < 2 * patch)
        if other == place:
            cost += 2.0 * nearness(apart, 5.0 * patch) + 3.0 * (np.abs(apart).max(1) < 3.5 * patch)
            cost += 1.0 * (np.abs(apart[:, 0]) < patch)
        level = np.abs(away[:, 0]) < 0.05 * extent[0]
        if sides[other][0] == side:
            # Curves cross where the order of the queries is not the order of the boxes they lead to.
            order = np.sign(apart[:, 0]) if other == place else float(np.sign(rank - sides[other][1]))
            cost += np.where(order * away[:, 0] < 0, 1.3 + np.abs(away[:, 0]) / extent[0] * 2, 0)
            cost += 2.0 * level + 2.0 * (np.abs(away[:, 0]) < patch)
        else:
            passing = away[:, 1] > 0 if side == 0 else away[:, 1] < 0
            cost += 1.0 * (level & passing)
    return cost


def nearness(away: Floats, distance: float) -> Floats:
    """1 at the same place, 0 far away: (n, 2) to (n,)."""
    near: Floats = np.exp(-((away / distance) ** 2).sum(1))
    return near


def as_pick(
    trace: Trace, queries: Offered, row: int, place: int, about: Mapping[str, object], picture: Pixels | None
) -> Pick:
    """A retrieval as it is shown, with all that it took from its winner's source."""
    query = int(queries.number[row])
    return Pick(
        query=query,
        place=place,
        similarity=float(queries.similarity[row]),
        query_box=Box(*queries.box[row].tolist()),
        taken=taken(trace, query, about, picture),
    )


def taken(trace: Trace, query: int, about: Mapping[str, object], picture: Pixels | None) -> tuple[Taken, ...]:
    """What a query took from a source: the winner first, then by weight."""
    rows = trace.table.filter(pc.equal(trace.table["query"], query)).to_pylist()
    mine = [row for row in rows if row["source"] == about["source"] and (row["chosen"] or row["weight"] != 0)]
    mine.sort(key=lambda row: (not row["chosen"], -abs(row["weight"])))
    boxes = np.array([row["source_box"] or [np.nan] * 4 for row in mine], dtype=np.float64)
    found = in_picture(boxes, about, picture).tolist()
    return tuple(Taken(Box(*box), float(row["weight"])) for box, row in zip(found, mine, strict=True))
