"""Cloth: weaves, velvet, leather, stripes, patchwork, and rugs with borders and fields."""

from __future__ import annotations

import numpy as np

from .convex import Frame, Paint
from .points import Points
from .texture import blend, chance, colour, fade, noise, shades

Array = np.ndarray

CREAM = colour("#efe6d2")


def _weave(points: Points, x: Array, y: Array, pitch: float, depth: float) -> Array:
    """Threads over and under each other, where they can be seen."""
    clear = fade(points.width, pitch * 0.7)
    return depth * clear * np.sin(2 * np.pi * x / pitch) * np.sin(2 * np.pi * y / pitch)


def cloth(frame: Frame, style: str, base: Array, seed: int) -> Paint:
    """Upholstery, cushions and blankets of a style, told by its name."""

    def paint(points: Points) -> None:
        x, y = points.on_box(frame)
        tone = 0.12 * noise(x, y, 0.5, seed, 1.8) + _weave(points, x, y, 0.012, 0.16)
        points.albedo = shades(base, tone)
        fine = 0.1 * noise(x, y, 0.35, seed + 1, 2.0)
        points.tilt(frame, fine, 0.1 * noise(x, y, 0.35, seed + 2, 2.0))
        if "leather" in style:
            points.albedo = shades(base, 0.22 * noise(x, y, 0.25, seed, 1.4))
            points.gloss[:] = 0.05
        elif "velvet" in style:
            rim = 1 - np.abs((points.normal * points.ray).sum(1))
            points.albedo = shades(base, 0.9 * rim**2 - 0.25 + 0.2 * noise(x, y, 0.3, seed, 1.8))
        elif "stripes" in style:
            points.albedo = blend(points.albedo, CREAM, (x / 0.07 % 1 < 0.4) * 0.85)
        elif "patchwork" in style:
            i, j = np.floor(x / 0.24), np.floor(y / 0.24)
            own = chance(i, j, seed)
            patch = np.where((own > 0.62)[:, None], CREAM, np.where((own < 0.25)[:, None], colour("#35507e"), base))
            motif = np.hypot(x / 0.24 - i - 0.5, y / 0.24 - j - 0.5) < 0.2
            points.albedo = shades(patch, tone + 0.5 * (motif * (own - 0.5)))

    return paint


def curtain(frame: Frame, style: str, base: Array, seed: int, light: Array) -> Paint:
    """A hanging curtain through which some daylight comes."""

    def paint(points: Points) -> None:
        local = frame.local(points.position)
        x, y = local[:, 0], local[:, 1]
        points.albedo = shades(base, 0.08 * noise(x, y * 0.3, 0.2, seed) + _weave(points, x, y, 0.012, 0.1))
        if "stripes" in style:
            around = np.arctan2(points.normal[:, 2], points.normal[:, 0])
            points.albedo = blend(points.albedo, CREAM, (np.sin(around * 4 + x * 40) > 0.35) * 0.8)
        if "velvet" in style:
            rim = 1 - np.abs((points.normal * points.ray).sum(1))
            points.albedo = shades(points.albedo, 0.8 * rim**2 - 0.2)
        hem = (y < 0.09) & (y > 0.075)
        points.albedo[hem] *= 0.8
        thin = {"white linen": 0.14, "red velvet": 0.02}.get(style, 0.06)
        points.glow[:] = points.albedo * light * thin

    return paint


def _persian(u: Array, v: Array, edge: Array, base: Array, dark: Array) -> Array:
    medallion = np.hypot(u * 1.2, v * 0.8)
    wave = medallion + 0.06 * np.cos(8 * np.arctan2(v, u))
    field = np.where((np.sin(u * 38) * np.sin(v * 38) > 0.55)[:, None], CREAM * 0.85, base)
    field = np.where((wave < 0.42)[:, None], dark, field)
    field = np.where((np.abs(wave - 0.42) < 0.025)[:, None], CREAM, field)
    field = np.where((wave < 0.22)[:, None], base * 1.2, field)
    flower = np.cos(8 * np.arctan2(v, u)) * 0.08 + 0.13 > medallion
    field = np.where(flower[:, None], CREAM * 0.9, field)
    border = np.where((np.sin((u + v) * 30) * np.sin((u - v) * 30) > 0.2)[:, None], CREAM * 0.8, dark)
    field = np.where((edge < 0.2)[:, None], border, field)
    return np.where(((np.abs(edge - 0.2) < 0.018) | (np.abs(edge - 0.05) < 0.012))[:, None], CREAM, field)


def _kilim(u: Array, v: Array, edge: Array, base: Array, dark: Array) -> Array:
    stepped = np.abs((u * 3) % 1 - 0.5) + np.abs((v * 3) % 1 - 0.5)
    band = (np.floor(stepped * 8) % 3).astype(int)
    field = np.stack([base, CREAM * 0.9, dark])[band]
    field = np.where(((stepped < 0.16) & (edge > 0.2))[:, None], colour("#c8643a"), field)
    zigzag = (np.abs((u + v) * 6 % 1 - 0.5) + edge * 2) % 0.4 < 0.2
    return np.where((edge < 0.18)[:, None], np.where(zigzag[:, None], dark, CREAM * 0.85), field)


def _berber(u: Array, v: Array, edge: Array, base: Array, dark: Array) -> Array:
    lines = np.minimum(np.abs((u * 2 + v * 2) % 1 - 0.5), np.abs((u * 2 - v * 2) % 1 - 0.5))
    return np.where(((lines < 0.045) | (np.abs(edge - 0.08) < 0.015))[:, None], dark, base)


def _stripes(u: Array, v: Array, edge: Array, base: Array, dark: Array) -> Array:
    row = ((v + 1) * 9).astype(int)
    palette = np.stack([base, colour("#b8402f"), CREAM * 0.9, colour("#e0ac48"), dark])
    return palette[(row * 7 + row // 3) % 5]


def rug(frame: Frame, half: tuple[float, float], style: str, base: Array, seed: int) -> Paint:
    """A rug about the middle of a frame, of half sides in metres."""
    draw = {
        "persian red": _persian, "blue kilim": _kilim, "cream": _berber, "green": _persian, "sunset stripes": _stripes,
    }.get(style, _berber)  # fmt: skip
    dark = CREAM if style == "charcoal" else colour("#4a4440") if style == "cream" else colour("#28304a")

    def paint(points: Points) -> None:
        local = frame.local(points.position)
        x, z = local[:, 0], local[:, 2]
        edge = np.minimum(half[0] - np.abs(x), half[1] - np.abs(z))
        big = max(half)
        wobble = 0.006 * noise(x, z, 0.05, seed, 1.2)
        pattern = draw(x / big + wobble, z / big + wobble, edge / big, base, dark)
        pile = 0.22 * noise(x, z, 0.03, seed, 0.9) * fade(points.width, 0.012) + 0.08 * noise(x, z, 0.4, seed)
        points.albedo = shades(pattern.astype(np.float32), pile)

    return paint
