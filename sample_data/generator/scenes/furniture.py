"""Furniture. Each piece stands with its back at z = 0 of its frame and looks towards -z, about x = 0, on y = 0."""

from __future__ import annotations

import numpy as np

from .camera import unit
from .convex import Frame, Paint, Solid, box, cylinder, ellipsoid, pillow
from .fabrics import cloth
from .leaves import Leaves
from .points import Points
from .texture import colour, noise, shades
from .timber import furniture, lacquered

Array = np.ndarray

LINEN = colour("#efe9dd")
BOOKS = tuple(
    colour(code)
    for code in ("#a83a30", "#2f4a78", "#d0a848", "#3c6b4a", "#e6dcc8", "#6a3a5a", "#2a2a2e", "#c8703c", "#5a8a98")
)


def sofa(frame: Frame, wide: float, seats: int, style: str, base: Array, seed: int, instance: int) -> list[Solid]:
    """A sofa, or an armchair of one seat."""
    fabric, wood = cloth(frame, style, base, seed), lacquered(colour("#4a3020"))
    half, deep, arm = wide / 2, 0.88, 0.17
    solids = [
        box(frame, (-half + 0.02, 0.13, -deep + 0.04), (half - 0.02, 0.32, -0.02), fabric, instance, 0.03),
        box(frame, (-half + 0.02, 0.3, -0.24), (half - 0.02, 0.84, -0.02), fabric, instance, 0.06),
        pillow(frame, (-half + arm / 2, 0.38, -deep / 2), (arm / 2, 0.25, deep / 2), fabric, instance, 1.6),
        pillow(frame, (half - arm / 2, 0.38, -deep / 2), (arm / 2, 0.25, deep / 2), fabric, instance, 1.6),
    ]
    seat = (wide - 2 * arm) / seats
    for k in range(seats):
        x = -half + arm + (k + 0.5) * seat
        solids.append(pillow(frame, (x, 0.38, -0.52), (seat / 2 - 0.004, 0.095, 0.36), fabric, instance, 1.5))
        solids.append(pillow(frame, (x, 0.64, -0.29), (seat / 2 - 0.008, 0.21, 0.1), fabric, instance, 1.42))
    for x in (-half + 0.1, half - 0.1):
        for z in (-0.1, -deep + 0.1):
            solids.append(cylinder(frame.world((x, 0, z)), frame.world((x, 0.14, z)), 0.025, wood, instance))
    return solids


def cushion(
    frame: Frame,
    at: tuple[float, float, float],
    size: float,
    style: str,
    base: Array,
    seed: int,
    turn: float,
    instance: int,
) -> Solid:
    """A square cushion that stands at a place, turned about the vertical."""
    own = frame.place(at, turn)
    paint = cloth(own, style, base, seed)
    return pillow(own, (0, size, 0), (size, size, size * 0.36), paint, instance, 1.32, blocks=False)


def bed(frame: Frame, wide: float, style: str, base: Array, wood: Array, seed: int, instance: int) -> list[Solid]:
    """A bed whose head is at z = 0: frame, mattress, a blanket in folds, pillows."""
    half, long = wide / 2, 2.05
    timber, linen = furniture(frame, "oak", wood, seed), cloth(frame, "linen", LINEN, seed + 1)
    woven = cloth(frame, style, base, seed + 2)

    def blanket(points: Points) -> None:
        woven(points)
        x, y = points.on_box(frame)
        points.tilt(frame, 0.12 * noise(x, y, 0.16, seed, 1.6), 0.12 * noise(x, y, 0.16, seed + 4, 1.6))
        fold = frame.local(points.position)[:, 2] > -0.78
        points.albedo[fold] = shades(LINEN, 0.05 * noise(x, y, 0.4, seed))[fold]

    solids = [
        box(frame, (-half - 0.05, 0.12, -long - 0.03), (half + 0.05, 0.32, 0), timber, instance, 0.015),
        box(frame, (-half - 0.05, 0, -0.07), (half + 0.05, 1.05, 0), timber, instance, 0.02),
        pillow(frame, (0, 0.42, -long / 2 - 0.02), (half, 0.14, long / 2 - 0.04), linen, instance, 1.7),
        pillow(frame, (0, 0.44, -long / 2 - 0.28), (half + 0.06, 0.17, long / 2 - 0.26), blanket, instance, 1.75),
    ]
    for x in (-half + 0.1, half - 0.1):
        for z in (-0.1, -long + 0.08):
            solids.append(
                box(frame, (x - 0.04, 0, z - 0.04), (x + 0.04, 0.14, z + 0.04), timber, instance, blocks=False)
            )
    for x in (-half / 2, half / 2) if wide > 1.2 else (0.0,):
        solids.append(pillow(frame, (x, 0.63, -0.36), (min(0.36, half * 0.46), 0.1, 0.24), linen, instance, 1.3))
    return solids


def table(
    frame: Frame, wide: float, deep: float, high: float, style: str, base: Array, seed: int, instance: int, round_: bool
) -> list[Solid]:
    """A table about the middle of its frame: on four legs, or round on one foot."""
    paint = furniture(frame, style, base, seed)
    if round_:
        top = frame.world((0, high, 0))
        down = np.float32([0, 0.035, 0])
        return [
            cylinder(top - down, top, wide / 2, paint, instance, blocks=True),
            cylinder(frame.world((0, 0.03, 0)), top - down, 0.05, paint, instance, flare=0.6),
            cylinder(frame.world((0, 0, 0)), frame.world((0, 0.035, 0)), wide * 0.24, paint, instance, blocks=True),
        ]
    x, z = wide / 2, deep / 2
    solids = [box(frame, (-x, high - 0.035, -z), (x, high, z), paint, instance, 0.01)]
    solids.append(
        box(frame, (-x + 0.05, high - 0.11, -z + 0.05), (x - 0.05, high - 0.035, z - 0.05), paint, instance, 0.01)
    )
    for sx in (-1, 1):
        for sz in (-1, 1):
            a, b = sx * (x - 0.06), sz * (z - 0.06)
            solids.append(
                box(frame, (a - 0.03, 0, b - 0.03), (a + 0.03, high - 0.05, b + 0.03), paint, instance, 0.008)
            )
    return solids


def chair(frame: Frame, style: str, base: Array, seed: int, instance: int, seat: Array | None) -> list[Solid]:
    """A wooden chair about the middle of its frame, its back at +z; with a seat of cloth where there is one."""
    paint = furniture(frame, style, base, seed)
    solids = [box(frame, (-0.21, 0.42, -0.21), (0.21, 0.455, 0.21), paint, instance, 0.015)]
    if seat is not None:
        solids.append(
            pillow(frame, (0, 0.475, 0), (0.2, 0.03, 0.2), cloth(frame, "wool", seat, seed), instance, 1.5, False)
        )
    for x in (-0.18, 0.18):
        solids.append(
            cylinder(frame.world((x, 0, -0.18)), frame.world((x * 0.95, 0.43, -0.17)), 0.02, paint, instance, flare=0.8)
        )
        solids.append(cylinder(frame.world((x, 0, 0.2)), frame.world((x, 0.45, 0.18)), 0.02, paint, instance))
        solids.append(cylinder(frame.world((x, 0.44, 0.19)), frame.world((x, 0.92, 0.25)), 0.018, paint, instance))
    for low in (0.56, 0.69, 0.82):
        z = 0.2 + 0.06 * (low - 0.45) / 0.47
        solids.append(
            box(frame, (-0.18, low, z - 0.008), (0.18, low + 0.07, z + 0.014), paint, instance, 0.008, low > 0.8)
        )
    return solids


def shelf(
    rng: np.random.Generator,
    frame: Frame,
    wide: float,
    high: float,
    style: str,
    base: Array,
    seed: int,
    instance: int,
    tones: np.random.Generator,
) -> list[Solid]:
    """A case of shelves with books, some lying, and a few pots. `tones` draws the colours of the books."""
    paint, deep, half = furniture(frame, style, base, seed), 0.3, wide / 2
    solids = [
        box(frame, (-half, 0, -deep), (-half + 0.025, high, 0), paint, instance, 0.004),
        box(frame, (half - 0.025, 0, -deep), (half, high, 0), paint, instance, 0.004),
        box(frame, (-half, 0, -0.02), (half, high, 0), paint, instance),
    ]
    levels = max(2, round(high / 0.36))
    step = (high - 0.08) / levels
    for level in range(levels + 1):
        y = 0.06 + level * step - 0.0125
        solids.append(box(frame, (-half, y, -deep), (half, y + 0.025, 0), paint, instance, 0.004))
        if level < levels:
            solids += _books(rng, frame, half - 0.03, y + 0.025, step - 0.05, instance, tones)
    return solids


def _books(
    rng: np.random.Generator,
    frame: Frame,
    half: float,
    y: float,
    room: float,
    instance: int,
    tones: np.random.Generator,
) -> list[Solid]:
    solids, x = [], -half + rng.uniform(0, 0.1)
    while x < half - 0.05:
        if rng.random() < 0.1:
            x += rng.uniform(0.05, 0.22)
            continue
        thick, tall = rng.uniform(0.022, 0.055), room * rng.uniform(0.62, 0.97)
        if x + thick > half:
            break
        binding = lacquered(BOOKS[int(tones.integers(len(BOOKS)))] * tones.uniform(0.7, 1.15), 0.02)
        solids.append(
            box(frame, (x, y, -rng.uniform(0.2, 0.27)), (x + thick, y + tall, -0.02), binding, instance, 0.004, False)
        )
        x += thick + 0.001
    return solids


def shade(paint: Paint, bottom: Array, high: float, radius: float, instance: int) -> Solid:
    """A lampshade."""
    return cylinder(bottom, np.float32(bottom) + np.float32([0, high, 0]), radius, paint, instance, flare=0.86)


def lamp(frame: Frame, kind: str, high: float, base: Array, lit: float, instance: int) -> tuple[list[Solid], Array]:
    """A "floor", "table" or "pendant" lamp (`high` is the foot, the pendant's ceiling) and the place of its light."""
    metal = lacquered(colour("#3a3632"), 0.08)

    def glowing(points: Points) -> None:
        y = points.position[:, 1]
        up = (y - y.min()) / max(float(np.ptp(y)), 1e-3)
        points.albedo[:] = base
        warm = base * colour("#ffd9a0")
        points.glow[:] = warm * (lit * (0.95 - 1.1 * np.abs(up - 0.45)))[:, None]

    if kind == "floor":
        top = 1.42
        solids = [
            cylinder(frame.world((0, 0, 0)), frame.world((0, 0.03, 0)), 0.15, metal, instance),
            cylinder(frame.world((0, 0, 0)), frame.world((0, top + 0.1, 0)), 0.014, metal, instance),
            shade(glowing, frame.world((0, top, 0)), 0.3, 0.22, instance),
        ]
        return solids, frame.world((0, top + 0.12, 0))
    if kind == "table":
        pot = lacquered(base * 0.6 + 0.1, 0.06)
        solids = [
            ellipsoid(frame, (0, high + 0.1, 0), (0.075, 0.11, 0.075), pot, instance, False),
            cylinder(frame.world((0, high + 0.1, 0)), frame.world((0, high + 0.28, 0)), 0.012, metal, instance),
            shade(glowing, frame.world((0, high + 0.25, 0)), 0.19, 0.14, instance),
        ]
        return solids, frame.world((0, high + 0.34, 0))
    solids = [
        cylinder(frame.world((0, high - 0.95, 0)), frame.world((0, high, 0)), 0.008, metal, instance),
        shade(glowing, frame.world((0, high - 1.15, 0)), 0.22, 0.26, instance),
    ]
    return solids, frame.world((0, high - 1.1, 0))


def plant(
    rng: np.random.Generator, frame: Frame, high: float, base: Array, pot: Array, instance: int, broad: bool
) -> tuple[list[Solid], Leaves]:
    """A plant in a pot: broad leaves on stems, or a fountain of slender ones."""
    size = 0.045 + 0.14 * high
    solids = [
        cylinder(
            frame.world((0, 0, 0)), frame.world((0, size * 1.5, 0)), size, lacquered(pot, 0.03), instance, True, 0.86
        )
    ]
    count = int(26 + 60 * high)
    angle, rise = rng.uniform(0, 2 * np.pi, count), rng.uniform(0.05, 1, count)
    out = np.stack([np.cos(angle), 0.25 + 1.3 * rise, np.sin(angle)], axis=1)
    foot = frame.world((0, size * 1.4, 0))
    reach = (high - size * 1.5) * rng.uniform(0.55, 1.0, count)
    if broad:
        centre = foot + unit(out) * reach[:, None] * np.float32([0.62, 1, 0.62])
        a = unit(out * np.float32([1, -0.1, 1]) + 0.35 * rng.normal(size=(count, 3)))
        length, breadth = 0.05 + 0.11 * high, 0.55
    else:
        centre = foot + unit(out) * reach[:, None] * np.float32([0.5, 0.62, 0.5])
        a = unit(out * np.float32([1, 0.75, 1]))
        length, breadth = 0.34 * high, 0.1
    scale = (length * rng.uniform(0.7, 1.15, count)).astype(np.float32)[:, None]
    b = unit(np.cross(a, np.float32([0, 1, 0]) + 0.3 * rng.normal(size=(count, 3))))
    normal = np.cross(a, b)
    normal = unit(normal * np.sign(normal[:, 1:2]) + np.float32([0, 0.2, 0]))
    colours = np.stack([base * 0.5, base, base * 1.15, np.clip(base * np.float32([1.5, 1.35, 0.9]), 0, 0.9)]).astype(
        np.float32
    )
    sky = np.clip(0.45 + 0.5 * (centre[:, 1] - foot[1]) / high, 0.2, 1).astype(np.float32)
    cloud = Leaves(
        centre.astype(np.float32),
        a * scale,
        b * scale * breadth,
        sky,
        rng.random(count).astype(np.float32),
        normal,
        colours,
        instance,
    )
    cloud.box = foot + np.float32([0, high * 0.4, 0]), np.eye(3, dtype=np.float32), np.float32([0.2, 0.3, 0.2]) * high
    return solids, cloud
