"""From radiance to the picture: samples averaged, bright light blooming, tone mapping; and the maps beside it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.ndimage import gaussian_filter

from ..colour import expose, saturate
from .styles import class_of

Array = np.ndarray


@dataclass(frozen=True)
class Scene:
    """A picture that is known exactly.

    `photo` (H, W, 3) is display RGB in 0..1, `labels` (H, W) uint8 classes, `instances` (H, W) uint16: the class number
    for regions, class * 1000 + n for things. `styles` maps every instance that is seen to its style's number.
    """

    photo: Array
    labels: Array
    instances: Array
    styles: dict[int, int] = field(default_factory=dict)


def _majority(samples: Array) -> Array:
    """The most frequent of each 2 × 2 samples (2h, 2w), the first of them in a tie."""
    a, b, c, d = samples[::2, ::2], samples[::2, 1::2], samples[1::2, ::2], samples[1::2, 1::2]
    return np.where((a == b) | (a == c) | (a == d), a, np.where((b == c) | (b == d), b, np.where(c == d, c, a)))


def develop(radiance: Array, instances: Array, styles: dict[int, int], exposure: float, bloom: float) -> Scene:
    """A scene of radiance (2H, 2W, 3) and instance numbers (2H, 2W)."""
    rows, columns = radiance.shape[0] // 2, radiance.shape[1] // 2
    samples = np.clip(radiance, 0, 6).reshape(rows, 2, columns, 2, 3)
    bright = np.clip(samples.mean((1, 3)) * exposure - 0.9, 0, 3)
    halo = sum(gaussian_filter(bright, (size, size, 0)) for size in (rows / 90, rows / 22)) * bloom / exposure
    # Samples are averaged as they are seen: a mean of radiance would leave edges against bright light jagged.
    photo = saturate(expose(samples + halo[:, None, :, None], exposure).mean((1, 3)), 0.9).astype(np.float32)
    found = _majority(instances)
    kept = {int(number): styles[int(number)] for number in np.unique(found)}
    return Scene(photo, class_of(found), found.astype(np.uint16), kept)
