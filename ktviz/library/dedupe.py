"""De-duplication inside one source: of patches that look alike, the first in reading order stays."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

CHUNK = 512
"""Patches compared at a time: the largest similarity matrix is CHUNK x survivors."""


def survivors(vectors: Tensor, threshold: float) -> Tensor:
    """Indices of the patches to keep, greedily: one is dropped if an earlier *kept* one is closer than `threshold`.

    The authors' code also drops a patch for looking like one that was itself dropped, which thins out slow gradients;
    the greedy rule guarantees that everything dropped has a kept look-alike. All-zero patches count as alike.

    Args:
        vectors: (N, D) float32 patches in reading order; compared by uncentred cosine.
        threshold: Cosine above which two patches are the same; 1 or more keeps everything.

    Returns:
        (K,) int64, ascending.
    """
    if threshold >= 1:
        return torch.arange(len(vectors))
    # One more dimension holds the all-zero patches, which have no direction of their own.
    unit = F.pad(F.normalize(vectors, dim=1), (0, 1))
    unit[:, -1] = (unit.square().sum(1) == 0).float()
    kept = torch.empty(0, dtype=torch.int64)
    for start in range(0, len(unit), CHUNK):
        chunk = unit[start : start + CHUNK]
        alive = torch.ones(len(chunk), dtype=torch.bool)
        for known in kept.split(8 * CHUNK) if len(kept) else ():
            alive &= (chunk @ unit[known].T).amax(1) <= threshold
        candidates = alive.nonzero()[:, 0]
        kept = torch.cat((kept, start + candidates[first_of_kind(chunk[candidates], threshold)]))
    return kept


def first_of_kind(unit: Tensor, threshold: float) -> Tensor:
    """The greedy rule inside one chunk of unit vectors: (n, D) to indices."""
    alike = (unit @ unit.T > threshold).numpy()
    alive = [True] * len(alike)
    for i in range(len(alike)):
        if alive[i]:
            for j in alike[i, i + 1 :].nonzero()[0].tolist():
                alive[i + 1 + j] = False
    return torch.tensor(alive, dtype=torch.bool).nonzero()[:, 0]
