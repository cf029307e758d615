"""Skies as linear radiance: a gradient, a sun or moon with its glow, clouds in perspective, stars."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .colour import light, mix, smoothstep
from .noise import fbm

Array = np.ndarray


@dataclass(frozen=True)
class Sky:
    """What a sky looks like. Directions are (u, v): tangents to the right of and above the view axis."""

    zenith: Array
    horizon: Array
    sun_colour: Array
    cloud_light: Array
    cloud_shadow: Array
    sun: tuple[float, float] = (0.3, 0.25)
    cover: float = 0.5
    glow: float = 1.0
    disc: float = 0.03
    disc_strength: float = 12.0
    stars: float = 0.0


NOON = Sky(
    light("#2b6cc4"),
    light("#b4d6ea"),
    light("#fff6df", 1.2),
    light("#fffdf6", 1.1),
    light("#8fa3bf"),
    sun=(-0.9, 0.9),
    cover=0.5,
    disc=0.0,
)
MORNING = Sky(
    light("#2f78c4"),
    light("#f8cfa0", 0.95),
    light("#ffd890", 0.9),
    light("#fff0dc", 1.05),
    light("#9a94bf"),
    sun=(0.42, 0.2),
    cover=0.42,
    glow=0.5,
    disc=0.035,
)
ALPINE = Sky(
    light("#1f62b8"),
    light("#bcd8ea", 0.9),
    light("#fff0d4", 1.1),
    light("#fffaf0", 1.05),
    light("#8a9cc0"),
    sun=(-0.9, 0.9),
    cover=0.45,
    disc=0.0,
)
SUNSET = Sky(
    light("#35518f"),
    light("#ff9a4d", 1.2),
    light("#ffb050", 2.2),
    light("#ffb27a", 1.5),
    light("#6b4a76"),
    sun=(0.2, 0.09),
    cover=0.6,
    glow=1.5,
    disc=0.04,
    disc_strength=20,
)
DAWN = Sky(
    light("#1a5494"),
    light("#d5e2d2", 0.8),
    light("#ff6a3c", 1.5),
    light("#fff8e8"),
    light("#8fb0c8"),
    sun=(-0.9, 0.5),
    cover=0.5,
    glow=0.0,
    disc=0.0,
)
DUSK = Sky(
    light("#1f2f6b"),
    light("#e88a86", 0.9),
    light("#ffc38a", 1.0),
    light("#d98aa0"),
    light("#3c3a72"),
    sun=(-0.3, 0.05),
    cover=0.5,
    disc=0.0,
)
NIGHT = Sky(
    light("#0e1d55", 0.8),
    light("#3a5f9c", 0.7),
    light("#ffe9a0", 0.9),
    light("#7da0cf", 0.7),
    light("#1a2c66", 0.8),
    sun=(0.38, 0.42),
    cover=0.48,
    glow=0.8,
    disc=0.05,
    disc_strength=3,
    stars=1.0,
)
STORM = Sky(
    light("#38465a"),
    light("#c9cdbf", 0.8),
    light("#fff0c8"),
    light("#d5d6d0"),
    light("#3a4556"),
    sun=(0.1, 0.3),
    cover=0.75,
    disc=0.0,
)


def _clouds(u: Array, v: Array, sky: Sky, seed: int) -> tuple[Array, Array]:
    """Cover and sunlit fraction of a cloud layer seen in perspective."""
    depth = 1 / (np.maximum(v, 0) + 0.14)
    x, z = u * depth, depth * 1.6
    warp = 0.35 * fbm(x * 0.7, z * 0.7, seed + 5, 3)
    density = fbm(x * 0.9 + warp, z * 0.9 - warp, seed, 6, gain=0.52)
    threshold = 0.45 - 0.9 * sky.cover
    cover = smoothstep(threshold, threshold + 0.42, density)
    # A cloud is bright where it thins towards the sun: a one-step shadow ray through the layer.
    towards = np.array(sky.sun) * 0.22
    shifted = fbm((x + towards[0]) * 0.9 + warp, (z - 0.22) * 0.9 - warp, seed, 4, gain=0.52)
    return cover, np.clip(0.55 + 1.3 * (density - shifted) - 0.35 * (density - threshold), 0, 1)


def _stars(u: Array, v: Array, seed: int) -> Array:
    """Sparse stars of a few sizes, at random places in a grid of cells."""
    cells = 8.0
    i, j = np.floor(u * cells), np.floor(v * cells)
    index = (i.astype(int) % 64, j.astype(int) % 64)
    table = np.random.default_rng(seed).random((4, 64, 64))
    dx = u * cells - i - 0.15 - 0.7 * table[0][index]
    dy = v * cells - j - 0.15 - 0.7 * table[1][index]
    size = 0.03 + 0.08 * table[2][index] ** 3
    bright = smoothstep(0.35, 0.6, table[3][index])
    radius = np.hypot(dx, dy)
    # The halo fades out inside the cell, so that no cell shows its border.
    inside = np.minimum(np.minimum(u * cells - i, i + 1 - u * cells), np.minimum(v * cells - j, j + 1 - v * cells))
    halo = 0.3 * np.exp(-radius / (1.2 * size)) * smoothstep(0, 0.3, inside)
    return bright * (np.exp(-((radius / size) ** 2)) * 3 + halo)


def radiance(u: Array, v: Array, sky: Sky, seed: int) -> Array:
    """Radiance of the sky in directions (u, v)."""
    v = np.maximum(v, 0)
    result = mix(sky.horizon, sky.zenith, 1 - np.exp(-3.2 * v))
    distance = np.hypot(u - sky.sun[0], v - sky.sun[1])
    glow = 0.8 * np.exp(-distance / 0.09) + 0.45 * np.exp(-distance / 0.35)
    result = result + sky.glow * glow[..., None] * sky.sun_colour
    if sky.stars:
        result = result + sky.stars * _stars(u, v, seed + 17)[..., None] * light("#fff2c0")
    if sky.disc:
        disc = smoothstep(sky.disc * 1.15, sky.disc * 0.9, distance)
        result = result + (disc * sky.disc_strength)[..., None] * sky.sun_colour
    cover, lit = _clouds(u, v, sky, seed)
    cloud = mix(sky.cloud_shadow, sky.cloud_light, lit) + 0.6 * sky.glow * glow[..., None] * sky.sun_colour
    haze = smoothstep(0.0, 0.12, v)
    return mix(result, cloud, cover * (0.25 + 0.7 * haze)).astype(np.float32)
