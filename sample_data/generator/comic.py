"""Comic printing: Ben-Day halftone colour under a black brush line, and pen-and-ink hatching."""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from skimage import exposure

from .colour import hex_colour, lab, mix, saturate, smoothstep
from .flow import contours, line_pattern, smooth_along, tangent_angle, xdog
from .noise import plane_fbm

Array = np.ndarray

# Process inks of four-colour comic printing with their screen angles in degrees.
SCREENS = ((hex_colour("#00a0dc"), 15.0), (hex_colour("#e8247c"), 75.0), (hex_colour("#ffe100"), 0.0))
NEWSPRINT = np.float32([0.985, 0.965, 0.905])


def _dot_screen(shape: tuple[int, int], coverage: Array, pitch: float, degrees: float) -> Array:
    """Round dots on a rotated grid with the given area coverage, anti-aliased."""
    rows, columns = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    theta = np.deg2rad(degrees)
    u = (np.cos(theta) * columns + np.sin(theta) * rows) / pitch
    v = (np.cos(theta) * rows - np.sin(theta) * columns) / pitch
    radius = np.hypot(u - np.rint(u), v - np.rint(v)) * pitch
    wanted = np.sqrt(np.clip(coverage, 0, 1) / np.pi) * pitch
    return np.where(coverage > 0.9, 1.0, np.where(coverage < 0.03, 0.0, np.clip(wanted - radius + 0.5, 0, 1)))


def _tint_steps(ink: Array) -> Array:
    """Ben-Day tints: paper, 25 percent, 55 percent or solid."""
    steps, tints = (0.13, 0.36, 0.66), (0.0, 0.22, 0.48, 1.0)
    return np.take(np.float32(tints), np.digitize(ink, steps))


def halftone(rgb: Array, rng: np.random.Generator, pitch: float = 7.0, weight: float = 1.0) -> Array:
    """Print a picture as stepped cyan, magenta and yellow dot screens below a brush-inked black plate."""
    seed = int(rng.integers(1000))
    shape = rgb.shape[:2]
    angle = tangent_angle(rgb, sigma=2.5, spread=9, seed=seed, wander=0.2)
    flat = saturate(smooth_along(rgb, angle, 4, 2), 1.75)
    flat = np.clip((flat - 0.5) * 1.2 + 0.56, 0, 1)
    amounts = 1 - flat
    amounts = np.clip(amounts - 0.75 * amounts.min(-1, keepdims=True), 0, 1) * 1.15
    image = np.ones(rgb.shape, np.float32) * NEWSPRINT
    for channel, (ink, degrees) in enumerate(SCREENS):
        tint = _tint_steps(ndimage.median_filter(amounts[..., channel], 5))
        dots = _dot_screen(shape, tint, pitch, degrees)
        press = 0.96 + 0.04 * plane_fbm(shape, 3, seed + channel, 2)
        image = image * mix(np.ones(3, np.float32), ink, dots * press)
    black = _black_plate(flat, angle, shape, pitch, weight)
    image = mix(image, np.float32([0.06, 0.05, 0.08]), black)
    return np.clip(image * (1 + 0.012 * plane_fbm(shape, 2.2, seed + 9, 2))[..., None], 0, 1)


def _black_plate(flat: Array, angle: Array, shape: tuple[int, int], pitch: float, weight: float) -> Array:
    """Thick contours, solid shadows, and a 45 degree black screen in the half-shadows."""
    lightness = lab(flat)[..., 0] / 100
    smooth = ndimage.gaussian_filter(lightness, 1.6)
    outline = 1 - contours(flat, angle, 1.6 * weight, 0.6)
    solid = smoothstep(0.27, 0.245, smooth)
    half = np.where(smooth < 0.40, 0.3, 0.0)
    return np.clip(np.maximum.reduce([outline, solid, _dot_screen(shape, half, pitch, 45.0)]), 0, 1)


def ink(rgb: Array, rng: np.random.Generator, pitch: float = 5.5, key: float = 1.0) -> Array:
    """Draw a picture in black ink: contours, form-following hatching, cross-hatching and solid blacks."""
    seed = int(rng.integers(1000))
    shape = rgb.shape[:2]
    angle = tangent_angle(rgb, sigma=2.5, spread=12, wander=0.2, rest=-0.7, seed=seed)
    smooth = smooth_along(rgb, angle, 5)
    lightness = np.clip(lab(smooth)[..., 0] / 100, 0, 1)
    local = exposure.equalize_adapthist(lightness, clip_limit=0.012).astype(np.float32)
    tone = ndimage.gaussian_filter(0.5 * local + 0.5 * lightness, 1.2) * key
    tremor = 0.06 * plane_fbm(shape, 14, seed + 3, 3)
    ink_cover = np.zeros(shape, np.float32)
    for turn, start, full, spacing in (
        (0.0, 0.74, 0.22, pitch),
        (1.05, 0.47, 0.10, pitch),
        (-0.75, 0.31, 0.02, pitch * 0.95),
    ):
        lines = line_pattern(angle + turn, spacing, seed + int(10 * turn) + 40)
        depth = np.clip((start - tone - tremor) / (start - full), 0, 1)
        # Lines begin thin and swell with the tone, as a flexible nib does under pressure.
        stroke = smoothstep(-0.14, 0.14, lines - (0.86 - 0.95 * depth)) * smoothstep(0.0, 0.10, depth)
        ink_cover = np.maximum(ink_cover, stroke)
    outline = 1 - contours(smooth, angle, 1.1, 1.35)
    accent = 1 - xdog(lightness, angle, 1.4, 16, 0.30, 18)
    solid = smoothstep(0.15, 0.11, tone)
    cover = np.clip(np.maximum.reduce([ink_cover, outline, accent * smoothstep(0.42, 0.3, tone), solid]), 0, 1)
    paper = np.float32([0.985, 0.98, 0.965]) * (1 + 0.008 * plane_fbm(shape, 3, seed + 5, 2))[..., None]
    return np.clip(mix(paper, np.float32([0.055, 0.05, 0.06]), cover), 0, 1)
