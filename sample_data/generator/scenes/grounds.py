"""What one walks and drives on: asphalt, concrete, cobbles, slabs, grass. Patterns over world (x, z) in metres."""

from __future__ import annotations

import numpy as np

from .points import Points
from .texture import blend, chance, colour, courses, fade, line, noise, shades

Array = np.ndarray

PAINT = colour("#dcd8cc")


def asphalt(x: Array, z: Array, width: Array, base: Array, seed: int) -> Array:
    """Asphalt with grit, worn wheel tracks, cracks and mended patches."""
    grit = noise(x, z, 0.05, seed, 1.0) * fade(width, 0.02)
    worn = noise(x, z * 0.15, 1.4, seed + 1, 1.5)
    i, j = np.floor(x / 2.3 + 0.3), np.floor(z / 5.0 + 0.37)
    patch = (chance(i, j, seed) > 0.86) * 0.3
    crack = line(noise(x, z, 2.5, seed + 4, 1.6) * 0.3, 0.006, width * 0.5) * 0.5
    return shades(base, 0.16 * grit + 0.12 * worn + 0.08 * noise(x, z, 0.5, seed) - patch - crack)


def concrete(x: Array, z: Array, width: Array, base: Array, seed: int) -> Array:
    """Cast slabs of concrete with joints."""
    joint = line((z / 4 % 1 - 0.5) * 4, 0.02, width)
    return shades(base, 0.1 * noise(x, z, 1.3, seed) + 0.05 * noise(x, z, 0.1, seed, 1.0) - 0.9 * joint)


def setts(x: Array, z: Array, width: Array, base: Array, seed: int, size: tuple[float, float]) -> Array:
    """Small rounded stones with dark joints."""
    x = x + 0.015 * noise(x, z, 0.7, seed)
    i, j, across, up = courses(x, z, *size)
    clear = fade(width, size[1] * 0.6)
    round_ = np.clip(np.minimum(across / size[0], up / size[1]) * 5, 0, 1)
    tone = clear * (0.7 * (chance(i, j, seed) - 0.5) + 0.9 * round_ - 0.75) - 0.15 * (1 - clear)
    return shades(base, tone + 0.13 * noise(x, z, 1.6, seed + 1))


def slabs(x: Array, z: Array, width: Array, base: Array, seed: int, size: tuple[float, float]) -> Array:
    """Paving slabs, of slightly different tones, with thin joints."""
    i, j, across, up = courses(x, z, *size)
    joint = line(np.minimum(across, up), 0.009, width)
    tone = 0.3 * (chance(i, j, seed) - 0.5) * fade(width, size[1] * 0.6)
    return shades(base, tone + 0.1 * noise(x, z, 1.1, seed) + 0.05 * noise(x, z, 0.08, seed, 1.0) - 1.0 * joint)


def turf(x: Array, z: Array, width: Array, base: Array, seed: int) -> Array:
    """Grass seen from above: blades, tufts, and light and dark patches."""
    blades = noise(x, z, 0.06, seed, 0.9) * fade(width, 0.03)
    tufts = noise(x, z, 0.35, seed + 1, 1.2) * fade(width, 0.2)
    patches = noise(x, z, 2.6, seed + 2)
    warm = base * np.float32([1.45, 1.12, 0.8])
    return shades(blend(base, warm, np.clip(0.4 + 0.35 * patches, 0, 1)), 0.3 * blades + 0.22 * tufts - 0.15)


def road(points: Points, style: str, base: Array, seed: int) -> None:
    """The carriageway of a style."""
    x, z, width = points.position[:, 0], points.position[:, 2], points.width
    if style == "asphalt":
        points.albedo = asphalt(x, z, width, base, seed)
    elif style == "concrete":
        points.albedo = concrete(x, z, width, base, seed)
    elif style == "cobbles":
        points.albedo = setts(x, z, width, base, seed, (0.17, 0.14))
    else:
        points.albedo = setts(x, z, width, base, seed, (0.24, 0.1))


def pavement(points: Points, style: str, base: Array, seed: int) -> None:
    """The pavement of a style."""
    x, z, width = points.position[:, 0], points.position[:, 2], points.width
    size = {"grey slabs": (0.5, 0.5), "sandstone": (0.8, 0.55), "red paving": (0.22, 0.11)}.get(style, (0.12, 0.12))
    if style == "dark setts":
        points.albedo = setts(x, z, width, base, seed, size)
    else:
        points.albedo = slabs(x, z, width, base, seed, size)


def grass(points: Points, base: Array, seed: int) -> None:
    """A lawn."""
    x, z = points.position[:, 0], points.position[:, 2]
    points.albedo = turf(x, z, points.width, base, seed)
