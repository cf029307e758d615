"""A form seen a little from above: which part of it is at every pixel, and how its surface lies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from .forms import Form

Array = np.ndarray
NOTHING, BODY, INSIDE, LIP, HANDLE = range(5)
TABLE = 0.16
"""Height of the foot's middle above the lower border, in parts of the side."""


@dataclass(frozen=True)
class Seen:
    """What is seen at every pixel (h, w).

    Attributes:
        part: NOTHING, BODY, INSIDE, LIP or HANDLE.
        height: From 0, the foot, to 1, the rim.
        turn: Around the axis in radians: 0 faces the eye.
        normal: (h, w, 3): right, up, towards the eye.
        x: From the axis, in parts of the side, and
        y: above the lower border.
        tilt: Of the eye, in radians.
        form: The form.
    """

    part: Array
    height: Array
    turn: Array
    normal: Array
    x: Array
    y: Array
    tilt: float
    form: Form


def see(form: Form, size: int, tilt: float, off: float) -> Seen:
    """A form in a square picture; `off` moves its axis to the right."""
    y, x = np.mgrid[:size, :size].astype(np.float64)
    x, y = (x + 0.5) / size - 0.5 - off, 1 - (y + 0.5) / size
    up = y - TABLE
    part = np.zeros((size, size), np.int8)
    height, turn = np.zeros((size, size)), np.zeros((size, size))
    normal = np.zeros((size, size, 3))
    handles(form, x, up, part, normal)
    body(form, x, up, tilt, part, height, turn, normal)
    rim(form, x, up, tilt, part, normal)
    return Seen(part, height, turn, normal, x, y, tilt, form)


def body(form: Form, x: Array, up: Array, tilt: float, part: Array, height: Array, turn: Array, normal: Array) -> None:
    """The outside: in every column, the height whose front is seen at a pixel."""
    at, radius = form.heights, form.radius
    slope = np.gradient(radius, at * form.height)
    for column in range(x.shape[1]):
        across = abs(x[0, column])
        there = radius > across
        if not there.any():
            continue
        deep = np.sqrt(np.maximum(radius**2 - across**2, 0))
        seen = np.where(there, at * form.height * np.cos(tilt) - deep * np.sin(tilt), -np.inf)
        low, high = np.flatnonzero(there)[[0, -1]]
        way = np.maximum.accumulate(seen[low : high + 1])
        found = np.interp(up[:, column], way, at[low : high + 1], left=-1, right=2)
        here = (found >= 0) & (found <= 1)
        rows = np.flatnonzero(here)
        h = found[rows]
        r = np.interp(h, at, radius)
        sine = np.clip(x[rows, column] / np.maximum(r, 1e-6), -1, 1)
        part[rows, column] = BODY
        height[rows, column], turn[rows, column] = h, np.arcsin(sine)
        facing = np.stack([sine, -np.interp(h, at, slope), np.sqrt(1 - sine**2)], axis=1)
        normal[rows, column] = facing / np.linalg.norm(facing, axis=1, keepdims=True)


def rim(form: Form, x: Array, up: Array, tilt: float, part: Array, normal: Array) -> None:
    """The opening, and the lip around it."""
    radius, middle = form.radius[-1], form.height * np.cos(tilt)
    away = np.hypot(x, (up - middle) / np.sin(tilt))
    lip = max(0.008, 0.06 * radius)
    part[away < radius] = LIP
    part[away < radius - lip] = INSIDE
    normal[away < radius] = (0, np.cos(tilt), np.sin(tilt))
    hollow = away < radius - lip
    back = (up - middle) / np.sin(tilt)
    normal[hollow] = np.stack([-x, 0 * x + 0.02, -back], axis=2)[hollow] / (radius + 0.02)


def handles(form: Form, x: Array, up: Array, part: Array, normal: Array) -> None:
    """Round bars beside the body."""
    for way, side in zip(form.handles, form.sides, strict=True):
        dense = np.stack([np.interp(np.linspace(0, 1, 400), np.linspace(0, 1, len(way)), c) for c in way.T], axis=1)
        places = np.stack([side * x, up], axis=2)
        away, nearest = cKDTree(dense).query(places, distance_upper_bound=form.thickness)
        here = away < form.thickness
        part[here] = HANDLE
        flat = (places[here] - dense[nearest[here]]) / form.thickness
        flat[:, 0] *= side
        normal[here] = np.concatenate([flat, np.sqrt(np.maximum(1 - (flat**2).sum(1), 0))[:, None]], axis=1)
