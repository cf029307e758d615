"""What the walls and ceilings of rooms wear: plaster, paint, stripes, damask, panelling, beams."""

from __future__ import annotations

import numpy as np

from .convex import Frame, Paint
from .points import Points
from .texture import blend, colour, fade, line, noise, shades
from .timber import grain

Array = np.ndarray


def _damask(x: Array, y: Array) -> Array:
    """1 on a leafy ornament that repeats in a half-drop."""
    i = np.floor(x / 0.42)
    u, v = (x / 0.42 - i - 0.5) * 2, ((y / 0.62 + 0.5 * (i % 2)) % 1 - 0.5) * 2
    r, a = np.hypot(u * 1.15, v), np.arctan2(v, u)
    petals = r < 0.42 + 0.2 * np.cos(6 * a)
    ring = np.abs(r - 0.78 - 0.05 * np.cos(12 * a)) < 0.06
    core = r < 0.14
    return ((petals & ~core) | ring).astype(np.float32)


def wall(frame: Frame, style: str, base: Array, high: float, seed: int) -> Paint:
    """A wall's face (z = 0 of its frame) with a skirting board."""

    def paint(points: Points) -> None:
        local = frame.local(points.position)
        x, y = local[:, 0], local[:, 1]
        tone = 0.05 * noise(x, y, 1.2, seed) + 0.02 * noise(x, y, 0.1, seed, 1.0)
        points.albedo = shades(base, tone)
        clear = fade(points.width, 0.08)
        if style == "blue damask":
            points.albedo = blend(points.albedo, np.clip(base * 1.7, 0, 0.85), 0.55 * clear * _damask(x, y))
        elif style == "yellow stripes":
            points.albedo = blend(points.albedo, colour("#f2ead4"), 0.75 * (x / 0.22 % 1 < 0.5))
        elif style == "pink":
            dots = np.hypot(x / 0.2 % 1 - 0.5, (y / 0.2 + 0.5 * (np.floor(x / 0.2) % 2)) % 1 - 0.5) < 0.13
            points.albedo = blend(points.albedo, colour("#f6e6e0"), 0.6 * clear * dots)
        elif style in ("panelling", "teal"):
            _panels(points, frame, x, y, base, seed, style == "panelling", high)
        skirt = y < 0.11
        points.albedo[skirt] = np.clip(points.albedo[skirt] * 0.3 + 0.5, 0, 0.8) * (1 - 0.4 * (y[skirt, None] > 0.1))
        points.albedo *= (1 - 0.25 * line(y - high + 0.02, 0.05, points.width))[:, None]

    return paint


def _panels(points: Points, frame: Frame, x: Array, y: Array, base: Array, seed: int, wood: bool, high: float) -> None:
    if wood:
        board = np.floor(x / 0.19)
        points.albedo = shades(grain(y, x, base, seed, points.width), 0.25 * (np.sin(board * 12.9 + seed) * 0.5))
        groove = line((x / 0.19 % 1 - 0.5) * 0.19, 0.006, points.width)
        points.albedo *= (1 - 0.6 * groove)[:, None]
        return
    u, v = np.abs(x / 0.75 % 1 - 0.5) * 0.75, y
    low = (v > 0.2) & (v < 0.95)
    rim = np.minimum(np.abs(u - 0.31), np.where(low, np.minimum(np.abs(v - 0.22), np.abs(v - 0.93)), 9))
    rim = np.where((v > 0.2) & (v < 0.95) & (u < 0.325), rim, 9)
    points.albedo *= (1 - 0.35 * line(rim, 0.012, points.width) - 0.3 * line(v - 1.02, 0.02, points.width))[:, None]


def ceiling(style: str, base: Array, seed: int) -> Paint:
    """A ceiling: plaster, or boards between beams."""

    def paint(points: Points) -> None:
        x, _, z = points.position.T
        points.albedo = shades(base, 0.04 * noise(x, z, 1.5, seed))
        if style == "timber":
            points.albedo = grain(z, x, base, seed, points.width)
            points.albedo *= (1 - 0.5 * line((x / 0.2 % 1 - 0.5) * 0.2, 0.008, points.width))[:, None]

    return paint
