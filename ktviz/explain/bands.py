"""Bands: which of them carried a match, and what would have won with other weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from ktviz.errors import AbilityError, TraceError
from ktviz.library.kinds.patches.bands import PAPER_WEIGHTS, check_band_weights
from ktviz.trace.overlap import Floats
from ktviz.trace.trace import Trace

QUERY_BANDS, ENTRY_BANDS = "query_bands", "entry_bands"
BAND_COLUMNS = tuple(f"similarity_{band}" for band in ("ll", "lh", "hl", "hh"))
KEYS = ["image", "site", "query"]
"""What names a retrieval."""


def match_shares(trace: Trace) -> Floats:
    """Part of each winner's similarity that each band carried: (retrievals, 4), rows summing to 1; may be negative.

    Raises:
        AbilityError: A system without bands.

    Example:
        >>> kt.match_shares(trace).shape
        (98, 4)
    """
    chosen = trace.column("chosen", winners=False).astype(bool)
    parts = contributions(trace, trace.picture.settings.get("band_weights", PAPER_WEIGHTS))[chosen]
    total = parts.sum(1, keepdims=True)
    result: Floats = np.divide(parts, total, out=np.zeros_like(parts), where=total != 0)
    return result


def reweigh(trace: Trace, band_weights: Sequence[float]) -> pd.DataFrame:
    """What would have won with other band weights, among the recorded candidates, without searching again.

    Bands are stored with three digits, so candidates closer than about 0.001 may change places. A search with these
    weights could also find entries that were no candidates.

    Args:
        trace: Of one image.
        band_weights: Of LL, LH, HL, HH.

    Returns:
        One row per retrieval: image, site, query, box, entry and source of the best candidate as recorded (before
        coherence may have preferred another), entry_then, source_then, similarity_then, changes.

    Raises:
        SettingError: Not four weights.
        AbilityError: The trace has no bands.
        TraceError: It was thinned to winners.

    Example:
        >>> found = kt.reweigh(trace, (1, 1, 1, 1))
        >>> len(found) == len(trace)
        True
    """
    if trace.thinned:
        raise TraceError("rank by other band weights", "the trace was thinned to winners", "Record with more memory")
    weights = check_band_weights(band_weights)
    similarity = contributions(trace, weights).sum(1)
    if all(list(picture.settings["band_weights"]) == list(weights) for picture in trace.pictures):
        similarity = trace.column("similarity", winners=False).astype(np.float64)  # known to the last digit
    rows = trace.to_pandas()[[*KEYS, "box", "entry", "source", "rank"]].assign(similarity=similarity)
    rows = rows.sort_values([*KEYS, "similarity"], ascending=[True, True, True, False], kind="stable")
    then = rows.drop_duplicates(KEYS)[[*KEYS, "entry", "source", "similarity"]]
    before = rows[rows["rank"] == 0].drop(columns=["rank", "similarity"])
    found = before.merge(then, on=KEYS, suffixes=("", "_then")).rename(columns={"similarity": "similarity_then"})
    return found.assign(changes=found["entry"] != found["entry_then"])


def contributions(trace: Trace, band_weights: Sequence[float]) -> Floats:
    """Part of every row's similarity that comes from each band, for some weights: (rows, 4).

    With q and p the parts of norm of query and entry, the similarity is Σ w c q p / (√Σ w q² √Σ w p²) over the bands.
    """
    if not trace.has(QUERY_BANDS):
        raise AbilityError("a question about bands", "the trace has no bands", "Ask a trace of a system with bands")
    cosine = band_columns(trace).astype(np.float64)
    query, entry = (trace.column(name, winners=False).astype(np.float64) for name in (QUERY_BANDS, ENTRY_BANDS))
    weights = np.asarray(band_weights, dtype=np.float64)
    norm = np.sqrt((weights * query**2).sum(1) * (weights * entry**2).sum(1))[:, None]
    parts = weights * cosine * query * entry
    result: Floats = np.divide(parts, norm, out=np.zeros_like(parts), where=norm > 0)
    return result


def band_columns(trace: Trace) -> np.ndarray[Any, np.dtype[np.floating]]:
    """Cosine within each band of every row: (rows, 4); NaN in a system without bands."""
    if not trace.has(BAND_COLUMNS[0]):
        return np.full((len(trace.table), len(BAND_COLUMNS)), np.nan)
    return np.stack([trace.column(name, winners=False) for name in BAND_COLUMNS], axis=1)
