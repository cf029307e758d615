"""A pot in the light of a window, on a table before a wall."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ..colour import hex_colour, mix, smoothstep, to_display, to_linear
from ..noise import plane_fbm
from .glazes import WALLS, Style, glazed
from .shape import BODY, HANDLE, INSIDE, LIP, NOTHING, TABLE, Seen

Array = np.ndarray
SUN = np.array([-0.55, 0.55, 0.63])
WINDOW = np.array([-0.62, 0.38, 0.69])


def lit(seen: Seen, look: Style, seed: int) -> Array:
    """Display colours of the picture: (h, w, 3)."""
    surface = to_linear(glazed(seen, look, seed))
    wall = to_linear(hex_colour(WALLS[look.wall]))
    back = background(seen, wall, seed)
    there = seen.part != NOTHING
    shaded = pot(seen, surface, wall, look)
    return to_display(np.where(there[..., None], shaded, back))


def background(seen: Seen, wall: Array, seed: int) -> Array:
    """Wall and table, with the shadow of the pot."""
    size = seen.part.shape[0]
    falling = 1.05 - 0.35 * (seen.x + 0.5 * (1 - seen.y))
    grain = 1 + 0.03 * plane_fbm(seen.part.shape, size / 7, seed + 20, 4)
    picture = wall * (falling * grain)[..., None]
    edge = TABLE + 0.14
    table = 0.72 * wall + 0.06
    on = smoothstep(0.004, -0.004, seen.y - edge)
    wood = 1 + 0.05 * plane_fbm(seen.part.shape, size / 24, seed + 21, 3, stretch=7)
    picture = mix(picture, table * (1.05 * wood * (1 - 0.2 * (seen.x + 0.5)))[..., None], on)
    foot = seen.form.radius[0]
    wide, flat = 1.25 * foot + 0.05, 0.33 * foot + 0.02
    apart = np.hypot((seen.x - 0.7 * foot) / (1.7 * wide), (seen.y - TABLE + 0.012) / flat)
    contact = np.hypot(seen.x / (foot * 1.12), (seen.y - TABLE + 0.006) / (foot * np.sin(seen.tilt) * 1.2 + 0.008))
    dark = 0.5 * smoothstep(1.5, 0.2, apart) * on + 0.55 * smoothstep(1.35, 0.8, contact)
    return picture * (1 - np.clip(dark, 0, 0.85))[..., None]


def pot(seen: Seen, surface: Array, wall: Array, look: Style) -> Array:
    """The pot itself: daylight, what wall and table give back, and the window in the glaze."""
    n = bumped(seen)
    sun = SUN / np.linalg.norm(SUN)
    facing = n @ sun
    day = np.clip(0.85 * facing + 0.15, 0, 1)
    sky = 0.5 + 0.5 * n[..., 1]
    bounce = np.clip(-n[..., 1], 0, 1)
    low = smoothstep(0.0, 0.22, seen.height) * 0.35 + 0.65
    light = 1.25 * day[..., None] * np.float32([1.0, 0.97, 0.92]) + (0.28 + 0.2 * sky)[..., None] * (0.5 + 0.5 * wall)
    light = light + bounce[..., None] * wall * 0.25
    light = light * np.where(seen.part == BODY, low, 1.0)[..., None]
    hollow = seen.part == INSIDE
    light = np.where(hollow[..., None], light * 0.3 * (0.5 + 0.5 * np.clip(facing, 0, 1))[..., None], light)
    colour = surface * light
    return colour + mirrored(seen, n, wall, look)


def bumped(seen: Seen) -> Array:
    """Normals with the grooves in them."""
    n = seen.normal.copy()
    for at in seen.form.grooves:
        away = (seen.height - at) * seen.form.height
        n[..., 1] += np.where(seen.part == BODY, -18 * away * np.exp(-((away / 0.008) ** 2)) / 0.1, 0)
    return n / np.maximum(np.linalg.norm(n, axis=2, keepdims=True), 1e-6)


def mirrored(seen: Seen, n: Array, wall: Array, look: Style) -> Array:
    """The window with its bars, and the room, in the glaze; glossy ones show them sharp."""
    eye = np.array([0, 0, 1.0])
    way = 2 * (n @ eye)[..., None] * n - eye
    window = WINDOW / np.linalg.norm(WINDOW)
    right = np.cross([0, 1.0, 0], window)
    right /= np.linalg.norm(right)
    above = np.cross(window, right)
    ahead = np.maximum(way @ window, 1e-3)
    u, v = (way @ right) / ahead, (way @ above) / ahead
    soft = 0.03 + 0.5 * (1 - look.gloss)
    pane = smoothstep(soft, -soft, np.abs(u) - 0.34) * smoothstep(soft, -soft, np.abs(v) - 0.5)
    bars = 1 - look.gloss * 0.8 * (smoothstep(0.05, 0.02, np.abs(u)) + smoothstep(0.05, 0.02, np.abs(v))).clip(0, 1)
    facing = np.clip(n[..., 2], 0, 1)
    fresnel = 0.04 + 0.5 * look.gloss * (1 - facing) ** 4
    strong = (1.6 * look.gloss + 0.12) * pane * bars * (way @ window > 0)
    room = (0.5 + 0.5 * way[..., 1])[..., None] * wall
    shown = np.isin(seen.part, (BODY, HANDLE, LIP))[..., None]
    return shown * (strong[..., None] * (0.35 + fresnel[..., None]) + fresnel[..., None] * room)


def smaller(picture: Array, times: int) -> Array:
    """Means of `times` by `times` pixels."""
    blurred = ndimage.uniform_filter(picture, (times, times, 0), mode="nearest")
    half = times // 2
    return blurred[half::times, half::times]
