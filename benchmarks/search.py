"""Search beside other indexes, at equal recall: `python -m benchmarks search`.

What an index proposes is compared by the same exact reads of the feature maps. Settings are chosen on one photograph,
those than which no other of the index is as fast and finds more, and measured on another, in rounds in which all take
their turn. What an index needs for a recall lies between the two of its settings that find a little less and more.
"""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median

import torch
from torch import Tensor

from benchmarks.curves import Curves
from benchmarks.measures import recall
from benchmarks.paintings import make_bank
from benchmarks.peers import MOST, NEIGHBOURS, OURS, Peer, peers
from benchmarks.tables import ROOT, Headline, Table
from ktviz.images import Pixels, read_image, resize_short_side
from ktviz.library.kinds.patches.bands import PAPER_WEIGHTS, to_vectors
from ktviz.library.kinds.patches.bank import Bank
from ktviz.library.kinds.patches.compare import rank
from ktviz.library.kinds.patches.grid import PatchGrid
from ktviz.library.kinds.patches.search import SearchSettings
from ktviz.systems.kt.translator import Translator

TUNED_ON, REPORTED_ON = "coffee", "chelsea"
WANTED = (0.95, 0.99)
ENOUGH = 0.9985
"""Recall on the first photograph of settings than which none looks harder."""
BELOW, ABOVE = 2, 6
"""Settings that are measured on either side of a recall: on the other photograph they find less."""
THREADS = (1, 2)
ROUNDS = 5
SHORTLISTS = (8, 16, 32, 64, MOST)


@dataclass(frozen=True, eq=False)
class Setting:
    """A peer, how hard it looks, and how many of its entries are compared exactly."""

    peer: Peer
    effort: int
    shortlist: int


@dataclass(frozen=True)
class Found:
    """What a setting took, in seconds of the clock, and the part of queries whose best entry it found."""

    setting: Setting
    seconds: float
    recall: float


def main() -> Iterator[Table]:
    with tempfile.TemporaryDirectory() as scratch:
        bank, translator = make_bank(Path(scratch))
        yield compared("search", bank, translator)


def compared(name: str, bank: Bank, translator: Translator, without: Collection[str] = (), why: str = "") -> Table:
    """All indexes in a bank, but for some, and why not these."""
    queries, truth = asked(translator, bank, TUNED_ON)
    settings = [one for peer in peers(bank, without) for one in frontier(tried(peer, bank, queries, truth))]
    queries, truth = asked(translator, bank, REPORTED_ON)
    found = {threads: measured(settings, bank, queries, truth, threads) for threads in THREADS}
    names = [*dict.fromkeys(one.peer.name for one in settings)]
    columns = [f"{wanted}, {cores(threads)}" for wanted in WANTED for threads in THREADS]
    title = f"{len(queries):,} queries in {len(bank):,} entries"
    return Table(
        name,
        f"Search beside other indexes: {title}",
        ["index", *(column for one in columns for column in (one, "of ours"))],
        [row(one, found) for one in names],
        f"Seconds at equal recall@1. Settings are chosen on the photograph {TUNED_ON} and measured on {REPORTED_ON}: "
        f"medians of {ROUNDS} rounds in which all take their turn. A recall lies between two settings of an index; "
        "where its fastest finds more, or its best less, nothing is said of it, or that it did not get there. "
        "Tuned is how hard an index looks, and how many of its proposals are compared; lists are as many as the root "
        f"of the entries, links of graphs {NEIGHBOURS}. All get the keys of ktviz, as 32-bit numbers; what is "
        f"proposed is compared by one code. {why}".rstrip(),
        curves=Curves(
            f"{title}, {cores(THREADS[-1])}",
            "seconds",
            "recall@1",
            {one: points(found[THREADS[-1]], one) for one in names},
            logarithmic="x",
        ),
        headlines=[headline(found[threads], names, wanted, threads) for wanted in WANTED for threads in THREADS],
    )


def cores(threads: int) -> str:
    return f"{threads} core{'s' * (threads > 1)}"


def asked(translator: Translator, bank: Bank, name: str) -> tuple[Tensor, Tensor]:
    """Queries of a photograph, (n, C, 4, 4), and the best entry of each."""
    photo: Pixels = resize_short_side(read_image(ROOT / "sample_data" / "photos" / f"{name}.jpg"), 512)[:512, :512]
    features = translator.encode(photo)
    queries = PatchGrid(*features.shape[1:]).unfold(features)
    return queries, bank.search(queries, SearchSettings("exact", candidates=1)).winner


def winners(one: Setting, bank: Bank, queries: Tensor) -> Tensor:
    """The best of what a peer proposes: (n,)."""
    vectors = to_vectors(queries)
    found = one.peer.propose(vectors, one.effort, one.shortlist)
    return rank(vectors, found, bank.entries, torch.tensor(PAPER_WEIGHTS), 1).entry[:, 0]


def once(one: Setting, bank: Bank, queries: Tensor, truth: Tensor) -> Found:
    """A setting, run once."""
    start = time.perf_counter()
    best = winners(one, bank, queries)
    return Found(one, time.perf_counter() - start, recall(best, truth))


def tried(peer: Peer, bank: Bank, queries: Tensor, truth: Tensor) -> list[Found]:
    """What a peer finds, and how fast, as hard as it can look and as is worth while."""
    winners(Setting(peer, peer.efforts[0], SHORTLISTS[0]), bank, queries)  # whatever is made ready at first
    found: list[Found] = []
    for effort in peer.efforts:
        for shortlist in SHORTLISTS:
            found.append(once(Setting(peer, effort, shortlist), bank, queries, truth))
            if found[-1].recall >= ENOUGH:
                break
    print(peer.name, max(one.recall for one in found), flush=True)
    return found


def frontier(found: Sequence[Found]) -> list[Setting]:
    """Settings than which none is as fast and finds more, some around each recall that is asked about."""
    kept: list[Found] = []
    for one in sorted(found, key=lambda one: (one.seconds, -one.recall)):
        if not kept or one.recall > kept[-1].recall:
            kept.append(one)
    reached = [sum(one.recall < wanted for one in kept) for wanted in WANTED]
    near = {place for first in reached for place in range(first - BELOW, first + ABOVE)}
    return [one.setting for place, one in enumerate(kept) if place in near]


def measured(
    settings: Sequence[Setting], bank: Bank, queries: Tensor, truth: Tensor, threads: int
) -> list[tuple[str, float, float]]:
    """Of each setting whose it is, median seconds and recall, on so many threads, round by round."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    rounds = [[once(one, bank, queries, truth) for one in settings] for _ in range(ROUNDS)]
    torch.set_num_threads(before)
    same = zip(*rounds, strict=True)
    return [(some[0].setting.peer.name, median(one.seconds for one in some), some[0].recall) for some in same]


def points(found: Sequence[tuple[str, float, float]], name: str) -> list[tuple[float, float]]:
    """Seconds and recall of a peer's settings than which none of its own is as fast and finds more."""
    kept: list[tuple[float, float]] = []
    for seconds, reached in sorted((seconds, reached) for whose, seconds, reached in found if whose == name):
        if not kept or reached > kept[-1][1]:
            kept.append((seconds, reached))
    return kept


def seconds_at(curve: Sequence[tuple[float, float]], wanted: float) -> float:
    """Seconds for a recall, between the points of a curve; infinity if it ends below, NaN if it begins above.

    What is not found halves again and again as time grows: its logarithm is interpolated.
    """
    for (before, low), (after, high) in pairwise(curve):
        if low <= wanted <= high:
            a, b, c = (math.log(1 - min(one, 1 - 1e-4)) for one in (low, wanted, high))
            return before + (after - before) * (a - b) / (a - c)
    return math.inf if not curve or curve[-1][1] < wanted else math.nan


def row(name: str, found: dict[int, list[tuple[str, float, float]]]) -> list[str]:
    """A peer: its seconds, and how many times ours."""
    cells = [name]
    for wanted in WANTED:
        for measures in found.values():
            mine, ours = (seconds_at(points(measures, one), wanted) for one in (name, OURS))
            cells += [told(mine).removesuffix(" s"), f"{mine / ours:.2f}" if math.isfinite(mine / ours) else ""]
    return cells


def headline(found: list[tuple[str, float, float]], names: Sequence[str], wanted: float, threads: int) -> Headline:
    """Our time for a recall, beside that of the fastest other index."""
    times = {name: seconds_at(points(found, name), wanted) for name in names}
    others = {name: seconds for name, seconds in times.items() if name != OURS and math.isfinite(seconds)}
    best = min(others, key=lambda name: others[name], default="")
    what = f"search at recall {wanted}, {cores(threads)}"
    return Headline(what, told(times[OURS]), f"{best}: {told(others[best])}" if best else "no other was measured there")


def told(seconds: float) -> str:
    """Seconds for a recall, in words where there are none."""
    if math.isinf(seconds):
        return "not reached"
    return "faster than measured" if math.isnan(seconds) else f"{seconds:.3f} s"
