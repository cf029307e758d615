"""Cameras: perspective for pictures, parallel for the sun's shadow map. x is right, y up, z ahead; metres."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

Array = np.ndarray


def unit(vector: Array) -> Array:
    """Vectors scaled to length 1."""
    return (vector / (np.linalg.norm(vector, axis=-1, keepdims=True) + 1e-12)).astype(np.float32)


@dataclass(frozen=True)
class Camera:
    """A view. A sample at (u, v) looks along `forward + u right + v up`, or, parallel, starts at `u right + v up`.

    `scale` is samples per unit of u. `middle` is the (row, column) of u = v = 0: a shifted lens keeps walls upright.
    Nearness, in which all is drawn, grows towards the eye: 1 / depth in perspective, -depth in parallel.
    """

    eye: Array
    forward: Array
    right: Array
    up: Array
    scale: float
    size: tuple[int, int]
    middle: tuple[float, float]
    perspective: bool = True

    @cached_property
    def columns(self) -> Array:
        """u of each column."""
        return ((np.arange(self.size[1], dtype=np.float32) + 0.5 - self.middle[1]) / self.scale).astype(np.float32)

    @cached_property
    def rows(self) -> Array:
        """v of each row."""
        return ((self.middle[0] - np.arange(self.size[0], dtype=np.float32) - 0.5) / self.scale).astype(np.float32)

    def view(self, points: Array) -> Array:
        """Points (n, 3) along (right, up, forward)."""
        return (points - self.eye) @ np.stack([self.right, self.up, self.forward], axis=1)

    def turn(self, vectors: Array) -> Array:
        """Vectors (n, 3) along (right, up, forward)."""
        return vectors @ np.stack([self.right, self.up, self.forward], axis=1)

    def window(self, corners: Array) -> tuple[slice, slice] | None:
        """The rows and columns that may show the hull of the corners; None where it is out of sight."""
        x, y, z = self.view(corners).T
        rows, columns = self.size
        if self.perspective:
            if z.max() <= 0.05:
                return None
            if z.min() <= 0.05:
                return slice(0, rows), slice(0, columns)
            x, y = x / z, y / z
        left, right = x.min() * self.scale + self.middle[1], x.max() * self.scale + self.middle[1]
        top, bottom = self.middle[0] - y.max() * self.scale, self.middle[0] - y.min() * self.scale
        box = max(0, int(top) - 1), min(rows, int(bottom) + 2), max(0, int(left) - 1), min(columns, int(right) + 2)
        return (slice(box[0], box[1]), slice(box[2], box[3])) if box[0] < box[1] and box[2] < box[3] else None

    def rays(self, rows: Array, columns: Array) -> Array:
        """Directions (n, 3) of samples, one metre deep each."""
        u, v = self.columns[columns], self.rows[rows]
        return self.forward + u[:, None] * self.right + v[:, None] * self.up


def perspective(eye: Array, heading: float, focal: float, size: tuple[int, int], horizon: float) -> Camera:
    """A camera at `eye`, `heading` radians right of z; `focal` in picture heights, `horizon` in 0..1 from the top."""
    forward = unit(np.float32([np.sin(heading), 0, np.cos(heading)]))
    right = unit(np.float32([np.cos(heading), 0, -np.sin(heading)]))
    up = np.cross(forward, right).astype(np.float32)
    middle = (size[0] * horizon, size[1] / 2)
    return Camera(np.float32(eye), forward, right, up, focal * size[0], size, middle)


def parallel(aim: Array, towards: Array, reach: float, samples: int) -> Camera:
    """The sun's camera: looks against `towards` at the square of half side `reach` around `aim`."""
    forward = unit(-np.float32(towards))
    right = unit(np.cross(np.float32([0, 1, 0]), forward))
    up = np.cross(forward, right).astype(np.float32)
    eye = np.float32(aim) - 200 * forward
    middle = (samples / 2, samples / 2)
    return Camera(eye, forward, right, up, samples / (2 * reach), (samples, samples), middle, perspective=False)
