"""Impasto: thick oriented strokes, coarse to fine, lit from the upper left to show the bristle relief."""

from __future__ import annotations

import numpy as np

from .colour import hex_palette, mix, palette_transfer, pull_to_palette, saturate
from .flow import relief, tangent_angle
from .noise import plane_fbm
from .strokes import Canvas, Layer, paint_layer

Array = np.ndarray

# Pigments of the Arles palette (chrome yellows, cobalt, viridian, vermilion, lead white), mixed by eye.
ARLES = hex_palette(
    "#10204f #1f4a9c #4f8fc8 #9fd0d8 #eef0d8 #f7d84a #eaa01f #c8641f #8a2f1f #1f4f3a #4f8a4a "
    "#a9bf4f #e8cfa0 #d89a7a #5a4a6a #201f2a #cfe0e8 #dfae6a"
)

LAYERS = (
    Layer(half_width=11.0, length=70, spacing=17, jitter=0.05, broken=0.5),
    Layer(half_width=7.0, length=52, spacing=12, jitter=0.08, broken=0.5),
    Layer(half_width=5.0, length=38, spacing=8, jitter=0.07, broken=0.4, tolerance=0.13),
    Layer(half_width=3.4, length=24, spacing=5.5, jitter=0.05, broken=0.3, tolerance=0.24),
    Layer(half_width=2.4, length=14, spacing=4.0, jitter=0.04, broken=0.2, tolerance=0.34),
)


def impasto(rgb: Array, rng: np.random.Generator, swirl: float = 0.6, palette: Array = ARLES) -> Array:
    """Paint a picture with loaded strokes that run along its forms and swirl where it is flat."""
    seed = int(rng.integers(1000))
    target = palette_transfer(rgb, palette, 0.25)
    target = saturate(pull_to_palette(target, palette, 0.5, 14), 1.25)
    angle = tangent_angle(rgb, sigma=3.0, spread=14.0, wander=swirl, seed=seed)
    ground = np.broadcast_to(np.float32([0.62, 0.52, 0.36]), rgb.shape).copy()
    canvas = Canvas(ground, np.zeros(rgb.shape[:2], np.float32))
    for layer in LAYERS:
        paint_layer(canvas, target, angle, layer, palette, rng)
    weave = 0.05 * plane_fbm(rgb.shape[:2], 2.5, seed, 2)
    shade = relief(canvas.height + weave, depth=1.05, gloss=0.16)[..., None]
    lit = np.where(
        shade < 1,
        canvas.colour * (0.3 + 0.7 * shade),
        mix(canvas.colour, np.float32([1, 0.99, 0.95]), (shade - 1) * 0.62),
    )
    return np.clip(lit, 0, 1)
