"""Forms of pots: the profile of a body that was thrown on the wheel, its grooves, and handles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import PchipInterpolator

Array = np.ndarray
STEPS = 400
KINDS = ("bottle", "bowl", "jar", "jug", "amphora", "cup", "vase")


@dataclass(frozen=True)
class Form:
    """What a pot looks like before it is glazed. Lengths are in parts of the picture's side.

    Attributes:
        height: From foot to rim.
        radius: (STEPS,) from foot to rim.
        grooves: Heights, from 0 to 1, of rings that were cut.
        handles: Polylines (n, 2) of x beside the axis and height above the foot, on the right side; and
        sides: on which they are: 1 right, -1 left.
        thickness: Of the handles.
    """

    height: float
    radius: Array
    grooves: tuple[float, ...]
    handles: tuple[Array, ...]
    sides: tuple[int, ...]
    thickness: float

    @property
    def heights(self) -> Array:
        """(STEPS,) from 0 to 1."""
        return np.linspace(0, 1, STEPS)


def form(rng: np.random.Generator) -> Form:
    """A form of any kind."""
    kind = KINDS[int(rng.integers(len(KINDS)))]
    height, knots = PROFILES[kind](rng)
    places, radii = np.array(knots).T
    radius = PchipInterpolator(places, radii)(np.linspace(0, 1, STEPS))
    grooves = tuple(float(at) for at in rng.choice(GROOVES, int(rng.integers(0, 3)), replace=False))
    handles, sides = ringed(kind, height, radius, rng)
    return Form(height, radius, grooves, handles, sides, float(rng.uniform(0.016, 0.024)))


GROOVES = (0.18, 0.3, 0.42, 0.58, 0.7, 0.8)
Knots = list[tuple[float, float]]


def bottle(rng: np.random.Generator) -> tuple[float, Knots]:
    belly, at, neck = rng.uniform(0.19, 0.27), rng.uniform(0.28, 0.42), rng.uniform(0.045, 0.07)
    foot, lip = belly * rng.uniform(0.5, 0.8), neck * rng.uniform(1.2, 1.7)
    return rng.uniform(0.66, 0.76), [(0, foot), (at, belly), (0.68, neck * 1.25), (0.86, neck), (1, lip)]


def bowl(rng: np.random.Generator) -> tuple[float, Knots]:
    rim, foot = rng.uniform(0.33, 0.4), rng.uniform(0.13, 0.18)
    return rng.uniform(0.3, 0.42), [(0, foot), (0.08, foot * 0.95), (0.45, rim * 0.78), (0.8, rim * 0.97), (1, rim)]


def jar(rng: np.random.Generator) -> tuple[float, Knots]:
    belly, at = rng.uniform(0.28, 0.34), rng.uniform(0.45, 0.65)
    foot, neck = belly * rng.uniform(0.5, 0.75), belly * rng.uniform(0.55, 0.75)
    return rng.uniform(0.54, 0.66), [(0, foot), (at, belly), (0.9, neck), (1, neck * rng.uniform(1.02, 1.18))]


def jug(rng: np.random.Generator) -> tuple[float, Knots]:
    belly, at = rng.uniform(0.22, 0.28), rng.uniform(0.3, 0.45)
    foot, neck = belly * rng.uniform(0.6, 0.85), belly * rng.uniform(0.45, 0.65)
    return rng.uniform(0.6, 0.7), [(0, foot), (at, belly), (0.78, neck), (1, neck * rng.uniform(1.15, 1.4))]


def amphora(rng: np.random.Generator) -> tuple[float, Knots]:
    belly, at = rng.uniform(0.19, 0.24), rng.uniform(0.5, 0.6)
    foot, neck = belly * rng.uniform(0.28, 0.4), belly * rng.uniform(0.35, 0.45)
    lip = neck * rng.uniform(1.2, 1.5)
    return rng.uniform(0.68, 0.76), [(0, foot * 1.2), (0.06, foot), (at, belly), (0.8, neck), (0.93, neck), (1, lip)]


def cup(rng: np.random.Generator) -> tuple[float, Knots]:
    rim, foot = rng.uniform(0.25, 0.3), rng.uniform(0.16, 0.22)
    return rng.uniform(0.44, 0.54), [(0, foot), (0.1, foot * 1.06), (0.5, rim * 0.97), (1, rim)]


def vase(rng: np.random.Generator) -> tuple[float, Knots]:
    belly, at, neck = rng.uniform(0.17, 0.23), rng.uniform(0.55, 0.72), rng.uniform(0.08, 0.12)
    foot, lip = belly * rng.uniform(0.5, 0.7), neck * rng.uniform(1.15, 1.6)
    return rng.uniform(0.64, 0.74), [(0, foot), (at, belly), (0.9, neck), (1, lip)]


PROFILES = {"bottle": bottle, "bowl": bowl, "jar": jar, "jug": jug, "amphora": amphora, "cup": cup, "vase": vase}
HANDLES = {"jug": (1,), "amphora": (1, -1), "cup": (1,)}


def ringed(
    kind: str, height: float, radius: Array, rng: np.random.Generator
) -> tuple[tuple[Array, ...], tuple[int, ...]]:
    """Handles that a kind has: from one height of the body to another, out and back."""
    sides = HANDLES.get(kind, ())
    if not sides:
        return (), ()
    if len(sides) == 1 and rng.random() < 0.5:
        sides = (-sides[0],)
    low, high = (
        (rng.uniform(0.15, 0.3), rng.uniform(0.7, 0.85))
        if kind == "cup"
        else (
            rng.uniform(0.42, 0.55),
            rng.uniform(0.86, 0.95),
        )
    )
    out = rng.uniform(0.07, 0.11)
    at = np.linspace(0, 1, STEPS)
    start, end = np.interp((low, high), at, radius)
    angle = np.linspace(-np.pi / 2, np.pi / 2, 24)
    middle, half = (low + high) / 2 * height, (high - low) / 2 * height
    base = np.linspace(start, end, 24)
    bulge = max(start, end) + out - base
    way = np.stack([base - 0.012 + bulge * np.cos(angle) ** 0.7, middle + half * np.sin(angle)], axis=1)
    return tuple(way for _ in sides), sides
