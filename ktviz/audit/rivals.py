"""Rivals: how many other works hold patches that would have done in the place of those that a piece was made of."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from ktviz.explain.pieces import Ints, pieces_of
from ktviz.library.kinds.patches.bands import to_vectors
from ktviz.library.kinds.patches.scan import all_similarities
from ktviz.systems.kt.live import Live
from ktviz.systems.kt.settings import COHERENCE
from ktviz.trace.trace import Trace

NEAR = COHERENCE
"""Similarity by which a patch may be worse and would still do: what coherence gives up by default."""
MOST_PIECES, MOST_QUERIES = 12, 16
"""Pieces, the largest first, and retrievals of each that are compared with all works."""
COLUMNS = ["query", "rivals"]


def sample(trace: Trace) -> list[Ints]:
    """For each of the largest pieces, the rows of some retrievals that the search chose by itself, evenly taken."""
    found = []
    for _, (_, own) in zip(range(MOST_PIECES), pieces_of(trace), strict=False):
        found.append(own[np.linspace(0, len(own) - 1, min(len(own), MOST_QUERIES)).round().astype(np.int64)])
    return found


def rivals(case: Live, near: float = NEAR) -> pd.DataFrame:
    """For a sample of the retrievals of each piece, how many other works hold a patch that is nearly as similar.

    Args:
        case: The trace and its model.
        near: Loss of similarity up to which a patch would do.

    Returns:
        query, rivals; a row per retrieval.
    """
    rows = [row for part in sample(case.trace) for row in part.tolist()]
    query, winner = (case.trace.column(name)[rows].astype(np.int64) for name in ("query", "entry"))
    if not rows:
        return pd.DataFrame({"query": query, "rivals": query})
    best = best_by_source(case, torch.from_numpy(query))
    mine = case.banks.source_of(torch.from_numpy(winner))[:, None]
    least = best.gather(1, mine) - near
    count = (best.scatter(1, mine, -torch.inf) >= least).sum(1)
    return pd.DataFrame({"query": query, "rivals": count.numpy()})


def best_by_source(case: Live, query: Tensor) -> Tensor:
    """The similarity of each source's best entry to some queries (n,): (n, sources), -inf where none might be taken."""
    banks, settings = case.banks, case.settings
    excluded = banks.excluded(settings.without)
    rows = torch.arange(len(banks)) if excluded is None else (~excluded).nonzero()[:, 0]
    vectors = to_vectors(case.grid.unfold(case.features, query))
    best = torch.full((len(query), len(banks.sources)), -torch.inf)
    for chunk, found in all_similarities(vectors, rows, banks, torch.tensor(settings.search.band_weights)):
        best.scatter_reduce_(1, banks.source_of(chunk).expand(len(query), -1), found.float(), "amax")
    return best


def per_piece(trace: Trace, found: pd.DataFrame) -> list[float]:
    """The median of the rivals of each piece's sample; NaN for pieces that were not compared."""
    known = dict(zip(found["query"], found["rivals"], strict=True))
    query = trace.column("query").astype(np.int64)
    return [float(np.median([known[number] for number in query[part].tolist()])) for part in sample(trace)]
