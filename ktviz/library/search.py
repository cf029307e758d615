"""Search: Bandpass Hierarchical K-Means (BHKM), greedy as published, with a beam, or exact.

Each preset finds candidates in its own way; all are then compared in the same way, by the cosine of the weighted bands
computed from the features themselves. Queries are grouped by leaf, and one matrix product answers a whole group.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, get_args

import torch
from torch import Tensor
from torch.nn import functional as F

from ktviz.errors import SettingError
from ktviz.library.entries import GATHER_CHUNK, Entries
from ktviz.library.index import Index, group, remaining
from ktviz.library.tree import Tree
from ktviz.model.bands import (
    PAPER_WEIGHTS,
    TINY,
    band_energy,
    band_parts,
    check_band_weights,
    inverse_norm,
    to_vectors,
    weight_bands,
)
from ktviz.model.matches import Matches

Preset = Literal["paper", "beam", "exact"]
COMPARE_CHUNK = 2048
"""Patches gathered at a time for comparison: 16 MB for C = 128, which stays near the cache."""


@dataclass(frozen=True)
class SearchSettings:
    """How to search.

    Attributes:
        preset: "paper" walks greedily down one path, routed by whole patches, and compares that leaf; "beam" visits
            the leaves that look best by bandpass keys; "exact" compares everything.
        candidates: Entries reported per query.
        beam: Leaves visited per query ("beam" only).
        shortlist: Entries compared exactly per query ("beam" only).
        band_weights: Weight of LL, LH, HL, HH in the similarity; the paper drops HH.

    Raises:
        SettingError: A value outside its range.
    """

    preset: Preset = "beam"
    candidates: int = 8
    beam: int = 80
    shortlist: int = 16
    band_weights: tuple[float, float, float, float] = PAPER_WEIGHTS

    def __post_init__(self) -> None:
        if self.preset not in get_args(Preset):
            raise SettingError(f"preset {self.preset!r}", "unknown", "Choose paper, beam or exact")
        for name in ("candidates", "beam", "shortlist"):
            if getattr(self, name) < 1:
                raise SettingError(f"{name} {getattr(self, name)}", "less than 1", "Give a positive number")
        object.__setattr__(self, "band_weights", check_band_weights(self.band_weights))


def search(
    queries: Tensor, entries: Entries, tree: Tree, index: Index, settings: SearchSettings, excluded: Tensor | None
) -> Matches:
    """Find the best entries for each query.

    Args:
        queries: (N, C, 4, 4).
        entries: The bank's entries, in leaf order.
        tree: Its cluster tree.
        index: Its keys, for `settings.band_weights`.
        settings: How to search.
        excluded: (entries,) bool of entries to pass over; at least one must remain.

    Returns:
        Matches of N queries with `settings.candidates` candidates each.
    """
    vectors, weights = to_vectors(queries), torch.tensor(settings.band_weights)
    if settings.preset == "exact":
        candidates = scan_all(vectors, entries, weights, settings.candidates, excluded)
    elif settings.preset == "paper":
        candidates = scan_one_leaf(vectors, entries, tree, weights, settings.candidates, excluded)
    else:
        length = max(settings.shortlist, settings.candidates)
        candidates = index.shortlist(vectors, settings.beam, length, excluded)
    # Where exclusion emptied every leaf that was reached, only a full scan can answer.
    lost = (candidates[:, 0] < 0).nonzero()[:, 0]
    if len(lost):
        rescued = scan_all(vectors[lost], entries, weights, settings.candidates, excluded)
        candidates[lost] = F.pad(rescued, (0, candidates.shape[1] - rescued.shape[1]), value=-1)
    return rank(vectors, candidates, entries, tree, weights, settings.candidates)


def scan_all(queries: Tensor, entries: Entries, weights: Tensor, length: int, excluded: Tensor | None) -> Tensor:
    """The best of all entries: (N, length) int64, -1 where there are fewer."""
    return scan(queries, remaining(0, len(entries), excluded), entries, weights, length)


def scan_one_leaf(
    queries: Tensor, entries: Entries, tree: Tree, weights: Tensor, length: int, excluded: Tensor | None
) -> Tensor:
    """The best entries of the leaf that greedy descent reaches, as published (spec: inference, steps 3 and 4)."""
    candidates = torch.full((len(queries), length), -1)
    for leaf, mine in group(descend(queries, tree)):
        rows = remaining(int(tree.start[leaf]), int(tree.end[leaf]), excluded)
        candidates[mine] = scan(queries[mine], rows, entries, weights, length)
    return candidates


def descend(vectors: Tensor, tree: Tree) -> Tensor:
    """Greedy descent by the cosine of whole patches to the centres: (N, 16 C) to the leaf (N,) each ends in."""
    node = torch.zeros(len(vectors), dtype=torch.int64)
    for _ in range(tree.depth):
        for parent, mine in group(node):
            children = tree.children[parent]
            if len(children):
                similarity = vectors[mine] @ F.normalize(tree.centres[children], dim=1).T
                node[mine] = children[similarity.argmax(1)]
    return node


def scan(queries: Tensor, rows: Tensor, entries: Entries, weights: Tensor, length: int) -> Tensor:
    """The best of some entries by exact weighted cosine, a chunk at a time: (N, length) int64, -1 for none."""
    vectors = weight_bands(queries, weights)
    best = torch.full((len(queries), length), -torch.inf)
    entry = torch.full((len(queries), length), -1)
    for chunk in rows.split(GATHER_CHUNK):
        found = vectors @ entries.vectors(chunk).T * inverse_norm(entries.energy[chunk], weights)
        value, place = torch.cat((best, found), 1).topk(length, dim=1)
        entry = torch.cat((entry, chunk.expand(len(queries), -1)), 1).gather(1, place)
        best = value
    return entry.masked_fill_(best == -torch.inf, -1)


def rank(queries: Tensor, candidates: Tensor, entries: Entries, tree: Tree, weights: Tensor, length: int) -> Matches:
    """Compare candidates exactly and keep the best, in order."""
    similarity, bands = compare(queries, candidates, entries, weights)
    similarity, order = similarity.sort(dim=1, descending=True, stable=True)
    order = order[:, :length]
    entry = candidates.gather(1, order)
    return Matches(
        entry=entry,
        similarity=similarity[:, :length].contiguous(),
        band_similarity=bands.gather(1, order[:, :, None].expand(-1, -1, 4)),
        path=tree.paths(tree.leaf_of(entry[:, 0])),
        chosen=torch.zeros(len(queries), dtype=torch.int64),
        coherent=torch.zeros(len(queries), dtype=torch.bool),
    )


class HasVectors(Protocol):
    """Something whose entries can be compared: `Entries`, or a union of banks."""

    @property
    def energy(self) -> Tensor: ...

    def vectors(self, rows: Tensor, /) -> Tensor: ...


def compare(queries: Tensor, candidates: Tensor, entries: HasVectors, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Exact similarities of queries (N, 16 C) to candidates (N, R), -1 for none.

    Returns:
        The weighted cosine (N, R), -inf for none, and the cosine within each band (N, R, 4).
    """
    count = candidates.shape[1]
    dots = torch.empty(len(queries), count, 4)
    for part in torch.arange(len(queries)).split(max(1, COMPARE_CHUNK // count)):
        vectors = entries.vectors(candidates[part].clamp(min=0).flatten()).view(len(part), count, -1)
        dots[part] = vectors @ band_parts(queries[part]).transpose(1, 2)
    energy_q, energy_p = band_energy(queries), entries.energy[candidates.clamp(min=0)]
    norms = inverse_norm(energy_q, weights)[:, None] * inverse_norm(energy_p, weights)
    similarity = ((dots @ weights) * norms).masked_fill_(candidates < 0, -torch.inf)
    within = dots / (energy_q[:, None] * energy_p).sqrt().clamp(min=TINY)
    return similarity, within.clamp_(-1, 1)
