"""Ratios of the norm of a patch to that of its weighted bands, as machine code."""

from __future__ import annotations

import numpy as np

from ktviz.library.kinds.patches.bands import TINY
from ktviz.library.kinds.patches.compiled import compiled
from ktviz.library.kinds.patches.dot_kernel import BLOCK


@compiled()
def weigh(
    energy: np.ndarray,
    weights: np.ndarray,
    ends: np.ndarray,
    block_of: np.ndarray,
    factors: np.ndarray,
    first: int,
    last: int,
) -> None:
    """Norms of entries' patches over those of their weighted bands.

    Args:
        energy: (N, 4) float32 band energies.
        weights: (4,) float32 of the bands.
        ends: (leaves + 1,) where the entries of each leaf begin.
        block_of: (leaves + 1,) where its blocks begin.
        factors: (blocks * 16,) float32 that is written: the norms, 0 for entries without energy; NaN between them.
        first: Leaf with which to begin, and
        last: before which to end.
    """
    tiny = np.float32(TINY)
    for leaf in range(first, last):
        place = block_of[leaf] * BLOCK
        for entry in range(ends[leaf], ends[leaf + 1]):
            total, weighted = np.float32(0), np.float32(0)
            for band in range(len(weights)):
                total += energy[entry, band]
                weighted += energy[entry, band] * weights[band]
            whole, part = np.sqrt(total), np.sqrt(weighted)
            factors[place] = whole / part if whole > tiny and part > tiny else np.float32(0)
            place += 1
        for rest in range(place, block_of[leaf + 1] * BLOCK):
            factors[rest] = np.nan
