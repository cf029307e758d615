"""Street lamps: a foot, a slender pole, and a lantern or an arm; lit in the evening."""

from __future__ import annotations

import numpy as np

from .convex import Frame, Solid, box, cylinder, ellipsoid
from .points import Points
from .texture import colour

Array = np.ndarray

GLOW = colour("#ffc478")


def lamp(frame: Frame, height: float, arm: bool, instance: int, base: Array) -> tuple[list[Solid], Array]:
    """The solids of a street lamp at a frame, and where its light is. An arm reaches along the frame's x."""

    def iron(points: Points) -> None:
        points.albedo[:], points.gloss[:] = base, 0.03

    def glass(points: Points) -> None:
        points.albedo[:], points.gloss[:] = colour("#efe6cf"), 0.06
        points.glow[:] = GLOW * 3.2 * points.evening

    pole = [
        cylinder(frame.world((0, 0, 0)), frame.world((0, 0.9, 0)), 0.11, iron, instance, flare=0.8),
        cylinder(frame.world((0, 0.5, 0)), frame.world((0, height, 0)), 0.055, iron, instance, flare=0.9),
    ]
    if arm:
        head = frame.world((1.15, height + 0.2, 0))
        pole.append(cylinder(frame.world((0, height - 0.05, 0)), head, 0.04, iron, instance))
        pole.append(ellipsoid(frame, (1.35, height + 0.2, 0), (0.42, 0.1, 0.15), iron, instance, False))
        pole.append(ellipsoid(frame, (1.4, height + 0.12, 0), (0.26, 0.1, 0.11), glass, instance, False))
        return pole, frame.world((1.4, height, 0))
    pole.append(box(frame, (-0.15, height, -0.15), (0.15, height + 0.42, 0.15), glass, instance, 0.02, False))
    pole.append(box(frame, (-0.19, height + 0.42, -0.19), (0.19, height + 0.48, 0.19), iron, instance, 0.02, False))
    pole.append(ellipsoid(frame, (0, height + 0.47, 0), (0.16, 0.16, 0.16), iron, instance, False))
    pole.append(box(frame, (-0.18, height - 0.06, -0.18), (0.18, height, 0.18), iron, instance, 0.02, False))
    for x in (-0.15, 0.15):
        for z in (-0.15, 0.15):
            corner = frame.world((x, height, z)), frame.world((x, height + 0.42, z))
            pole.append(cylinder(*corner, 0.022, iron, instance))
    return pole, frame.world((0, height + 0.2, 0))


def bollard(at: Array, instance: int, base: Array) -> list[Solid]:
    """A cast-iron bollard."""

    def iron(points: Points) -> None:
        points.albedo[:], points.gloss[:] = base, 0.03

    top = np.float32(at) + np.float32([0, 0.85, 0])
    return [
        cylinder(at, top, 0.08, iron, instance, flare=0.8),
        ellipsoid(Frame(top), (0, 0, 0), (0.09, 0.09, 0.09), iron, instance, False),
    ]
