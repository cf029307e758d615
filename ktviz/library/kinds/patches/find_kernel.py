"""Which entry lies at a place of a source, by halves, as machine code."""

from __future__ import annotations

import numpy as np

from ktviz.library.kinds.patches.compiled import compiled


@compiled()
def find(
    source: np.ndarray,
    y: np.ndarray,
    x: np.ndarray,
    first: np.ndarray,
    ordered: np.ndarray,
    top: np.ndarray,
    left: np.ndarray,
    out: np.ndarray,
) -> None:
    """The entries at some places.

    Args:
        source: (n,) numbers of sources.
        y: (n,) rows of places, and
        x: (n,) their columns.
        first: (sources + 1,) where the entries of each source begin in `ordered`.
        ordered: (N,) entries source by source, in order of their places there.
        top: (N,) row of each entry, and
        left: (N,) its column.
        out: (n,) to be filled: entries, -1 where there is none.
    """
    for number in range(len(source)):
        low, end = first[source[number]], first[source[number] + 1]
        high = end
        while low < high:
            middle = (low + high) // 2
            entry = ordered[middle]
            if top[entry] < y[number] or (top[entry] == y[number] and left[entry] < x[number]):
                low = middle + 1
            else:
                high = middle
        out[number] = -1
        if low < end and top[ordered[low]] == y[number] and left[ordered[low]] == x[number]:
            out[number] = ordered[low]
