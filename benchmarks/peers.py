"""Indexes of other libraries that propose entries for queries, as far as they are installed.

All get the keys of ktviz as 32-bit numbers and propose entries by inner product, on as many threads as torch uses.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import faiss
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ktviz.library.kinds.patches.bands import PAPER_WEIGHTS
from ktviz.library.kinds.patches.bank import Bank
from ktviz.networks.threads import shared_out, sharing

OURS, FLAT = "ktviz", "faiss IVF, Flat"
BEAMS, PROBES, EFFORTS = (20, 40, 60, 80, 120, 160, 240, 360), (4, 8, 16, 32, 64, 128, 256), (16, 32, 64, 128, 256, 512)
MOST = 128
"""Entries asked for, at most."""
NEIGHBOURS, BUILD_EFFORT, PAD = 32, 200, 8
Propose = Callable[[Tensor, int, int], Tensor]
"""Queries (n, 16 C), how hard to look, and how many entries: (n, entries)."""


@dataclass(frozen=True, eq=False)
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


def peers(bank: Bank, without: Collection[str] = ()) -> Iterator[Peer]:
    """Ours first; some others, by name, may be left out."""
    index = bank.index(PAPER_WEIGHTS)
    yield Peer(OURS, BEAMS, lambda queries, effort, count: index.shortlist(queries, effort, count, None))
    factors = torch.from_numpy(index.factors.reshape(-1)[index.keys.places()])
    keys = padded(index.keys[torch.arange(len(bank))] * index.projection.units * factors[:, None])

    def seen(queries: Tensor) -> Any:
        faiss.omp_set_num_threads(torch.get_num_threads())
        with sharing():  # as ours: no thread of torch spins beside those of the peers
            found = shared_out(len(queries), lambda first, last: index.query_keys(queries[first:last]))
            return padded(torch.cat(found))

    lists, size = round(len(keys) ** 0.5), keys.shape[1]
    if FLAT not in without:
        yield faiss_lists(FLAT, f"IVF{lists},Flat", keys, seen)
    for rotation in ("RR", "OPQ"):
        name = f"faiss {rotation}, IVF, 4-bit fast scan"
        turned = f"OPQ{size // 2}" if rotation == "OPQ" else f"RR{size}"
        yield faiss_lists(name, f"{turned},IVF{lists},PQ{size // 2}x4fs", keys, seen)
    yield faiss_graph(keys, seen)
    makers = {"hnswlib": hnswlib_graph, "usearch": usearch_graph, "scann": scann_trees}
    for name, make in makers.items():
        if name in without:
            continue
        if find_spec(name) is None:
            print(f"left out: {name} is not installed")
        else:
            yield make(keys, seen)


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
    index.init_index(max_elements=len(keys), ef_construction=BUILD_EFFORT, M=NEIGHBOURS)
    index.add_items(keys)

    def propose(queries: Tensor, effort: int, count: int) -> Tensor:
        index.set_ef(max(effort, count))
        found = index.knn_query(seen(queries), k=count, num_threads=torch.get_num_threads())[0]
        return torch.from_numpy(found.astype(np.int64))

    return Peer("hnswlib", EFFORTS, propose)


def usearch_graph(keys: Any, seen: Callable[[Tensor], Any]) -> Peer:
    """The graph of usearch, of bytes."""
    made = import_module("usearch.index").Index(
        ndim=keys.shape[1], metric="ip", dtype="i8", connectivity=NEIGHBOURS, expansion_add=BUILD_EFFORT
    )
    made.add(np.arange(len(keys)), keys)

    def propose(queries: Tensor, effort: int, count: int) -> Tensor:
        made.expansion_search = max(effort, count)
        found = made.search(seen(queries), count, threads=torch.get_num_threads()).keys
        return torch.from_numpy(found.astype(np.int64))

    return Peer("usearch, 8 bits", EFFORTS, propose)


def scann_trees(keys: Any, seen: Callable[[Tensor], Any]) -> Peer:
    """ScaNN: a tree and anisotropic codes."""
    builder = import_module("scann").scann_ops_pybind.builder(keys, MOST, "dot_product")
    leaves = round(len(keys) ** 0.5)
    made = builder.tree(leaves, max(PROBES), training_sample_size=min(len(keys), 250_000)).score_ah(2).build()

    def propose(queries: Tensor, effort: int, count: int) -> Tensor:
        search = made.search_batched if torch.get_num_threads() == 1 else made.search_batched_parallel
        return torch.from_numpy(search(seen(queries), count, count, effort)[0].astype(np.int64))

    return Peer("ScaNN", PROBES, propose)
