"""Layouts of rooms: living rooms, bedrooms, dining rooms, studies."""

from __future__ import annotations

import numpy as np

from . import furniture, timber, wallpapers
from .camera import perspective
from .convex import Frame, Paint, box
from .daylight import DAYLIGHT
from .facade import Opening, cut
from .film import Scene
from .houses import Numbers
from .indoors import Indoors, render
from .paintings import picture
from .placing import (
    Room,
    add_chair,
    add_cushions,
    add_door,
    add_lamp,
    add_plant,
    add_rug,
    add_shelf,
    add_sofa,
    add_table,
    add_window,
)  # fmt: skip
from .points import Points
from .styles import ROOMS, Looks
from .texture import colour

Array = np.ndarray

WALL, FLOOR, CEILING = 1, 2, 3
KINDS = ("living", "bedroom", "dining", "study")
TIMES = {"noon": "clear noon", "overcast": "overcast", "evening": "golden evening", "dusk": "blue dusk"}


def furnished(layout_seed: int, styles_seed: int, size: tuple[int, int]) -> Scene:
    """A room of a layout in the looks of another seed."""
    rng = np.random.default_rng((layout_seed, 2))
    kind = KINDS[int(rng.choice(len(KINDS), p=[0.32, 0.28, 0.2, 0.2]))]
    space = _space(rng, Looks("rooms", styles_seed), size)
    # Walls in sight: the back wall, and the one that the camera is turned to; the third is seen at a slant at most.
    ahead = "right" if space.world.camera.forward[0] > 0 else "left"
    sides = ["back", ahead]
    main, lit = (str(side) for side in rng.permutation(sides))
    if kind == "bedroom" and rng.random() < 0.8:
        main, lit = sides  # a bed before a side wall would hide the room
    other = "left" if ahead == "right" else "right"
    place = {"living": _seats, "bedroom": _bed, "dining": _table, "study": _desk}[kind](space, main)
    add_window(space, lit)
    if rng.random() < 0.4:
        add_window(space, lit if rng.random() < 0.5 and lit != "back" else other)
    if rng.random() < 0.65:
        add_door(space, str(rng.choice([lit, other] if kind in ("bedroom", "living") else [main, lit, other])))
    {"living": _living, "bedroom": _bedroom, "dining": _dining, "study": _study}[kind](space, main, place)
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
    world = Indoors(
        camera, day, day.towards_sun(own.uniform(-0.5, 0.5), own), measures, np.full((5, 3), 0.5, np.float32)
    )
    lengths = {"left": deep, "right": deep, "back": wide}
    return Room(rng, looks, Numbers(ROOMS), world, frames, lengths, bool(rng.random() < 0.4))


def _seats(space: Room, main: str) -> Frame:
    """The sofa of a living room."""
    room = space.lengths[main] - (0.4 if main == "back" else 1.2)
    frame = add_sofa(space, main, min(room, float(space.rng.uniform(1.7, 2.4))), 1.0)
    return frame or space.walls["back"].place((space.lengths["back"] / 2, 0, 0))


def _bed(space: Room, main: str) -> Frame:
    """The bed of a bedroom, and what stands beside it."""
    rng = space.rng
    wide = float(rng.choice([1.1, 1.5, 1.7]))
    middle = space.stretch(main, wide + 1.2, 0.1 if main == "back" else 1.0)
    if middle is None:
        middle = space.lengths[main] / 2
    frame = space.walls[main].place((middle, 0, -0.02))
    space.occupy(frame, wide, 2.1)
    number, style, base = space.new("bed")
    wood = colour("#b98a58") if space.looks.rng(number, 4).random() < 0.5 else colour("#5c3c28")
    space.world.solids += furniture.bed(frame, wide, style, base, wood, number, number)
    add_cushions(space, frame, wide * 0.6, 0.6, -0.62, 3)
    for side in (-1, 1):
        stand = frame.place((side * (wide / 2 + 0.33), 0, -0.25))
        if _inside(space, stand.origin, 0.2):
            space.clear(stand.origin[0], stand.origin[2], 0.44, 0.44)
            add_table(space, stand, 0.42, 0.4, 0.5)
            if rng.random() < 0.75:
                add_lamp(space, stand, "table", 0.5)
    return frame


def _table(space: Room, main: str) -> Frame:
    """The dining table with its chairs below a lamp."""
    rng, (wide, high, deep) = space.rng, space.world.size
    round_, yaw = bool(rng.random() < 0.4), float(rng.normal(0, 0.12))
    x, z = wide / 2 + rng.uniform(-0.4, 0.4), deep * 0.56 + rng.uniform(-0.2, 0.3)
    frame = Frame(np.float32([x, 0, z]), yaw)
    add_rug(space, x, z, (1.35, 1.05), yaw)
    span = 1.1 if round_ else float(rng.uniform(1.3, 1.6))
    space.clear(x, z, span + 0.9, 1.8)
    add_table(space, frame, span, 0.82, 0.74, round_)
    add_plant(space, frame.place((0.05, 0.74, 0)), 0.36)
    reach = 0.62 if not round_ else 0.72
    for x, side in ((-0.3, 1), (0.32, 1), (-0.3, -1), (0.32, -1)):
        if rng.random() < 0.85:
            turn = (0 if side > 0 else np.pi) + rng.normal(0, 0.14)
            add_chair(space, frame.place((x, 0, side * reach), turn))
    for side in (-1, 1):
        if rng.random() < 0.4:
            add_chair(space, frame.place((side * (span / 2 + 0.22), 0, 0), -side * np.pi / 2 + rng.normal(0, 0.1)))
    add_lamp(space, frame, "pendant", float(high))
    return frame


def _desk(space: Room, main: str) -> Frame:
    """A desk with a lamp and a chair."""
    rng = space.rng
    middle = space.stretch(main, 1.6, 0.15 if main == "back" else 1.0)
    frame = space.walls[main].place((middle or space.lengths[main] / 2, 0, -0.36))
    space.clear(frame.origin[0], frame.origin[2], 1.5, 1.5)
    add_table(space, frame, 1.45, 0.66, 0.74)
    add_lamp(space, frame.place((-0.5, 0, 0.1)), "table", 0.74)
    add_chair(space, frame.place((0.1, 0, -0.55), np.pi + rng.normal(0, 0.3)))
    if rng.random() < 0.6:
        add_plant(space, frame.place((0.52, 0.74, 0.05)), 0.32)
    return frame


def _living(space: Room, main: str, frame: Frame) -> None:
    rng = space.rng
    middle = frame.place((0, 0, -1.55))
    x, _, z = middle.origin
    add_rug(space, x, z, (float(rng.uniform(1.0, 1.35)), float(rng.uniform(0.75, 0.95))), middle.yaw)
    if space.clear(x, z, 1.1, 1.1):
        add_table(
            space,
            middle,
            float(rng.uniform(0.75, 1.1)),
            float(rng.uniform(0.5, 0.6)),
            float(rng.uniform(0.36, 0.44)),
            bool(rng.random() < 0.4),
        )
        if rng.random() < 0.7:
            add_plant(space, middle.place((0.12, 0.42, 0)), 0.3)
    for side in (1, -1):
        lamp = frame.place((side * 1.5, 0, -0.35))
        if (
            rng.random() < 0.75
            and _inside(space, lamp.origin, 0.25)
            and space.clear(lamp.origin[0], lamp.origin[2], 0.4, 0.4)
        ):
            add_lamp(space, lamp, "floor", 0)
            break
    for side in _order(space):
        if side != main and rng.random() < 0.8:
            add_sofa(space, side, 0.92)
        if rng.random() < 0.7:
            add_shelf(space, side)


def _bedroom(space: Room, main: str, frame: Frame) -> None:
    rng = space.rng
    foot = frame.place((0, 0, -2.0))
    add_rug(space, foot.origin[0], foot.origin[2], (float(rng.uniform(1.0, 1.4)), 0.75), foot.yaw)
    for side in _order(space):
        if side != main:
            if rng.random() < 0.6:
                add_shelf(space, side)
            if (place := space.stretch(side, 0.7, 1.2)) is not None:
                chair = space.walls[side].place((place, 0, -0.4))
                if space.clear(chair.origin[0], chair.origin[2], 0.5, 0.5):
                    add_chair(space, chair)


def _dining(space: Room, main: str, frame: Frame) -> None:
    rng = space.rng
    for side in _order(space):
        if rng.random() < 0.85:
            add_shelf(space, side)


def _study(space: Room, main: str, frame: Frame) -> None:
    rng = space.rng
    for side in _order(space):
        add_shelf(space, side)
    for side in _order(space):
        if rng.random() < 0.55 and add_sofa(space, side, float(rng.choice([0.92, 1.5]))) is not None:
            break
    wide, _, deep = space.world.size
    add_rug(space, wide / 2, deep * 0.55, (1.2, 0.85), float(rng.normal(0, 0.1)))


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
            add_lamp(space, frame, "floor", 0)
        elif rng.random() < 0.75:
            add_plant(space, frame, float(rng.uniform(0.8, 1.5)))


def _pictures(space: Room) -> None:
    """Pictures on what is left of the walls, over low furniture too."""
    rng, high = space.rng, float(space.world.size[1])
    for side, frame in space.walls.items():
        for _ in range(int(rng.integers(3, 8))):
            wide, tall = float(rng.uniform(0.4, 0.95)), float(rng.uniform(0.4, 0.75))
            x, y = (
                rng.uniform(
                    0.3 if side != "left" else 1.0, space.lengths[side] - wide - (1.0 if side == "right" else 0.3)
                ),
                rng.uniform(1.3, 1.55),
            )
            if y + tall > high - 0.25 or not _wall_is_free(space, side, x - 0.08, x + wide + 0.08, y):
                continue
            number, style, _ = space.new("picture")
            gold = bool(space.looks.rng(number, 2).random() < 0.5)
            seed = int(space.looks.rng(number, 3).integers(1 << 16))
            space.world.solids += picture(frame, float(x), float(y), wide, tall, style, seed, number, gold)


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
    if space.rng.random() < 0.4:
        beam = timber.polished(flat, colour("#6a4a30") if top == "timber" else top_base, seed % 79, 0.01)
        for z in np.arange(0.5, deep, 0.9):
            world.shell.append(
                box(flat, (-0.1, high - 0.14, z), (wide + 0.1, high + 0.1, z + 0.14), beam, CEILING, 0.01, False)
            )
    world.tones = np.stack([base, base, floor_base, top_base, base]).astype(np.float32)


def _wall_paint(paper: Paint, frame: Frame, holes: list[Opening], trim: Array) -> Paint:
    def paint(points: Points) -> None:
        paper(points)
        cut(points, frame, holes, trim * 0.85, trim)

    return paint
