"""Layouts of rooms: living rooms, bedrooms, dining rooms, studies."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from . import fabrics, furniture, timber, wallpapers
from .camera import perspective
from .convex import Frame, Paint, box, cylinder
from .daylight import DAYLIGHT
from .facade import Opening, cut, door
from .film import Scene
from .houses import Numbers
from .indoors import GARDEN, Indoors, Light, render, view
from .paintings import picture
from .styles import ROOMS, Looks
from .texture import colour
from .timber import lacquered

Array = np.ndarray

WALL, FLOOR, CEILING = 1, 2, 3
KINDS = ("living", "bedroom", "dining", "study")
TIMES = {"noon": "clear noon", "overcast": "overcast", "evening": "golden evening", "dusk": "blue dusk"}


@dataclass
class Room:
    """A room while it is furnished: its walls' frames, how long they are, and which stretches are taken."""

    rng: np.random.Generator
    looks: Looks
    numbers: Numbers
    world: Indoors
    walls: dict[str, Frame]
    lengths: dict[str, float]
    holes: dict[str, list[Opening]] = field(default_factory=lambda: {"left": [], "right": [], "back": []})
    taken: dict[str, list[tuple[float, float]]] = field(default_factory=lambda: {"left": [], "right": [], "back": []})
    standing: list[tuple[float, float, float, float]] = field(default_factory=list)

    def new(self, name: str) -> tuple[int, str, Array]:
        """Number, style and colour of a new object."""
        number = self.numbers.next(name)
        style = self.looks.style(name, number)
        return number, style, self.looks.base(name, style, number)

    def stretch(self, wall: str, wide: float, low: float = 0.15) -> float | None:
        """The middle of a free stretch of a wall, at least `low` from its near end (its left, at the back wall), which is
        then taken; None where there is none."""
        start, end = (0.15, low) if wall == "right" else (low, 0.15)
        spots = np.arange(start + wide / 2, self.lengths[wall] - end - wide / 2, 0.1)
        for x in self.rng.permutation(spots):
            a, b = x - wide / 2, x + wide / 2
            if all(b < c or a > d for c, d in self.taken[wall]):
                self.taken[wall].append((a, b))
                return float(x)
        return None

    def clear(self, x: float, z: float, wide: float, deep: float) -> bool:
        """Whether a place on the floor is free; it is then taken."""
        a = (x - wide / 2, x + wide / 2, z - deep / 2, z + deep / 2)
        if any(a[0] < d and c < a[1] and a[2] < f and e < a[3] for c, d, e, f in self.standing):
            return False
        self.standing.append(a)
        return True

    def occupy(self, frame: Frame, wide: float, deep: float) -> bool:
        """Whether the floor before a wall's place is free for a piece that is so wide and deep."""
        corners = frame.world([(-wide / 2, 0, 0), (wide / 2, 0, -deep)])
        (x0, _, z0), (x1, _, z1) = corners.min(0), corners.max(0)
        return self.clear((x0 + x1) / 2, (z0 + z1) / 2, x1 - x0 - 0.02, z1 - z0 - 0.02)


def furnished(layout_seed: int, styles_seed: int, size: tuple[int, int]) -> Scene:
    """A room of a layout in the looks of another seed."""
    rng = np.random.default_rng((layout_seed, 2))
    kind = KINDS[int(rng.integers(len(KINDS)))]
    space = _space(rng, Looks("rooms", styles_seed), size)
    # Walls in sight: the back wall, and the one that the camera is turned to; the third is seen at a slant at most.
    ahead = "right" if space.world.camera.forward[0] > 0 else "left"
    sides = ["back", ahead]
    main, lit = (str(side) for side in rng.permutation(sides))
    other = "left" if ahead == "right" else "right"
    _window(space, lit)
    if rng.random() < 0.4:
        _window(space, lit if rng.random() < 0.5 and lit != "back" else other)
    if rng.random() < 0.65:
        _door(space, str(rng.choice([lit, other] if kind in ("bedroom", "living") else [main, lit, other])))
    {"living": _living, "bedroom": _bedroom, "dining": _dining, "study": _study}[kind](space, main)
    _corners(space)
    _pictures(space)
    _shell(space, layout_seed)
    return render(space.world, space.looks.chosen)


def _space(rng: np.random.Generator, looks: Looks, size: tuple[int, int]) -> Room:
    wide, high, deep = rng.uniform(3.6, 4.7), rng.uniform(2.45, 2.8), rng.uniform(3.5, 4.5)
    turn = float(rng.choice([-1, 1])) * rng.uniform(0.15, 0.62)
    eye = np.float32([wide / 2 - np.sin(turn) * wide * 0.42, rng.uniform(1.25, 1.6), rng.uniform(-0.7, 0.1)])
    focal = rng.uniform(0.8, 0.98)
    camera = perspective(eye, turn, focal, (2 * size[0], 2 * size[1]), rng.uniform(0.36, 0.44))
    looks.chosen[0] = 0
    light = looks.style("window", 4000)
    day = DAYLIGHT[TIMES[light]]
    frames = {
        "left": Frame(np.float32([0, 0, 0]), -np.pi / 2),
        "right": Frame(np.float32([wide, 0, deep]), np.pi / 2),
        "back": Frame(np.float32([0, 0, deep])),
    }
    own = looks.rng(4000, 4)
    measures = np.float32([wide, high, deep])
    world = Indoors(camera, day, day.towards_sun(own.uniform(-0.5, 0.5), own), measures, np.full((5, 3), 0.5, np.float32))
    return Room(rng, looks, Numbers(ROOMS), world, frames, {"left": deep, "right": deep, "back": wide})


def _window(space: Room, side: str) -> None:
    """A window with curtains; the sun shines in where there is one."""
    rng, frame = space.rng, space.walls[side]
    wide, french = float(rng.uniform(1.1, 2.0)), bool(rng.random() < 0.25)
    low = 0.12 if french else float(rng.uniform(0.75, 0.95))
    middle = space.stretch(side, wide + 0.8, 0.1 if side == "back" else 0.9)
    if middle is None:
        return
    number, style, base = space.new("window")
    wood = colour("#f0ece4") if space.looks.rng(4000, 6).random() < 0.6 else colour("#5a3c28")
    day, own = space.world.daylight, space.looks.rng(4000, 2)
    fill = view(day, wood, int(own.integers(1 << 16)), GARDEN * own.uniform(0.8, 1.2, 3).astype(np.float32))
    panes = [(2, 3), (2, 2), (3, 2), (2, 1)][int(rng.integers(4))]
    hole = Opening(middle - wide / 2, low, wide, float(space.world.size[1] - 0.35 - low - rng.uniform(0, 0.2)), number, fill, 0.16, 0.07, panes)
    space.holes[side].append(hole)
    space.world.windows.append((frame, hole))
    _aim_sun(space, frame)
    sill = box(frame, (hole.left - 0.08, low - 0.04, -0.12), (hole.left + wide + 0.08, low, 0.02), lacquered(wood), number, 0.008, False)
    space.world.solids.append(sill)
    if rng.random() < 0.85:
        _curtains(space, frame, hole, bool(rng.random() < 0.75 or french))


def _aim_sun(space: Room, frame: Frame) -> None:
    """Turn the sun so that it comes in at a slant through the first window."""
    if len(space.world.windows) > 1:
        return
    own, day = space.looks.rng(4000, 5), space.world.daylight
    outward = np.arctan2(frame.axes[2][0], frame.axes[2][2])
    ahead = 0.0 if abs(outward) > 0.1 else float(own.choice([-0.8, 0.8]))
    space.world.sun = day.towards_sun(float(outward + ahead + own.uniform(-0.55, 0.55)), own)


def _curtains(space: Room, frame: Frame, hole: Opening, long: bool) -> None:
    number, style, base = space.new("curtain")
    top = hole.bottom + hole.high + 0.13
    foot = 0.02 if long else hole.bottom - 0.15
    paint = fabrics.curtain(frame, style, base, number, 1.6 * space.world.daylight.ambient)
    rod = lacquered(colour("#4a3a2c"), 0.06)
    left, right = hole.left - 0.38, hole.left + hole.wide + 0.38
    space.world.solids.append(cylinder(frame.world((left - 0.08, top, -0.1)), frame.world((right + 0.08, top, -0.1)), 0.014, rod, number))
    folds = int(space.rng.integers(6, 10))
    for start, side in ((left, 1), (right, -1)):
        for k in range(folds):
            x = start + side * (0.035 + k * 0.062)
            z = -0.1 + 0.018 * (-1) ** k
            space.world.solids.append(cylinder(frame.world((x, foot, z)), frame.world((x, top + 0.02, z)), 0.042, paint, number, k % 3 == 1, 0.94))


def _door(space: Room, side: str) -> None:
    middle = space.stretch(side, 1.15, 0.4 if side == "back" else 1.2)
    if middle is None:
        return
    number, _, base = space.new("door")
    space.holes[side].append(Opening(middle - 0.43, 0.0, 0.86, 2.06, number, door(base, number, False), 0.07, 0.09))
    space.standing.append(_before(space.walls[side], middle, 0.9, 0.8))


def _before(frame: Frame, middle: float, wide: float, deep: float) -> tuple[float, float, float, float]:
    corners = frame.world([(middle - wide / 2, 0, 0), (middle + wide / 2, 0, -deep)])
    return float(corners[:, 0].min()), float(corners[:, 0].max()), float(corners[:, 2].min()), float(corners[:, 2].max())


def _rug(space: Room, x: float, z: float, half: tuple[float, float], yaw: float) -> None:
    number, style, base = space.new("rug")
    frame = Frame(np.float32([x, 0, z]), yaw)
    paint = fabrics.rug(frame, half, style, base, number)
    space.world.solids.append(box(frame, (-half[0], 0, -half[1]), (half[0], 0.014, half[1]), paint, number, 0.004, False))


def _cushions(space: Room, frame: Frame, wide: float, y: float, z: float, most: int) -> None:
    rng = space.rng
    for x in rng.permutation(np.linspace(-wide / 2, wide / 2, 4))[: int(rng.integers(1, most + 1))]:
        number, style, base = space.new("cushion")
        size, turn = rng.uniform(0.17, 0.23), rng.uniform(-0.35, 0.35)
        at = (float(x), y, z - rng.uniform(0, 0.06))
        space.world.solids.append(furniture.cushion(frame, at, size, style, base, number, turn, number))


def _lamp(space: Room, frame: Frame, kind: str, high: float) -> None:
    number, _, base = space.new("lamp")
    day = space.world.daylight
    lit = (0.75 + 1.2 * day.evening) * 1.15
    solids, place = furniture.lamp(frame, kind, high, base, lit, number)
    space.world.solids += solids
    warm = colour("#ffca86") * (0.55 + 0.45 * base / max(float(base.max()), 0.1))
    power = {"floor": 0.42, "table": 0.26, "pendant": 0.5}[kind] * (0.75 + 1.0 * day.evening)
    space.world.lamps.append(Light(place, (warm * power).astype(np.float32)))


def _plant(space: Room, frame: Frame, high: float) -> None:
    number, _, base = space.new("plant")
    pots = [colour(code) for code in ("#b4663c", "#e6e0d4", "#3a4a58", "#c8a860")]
    pot = pots[int(space.looks.rng(number, 3).integers(4))]
    solids, leaves = furniture.plant(space.rng, frame, high, base, pot, number, bool(space.rng.random() < 0.6))
    space.world.solids += solids
    space.world.leaves.append(leaves)


def _table(space: Room, frame: Frame, wide: float, deep: float, high: float, round_: bool = False) -> None:
    number, style, base = space.new("table")
    space.world.solids += furniture.table(frame, wide, deep, high, style, base, number, number, round_)


def _chair(space: Room, frame: Frame) -> None:
    number, style, base = space.new("chair")
    seat = space.looks.base("cushion", "white", 8888) if space.looks.rng(10000, 7).random() < 0.4 else None
    space.world.solids += furniture.chair(frame, style, base, number, number, seat)


def _shelf(space: Room, side: str) -> None:
    rng = space.rng
    wide, high = float(rng.uniform(0.8, 1.7)), float(rng.choice([0.85, 1.25, 1.9, 2.1]))
    middle = space.stretch(side, wide + 0.1, 0.1 if side == "back" else 1.0)
    if middle is None:
        return
    frame = space.walls[side].place((middle, 0, -0.01))
    if not space.occupy(frame, wide, 0.32):
        return
    number, style, base = space.new("shelf")
    space.world.solids += furniture.shelf(rng, frame, wide, high, style, base, number, number, space.looks.rng(number, 8))
    if high < 1.0:
        if rng.random() < 0.6:
            _lamp(space, frame.place((-wide * 0.25, 0, -0.15)), "table", high)
        _plant(space, frame.place((wide * 0.25, high, -0.15)), float(rng.uniform(0.3, 0.5)))


def _sofa(space: Room, side: str, wide: float) -> Frame | None:
    middle = space.stretch(side, wide + 0.1, 0.2 if side == "back" else 1.6)
    if middle is None:
        return None
    frame = space.walls[side].place((middle, 0, -0.03))
    if not space.occupy(frame, wide, 0.95):
        return None
    number, style, base = space.new("sofa")
    seats = 1 if wide < 1.2 else 2 if wide < 1.95 else 3
    space.world.solids += furniture.sofa(frame, wide, seats, style, base, number, number)
    _cushions(space, frame, wide - 0.75, 0.47, -0.47, 3 if seats > 1 else 1)
    return frame


def _living(space: Room, main: str) -> None:
    rng = space.rng
    frame = _sofa(space, main, float(rng.uniform(1.6, 2.3)))
    if frame is None:
        frame = _sofa(space, "back", 1.5) or space.walls["back"].place((space.lengths["back"] / 2, 0, 0))
    middle = frame.place((0, 0, -1.55))
    x, _, z = middle.origin
    _rug(space, x, z, (float(rng.uniform(1.0, 1.35)), float(rng.uniform(0.75, 0.95))), middle.yaw)
    if space.clear(x, z, 1.1, 1.1):
        _table(space, middle, float(rng.uniform(0.75, 1.1)), float(rng.uniform(0.5, 0.6)), float(rng.uniform(0.36, 0.44)), bool(rng.random() < 0.4))
        if rng.random() < 0.7:
            _plant(space, middle.place((0.12, 0.42, 0)), 0.3)
    for side in (1, -1):
        lamp = frame.place((side * 1.5, 0, -0.35))
        if rng.random() < 0.75 and _inside(space, lamp.origin, 0.25) and space.clear(lamp.origin[0], lamp.origin[2], 0.4, 0.4):
            _lamp(space, lamp, "floor", 0)
            break
    for side in _order(space):
        if side != main and rng.random() < 0.8:
            _sofa(space, side, 0.92)
        if rng.random() < 0.7:
            _shelf(space, side)


def _bedroom(space: Room, main: str) -> None:
    rng = space.rng
    wide = float(rng.choice([1.1, 1.5, 1.7]))
    middle = space.stretch(main, wide + 1.2, 0.1 if main == "back" else 1.1)
    if middle is None:
        middle = space.lengths[main] / 2
    frame = space.walls[main].place((middle, 0, -0.02))
    space.occupy(frame, wide, 2.1)
    number, style, base = space.new("bed")
    wood = colour("#b98a58") if space.looks.rng(number, 4).random() < 0.5 else colour("#5c3c28")
    space.world.solids += furniture.bed(frame, wide, style, base, wood, number, number)
    _cushions(space, frame, wide * 0.6, 0.6, -0.62, 2)
    for side in (-1, 1):
        stand = frame.place((side * (wide / 2 + 0.33), 0, -0.25))
        if _inside(space, stand.origin, 0.2):
            _table(space, stand, 0.42, 0.4, 0.5)
            if rng.random() < 0.75:
                _lamp(space, stand, "table", 0.5)
    foot = frame.place((0, 0, -2.0))
    _rug(space, foot.origin[0], foot.origin[2], (wide * 0.5 + 0.5, 0.75), foot.yaw)
    for side in _order(space):
        if side != main:
            if rng.random() < 0.6:
                _shelf(space, side)
            if (place := space.stretch(side, 0.7, 1.2)) is not None:
                chair = space.walls[side].place((place, 0, -0.4))
                if space.clear(chair.origin[0], chair.origin[2], 0.5, 0.5):
                    _chair(space, chair)


def _dining(space: Room, main: str) -> None:
    rng, (wide, high, deep) = space.rng, space.world.size
    round_, yaw = bool(rng.random() < 0.4), float(rng.normal(0, 0.12))
    x, z = wide / 2 + rng.uniform(-0.4, 0.4), deep * 0.56 + rng.uniform(-0.2, 0.3)
    frame = Frame(np.float32([x, 0, z]), yaw)
    _rug(space, x, z, (1.35, 1.05), yaw)
    span = 1.1 if round_ else float(rng.uniform(1.3, 1.6))
    space.clear(x, z, span + 0.9, 1.8)
    _table(space, frame, span, 0.82, 0.74, round_)
    _plant(space, frame.place((0.05, 0.74, 0)), 0.36)
    reach = 0.62 if not round_ else 0.72
    for at, turn in (((-0.3, 0, reach), 0.0), ((0.32, 0, reach), 0.0), ((-0.3, 0, -reach), np.pi), ((0.32, 0, -reach), np.pi)):
        if rng.random() < 0.85:
            _chair(space, frame.place(at, turn + rng.normal(0, 0.14)))
    for side in (-1, 1):
        if rng.random() < 0.4:
            _chair(space, frame.place((side * (span / 2 + 0.22), 0, 0), side * np.pi / 2 * -1 + rng.normal(0, 0.1)))
    _lamp(space, frame, "pendant", float(high))
    for side in _order(space):
        if rng.random() < 0.85:
            _shelf(space, side)


def _study(space: Room, main: str) -> None:
    rng = space.rng
    middle = space.stretch(main, 1.7, 0.15 if main == "back" else 1.3)
    if middle is not None:
        frame = space.walls[main].place((middle, 0, -0.36))
        space.clear(frame.origin[0], frame.origin[2], 1.5, 1.5)
        _table(space, frame, 1.45, 0.66, 0.74)
        _lamp(space, frame.place((-0.5, 0, 0.1)), "table", 0.74)
        _chair(space, frame.place((0.1, 0, -0.55), np.pi + rng.normal(0, 0.3)))
        if rng.random() < 0.6:
            _plant(space, frame.place((0.52, 0.74, 0.05)), 0.3)
    for side in _order(space):
        _shelf(space, side)
    for side in _order(space):
        if rng.random() < 0.55 and _sofa(space, side, float(rng.choice([0.92, 1.5]))) is not None:
            break
    wide, _, deep = space.world.size
    _rug(space, wide / 2, deep * 0.55, (1.2, 0.85), float(rng.normal(0, 0.1)))


def _order(space: Room) -> list[str]:
    """The walls, those in full sight first."""
    ahead, other = ("right", "left") if space.world.camera.forward[0] > 0 else ("left", "right")
    return [str(side) for side in space.rng.permutation([ahead, "back"])] + [other]


def _inside(space: Room, at: Array, margin: float) -> bool:
    wide, _, deep = space.world.size
    return bool(margin < at[0] < wide - margin and 0.6 < at[2] < deep - margin)


def _corners(space: Room) -> None:
    """Plants, and a floor lamp where no lamp is, in free corners."""
    rng, (wide, _, deep) = space.rng, space.world.size
    for x in rng.permutation([0.42, wide - 0.42]):
        z = deep - 0.42
        if not space.clear(float(x), z, 0.6, 0.6):
            continue
        frame = Frame(np.float32([x, 0, z]))
        if not space.world.lamps:
            _lamp(space, frame, "floor", 0)
        elif rng.random() < 0.75:
            _plant(space, frame, float(rng.uniform(0.8, 1.5)))


def _pictures(space: Room) -> None:
    """Pictures on what is left of the walls, over low furniture too."""
    rng, high = space.rng, float(space.world.size[1])
    for side, frame in space.walls.items():
        for _ in range(int(rng.integers(3, 8))):
            wide, tall = float(rng.uniform(0.4, 0.95)), float(rng.uniform(0.4, 0.75))
            x, y = rng.uniform(0.3 if side != "left" else 1.0, space.lengths[side] - wide - (1.0 if side == "right" else 0.3)), rng.uniform(1.3, 1.55)
            if y + tall > high - 0.25 or not _wall_is_free(space, side, x - 0.08, x + wide + 0.08, y):
                continue
            space.holes[side].append(Opening(x - 0.06, y, wide + 0.12, tall, 0, door(GARDEN, 0, False)))
            number, style, _ = space.new("picture")
            gold = bool(space.looks.rng(number, 2).random() < 0.5)
            seed = int(space.looks.rng(number, 3).integers(1 << 16))
            space.world.solids += picture(frame, float(x), float(y), wide, tall, style, seed, number, gold)
    for holes in space.holes.values():
        holes[:] = [hole for hole in holes if hole.instance]


def _wall_is_free(space: Room, side: str, a: float, b: float, low: float) -> bool:
    """Whether nothing higher than `low` stands or hangs before a stretch of a wall."""
    if any(a < hole.left + hole.wide + 0.4 and hole.left - 0.4 < b for hole in space.holes[side]):
        return False
    corners = space.walls[side].world([(a, low - 0.1, -0.5), (b, low + 0.6, 0)])
    first, last = corners.min(0), corners.max(0)
    for solid in space.world.solids:
        if (solid.hull.min(0) < last).all() and (solid.hull.max(0) > first).all():
            return False
    return True


def _shell(space: Room, seed: int) -> None:
    """Walls with their openings, floor and ceiling."""
    looks, world = space.looks, space.world
    wide, high, deep = (float(length) for length in world.size)
    papers = looks.style("wall", WALL)
    base = looks.base("wall", papers, WALL, 0.03)
    floor, top = looks.style("floor", FLOOR), looks.style("ceiling", CEILING)
    floor_base, top_base = looks.base("floor", floor, FLOOR, 0.03), looks.base("ceiling", top, CEILING, 0.02)
    trim = colour("#efeae0") if looks.rng(WALL, 6).random() < 0.7 else colour("#8a6240")
    for side, frame in space.walls.items():
        start = -4.0 if side == "left" else -0.3
        end = space.lengths[side] + (4.0 if side == "right" else 0.3)
        paint = _wall_paint(wallpapers.wall(frame, papers, base, high, seed % 97), frame, space.holes[side], trim)
        world.shell.append(box(frame, (start, -0.3, 0), (end, high + 0.3, 0.3), paint, WALL, blocks=False))
    ground = timber.floor(floor, floor_base, seed % 89)
    above = wallpapers.ceiling(top, top_base, seed % 83)
    flat = Frame()
    world.shell.append(box(flat, (-0.3, -0.3, -4), (wide + 0.3, 0, deep + 0.3), ground, FLOOR, blocks=False))
    world.shell.append(box(flat, (-0.3, high, -4), (wide + 0.3, high + 0.3, deep + 0.3), above, CEILING, blocks=False))
    if top == "timber" or space.rng.random() < 0.2:
        beam = timber.polished(flat, colour("#6a4a30") if top == "timber" else top_base, seed % 79, 0.01)
        for z in np.arange(0.5, deep, 0.9):
            world.shell.append(box(flat, (-0.1, high - 0.14, z), (wide + 0.1, high + 0.1, z + 0.14), beam, CEILING, 0.01, False))
    world.tones = np.stack([base, base, floor_base, top_base, base]).astype(np.float32)


def _wall_paint(paper: Paint, frame: Frame, holes: list[Opening], trim: Array) -> Paint:
    def paint(points: object) -> None:
        paper(points)
        cut(points, frame, holes, trim * 0.85, trim)

    return paint



