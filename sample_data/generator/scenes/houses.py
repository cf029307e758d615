"""Houses: walls with windows and doors, roofs with gables or hips, chimneys, sills, shop fronts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from . import masonry
from .convex import Frame, Paint, Solid, box, prism
from .facade import Opening, cut, door, shop, window
from .points import Points
from .styles import Looks
from .texture import colour, line, noise, shades

Array = np.ndarray

CURTAINS = tuple(colour(code) for code in ("#e8e2d6", "#d8c8a8", "#c89090", "#90a4b8"))
GOODS = tuple(colour(code) for code in ("#d84a3a", "#e8b040", "#3a8ab0", "#6aa04a", "#e8e0d0", "#b05a90"))


GLASS_DEPTH = 0.13


@dataclass(frozen=True)
class Plan:
    """The measures of a house, in metres, its front along x from 0 to `wide`, its depth along z."""

    wide: float
    deep: float
    storeys: int
    storey: float
    rise: float
    gable_to_front: bool
    shop: bool
    bays: int
    door_bay: int
    chimney: float
    shutters: bool
    flowers: bool
    dormers: bool
    seed: int

    @property
    def eaves(self) -> float:
        """Height of the walls."""
        return 0.35 + self.storeys * self.storey


@dataclass
class Numbers:
    """Gives objects their instance numbers: class * 1000 + 0, 1, 2, ..."""

    names: Sequence[str]
    used: dict[int, int] = field(default_factory=dict)

    def next(self, name: str) -> int:
        """The next free number of a class."""
        number = self.names.index(name)
        count = self.used.get(number, 0)
        self.used[number] = count + 1
        return number * 1000 + count


def plan(rng: np.random.Generator, wide: float, town: bool) -> Plan:
    """Draw the measures of a house."""
    storeys = int(rng.choice([2, 3, 4], p=[0.5, 0.38, 0.12])) if town else int(rng.integers(1, 3))
    bays = max(2, round(wide / rng.uniform(1.9, 2.7)))
    return Plan(
        wide, float(rng.uniform(8, 12)), storeys, float(rng.uniform(2.75, 3.3)), float(rng.uniform(1.9, 3.8)),
        bool(rng.random() < 0.35), bool(town and rng.random() < 0.45), bays, int(rng.integers(bays)),
        float(rng.uniform(0.15, 0.85)), bool(rng.random() < 0.35), bool(rng.random() < 0.4), bool(rng.random() < 0.45),
        int(rng.integers(1 << 30)),
    )  # fmt: skip


def house(plan: Plan, frame: Frame, looks: Looks, numbers: Numbers) -> list[Solid]:
    """The solids of a house that stands at a frame."""
    body, roof = numbers.next("building"), numbers.next("roof")
    style = looks.style("building", body)
    base = looks.base("building", style, body)
    openings, extra = _openings(plan, frame, looks, numbers, body)
    sides = _side_openings(plan, frame, openings)
    trim = shades(colour("#e6dfd0"), looks.rng(body, 3).uniform(-0.6, 0.05, 1))[0]

    def paint(points: Points) -> None:
        masonry.wall(points, frame, style, base, plan.seed)
        height = frame.local(points.position)[:, 1]
        plinth = height < 0.4
        points.albedo[plinth] = points.albedo[plinth] * 0.25 + colour("#8a857c") * 0.5
        cut(points, frame, openings, trim * 0.8, trim)
        for side_frame, holes in sides:
            cut(points, side_frame, holes, trim * 0.8, trim)

    if plan.dormers and not plan.gable_to_front and plan.rise > 2.4:
        glass = next(hole for hole in openings if hole.deep == GLASS_DEPTH)
        wood = looks.base("window", looks.style("window", glass.instance), glass.instance)
        extra += _dormers(plan, frame, looks, roof, glass.instance, wood)
    return [*_walls(plan, frame, paint, body), *_roof(plan, frame, looks, roof), *extra]


def _walls(plan: Plan, frame: Frame, paint: Paint, instance: int) -> list[Solid]:
    w, d, h, top = plan.wide, plan.deep, plan.eaves, plan.eaves + plan.rise
    if plan.gable_to_front:
        return [prism(frame, [(0, 0), (w, 0), (w, h), (w / 2, top), (0, h)], 0, d, paint, instance, axis="z")]
    return [prism(frame, [(0, h), (0, 0), (d, 0), (d, h), (d / 2, top)][::1], 0, w, paint, instance, axis="x")]


def _roof(plan: Plan, frame: Frame, looks: Looks, instance: int) -> list[Solid]:
    """Two slabs that lean on each other, and a chimney."""
    style = looks.style("roof", instance)
    base = looks.base("roof", style, instance)
    w, d, h = plan.wide, plan.deep, plan.eaves
    half = w / 2 if plan.gable_to_front else d / 2
    length = d if plan.gable_to_front else w
    slope = plan.rise / half
    out, thick, over = 0.38, 0.16, 0.22
    steep = np.hypot(1, slope)

    def paint(points: Points) -> None:
        local = frame.local(points.position)
        along, across = (local[:, 2], local[:, 0]) if plan.gable_to_front else (local[:, 0], local[:, 2])
        up = (half - np.abs(across - half) + out) * steep
        masonry.roof(points, (along, up), style, base, plan.seed + 9)
        under = frame.turn(points.normal)[:, 1] < 0.2
        points.albedo[under] = colour("#cfc6b6") * 0.6
        ridge = np.abs(across - half) < 0.13
        points.albedo[ridge & ~under] *= 0.62

    low = h - out * slope
    left = [(-out, low), (half, h + plan.rise), (half, h + plan.rise + thick * steep), (-out, low + thick * steep)]
    right = [(2 * half - z, y) for z, y in left[::-1]]
    axis = "z" if plan.gable_to_front else "x"
    start, end = (-over, length + over) if plan.gable_to_front else (-0.02, length + 0.02)
    solids = [prism(frame, outline, start, end, paint, instance, axis=axis) for outline in (left, right)]
    solids.append(_chimney(plan, frame, looks, instance))
    return solids


def _chimney(plan: Plan, frame: Frame, looks: Looks, instance: int) -> Solid:
    base = shades(colour("#8a5240"), looks.rng(instance, 8).uniform(-0.4, 0.4, 1))[0]

    def paint(points: Points) -> None:
        masonry.brick(points, frame, base, plan.seed + 4)
        top = frame.local(points.position)[:, 1] > plan.eaves + plan.rise + 0.65
        points.albedo[top] *= 0.6

    if plan.gable_to_front:
        x, z = plan.wide * 0.5, plan.deep * plan.chimney
    else:
        x, z = plan.wide * plan.chimney, plan.deep * 0.5
    top = plan.eaves + plan.rise
    return box(frame, (x - 0.35, plan.eaves, z - 0.3), (x + 0.35, top + 0.9, z + 0.3), paint, instance)


def _glazing(looks: Looks, numbers: Numbers) -> tuple[int, Array]:
    number = numbers.next("window")
    return number, looks.base("window", looks.style("window", number), number)


def _window(looks: Looks, frame_colour: Array, panes: Array, key: int) -> object:
    rng = looks.rng(panes, key)
    lit = float(rng.random() < 0.6) * rng.uniform(0.6, 1.1)
    curtain = CURTAINS[int(rng.integers(len(CURTAINS)))] if rng.random() < 0.65 else None
    return window(frame_colour, colour("#1c1f24") * rng.uniform(0.5, 1.6), lit, curtain)


def _openings(plan: Plan, frame: Frame, looks: Looks, numbers: Numbers, body: int) -> tuple[list[Opening], list[Solid]]:
    """Windows in bays on each storey, the door on the ground floor, a shop front where there is one; and the sills."""
    rng = np.random.default_rng((plan.seed, 1))
    glass, wood = _glazing(looks, numbers)
    entrance = numbers.next("door")
    leaf = looks.base("door", looks.style("door", entrance), entrance)
    pitch = plan.wide / plan.bays
    wide, tall = min(pitch * 0.56, rng.uniform(0.85, 1.35)), plan.storey * rng.uniform(0.46, 0.58)
    panes = [(2, 2), (2, 3), (1, 2), (3, 3), (2, 1)][int(rng.integers(5))]
    openings, extra = [], []
    for level in range(plan.storeys):
        for bay in range(plan.bays):
            middle = (bay + 0.5) * pitch
            if level == 0 and bay == plan.door_bay:
                fill = door(leaf, plan.seed, glazed=plan.storey > 2.9)
                openings.append(Opening(middle - 0.52, 0.12, 1.04, 2.4, entrance, fill, 0.22, 0.14))
                extra.append(box(frame, (middle - 0.8, 0, -0.45), (middle + 0.8, 0.12, 0), _stone, body, 0.02))
                continue
            if level == 0 and plan.shop:
                goods = [GOODS[int(k)] for k in looks.rng(glass, bay).integers(0, len(GOODS), 4)]
                fill = shop(wood, goods, plan.seed % 89 + bay)
                openings.append(Opening(middle - pitch * 0.44, 0.5, pitch * 0.88, 2.05, glass, fill, 0.12, 0.09))
                continue
            low = 0.35 + level * plan.storey + 0.85 + (0.12 if level else 0)
            pane = _window(looks, wood, glass, level * 31 + bay)
            openings.append(Opening(middle - wide / 2, low, wide, tall, glass, pane, GLASS_DEPTH, 0.1, panes, bay))
            sill = (middle - wide / 2 - 0.12, low - 0.1, -0.1), (middle + wide / 2 + 0.12, low - 0.02, 0.02)
            extra.append(box(frame, *sill, _stone, body, blocks=False))
            if plan.shutters and wide * 1.1 < pitch - 0.25:
                extra += _shutters(frame, middle, low, wide, tall, wood, glass)
            elif level and plan.flowers:
                extra.append(
                    box(
                        frame,
                        (middle - wide / 2, low, -0.2),
                        (middle + wide / 2, low + 0.16, -0.03),
                        _clay,
                        glass,
                        0.01,
                        False,
                    )
                )
    if plan.shop:
        extra += _awning(plan, frame, looks, body)
    for level in range(1, plan.storeys):
        y = 0.35 + level * plan.storey
        extra.append(box(frame, (0, y, -0.06), (plan.wide, y + 0.14, 0), _stone, body, 0.01, False))
    extra.append(box(frame, (0, plan.eaves - 0.3, -0.12), (plan.wide, plan.eaves - 0.06, 0), _stone, body, 0.02, False))
    if plan.gable_to_front and plan.rise > 2.6:
        attic = _window(looks, wood, glass, 999)
        openings.append(Opening(plan.wide / 2 - 0.4, plan.eaves + 0.35, 0.8, 1.1, glass, attic, GLASS_DEPTH, 0.1))
    return openings, extra


def _shutters(
    frame: Frame, middle: float, low: float, wide: float, tall: float, base: Array, instance: int
) -> list[Solid]:
    """A pair of open shutters with slats."""

    def paint(points: Points) -> None:
        y = frame.local(points.position)[:, 1]
        slat = line((y / 0.09 % 1 - 0.5) * 0.09, 0.014, points.width)
        points.albedo = shades(base, -0.9 * slat)

    leaf = wide * 0.46
    sides = (middle - wide / 2 - leaf - 0.04, middle + wide / 2 + 0.04)
    return [box(frame, (x, low, -0.05), (x + leaf, low + tall, 0), paint, instance, 0.008, False) for x in sides]


def _clay(points: Points) -> None:
    points.albedo[:] = colour("#8a5a40")


def _dormers(plan: Plan, frame: Frame, looks: Looks, roof: int, glass: int, wood: Array) -> list[Solid]:
    """Small windows that look out of the front slope of the roof."""
    slope = plan.rise / (plan.deep / 2)
    front = 0.9
    foot = plan.eaves + front * slope
    tone = shades(colour("#e6dfd0"), looks.rng(roof, 3).uniform(-0.5, 0, 1))[0]
    cover = looks.base("roof", looks.style("roof", roof), roof) * 0.8
    solids = []
    for k in range(max(1, plan.bays // 2)):
        x = plan.wide * (k + 0.5) / max(1, plan.bays // 2)
        own = frame.place((x, foot, front))
        hole = Opening(-0.34, 0.2, 0.68, 0.86, glass, _window(looks, wood, glass, 500 + k), 0.1, 0.06)

        def cheek(points: Points, own: Frame = own, hole: Opening = hole) -> None:
            points.albedo[:] = tone
            cut(points, own, [hole], tone, tone)

        def lid(points: Points) -> None:
            points.albedo[:] = cover

        back = min(1.3 / slope, plan.deep / 2 - front)
        gable = [(-0.55, -0.6), (0.55, -0.6), (0.55, 1.15), (0, 1.5), (-0.55, 1.15)]
        solids.append(prism(own, gable, 0, back, cheek, roof, axis="z", blocks=False))
        for outline in (
            [(-0.72, 1.04), (0, 1.5), (0, 1.6), (-0.72, 1.14)],
            [(0, 1.5), (0.72, 1.04), (0.72, 1.14), (0, 1.6)],
        ):
            solids.append(prism(own, outline, -0.12, back, lid, roof, axis="z", blocks=False))
    return solids


def _stone(points: Points) -> None:
    x, _, z = points.position.T
    points.albedo = shades(colour("#bdb6a8"), 0.12 * noise(x + z, z, 0.4, 3))


def _awning(plan: Plan, frame: Frame, looks: Looks, body: int) -> list[Solid]:
    """A striped awning over a shop front."""
    rng = looks.rng(body, 21)
    cloth = GOODS[int(rng.integers(4))] * 0.9

    def paint(points: Points) -> None:
        x = frame.local(points.position)[:, 0]
        points.albedo = np.where((x / 0.45 % 1 > 0.5)[:, None], cloth, colour("#ece6d8")).astype(np.float32)
        points.through[:] = 0.25

    outline = [(-1.15, 2.62), (-1.15, 2.56), (0, 3.02), (0, 3.12)]
    return [prism(frame, outline, 0.25, plan.wide - 0.25, paint, body, axis="x")]


def _side_openings(plan: Plan, frame: Frame, front: Sequence[Opening]) -> list[tuple[Frame, list[Opening]]]:
    """A few windows in each flank, with the glass of the front."""
    rng = np.random.default_rng((plan.seed, 2))
    pattern = next((hole for hole in front if hole.deep == GLASS_DEPTH), None)
    result = []
    for origin, yaw in (((0, 0, plan.deep), np.pi / 2), ((plan.wide, 0, 0), -np.pi / 2)):
        side, holes = frame.place(origin, yaw), []
        for level in range(plan.storeys if pattern else 0):
            for middle in (plan.deep * 0.28, plan.deep * 0.7):
                if pattern is None or rng.random() < 0.3:
                    continue
                low = 0.35 + level * plan.storey + 0.95
                holes.append(
                    Opening(
                        middle - pattern.wide / 2, low, pattern.wide, pattern.high, pattern.instance,
                        pattern.fill, GLASS_DEPTH, 0.1, pattern.panes,
                    )
                )  # fmt: skip
        result.append((side, holes))
    return result
