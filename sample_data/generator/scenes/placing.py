"""What is put into a room, piece by piece: windows with curtains, doors, furniture, lamps, plants."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from . import fabrics, furniture
from .convex import Frame, box, cylinder
from .facade import Opening, door
from .houses import Numbers
from .indoors import GARDEN, Indoors, Light, view
from .styles import Looks
from .texture import colour
from .timber import lacquered

Array = np.ndarray


@dataclass
class Room:
    """A room while it is furnished: its walls' frames, how long they are, and which stretches are taken."""

    rng: np.random.Generator
    looks: Looks
    numbers: Numbers
    world: Indoors
    walls: dict[str, Frame]
    lengths: dict[str, float]
    upholstered: bool
    holes: dict[str, list[Opening]] = field(default_factory=lambda: {"left": [], "right": [], "back": []})
    taken: dict[str, list[tuple[float, float]]] = field(default_factory=lambda: {"left": [], "right": [], "back": []})
    standing: list[tuple[float, float, float, float]] = field(default_factory=list)

    def new(self, name: str) -> tuple[int, str, Array]:
        """Number, style and colour of a new object."""
        number = self.numbers.next(name)
        style = self.looks.style(name, number)
        return number, style, self.looks.base(name, style, number)

    def stretch(self, wall: str, wide: float, low: float = 0.15) -> float | None:
        """The middle of a free stretch of a wall, at least `low` from its near end (its left, at the back wall).
        It is then taken; None where there is none."""
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


def add_window(space: Room, side: str) -> None:
    """A window with curtains; the sun shines in where there is one."""
    rng, frame = space.rng, space.walls[side]
    french = bool(rng.random() < 0.25)
    wide = min(float(rng.uniform(1.1, 2.0)), space.lengths[side] - 1.9)
    low = 0.12 if french else float(rng.uniform(0.75, 0.95))
    middle = space.stretch(side, wide + 0.8, 0.1 if side == "back" else 0.9)
    if middle is None:
        return
    number = space.new("window")[0]
    wood = colour("#f0ece4") if space.looks.rng(4000, 6).random() < 0.6 else colour("#5a3c28")
    day, own = space.world.daylight, space.looks.rng(4000, 2)
    fill = view(day, wood, int(own.integers(1 << 16)), GARDEN * own.uniform(0.8, 1.2, 3).astype(np.float32))
    panes = [(2, 3), (2, 2), (3, 2), (2, 1)][int(rng.integers(4))]
    hole = Opening(
        middle - wide / 2,
        low,
        wide,
        float(space.world.size[1] - 0.35 - low - rng.uniform(0, 0.2)),
        number,
        fill,
        0.16,
        0.07,
        panes,
    )
    space.holes[side].append(hole)
    space.world.windows.append((frame, hole))
    _aim_sun(space, frame)
    sill = box(
        frame,
        (hole.left - 0.08, low - 0.04, -0.12),
        (hole.left + wide + 0.08, low, 0.02),
        lacquered(wood),
        number,
        0.008,
        False,
    )
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
    space.world.solids.append(
        cylinder(frame.world((left - 0.08, top, -0.1)), frame.world((right + 0.08, top, -0.1)), 0.014, rod, number)
    )
    folds = int(space.rng.integers(6, 10))
    for start, side in ((left, 1), (right, -1)):
        for k in range(folds):
            x = start + side * (0.035 + k * 0.062)
            z = -0.1 + 0.018 * (-1) ** k
            space.world.solids.append(
                cylinder(
                    frame.world((x, foot, z)), frame.world((x, top + 0.02, z)), 0.042, paint, number, k % 3 == 1, 0.94
                )
            )


def add_door(space: Room, side: str) -> None:
    middle = space.stretch(side, 1.15, 0.4 if side == "back" else 1.2)
    if middle is None:
        return
    number, _, base = space.new("door")
    space.holes[side].append(Opening(middle - 0.43, 0.0, 0.86, 2.06, number, door(base, number, False), 0.07, 0.09))
    space.standing.append(_before(space.walls[side], middle, 0.9, 0.8))


def _before(frame: Frame, middle: float, wide: float, deep: float) -> tuple[float, float, float, float]:
    corners = frame.world([(middle - wide / 2, 0, 0), (middle + wide / 2, 0, -deep)])
    return (
        float(corners[:, 0].min()),
        float(corners[:, 0].max()),
        float(corners[:, 2].min()),
        float(corners[:, 2].max()),
    )


def add_rug(space: Room, x: float, z: float, half: tuple[float, float], yaw: float) -> None:
    number, style, base = space.new("rug")
    frame = Frame(np.float32([x, 0, z]), yaw)
    paint = fabrics.rug(frame, half, style, base, number)
    space.world.solids.append(
        box(frame, (-half[0], 0, -half[1]), (half[0], 0.014, half[1]), paint, number, 0.004, False)
    )


def add_cushions(space: Room, frame: Frame, wide: float, y: float, z: float, most: int) -> None:
    rng = space.rng
    for x in rng.permutation(np.linspace(-wide / 2, wide / 2, 4))[: int(rng.integers(1, most + 1))]:
        number, style, base = space.new("cushion")
        size, turn = rng.uniform(0.17, 0.23), rng.uniform(-0.35, 0.35)
        at = (float(x), y, z - rng.uniform(0, 0.06))
        space.world.solids.append(furniture.cushion(frame, at, size, style, base, number, turn, number))


def add_lamp(space: Room, frame: Frame, kind: str, high: float) -> None:
    number, _, base = space.new("lamp")
    day = space.world.daylight
    lit = (0.75 + 1.2 * day.evening) * 1.15
    solids, place = furniture.lamp(frame, kind, high, base, lit, number)
    space.world.solids += solids
    warm = colour("#ffca86") * (0.55 + 0.45 * base / max(float(base.max()), 0.1))
    power = {"floor": 0.42, "table": 0.26, "pendant": 0.5}[kind] * (0.75 + 1.0 * day.evening)
    space.world.lamps.append(Light(place, (warm * power).astype(np.float32)))


def add_plant(space: Room, frame: Frame, high: float) -> None:
    number, _, base = space.new("plant")
    pots = [colour(code) for code in ("#b4663c", "#e6e0d4", "#3a4a58", "#c8a860")]
    pot = pots[int(space.looks.rng(number, 3).integers(4))]
    solids, leaves = furniture.plant(space.rng, frame, high, base, pot, number, bool(space.rng.random() < 0.6))
    space.world.solids += solids
    space.world.leaves.append(leaves)


def add_table(space: Room, frame: Frame, wide: float, deep: float, high: float, round_: bool = False) -> None:
    number, style, base = space.new("table")
    space.world.solids += furniture.table(frame, wide, deep, high, style, base, number, number, round_)


def add_chair(space: Room, frame: Frame) -> None:
    number, style, base = space.new("chair")
    seat = space.looks.base("cushion", "white", 8888) if space.upholstered else None
    space.world.solids += furniture.chair(frame, style, base, number, number, seat)


def add_shelf(space: Room, side: str) -> None:
    rng = space.rng
    wide, high = float(rng.uniform(0.8, 1.7)), float(rng.choice([0.85, 1.25, 1.9, 2.1]))
    middle = space.stretch(side, wide + 0.1, 0.1 if side == "back" else 1.0)
    if middle is None:
        return
    frame = space.walls[side].place((middle, 0, -0.01))
    if not space.occupy(frame, wide, 0.32):
        return
    number, style, base = space.new("shelf")
    space.world.solids += furniture.shelf(
        rng, frame, wide, high, style, base, number, number, space.looks.rng(number, 8)
    )
    if high < 1.0:
        if rng.random() < 0.6:
            add_lamp(space, frame.place((-wide * 0.25, 0, -0.15)), "table", high)
        add_plant(space, frame.place((wide * 0.25, high, -0.15)), float(rng.uniform(0.3, 0.5)))


def add_sofa(space: Room, side: str, wide: float, low: float = 1.6) -> Frame | None:
    """A sofa against a wall, at least `low` from its near end; None where there is no room for it."""
    middle = space.stretch(side, wide + 0.1, 0.2 if side == "back" else low)
    if middle is None:
        return None
    frame = space.walls[side].place((middle, 0, -0.03))
    if not space.occupy(frame, wide, 0.95):
        return None
    number, style, base = space.new("sofa")
    seats = 1 if wide < 1.2 else 2 if wide < 1.95 else 3
    space.world.solids += furniture.sofa(frame, wide, seats, style, base, number, number)
    add_cushions(space, frame, wide - 0.75, 0.47, -0.47, 3 if seats > 1 else 1)
    return frame
