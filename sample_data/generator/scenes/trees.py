"""Trees, hedges, flowers and blades of grass: clouds of leaves on trunks."""

from __future__ import annotations

import numpy as np

from .camera import unit
from .convex import Frame, Solid, cylinder
from .leaves import Leaves, spread
from .points import Points
from .texture import colour, noise, shades

Array = np.ndarray


def palette(base: Array, style: str) -> Array:
    """Four colours of leaves around a tree's own, from its shaded to its sunlit tips."""
    warm = {"autumn orange": (1.25, 1.1, 0.6), "pink blossom": (1.1, 1.1, 1.1), "crimson": (1.3, 0.85, 0.8)}
    tip = np.float32(warm.get(style, (1.3, 1.2, 0.75)))
    return np.stack([base * 0.62, base * 0.9, base * 1.05, np.clip(base * tip * 1.15, 0, 0.95)]).astype(np.float32)


def bark(points: Points) -> None:
    """Bark with furrows along the trunk."""
    x, y, z = points.position.T
    around = np.arctan2(points.normal[:, 2], points.normal[:, 0])
    points.albedo = shades(
        colour("#6b5442"), 0.35 * noise(around * 0.5, y * 0.12, 0.12, 5, 1.2) + 0.1 * noise(x, z, 1, 2)
    )


def _ball(rng: np.random.Generator, count: int) -> Array:
    """Directions spread evenly over a sphere."""
    return unit(rng.normal(size=(count, 3)).astype(np.float32))


def tree(
    rng: np.random.Generator, at: Array, height: float, shape: str, instance: int, base: Array, style: str, near: float
) -> tuple[list[Solid], Leaves]:
    """A tree of a shape: "round", "tall", "cone" or "weeping". Far ones (`near` metres away) have larger leaves."""
    wide = height * {"round": 0.36, "tall": 0.17, "cone": 0.2, "weeping": 0.34}[shape]
    foot = height * {"round": 0.28, "tall": 0.12, "cone": 0.09, "weeping": 0.3}[shape]
    blobs = _blobs(rng, height, wide, foot, shape)
    leaf = float(np.clip(0.0058 * near, 0.06, 0.34)) * (1.1 if shape == "cone" else 1)
    centres, outs, shades_ = [], [], []
    top = height
    for centre, radius in blobs:
        count = int(np.clip(2.6 * radius**2 / leaf**2, 14, 1800))
        direction = _ball(rng, count)
        distance = radius * (1 - 0.55 * rng.random(count).astype(np.float32) ** 2.2)
        place = centre + direction * distance[:, None] * np.float32([1, 0.82, 1])
        out = unit(place - np.float32([0, (foot + height) * 0.48, 0]))
        # Deep within the crown, and under each bough, less sky is seen.
        depth = np.linalg.norm((place - np.float32([0, (foot + top) / 2, 0])) / [wide, (top - foot) / 2, wide], axis=1)
        sky = 0.28 + 0.42 * np.clip(depth, 0, 1.1) ** 2 + 0.26 * direction[:, 1]
        centres.append(place)
        outs.append(unit(direction + 0.7 * out))
        shades_.append(np.clip(sky, 0.12, 1))
    centre, out, shade = np.concatenate(centres), np.concatenate(outs), np.concatenate(shades_)
    count = len(centre)
    length = leaf * rng.uniform(0.7, 1.35, count).astype(np.float32)
    cloud = spread(
        rng, (centre + at).astype(np.float32), out, length, 0.5 if shape != "cone" else 0.3, instance,
        palette(base, style), shade, 0.9 if shape in ("weeping", "cone") else 0.25,
    )  # fmt: skip
    crown = np.float32(at) + np.float32([0, (foot + height) / 2, 0])
    cloud.box = crown, np.eye(3, dtype=np.float32), np.float32([wide, (height - foot) / 2, wide]) * 0.62
    return _trunk(rng, at, height, foot, wide, shape, instance), cloud


def _blobs(rng: np.random.Generator, height: float, wide: float, foot: float, shape: str) -> list[tuple[Array, float]]:
    """The boughs of a crown: balls (centre, radius) of leaves."""
    middle, half = (foot + height) / 2, (height - foot) / 2
    blobs = []
    if shape == "cone":
        for level in np.linspace(0, 1, 9):
            spread_ = wide * (1 - level) + 0.12
            for k in range(max(1, int(6 * (1 - level)))):
                angle = 2 * np.pi * k / max(1, int(6 * (1 - level))) + rng.uniform(0, 0.8) + level * 3
                centre = [
                    0.62 * spread_ * np.cos(angle),
                    foot + (height - foot) * level * 0.97,
                    0.62 * spread_ * np.sin(angle),
                ]
                blobs.append((np.float32(centre), float(spread_ * 0.5 + 0.15)))
        return blobs
    for direction in _ball(rng, {"round": 20, "tall": 26, "weeping": 18}[shape]):
        far = rng.uniform(0.45, 0.85)
        centre = direction * np.float32([wide, half, wide]) * far + np.float32([0, middle, 0])
        blobs.append(
            (centre.astype(np.float32), float(wide * rng.uniform(0.34, 0.5) * (1.5 if shape == "tall" else 1)))
        )
    blobs.append((np.float32([0, middle, 0]), wide * 0.65))
    return blobs


def _trunk(
    rng: np.random.Generator, at: Array, height: float, foot: float, wide: float, shape: str, instance: int
) -> list[Solid]:
    base = np.float32(at)
    lean = np.float32([rng.uniform(-0.04, 0.04) * height, 0, rng.uniform(-0.04, 0.04) * height])
    thick = (0.017 if shape == "tall" else 0.024) * height
    fork = base + lean + np.float32([0, foot + 0.25 * (height - foot), 0])
    solids = [cylinder(base - np.float32([0, 0.1, 0]), fork, thick, bark, instance, flare=0.8)]
    if shape in ("round", "weeping"):
        for angle in rng.uniform(0, 2 * np.pi) + np.arange(4) * 1.6:
            tip = fork + np.float32([np.cos(angle) * wide * 0.6, 0.3 * (height - foot), np.sin(angle) * wide * 0.6])
            solids.append(
                cylinder(fork - np.float32([0, 0.15 * foot, 0]), tip, thick * 0.45, bark, instance, flare=0.5)
            )
    return solids


def hedge(
    rng: np.random.Generator, frame: Frame, low: Array, high: Array, instance: int, colours: Array, near: float
) -> Leaves:
    """A clipped hedge or a shrub that fills a box of the frame."""
    size = high - low
    leaf = float(np.clip(0.0055 * near, 0.045, 0.2))
    area = 2 * (size[0] * size[1] + size[1] * size[2]) + size[0] * size[2]
    count = int(np.clip(1.7 * area / leaf**2, 60, 9000))
    place = rng.random((count, 3)).astype(np.float32)
    # Most leaves sit at the faces: one axis of each is pushed to a side.
    axis, side = rng.choice(3, count, p=[0.25, 0.3, 0.45]), rng.random(count) < 0.5
    place[np.arange(count), axis] = np.where(side & (axis != 1), 0.06 * rng.random(count), 1 - 0.1 * rng.random(count))
    out = unit(place - np.float32([0.5, 0.25, 0.5]))
    local = low + place * size + 0.03 * rng.normal(size=(count, 3)).astype(np.float32)
    shade = np.clip(0.35 + 0.6 * place[:, 1], 0, 1)
    length = leaf * rng.uniform(0.7, 1.3, count).astype(np.float32)
    cloud = spread(rng, frame.world(local), out @ frame.axes, length, 0.6, instance, colours, shade)
    cloud.box = frame.world((low + high) / 2), frame.axes, (size / 2).astype(np.float32) * 0.9
    return cloud


def blades(rng: np.random.Generator, places: Array, length: float, instance: int, base: Array) -> Leaves:
    """Upright blades of grass at places (n, 3)."""
    count = len(places)
    lean = rng.normal(0, 0.35, (count, 3)).astype(np.float32)
    lean[:, 1] = 1
    a = unit(lean) * (length * rng.uniform(0.5, 1.2, count).astype(np.float32))[:, None]
    b = unit(np.cross(a, rng.normal(size=(count, 3)).astype(np.float32))) * (length * 0.09)
    normal = unit(np.float32([0, 1, 0]) + 0.25 * lean)
    colours = np.stack([base * 0.75, base, np.clip(base * np.float32([1.5, 1.25, 0.9]), 0, 0.9)]).astype(np.float32)
    shade = np.full(count, 0.8, np.float32)
    return Leaves(places + a * 0.8, a, b, shade, rng.random(count).astype(np.float32), normal, colours, instance)


SHAPES = ("round", "round", "tall", "cone", "weeping")
