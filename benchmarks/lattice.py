"""How strongly a picture carries a grid in the rhythm of the decoder's 4 px cells."""

from __future__ import annotations

import numpy as np
import torch

from ktviz.images import Pixels
from ktviz.library.kinds.patches.features import STRIDE

WINDOW_PX = 64
STEP_PX = 16


def lattice(picture: Pixels) -> float:
    """Energy at the cells' frequencies over that of the frequencies around them, as log2: about 0 for a photograph.

    Mean power spectrum of luminance in overlapping Hann windows; the eight frequencies of 0 or half or a quarter per
    pixel in each direction, each with its direct neighbours, against a ring around them.
    """
    luma = torch.from_numpy(np.asarray(picture, dtype=np.float32)).mean(2) / 255
    windows = luma.unfold(0, WINDOW_PX, STEP_PX).unfold(1, WINDOW_PX, STEP_PX).flatten(0, 1)
    bell = torch.hann_window(WINDOW_PX)
    windows = (windows - windows.mean((1, 2), keepdim=True)) * bell[:, None] * bell
    power = torch.fft.fft2(windows).abs().square().mean(0)
    one = WINDOW_PX // STRIDE  # cycles per window of a pattern that repeats every cell
    places = [(y, x) for y in (-one, 0, one) for x in (-one, 0, one) if (y, x) != (0, 0)]
    return float(torch.stack([peak(power.roll((-y, -x), (0, 1))) for y, x in places]).mean())


def peak(power: torch.Tensor) -> torch.Tensor:
    """log2 of the mean of the 3x3 values around (0, 0) over the mean of an 11x11 ring outside of the 7x7."""
    around = power.roll((5, 5), (0, 1))[:11, :11]
    inner, middle = around[4:7, 4:7], around[2:9, 2:9]
    return (inner.mean() / ((around.sum() - middle.sum()) / (around.numel() - middle.numel()))).log2()
