"""What houses are built of: brick, stone, plaster, boards, tiles, thatch. Patterns in metres along and up a face."""

from __future__ import annotations

import numpy as np

from .convex import Frame
from .points import Points
from .texture import blend, chance, colour, courses, fade, line, noise, shades

Array = np.ndarray

MORTAR = colour("#b9b0a2")


def brick(points: Points, frame: Frame, base: Array, seed: int, size: tuple[float, float] = (0.26, 0.088)) -> None:
    """Bricks that each have their own tone, between sunk joints."""
    x, y = points.on_box(frame)
    i, j, across, up = courses(x, y, *size)
    clear = fade(points.width, 0.05)
    tone = 0.55 * (chance(i, j, seed) - 0.5) + 0.5 * (chance(i, j, seed + 1) > 0.9) - 0.35 * (chance(i, j, seed) < 0.1)
    joint = line(np.minimum(across, up), 0.009, points.width)
    weather = 0.16 * noise(x, y, 2.2, seed) + 0.05 * noise(x, y, 0.2, seed)
    stone = shades(base, clear * tone + weather)
    points.albedo = blend(stone, shades(MORTAR, weather), joint * 0.85)
    grain = clear * 0.1 * (chance(i, j, seed + 2) - 0.5)
    points.tilt(frame, grain, -0.35 * clear * joint * np.sign(0.5 - (y / size[1] % 1)))


def plaster(points: Points, frame: Frame, base: Array, seed: int) -> None:
    """Trowelled plaster with faint clouds, streaks of rain below, and damp at the foot."""
    x, y = points.on_box(frame)
    clouds = noise(x, y, 1.6, seed, 1.5)
    streaks = noise(x, y * 0.12, 0.35, seed + 3, 1.5)
    damp = np.exp(-np.clip(y, 0, None) / 0.35) * (0.5 + 0.3 * clouds)
    points.albedo = shades(base, 0.06 * clouds + 0.03 * streaks - 0.45 * damp)
    fine = fade(points.width, 0.03) * 0.06
    points.tilt(frame, fine * noise(x, y, 0.12, seed + 1, 1.0), fine * noise(x, y, 0.12, seed + 2, 1.0))


def ashlar(points: Points, frame: Frame, base: Array, seed: int) -> None:
    """Blocks of stone in courses, roughly dressed."""
    x, y = points.on_box(frame)
    x, y = x + 0.02 * noise(x, y, 0.6, seed), y + 0.012 * noise(x, y, 0.5, seed + 1)
    i, j, across, up = courses(x, y, 0.62, 0.29)
    clear = fade(points.width, 0.12)
    joint = line(np.minimum(across, up), 0.014, points.width)
    rough = noise(x, y, 0.3, seed + 2, 1.0)
    tone = 0.7 * (chance(i, j, seed) - 0.5) * clear + 0.12 * rough + 0.12 * noise(x, y, 2.5, seed)
    tint = blend(base, base * np.float32([1.16, 1.02, 0.82]), chance(i, j, seed + 5) * clear)
    points.albedo = blend(tint * np.exp2(tone)[:, None], base * 0.5, joint * 0.8)
    edge = 0.3 * clear * np.exp(-np.minimum(across, up) / 0.03)
    points.tilt(frame, 0.1 * clear * rough, edge * np.sign(0.5 - (y / 0.29 % 1)) + 0.1 * clear * rough)


def clapboard(points: Points, frame: Frame, base: Array, seed: int, height: float = 0.17) -> None:
    """Overlapping boards, each with a dark shadow below its edge."""
    x, y = points.on_box(frame)
    board = np.floor(y / height)
    up = y / height - board
    clear = fade(points.width, 0.09)
    edge = line(up * height, 0.016, points.width)
    grain = noise(x * 0.1, y, 0.05, seed, 1.2) * fade(points.width, 0.03)
    points.albedo = shades(base, 0.12 * (chance(board, board * 0, seed) - 0.5) + 0.05 * grain - 1.2 * edge)
    points.tilt(frame, np.zeros_like(x), 0.16 * clear * (up - 0.2))


def roof_tiles(points: Points, slope: tuple[Array, Array], base: Array, seed: int, size: float, round_: float) -> None:
    """Tiles in rows by metres along and up the slope; `round_` from flat slates to round pantiles."""
    x, y = slope
    i, j, _, _ = courses(x, y, size, size * 1.15)
    clear = fade(points.width, size * 0.5)
    up, across = y / (size * 1.15) % 1, (x / size + 0.5 * (j % 2)) % 1
    edge = line(up * size, 0.02, points.width)
    gap = line(np.minimum(across, 1 - across) * size, 0.008, points.width)
    moss = np.clip(noise(x, y, 1.4, seed + 3) - 0.9, 0, 1)
    tone = 0.5 * clear * (chance(i, j, seed) - 0.5) + 0.14 * noise(x, y, 2.0, seed) - 1.1 * edge - 0.7 * gap
    tone += clear * round_ * 0.45 * (np.sin(2 * np.pi * across) - 0.3) - 0.3 * clear * (1 - up)
    points.albedo = blend(shades(base, tone), colour("#5f6b3c"), 0.5 * moss)


def thatch(points: Points, slope: tuple[Array, Array], base: Array, seed: int) -> None:
    """Straw laid down the slope."""
    x, y = slope
    straw = noise(x * 5, y * 0.6, 0.3, seed, 1.0) * fade(points.width, 0.04)
    layer = line((y / 0.9 % 1) * 0.9 + 0.04 * noise(x, y, 0.3, seed), 0.05, points.width)
    points.albedo = shades(base, 0.3 * straw + 0.2 * noise(x, y, 1.2, seed) - 0.5 * layer)


def copper(points: Points, slope: tuple[Array, Array], base: Array, seed: int) -> None:
    """Sheets with standing seams, streaked by rain."""
    x, y = slope
    seam = line((x / 0.55 % 1 - 0.5) * 0.55, 0.022, points.width)
    streaks = noise(x, y * 0.1, 0.3, seed, 1.5)
    points.albedo = shades(base, 0.2 * streaks + 0.1 * noise(x, y, 1.0, seed) - 0.7 * seam)
    points.gloss[:] = 0.03


def wall(points: Points, frame: Frame, style: str, base: Array, seed: int) -> None:
    """The wall of a building's style."""
    if style.endswith("brick"):
        brick(points, frame, base, seed)
    elif style == "grey stone":
        ashlar(points, frame, base, seed)
    elif style.endswith("clapboard"):
        clapboard(points, frame, base, seed)
    else:
        plaster(points, frame, base, seed)


def roof(points: Points, slope: tuple[Array, Array], style: str, base: Array, seed: int) -> None:
    """The roof of a style, by metres along and up its slope."""
    if style == "thatch":
        thatch(points, slope, base, seed)
    elif style == "copper":
        copper(points, slope, base, seed)
    else:
        size, round_ = {"slate": (0.26, 0.0), "orange pantiles": (0.34, 0.9), "red tiles": (0.24, 0.25)}.get(
            style, (0.2, 0.0)
        )
        roof_tiles(points, slope, base, seed, size, round_)
