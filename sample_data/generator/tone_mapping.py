"""HDR look: base and detail tone mapping (Durand and Dorsey 2002), local contrast and glow."""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from skimage import exposure

from .colour import lab, luminance, rgb_from_lab, saturate, to_display, to_linear
from .flow import per_channel

Array = np.ndarray


def _guided(guide: Array, radius: int, epsilon: float) -> Array:
    """Self-guided filter (He et al. 2010): an edge-preserving base layer without gradient reversal."""
    size = 2 * radius + 1
    mean = ndimage.uniform_filter(guide, size)
    variance = ndimage.uniform_filter(guide * guide, size) - mean * mean
    gain = variance / (variance + epsilon)
    return ndimage.uniform_filter(gain, size) * guide + ndimage.uniform_filter(mean * (1 - gain), size)


def tone_map(radiance: Array, contrast: float = 0.62, detail: float = 1.75, chroma: float = 1.8) -> Array:
    """Compress the base, lift two scales of detail, add bloom and local equalisation: the vivid HDR look."""
    radiance = np.maximum(radiance, 0) + 1e-4
    bright = np.clip(radiance - 0.9, 0, 12)
    glow = per_channel(lambda plane: ndimage.gaussian_filter(plane, 14), bright)
    radiance = radiance + 0.22 * glow
    grey = luminance(radiance)
    log = np.log2(grey)
    base, middle = _guided(log, 40, 0.6), _guided(log, 7, 0.12)
    mapped = contrast * (base - np.percentile(base, 96)) + 1.15 * (middle - base) + detail * (log - middle)
    toned = radiance / grey[..., None] * np.exp2(mapped)[..., None]
    # A shoulder keeps colour in the lights, which a hard clip would burn out.
    display = to_display(1 - np.exp(-1.35 * toned))
    values = lab(display)
    lightness = np.clip(values[..., 0] / 100, 0, 1)
    local = exposure.equalize_adapthist(lightness, kernel_size=96, clip_limit=0.018)
    values[..., 0] = 100 * (0.5 * lightness + 0.5 * local)
    crisp = values[..., 0] + 0.65 * (values[..., 0] - ndimage.gaussian_filter(values[..., 0], 1.6))
    values[..., 0] = np.clip(crisp, 0, 100)
    return saturate(rgb_from_lab(values), chroma)


def expand(photo: Array) -> Array:
    """Radiance guessed from a display photograph: linearise, and stretch what was near clipping."""
    linear = to_linear(photo)
    return (linear * (1 + 5 * np.clip(luminance(linear) - 0.6, 0, 1)[..., None] ** 1.5)).astype(np.float32)
