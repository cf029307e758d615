"""Polishing a decoder on what it will really be given: features that a transfer has put together.

A transfer mixes patches that never lay side by side. A decoder that has only seen features of pictures answers with a
weave in the rhythm of its own 4 px cells. Polishing asks that its picture, encoded again, gives the features it was
made from, without such a weave and without a change of colour.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from ktviz.library.kinds.patches.bands import PAPER_WEIGHTS, band_energy, inverse_norm, to_vectors, weight_bands
from ktviz.library.kinds.patches.features import STRIDE
from ktviz.library.kinds.patches.grid import SIZE, PatchGrid
from ktviz.systems.kt.settings import MAX_GAIN
from ktviz.systems.kt.transfer import transfer


@torch.no_grad()
def transferred(features: Tensor, sources: Tensor) -> Tensor:
    """Features translated as the translator does it, with the patches of some other features for a bank.

    Args:
        features: (B, C, h, w) float32 on the CPU, even h and w.
        sources: (B, C, h, w).

    Returns:
        (B, C, h, w): every query with the statistics of its best bandpass match, folded.
    """
    weights = torch.tensor(PAPER_WEIGHTS)
    grid = PatchGrid(*features.shape[2:])
    with torch.autocast("cpu", enabled=False):  # half precision would choose other winners than the translator
        queries = torch.cat([grid.unfold(one) for one in features])
        patches = F.unfold(sources, SIZE).transpose(1, 2).reshape(-1, sources.shape[1], SIZE, SIZE)
        vectors = to_vectors(patches)
        dots = weight_bands(to_vectors(queries), weights) @ vectors.T
        winner = (dots * inverse_norm(band_energy(vectors), weights)).argmax(1)
        translated = transfer(queries, patches[winner], max_gain=MAX_GAIN)
    return torch.stack([grid.fold(one) for one in translated.split(len(grid))])


def lattice_loss(images: Tensor, cell: int = STRIDE) -> Tensor:
    """How much of the fine detail repeats from cell to cell: what a decoder prints, and pictures hardly hold.

    Args:
        images: (B, 3, H, W), multiples of a cell and at least four a side.
        cell: Its side in px; a lattice of half of it or a quarter is seen, too.

    Returns:
        Energy of the detail's mean over 4x4 cells, phase by phase, over that of all detail: about 1/16 for noise, 1
        for a grid.
    """
    detail = images - F.avg_pool2d(F.pad(images, (2, 2, 2, 2), mode="reflect"), 5, stride=1)
    phases = F.pixel_unshuffle(detail, cell)
    repeated = F.avg_pool2d(phases, 4, stride=1)
    return repeated.square().mean() / phases.square().mean().detach().clamp(min=1e-8)


def patch_colour(images: Tensor) -> Tensor:
    """Mean colour of each patch's 16 px: (B, 3, H, W) to (B, 3, H / 16, W / 16)."""
    return F.avg_pool2d(images, SIZE * STRIDE)
