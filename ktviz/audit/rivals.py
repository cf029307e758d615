"""Rivals: how many other works hold patches that would have done in the place of those that a piece was made of."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch

from ktviz.explain.case import Case
from ktviz.explain.pieces import Ints, pieces_of
from ktviz.trace.shares import source_numbers
from ktviz.trace.trace import Trace

NEAR = 0.06
"""Similarity by which a patch may be worse and would still do: what coherence gives up by default."""
MOST_PIECES, MOST_QUERIES = 12, 16
"""Pieces, the largest first, and retrievals of each that are compared with all works."""
MOST_SCORES = 1 << 26
"""Retrievals times works that are compared at a time: 256 MB."""
COLUMNS = ["query", "rivals"]


def sample(trace: Trace) -> list[Ints]:
    """For each of the largest pieces, the rows of some retrievals that the search chose by itself, evenly taken."""
    found = []
    for _, (_, own) in zip(range(MOST_PIECES), pieces_of(trace), strict=False):
        found.append(own[np.linspace(0, len(own) - 1, min(len(own), MOST_QUERIES)).round().astype(np.int64)])
    return found


def rivals(case: Case, near: float = NEAR) -> pd.DataFrame:
    """For a sample of the retrievals of each piece, how many other works hold a patch that is nearly as similar.

    Args:
        case: The trace and its model.
        near: Loss of similarity up to which a patch would do.

    Returns:
        query, rivals; a row per retrieval.
    """
    able = case.can("oracle")
    rows = [row for part in sample(case.trace) for row in part.tolist()] if able else []
    query = case.trace.column("query")[rows].astype(np.int64)
    if not rows:
        return pd.DataFrame({"query": query, "rivals": query})
    sources = len(case.trace.about["sources"]) + case.trace.unlisted
    parts = np.array_split(np.array(rows), -(-len(rows) * sources // MOST_SCORES))
    return pd.DataFrame({"query": query, "rivals": np.concatenate([counted(case, part, near) for part in parts])})


def counted(case: Case, rows: Ints, near: float) -> Ints:
    """How many other works would do for some retrievals: (n,)."""
    best = case.system.best_by_source(case.trace, rows)
    mine = torch.from_numpy(source_numbers(case.trace, winners=True)[rows])[:, None]
    least = best.gather(1, mine) - near
    found: Ints = (best.scatter(1, mine, -torch.inf) >= least).sum(1).numpy()
    return found


def per_piece(trace: Trace, found: pd.DataFrame) -> list[float]:
    """The median of the rivals of each piece's sample; NaN for pieces that were not compared."""
    if not len(found):
        return []
    known = dict(zip(found["query"], found["rivals"], strict=True))
    query = trace.column("query").astype(np.int64)
    return [float(np.median([known[number] for number in query[part].tolist()])) for part in sample(trace)]
