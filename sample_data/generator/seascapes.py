"""Procedural seas: swell under evening clouds, cliffs with a lighthouse, sails in a harbour."""

from __future__ import annotations

import numpy as np
from skimage.draw import polygon2mask

from .colour import light, mix, ramp, smoothstep
from .noise import fbm, ridged
from .sky import MORNING, NOON, STORM, SUNSET, Sky, radiance
from .terrain import Surface, View, aerial, cast, mirror, shade, shadow, unit

Array = np.ndarray
Size = tuple[int, int]


def _water(surface: Surface, view: View, sky: Sky, seed: int, deep: Array, crest: Array, wave: float) -> Array:
    """Sea colour: Fresnel reflection of the sky (Schlick), light through the crests, foam on the tops."""
    u, v = view.directions()
    towards = np.stack([u, v, np.ones_like(u)], axis=-1)
    towards /= np.linalg.norm(towards, axis=-1, keepdims=True)
    normal = surface.normal
    cosine = np.clip(-(towards * normal).sum(-1), 0.02, 1)
    bounce = towards + 2 * cosine[..., None] * normal
    ahead = np.maximum(np.abs(bounce[..., 2]), 0.15)
    reflected = radiance(bounce[..., 0] / ahead, np.abs(bounce[..., 1]) / ahead, sky, seed)
    fresnel = 0.03 + 0.97 * (1 - cosine) ** 5
    rise = surface.height / wave
    body = mix(deep, crest, smoothstep(0.15, 0.95, rise + 0.25 * (1 - normal[..., 1])))
    colour = mix(body, reflected, np.clip(fresnel, 0, 0.75))
    lace = ridged(surface.x * 1.1, surface.z * 1.1, seed + 31, 5)
    foam = smoothstep(0.95, 1.2, rise + 0.55 * lace) + 0.35 * smoothstep(0.72, 0.85, lace) * smoothstep(0.2, 0.6, rise)
    white = (light("#fdfbf4") * (0.35 + 0.65 * normal[..., 1:2])) * (0.6 + 0.4 * sky.sun_colour / sky.sun_colour.max())
    return mix(colour, white, np.clip(foam, 0, 1) * np.exp(-surface.z / 70))


def _swell(seed: int, wave: float, length: float):
    """Wave heights: bent ridges of swell with chop riding on them."""

    def height(x: Array, z: Array) -> Array:
        bend = fbm(x / (3 * length), z / (2 * length), seed + 1, 2)
        swell = ridged(x / (2.6 * length) + 0.4 * bend, z / length + bend, seed, 3, gain=0.4)
        chop = 0.07 * ridged(x / 1.6, z / 1.1, seed + 2, 3)
        return wave * (swell**1.5 + chop - 0.1)

    return height


def evening_sea(size: Size, rng: np.random.Generator, sky: Sky = SUNSET, wave: float = 2.0) -> Array:
    """Green swell with foam running towards the viewer, the sun on the horizon."""
    seed = int(rng.integers(1000))
    view = View(size, horizon=0.46, eye=2.5 + 0.3 * wave, near=2.0, far=190)
    height = _swell(seed, wave, 8.0)
    surface = cast(view, height)
    water = _water(surface, view, sky, seed, light("#0b3a52"), light("#3aa08c"), wave)
    return aerial(water, surface, view, sky, 0.004, seed)


def storm_sea(size: Size, rng: np.random.Generator) -> Array:
    """High waves under a torn grey sky."""
    return evening_sea(size, rng, STORM, 3.6)


def sea_cliffs(size: Size, rng: np.random.Generator, sky: Sky = NOON) -> Array:
    """Chalk cliffs with a grass cap and a lighthouse, above a turquoise bay."""
    seed = int(rng.integers(1000))
    view = View(size, horizon=0.36, eye=6.0, near=3, far=170)
    swell = _swell(seed, 0.55, 3.5)

    def land(x: Array, z: Array) -> Array:
        shore = x + 3.0 - 0.12 * z + 15 * np.exp(-z / 9) + 6.5 * fbm(x / 17, z / 17, seed + 4, 4)
        rise = smoothstep(0, 1.6, -shore) * (4.6 + 0.05 * z) + smoothstep(2, 26, -shore) * 5
        return rise + 0.35 * fbm(x / 3, z / 3, seed + 5, 4) * (shore < 0) - 0.8

    def height(x: Array, z: Array) -> Array:
        return np.maximum(land(x, z), swell(x, z) * 0.6)

    surface = cast(view, height)
    water = _water(surface, view, sky, seed, light("#0d4f78"), light("#49b8ae"), 0.55)
    grain = fbm(surface.x * 1.5, surface.z * 1.5, seed + 6, 5, gain=0.7)
    strata = fbm(surface.x / 30, surface.height * 1.3, seed + 7, 4) + 0.4 * grain
    chalk = ramp(strata, (-0.7, 0, 0.6), (light("#7a5238"), light("#c9a878"), light("#f0dcb4")))
    grass = ramp(grain, (-0.5, 0, 0.5), (light("#2f5a2a"), light("#6f9a3a"), light("#c8c860")))
    albedo = mix(chalk, grass, smoothstep(0.5, 0.72, surface.normal[..., 1]) * (surface.height > 2))
    sun = unit((0.75, 0.5, -0.4))
    visible = shadow(surface, height, sun, 18)
    ground = shade(albedo, surface.normal, sun, sky, visible, sky.sun_colour * 1.7)
    wet = land(surface.x, surface.z) < surface.height - 1e-3
    shore = smoothstep(-0.9, -0.1, land(surface.x, surface.z) + 0.5 * grain) * wet
    sea = mix(water, light("#f4fbf6"), 0.8 * shore)
    image = aerial(np.where(wet[..., None], sea, ground), surface, view, sky, 0.005, seed)
    _lighthouse(image, surface)
    return image


def _lighthouse(image: Array, surface: Surface) -> None:
    """A banded tower standing on the highest ground of the left third."""
    rows, columns = image.shape[:2]
    column = int(0.2 * columns)
    base = int(np.argmax(np.isfinite(surface.depth[:, column]))) + int(0.02 * rows)
    tall, half = int(min(0.3 * rows, 0.94 * base)), 0.027 * rows
    top = base - tall
    y, x = np.mgrid[top:base, int(column - 2 * half) : int(column + 2 * half)].astype(np.float32)
    h, w = (base - y) / tall, (x - column) / half
    side = 0.55 + 0.5 * np.clip(0.3 + 0.8 * w, -0.4, 1)
    band = (np.floor(h * 5) % 2)[..., None]
    wall = mix(light("#fff7ea"), light("#d8362a"), band) * side[..., None]
    wall = np.where((h > 0.84)[..., None], light("#ffe9a0") * 1.3, wall)
    wall = np.where(((h > 0.93) | (np.abs(h - 0.84) < 0.012))[..., None], light("#2b3440"), wall)
    width = (
        np.where(h > 0.84, 0.55 * np.clip((1.02 - h) / 0.09, 0, 1), 1 - 0.35 * h) + (np.abs(h - 0.84) < 0.012) * 0.25
    )
    patch = image[top:base, int(column - 2 * half) : int(column + 2 * half)]
    patch[:] = mix(patch, wall, smoothstep(0.05, -0.05, np.abs(w) - width))


def harbour(size: Size, rng: np.random.Generator, sky: Sky = MORNING) -> Array:
    """Sailing boats and a row of coloured houses, doubled in calm water."""
    seed = int(rng.integers(1000))
    view = View(size, horizon=0.5, eye=1.2)
    u, v = view.directions()
    image = radiance(u, v, sky, seed)
    for k, (far, near) in enumerate((("#8fa6c0", 0.10), ("#6f8fa0", 0.065), ("#56786a", 0.035))):
        crest = near * (1 + 0.7 * fbm(u * 2.2 + 9 * k, u * 0, seed + k, 5))
        texture = 1 + 0.25 * fbm(u * 30, v * 60, seed + k, 4)
        image = mix(image, light(far) * texture[..., None], smoothstep(0.0, 0.004, crest - v))
    _houses(image, view, rng)
    for column, tall in ((0.16, 0.3), (0.83, 0.36), (0.50, 0.44), (0.34, 0.2), (0.93, 0.2), (0.67, 0.24)):
        _boat(image, column, view.horizon, tall, rng)
    return mirror(image, view, v < 0, light("#14506a"), seed, 0.9)


def _houses(image: Array, view: View, rng: np.random.Generator) -> None:
    """A quay of narrow gabled houses with windows, lit from the right."""
    rows, columns = view.size
    base, left = view.horizon * rows, 0.0
    walls = ["#e8c07a", "#d9724a", "#f0e3c8", "#b4544a", "#8fb0b4", "#e0a088", "#c9b08a", "#f2d9a0"]
    while left < columns:
        width, tall = rows * rng.uniform(0.045, 0.085), rows * rng.uniform(0.075, 0.15)
        wall = light(walls[rng.integers(len(walls))])
        _fill(
            image,
            [(base, left), (base, left + width), (base - tall, left + width), (base - tall, left)],
            wall,
        )
        roof = light(("#a0452f", "#7a3a34", "#58657a")[rng.integers(3)])
        peak = base - tall - rows * rng.uniform(0.02, 0.05)
        eaves = [(base - tall, left - 1), (peak, left + width / 2), (base - tall, left + width + 1)]
        _fill(image, eaves, roof)
        for storey in np.arange(base - tall + rows * 0.014, base - rows * 0.03, rows * 0.032):
            for pane in (0.22, 0.62):
                x = left + pane * width
                corners = [(storey, x), (storey, x + width * 0.17), (storey + rows * 0.018, x + width * 0.17)]
                _fill(image, [*corners, (storey + rows * 0.018, x)], light("#2c3a4a"))
        left += width if rng.random() < 0.85 else width * 1.6


# Outlines of a sloop as (height above the water, offset along the hull) in units of the mast.
HULL = ((-0.01, -0.26), (0.085, -0.34), (0.065, 0.3), (-0.01, 0.22))
STRAKE = ((0.085, -0.34), (0.065, 0.3), (0.05, 0.28), (0.065, -0.32))
MAST = ((0.07, -0.008), (1.0, -0.004), (1.0, 0.008), (0.07, 0.012))
MAINSAIL = ((0.13, 0.02), (0.97, 0.012), (0.45, 0.21), (0.12, 0.31))
LUFF = ((0.13, 0.02), (0.97, 0.012), (0.3, 0.1))
JIB = ((0.12, -0.03), (0.86, -0.01), (0.11, -0.3))


def _boat(image: Array, column: float, waterline: float, tall: float, rng: np.random.Generator) -> None:
    """A sloop: hull with a bright strake, mast, mainsail with a shaded luff, and jib."""
    rows, columns = image.shape[:2]
    x, y, h = column * columns, waterline * rows, tall * rows
    hull = light(("#23384f", "#8a2f26", "#f2ead8", "#2f5f58")[rng.integers(4)])
    sail = light(("#fff6e2", "#f4d9a4", "#d8643a", "#fbf3ea")[rng.integers(4)])
    parts = (
        (HULL, hull),
        (STRAKE, light("#f6d890")),
        (MAST, light("#5a3d28")),
        (MAINSAIL, sail),
        (LUFF, sail * 0.78),
        (JIB, sail * light("#f0e0e8")),
    )
    for outline, colour in parts:
        _fill(image, [(y - up * h, x + along * h) for up, along in outline], colour)


def _fill(image: Array, corners: list[tuple[float, float]], colour: Array) -> None:
    """Fill a (row, column) polygon in place."""
    image[polygon2mask(image.shape[:2], np.array(corners))] = colour
