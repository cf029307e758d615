"""Search beside other indexes, each tuned to equal recall: `python -m benchmarks search`.

All get the same keys as 32-bit numbers, propose entries by inner product, and what they propose is compared by the same
exact reads of the feature maps. Settings are chosen on one photograph and reported on another: of those that reach a
recall there, the fastest. Times are medians of rounds in which all take their turn.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
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

from benchmarks.speed import make_bank, recall
from benchmarks.tables import ROOT, publish
from ktviz.images import Pixels, read_image, resize_short_side
from ktviz.library.kinds.patches.bands import PAPER_WEIGHTS, to_vectors
from ktviz.library.kinds.patches.bank import Bank
from ktviz.library.kinds.patches.compare import rank
from ktviz.library.kinds.patches.grid import PatchGrid
from ktviz.library.kinds.patches.search import SearchSettings
from ktviz.printing import counted
from ktviz.systems.kt.translator import Translator

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
class Tuned:
    """A peer with what it was set to.

    Attributes:
        peer: The peer.
        wanted: The recall that it was to reach.
        effort: How hard it looks.
        shortlist: Entries that are compared exactly.
    """

    peer: Peer
    wanted: float
    effort: int
    shortlist: int


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        bank, translator = make_bank(Path(scratch))
        peers = [ours(bank), *others(bank)]
        tuned = tune(peers, bank, *asked(translator, bank, TUNED_ON))
        queries, truth = asked(translator, bank, REPORTED_ON)
        rows = report(tuned, bank, queries, truth)
    publish(
        "search",
        f"Search beside other indexes: {len(queries):,} queries in {len(bank):,} entries, "
        f"{counted(torch.get_num_threads(), 'thread')}",
        ["index", "recall wanted", "looks at", "compared exactly", "recall@1", "seconds", "of ours"],
        rows,
        f"Set on the photograph {TUNED_ON}, reported on {REPORTED_ON}; medians of {ROUNDS} rounds in which all take "
        "turns. Others get the keys of ktviz as 32-bit numbers; what any of them proposes is compared by one code.",
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
    return Peer("ktviz", BEAMS, lambda queries, effort, count: index.shortlist(queries, effort, count, None))


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


def tune(peers: Sequence[Peer], bank: Bank, queries: Tensor, truth: Tensor) -> list[Tuned]:
    """For each peer and recall the fastest settings that reach it; none where none do."""
    found = []
    for peer in peers:
        tried = []
        for effort in peer.efforts:
            for shortlist in SHORTLISTS:
                start = time.perf_counter()
                reached = recall(winners(peer, bank, queries, effort, shortlist), truth)
                tried.append((time.perf_counter() - start, reached, effort, shortlist))
                if reached >= max(WANTED):
                    break
        for wanted in WANTED:
            fits = [one for one in tried if one[1] >= wanted]
            if fits:
                found.append(Tuned(peer, wanted, *min(fits)[2:]))
    return found


def report(tuned: Sequence[Tuned], bank: Bank, queries: Tensor, truth: Tensor) -> list[list[str]]:
    """Recall and median seconds of all, round by round."""
    seconds: list[list[float]] = [[] for _ in tuned]
    reached = [0.0 for _ in tuned]
    for _ in range(ROUNDS):
        for number, one in enumerate(tuned):
            start = time.perf_counter()
            best = winners(one.peer, bank, queries, one.effort, one.shortlist)
            seconds[number].append(time.perf_counter() - start)
            reached[number] = recall(best, truth)
    times = [median(took) for took in seconds]
    mine = {one.wanted: took for one, took in zip(tuned, times, strict=True) if one.peer.name == "ktviz"}
    ranked = sorted(zip(tuned, times, reached, strict=True), key=lambda row: (row[0].wanted, row[1]))
    return [row_of(one, took, share, mine.get(one.wanted)) for one, took, share in ranked]


def row_of(one: Tuned, took: float, share: float, mine: float | None) -> list[str]:
    """A peer as a row: what it was set to, what it found, and its time beside ours."""
    set_to = [one.peer.name, f"{one.wanted}", f"{one.effort}", f"{one.shortlist}"]
    return [*set_to, f"{share:.3f}", f"{took:.3f}", "" if mine is None else f"{took / mine:.2f}"]
