"""Pointillism: layers of small dabs of nearly pure colour that mix in the eye, with their complementaries."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from .colour import draw_from_palette, hex_palette, lab, saturate
from .flow import per_channel, relief, tangent_angle
from .strokes import poisson_points, stamp_dot

Array = np.ndarray

# Divisionist palette: spectral pigments, each also let down with white.
SPECTRAL = hex_palette(
    "#1c2a7a #2f55b8 #1f7f8a #1f7a45 #6fae2f #f2d52a #f2a01f #e8581f #c8202a #8a1f5a "
    "#56308a #1f1a3a #6a1f1a #14402c #7f9fe0 #7fc8d0 #86c98a #c8e07a #fbec8a #fbcf86 "
    "#f7a080 #ec86a0 #c08ac8 #9a86d0 #d8e4f8 #e0f4ee #fffbe0 #fde6d8 #f4dcec #8a5a34 "
    "#c89060"
)


def pointillism(rgb: Array, rng: np.random.Generator, pitch: float = 5.2, palette: Array = SPECTRAL) -> Array:
    """Paint a picture in dabs: four passes that hand on their errors, so that the average comes right."""
    target = saturate(per_channel(lambda plane: ndimage.gaussian_filter(plane, 1.2), rgb), 1.3)
    angle = tangent_angle(rgb, sigma=3, spread=12, wander=0.35, seed=int(rng.integers(1000)))
    ground = np.float32([0.93, 0.86, 0.70])
    colour = 0.35 * ground + 0.65 * per_channel(lambda plane: ndimage.gaussian_filter(plane, 6), target)
    colour = np.ascontiguousarray(colour, np.float32)
    height = np.zeros(rgb.shape[:2], np.float32)
    for radius, spacing, spread in (
        (3.9, pitch * 1.25, 9.0),
        (3.2, pitch, 9.0),
        (2.9, pitch, 7.0),
        (2.5, pitch * 1.1, 5.0),
    ):
        _pass(colour, height, target, angle, radius, spacing, spread, palette, rng)
    shade = relief(height, depth=0.42)[..., None]
    return np.clip(colour * (0.45 + 0.55 * shade), 0, 1)


def _pass(
    colour: Array,
    height: Array,
    target: Array,
    angle: Array,
    radius: float,
    spacing: float,
    spread: float,
    palette: Array,
    rng: np.random.Generator,
) -> None:
    """One pass of dabs aimed at the target plus what the passes before it left wanting."""
    blurred = per_channel(lambda plane: ndimage.gaussian_filter(plane, 5), colour - target)
    wanted_map = lab(np.clip(target - 0.8 * blurred, 0, 1))
    points = poisson_points(angle.shape, spacing, rng)
    i, j = points[:, 0].astype(int), points[:, 1].astype(int)
    wanted = wanted_map[i, j]
    # One dab in nine is a muted complementary: the simultaneous contrast Seurat took from Chevreul.
    contrast = rng.random(len(wanted)) < 0.11
    wanted[contrast, 1:] *= -0.55
    chosen = palette[draw_from_palette(wanted, palette, spread, rng)]
    local = target[i, j]
    paints = np.clip(chosen * 0.8 + local * 0.2 + 0.025 * rng.standard_normal(local.shape), 0, 1).astype(np.float32)
    for point, paint, a, b in zip(points, paints, i, j, strict=True):
        theta = angle[a, b] + 0.35 * rng.standard_normal()
        stamp_dot(
            colour,
            height,
            tuple(point),
            radius * rng.uniform(0.82, 1.15),
            rng.uniform(1.0, 1.4),
            theta,
            paint,
        )
