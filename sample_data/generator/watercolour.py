"""Watercolour: washes with dark edges, granulation and bleeding on rough paper (Bousseau et al. 2006)."""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from skimage.restoration import denoise_tv_chambolle

from .colour import luminance, mix, saturate, smoothstep
from .flow import contours, per_channel, tangent_angle
from .noise import plane_fbm, ridged

Array = np.ndarray


def _paper(shape: tuple[int, int], seed: int) -> Array:
    """Cold-pressed tooth: bumps of about six pixels with finer grain, mean 0 and deviation 1."""
    tooth = plane_fbm(shape, 6.5, seed, 3) + 0.5 * plane_fbm(shape, 2.6, seed + 1, 2)
    return (tooth - tooth.mean()) / tooth.std()


def _wobble(rgb: Array, amount: float, seed: int) -> Array:
    """Hand tremor: displace the picture by smooth noise so that washes have organic outlines."""
    shape = rgb.shape[:2]
    rows, columns = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    rows += amount * (plane_fbm(shape, 34, seed, 4))
    columns += amount * (plane_fbm(shape, 34, seed + 50, 4))
    return per_channel(lambda plane: ndimage.map_coordinates(plane, [rows, columns], order=1, mode="nearest"), rgb)


def _lighten(rgb: Array) -> Array:
    """Stretch the lights to the white of the paper, which is the only white a watercolour has."""
    low, high = np.percentile(luminance(rgb), (1, 97))
    return np.clip((rgb - 0.6 * low) / (high - 0.6 * low), 0, 1)


def _edge_darkening(wash: Array, width: float) -> Array:
    """Pigment carried to the rim of a drying wash: the wash minus its blur, inside only."""
    return np.clip(wash - ndimage.gaussian_filter(wash, width), 0, 1)


def _washes(tone: Array, levels: tuple[float, ...], wet: Array, seed: int) -> tuple[Array, Array]:
    """Overlapping glazes by tone, hard-edged where the paper was dry; returns their sum and their rims."""
    total, rims = np.zeros_like(tone), np.zeros_like(tone)
    for k, level in enumerate(levels):
        wandering = level + 0.05 * plane_fbm(tone.shape, 22, seed + 7 * k, 4)
        hard, soft = smoothstep(-0.008, 0.008, tone - wandering), smoothstep(-0.12, 0.12, tone - wandering)
        wash = hard + (soft - hard) * wet
        total += wash / len(levels)
        rims += _edge_darkening(wash, 2.4) * (1 - 0.6 * wet)
    return total, rims


def watercolour(rgb: Array, rng: np.random.Generator, gap: float = 1.0, strength: float = 1.0) -> Array:
    """Paint a picture in transparent washes, light to dark, leaving bare paper in the lights."""
    seed = int(rng.integers(1000))
    shape = rgb.shape[:2]
    flat = denoise_tv_chambolle(rgb, weight=0.13, channel_axis=-1).astype(np.float32)
    flat = _wobble(saturate(_lighten(flat), 1.4), 5.0, seed)
    angle = tangent_angle(flat, sigma=2.5, spread=8, seed=seed)
    tone = 1 - luminance(flat)
    wet = smoothstep(-0.15, 0.3, plane_fbm(shape, 90, seed + 3, 3))
    glazes, rims = _washes(tone, (0.14, 0.3, 0.46, 0.62, 0.78), wet, seed)
    # The flat colour gives the hue; the stepped glazes set how much pigment lies there (Beer-Lambert).
    pigment = -np.log(np.clip(flat, 0.02, 0.985))
    density = pigment * ((0.12 + glazes) / (0.12 + np.clip(tone, 0, 1)))[..., None].clip(0.3, 1.7)
    bleed = per_channel(lambda plane: ndimage.gaussian_filter(plane, 7), density)
    density = mix(density, bleed, 0.45 * wet)
    paper = _paper(shape, seed + 11)
    # Grains of pigment settle in the hollows of the paper, the more so the more pigment there is.
    load = 0.4 + 0.9 * smoothstep(0.1, 1.2, density.mean(-1))
    granulation = 1 + 0.15 * np.clip(-paper, -1.4, 2.2) * load
    density = density * (_turbulence(shape, seed) * granulation * strength)[..., None]
    density = density + 0.55 * (rims * (0.35 + glazes))[..., None] * pigment.clip(0.15, 1.2)
    bare = _bare_paper(flat, angle, tone, paper, seed, gap)
    image = np.exp(-0.92 * density * (1 - bare)[..., None])
    image = image * np.float32([0.995, 0.985, 0.955]) * (1 + 0.016 * paper)[..., None]
    return np.clip(_spatter(image, flat, rng), 0, 1)


def _turbulence(shape: tuple[int, int], seed: int) -> Array:
    """Uneven flow of the water, and backruns: pale blooms with a dark rim where it ran back into a wash."""
    flow = 1 + 0.32 * plane_fbm(shape, 60, seed + 5, 5) + 0.16 * plane_fbm(shape, 14, seed + 6, 3)
    rows, columns = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    blooms = ridged(columns / 130, rows / 130, seed + 8, 4)
    rim = _edge_darkening(smoothstep(0.66, 0.69, blooms), 2)
    return flow * (1 - 0.28 * smoothstep(0.62, 0.72, blooms) + 0.35 * rim)


def _bare_paper(flat: Array, angle: Array, tone: Array, paper: Array, seed: int, gap: float) -> Array:
    """White left between washes, dry brush on the tooth of the paper, an unpainted margin."""
    shape = tone.shape
    lines = 1 - contours(flat, angle, 2.0, 0.85)
    halo = np.roll(lines, (2, 2), (0, 1))
    between = halo * smoothstep(0.05, 0.35, plane_fbm(shape, 40, seed + 13, 3)) * gap
    lights = smoothstep(0.16, 0.05, tone + 0.04 * plane_fbm(shape, 18, seed + 14, 3))
    dry = smoothstep(0.4, 1.6, paper) * smoothstep(0.3, 0.55, plane_fbm(shape, 70, seed + 15, 3, stretch=2.5))
    rows, columns = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    rim = np.minimum(np.minimum(rows, shape[0] - 1 - rows), np.minimum(columns, shape[1] - 1 - columns))
    deckle = smoothstep(11, 8, rim + 5 * plane_fbm(shape, 26, seed + 16, 4))
    return np.clip(np.maximum.reduce([0.9 * between, lights, 0.55 * dry, deckle]), 0, 1)


def _spatter(image: Array, flat: Array, rng: np.random.Generator, count: int = 70) -> Array:
    """Drops flicked off the brush in the colours of the picture."""
    rows, columns = image.shape[:2]
    for _ in range(count):
        row, column, radius = (rng.uniform(8, rows - 8), rng.uniform(8, columns - 8), 0.8 + 2.6 * rng.random() ** 3)
        window = (slice(int(row) - 6, int(row) + 7), slice(int(column) - 6, int(column) + 7))
        patch = image[window]
        y, x = np.mgrid[: patch.shape[0], : patch.shape[1]] - np.array([6, 6]).reshape(2, 1, 1)
        r = np.hypot(y, x) / radius
        drop = smoothstep(1.1, 0.85, r) * (0.35 + 0.3 * smoothstep(0.4, 0.95, r))
        patch *= mix(np.ones(3, np.float32), flat[int(rng.uniform(0, rows)), int(rng.uniform(0, columns))], drop)
    return image
