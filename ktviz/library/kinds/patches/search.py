"""Search: Bandpass Hierarchical K-Means (BHKM), greedy as published, with a beam, or exact.

Each preset proposes candidates in its own way, by fast matrix products; all are then compared in the same way, by the
cosine of the weighted bands computed from the features themselves. What is proposed, what wins and every similarity are
the same however queries are cut into parts; of equal entries the lowest wins.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from ktviz.errors import SettingError
from ktviz.library.kinds.patches.bands import PAPER_WEIGHTS, check_band_weights, to_vectors
from ktviz.library.kinds.patches.carried import Carried
from ktviz.library.kinds.patches.compare import rank
from ktviz.library.kinds.patches.entries import Entries
from ktviz.library.kinds.patches.group import group
from ktviz.library.kinds.patches.index import Index, remaining
from ktviz.library.kinds.patches.scan import Scope, scan
from ktviz.library.kinds.patches.tree import Tree
from ktviz.retrieval.exact import nearest
from ktviz.retrieval.matches import Matches
from ktviz.values import one_of, whole

Preset = Literal["paper", "beam", "exact"]


MOST = 4096
"""Of candidates, leaves and shortlisted entries per query: more would not fit for every query of a photograph."""


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
        one_of("preset", self.preset, get_args(Preset))
        for name in ("candidates", "beam", "shortlist"):
            value = whole(name, getattr(self, name))
            if value < 1:
                raise SettingError(f"{name} {value}", "less than 1", "Give a positive number")
            if value > MOST:
                raise SettingError(f"{name} {value}", f"more than {MOST:,}", "Give fewer")
            object.__setattr__(self, name, value)
        object.__setattr__(self, "band_weights", check_band_weights(self.band_weights))


def search(
    queries: Tensor,
    entries: Entries,
    tree: Tree,
    index: Index | None,
    settings: SearchSettings,
    excluded: Tensor | None,
    there: Carried | None = None,
) -> Matches:
    """Find the best entries for each query.

    Args:
        queries: (N, C, 4, 4).
        entries: The bank's entries, in leaf order.
        tree: Its cluster tree.
        index: Its keys, for `settings.band_weights`; None where the preset needs none.
        settings: How to search.
        excluded: (entries,) bool of entries to pass over; at least one must remain.
        there: The entries on a GPU, which then compares with all of them.

    Returns:
        Matches of N queries with `settings.candidates` candidates each; `bands` (N, k, 4) are the cosines within LL,
        LH, HL, HH, `path` (N, depth) the nodes from below the root to the winner's leaf, -1 beyond it.
    """
    vectors, weights, length = to_vectors(queries), torch.tensor(settings.band_weights), settings.candidates
    if index is not None and settings.preset == "beam":
        shortlist = index.shortlist(vectors, settings.beam, max(settings.shortlist, length), excluded)
        found = rank(vectors, shortlist, entries, weights, length)
    elif settings.preset == "paper":
        found = scan(vectors, reached(vectors, tree, excluded), entries, weights, length)
    else:
        found = scan(vectors, [everything(len(vectors), entries, excluded)], entries, weights, length, there)
    # Where exclusion emptied every leaf that was reached, only a full scan can answer.
    lost = (found.entry[:, 0] < 0).nonzero()[:, 0]
    if len(lost):
        scope = everything(len(lost), entries, excluded)
        found.put(lost, scan(vectors[lost], [scope], entries, weights, length, there))
    return Matches(
        entry=found.entry,
        similarity=found.similarity,
        chosen=torch.zeros(len(vectors), dtype=torch.int64),
        extensions={"bands": found.bands, "path": tree.paths(tree.leaf_of(found.entry[:, 0]))},
    )


def everything(queries: int, entries: Entries, excluded: Tensor | None) -> Scope:
    """All entries, for all queries."""
    return torch.arange(queries), remaining(0, len(entries), excluded)


def reached(vectors: Tensor, tree: Tree, excluded: Tensor | None) -> list[Scope]:
    """The entries of the leaf that greedy descent reaches, as published (spec: inference, steps 3 and 4)."""
    leaves = group(descend(vectors, tree))
    return [(mine, remaining(int(tree.start[leaf]), int(tree.end[leaf]), excluded)) for leaf, mine in leaves]


def descend(vectors: Tensor, tree: Tree) -> Tensor:
    """Greedy descent by the cosine of whole patches to the centres: (N, 16 C) to the leaf (N,) each ends in."""
    node = torch.zeros(len(vectors), dtype=torch.int64)
    for _ in range(tree.depth):
        for parent, mine in group(node):
            children = tree.children[parent]
            if len(children):
                node[mine] = children[nearest(vectors[mine], tree.centres_of(children))]
    return node
