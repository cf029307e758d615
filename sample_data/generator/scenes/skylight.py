"""Light from everywhere: a few rays over the hemisphere of a quarter of the samples, then an edge-aware blur."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from .camera import unit
from .convex import Solid
from .surfaces import Surfaces

Array = np.ndarray
Boxes = tuple[Array, Array, Array]
Incoming = Callable[[Array, Array], Array]

STEP = 4


def boxes_of(things: Sequence[tuple[Array, Array, Array]]) -> Boxes:
    """Centres (s, 3), axes (s, 3, 3) and half sides (s, 3) of boxes."""
    if not things:
        return np.zeros((1, 3), np.float32), np.eye(3, dtype=np.float32)[None], np.full((1, 3), -1, np.float32)
    centre, axes, half = (np.stack(column).astype(np.float32) for column in zip(*things, strict=True))
    return centre, axes, half


def nearest_boxes(solids: Sequence[Solid], eye: Array, most: int) -> list[int]:
    """Numbers of the solids that block light, the largest and nearest ones."""
    sight = [
        (float(np.linalg.norm(solid.box[2]) / (2 + np.linalg.norm(solid.box[0] - eye))), number)
        for number, solid in enumerate(solids)
        if solid.blocks
    ]
    return sorted(number for _, number in sorted(sight, reverse=True)[:most])


def first_hit(origin: Array, direction: Array, boxes: Boxes) -> tuple[Array, Array]:
    """Distance (r,) along rays to the first box, and its number; infinity and 0 where none is met."""
    centre, axes, half = boxes
    distance, number = np.empty(len(origin), np.float32), np.empty(len(origin), np.int32)
    chunk = max(256, 120_000 // len(half))
    for start in range(0, len(origin), chunk):
        rows = slice(start, start + chunk)
        enter: Array | float = -np.inf
        leave: Array | float = np.inf
        for k in range(3):
            along = direction[rows] @ axes[:, k].T
            inverse = 1 / np.where(np.abs(along) < 1e-6, 1e-6, along)
            middle = ((axes[:, k] * centre).sum(1) - origin[rows] @ axes[:, k].T) * inverse
            reach = half[:, k] * np.abs(inverse)
            enter, leave = np.maximum(enter, middle - reach), np.minimum(leave, middle + reach)
        enter = np.where((enter < leave) & (enter > 1e-3), enter, np.inf)
        number[rows] = enter.argmin(1)
        distance[rows] = enter[np.arange(len(enter)), number[rows]]
    return distance, number


def hemisphere(normal: Array, count: int, turn: Array) -> Array:
    """Directions (n, count, 3) about normals (n, 3), denser towards them by the cosine; `turn` (n,) in 0..1 varies."""
    k = np.arange(count, dtype=np.float32)
    r2 = (k + 0.5) / count
    r2 = np.clip(r2 + (np.modf(turn * 7.31)[0][:, None] - 0.5) / count, 0.01, 0.985)
    angle = 2.39996 * k + 2 * np.pi * turn[:, None]
    x, y, z = np.sqrt(r2) * np.cos(angle), np.sqrt(r2) * np.sin(angle), np.sqrt(1 - r2)
    helper = np.where(np.abs(normal[:, :1]) > 0.7, np.float32([[0, 1, 0]]), np.float32([[1, 0, 0]]))
    right = unit(np.cross(helper, normal))
    up = np.cross(normal, right)
    return (x[..., None] * right[:, None] + y[..., None] * up[:, None] + z[..., None] * normal[:, None]).astype(
        np.float32
    )


def pattern(rows: Array, columns: Array) -> Array:
    """Numbers in 0..1 that differ within every 4 × 4 samples, so that a blur over these sees 16 different ones."""
    bayer = np.float32([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]]) / 16
    return bayer[rows % 4, columns % 4]


def blurred(light: Array, normal: Array, position: Array, depth: Array, rounds: int = 3) -> Array:
    """Edge-aware à-trous blur (Dammertz 2010) of light (h, w, 3) on surfaces; depth 0 marks what has none."""
    kernel = np.float32([0.25, 0.5, 0.25])
    for step in (1, 2, 3)[:rounds]:
        total, weight = np.zeros_like(light), np.zeros(depth.shape, np.float32)
        for i in (-1, 0, 1):
            for j in (-1, 0, 1):
                move = (i * step, j * step)
                other, facing, place, deep = (_moved(a, move) for a in (light, normal, position, depth))
                off = np.abs(((place - position) * normal).sum(-1))
                near = np.exp(-off / (0.012 * depth + 0.01)) * (deep > 0)
                w = kernel[i + 1] * kernel[j + 1] * near * np.clip((facing * normal).sum(-1), 0, 1) ** 8
                total += other * w[..., None]
                weight += w
        light = total / np.maximum(weight, 1e-6)[..., None]
    return light


def _moved(image: Array, by: tuple[int, int]) -> Array:
    """An image moved by whole pixels, its border repeated."""
    rows = np.clip(np.arange(image.shape[0]) + by[0], 0, image.shape[0] - 1)
    columns = np.clip(np.arange(image.shape[1]) + by[1], 0, image.shape[1] - 1)
    return image[rows][:, columns]


def spread(surface: Surfaces, size: tuple[int, int], which: Array, incoming: Incoming) -> Array:
    """Light (k, 3) on the k samples marked in `which` (n,), asked for at a quarter of them in each direction.

    `incoming` is given the numbers of those samples, and turns in 0..1 for their rays.
    """
    rows, columns = np.divmod(surface.index, size[1])
    chosen = np.flatnonzero((rows % STEP == STEP // 2) & (columns % STEP == STEP // 2) & which)
    grid = (size[0] // STEP, size[1] // STEP)
    i, j = rows[chosen] // STEP, columns[chosen] // STEP
    light, normal, position = (np.zeros((*grid, 3), np.float32) for _ in range(3))
    depth = np.zeros(grid, np.float32)
    normal[i, j], position[i, j], depth[i, j] = surface.normal[chosen], surface.anchor[chosen], surface.depth[chosen]
    light[i, j] = incoming(chosen, pattern(i, j))
    fine = rows[which], columns[which], surface.normal[which], surface.anchor[which], surface.depth[which]
    return upsampled(blurred(light, normal, position, depth), (normal, position, depth), fine)


def tones_of(surface: Surfaces, things: Sequence[int], crowns: int, leaf: Sequence[float], rest: float) -> Array:
    """Mean colours (s + crowns + 1, 3) of s things, of trees' crowns, and of what is not known."""
    tones = np.full((len(things) + crowns + 1, 3), rest, np.float32)
    for place, thing in enumerate(things):
        rows = slice(*np.searchsorted(surface.thing, [thing, thing + 1]))
        if rows.stop - rows.start > 20:
            tones[place] = surface.albedo[rows].mean(0)
    tones[len(things) : -1] = np.float32(leaf)
    return tones


def upsampled(
    coarse: Array, marks: tuple[Array, Array, Array], fine: tuple[Array, Array, Array, Array, Array]
) -> Array:
    """Light (n, 3) at fine samples (row, column, normal, position, depth) from a coarse grid (h, w, 3) with its
    (normal, position, depth): the four around, each as far as it lies on the same surface."""
    row, column, normal, position, depth = fine
    y, x = (row - (STEP - 1) / 2) / STEP, (column - (STEP - 1) / 2) / STEP
    y0, x0 = np.floor(y).astype(np.int32), np.floor(x).astype(np.int32)
    total, weight = np.zeros((len(row), 3), np.float32), np.full(len(row), 1e-9, np.float32)
    for dy in (0, 1):
        for dx in (0, 1):
            i, j = np.clip(y0 + dy, 0, coarse.shape[0] - 1), np.clip(x0 + dx, 0, coarse.shape[1] - 1)
            share = np.abs(1 - dy - (y - y0)) * np.abs(1 - dx - (x - x0)) + 1e-3
            off = np.abs(((marks[1][i, j] - position) * normal).sum(1))
            w = share * (np.exp(-off / (0.01 * depth + 0.01)) + 1e-6) * (marks[2][i, j] > 0)
            w = w * (np.clip((marks[0][i, j] * normal).sum(1), 0, 1) ** 4 + 1e-4)
            total += coarse[i, j] * w[:, None]
            weight += w
    return total / weight[:, None]
