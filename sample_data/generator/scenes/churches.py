"""A church: a nave with tall windows and a tower with a clock and a pointed roof."""

from __future__ import annotations

import numpy as np

from . import masonry
from .convex import Frame, Solid, box, prism
from .facade import Opening, cut, window
from .houses import Numbers
from .points import Points
from .styles import Looks
from .texture import colour

Array = np.ndarray


def church(frame: Frame, high: float, looks: Looks, numbers: Numbers, seed: int) -> list[Solid]:
    """The solids of a church whose tower is `high` metres to the foot of its roof, its front along x about 0."""
    body, roof, glass = numbers.next("building"), numbers.next("roof"), numbers.next("window")
    style, cover = looks.style("building", body), looks.style("roof", roof)
    base, tiles = looks.base("building", style, body), looks.base("roof", cover, roof)
    wood = looks.base("window", looks.style("window", glass), glass)
    half = 2.4
    pane = window(wood, colour("#20242c"), 0.9, None)
    front = [Opening(-0.6, level, 1.2, 2.3, glass, pane, 0.3, 0.14, (1, 3), 3) for level in (4.5, high - 3.4)]

    def stone(points: Points) -> None:
        masonry.wall(points, frame, style, base, seed)
        for side in (0, np.pi / 2, -np.pi / 2):
            face = frame.place((0, 0, half), side).place((0, 0, -half))
            cut(points, face, front, base * 0.7, colour("#cfc8ba"))
        local = frame.local(points.position)
        dial = np.hypot(local[:, 0], local[:, 1] - high + 4.8)
        clock = (dial < 0.95) & (local[:, 2] < 0.01)
        points.albedo[clock] = np.where((dial < 0.8)[:, None], colour("#ece4d0"), colour("#2a2a2c"))[clock]
        hands = (np.abs(local[:, 0]) < 0.06) | (np.abs(local[:, 1] - high + 4.8 - 0.4 * local[:, 0]) < 0.06)
        points.albedo[clock & hands & (dial < 0.65)] = 0.03

    def slates(points: Points) -> None:
        local = frame.local(points.position)
        masonry.roof(points, (local[:, 0] + local[:, 2], local[:, 1]), cover, tiles, seed)

    top = frame.place((0, high, half))
    spire = high * 0.55
    lean = half * 1.12 / spire
    pointed = [(-half * 1.12, 0), (half * 1.12, 0), (0, spire)]
    nave = [(-4.2, 0), (4.2, 0), (4.2, high * 0.42), (0, high * 0.72), (-4.2, high * 0.42)]
    cap = [(-4.6, high * 0.42 - 0.1), (4.6, high * 0.42 - 0.1), (0, high * 0.72 + 0.3)]
    return [
        box(frame, (-half, 0, 0), (half, high, 2 * half), stone, body),
        box(frame, (-half - 0.15, high - 0.3, -0.15), (half + 0.15, high, 2 * half + 0.15), stone, body),
        prism(top, pointed, -half * 1.12, half * 1.12, slates, roof, axis="z", lean=lean),
        prism(frame, nave, 2 * half, 20, stone, body, axis="z"),
        prism(frame, cap, 2 * half, 20.4, slates, roof, axis="z"),
    ]
