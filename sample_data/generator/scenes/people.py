"""People who walk: limbs of soft rods, a coat, a head with hair, now and then a hat or an umbrella."""

from __future__ import annotations

import numpy as np

from .convex import Frame, Paint, Solid, cylinder, ellipsoid
from .points import Points
from .styles import Looks
from .texture import colour, noise, shades

Array = np.ndarray

SKINS = tuple(colour(code) for code in ("#e8b48e", "#c68a60", "#8c5a3c", "#f0c4a4"))
HAIRS = tuple(colour(code) for code in ("#2a1c14", "#5a3a20", "#b08848", "#1a1818", "#8c8880"))
TROUSERS = tuple(colour(code) for code in ("#2c3448", "#3a3a3e", "#6a5a48", "#46608a", "#8a8478"))
STYLE_TROUSERS = {"dark suit": "#24262c", "white summer": "#c8b088"}


def cloth(base: Array, seed: int) -> Paint:
    """Woven cloth that falls in soft folds."""

    def paint(points: Points) -> None:
        x, y, z = points.position.T
        folds = noise(x * 2 + z * 2, y * 0.5, 0.3, seed, 1.8)
        points.albedo = shades(base, 0.22 * folds)

    return paint


def plain(base: Array) -> Paint:
    """One colour."""

    def paint(points: Points) -> None:
        points.albedo[:] = base

    return paint


def person(rng: np.random.Generator, frame: Frame, looks: Looks, instance: int) -> list[Solid]:
    """A walker who looks along the frame's z."""
    style = looks.style("person", instance)
    own = looks.rng(instance, 9)
    coat = cloth(looks.base("person", style, instance), int(own.integers(9)))
    legs = colour(STYLE_TROUSERS[style]) if style in STYLE_TROUSERS else TROUSERS[int(own.integers(len(TROUSERS)))]
    trousers, shoes = cloth(legs, 3), plain(colour("#2a2220"))
    skin, hair = plain(SKINS[int(own.integers(len(SKINS)))]), plain(HAIRS[int(own.integers(len(HAIRS)))])
    tall = rng.uniform(0.9, 1.06)
    stride, skirt = rng.uniform(0.06, 0.26), rng.random() < 0.45

    def at(x: float, y: float, z: float) -> Array:
        return frame.world((x * tall, y * tall, z * tall))

    def rod(a: Array, b: Array, thick: float, paint: Paint, flare: float = 0.75) -> Solid:
        return cylinder(a, b, thick * tall, paint, instance, flare=flare)

    solids = []
    for side, step in ((-0.09, stride), (0.09, -stride)):
        hip, knee, heel = at(side, 0.92, 0), at(side, 0.5, step * 0.6 + 0.04), at(side, 0.07, step)
        solids += [rod(hip, knee, 0.1, trousers), rod(knee + (hip - knee) * 0.12, heel, 0.075, trousers)]
        solids.append(
            ellipsoid(
                frame, (side * tall, 0.05 * tall, (step + 0.06) * tall), (0.055, 0.055, 0.14), shoes, instance, False
            )
        )
        shoulder, elbow = at(side * 2.3, 1.42, 0), at(side * 2.9, 1.14, -step * 0.5 - 0.05)
        hand = at(side * 2.8, 0.88, -step * 0.9 + 0.05)
        solids += [rod(shoulder, elbow, 0.068, coat), rod(elbow + (shoulder - elbow) * 0.15, hand, 0.055, coat)]
        solids.append(ellipsoid(frame, frame.local(hand), (0.045, 0.06, 0.045), skin, instance, False))
    hem = 0.55 if skirt else 0.84
    solids.append(rod(at(0, hem, 0), at(0, 1.3, 0), 0.2 if skirt else 0.185, coat, 0.92))
    solids.append(ellipsoid(frame, (0, 1.28 * tall, 0), (0.24 * tall, 0.25 * tall, 0.15 * tall), coat, instance))
    solids.append(rod(at(0, 1.42, 0), at(0, 1.58, 0.01), 0.055, skin, 1.0))
    solids.append(ellipsoid(frame, (0, 1.66 * tall, 0.01), (0.085, 0.12, 0.1), skin, instance, False))
    solids.append(ellipsoid(frame, (0, 1.7 * tall, -0.025), (0.098, 0.11, 0.105), hair, instance, False))
    if rng.random() < 0.3:
        solids.append(rod(at(0, 1.745, 0), at(0, 1.76, 0), 0.19, coat, 1.0))
        solids.append(rod(at(0, 1.75, 0), at(0, 1.85, 0), 0.105, coat, 0.9))
    return solids
