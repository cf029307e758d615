"""Openings in a wall: windows and doors set back behind its face, with reveals, frames, panes and what is behind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from .convex import Frame
from .points import Points
from .texture import chance, colour, fade, noise, shades

Array = np.ndarray

Fill = Callable[[Points, Array, Array, Array, "Opening"], None]
"""Paints what closes an opening: of points, which of them (indices), and metres right of and above its lower left."""


@dataclass(frozen=True)
class Opening:
    """A rectangle in a wall's face, in metres along and up, `deep` metres back, closed by `fill`."""

    left: float
    bottom: float
    wide: float
    high: float
    instance: int
    fill: Fill
    deep: float = 0.14
    surround: float = 0.1
    panes: tuple[int, int] = (2, 2)
    seed: int = 0


def cut(points: Points, frame: Frame, openings: Sequence[Opening], reveal: Array, surround: Array) -> None:
    """Set openings into a wall that is already painted. The wall's face is z = 0 of the frame, its outside z < 0.

    The ray goes on behind the face until it meets the bottom of the recess or one of its sides. The sun reaches the
    bottom where the way back to it leaves through the opening.
    """
    local = frame.local(points.position)
    ray, sun = frame.turn(points.ray), frame.turn(points.sun[None])[0]
    facing = (frame.turn(points.normal)[:, 2] < -0.6) & (np.abs(local[:, 2]) < 0.02)
    for hole in openings:
        x, y = local[:, 0] - hole.left, local[:, 1] - hole.bottom
        near = (np.abs(x - hole.wide / 2) < hole.wide / 2 + hole.surround) & facing
        near &= (y > -hole.surround * 0.7) & (y < hole.high + hole.surround)
        inside = near & (x > 0) & (x < hole.wide) & (y > 0) & (y < hole.high)
        edge = np.flatnonzero(near & ~inside)
        if hole.surround > 0 and len(edge):
            shade = 1 + 0.06 * noise(x[edge], y[edge], 0.3, hole.seed)
            points.albedo[edge] = surround * shade[:, None]
        which = np.flatnonzero(inside)
        if len(which):
            _recess(points, which, (x[which], y[which]), ray[which], sun, frame, hole, reveal)


def _recess(
    points: Points, which: Array, at: tuple[Array, Array], ray: Array, sun: Array, frame: Frame, hole: Opening,
    reveal: Array,
) -> None:  # fmt: skip
    x, y = at
    dx, dy, dz = ray.T
    dz = np.maximum(dz, 1e-3)
    right, above = np.where(dx > 0, hole.wide, 0), np.where(dy > 0, hole.high, 0)
    to_side = (right - x) / np.where(np.abs(dx) < 1e-5, 1e-5, dx)
    to_level = (above - y) / np.where(np.abs(dy) < 1e-5, 1e-5, dy)
    to_bottom = hole.deep / dz
    way = np.minimum(np.minimum(to_side, to_level), to_bottom)
    x, y, z = x + dx * way, y + dy * way, dz * way
    bottom = to_bottom <= way + 1e-6
    points.instance[which] = hole.instance
    points.glow[which] = 0
    points.gloss[which] = 0
    # The way from the recess to the sun passes the wall's face at (ex, ey).
    towards = z / max(-float(sun[2]), 1e-3)
    ex, ey = x + sun[0] * towards, y + sun[1] * towards
    lit = (ex > 0) & (ex < hole.wide) & (ey > 0) & (ey < hole.high) & (sun[2] < 0)
    points.open[which] = lit
    here = np.stack([np.clip(ex, 0, hole.wide) + hole.left, np.clip(ey, 0, hole.high) + hole.bottom], axis=1)
    points.anchor[which] = frame.world(np.concatenate([here, np.zeros((len(here), 1))], axis=1))
    side = ~bottom & (to_side <= to_level)
    normal = np.zeros((len(x), 3), np.float32)
    normal[side, 0], normal[~side & ~bottom, 1], normal[bottom, 2] = (
        -np.sign(dx[side]),
        -np.sign(dy[~side & ~bottom]),
        -1,
    )
    points.normal[which] = normal @ frame.axes
    dim = 1 - 0.45 * z / max(hole.deep, 1e-3)
    points.albedo[which] = reveal * dim[:, None]
    if bottom.any():
        hole.fill(points, which[bottom], x[bottom], y[bottom], hole)


def bars(at: Array, span: float, count: int, border: float, bar: float) -> Array:
    """Where a frame's border and `count` - 1 bars between panes lie along one direction."""
    between = np.abs((at - border) / ((span - 2 * border) / count) % 1 - 0.5)
    pitch = (span - 2 * border) / count
    return (at < border) | (at > span - border) | ((0.5 - between) * pitch < bar / 2) & (count > 1)


def window(frame_colour: Array, inside: Array, lit: float, curtain: Array | None) -> Fill:
    """A window with a wooden frame, panes that mirror the sky, a dim room behind, curtains, light in the evening."""

    def fill(points: Points, which: Array, x: Array, y: Array, hole: Opening) -> None:
        wood = bars(x, hole.wide, hole.panes[0], 0.07, 0.04) | bars(y, hole.high, hole.panes[1], 0.07, 0.04)
        points.albedo[which] = np.where(wood[:, None], frame_colour, inside)
        glass = which[~wood]
        points.gloss[glass] = 0.34
        across, up = x[~wood] / hole.wide, y[~wood] / hole.high
        hangs = np.zeros(len(glass), bool)
        if curtain is not None:
            hangs = (np.abs(across - 0.5) > 0.22 + 0.14 * np.clip(up - 0.3, -0.2, 0.5)) | (up > 0.92)
            folds = 0.75 + 0.25 * np.sin(across * hole.wide * 60)
            points.albedo[glass[hangs]] = (curtain * folds[:, None])[hangs]
            points.gloss[glass[hangs]] = 0.16
        glow = lit * points.evening * (0.55 + 0.45 * up) * np.where(hangs, 0.75, 1)
        points.glow[glass] = colour("#ffb658") * (2.1 * glow)[:, None]
        waves = [noise(x[~wood], y[~wood], 1.4, hole.seed + k, 2.2) for k in range(3)]
        points.normal[glass] += 0.012 * np.stack(waves, axis=1)

    return fill


def door(base: Array, seed: int, glazed: bool) -> Fill:
    """A panelled door with a knob, and a small light above where it is glazed."""

    def fill(points: Points, which: Array, x: Array, y: Array, hole: Opening) -> None:
        u, v = x / hole.wide, y / hole.high
        top = 0.8 if glazed else 0.95
        column, row = np.abs(u - 0.5), (v - 0.06) / (top - 0.06)
        panel = (column > 0.06) & (column < 0.4) & (row > 0.02) & (row < 0.96) & (np.abs(row - 0.45) > 0.04)
        inset = (column > 0.09) & (column < 0.37) & (row > 0.05) & (row < 0.93) & (np.abs(row - 0.45) > 0.07)
        tone = 1 + 0.05 * noise(x, y * 0.15, 0.08, seed, 1.2) * fade(points.width[which], 0.03)
        tone = tone * np.where(panel & ~inset, 0.6, np.where(inset, 0.92, 1.0))
        points.albedo[which] = base * tone[:, None]
        points.gloss[which] = 0.03
        knob = (x - hole.wide * 0.9) ** 2 + (y - 1.0) ** 2 < 0.035**2
        points.albedo[which[knob]] = colour("#d0a850")
        if glazed:
            light = (v > 0.84) & (v < 0.97) & (column < 0.42)
            points.albedo[which[light]], points.gloss[which[light]] = 0.03, 0.3
            points.glow[which[light]] = colour("#ffb658") * 1.6 * points.evening

    return fill


def shop(frame_colour: Array, goods: Sequence[Array], seed: int) -> Fill:
    """A shop window: one large pane, goods on shelves behind it, lit in the evening."""

    def fill(points: Points, which: Array, x: Array, y: Array, hole: Opening) -> None:
        wood = bars(x, hole.wide, max(1, round(hole.wide / 1.4)), 0.08, 0.06) | bars(y, hole.high, 1, 0.08, 0.06)
        u = x / hole.wide
        low = y < 1.15
        shelf, place = np.floor(y / 0.5), np.floor(x / 0.31 + 0.37 * np.floor(y / 0.5))
        pick = (chance(place, shelf, seed) * 97).astype(int)
        at, tall = (x / 0.31 + 0.37 * shelf) % 1 - 0.5, 0.14 + 0.22 * (pick % 11) / 11
        half = (0.2 + 0.2 * (pick % 3) / 3) * np.sqrt(np.clip(1 - (y % 0.5 / tall) ** (1 + pick % 4), 0, 1))
        item = low & (np.abs(at) < half) & (pick % 7 > 0)
        board = low & (y % 0.5 > 0.46)
        back = shades(colour("#6e5236"), 0.7 * y / hole.high - 0.4 + 0.25 * np.cos(2 * np.pi * u))
        ware = np.stack(goods)[pick % len(goods)] * (0.55 + 0.5 * (at < -0.05))[:, None]
        behind = np.where(item[:, None], ware, np.where(board[:, None], colour("#3a2a1e"), back))
        shade = np.hypot((u * 3 % 1 - 0.5) * hole.wide / 3, y - hole.high + 0.28) < 0.12
        points.albedo[which] = np.where(wood[:, None], frame_colour, behind)
        points.gloss[which[~wood]] = 0.2
        bright = 0.16 + 0.75 * points.evening + 2.2 * shade * (0.25 + points.evening)
        points.glow[which[~wood]] = (
            np.where(shade[:, None], 0.8, behind) * colour("#ffe0b0") * (1.5 * bright)[:, None]
        )[~wood]

    return fill
