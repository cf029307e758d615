"""Which solid or leaf each sample of a camera sees: everything is drawn into one buffer of nearness."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .camera import Camera
from .convex import Solid
from .leaves import Leaves, drawn

Array = np.ndarray

SKY = -1


@dataclass(frozen=True)
class Visible:
    """Per sample: nearness, the number of the solid or (after all solids) cloud of leaves, and the face or leaf."""

    near: Array
    thing: Array
    part: Array


def see(camera: Camera, solids: Sequence[Solid], leaves: Sequence[Leaves]) -> Visible:
    """What a camera sees of solids and leaves; `SKY` where nothing is."""
    far = 1e-5 if camera.perspective else -1e6
    near = np.full(camera.size, far, np.float32)
    thing, part = np.full(camera.size, SKY, np.int32), np.zeros(camera.size, np.int32)
    for number, solid in enumerate(solids):
        window = camera.window(solid.hull)
        if window is not None:
            _draw(solid, number, camera, window, Visible(near[window], thing[window], part[window]))
    flat = Visible(near.reshape(-1), thing.reshape(-1), part.reshape(-1))
    for number, cloud in enumerate(leaves, len(solids)):
        index, depth, leaf = drawn(cloud, camera)
        ahead = depth > flat.near[index]
        index, depth, leaf = index[ahead], depth[ahead], leaf[ahead]
        flat.near[index], flat.thing[index], flat.part[index] = depth, number, leaf
    return Visible(near, thing, part)


def _draw(solid: Solid, number: int, camera: Camera, window: tuple[slice, slice], out: Visible) -> None:
    """A ray enters a convex solid at the last plane that it enters, unless it left another before: all in nearness,
    which along a plane is a linear function of (u, v) (the 1/z of hardware rasterisers)."""
    v, u = camera.rows[window[0], None], camera.columns[None, window[1]]
    entry: Array | None = None
    leave: Array | None = None
    face = np.zeros(out.near.shape, np.int32)
    for index, plane in enumerate(solid.planes):
        along = plane[:3] @ np.stack([camera.forward, camera.right, camera.up], axis=1)
        apart = float(plane[3] - plane[:3] @ camera.eye)
        if camera.perspective:
            apart = apart if abs(apart) > 1e-5 else 1e-5
            front, level = apart < 0, (along[0] / apart, along[1] / apart, along[2] / apart)
        else:
            slope = float(along[0]) if abs(along[0]) > 1e-5 else 1e-5
            front, level = slope < 0, (-apart / slope, along[1] / slope, along[2] / slope)
        near = (level[0] + level[1] * u) + level[2] * v
        if not front:
            leave = near if leave is None else np.maximum(leave, near)
        elif entry is None:
            entry, face = near, np.full(near.shape, index, np.int32)
        else:
            face[near < entry] = index
            entry = np.minimum(entry, near)
    if solid.quadric is not None:
        first, last = _quadric(solid.quadric, camera, u, v)
        if entry is None:
            entry, face = first, np.full(first.shape, -1, np.int32)
        else:
            face[first < entry] = -1
            entry = np.minimum(entry, first)
        leave = last if leave is None else np.maximum(leave, last)
    if entry is None:
        return
    seen = entry > out.near
    if leave is not None:
        seen &= entry > leave
    out.near[seen], out.thing[seen], out.part[seen] = entry[seen], number, face[seen]


def _quadric(quadric: tuple[Array, Array], camera: Camera, u: Array, v: Array) -> tuple[Array, Array]:
    m, centre = quadric
    q, ahead, right, up = m @ (camera.eye - centre), m @ camera.forward, m @ camera.right, m @ camera.up
    zero = np.zeros((*np.broadcast(u, v).shape, 3), np.float32)
    moving = u[..., None] * right + v[..., None] * up
    start, step = (q + zero, ahead + moving) if camera.perspective else (q + moving, ahead + zero)
    a, b, c = (step * step).sum(-1), (start * step).sum(-1), (start * start).sum(-1) - 1
    root = b * b - a * c
    hit = root > 0
    root = np.sqrt(np.where(hit, root, 0))
    first, last = (-b - root) / a, (-b + root) / a
    if camera.perspective:
        hit &= last > 0
        # Seen from within, as the sides of a long rod are, only the end planes tell where it is entered.
        return (
            np.where(hit, np.where(first > 1e-4, 1 / np.maximum(first, 1e-4), 1e4), -1).astype(np.float32),
            np.where(hit, 1 / np.maximum(last, 1e-4), 1e5).astype(np.float32),
        )
    return np.where(hit, -first, -1e7).astype(np.float32), np.where(hit, -last, 1e7).astype(np.float32)
