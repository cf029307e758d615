"""Procedural landscapes on heightfields: mountain lake, dunes, canyon, fields, orchard, meadow, volcano."""

from __future__ import annotations

import numpy as np

from . import vegetation as plants
from .colour import light, mix, ramp, smoothstep
from .noise import fbm, ridged
from .sky import ALPINE, DUSK, NOON, SUNSET, Sky
from .terrain import Surface, View, aerial, cast, mirror, shade, shadow, unit

Array = np.ndarray
Size = tuple[int, int]


def mountain_lake(size: Size, rng: np.random.Generator, sky: Sky = ALPINE, snow: float = 0.5) -> Array:
    """Snow peaks over misty wooded spurs, mirrored in a lake with reeds of pines on the near shore."""
    seed = int(rng.integers(1000))
    view = View(size, horizon=0.56, eye=1.1, near=3, far=160)

    def height(x: Array, z: Array) -> Array:
        rise = smoothstep(26, 95, z)
        peaks = 40 * rise * ridged(x / 62 + 3.3, z / 62, seed, 7, gain=0.42) ** 1.6
        spurs = 5.0 * smoothstep(9, 40, z) * (fbm(x / 13, z / 13, seed + 3, 5) + 0.15 + 0.25 * np.abs(x) / z * 2)
        return np.maximum(peaks + spurs - 0.6, 0)

    surface = cast(view, height)
    sun = unit((0.8, 0.42, -0.15))
    grain = fbm(surface.x * 1.7, surface.z * 1.7, seed + 9, 5, gain=0.7)
    steep = 1 - surface.normal[..., 1]
    rock = ramp(grain, (-0.6, 0.1, 0.7), (light("#3d3a44"), light("#8a7868"), light("#c7ab8a")))
    wood = ramp(grain, (-0.5, 0.1, 0.6), (light("#0f2a22"), light("#2d5530"), light("#94a046")))
    line = surface.height / 14 + 0.3 * grain
    albedo = mix(wood, rock, smoothstep(0.22, 0.45, line + 0.4 * steep))
    white = smoothstep(snow - 0.06, snow + 0.1, line - 0.75 * steep)
    albedo = mix(albedo, light("#f4f6ff"), white)
    visible = shadow(surface, height, sun, 40)
    ground = shade(albedo, surface.normal, sun, sky, visible, sky.sun_colour * 1.5)
    image = aerial(ground, surface, view, sky, 0.0032, seed)
    image = _mist(image, surface, sky, seed)
    u, v = view.directions()
    water = (surface.hit & (surface.height < 0.02)) | (v < 0) & ~surface.hit
    image = mirror(image, view, water, light("#123f52", 0.7), seed)
    bank = -0.43 + 0.5 * u**2 + 0.02 * fbm(u * 7, v * 7, seed + 30, 4)
    turf = ramp(
        fbm(u * 22, v * 60, seed + 31, 4, gain=0.7),
        (-0.5, 0, 0.5),
        (light("#16301a"), light("#4a6a2c"), light("#a8a85a")),
    )
    image = mix(image, turf, smoothstep(0.004, -0.004, v - bank))
    for k in range(7):
        column = (0.02 + 0.055 * k + 0.012 * rng.standard_normal()) if k < 4 else (0.80 + 0.065 * (k - 4))
        tall = size[0] * rng.uniform(0.18, 0.42) * (0.6 + abs(column - 0.4))
        plants.draw_tree(image, column * size[1], size[0] * rng.uniform(0.84, 0.97), tall, plants.PINE, seed + k)
    return image


def _mist(image: Array, surface: Surface, sky: Sky, seed: int) -> Array:
    """Low mist that fills the valleys with horizon light."""
    wisp = fbm(surface.x / 14, surface.height / 2.5, seed + 21, 4)
    amount = np.exp(-surface.height / 2.2) * smoothstep(20, 70, surface.depth) * np.clip(0.75 + 0.6 * wisp, 0, 1)
    return mix(image, sky.horizon * 0.9, np.where(surface.hit, 0.6 * amount, 0))


def dunes(size: Size, rng: np.random.Generator, sky: Sky = SUNSET) -> Array:
    """Rippled sand dunes with knife-edge crests, side-lit by a low sun."""
    seed = int(rng.integers(1000))
    view = View(size, horizon=0.42, eye=4.2, near=1.2, far=150)

    def height(x: Array, z: Array) -> Array:
        bend = 1.3 * fbm(x / 22, z / 22, seed + 1, 3)
        phase = (z / 15 + bend + 0.25 * x / 15) % 1.0
        crest = np.where(phase < 0.68, phase / 0.68, (1 - phase) / 0.32)
        swell = 0.55 + 0.45 * fbm(x / 30, z / 18, seed + 2, 2)
        return 3.6 * smoothstep(0, 1, crest) * swell + 0.35 * fbm(x / 5, z / 5, seed + 3, 3)

    surface = cast(view, height)
    sun = unit((0.85, 0.32, 0.35))
    fade = np.exp(-surface.z / 26)
    warp = 0.9 * fbm(surface.x / 2.5, surface.z / 2.5, seed + 4, 3)
    ripple = np.sin(11 * (surface.z + 0.5 * surface.x + warp))
    tone = 0.5 + 0.3 * ripple * fade + 0.25 * fbm(surface.x * 9, surface.z * 9, seed + 5, 3) * fade
    sand = ramp(tone, (0, 0.5, 1), (light("#a65a2e"), light("#e0a35a"), light("#ffdf9e")))
    visible = shadow(surface, height, sun, 12)
    ground = shade(sand, surface.normal, sun, sky, visible, sky.sun_colour * 1.3)
    return aerial(ground, surface, view, sky, 0.007, seed)


def canyon(size: Size, rng: np.random.Generator, sky: Sky = NOON) -> Array:
    """Banded red mesas over a valley floor with a river."""
    seed = int(rng.integers(1000))
    view = View(size, horizon=0.36, eye=7.5, near=3, far=170)

    def height(x: Array, z: Array) -> Array:
        base = fbm(x / 26 + 9.1, z / 26, seed, 5, gain=0.55) + 0.22 * np.abs(x) / (8 + 0.25 * z) - 0.1
        terrace = 6.5 * smoothstep(0.05, 0.16, base) + 4.5 * smoothstep(0.34, 0.42, base)
        return np.maximum(terrace * (0.8 + 0.3 * fbm(x / 60, z / 60, seed + 7, 2)) + 0.5 * base, 0.0)

    surface = cast(view, height)
    sun = unit((-0.7, 0.55, -0.45))
    grain = fbm(surface.x * 1.3, surface.z * 1.3 + surface.height, seed + 4, 5, gain=0.7)
    strata = fbm(surface.x / 40, surface.height * 1.6, seed + 5, 4) + 0.35 * grain
    rock = ramp(
        strata,
        (-0.7, -0.2, 0.15, 0.5, 0.8),
        (light("#6a2a1e"), light("#b4512d"), light("#e08a4a"), light("#f3c58a"), light("#8a4a3c")),
    )
    flat = smoothstep(0.75, 0.93, surface.normal[..., 1])
    scrub = ramp(grain, (-0.4, 0.1, 0.5), (light("#4a5a2c"), light("#a08a4a"), light("#e0b878")))
    visible = shadow(surface, height, sun, 25)
    ground = shade(mix(rock, scrub, flat * 0.75), surface.normal, sun, sky, visible, sky.sun_colour * 1.7)
    image = aerial(ground, surface, view, sky, 0.0055, seed)
    water = surface.hit & (surface.height < 0.03)
    return mirror(image, view, water, light("#2a6a78"), seed, 0.6)


def _fields(size: Size, seed: int, sky: Sky, crops: list[Array]) -> tuple[Array, View, Surface]:
    """Rolling hills patched with crops in rows; returns the picture, its view and its surface."""
    view = View(size, horizon=0.42, eye=5.0, near=2.2, far=140)

    def height(x: Array, z: Array) -> Array:
        hills = 2.6 * fbm(x / 24, z / 24, seed, 3) + 9 * smoothstep(50, 130, z) * ridged(x / 45, z / 45, seed + 2, 5)
        return hills + 0.25 * fbm(x / 4, z / 4, seed + 3, 3)

    surface = cast(view, height)
    x, z = surface.x, surface.z
    a, b = x * 0.82 + z * 0.57, z * 0.82 - x * 0.57
    warp = 0.25 * fbm(x / 9, z / 9, seed + 4, 2)
    plot = (np.floor(a / 7.5 + warp).astype(int) * 7 + np.floor(b / 11 - warp).astype(int) * 13) % len(crops)
    angle = np.where(plot % 2 == 0, a, b)
    rows = np.sin(angle * 5.5 + 2 * fbm(x / 3, z / 3, seed + 5, 2)) * np.exp(-z / 30)
    tone = 1 + 0.3 * rows + 0.55 * fbm(x * 1.8, z * 1.8, seed + 6, 4, gain=0.7)
    albedo = np.stack(crops)[plot] * np.clip(tone, 0.25, 1.8)[..., None]
    albedo = mix(albedo, light("#3d5a70"), smoothstep(55, 85, z))
    hedge = np.minimum(np.abs((a / 7.5 + warp) % 1 - 0.5), np.abs((b / 11 - warp) % 1 - 0.5))
    albedo = mix(albedo, light("#1d3a1c"), 0.7 * smoothstep(0.48, 0.5, hedge))
    sun = unit((0.7, 0.6, -0.35))
    visible = shadow(surface, height, sun, 10)
    ground = shade(albedo, surface.normal, sun, sky, visible, sky.sun_colour * 1.5)
    return aerial(ground, surface, view, sky, 0.006, seed), view, surface


def cypress_fields(size: Size, rng: np.random.Generator, sky: Sky = NOON) -> Array:
    """Wheat and vines on rolling hills, orchards in the distance and dark cypresses in front."""
    seed = int(rng.integers(1000))
    crops = [light(c) for c in ("#e6b53a", "#7f9a3c", "#d8a02c", "#4f7f3a", "#f0d070", "#b4743a", "#9fb04a")]
    image, _, surface = _fields(size, seed, sky, crops)
    _plant(image, surface, rng, plants.OAK, 60, (0.43, 0.62), seed)
    for column, base, tall in ((0.80, 0.93, 0.78), (0.69, 0.86, 0.55), (0.9, 0.88, 0.5)):
        plants.cast_shadow(image, column * size[1], base * size[0], tall * size[0] * 0.5, 1)
        plants.draw_tree(
            image, column * size[1], base * size[0], tall * size[0], plants.CYPRESS, seed + int(99 * column)
        )
    return image


def orchard(size: Size, rng: np.random.Generator, sky: Sky = NOON) -> Array:
    """Blossoming trees in a meadow of spring flowers, with hills behind."""
    seed = int(rng.integers(1000))
    crops = [light(c) for c in ("#8fb84a", "#a9c65a", "#6f9f3f", "#c2cf6a")]
    image, _, surface = _fields(size, seed, sky, crops)
    _plant(image, surface, rng, plants.POPLAR, 30, (0.42, 0.5), seed)
    colours = [light(c) for c in ("#ffffff", "#f7d34a", "#e7688a", "#a58ad8")]
    for base, count, tall in ((0.56, 6, 0.24), (0.68, 5, 0.36), (0.82, 3, 0.6)):
        for k in range(count):
            column = (k + 0.5 + rng.uniform(-0.3, 0.3)) / count
            plants.cast_shadow(image, column * size[1], base * size[0], tall * size[0] * 0.8, 1)
            row = (base + rng.uniform(-0.02, 0.03)) * size[0]
            plants.draw_tree(
                image, column * size[1], row, tall * size[0], plants.BLOSSOM, seed + 7 * k + int(90 * base)
            )
        plants.scatter_flowers(image, base, base + 0.16, colours, rng, 260)
    return image


def poppy_field(size: Size, rng: np.random.Generator, sky: Sky = NOON) -> Array:
    """A poppy meadow running to a line of trees and blue hills."""
    seed = int(rng.integers(1000))
    crops = [light(c) for c in ("#6f8f3a", "#86a045", "#5d7f34")]
    image, _, surface = _fields(size, seed, sky, crops)
    _plant(image, surface, rng, plants.OAK, 34, (0.45, 0.56), seed)
    _plant(image, surface, rng, plants.POPLAR, 12, (0.46, 0.52), seed + 5)
    colours = [light(c) for c in ("#e32818", "#f04a22", "#d81f2a", "#ff6a3a", "#fff4e0", "#5a6ad8")]
    scatter = fbm(surface.x / 4, surface.z / 4, seed + 31, 3) > -0.25
    plants.scatter_flowers(image, 0.55, 1.04, colours, rng, 2600, scatter & surface.hit)
    return image


def _plant(
    image: Array,
    surface: Surface,
    rng: np.random.Generator,
    kind: plants.Tree,
    count: int,
    band: tuple[float, float],
    seed: int,
) -> None:
    """Trees at random columns in a band of rows, sized by the depth of the ground they stand on."""
    rows, columns = image.shape[:2]
    for base in np.sort(rng.uniform(*band, count)):
        row, column = int(base * rows), int(rng.uniform(0, columns))
        depth = surface.depth[row, column]
        if np.isfinite(depth):
            tall = rows * rng.uniform(1.3, 2.3) / depth
            plants.draw_tree(image, column, row, tall, kind, seed + row + column)


def volcano(size: Size, rng: np.random.Generator, sky: Sky = DUSK) -> Array:
    """A snow-capped cone over terraced foothills, a lake and pines."""
    seed = int(rng.integers(1000))
    view = View(size, horizon=0.66, eye=1.4, near=3, far=150)

    def height(x: Array, z: Array) -> Array:
        radius = np.hypot(x + 12, z - 95)
        gully = fbm(np.arctan2(z - 95, x + 12) * 6, radius / 30, seed, 4)
        cone = 46 * np.exp(-radius / 26) * (1 + 0.06 * gully)
        hills = 3.4 * smoothstep(26, 60, z) * np.clip(fbm(x / 15, z / 15, seed + 2, 4) + 0.25, 0, 2)
        return np.maximum(np.minimum(cone, 33 + 0.8 * gully) + hills - 1.5, 0)

    surface = cast(view, height)
    sun = unit((-0.75, 0.5, -0.35))
    grain = fbm(surface.x, surface.z, seed + 4, 4, gain=0.65)
    angle = np.arctan2(surface.z - 95, surface.x + 12)
    tongue = 5 * fbm(angle * 9, surface.height / 30, seed + 6, 3)
    snow = smoothstep(19, 21, surface.height + tongue)
    slope = ramp(
        surface.height / 30 + 0.15 * grain,
        (0, 0.25, 0.8),
        (light("#2f5a3c"), light("#5a5f6e"), light("#5a4a66")),
    )
    albedo = mix(slope * (1 + 0.4 * grain)[..., None], light("#ffffff"), snow)
    visible = shadow(surface, height, sun, 20)
    ground = shade(albedo, surface.normal, sun, sky, visible, sky.sun_colour * 1.7)
    image = aerial(ground, surface, view, sky, 0.0045, seed)
    image = _mist(image, surface, sky, seed)
    _, v = view.directions()
    water = (surface.hit & (surface.height < 0.02)) | ((v < 0) & ~surface.hit)
    image = mirror(image, view, water, light("#1a4a7a"), seed, 0.8)
    for column, tall in ((0.05, 0.5), (0.13, 0.36), (0.93, 0.62)):
        plants.draw_tree(image, column * size[1], size[0] * 0.99, tall * size[0], plants.PINE, seed + int(99 * column))
    return image
