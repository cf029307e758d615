"""Cars: a body and a cabin with soft edges, glass all round, wheels in arches, lamps, bumpers, plates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .convex import Frame, Solid, cylinder, prism
from .points import Points
from .texture import colour

Array = np.ndarray


@dataclass(frozen=True)
class Model:
    """The side view of a model in metres: length, half width, heights of belt and roof, where the cabin begins and ends
    at the belt and at the roof, and how far the nose and the tail slope."""

    long: float
    half: float
    belt: float
    roof: float
    cabin: tuple[float, float, float, float]
    nose: float
    tail: float


MODELS = (
    Model(4.3, 0.88, 0.92, 1.46, (1.0, 1.75, 3.5, 4.15), 0.72, 0.86),  # hatchback
    Model(4.6, 0.9, 0.9, 1.42, (1.2, 1.95, 3.25, 3.95), 0.72, 0.84),  # saloon
    Model(4.7, 0.92, 1.05, 1.72, (1.05, 1.65, 4.15, 4.6), 0.88, 1.0),  # estate, tall
    Model(3.5, 0.8, 0.88, 1.48, (0.75, 1.35, 2.9, 3.4), 0.72, 0.84),  # small car
    Model(4.9, 0.98, 1.2, 2.15, (0.45, 1.2, 4.75, 4.88), 0.95, 1.18),  # van
)
RUBBER, GLASS, STEEL = colour("#1a1a1c"), colour("#14181c"), colour("#b4b8bc")


def car(model: Model, frame: Frame, instance: int, base: Array) -> list[Solid]:
    """A car that stands along the frame's x, its nose at 0, its middle at z = 0."""
    long, half = model.long, model.half
    wheels = (0.82, long - 0.85)

    def body(points: Points) -> None:
        x, y, z = frame.local(points.position).T
        n = frame.turn(points.normal)
        points.albedo[:], points.gloss[:] = base, 0.05
        sill = y < 0.3
        points.albedo[sill], points.gloss[sill] = RUBBER * 1.6, 0.01
        flank = np.abs(n[:, 2]) > 0.6
        for at in wheels:
            arch = flank & (np.hypot(x - at, y - 0.32) < 0.385)
            points.albedo[arch], points.gloss[arch] = 0.012, 0
        seam = flank & (y > 0.35) & (np.abs(np.abs(x - long * 0.5) - 0.02 - 0.55 * (x > long * 0.5)) < 0.012)
        points.albedo[seam] *= 0.35
        strip = flank & (np.abs(y - 0.55) < 0.02)
        points.albedo[strip] *= 0.5
        _ends(points, x, y, z, model)

    def cabin(points: Points) -> None:
        x, y, _ = frame.local(points.position).T
        n = frame.turn(points.normal)
        points.albedo[:], points.gloss[:] = base, 0.05
        up = (y - model.belt) / (model.roof - model.belt)
        front = model.cabin[0] + (model.cabin[1] - model.cabin[0]) * up
        back = model.cabin[3] + (model.cabin[2] - model.cabin[3]) * up
        pane = (up > 0.08) & (up < 0.86)
        side = pane & (np.abs(n[:, 2]) > 0.7) & (x > front + 0.1) & (x < back - 0.1)
        side &= np.abs(x - (front + back) / 2) > 0.05
        if model.roof > 2:
            side &= x < long * 0.38
        screen = pane & (np.abs(n[:, 0]) > 0.25) & (np.abs(n[:, 2]) < 0.5)
        glass = side | screen
        points.albedo[glass], points.gloss[glass] = GLASS, 0.2

    lower = [
        (0.04, 0.24), (long - 0.06, 0.24), (long, 0.5), (long - 0.03, model.tail - 0.08), (long - 0.2, model.belt),
        (model.cabin[0] - 0.05, model.belt), (0.22, model.nose), (0.03, model.nose - 0.14), (0.0, 0.45),
    ]  # fmt: skip
    c = model.cabin
    upper = [
        (c[0], model.belt - 0.02), (c[3], model.belt - 0.02), (c[2] + 0.1, model.roof - 0.07),
        (c[2] - 0.15, model.roof), ((c[1] + c[2]) / 2, model.roof + 0.035),
        (c[1] + 0.2, model.roof), (c[1] - 0.03, model.roof - 0.07),
    ]  # fmt: skip
    solids = [
        prism(frame, lower, -half, half, body, instance, soft=0.05, axis="z", lean=0.04),
        prism(frame, upper, -half - 0.12, half + 0.12, cabin, instance, soft=0.05, axis="z", lean=0.2),
    ]
    for at in wheels:
        for side in (-1, 1):
            inner, outer = frame.world((at, 0.32, side * (half - 0.22))), frame.world((at, 0.32, side * (half - 0.005)))
            solids.append(_wheel(inner, outer, instance))
    return solids


def _ends(points: Points, x: Array, y: Array, z: Array, model: Model) -> None:
    """Head and tail lamps, grille, bumpers and plates."""
    ahead, behind = x < 0.16, x > model.long - 0.16
    far = np.abs(z) / model.half
    lamp = (far > 0.55) & (far < 0.93) & (np.abs(y - (model.nose - 0.13)) < 0.085)
    head = ahead & lamp
    points.albedo[head], points.gloss[head] = 0.75, 0.15
    points.glow[head] = colour("#fff0cc") * 1.6 * points.evening
    tail = behind & (far > 0.62) & (far < 0.95) & (np.abs(y - model.tail + 0.2) < 0.12)
    points.albedo[tail] = colour("#a01418")
    points.glow[tail] = colour("#ff2010") * (0.06 + 0.8 * points.evening)
    grille = ahead & (far < 0.5) & (np.abs(y - model.nose + 0.17) < 0.05)
    points.albedo[grille] = 0.02
    bumper = (ahead | behind) & (y > 0.3) & (y < 0.46)
    points.albedo[bumper], points.gloss[bumper] = RUBBER * 2, 0.02
    plate = (ahead | behind) & (np.abs(z) < 0.26) & (np.abs(y - 0.42) < 0.055)
    points.albedo[plate] = 0.75


def _wheel(inner: Array, outer: Array, instance: int) -> Solid:
    middle, along = outer, outer - inner

    def paint(points: Points) -> None:
        r = np.linalg.norm(np.cross(points.position - middle, along / np.linalg.norm(along)), axis=1)
        up = points.position[:, 1] - middle[1]
        angle = np.arctan2(up, (points.position - middle) @ np.float32([along[2], 0, -along[0]]))
        spoke = (np.cos(5 * angle) > -0.1) & (r > 0.06)
        points.albedo[:] = RUBBER
        rim = r < 0.21
        points.albedo[rim] = np.where(spoke[:, None], STEEL * 0.8, 0.03)[rim]
        points.gloss[rim] = 0.05

    return cylinder(inner, outer, 0.32, paint, instance)
