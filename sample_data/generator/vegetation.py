"""Trees, cypresses and flowers as shaded sprites, painted far to near over a landscape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .colour import light, mix, smoothstep
from .noise import fbm

Array = np.ndarray


@dataclass(frozen=True)
class Tree:
    """A kind of tree: silhouette, and colours from shade to sunlight."""

    shape: str
    shade: Array
    middle: Array
    lit: Array
    trunk: Array


OAK = Tree("round", light("#10291f"), light("#33682b"), light("#a8b84a"), light("#3a2a1f"))
AUTUMN = Tree("round", light("#5a1d12"), light("#c4541c"), light("#f3b63e"), light("#2f211c"))
BLOSSOM = Tree("round", light("#9a5f7c"), light("#e59ab4"), light("#fff0ee"), light("#4a362f"))
CYPRESS = Tree("flame", light("#0b2018"), light("#1d4a35"), light("#6f8a3a"), light("#3a2a1f"))
POPLAR = Tree("flame", light("#1f3f28"), light("#5a8a3a"), light("#c9cf6a"), light("#4a3a2a"))
PINE = Tree("pine", light("#081a1c"), light("#164038"), light("#5f8a5c"), light("#3b281c"))


def _profile(shape: str, height: Array) -> Array:
    """Half-width of a crown at a height in [0, 1], in units of the tree's height."""
    h = np.clip(height, 0, 1)
    if shape == "flame":
        return 0.15 * np.sqrt(np.clip(h * 6, 0, 1)) * (1 - h) ** 0.55 * (1 + 0.25 * np.sin(h * 17))
    if shape == "pine":
        tier = 1 - (h * 6.5) % 1.0
        return np.where(h > 0.1, 0.27 * (1 - h) ** 0.9 * (0.55 + 0.45 * tier), 0.0)
    raise ValueError(shape)


def _clumps(w: Array, h: Array, leaf: Array, seed: int) -> tuple[Array, Array, Array]:
    """A broad crown of overlapping leafy clumps: its cover, and how far each point faces right and up."""
    rng = np.random.default_rng(seed)
    depth, across, upward = np.full(w.shape, -1, np.float32), np.zeros_like(w), np.zeros_like(w)
    for _ in range(11):
        turn, reach = rng.uniform(0, 2 * np.pi), np.sqrt(rng.uniform(0.05, 1))
        centre = (0.27 * reach * np.cos(turn), 0.64 + 0.22 * reach * np.sin(turn))
        radius = rng.uniform(0.12, 0.19)
        dx, dy = (w - centre[0]) / radius, (h - centre[1]) / (0.8 * radius)
        bulge = 1 - np.hypot(dx, dy) + 0.45 * leaf + 0.15 * rng.random()
        front = bulge > depth
        depth = np.where(front, bulge, depth)
        across = np.where(front, 0.7 * np.clip(dx, -1, 1) + w, across)
        upward = np.where(front, 0.45 * np.clip(dy, -1, 1) + (h - 0.6), upward)
    return smoothstep(-0.02, 0.1, depth), across, upward


def draw_tree(
    image: Array,
    column: float,
    base: float,
    height: float,
    kind: Tree,
    seed: int,
    sun_side: float = 1.0,
    veil: Array | None = None,
    haze: float = 0.0,
) -> None:
    """Paint one tree in place; `haze` blends it with the colour `veil`."""
    rows, columns = image.shape[:2]
    top, bottom = int(max(base - 1.1 * height, 0)), int(min(base + 2, rows))
    left, right = int(max(column - 0.6 * height, 0)), int(min(column + 0.6 * height, columns))
    if bottom - top < 2 or right - left < 2:
        return
    y, x = np.mgrid[top:bottom, left:right].astype(np.float32)
    h, w = (base - y) / height, (x - column) / height
    lean = 0.03 * np.sin(seed) * h
    leaf = fbm(w * 9 + seed * 0.37, h * 9, seed % 97, 4, gain=0.7)
    if kind.shape == "round":
        crown, across, upward = _clumps(w - lean, h, leaf, seed)
    else:
        half = _profile(kind.shape, h + 0.05 * leaf)
        edge = half - np.abs(w - lean) + 0.05 * leaf * (half > 0)
        crown = smoothstep(-0.004, 0.012, edge) * (half > 0.004)
        across, upward = np.clip((w - lean) / np.maximum(half, 0.02), -1, 1), 0.5 * (h - 0.55)
    lit = np.clip(0.45 + 0.45 * across * sun_side + 0.7 * upward + 0.7 * leaf, 0, 1)
    colour = np.where(
        (lit < 0.5)[..., None], mix(kind.shade, kind.middle, lit * 2), mix(kind.middle, kind.lit, lit * 2 - 1)
    )
    trunk = smoothstep(0.006, 0.0, np.abs(w - lean) - 0.022 * (1.3 - h)) * ((h > 0) & (h < 0.45))
    bark = kind.trunk * (0.7 + 0.6 * smoothstep(-0.02, 0.02, w * sun_side))[..., None]
    patch = mix(image[top:bottom, left:right], bark if veil is None else mix(bark, veil, haze), trunk)
    image[top:bottom, left:right] = mix(patch, colour if veil is None else mix(colour, veil, haze), crown)


def cast_shadow(image: Array, column: float, base: float, height: float, sun_side: float) -> None:
    """Darken an ellipse of ground at the foot of a tree, away from the sun."""
    rows, columns = image.shape[:2]
    y, x = np.mgrid[:rows, :columns].astype(np.float32)
    dx = (x - column + sun_side * 0.35 * height) / (0.55 * height)
    dy = (y - base) / (0.07 * height)
    image *= (1 - 0.6 * np.exp(-((dx**2 + dy**2) ** 2)))[..., None]


def scatter_flowers(
    image: Array,
    horizon: float,
    near: float,
    colours: Sequence[Array],
    rng: np.random.Generator,
    count: int,
    area: Array | None = None,
) -> None:
    """Flower heads in perspective from row fraction `horizon` down to `near`, larger towards the viewer."""
    rows, columns = image.shape[:2]
    depth = np.sort(rng.uniform(0, 1, count) ** 1.4)
    for t in depth:
        row, column = (horizon + (near - horizon) * t) * rows, rng.uniform(0, columns)
        if area is not None and not area[min(int(row), rows - 1), int(column)]:
            continue
        radius = rows * (0.0025 + 0.017 * t**1.5) * rng.uniform(0.7, 1.3)
        _flower(image, row, column, radius, colours[rng.integers(len(colours))] * rng.uniform(0.7, 1.15), rng)


def _flower(image: Array, row: float, column: float, radius: float, petal: Array, rng: np.random.Generator) -> None:
    """One flower: a lobed, cupped disc with a dark heart and a lit upper rim."""
    reach = int(np.ceil(radius * 1.4)) + 1
    top, left = max(int(row) - reach, 0), max(int(column) - reach, 0)
    patch = image[top : int(row) + reach + 1, left : int(column) + reach + 1]
    if min(patch.shape[:2]) < 2:
        return
    y, x = np.mgrid[top : top + patch.shape[0], left : left + patch.shape[1]].astype(np.float32)
    dy, dx = (y - row) * 1.35, x - column
    r = np.hypot(dx, dy) / radius
    lobes = 1 + 0.18 * np.cos(5 * np.arctan2(dy, dx) + rng.uniform(0, 6.3))
    cover = smoothstep(1.08, 0.85, r / lobes)
    colour = petal * (0.75 - 0.4 * dy / radius * (r < 1.2) + 0.15 * r)[..., None].clip(0.35, 1.4)
    colour = mix(colour, light("#2a1a12"), smoothstep(0.34, 0.2, r) * (radius > 2.5))
    patch[:] = mix(patch, colour, cover)
