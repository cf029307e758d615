"""Haar bands of a patch: LL, LH, HL, HH, orthonormal, so that band energies add up to the patch's energy."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ktviz.errors import SettingError

BANDS = ("LL", "LH", "HL", "HH")
PAPER_WEIGHTS = (1.0, 1.0, 1.0, 0.0)
"""Bandpass matching in the paper: HH is dropped."""

TINY = 1e-12

# One row per band over a 2x2 block (top left, top right, bottom left, bottom right): LH is the horizontal difference,
# HL the vertical one, in the authors' signs.
HAAR = 0.5 * torch.tensor(
    [[1.0, 1.0, 1.0, 1.0], [-1.0, 1.0, -1.0, 1.0], [-1.0, -1.0, 1.0, 1.0], [1.0, -1.0, -1.0, 1.0]]
)


def haar(patches: Tensor) -> Tensor:
    """Bands of patches.

    Args:
        patches: (..., C, 2n, 2n).

    Returns:
        (..., 4, C, n, n), bands in the order LL, LH, HL, HH.
    """
    corners = (patches[..., 0::2, 0::2], patches[..., 0::2, 1::2], patches[..., 1::2, 0::2], patches[..., 1::2, 1::2])
    return torch.einsum("bk,k...->b...", HAAR.to(patches), torch.stack(corners)).movedim(0, -4)


def inverse_haar(bands: Tensor) -> Tensor:
    """Patches (..., C, 2n, 2n) from their bands (..., 4, C, n, n)."""
    corners = torch.einsum("bk,b...->k...", HAAR.to(bands), bands.movedim(-4, 0))
    *lead, height, width = corners.shape[1:]
    patches = corners.new_empty(*lead, 2 * height, 2 * width)
    patches[..., 0::2, 0::2], patches[..., 0::2, 1::2] = corners[0], corners[1]
    patches[..., 1::2, 0::2], patches[..., 1::2, 1::2] = corners[2], corners[3]
    return patches


def weight_bands(patches: Tensor, weights: Tensor) -> Tensor:
    """Patches (N, C, 4, 4) with their bands multiplied by four weights."""
    return inverse_haar(haar(patches) * weights.view(4, 1, 1, 1))


def band_parts(patches: Tensor) -> Tensor:
    """Patches split into the four parts that live in one band each: (N, C, 4, 4) to (N, 4, C, 4, 4).

    The parts add up to the patch and are orthogonal, so the dot product of one part with any *whole* patch is the dot
    product of the two in that band: candidates need no transform of their own.
    """
    return torch.stack([weight_bands(patches, only) for only in torch.eye(4)], dim=1)


def band_energy(patches: Tensor) -> Tensor:
    """Squared norm per band: (N, C, 4, 4) to (N, 4)."""
    return haar(patches).square().sum((-3, -2, -1))


def inverse_norm(energy: Tensor, weights: Tensor) -> Tensor:
    """1 / norm of the weighted bands, from band energies (N, 4): (N,); 0 where those bands hold nothing."""
    norm = (energy @ weights).sqrt()
    return torch.where(norm > TINY, 1 / norm.clamp(min=TINY), torch.zeros(()))


def check_band_weights(weights: Sequence[float]) -> tuple[float, float, float, float]:
    """Four non-negative weights, not all zero.

    Raises:
        SettingError: Anything else.
    """
    values = tuple(float(w) for w in weights)
    if len(values) != 4 or min(values) < 0 or not 0 < sum(values) < float("inf"):
        raise SettingError(
            f"band weights {values}", "not four non-negative numbers with a positive sum", "Give LL, LH, HL, HH"
        )
    return values[0], values[1], values[2], values[3]
