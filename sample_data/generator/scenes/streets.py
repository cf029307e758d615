"""Layouts of streets: a town street, a village lane, an avenue, a square, houses across the road."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import grounds
from .camera import perspective
from .cars import MODELS, car
from .churches import church
from .convex import Frame, box
from .daylight import DAYLIGHT
from .film import Scene
from .houses import Numbers, house, plan
from .outdoors import Outdoors, render
from .people import person
from .points import Points
from .street_lamps import bollard, lamp
from .styles import STREETS, Looks
from .texture import colour, line
from .trees import SHAPES, blades, hedge, palette, tree

Array = np.ndarray

ROAD, PAVEMENT, GRASS, HILL = 2, 3, 4, 13


@dataclass(frozen=True)
class Course:
    """The measures of a street along z, in metres: half width of its road, pavements left and right, front gardens, its
    end, gaps between houses, and whether it is in a town."""

    kind: str
    road: float
    left: float
    right: float
    garden: float
    end: float
    gap: tuple[float, float]
    town: bool

    def front(self, side: int) -> float:
        """Metres from the middle to the fronts of the houses of a side (-1 left, 1 right)."""
        return self.road + (self.left if side < 0 else self.right) + self.garden


KINDS = ("town", "lane", "avenue", "square", "across")


def course(rng: np.random.Generator) -> Course:
    """Draw the measures of a street."""
    kind = KINDS[int(rng.choice(len(KINDS), p=[0.26, 0.24, 0.16, 0.14, 0.2]))]
    road, walk = rng.uniform(2.7, 3.8), rng.uniform(1.6, 3.0)
    end = float(rng.uniform(38, 95))
    if kind == "lane" or (kind == "across" and rng.random() < 0.5):
        return Course(
            kind,
            rng.uniform(2.3, 3),
            rng.uniform(0.9, 1.5),
            rng.uniform(0.9, 1.5),
            rng.uniform(3, 5.5),
            end,
            (1.5, 6),
            False,
        )
    if kind == "avenue":
        return Course(kind, road, 4.2, 4.2, float(rng.choice([0, 2.5])), end, (0, 0), True)
    if kind == "square":
        return Course(kind, 2.8, 2.0, rng.uniform(11, 17), 0.0, float(rng.uniform(28, 42)), (0, 0), True)
    return Course(kind, road, walk, walk, float(rng.choice([0, 0, 2.0])), end, (0, 0), True)


def built(layout_seed: int, styles_seed: int, size: tuple[int, int]) -> Scene:
    """A street of a layout in the looks of another seed."""
    rng = np.random.default_rng((layout_seed, 1))
    looks, numbers = Looks("streets", styles_seed), Numbers(STREETS)
    plan_ = course(rng)
    world, heading = _view(rng, plan_, looks, size)
    near = world.camera.eye
    _ground(world, plan_, looks, layout_seed)
    for side in (-1, 1):
        _row(world, rng, plan_, side, looks, numbers)
    _end(world, rng, plan_, looks, numbers)
    _trees(world, rng, plan_, looks, numbers)
    _cars(world, rng, plan_, looks, numbers)
    _lamps(world, rng, plan_, looks, numbers)
    _people(world, rng, plan_, looks, numbers, heading)
    _tufts(world, rng, plan_, looks, near)
    return render(world, looks.chosen)


def _view(rng: np.random.Generator, plan_: Course, looks: Looks, size: tuple[int, int]) -> tuple[Outdoors, float]:
    side = -1 if rng.random() < 0.5 and plan_.kind != "square" else 1
    if plan_.kind == "across":
        x, heading, focal = -side * (plan_.front(-side) - 0.9), side * rng.uniform(0.85, 1.45), rng.uniform(0.85, 1.1)
    elif plan_.kind == "square":
        x, heading, focal = rng.uniform(0, 9), rng.uniform(-0.25, 0.35), rng.uniform(0.9, 1.2)
    else:
        lean = rng.uniform(0.2, 0.95)
        x, heading, focal = -side * plan_.road * lean, side * rng.uniform(0.02, 0.42), rng.uniform(0.95, 1.4)
    height = float(rng.choice([1.6, 1.75, 2.2, 3.0]))
    eye = np.float32([x, height, 0])
    camera = perspective(eye, heading, focal, (2 * size[0], 2 * size[1]), rng.uniform(0.56, 0.68))
    look = looks.style("sky", 1)
    day = DAYLIGHT[look]
    own = looks.rng(1, 4)
    sun = day.towards_sun(_azimuth(own, heading, plan_.kind == "across"), own)
    hill = looks.base("hill", looks.style("hill", HILL), HILL)
    looks.chosen[0] = 0
    return Outdoors(camera, day, sun, hill, float(rng.uniform(0.05, 0.2)), int(rng.integers(1 << 20))), heading


def _azimuth(rng: np.random.Generator, heading: float, across: bool) -> float:
    """Where the sun stands, so that it reaches the fronts: behind the eye, or near the street's own direction."""
    side = float(rng.choice([-1, 1]))
    if across:
        return heading + np.pi + side * rng.uniform(0.3, 1.0)
    along = 0.0 if rng.random() < 0.3 else np.pi
    return along + side * rng.uniform(0.3, 0.9)


def _ground(world: Outdoors, plan_: Course, looks: Looks, seed: int) -> None:
    """The road, and on each side the pavement, its kerb, and what lies behind it."""
    road = looks.style("road", ROAD)
    road_base = looks.base("road", road, ROAD, 0.03)
    walk = looks.style("pavement", PAVEMENT)
    walk_base = looks.base("pavement", walk, PAVEMENT, 0.03)
    looks.style("grass", GRASS)
    lawn = looks.base("grass", looks.style("grass", GRASS), GRASS, 0.03)
    marked = road in ("asphalt", "concrete")
    parking = plan_.town and plan_.kind != "square"

    def carriageway(points: Points) -> None:
        grounds.road(points, road, road_base, seed % 991)
        x, _, z = points.position.T
        if marked:
            dash = line(np.abs(x), 0.07, points.width) * (z / 6 % 1 < 0.5)
            edge = line(np.abs(x) - plan_.road + 2.15, 0.05, points.width) * parking * 0.8
            worn = np.clip(dash + edge, 0, 1) * 0.85
            points.albedo = (points.albedo * (1 - worn[:, None]) + grounds.PAINT * worn[:, None]).astype(np.float32)
        gutter = np.clip(1 - (plan_.road - np.abs(x)) / 0.5, 0, 1)
        points.albedo *= 1 - 0.3 * gutter[:, None]

    def beside(points: Points) -> None:
        x, y, z = points.position.T
        wide = np.where(x < 0, plan_.left, plan_.right)
        out = np.abs(x) - plan_.road
        grounds.pavement(points, walk, walk_base, seed % 983)
        kerb = (out < 0.16) & (z < plan_.end)
        points.albedo[kerb] = (points.albedo[kerb] * 0.3 + colour("#a09c94") * 0.6) * (1 - 0.4 * (y[kerb, None] < 0.1))
        green = (out > wide) if plan_.garden > 0 or not plan_.town else (z > plan_.end + 30)
        green = green | ((z > plan_.end + 14) & (not plan_.town))
        if green.any():
            part = np.flatnonzero(green)
            points.albedo[part] = grounds.turf(x[part], z[part], points.width[part], lawn, seed % 977)
            points.instance[part] = GRASS

    flat = Frame()
    far = 400.0
    ends = far if plan_.kind == "lane" else plan_.end
    world.solids.append(box(flat, (-plan_.road, -1, -60), (plan_.road, 0, ends), carriageway, ROAD, blocks=False))
    for low, high in ((-far, -plan_.road), (plan_.road, far)):
        world.solids.append(box(flat, (low, -1, -60), (high, 0.12, far), beside, PAVEMENT, 0.03, False))
    if plan_.kind != "lane":
        world.solids.append(
            box(flat, (-plan_.road, -1, plan_.end), (plan_.road, 0.12, far), beside, PAVEMENT, 0.03, False)
        )


def _row(world: Outdoors, rng: np.random.Generator, plan_: Course, side: int, looks: Looks, numbers: Numbers) -> None:
    """Houses along one side, from behind the eye to the end of the street."""
    x = side * plan_.front(side)
    z, eye = -9.0 + rng.uniform(0, 4), world.camera.eye
    if plan_.kind == "across" and np.sign(x) == np.sign(eye[0]):
        return
    while z < plan_.end - 4:
        wide = float(rng.uniform(5.5, 10.5))
        measures = plan(rng, wide, plan_.town)
        setback = 0.0 if plan_.town else float(rng.uniform(-0.8, 1.5))
        origin = np.float32([x + side * setback, 0.12, z + wide if side > 0 else z])
        frame = Frame(origin, np.pi / 2 if side > 0 else -np.pi / 2)
        if z + wide > 1.0 or np.abs(x - eye[0]) > 9:
            solids = house(measures, frame, looks, numbers)
            world.solids += solids if z < 45 else [solid for solid in solids if solid.blocks]
            if plan_.garden > 1.2 and z < 50:
                _garden(world, rng, plan_, side, z, wide, looks, numbers)
        z += wide + float(rng.uniform(*plan_.gap))


def _garden(
    world: Outdoors,
    rng: np.random.Generator,
    plan_: Course,
    side: int,
    z: float,
    wide: float,
    looks: Looks,
    numbers: Numbers,
) -> None:
    """A hedge along the pavement with a gap for the path, and flowers below the windows."""
    start = side * (plan_.road + (plan_.left if side < 0 else plan_.right))
    frame = Frame(np.float32([start, 0.12, z]), -np.pi / 2)  # x along z, z to the left
    near = float(max(3, np.linalg.norm(world.camera.eye - frame.world((wide / 2, 0, 0)))))
    depth = (0.1, 0.65) if side < 0 else (-0.65, -0.1)
    if rng.random() < 0.65:
        number = numbers.next("tree")
        style = looks.style("tree", number)
        colours = palette(looks.base("tree", style, number), style)
        high, path = rng.uniform(0.7, 1.15), rng.uniform(0.25, 0.7) * wide
        for a, b in ((0.2, path - 0.6), (path + 0.6, wide - 0.2)):
            if b - a > 0.6:
                low, top = np.float32([a, 0, depth[0]]), np.float32([b, high, depth[1]])
                world.leaves.append(hedge(rng, frame, low, top, number, colours, near))
    back = plan_.garden - 0.9
    bed = (back, back + 0.6) if side < 0 else (-back - 0.6, -back)
    petals = [("#d8405c", "#f0a0b8"), ("#e8b830", "#f4e08a"), ("#7a5ac0", "#b8a0e8"), ("#e8e4dc", "#f4f0ea")][
        int(rng.integers(4))
    ]
    leaf = colour("#3f6f30")
    tints = np.stack([leaf, leaf * 1.3, colour(petals[0]), colour(petals[1])])
    for a in np.arange(0.4, wide - 1.2, 1.5):
        if rng.random() < 0.6:
            low, top = np.float32([a, 0, bed[0]]), np.float32([a + 1.3, rng.uniform(0.3, 0.65), bed[1]])
            world.leaves.append(hedge(rng, frame, low, top, GRASS, tints, near))


def _end(world: Outdoors, rng: np.random.Generator, plan_: Course, looks: Looks, numbers: Numbers) -> None:
    """Houses across the end of the street, or trees in the open; a church behind them now and then."""
    if rng.random() < 0.35:
        beside = float(rng.uniform(-9, 9))
        at = Frame(np.float32([beside, 0.12, plan_.end + rng.uniform(20, 30)]), float(rng.normal(0, 0.3)))
        world.solids += church(at, float(rng.uniform(14, 21)), looks, numbers, int(rng.integers(1000)))
    if plan_.town:
        x = -plan_.front(-1) - 16
        while x < plan_.front(1) + 14:
            wide = float(rng.uniform(6.5, 11))
            frame = Frame(np.float32([x, 0.12, plan_.end + 7]), 0.0)
            solids = house(plan(rng, wide, True), frame, looks, numbers)
            world.solids += solids if plan_.end < 40 else [solid for solid in solids if solid.blocks]
            x += wide
        return
    for _ in range(12):
        at = np.float32([rng.uniform(-45, 45), 0.1, plan_.end + rng.uniform(4, 60)])
        if abs(at[0]) > plan_.road + 2:
            _plant(world, rng, at, rng.uniform(5, 10), looks, numbers)


def _plant(
    world: Outdoors, rng: np.random.Generator, at: Array, height: float, looks: Looks, numbers: Numbers, shape: str = ""
) -> None:
    number = numbers.next("tree")
    style = looks.style("tree", number)
    near = float(np.linalg.norm(at - world.camera.eye)) * 512 / world.camera.size[0]
    shape = shape or SHAPES[int(rng.integers(len(SHAPES)))]
    solids, leaves = tree(rng, at, float(height), shape, number, looks.base("tree", style, number), style, near)
    world.solids += solids
    world.leaves.append(leaves)


def _trees(world: Outdoors, rng: np.random.Generator, plan_: Course, looks: Looks, numbers: Numbers) -> None:
    eye = world.camera.eye
    if plan_.kind == "square":
        for x in (plan_.road + 4, plan_.road + 9.5):
            for z in np.arange(9, plan_.end - 4, 8.5):
                if rng.random() < 0.6:
                    _plant(
                        world,
                        rng,
                        np.float32([x + rng.uniform(-0.4, 0.4), 0.12, z]),
                        rng.uniform(4.5, 7),
                        looks,
                        numbers,
                        "round",
                    )
        return
    if not plan_.town:
        for side in (-1, 1):
            for z in np.arange(6, plan_.end, 6.5):
                if rng.random() < 0.45:
                    x = side * (plan_.front(side) - rng.uniform(1.2, 2.6))
                    if np.hypot(x - eye[0], z) > 6.5:
                        _plant(
                            world,
                            rng,
                            np.float32([x, 0.12, z + rng.uniform(-2, 2)]),
                            rng.uniform(3.2, 7),
                            looks,
                            numbers,
                        )
        return
    if plan_.kind != "avenue" and rng.random() < 0.35:
        return
    shape = SHAPES[int(rng.integers(3))] if plan_.kind == "avenue" else SHAPES[int(rng.integers(len(SHAPES)))]
    high = rng.uniform(4.5, 7.5)
    for side in (-1, 1):
        for z in np.arange(rng.uniform(6, 11), min(plan_.end, 62), rng.uniform(8, 12)):
            walk = plan_.left if side < 0 else plan_.right
            x = side * (plan_.road + min(0.9, walk * 0.4))
            if rng.random() < (0.95 if plan_.kind == "avenue" else 0.55) and np.hypot(x - eye[0], z) > 5.5:
                _plant(world, rng, np.float32([x, 0.12, z]), high * rng.uniform(0.85, 1.15), looks, numbers, shape)


def _cars(world: Outdoors, rng: np.random.Generator, plan_: Course, looks: Looks, numbers: Numbers) -> None:
    """Parked along the kerbs, and now and then one that drives."""
    eye, parked = world.camera.eye, []
    for side in (-1, 1):
        if plan_.kind == "square" and side > 0:
            continue
        z = rng.uniform(3, 10)
        while z < min(plan_.end - 6, 60):
            model = MODELS[int(rng.integers(len(MODELS)))]
            x = side * (plan_.road - model.half - 0.22)
            if rng.random() < 0.52 and (abs(x - eye[0]) > 2.6 or z > 7):
                _stand(world, rng, model, x, z, side, looks, numbers)
                parked.append((z, z + model.long))
            z += model.long + rng.uniform(0.9, 5)
    if rng.random() < 0.4 and plan_.kind != "across":
        model, side = MODELS[int(rng.integers(4))], int(rng.choice([-1, 1]))
        for z in rng.uniform(13, 38, 8):
            if plan_.road > 3.4 or all(z + model.long + 0.5 < a or b + 0.5 < z for a, b in parked):
                _stand(world, rng, model, side * 0.6, float(z), side, looks, numbers)
                break


def _stand(
    world: Outdoors,
    rng: np.random.Generator,
    model: object,
    x: float,
    z: float,
    side: int,
    looks: Looks,
    numbers: Numbers,
) -> None:
    number = numbers.next("car")
    base = looks.base("car", looks.style("car", number), number)
    away = side > 0
    frame = Frame(np.float32([x, 0, z + model.long if away else z]), np.pi / 2 if away else -np.pi / 2)
    world.solids += car(model, frame, number, base)


def _lamps(world: Outdoors, rng: np.random.Generator, plan_: Course, looks: Looks, numbers: Numbers) -> None:
    arm, height = bool(rng.random() < 0.45), rng.uniform(3.4, 5.2)
    start, step = rng.uniform(5, 12), rng.uniform(13, 18)
    for side in (-1, 1):
        for z in np.arange(start + (side > 0) * step / 2, min(plan_.end, 70), step):
            x = side * (plan_.road + 0.4)
            if np.hypot(x - world.camera.eye[0], z) < 4:
                continue
            number = numbers.next("lamp")
            base = looks.base("lamp", looks.style("lamp", number), number)
            frame = Frame(np.float32([x, 0.12, z]), 0.0 if side < 0 else np.pi)
            solids, light = lamp(frame, height, arm, number, base)
            world.solids += solids
            world.lamps.append(light)
    if plan_.kind == "square":
        number = numbers.next("lamp")
        base = looks.base("lamp", looks.style("lamp", number), number)
        for z in np.arange(4, plan_.end, 2.2):
            world.solids += bollard(np.float32([plan_.road + 0.45, 0.12, z]), number, base)


def _people(
    world: Outdoors, rng: np.random.Generator, plan_: Course, looks: Looks, numbers: Numbers, heading: float
) -> None:
    eye = world.camera.eye
    for _ in range(int(rng.integers(2, 9 if plan_.town else 5))):
        side = int(rng.choice([-1, 1]))
        walk = plan_.left if side < 0 else plan_.right
        x, z = (
            side * (plan_.road + rng.uniform(0.5, max(0.7, walk - 0.5))),
            rng.uniform(*(1, 13) if plan_.kind == "across" else (5, min(plan_.end, 34))),
        )
        turn = float(rng.choice([0, np.pi])) + rng.normal(0, 0.25)
        if np.hypot(x - eye[0], z - eye[2]) < 5.2:
            continue
        frame = Frame(np.float32([x, 0.12, z]), turn)
        world.solids += person(rng, frame, looks, numbers.next("person"))


def _tufts(world: Outdoors, rng: np.random.Generator, plan_: Course, looks: Looks, eye: Array) -> None:
    """Blades of grass where lawns come near the eye."""
    if plan_.garden <= 0 and plan_.town:
        return
    lawn = looks.base("grass", looks.style("grass", GRASS), GRASS, 0.03)
    for side in (-1, 1):
        edge = plan_.road + (plan_.left if side < 0 else plan_.right)
        count = 5000
        z = eye[2] + 1.5 + 22 * rng.random(count) ** 1.6
        x = side * (edge + (plan_.garden + 0.3) * rng.random(count))
        places = np.stack([x, np.full(count, 0.12), z], axis=1).astype(np.float32)
        world.leaves.append(blades(rng, places, 0.09, GRASS, lawn))
