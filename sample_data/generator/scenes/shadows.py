"""Direct sun: a shadow map with penumbrae that widen with the distance of what casts them (Fernando 2005)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .camera import Camera, parallel
from .convex import Solid
from .leaves import Leaves
from .visible import see

Array = np.ndarray


class ShadowMap:
    """What the sun sees of a scene, within `reach` metres of `aim`."""

    def __init__(
        self, solids: Sequence[Solid], leaves: Sequence[Leaves], sun: Array, aim: Array, reach: float, samples: int
    ) -> None:
        self.camera: Camera = parallel(aim, sun, reach, samples)
        self.near = see(self.camera, solids, leaves).near

    def _behind(self, view: Array, dx: Array, dy: Array, slack: float) -> Array:
        """How many metres in front of each point something stands, along the sun's rays moved by (dx, dy) metres."""
        camera = self.camera
        column = ((view[:, 0] + dx) * camera.scale + camera.middle[1]).astype(np.int32)
        row = (camera.middle[0] - (view[:, 1] + dy) * camera.scale).astype(np.int32)
        size = camera.size[0] - 1
        outside = (column < 0) | (row < 0) | (column > size) | (row > size)
        gap = self.near[np.clip(row, 0, size), np.clip(column, 0, size)] + view[:, 2]
        return np.where(outside | (gap < slack), 0, gap)

    def lit(self, position: Array, spread: float, angle: Array, slack: float = 0.06, taps: int = 9) -> Array:
        """Share of the sun's disc (of half breadth `spread`) seen from points; `angle` turns the taps of each."""
        view = self.camera.view(position)
        wide = min(0.9, spread * 9 + 0.05)
        gap, count = np.zeros(len(view), np.float32), np.full(len(view), 1e-3, np.float32)
        for k in range(4):
            turned = angle + k * 1.5708
            found = self._behind(view, wide * 0.6 * np.cos(turned), wide * 0.6 * np.sin(turned), slack)
            gap, count = gap + found, count + (found > 0)
        radius = np.clip(gap / count * spread, 0.6 / self.camera.scale, 0.9).astype(np.float32)
        total = np.zeros(len(view), np.float32)
        for k in range(taps):
            turned, far = angle + 2.39996 * k, radius * np.sqrt((k + 0.5) / taps)
            total += self._behind(view, far * np.cos(turned), far * np.sin(turned), slack) == 0
        return total / taps

    def clear(self, position: Array) -> Array:
        """1 where the way to the middle of the sun is free, 0 elsewhere."""
        nothing = np.zeros(len(position), np.float32)
        return (self._behind(self.camera.view(position), nothing, nothing, 0.15) == 0).astype(np.float32)
