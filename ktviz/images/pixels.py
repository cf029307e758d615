"""Pixels in memory: their form, the sizes that can be used, scaling, tensors, and a digest."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import Image

from ktviz.errors import ImageError

if TYPE_CHECKING:
    import torch

Pixels = npt.NDArray[np.uint8]
"""An image: (H, W, 3) uint8, sRGB."""

MIN_SIDE = 16
"""Shortest usable side in pixels: one 4x4 patch of stride-4 features."""
MAX_SIDE = 16_384
"""Longest usable side in pixels; above it a single feature map outgrows an ordinary machine."""


def check_size(width: int, height: int, asked: str, least: int = MIN_SIDE) -> None:
    """Refuse an image that is too small to hold a patch or too large to hold in memory.

    Raises:
        ImageError: A side is outside 16 (or `least`) to 16,384 px.
    """
    found = f"{width}x{height} px"
    if min(width, height) < least:
        raise ImageError(asked, found, f"Each side must be at least {least} px; use a larger image")
    if max(width, height) > MAX_SIDE:
        raise ImageError(asked, found, f"Each side must be at most {MAX_SIDE} px; shrink or crop it first")


def resize_short_side(pixels: Pixels, side_px: int) -> Pixels:
    """Scale so that the shorter side is `side_px` (Lanczos), keeping the proportions.

    Raises:
        ImageError: The longer side would exceed 16,384 px.
    """
    return resize(pixels, *scaled_size(pixels, side_px, "image"))


def scaled_size(pixels: Pixels, side_px: int, asked: str) -> tuple[int, int]:
    """Width and height of an image scaled so that the shorter side is `side_px`.

    Raises:
        ImageError: The longer side would exceed 16,384 px.
    """
    height, width = pixels.shape[:2]
    scale = side_px / min(height, width)
    width, height = max(1, round(width * scale)), max(1, round(height * scale))
    check_size(width, height, f"{asked} scaled to a shorter side of {side_px} px")
    return width, height


def resize(pixels: Pixels, width: int, height: int) -> Pixels:
    """Scale to exactly `width` x `height` px (Lanczos)."""
    if pixels.shape[:2] == (height, width):
        return pixels
    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.LANCZOS))


def shrink(pixels: Pixels, longest: int) -> Pixels:
    """Scale down to a longest side in px; smaller ones stay as they are."""
    height, width = pixels.shape[:2]
    scale = longest / max(height, width)
    return pixels if scale >= 1 else resize(pixels, max(1, round(width * scale)), max(1, round(height * scale)))


def to_tensor(pixels: Pixels) -> torch.Tensor:
    """(H, W, 3) uint8 to (1, 3, H, W) float32 in [0, 1]."""
    import torch

    return torch.from_numpy(np.array(pixels, copy=True)).permute(2, 0, 1)[None].float() / 255


def to_pixels(image: torch.Tensor) -> Pixels:
    """(1, 3, H, W) or (3, H, W) float in [0, 1] (clamped) to (H, W, 3) uint8."""
    image = image.detach().reshape(image.shape[-3:]).clamp(0, 1)
    pixels: Pixels = (image.permute(1, 2, 0) * 255).round().byte().cpu().numpy()
    return pixels


def pixel_digest(pixels: Pixels) -> str:
    """SHA-256 of an image's size and pixels, as hex: the same whatever file it is in."""
    digest = hashlib.sha256(f"{pixels.shape[0]}x{pixels.shape[1]}".encode())
    digest.update(np.ascontiguousarray(pixels).tobytes())
    return digest.hexdigest()
