"""Haar bands of a patch: LL, LH, HL, HH, orthonormal, so that band energies add up to the patch's energy.

Search works on *vectors*: patches flattened position by position, (N, 16 C), in the order they lie in memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from torch import Tensor

from ktviz.errors import SettingError
from ktviz.retrieval.exact import root
from ktviz.values import number, short

BANDS = ("LL", "LH", "HL", "HH")
PAPER_WEIGHTS = (1.0, 1.0, 1.0, 0.0)
"""Bandpass matching in the paper: HH is dropped."""
TINY = 1e-12
MOST_WEIGHT = 1e6
"""Of a band, at most; the largest is at least one over it."""

# One row per band over a 2x2 block (top left, top right, bottom left, bottom right): LH is the horizontal difference,
# HL the vertical one, in the authors' signs.
HAAR = 0.5 * torch.tensor(
    [[1.0, 1.0, 1.0, 1.0], [-1.0, 1.0, -1.0, 1.0], [-1.0, -1.0, 1.0, 1.0], [1.0, -1.0, -1.0, 1.0]]
)


def haar(patches: Tensor) -> Tensor:
    """Bands of patches or of a whole map: (..., C, 2m, 2n) to (..., 4, C, m, n), in the order LL, LH, HL, HH."""
    corners = (patches[..., 0::2, 0::2], patches[..., 0::2, 1::2], patches[..., 1::2, 0::2], patches[..., 1::2, 1::2])
    a, b, c, d = corners
    return torch.stack([w[0] * a + w[1] * b + w[2] * c + w[3] * d for w in HAAR.tolist()], dim=-4)


def to_vectors(patches: Tensor) -> Tensor:
    """(..., C, 4, 4) to (..., 16 C), position-major; free of copying for patches that came from vectors."""
    return patches.movedim(-3, -1).flatten(-3)


def to_patches(vectors: Tensor) -> Tensor:
    """(..., 16 C), position-major, to (..., C, 4, 4), as a view."""
    return vectors.view(*vectors.shape[:-1], 4, 4, vectors.shape[-1] // 16).movedim(-1, -3)


def coefficients(vectors: Tensor) -> Tensor:
    """Haar coefficients of vectors (N, 16 C): (N, 4, 2, 2, C)."""
    return torch.stack(doubled(vectors), dim=1).mul_(0.5)


def doubled(vectors: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Twice the Haar coefficients of vectors (N, 16 C), band by band: four of (N, 2, 2, C).

    Sums and differences of whole cells: they come out the same for any number of vectors, as a matrix product may not.
    """
    blocks = vectors.view(len(vectors), 2, 2, 2, 2, vectors.shape[1] // 16)
    (a, b), (c, d) = ((blocks[:, :, row, :, 0], blocks[:, :, row, :, 1]) for row in range(2))
    upper, lower, left, right = a + b, c + d, b - a, d - c
    return upper + lower, left + right, lower - upper, right - left


def spread(bands: Tensor) -> Tensor:
    """What each of some coefficients (N, 4, 2, 2, C) adds to the four cells of its block: (N, 4, 16 C)."""
    return (bands[:, :, :, None, :, None] * HAAR.to(bands.dtype).view(4, 1, 2, 1, 2, 1)).flatten(2)


def band_vectors(vectors: Tensor) -> Tensor:
    """Coefficients of vectors (N, 16 C) band by band: (N, 4, 4 C)."""
    return coefficients(vectors).flatten(2)


def weight_bands(vectors: Tensor, weights: Tensor) -> Tensor:
    """Vectors (N, 16 C) with their bands multiplied by four weights."""
    return weighted(band_parts(vectors).movedim(1, -1), weights)


def band_parts(vectors: Tensor) -> Tensor:
    """Vectors split into the four parts that live in one band each: (N, 16 C) to (N, 4, 16 C).

    The parts add up to the vector and are orthogonal, so the dot product of one part with any *whole* patch is the dot
    product of the two in that band: candidates need no transform of their own.
    """
    return spread(coefficients(vectors))


def band_energy(vectors: Tensor) -> Tensor:
    """Squared norm per band: (N, 16 C) to (N, 4)."""
    return torch.stack([band.flatten(1).square().sum(1) for band in doubled(vectors)], dim=1).mul_(0.25)


def norm_parts(energy: Tensor) -> Tensor:
    """Part of a patch's norm in each band, from band energies (..., 4): squares sum to 1; all 0 in an empty patch."""
    return root(energy / weighted(energy, torch.ones(4))[..., None].clamp(min=TINY))


def weighted(values: Tensor, weights: Tensor) -> Tensor:
    """Sum over the bands of values (..., 4), times four weights, in a fixed order: (...)."""
    ll, lh, hl, hh = values.unbind(-1)
    a, b, c, d = weights.tolist()
    total: Tensor = ll * a + lh * b + hl * c + hh * d
    return total


def inverse_norm(energy: Tensor, weights: Tensor) -> Tensor:
    """1 / norm of the weighted bands, from band energies (..., 4): (...); 0 where those bands hold nothing."""
    norm = root(weighted(energy, weights))
    return torch.where(norm > TINY, 1 / norm.clamp(min=TINY), 0.0)


def check_band_weights(weights: Sequence[float]) -> tuple[float, float, float, float]:
    """Four non-negative weights, not all zero.

    Raises:
        SettingError: Anything else.
    """
    weights = weights.tolist() if isinstance(weights, (Tensor, np.ndarray)) else weights
    if isinstance(weights, str) or not isinstance(weights, Iterable):
        raise SettingError(f"band weights {short(weights)}", "not four numbers", "Give LL, LH, HL, HH")
    values = tuple(number("band weight", weight) for weight in weights)
    if len(values) != 4 or min(values) < 0 or not 0 < sum(values) < float("inf"):
        raise SettingError(
            f"band weights {values}", "not four non-negative numbers with a positive sum", "Give LL, LH, HL, HH"
        )
    if not 1 / MOST_WEIGHT <= max(values) <= MOST_WEIGHT:
        found = f"the largest is not from {1 / MOST_WEIGHT:g} to {MOST_WEIGHT:g}, where similarities are precise"
        raise SettingError(f"band weights {values}", found, "Only their ratios count: give 1 for the largest")
    return values[0], values[1], values[2], values[3]
