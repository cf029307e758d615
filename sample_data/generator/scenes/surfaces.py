"""The painted surface behind every sample: place, normal, colour, gloss and object, before any light."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from .camera import Camera, unit
from .convex import Solid
from .leaves import Leaves
from .points import Points
from .visible import SKY, Visible

Array = np.ndarray


@dataclass
class Surfaces:
    """Per visible sample (n,): its flat index in the picture, the number of its thing, whether it is a leaf (with the
    share of the sky that it sees), and what its paint said (see `Points`)."""

    index: Array
    thing: Array
    depth: Array
    position: Array
    normal: Array
    ray: Array
    albedo: Array
    gloss: Array
    glow: Array
    anchor: Array
    open: Array
    through: Array
    shade: Array
    instance: Array


def surfaces(
    camera: Camera, solids: Sequence[Solid], leaves: Sequence[Leaves], seen: Visible, sun: Array, evening: float
) -> Surfaces:
    """Paint what a perspective camera sees. Points are handed to each solid's paint at once."""
    thing = seen.thing.reshape(-1)
    index = np.argsort(thing, kind="stable")
    index = index[np.searchsorted(thing[index], SKY, side="right") :]
    thing, part = thing[index], seen.part.reshape(-1)[index]
    depth = 1 / seen.near.reshape(-1)[index]
    rays = camera.rays(*np.divmod(index, camera.size[1]))
    length = np.linalg.norm(rays, axis=1)
    position = camera.eye + rays * depth[:, None]
    rays /= length[:, None]
    count = len(index)
    out = Surfaces(
        index, thing, depth * length, position, np.zeros_like(position), rays, np.zeros_like(position),
        np.zeros(count, np.float32), np.zeros_like(position), position.copy(), np.ones(count, np.float32),
        np.zeros(count, np.float32), np.full(count, -1, np.float32), np.zeros(count, np.uint16),
    )  # fmt: skip
    starts = np.flatnonzero(np.diff(thing, prepend=-2))
    for start, end in zip(starts, [*starts[1:], count], strict=True):
        rows, number = slice(start, end), int(thing[start])
        if number < len(solids):
            _paint(solids[number], part[rows], rows, out, sun, evening, 1 / camera.scale)
        else:
            _leaf(leaves[number - len(solids)], part[rows], rows, out)
    return out


def _paint(solid: Solid, face: Array, rows: slice, out: Surfaces, sun: Array, evening: float, spread: float) -> None:
    normal = solid.normals(out.position[rows], face)
    ray = out.ray[rows]
    slant = np.clip(-(normal * ray).sum(1), 0.06, 1)
    # Geometric mean of a sample's breadth across and along the slanted surface.
    width = out.depth[rows] * spread / np.sqrt(slant)
    instance = np.full(len(face), solid.instance, np.uint16)
    points = Points(out.position[rows], normal, ray, width, face, sun, instance, evening)
    solid.paint(points)
    for name in (field.name for field in fields(Points)):
        if name not in ("width", "face", "sun", "evening", "position", "ray"):
            getattr(out, name)[rows] = getattr(points, name)


def _leaf(cloud: Leaves, which: Array, rows: slice, out: Surfaces) -> None:
    out.normal[rows] = unit(cloud.normal[which])
    out.albedo[rows] = cloud.colour(which)
    out.shade[rows] = cloud.shade[which]
    out.through[rows] = 0.45
    out.instance[rows] = cloud.instance
