"""Convex solids: half spaces, cut with one quadric where something is round. All that is built is made of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from .camera import unit

if TYPE_CHECKING:
    from .points import Points

Array = np.ndarray
Paint = Callable[["Points"], None]

AXES = np.eye(3, dtype=np.float32)


@dataclass(frozen=True)
class Frame:
    """A place to build in: local (x, y, z) turned by `yaw` about the vertical, then moved to `origin`."""

    origin: Array = field(default_factory=lambda: np.zeros(3, np.float32))
    yaw: float = 0.0

    @property
    def axes(self) -> Array:
        """Rows: the local axes in the world."""
        c, s = np.cos(self.yaw), np.sin(self.yaw)
        return np.float32([[c, 0, -s], [0, 1, 0], [s, 0, c]])

    def world(self, points: Array | Sequence[float]) -> Array:
        """Local points in the world."""
        return (np.float32(points) @ self.axes + self.origin).astype(np.float32)

    def local(self, points: Array) -> Array:
        """World points in here."""
        return (points - self.origin) @ self.axes.T

    def turn(self, vectors: Array) -> Array:
        """World vectors in here."""
        return vectors @ self.axes.T

    def place(self, at: Sequence[float], yaw: float = 0.0) -> Frame:
        """A frame within this one."""
        return Frame(self.world(at), self.yaw + yaw)


@dataclass
class Solid:
    """Where n·p <= d for all planes (k, 4), and |m (p - centre)| <= 1 where there is a quadric m.

    `hull` are corners (n, 3) around it, `soft` the radius in metres by which its edges look rounded.
    `blocks` tells whether it takes skylight from its surroundings, through its box (centre, axes, half sides).
    """

    planes: Array
    hull: Array
    box: tuple[Array, Array, Array]
    paint: Paint
    instance: int
    soft: float = 0.0
    quadric: tuple[Array, Array] | None = None
    blocks: bool = True

    def normals(self, position: Array, face: Array) -> Array:
        """Outward normals (n, 3) at surface points, of face -1 the quadric's."""
        if self.soft and len(self.planes):
            gap = self.planes[:, 3] - position @ self.planes[:, :3].T
            weight = np.exp(-np.clip(gap, 0, None) / self.soft)
            flat = unit(weight @ self.planes[:, :3])
        elif len(self.planes):
            flat = self.planes[face, :3]
        else:
            flat = np.zeros_like(position)
        if self.quadric is None:
            return flat
        m, centre = self.quadric
        return np.where((face < 0)[:, None], unit((position - centre) @ (m.T @ m)), flat)


def cuboid_box(frame: Frame, low: Array, high: Array) -> tuple[Array, Array, Array]:
    """The box of local corners `low` and `high`."""
    return frame.world((low + high) / 2), frame.axes, (high - low) / 2


def hull_of(box: tuple[Array, Array, Array]) -> Array:
    """The eight corners of a box."""
    centre, axes, half = box
    signs = np.float32([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
    return centre + (signs * half) @ axes


def _from_local(planes: Array, frame: Frame) -> Array:
    normals = planes[:, :3] @ frame.axes
    return np.concatenate([normals, planes[:, 3:] + (normals @ frame.origin)[:, None]], axis=1).astype(np.float32)


def box(
    frame: Frame, low: Sequence[float], high: Sequence[float], paint: Paint, instance: int, soft: float = 0.0,
    blocks: bool = True,
) -> Solid:  # fmt: skip
    """A box between two local corners. Faces: 0 left, 1 right, 2 bottom, 3 top, 4 front (low z), 5 back."""
    a, b = np.float32(low), np.float32(high)
    planes = np.float32([[*(s * AXES[k]), (s * (b if s > 0 else a))[k]] for k in range(3) for s in (-1, 1)])
    around = cuboid_box(frame, a, b)
    return Solid(_from_local(planes, frame), hull_of(around), around, paint, instance, soft, None, blocks)


def prism(
    frame: Frame, outline: Sequence[tuple[float, float]], low: float, high: float, paint: Paint, instance: int,
    soft: float = 0.0, axis: str = "x", lean: float = 0.0, blocks: bool = True,
) -> Solid:  # fmt: skip
    """A convex outline, anticlockwise, pulled along a local axis from `low` to `high`.

    Along x the outline is (z, y), along z it is (x, y), along y it is (x, z). `lean` tilts both ends inwards, per metre
    of height above 0. The sides are faces 0, 1, ... in the order of the outline; the two ends come last.
    """
    order = {"x": (2, 1, 0), "y": (0, 2, 1), "z": (0, 1, 2)}[axis]
    points = np.float32(outline)
    edge = np.roll(points, -1, axis=0) - points
    outward = unit(np.stack([edge[:, 1], -edge[:, 0]], axis=1))
    planes = np.zeros((len(points) + 2, 4), np.float32)
    planes[:-2, order[0]], planes[:-2, order[1]] = outward.T
    planes[:-2, 3] = (outward * points).sum(1)
    tilt = np.hypot(1, lean)
    planes[-2, order[2]], planes[-1, order[2]] = -1 / tilt, 1 / tilt
    planes[-2:, 1] += lean / tilt if lean else 0
    planes[-2:, 3] = -low / tilt, high / tilt
    a, b = np.zeros(3, np.float32), np.zeros(3, np.float32)
    a[[order[0], order[1]]], b[[order[0], order[1]]] = points.min(0), points.max(0)
    a[order[2]], b[order[2]] = low, high
    around = cuboid_box(frame, a, b)
    return Solid(_from_local(planes, frame), hull_of(around), around, paint, instance, soft, None, blocks)


def ellipsoid(
    frame: Frame, centre: Sequence[float], radii: Sequence[float], paint: Paint, instance: int, blocks: bool = True
) -> Solid:
    """An ellipsoid along the local axes."""
    r = np.float32(radii)
    m = frame.axes / r[:, None]
    around = (frame.world(centre), frame.axes, r * 0.8)
    hull = hull_of((around[0], around[1], r))
    return Solid(np.zeros((0, 4), np.float32), hull, around, paint, instance, 0.0, (m, around[0]), blocks)


def pillow(
    frame: Frame, centre: Sequence[float], half: Sequence[float], paint: Paint, instance: int, bulge: float = 1.35,
    blocks: bool = True,
) -> Solid:  # fmt: skip
    """A box whose sides are cut round by an ellipsoid `bulge` times as large: cushions, mattresses, bonnets."""
    h, c = np.float32(half), np.float32(centre)
    solid = box(frame, c - h, c + h, paint, instance, float(h.min()) * 0.35, blocks)
    solid.quadric = (frame.axes / (h * bulge)[:, None], frame.world(centre))
    return solid


def cylinder(
    base: Array, top: Array, radius: float, paint: Paint, instance: int, blocks: bool = False, flare: float = 1.0
) -> Solid:
    """A rod between two world points; with `flare` below 1 its sides are cut as an ellipsoid, narrower at both ends."""
    base, top = np.float32(base), np.float32(top)
    along = unit(top - base)
    side = unit(np.cross(along, np.float32([1, 0, 0]) if abs(along[0]) < 0.9 else np.float32([0, 0, 1])))
    axes = np.stack([side, np.cross(along, side), along]).astype(np.float32)
    centre, half = (base + top) / 2, float(np.linalg.norm(top - base)) / 2
    pull = np.sqrt(max(1 - flare**2, 0)) / max(half, 1e-6)
    m = axes * np.float32([1 / radius, 1 / radius, pull])[:, None]
    planes = np.float32([[*along, along @ top], [*(-along), -along @ base]])
    around = (centre.astype(np.float32), axes, np.float32([radius * 0.85, radius * 0.85, half]))
    hull = hull_of((around[0], axes, np.float32([radius, radius, half])))
    return Solid(planes, hull, around, paint, instance, 0.0, (m, around[0]), blocks)
