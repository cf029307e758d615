"""Scores of an encoder and decoder on whole images: PSNR, SSIM, and cosine to the teacher."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ktviz.images import Pixels, read_image, resize_short_side, to_tensor

SHORT_SIDE_PX = 320


@dataclass(frozen=True)
class Scores:
    """Means over images: PSNR in dB, SSIM, and cosine of student and teacher features (NaN without a teacher)."""

    psnr: float
    ssim: float
    cosine: float

    def to_dict(self) -> dict[str, float | None]:
        """Rounded; None for NaN, which JSON does not know."""
        return {name: None if math.isnan(value) else round(value, 4) for name, value in asdict(self).items()}


@torch.inference_mode()
def score_images(encoder: nn.Module, decoder: nn.Module, teacher: nn.Module | None, images: Iterable[Pixels]) -> Scores:
    """Reconstruct every image and compare.

    Args:
        encoder: (B, 3, H, W) to (B, C, H/4, W/4).
        decoder: Its inverse; clamped and rounded to 8 bits here, as in use.
        teacher: Features to compare with, same shape as the encoder's, or None.
        images: (H, W, 3) uint8 each; cropped to multiples of 8.
    """
    apart, alike, cosine = [], [], []
    for pixels in images:
        image = to_tensor(pixels[: pixels.shape[0] // 8 * 8, : pixels.shape[1] // 8 * 8])
        features = encoder(image)
        output = (decoder(features).clamp(0, 1) * 255).round() / 255
        apart.append(psnr(output, image))
        alike.append(structural_similarity(output, image))
        if teacher is not None:
            cosine.append(float(F.cosine_similarity(features, teacher(image), dim=1).mean()))
    return Scores(fmean(apart), fmean(alike), fmean(cosine) if cosine else float("nan"))


def score_files(encoder: nn.Module, decoder: nn.Module, teacher: nn.Module | None, paths: Sequence[Path]) -> Scores:
    """`score_images` of files at 320 px short side."""
    return score_images(
        encoder, decoder, teacher, (resize_short_side(read_image(path), SHORT_SIDE_PX) for path in paths)
    )


def psnr(a: Tensor, b: Tensor) -> float:
    """Peak signal-to-noise ratio of pictures of one shape in [0, 1], in dB: 100 where they are equal.

    Example:
        >>> psnr(torch.zeros(1, 3, 8, 8), torch.full((1, 3, 8, 8), 0.1))
        20.0
    """
    return -10 * float((a - b).square().mean().clamp(min=1e-10).log10())


def structural_similarity(a: Tensor, b: Tensor) -> float:
    """Mean SSIM (Wang et al. 2004) over channels: 11 px Gaussian window, sigma 1.5, data range 1.

    Args:
        a: (B, C, H, W) in [0, 1].
        b: The same shape.
    """
    ramp = torch.arange(11, dtype=torch.float32) - 5
    bell = torch.exp(-ramp.square() / (2 * 1.5**2))
    bell = (bell / bell.sum()).view(1, 1, 1, 11)

    def blur(x: Tensor) -> Tensor:
        x = x.flatten(0, 1)[:, None]
        return F.conv2d(F.conv2d(x, bell), bell.transpose(2, 3))

    mean_a, mean_b = blur(a), blur(b)
    var_a, var_b = blur(a * a) - mean_a**2, blur(b * b) - mean_b**2
    covariance = blur(a * b) - mean_a * mean_b
    c1, c2 = 0.01**2, 0.03**2
    ssim = ((2 * mean_a * mean_b + c1) * (2 * covariance + c2)) / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2))
    return float(ssim.mean())
