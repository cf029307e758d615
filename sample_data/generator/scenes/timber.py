"""Wood: grain, planks, herringbone; and tiles, for floors and furniture."""

from __future__ import annotations

import numpy as np

from .convex import Frame, Paint
from .points import Points
from .texture import blend, chance, colour, fade, line, noise, shades

Array = np.ndarray


def grain(x: Array, y: Array, base: Array, seed: int, width: Array) -> Array:
    """Wood whose grain runs along x: years as wavy lines, pores as fine dashes."""
    warp = y + 0.02 * noise(x * 0.25, y, 0.5, seed, 1.8)
    years = np.sin(warp * 190 + 3 * noise(x * 0.2, y, 0.3, seed + 1)) * fade(width, 0.012)
    pores = noise(x * 0.08, y, 0.02, seed + 2, 0.9) * fade(width, 0.006)
    return shades(base, 0.1 * years + 0.1 * pores + 0.14 * noise(x * 0.15, y, 0.2, seed + 3))


def polished(frame: Frame, base: Array, seed: int, gloss: float = 0.035) -> Paint:
    """Furniture of wood, with its grain along the longer side of the frame."""

    def paint(points: Points) -> None:
        x, y = points.on_box(frame)
        points.albedo = grain(x, y, base, seed, points.width)
        points.gloss[:] = gloss

    return paint


def lacquered(base: Array, gloss: float = 0.04) -> Paint:
    """Smooth paint."""

    def paint(points: Points) -> None:
        points.albedo[:], points.gloss[:] = base, gloss

    return paint


def furniture(frame: Frame, style: str, base: Array, seed: int) -> Paint:
    """Wood where the style is a wood, paint elsewhere."""
    return polished(frame, base, seed) if style in ("oak", "walnut") else lacquered(base)


def planks(x: Array, z: Array, width: Array, base: Array, seed: int, gloss: Array) -> Array:
    """Boards of random lengths along z."""
    i = np.floor(x / 0.16)
    shifted = z / 1.7 + chance(i, i * 0, seed)
    j = np.floor(shifted)
    own = chance(i, j, seed + 1)
    wood = grain(z + own * 9, x + own * 5, base, seed, width)
    edge = np.minimum(np.abs(x / 0.16 % 1), 1 - x / 0.16 % 1) * 0.16
    end = np.minimum(shifted % 1, 1 - shifted % 1) * 1.7
    joint = line(np.minimum(edge, end), 0.0025, width)
    gloss[:] = 0.05
    return shades(wood, 0.55 * (own - 0.5) - 1.2 * joint)


def herringbone(x: Array, z: Array, width: Array, base: Array, seed: int, gloss: Array) -> Array:
    """Short boards at right angles to each other."""
    short, ratio = 0.11, 5
    u, v = (x + z) * 0.70711 / short, (x - z) * 0.70711 / short
    i, j = np.floor(u), np.floor(v)
    place = (i - j) % (2 * ratio)
    lying = place < ratio
    along = np.where(lying, u, v)
    start = np.where(lying, i - place, j - (2 * ratio - 1 - place))
    own = chance(start, np.where(lying, j, i) + 777 * lying, seed)
    across = np.where(lying, v % 1, u % 1)
    span = along - start
    edge = np.minimum(np.minimum(across, 1 - across), np.minimum(span, ratio - span)) * short
    wood = grain(along * short + own * 7, across * short + own * 3, base, seed, width)
    gloss[:] = 0.06
    return shades(wood, 0.6 * (own - 0.5) - 1.1 * line(edge, 0.002, width))


def tiles(x: Array, z: Array, width: Array, base: Array, seed: int, gloss: Array, size: float) -> Array:
    """Glazed square tiles, each a little different."""
    i, j = np.floor(x / size), np.floor(z / size)
    a, b = x / size - i, z / size - j
    joint = line(np.minimum(np.minimum(a, 1 - a), np.minimum(b, 1 - b)) * size, 0.004, width)
    gloss[:] = 0.06
    tone = 0.25 * (chance(i, j, seed) - 0.5) + 0.1 * noise(x, z, 0.4, seed)
    return blend(shades(base, tone), base * 0.45, joint)


def checkers(x: Array, z: Array, width: Array, base: Array, seed: int, gloss: Array) -> Array:
    """Dark and light stone tiles."""
    size = 0.4
    dark = (np.floor(x / size) + np.floor(z / size)) % 2 > 0
    veins = line(noise(x, z, 0.9, seed, 1.7) * 0.3, 0.01, width)
    stone = np.where(dark[:, None], colour("#2c2e32"), np.clip(base * 2.3, 0, 0.8))
    return tiles(x, z, width, np.float32([1, 1, 1]), seed, gloss, size) * stone * (1 - 0.15 * veins[:, None])


def floor(style: str, base: Array, seed: int) -> Paint:
    """The floor of a style."""

    def paint(points: Points) -> None:
        x, _, z = points.position.T
        width, gloss = points.width, points.gloss
        if style in ("oak planks", "white boards"):
            points.albedo = planks(x, z, width, base, seed, gloss)
        elif style == "walnut herringbone":
            points.albedo = herringbone(x, z, width, base, seed, gloss)
        elif style == "checkers":
            points.albedo = checkers(x, z, width, base, seed, gloss)
        else:
            points.albedo = tiles(x, z, width, base, seed, gloss, 0.45 if style == "grey tiles" else 0.28)

    return paint
