"""Framed pictures: small paintings of land, sea, evening, night, ink and plain shapes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .convex import Frame, Solid, box
from .points import Points
from .texture import blend, colour, noise, shades
from .timber import polished

Array = np.ndarray


def _land(u: Array, v: Array, seed: int, sky: tuple[str, str], hills: tuple[str, ...], sun: str) -> Array:
    picture = blend(colour(sky[1]), colour(sky[0]), np.clip(v, 0, 1))
    picture = blend(picture, colour("#fff6e8"), np.clip(noise(u, v * 3, 0.7, seed) - 0.5, 0, 0.7) * (v > 0.4))
    disc = np.hypot(u - 0.3 - 0.4 * (seed % 7) / 7, v - 0.66) < 0.085
    picture[disc] = colour(sun)
    for k, hill in enumerate(hills):
        height = 0.56 - 0.15 * k + 0.09 * noise(u, u * 0, 0.7, seed + k, 1.8)
        below = v < height
        picture[below] = shades(colour(hill), 0.2 * noise(u, v, 0.12, seed + k, 1.2) + 0.5 * (v - height))[below]
    return picture


def meadow(u: Array, v: Array, seed: int) -> Array:
    """Green hills under a light sky, with flowers."""
    picture = _land(u, v, seed, ("#8fbbe0", "#e6ecdc"), ("#8fa8a0", "#88a85a", "#5f8a3c"), "#fff4d8")
    dots = (noise(u, v, 0.06, seed + 5, 1.0) > 1.5) & (v < 0.3)
    picture[dots] = colour("#d8503c")
    return picture


def sea(u: Array, v: Array, seed: int) -> Array:
    """Waves below clouds, and a sail."""
    picture = _land(u, v, seed, ("#5f9cd0", "#dcecf0"), ("#3f7cae",), "#fff8e0")
    water = v < 0.5
    waves = noise(u * 0.3, v, 0.05, seed + 1, 1.2)
    picture[water] = shades(blend(colour("#1f5a90"), colour("#58a4c4"), np.clip(v * 2, 0, 1)), 0.35 * waves)[water]
    sail = (v > 0.44) & (v < 0.7) & (np.abs(u - 0.6) < (0.7 - v) * 0.3)
    picture[sail] = colour("#f4efe2")
    return picture


def sunset(u: Array, v: Array, seed: int) -> Array:
    """A red evening over dark hills."""
    return _land(u, v, seed, ("#d86a4c", "#f8c878"), ("#b0583c", "#7a3a34", "#4a2a30"), "#fff0b0")


def night(u: Array, v: Array, seed: int) -> Array:
    """A moon, stars and blue hills."""
    picture = _land(u, v, seed, ("#18224e", "#47609c"), ("#2c3f72", "#20305a", "#141f40"), "#f6ecc0")
    stars = (noise(u, v, 0.035, seed + 4, 0.8) > 2.3) & (v > 0.55)
    picture[stars] = 0.9
    return picture


def abstract(u: Array, v: Array, seed: int) -> Array:
    """Overlapping discs and bars on red."""
    rng = np.random.default_rng(seed)
    picture = shades(colour("#b4352e"), 0.15 * noise(u, v, 0.3, seed))
    inks = [colour(code) for code in ("#f0e2c8", "#1f2a48", "#e0a030", "#d8603c", "#2c2424")]
    for k in range(7):
        x, y, r = rng.random(), rng.random(), rng.uniform(0.08, 0.28)
        shape = np.hypot(u - x, v - y) < r if k % 2 else (np.abs(u - x) < r * 0.35) & (np.abs(v - y) < r * 1.6)
        picture[shape] = shades(inks[k % 5], 0.12 * noise(u, v, 0.1, seed + k, 1.2))[shape]
    return picture


def ink(u: Array, v: Array, seed: int) -> Array:
    """Bamboo in black ink on paper, with a red seal."""
    picture = shades(colour("#e2d8c2"), 0.06 * noise(u, v, 0.2, seed, 1.2))
    rng = np.random.default_rng(seed)
    for x in rng.uniform(0.2, 0.8, 3):
        stem = (np.abs(u - x - 0.06 * v) < 0.014) & ((v * 5 + x) % 1 > 0.06)
        picture[stem] = colour("#3a3a38")
    for _ in range(16):
        x, y, angle = rng.uniform(0.15, 0.85), rng.uniform(0.3, 0.95), rng.uniform(-2.4, -0.6)
        along, across = (
            (u - x) * np.cos(angle) + (v - y) * np.sin(angle),
            (v - y) * np.cos(angle) - (u - x) * np.sin(angle),
        )
        picture[(np.abs(across) < 0.022 * (1 - np.abs(along) / 0.1))] = colour("#23231f")
    picture[(np.abs(u - 0.84) < 0.035) & (np.abs(v - 0.13) < 0.045)] = colour("#b02a24")
    return picture


PAINTINGS: dict[str, Callable[[Array, Array, int], Array]] = {
    "meadow": meadow, "sea": sea, "sunset": sunset, "night": night, "red abstract": abstract, "ink": ink,
}  # fmt: skip


def picture(
    wall: Frame, left: float, bottom: float, wide: float, high: float, style: str, seed: int, instance: int, gold: bool
) -> list[Solid]:
    """A framed painting that hangs on a wall's face (z = 0, the room at z < 0)."""
    frame = wall.place((left, bottom, 0))
    mount, border = 0.035, 0.04 if gold else 0.018
    wood = colour("#a8803c") if gold else colour("#2a2422")

    def paint(points: Points) -> None:
        local = frame.local(points.position)
        x, y = local[:, 0], local[:, 1]
        inner = min(wide, high) * (0.0 if gold else 0.13)
        u, v = (
            (x - border - inner) / (wide - 2 * border - 2 * inner),
            (y - border - inner) / (high - 2 * border - 2 * inner),
        )
        points.albedo[:] = colour("#ece6da")
        inside = (u > 0) & (u < 1) & (v > 0) & (v < 1)
        if inside.any():
            points.albedo[inside] = PAINTINGS[style](u[inside], v[inside], seed)
        points.gloss[:] = 0.015

    rail = polished(frame, wood, seed)
    canvas = box(
        frame,
        (border / 2, border / 2, -mount * 0.5),
        (wide - border / 2, high - border / 2, 0),
        paint,
        instance,
        0,
        False,
    )
    rails = [
        ((0, 0), (wide, border)), ((0, high - border), (wide, high)), ((0, border), (border, high - border)),
        ((wide - border, border), (wide, high - border)),
    ]  # fmt: skip
    return [
        canvas,
        *(box(frame, (*a, -mount), (*b, 0), rail, instance, 0.008, False) for a, b in rails),
    ]
