"""Shapes by their distance, modelled in soft clay: round edges, light from the upper left, shadows on what is below."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ..colour import mix, smoothstep

Array = np.ndarray
LIGHT = np.array([-0.5, -0.62, 0.62])


class Clay:
    """A picture that is built up layer by layer. Places are in half sides: x to the right, y down, 0 in the middle."""

    def __init__(self, size: int) -> None:
        y, x = np.mgrid[:size, :size].astype(np.float64)
        self.x, self.y = 2 * (x + 0.5) / size - 1, 2 * (y + 0.5) / size - 1
        self.px = 2 / size
        self.picture = np.zeros((size, size, 3))

    def fill(self, colours: Array) -> None:
        """What is behind everything: (h, w, 3)."""
        self.picture = np.broadcast_to(colours, self.picture.shape).copy()

    def add(
        self,
        distance: Array,
        colour: Array,
        *,
        cut: Array | None = None,
        rounding: float = 0.12,
        gloss: float = 0.12,
        shadow: float = 0.3,
        reach: float = 0.035,
        shade: float = 1.0,
    ) -> None:
        """A piece of clay where `distance` (h, w) is below 0.

        `cut` takes away what is above 0 there, and leaves no round edge. `rounding` is how far its edge is round,
        `shadow` how dark and `reach` how far its shadow lies, `shade` how much its form shows.
        """
        outline = distance if cut is None else np.maximum(distance, cut)
        cover = smoothstep(self.px, -self.px, outline)
        if shadow:
            fallen = shifted(outline, reach * 0.55 / self.px, reach / self.px)
            soft = smoothstep(reach, -0.4 * reach, fallen) * (1 - cover)
            self.picture *= 1 - shadow * soft[..., None]
        depth = np.clip(1 + distance / rounding, 0, 1)
        rows, columns = np.gradient(ndimage.gaussian_filter(distance, 1.0), self.px)
        length = np.maximum(np.hypot(rows, columns), 1e-6)
        tilt = depth * shade
        normal = np.stack([columns / length * tilt, rows / length * tilt, np.sqrt(1 - np.minimum(tilt, 0.98) ** 2)], 2)
        light = LIGHT / np.linalg.norm(LIGHT)
        facing = (normal * light).sum(2)
        lit = 0.62 + 0.5 * np.clip(facing, -0.4, 1)
        half = light + np.array([0, 0, 1])
        half /= np.linalg.norm(half)
        shine = np.clip((normal * half).sum(2), 0, 1) ** 18
        painted = np.clip(colour * lit[..., None] + gloss * shine[..., None], 0, 1)
        self.picture = mix(self.picture, painted, cover)

    def tint(self, amount: Array, colour: Array) -> None:
        """Colour on what is there, by an amount (h, w)."""
        self.picture = mix(self.picture, colour, np.clip(amount, 0, 1))

    def darken(self, amount: Array, left: float) -> None:
        """What is there loses light, down to a part of it, by an amount (h, w): lines show in light and in shade."""
        self.tint(amount, self.picture * left)

    def ellipse(self, cx: float, cy: float, rx: float, ry: float, power: float = 2.0) -> Array:
        """Distance from an ellipse, near its edge; squarer with a greater power."""
        u, v = np.abs((self.x - cx) / rx), np.abs((self.y - cy) / ry)
        out = np.maximum((u**power + v**power) ** (1 / power), 1e-6)
        return (out - 1) / np.hypot((u / out) ** (power - 1) / rx, (v / out) ** (power - 1) / ry)

    def line(self, way: Array, width: float | Array) -> Array:
        """Distance from a thick polyline (n, 2); widths may differ along it."""
        widths = np.broadcast_to(np.asarray(width, float), (len(way),))
        found = np.full(self.x.shape, np.inf)
        for (ax, ay), (bx, by), wide, next_wide in zip(way[:-1], way[1:], widths[:-1], widths[1:], strict=True):
            dx, dy = bx - ax, by - ay
            t = np.clip(((self.x - ax) * dx + (self.y - ay) * dy) / max(dx * dx + dy * dy, 1e-9), 0, 1)
            apart = np.hypot(self.x - ax - t * dx, self.y - ay - t * dy) - (wide + (next_wide - wide) * t)
            found = np.minimum(found, apart)
        return found


def shifted(distance: Array, columns: float, rows: float) -> Array:
    """A shape moved to the right and down, by pixels."""
    return ndimage.shift(distance, (rows, columns), order=1, mode="nearest")


def merged(a: Array, b: Array, soft: float) -> Array:
    """Both shapes, with a smooth seam."""
    t = np.clip(0.5 + 0.5 * (b - a) / soft, 0, 1)
    return b + (a - b) * t - soft * t * (1 - t)


def overlap(a: Array, b: Array, soft: float) -> Array:
    """What is in both shapes, with a smooth edge."""
    return -merged(-a, -b, soft)


def arc(x0: float, x1: float, y: float, rise: float, count: int = 9) -> Array:
    """A bow from x0 to x1 that rises in its middle."""
    t = np.linspace(-1, 1, count)
    return np.stack([x0 + (x1 - x0) * (t + 1) / 2, y - rise * (1 - t**2)], axis=1)
