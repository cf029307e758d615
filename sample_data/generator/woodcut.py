"""Colour woodcut: a few flat inks, carved lines that follow form, a key block, wood grain, washi paper."""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from skimage import exposure

from .colour import LUMINANCE, hex_palette, lab, luminance, mix, quantise, rgb_from_lab, smoothstep
from .flow import contours, line_pattern, smooth_along, tangent_angle
from .noise import plane_fbm

Array = np.ndarray

KEY = np.float32([0.075, 0.10, 0.19])
WASHI = np.float32([0.955, 0.92, 0.825])

# Position in each ink set of the ink wiped down from the top of the sky.
SKY_INK = 4

# Ink sets, lightest to darkest; the washi itself is the first "ink".
PRUSSIAN = hex_palette("#f4ebd2 #d8d6c2 #a9c4cc #6fa0b8 #356f9c #1c3f72 #12244a #e8b98a #c8745a #8fa070")
INDIGO = hex_palette("#f4ebd2 #dcdcc8 #a9c8d2 #6aa2bc #2f6c9c #1b4174 #12244a #e6bd92")
MOSS = hex_palette("#f4ebd2 #d5e0d0 #93bcc2 #4f86a4 #2a557f #16283f #7f9a55 #3f6646 #dcae70 #a8704a")


def woodcut(
    rgb: Array, rng: np.random.Generator, inks: Array = PRUSSIAN, pitch: float = 7.0, key: float = 1.0
) -> Array:
    """Print a picture from a key block and one block per ink."""
    seed = int(rng.integers(1000))
    shape = rgb.shape[:2]
    angle = tangent_angle(rgb, sigma=2.5, spread=10, wander=0.25, seed=seed)
    flat = smooth_along(_full_range(rgb), angle, 6, 3)
    lines = line_pattern(angle, pitch, seed)
    colour = _bokashi(_colour_blocks(flat, lines, inks), inks)
    colour = _wood_grain(colour, seed)
    block = _key_block(flat, angle, lines, key)
    misregistered = ndimage.shift(block, (0.7, -0.6), order=1, mode="nearest")
    image = colour * (1 - misregistered[..., None]) + KEY * misregistered[..., None]
    return np.clip(_washi(image, seed) * (1 + 0.02 * plane_fbm(shape, 90, seed + 3, 3))[..., None], 0, 1)


def _full_range(rgb: Array) -> Array:
    """Spread the lightness over the whole range of the inks, locally as well as globally."""
    values = lab(rgb)
    low, high = np.percentile(values[..., 0], (1, 99))
    stretched = np.clip((values[..., 0] - low) / (high - low), 0, 1)
    local = exposure.equalize_adapthist(stretched, kernel_size=160, clip_limit=0.012)
    values[..., 0] = 100 * (0.08 + 0.92 * (0.62 * stretched + 0.38 * local))
    values[..., 1:] *= 1.25
    return rgb_from_lab(values)


def _bokashi(colour: Array, inks: Array) -> Array:
    """Bokashi: a band of the sky ink wiped to nothing down from the top edge of the block."""
    rows = np.linspace(0, 1, colour.shape[0], dtype=np.float32)[:, None]
    wipe = np.broadcast_to(0.85 * smoothstep(0.17, 0.0, rows), colour.shape[:2])
    light_parts = smoothstep(0.35, 0.6, luminance(colour))
    return mix(colour, colour * inks[SKY_INK], wipe * light_parts)


def _colour_blocks(flat: Array, lines: Array, inks: Array) -> Array:
    """Nearest ink; carved lines let the next tone through, so that shading is cut rather than blended."""
    light_side = np.clip(flat + 0.075 * lines[..., None], 0, 1)
    index = quantise(light_side, inks)
    # A majority filter per ink removes specks no carver would leave standing.
    votes = np.stack([ndimage.gaussian_filter((index == k).astype(np.float32), 1.0) for k in range(len(inks))])
    # Slightly soft votes keep anti-aliased block edges.
    weight = np.clip(votes, 1e-3, 1) ** 8
    return np.tensordot(weight / weight.sum(0), inks, axes=(0, 0)).astype(np.float32)


def _key_block(flat: Array, angle: Array, lines: Array, key: float) -> Array:
    """Ink of the key block: swelling contours, solid darks, and lines that thicken as the tone deepens."""
    outline = 1 - contours(flat, angle, 1.4, 0.62 * key)
    tone = ndimage.gaussian_filter(luminance(flat), 1.5)
    lightness = lab(np.repeat(tone[..., None], 3, -1))[..., 0] / 100
    solid = smoothstep(0.19, 0.14, lightness)
    depth = np.clip((0.43 - lightness) / 0.32, 0, 1)
    carved = smoothstep(-0.08, 0.08, lines - (1.02 - 1.25 * depth)) * (depth > 0)
    return np.clip(np.maximum.reduce([outline, solid * smoothstep(-0.98, -0.86, lines), carved]), 0, 1)


def _wood_grain(colour: Array, seed: int) -> Array:
    """Grain of the block and mottled hand pressure (baren) in the printed areas only."""
    shape = colour.shape[:2]
    rings = plane_fbm(shape, 26, seed + 5, 4, stretch=9)
    grain = np.sin(rings * 22 + 2.0 * plane_fbm(shape, 5, seed + 6, 3, stretch=14))
    mottle = plane_fbm(shape, 3.2, seed + 7, 2)
    inked = smoothstep(0.02, 0.30, (WASHI - colour) @ LUMINANCE)
    wear = 0.10 * smoothstep(0.25, 1.0, grain) + 0.07 * np.clip(mottle, 0, 1)
    return mix(colour, WASHI, wear * inked)


def _washi(image: Array, seed: int) -> Array:
    """Long kozo fibres and a warm tone."""
    shape = image.shape[:2]
    fibre = plane_fbm(shape, 1.8, seed + 8, 3, stretch=7) + plane_fbm(shape[::-1], 1.8, seed + 9, 3, stretch=7).T
    return image * (1 + 0.022 * fibre)[..., None] * np.float32([1.0, 0.992, 0.97])
