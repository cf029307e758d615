"""Clouds of thousands of small leaves and blades, drawn as discs that are tilted in space."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .camera import Camera, unit

Array = np.ndarray

SIZES = (1, 2, 3, 4, 6, 8, 12, 18, 27, 40, 60, 90)


@dataclass
class Leaves:
    """Leaves of one plant.

    Of each its centre, half length `a`, half breadth `b` and normal (n, 3), its `shade` in 0..1 (n,) that tells how
    much of the sky it sees, and a random number in 0..1 (n,) that picks its colour among `colours` (linear RGB).
    """

    centre: Array
    a: Array
    b: Array
    shade: Array
    chance: Array
    normal: Array
    colours: Array
    instance: int
    box: tuple[Array, Array, Array] | None = None

    def colour(self, which: Array) -> Array:
        """Linear RGB of leaves by number."""
        place = self.chance[which] * (len(self.colours) - 1)
        low = np.minimum(place.astype(int), len(self.colours) - 2)
        return self.colours[low] + (place - low)[:, None] * (self.colours[low + 1] - self.colours[low])


def drawn(leaves: Leaves, camera: Camera) -> tuple[Array, Array, Array]:
    """Flat sample indices, nearness and leaf number of what the leaves cover, the farthest first."""
    centre = camera.view(leaves.centre)
    a, b = camera.turn(leaves.a), camera.turn(leaves.b)
    rows, columns = camera.size
    depth = centre[:, 2]
    if camera.perspective:
        seen = depth > 0.3
        z = np.where(seen, depth, 1)
        scale = camera.scale / z
        x, y = centre[:, 0] * scale, centre[:, 1] * scale
        ax, ay = (a[:, :2] - centre[:, :2] / z[:, None] * a[:, 2:]).T * scale
        bx, by = (b[:, :2] - centre[:, :2] / z[:, None] * b[:, 2:]).T * scale
    else:
        seen, z = np.ones(len(depth), bool), depth
        x, y = centre[:, 0] * camera.scale, centre[:, 1] * camera.scale
        ax, ay, bx, by = *(a[:, :2].T * camera.scale), *(b[:, :2].T * camera.scale)
    x, y = x + camera.middle[1] - 0.5, camera.middle[0] - y - 0.5
    reach = np.maximum(np.hypot(ax, bx), np.hypot(ay, by))
    seen &= (x > -reach) & (x < columns + reach) & (y > -reach) & (y < rows + reach) & (reach < SIZES[-1])
    pieces = []
    for smallest, size in zip((0, *SIZES), SIZES, strict=False):
        some = np.flatnonzero(seen & (reach > smallest) & (reach <= size))
        for start in range(0, len(some), max(1, 2_000_000 // (2 * size + 1) ** 2)):
            part = some[start : start + max(1, 2_000_000 // (2 * size + 1) ** 2)]
            pieces.append(_splat(part, size, (x, y, z, ax, -ay, bx, -by, a[:, 2], b[:, 2]), camera))
    if not pieces:
        return np.zeros(0, np.int64), np.zeros(0, np.float32), np.zeros(0, np.int64)
    index, near, leaf = (np.concatenate(column) for column in zip(*pieces, strict=True))
    order = np.argsort(near, kind="stable")
    return index[order], near[order], leaf[order]


def _splat(part: Array, size: int, shape: tuple[Array, ...], camera: Camera) -> tuple[Array, Array, Array]:
    x, y, z, ax, ay, bx, by, az, bz = (column[part, None].astype(np.float32) for column in shape)
    offset = np.arange(-size, size + 1)
    dy, dx = (grid.reshape(1, -1) for grid in np.meshgrid(offset, offset, indexing="ij"))
    column, row = np.rint(x).astype(np.int64) + dx, np.rint(y).astype(np.int64) + dy
    px, py = column - x, row - y
    det = ax * by - ay * bx
    # A leaf seen edge on still covers half a sample's breadth.
    thin = 0.5 * np.maximum(np.hypot(ax, ay), np.hypot(bx, by))
    det = np.where(np.abs(det) < thin, np.where(det < 0, -thin, thin), det)
    s, t = (px * by - py * bx) / det, (py * ax - px * ay) / det
    rows, columns = camera.size
    inside = (np.abs(s) < 1) & (np.abs(t) < 1 - s * s) & (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
    deep = (z + s * az + t * bz)[inside]
    near = 1 / np.maximum(deep, 0.05) if camera.perspective else -deep
    leaf = np.broadcast_to(part[:, None], inside.shape)[inside]
    return (row * columns + column)[inside], near.astype(np.float32), leaf


def spread(
    rng: np.random.Generator, centre: Array, outward: Array, length: Array, breadth: float, instance: int,
    colours: Array, shade: Array, droop: float = 0.0,
) -> Leaves:  # fmt: skip
    """Leaves at centres (n, 3) that face about `outward` (n, 3), at random angles; `droop` hangs their tips."""
    count = len(centre)
    normal = unit(outward + 0.75 * rng.normal(size=(count, 3)).astype(np.float32))
    along = unit(np.cross(normal, rng.normal(size=(count, 3)).astype(np.float32)) - np.float32([0, droop, 0]))
    across = unit(np.cross(normal, along))
    # Light falls on a crown as on a rounded body: leaves turned at random would make it speckled.
    lit = unit(outward + 0.45 * normal)
    a, b = along * length[:, None], across * (length * breadth)[:, None]
    chance = rng.random(count).astype(np.float32)
    return Leaves(centre, a, b, shade.astype(np.float32), chance, lit, colours, instance)
