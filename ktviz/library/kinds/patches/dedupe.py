"""De-duplication inside one source: of patches that look alike, the first in reading order stays."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ktviz.retrieval.exact import above, all_above

CHUNK = 256
"""Patches compared at a time: the largest matrix is CHUNK x survivors."""
PAIRS = 512
"""Pairs compared exactly at a time: 4 MB for C = 128, which stays in the cache and is never handed back."""
MANY = 4096
"""Pairs in a chunk that are worth a look at the nearest ones first."""
COARSE = 128
"""Directions in which pairs are ruled out before they are compared exactly."""
SLACK = 1e-3
"""How far rounding may lower a bound: what a vector leaves out is the root of a small difference."""
SAMPLE = 512
"""Patches from which these directions are found."""


def survivors(vectors: Tensor, threshold: float) -> Tensor:
    """Indices of the patches to keep, greedily: one is dropped if an earlier *kept* one is closer than `threshold`.

    The authors' code also drops a patch for looking like one that was itself dropped, which thins out slow gradients;
    the greedy rule guarantees that everything dropped has a kept look-alike. All-zero patches count as alike.

    Args:
        vectors: (N, 16 C) float32 patches in reading order; compared by uncentred cosine.
        threshold: Cosine above which two patches are the same; 1 or more keeps everything.

    Returns:
        (K,) int64, ascending.
    """
    if threshold >= 1:
        return torch.arange(len(vectors))
    unit = unit_vectors(vectors)
    coarse = upper_bounds(unit)
    kept = Kept(coarse)
    for start in range(0, len(unit), CHUNK):
        chunk = torch.arange(start, min(start + CHUNK, len(unit)))
        new = chunk[~resembling(unit, chunk, kept.patches, kept.bounds(chunk), threshold)]
        kept.add(first_of_kind(unit, coarse, new, threshold))
    return kept.patches


class Kept:
    """The patches kept so far, their short vectors side by side, and one buffer for all products.

    Memory that is asked for and handed back for every chunk costs more than the arithmetic.
    """

    def __init__(self, coarse: Tensor) -> None:
        self.coarse = coarse
        self.short = torch.empty_like(coarse)
        self.rows = torch.empty(len(coarse), dtype=torch.int64)
        self.buffer = torch.empty(CHUNK * len(coarse))
        self.count = 0

    @property
    def patches(self) -> Tensor:
        return self.rows[: self.count]

    def add(self, patches: Tensor) -> None:
        end = self.count + len(patches)
        self.rows[self.count : end] = patches
        torch.index_select(self.coarse, 0, patches, out=self.short[self.count : end])
        self.count = end

    def bounds(self, patches: Tensor) -> Tensor:
        """Upper bounds of the cosines of patches to all that were kept; valid until the next call."""
        product = self.buffer[: len(patches) * self.count].view(len(patches), self.count)
        return torch.mm(self.coarse[patches], self.short[: self.count].T, out=product)


def unit_vectors(vectors: Tensor) -> Tensor:
    """Normalised; one more dimension holds the all-zero patches, which have no direction of their own."""
    unit = F.pad(F.normalize(vectors, dim=1), (0, 1))
    unit[:, -1] = (unit.square().sum(1) == 0).float()
    return unit


def upper_bounds(unit: Tensor) -> Tensor:
    """Short vectors whose dot products are never below those of the unit vectors: (N, D) to (N, at most 129).

    The leading directions of some of the vectors, and the length of what they leave out (Cauchy-Schwarz bounds the
    rest).
    """
    sample = unit[:: -(-len(unit) // SAMPLE)]
    energy, mix = torch.linalg.eigh(sample @ sample.T)
    leading = slice(int((energy < 1e-6 * energy[-1]).sum()), None)  # duplicates have no directions of their own
    energy, mix = energy[leading][-COARSE:], mix[:, leading][:, -COARSE:]
    # Directions of little energy come out too long or aslant: only across orthonormal ones do lengths never grow.
    short = unit @ torch.linalg.qr(sample.T @ (mix / energy.sqrt())).Q
    left_out = (1 - short.square().sum(1, keepdim=True)).clamp(min=0).sqrt()
    return torch.cat((short, left_out), dim=1)


def resembling(unit: Tensor, chunk: Tensor, kept: Tensor, bounds: Tensor, threshold: float) -> Tensor:
    """Which patches of a chunk are closer than the threshold to any that was kept: (n,) bool.

    Args:
        unit: All unit vectors.
        chunk: (n,) patches.
        kept: (k,) patches kept so far.
        bounds: (n, k) upper bounds of their cosines.
        threshold: The cosine.
    """
    found = torch.zeros(len(chunk), dtype=torch.bool)
    row, column = (bounds > threshold - SLACK).nonzero(as_tuple=True)
    if len(row) > MANY:  # most patches that have a look-alike are like the nearest by bound: the rest is soon done
        found = above(unit[chunk], unit[kept[bounds.argmax(1)]], threshold)
        row, column = row[~found[row]], column[~found[row]]
    for rows, columns in zip(row.split(PAIRS), column.split(PAIRS), strict=True):
        close = above(unit.index_select(0, chunk[rows]), unit.index_select(0, kept[columns]), threshold)
        found[rows[close]] = True
    return found


def first_of_kind(unit: Tensor, coarse: Tensor, chunk: Tensor, threshold: float) -> Tensor:
    """The greedy rule among some patches: those to keep."""
    likely = (coarse[chunk] @ coarse[chunk].T > threshold - SLACK).fill_diagonal_(False).any(1)
    alike = all_above(unit[chunk[likely]], threshold).numpy()
    keep = np.ones(len(alike), dtype=bool)
    for n in range(1, len(alike)):
        keep[n] = not (alike[n, :n] & keep[:n]).any()
    kept = torch.ones(len(chunk), dtype=torch.bool)
    kept[likely] = torch.from_numpy(keep)
    return chunk[kept]
