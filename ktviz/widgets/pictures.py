"""Pictures as files for the browser."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
import numpy.typing as npt

from ktviz.images import Pixels, encode_image, shrink
from ktviz.widgets.packing import Part

LONGEST_PX = 2048
"""Pictures with a longer side are shown scaled down, and the view says so."""
GAIN = 5
"""How many times the picture of a difference is brightened: most counterfactuals change a few levels."""
LEAST_BYTES = 400_000
"""Pictures that are kept without loss have this much room together, however much the rest takes."""
LEAST_PER_PX = 0.5
"""Bytes of a photograph without loss, at best: where so many do not fit, it is not tried."""


def encoded(found: Mapping[str, Pixels], room: int) -> dict[str, Part]:
    """Pictures as files, of at most `LONGEST_PX` px a side: without loss if all of them fit, else all as JPEG."""
    shown = {name: shrink(pixels, LONGEST_PX) for name, pixels in found.items()}
    room = max(room, LEAST_BYTES)
    if LEAST_PER_PX * sum(pixels.shape[0] * pixels.shape[1] for pixels in shown.values()) <= room:
        lossless: dict[str, Part] = {name: encode_image(pixels) for name, pixels in shown.items()}
        if sum(map(len, lossless.values())) <= room:
            return lossless
    return {name: encode_image(pixels, "jpeg") for name, pixels in shown.items()}


def brightened(difference: npt.NDArray[np.floating]) -> Pixels:
    """Where pixels changed, by so many levels (H, W), as a picture: (H, W, 3)."""
    levels = np.clip((GAIN * difference).round(), 0, 255).astype(np.uint8)
    return np.repeat(levels[..., None], 3, axis=2)


def sheet(patches: Pixels, kind: Literal["webp", "small"] = "webp") -> bytes:
    """Patches (rows, columns, side, side, 3) as one picture: without loss, or in little room."""
    rows, columns, side = patches.shape[:3]
    return encode_image(patches.transpose(0, 2, 1, 3, 4).reshape(rows * side, columns * side, 3), kind)
