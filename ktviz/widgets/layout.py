"""The rows of a trace as matrices: one row per query, one column per candidate, in the order of ranks."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ktviz.trace.trace import Trace


def candidates(trace: Trace) -> int:
    """The most candidates that any retrieval of the trace has."""
    return int(np.bincount(places(trace)).max(initial=0))


def places(trace: Trace) -> npt.NDArray[np.int64]:
    """Place among the winners of each row's query: (rows,)."""
    query = trace.column("query").astype(np.int64)
    order = np.argsort(query, kind="stable")
    found: npt.NDArray[np.int64] = order[
        np.searchsorted(query[order], trace.column("query", winners=False).astype(np.int64))
    ]
    return found


def slots(trace: Trace) -> npt.NDArray[np.int64]:
    """Number of each row among the rows of its query, in the order of ranks: (rows,)."""
    place = places(trace)
    order = np.lexsort((trace.column("rank", winners=False), place))
    first = np.searchsorted(place[order], place[order])
    slot = np.empty(len(place), dtype=np.int64)
    slot[order] = np.arange(len(place)) - first
    return slot


def matrix(trace: Trace, values: npt.NDArray[Any], missing: float) -> npt.NDArray[Any]:
    """A column of rows as one row per query and one column per candidate: (rows, ...) to (N, k, ...)."""
    shape = (len(trace), candidates(trace), *values.shape[1:])
    found = np.full(shape, missing, dtype=values.dtype)
    found[places(trace), slots(trace)] = values
    return found


def chosen(trace: Trace) -> npt.NDArray[np.uint16]:
    """Which candidate of each query won: (N,)."""
    winner = trace.column("chosen", winners=False).astype(bool)
    found = np.zeros(len(trace), dtype=np.uint16)
    found[places(trace)[winner]] = slots(trace)[winner]
    return found
