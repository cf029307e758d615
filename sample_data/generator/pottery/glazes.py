"""Glazes: a colour, how it runs and breaks, what is painted on it, and the light in which a pot stands."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..colour import hex_colour, lab, mix, rgb_from_lab, smoothstep
from ..noise import fbm
from .shape import Seen

Array = np.ndarray

GLAZES = {
    "celadon": ("#8fb59a", "#5e8f78"),
    "cobalt": ("#2f4fa0", "#1d2f70"),
    "oxblood": ("#a3262b", "#5e1018"),
    "amber": ("#d08a2c", "#8c4a12"),
    "turquoise": ("#2fa7a5", "#176f7a"),
    "tin white": ("#e9e3d4", "#b9ac98"),
    "tenmoku": ("#3a2a22", "#191310"),
    "rose": ("#d98f96", "#a7545f"),
}
"""Where a glaze lies thick, and where it is thin or broken."""
DECORS = ("plain", "dipped", "bands", "dots", "speckled")
WALLS = ("#d9d3c7", "#b9c4c9", "#c9b7a2", "#5b6470", "#3c4a44", "#8c7d8f")


@dataclass(frozen=True)
class Style:
    """How a pot looks.

    Attributes:
        glaze: Of `GLAZES`, by number.
        second: Of the decor.
        decor: Of `DECORS`, by number.
        wall: Of `WALLS`, by number.
        shift: Of the glaze's colour in Lab.
        gloss: From 0, matte, to 1.
        share: How far down a dip or how wide bands reach, from 0 to 1.
    """

    glaze: int
    second: int
    decor: int
    wall: int
    shift: tuple[float, float, float]
    gloss: float
    share: float


def style(rng: np.random.Generator) -> Style:
    """Any style."""
    glaze, second = rng.choice(len(GLAZES), 2, replace=False)
    return Style(
        int(glaze),
        int(second),
        int(rng.integers(len(DECORS))),
        int(rng.integers(len(WALLS))),
        (float(rng.normal(0, 4)), float(rng.normal(0, 3)), float(rng.normal(0, 3))),
        float(rng.choice([0.15, 0.6, 1.0])),
        float(rng.uniform(0.25, 0.5)),
    )


def colours(number: int, shift: tuple[float, float, float]) -> tuple[Array, Array]:
    """A glaze, thick and thin."""
    thick, thin = (lab(hex_colour(code)[None, None])[0, 0] for code in list(GLAZES.values())[number])
    return tuple(rgb_from_lab((tone + np.float32(shift))[None, None])[0, 0] for tone in (thick, thin))


def glazed(seen: Seen, look: Style, seed: int) -> Array:
    """Display colours of the surface before light: (h, w, 3)."""
    around, high = seen.turn / np.pi, seen.height
    run = fbm(np.cos(seen.turn) * 3 + np.sin(seen.turn) * 3 + 9, high * 5, seed, 4)
    streak = fbm(seen.turn * 4.5, high * 0.9, seed + 1, 3)
    depth = np.clip(0.72 + 0.35 * run + 0.3 * streak - 0.9 * edge_wear(seen), 0, 1)
    thick, thin = colours(look.glaze, look.shift)
    surface = mix(thin, thick, depth)
    where = decor(seen, look, seed)
    other_thick, other_thin = colours(look.second, look.shift)
    surface = mix(surface, mix(other_thin, other_thick, depth), where)
    if DECORS[look.decor] == "speckled":
        grain = fbm(around * 60 + 3, high * 60, seed + 5, 2)
        surface = mix(surface, other_thin, 0.85 * smoothstep(0.42, 0.5, grain))
    foot = smoothstep(0.035, 0.02, high) * (seen.part == 1)
    return mix(surface, hex_colour("#a8795a"), 0.85 * foot)


def edge_wear(seen: Seen) -> Array:
    """Glaze runs off sharp places: rims and grooves."""
    worn = smoothstep(0.97, 1.0, seen.height)
    for at in seen.form.grooves:
        worn = np.maximum(worn, groove(seen, at))
    return worn


def groove(seen: Seen, at: float) -> Array:
    """1 in a ring that was cut at a height."""
    return smoothstep(0.016, 0.006, np.abs(seen.height - at) * seen.form.height / 0.5)


def decor(seen: Seen, look: Style, seed: int) -> Array:
    """Where the second glaze is: (h, w) from 0 to 1."""
    kind, high = DECORS[look.decor], seen.height
    if kind == "dipped":
        level = 0 * high
        wave, tears = fbm(seen.turn * 3.2, level, seed + 2, 3), fbm(seen.turn * 7, level, seed + 3, 1)
        drip = 0.05 * wave - 0.05 * np.maximum(tears, 0)
        return smoothstep(-0.008, 0.008, high - (1 - look.share) - drip)
    if kind == "bands":
        wave = np.abs((high * 7 + 0.5) % 1 - 0.5)
        wobble = 0.03 * fbm(seen.turn * 4, high * 30, seed + 2, 2)
        return smoothstep(-0.03, 0.03, 0.5 * look.share - wave + wobble) * (high > 0.1) * (high < 0.92)
    if kind == "dots":
        rows = high * 8
        across = seen.turn / (2 * np.pi) * 14 + 0.5 * (np.floor(rows) % 2)
        apart = np.hypot((across % 1 - 0.5) * 1.1, rows % 1 - 0.5)
        return smoothstep(0.04, -0.04, apart - 0.55 * look.share) * (high > 0.12) * (high < 0.9)
    return np.zeros_like(high)
