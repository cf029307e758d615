"""Pictures of bands: how details are shown, and the Haar bands of pixels."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ktviz.errors import ImageError
from ktviz.images import Pixels
from ktviz.library.kinds.patches.bands import haar

GAIN = 4.0
"""Details are shown so many times as strong, around mid-grey."""
MID_GREY = 128.0
DECODED_CAPTION = (
    "Whole patch and LL as decoded alone; LH, HL and HH decoded alone, less what the decoder paints from nothing, "
    f"{GAIN:g} times as strong around mid-grey"
)
PIXELS_CAPTION = (
    "One Haar level of the pixels: LL is the mean of 2x2 px; LH, HL and HH what they add to it, "
    f"{GAIN:g} times as strong around mid-grey"
)


def pixel_bands(pixels: Pixels) -> Pixels:
    """The Haar bands of pictures, one level: means of 2x2 px, and what LH, HL and HH add to them, times `GAIN`.

    Args:
        pixels: (..., H, W, 3) uint8 with even sides.

    Returns:
        (..., 4, H/2, W/2, 3) uint8: LL, LH, HL, HH; the details around mid-grey.

    Raises:
        ImageError: An odd side.
    """
    height, width = pixels.shape[-3:-1]
    if height % 2 or width % 2:
        raise ImageError(f"bands of {width}x{height} px", "an odd side", "Crop it to even sides")
    bands = haar(torch.from_numpy(pixels.astype(np.float32)).movedim(-1, -3)) / 2
    bands[..., 1:, :, :, :] = MID_GREY + GAIN * bands[..., 1:, :, :, :]
    return to_levels(bands)


def to_levels(images: Tensor) -> Pixels:
    """Images (..., 3, H, W) of levels 0 to 255, cut off there, as (..., H, W, 3) uint8."""
    return np.ascontiguousarray(images.clamp(0, 255).round().byte().movedim(-3, -1).numpy())
