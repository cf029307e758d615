"""Search beside other indexes, each tuned to equal recall: `python -m benchmarks search`.

All get the same keys as 32-bit numbers, propose entries by inner product, and what they propose is compared by the same
exact reads of the feature maps. Settings are chosen on one photograph and reported on another: of those that reach a
recall there, the fastest. Times are medians of rounds in which all take their turn.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

import faiss
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from benchmarks.curves import Curves
from benchmarks.speed import make_bank, recall
from benchmarks.tables import ROOT, Headline, Table
from ktviz.images import Pixels, read_image, resize_short_side
from ktviz.library.kinds.patches.bands import PAPER_WEIGHTS, to_vectors
from ktviz.library.kinds.patches.bank import Bank
from ktviz.library.kinds.patches.compare import rank
from ktviz.library.kinds.patches.grid import PatchGrid
from ktviz.library.kinds.patches.search import SearchSettings
from ktviz.printing import counted
from ktviz.systems.kt.translator import Translator

OURS = "ktviz"
TUNED_ON, REPORTED_ON = "coffee", "chelsea"
WANTED = (0.95, 0.99)
ROUNDS = 5
SHORTLISTS = (8, 16, 32, 64, 128)
BEAMS, PROBES, EFFORTS = (40, 60, 80, 120, 160, 240), (4, 8, 16, 32, 64, 128), (16, 32, 64, 128, 256, 512)
NEIGHBOURS, BUILD_EFFORT, PAD = 32, 200, 8
Propose = Callable[[Tensor, int, int], Tensor]
"""Queries (n, 16 C), how hard to look, and how many entries: (n, entries)."""


@dataclass(frozen=True)
class Peer:
    """An index and how hard it can look.

    Attributes:
        name: What it is called.
        efforts: What can be given, from fast to good.
        propose: Entries for queries.
    """

    name: str
    efforts: Sequence[int]
    propose: Propose


@dataclass(frozen=True)
class Tried:
    """How fast a peer was in one setting, and what it found.

    Attributes:
        peer: The peer.
        effort: How hard it looked.
        shortlist: Entries that were compared exactly.
        seconds: Of one run.
        recall: The part of queries whose best entry was found.
    """

    peer: Peer
    effort: int
    shortlist: int
    seconds: float
    recall: float


@dataclass(frozen=True)
class Tuned:
    """The recall that a peer was to reach, and the setting that was chosen for that."""

    wanted: float
    chosen: Tried


@dataclass(frozen=True)
class Found:
    """A tuned peer on the other photograph: median seconds of the clock and of processors, and recall."""

    tuned: Tuned
    wall: float
    busy: float
    recall: float


def main() -> Iterator[Table]:
    with tempfile.TemporaryDirectory() as scratch:
        bank, translator = make_bank(Path(scratch))
        tuning = asked(translator, bank, TUNED_ON)
        known = [tried(peer, bank, *tuning) for peer in (ours(bank), *others(bank))]
        queries, truth = asked(translator, bank, REPORTED_ON)
        found = report([one for some in known for one in tune(some)], bank, queries, truth)
    yield Table(
        "search",
        f"Search beside other indexes: {len(queries):,} queries in {len(bank):,} entries, "
        f"{counted(torch.get_num_threads(), 'thread')}",
        ["index", "recall wanted", "looks at", "compared exactly", "recall@1", "seconds", "of processors", "of ours"],
        [row_of(one, best_of(found, one.tuned.wanted, lambda name: name == OURS)) for one in found],
        f"Set on the photograph {TUNED_ON}, reported on {REPORTED_ON}; medians of {ROUNDS} rounds in which all take "
        "turns. Others get the keys of ktviz as 32-bit numbers; what any of them proposes is compared by one code. "
        f"The curves are those of {TUNED_ON}, each setting once.",
        curves=Curves(
            f"{len(queries):,} queries in {len(bank):,} entries",
            "seconds",
            "recall@1",
            {some[0].peer.name: frontier(some) for some in known},
            logarithmic="x",
        ),
        headlines=headlines(found),
    )


def asked(translator: Translator, bank: Bank, name: str) -> tuple[Tensor, Tensor]:
    """Queries of a photograph, (n, C, 4, 4), and the best entry of each."""
    photo: Pixels = resize_short_side(read_image(ROOT / "sample_data" / "photos" / f"{name}.jpg"), 512)[:512, :512]
    features = translator.encode(photo)
    queries = PatchGrid(*features.shape[1:]).unfold(features)
    return queries, bank.search(queries, SearchSettings("exact", candidates=1)).winner


def ours(bank: Bank) -> Peer:
    """Of ktviz: leaves of the tree as lists of bytes."""
    index = bank.index(PAPER_WEIGHTS)
    return Peer(OURS, BEAMS, lambda queries, effort, count: index.shortlist(queries, effort, count, None))


def others(bank: Bank) -> list[Peer]:
    """Indexes of other libraries, as far as they are installed."""
    index = bank.index(PAPER_WEIGHTS)
    factors = torch.from_numpy(index.factors.reshape(-1)[index.keys.places()])
    keys = padded(index.keys[torch.arange(len(bank))] * index.projection.units * factors[:, None])

    def seen(queries: Tensor) -> Any:
        return padded(index.query_keys(queries))

    lists, size = round(len(keys) ** 0.5), keys.shape[1]
    found = [
        faiss_lists("faiss IVF, Flat", f"IVF{lists},Flat", keys, seen),
        faiss_lists("faiss IVF, 4-bit fast scan", f"IVF{lists},PQ{size // 2}x4fs", keys, seen),
        faiss_lists("faiss OPQ, IVF, 4-bit fast scan", f"OPQ{size // 2},IVF{lists},PQ{size // 2}x4fs", keys, seen),
        faiss_graph(keys, seen),
    ]
    makers = {"hnswlib": hnswlib_graph, "usearch": usearch_graph, "scann": scann_trees}
    for name, make in makers.items():
        if find_spec(name) is None:
            print(f"left out: {name} is not installed")
        else:
            found.append(make(keys, seen))
    return found


def padded(keys: Tensor) -> Any:
    """Keys with zeros behind them, to a number of dimensions that codes of sub-vectors can share out."""
    return np.ascontiguousarray(F.pad(keys, (0, -keys.shape[1] % PAD)).numpy())


def faiss_lists(name: str, factory: str, keys: Any, seen: Callable[[Tensor], Any]) -> Peer:
    """Inverted lists of faiss."""
    index = faiss.index_factory(keys.shape[1], factory, faiss.METRIC_INNER_PRODUCT)
    index.train(keys)
    index.add(keys)
    inverted = faiss.extract_index_ivf(index)

    def propose(queries: Tensor, effort: int, count: int) -> Tensor:
        inverted.nprobe = effort
        return torch.from_numpy(index.search(seen(queries), count)[1])

    return Peer(name, PROBES, propose)


def faiss_graph(keys: Any, seen: Callable[[Tensor], Any]) -> Peer:
    """The graph of faiss."""
    index = faiss.index_factory(keys.shape[1], f"HNSW{NEIGHBOURS},SQ8", faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = BUILD_EFFORT
    index.train(keys)
    index.add(keys)

    def propose(queries: Tensor, effort: int, count: int) -> Tensor:
        index.hnsw.efSearch = max(effort, count)
        return torch.from_numpy(index.search(seen(queries), count)[1])

    return Peer(f"faiss HNSW{NEIGHBOURS}, 8 bits", EFFORTS, propose)


def hnswlib_graph(keys: Any, seen: Callable[[Tensor], Any]) -> Peer:
    """The graph of hnswlib."""
    index = import_module("hnswlib").Index(space="ip", dim=keys.shape[1])
    index.init_index(max_elements=len(keys), ef_construction=BUILD_EFFORT, M=NEIGHBOURS // 2)
    index.add_items(keys)

    def propose(queries: Tensor, effort: int, count: int) -> Tensor:
        index.set_ef(max(effort, count))
        return torch.from_numpy(index.knn_query(seen(queries), k=count)[0].astype(np.int64))

    return Peer("hnswlib", EFFORTS, propose)


def usearch_graph(keys: Any, seen: Callable[[Tensor], Any]) -> Peer:
    """The graph of usearch, of bytes."""
    made = import_module("usearch.index").Index(
        ndim=keys.shape[1], metric="ip", dtype="i8", connectivity=NEIGHBOURS // 2, expansion_add=BUILD_EFFORT
    )
    made.add(np.arange(len(keys)), keys)

    def propose(queries: Tensor, effort: int, count: int) -> Tensor:
        made.expansion_search = max(effort, count)
        return torch.from_numpy(made.search(seen(queries), count).keys.astype(np.int64))

    return Peer("usearch, 8 bits", EFFORTS, propose)


def scann_trees(keys: Any, seen: Callable[[Tensor], Any]) -> Peer:
    """ScaNN: a tree and anisotropic codes."""
    builder = import_module("scann").scann_ops_pybind.builder(keys, SHORTLISTS[-1], "dot_product")
    leaves = round(len(keys) ** 0.5)
    made = builder.tree(leaves, max(PROBES), training_sample_size=len(keys)).score_ah(2).build()

    def propose(queries: Tensor, effort: int, count: int) -> Tensor:
        found = made.search_batched_parallel(seen(queries), count, count, effort)[0]
        return torch.from_numpy(found.astype(np.int64))

    return Peer("ScaNN", PROBES, propose)


def winners(peer: Peer, bank: Bank, queries: Tensor, effort: int, shortlist: int) -> Tensor:
    """The best of what a peer proposes: (n,)."""
    vectors = to_vectors(queries)
    found = peer.propose(vectors, effort, shortlist)
    return rank(vectors, found, bank.entries, torch.tensor(PAPER_WEIGHTS), 1).entry[:, 0]


def tried(peer: Peer, bank: Bank, queries: Tensor, truth: Tensor) -> list[Tried]:
    """What a peer reaches, and how fast, as hard as it can look."""
    winners(peer, bank, queries, peer.efforts[0], SHORTLISTS[0])  # whatever is made ready at first
    found = []
    for effort in peer.efforts:
        for shortlist in SHORTLISTS:
            start = time.perf_counter()
            reached = recall(winners(peer, bank, queries, effort, shortlist), truth)
            found.append(Tried(peer, effort, shortlist, time.perf_counter() - start, reached))
            if reached >= max(WANTED):
                break
    return found


def tune(found: Sequence[Tried]) -> list[Tuned]:
    """For each recall the fastest settings that reach it; none where none do."""
    fits = {wanted: [one for one in found if one.recall >= wanted] for wanted in WANTED}
    return [Tuned(wanted, min(some, key=lambda one: one.seconds)) for wanted, some in fits.items() if some]


def frontier(found: Sequence[Tried]) -> list[tuple[float, float]]:
    """Seconds and recall of settings than which none is as fast and finds more."""
    points: list[tuple[float, float]] = []
    for one in sorted(found, key=lambda one: (one.seconds, -one.recall)):
        if not points or one.recall > points[-1][1]:
            points.append((one.seconds, one.recall))
    return points


def report(tuned: Sequence[Tuned], bank: Bank, queries: Tensor, truth: Tensor) -> list[Found]:
    """Recall, and median seconds of the clock and of processors, of all, round by round; by recall and time."""
    wall: list[list[float]] = [[] for _ in tuned]
    busy: list[list[float]] = [[] for _ in tuned]
    reached = [0.0 for _ in tuned]
    for _ in range(ROUNDS):
        for number, one in enumerate(tuned):
            start, before = time.perf_counter(), time.process_time()
            best = winners(one.chosen.peer, bank, queries, one.chosen.effort, one.chosen.shortlist)
            wall[number].append(time.perf_counter() - start)
            busy[number].append(time.process_time() - before)
            reached[number] = recall(best, truth)
    found = [Found(*all_of) for all_of in zip(tuned, map(median, wall), map(median, busy), reached, strict=True)]
    return sorted(found, key=lambda one: (one.tuned.wanted, one.wall))


def row_of(one: Found, mine: Found | None) -> list[str]:
    """A peer as a row: what it was set to, what it found, and its time beside ours."""
    chosen = one.tuned.chosen
    set_to = [chosen.peer.name, f"{one.tuned.wanted}", f"{chosen.effort}", f"{chosen.shortlist}"]
    times = [f"{one.wall:.3f}", f"{one.busy:.3f}", "" if mine is None else f"{one.wall / mine.wall:.2f}"]
    return [*set_to, f"{one.recall:.3f}", *times]


def headlines(found: Sequence[Found]) -> list[Headline]:
    """Our time at each recall, beside that of the fastest other index."""
    told = []
    for wanted in WANTED:
        mine = best_of(found, wanted, lambda name: name == OURS)
        other = best_of(found, wanted, lambda name: name != OURS)
        if mine is not None and other is not None:
            beside = f"{other.tuned.chosen.peer.name}: {other.wall:.3f} s"
            told.append(Headline(f"search at recall {wanted}", f"{mine.wall:.3f} s", beside))
    return told


def best_of(found: Sequence[Found], wanted: float, whose: Callable[[str], bool]) -> Found | None:
    """The fastest at a recall of those that are meant."""
    return next((one for one in found if one.tuned.wanted == wanted and whose(one.tuned.chosen.peer.name)), None)
