"""Procedural places: a town at night by a river, a street skyline by day, and a path through a forest."""

from __future__ import annotations

import numpy as np

from . import vegetation as plants
from .colour import light, mix, ramp, smoothstep
from .noise import fbm
from .sky import DUSK, MORNING, NIGHT, Sky, radiance
from .terrain import View, mirror

Array = np.ndarray
Size = tuple[int, int]


def night_town(size: Size, rng: np.random.Generator, sky: Sky = NIGHT) -> Array:
    """A town of lit windows under stars and moon, its lamps drawn out in the river."""
    seed = int(rng.integers(1000))
    view = View(size, horizon=0.6, eye=1.0)
    u, v = view.directions()
    image = radiance(u, v, sky, seed)
    for k, code in enumerate(("#2b4272", "#1b2f57")):
        crest = (0.16 - 0.07 * k) * (1 + 0.5 * fbm(u * 1.8 + 5 * k, u * 0, seed + k, 5))
        tone = 1 + 0.4 * fbm(u * 25, v * 50, seed + k, 4)
        image = mix(image, light(code) * tone[..., None], smoothstep(0, 0.004, crest - v))
    _row_of_houses(image, view, rng, (0.05, 0.12), ("#22345c", "#2e3c66", "#3a3a5c"), 0.6)
    _steeple(image, view, 0.3)
    _row_of_houses(image, view, rng, (0.03, 0.08), ("#1a2747", "#2a2f50", "#43344a"), 0.75)
    _lamps(image, view, rng, 9)
    return mirror(image, view, v < 0, light("#0c1f4a"), seed, 1.5)


def _row_of_houses(
    image: Array, view: View, rng: np.random.Generator, heights: tuple[float, float], walls: tuple[str, ...], lit: float
) -> None:
    """Gabled houses along the horizon row, some windows lit."""
    rows, columns = view.size
    base, left = int(view.horizon * rows), -10
    while left < columns:
        width, tall = int(rows * rng.uniform(0.05, 0.1)), int(rows * rng.uniform(*heights))
        _gabled(image, base, left, width, tall, light(walls[rng.integers(len(walls))]), rng, lit)
        left += int(width * rng.uniform(0.95, 1.15))


def _gabled(
    image: Array, base: int, left: int, width: int, tall: int, wall: Array, rng: np.random.Generator, lit: float
) -> None:
    """One house front with its roof and a grid of windows."""
    rows, columns = image.shape[:2]
    first, last = max(left, 0), min(left + width, columns)
    if last <= first:
        return
    image[max(base - tall, 0) : base, first:last] = wall * rng.uniform(0.8, 1.3)
    for column in range(first, last):
        gable = int(0.5 * width * (1 - abs((column - left) / width * 2 - 1)))
        image[max(base - tall - gable, 0) : base - tall, column] = wall * light("#b08a98") * 1.2
    pitch = max(int(rows * 0.026), 6)
    for row in range(base - tall + pitch // 3, base - pitch // 2, pitch):
        for column in range(left + pitch // 3, left + width - pitch // 2, pitch):
            glass = light(("#ffcf5a", "#ff9f3a", "#ffe9a0")[rng.integers(3)], 1.5) if rng.random() < lit else wall * 0.6
            image[row : row + pitch // 2, max(column, 0) : max(column + pitch // 2, 0)] = glass


def _steeple(image: Array, view: View, at: float) -> None:
    """A church tower with a spire."""
    rows, columns = view.size
    base, column, half = int(view.horizon * rows), int(at * columns), int(0.022 * rows)
    image[base - int(0.2 * rows) : base, column - half : column + half] = light("#273a63")
    for k in range(int(0.16 * rows)):
        width = int(half * 1.25 * (1 - k / (0.16 * rows)))
        image[base - int(0.2 * rows) - k, column - width : column + width + 1] = light("#18264a")
    image[base - int(0.17 * rows) : base - int(0.145 * rows), column - half // 3 : column + half // 3] = light(
        "#ffd05a", 1.6
    )


def _lamps(image: Array, view: View, rng: np.random.Generator, count: int) -> None:
    """Street lamps with haloes on the quay."""
    rows, columns = view.size
    y, x = np.mgrid[:rows, :columns].astype(np.float32)
    for k in range(count):
        column = (k + rng.uniform(0.2, 0.8)) / count * columns
        radius = np.hypot(x - column, y - (view.horizon - 0.035) * rows) / rows
        glow = 2.5 * np.exp(-((radius / 0.009) ** 2)) + 0.5 * np.exp(-radius / 0.03)
        image += glow[..., None] * light("#ffc85a")


def skyline(size: Size, rng: np.random.Generator, sky: Sky = DUSK) -> Array:
    """Towers of a city in receding layers, with a bridge of windows and evening light on one side."""
    seed = int(rng.integers(1000))
    rows, columns = size
    view = View(size, horizon=0.86, eye=1.0)
    u, v = view.directions()
    image = radiance(u, v * 0.9, sky, seed)
    layers = (
        ("#c890a4", 0.36, 0.66, 0.2),
        ("#8a6aa8", 0.26, 0.56, 0.4),
        ("#4a62b0", 0.14, 0.42, 0.7),
        ("#27407f", 0.04, 0.24, 1.0),
    )
    for code, low, high, lit in layers:
        left = -int(0.05 * columns)
        while left < columns:
            width, tall = int(rows * rng.uniform(0.07, 0.15)), int(rows * rng.uniform(low, high))
            _tower(image, int(view.horizon * rows), left, width, tall, light(code), rng, lit)
            left += int(width * rng.uniform(1.0, 1.5))
    return mirror(image, view, v < 0, light("#1a2f5a"), seed, 1.4)


def _tower(
    image: Array, base: int, left: int, width: int, tall: int, wall: Array, rng: np.random.Generator, lit: float
) -> None:
    """A tower with a sunlit and a shaded face, a set-back crown and a grid of windows."""
    rows, columns = image.shape[:2]
    crown = int(tall * rng.uniform(0.82, 0.95))
    for top, inset in ((crown, 0), (tall, width // 5)):
        first, last, split = (max(left + inset, 0), min(left + width - inset, columns), left + int(0.62 * width))
        if last <= first:
            continue
        image[max(base - top, 0) : base, first:last] = wall
        image[max(base - top, 0) : base, max(first, min(split, last)) : last] = wall * 0.55
    pitch = max(int(rows * 0.032), 8)
    for row in range(max(base - crown + 4, 0), base - pitch, pitch):
        for column in range(left + 3, left + width - pitch // 2, pitch):
            if column < 0:
                continue
            shine = light(("#ffd97a", "#fff0b8", "#ff9a5a")[rng.integers(3)], 1.3)
            pane = shine if rng.random() < lit * 0.6 else wall * 0.7
            image[row : row + pitch // 2 + 1, column : column + pitch // 2] = pane


def forest_path(size: Size, rng: np.random.Generator, autumn: bool = False) -> Array:
    """Trunks closing in on a sun-dappled path, light coming through the far leaves."""
    seed = int(rng.integers(1000))
    rows, columns = size
    view = View(size, horizon=0.52, eye=1.0)
    u, v = view.directions()
    leaf = ("#5a2412", "#c85a1c", "#ffcf5a") if autumn else ("#0f3020", "#3f7a2c", "#d4e06a")
    image = radiance(u, np.abs(v), MORNING, seed) * 1.2
    image = mix(
        image,
        _foliage(u, v, seed, 10, leaf, 0.35),
        smoothstep(-0.35, 0.25, fbm(u * 6, v * 6, seed, 5)) * 0.75,
    )
    depth = 1 / np.maximum(-v, 0.035)
    bend = u * depth - 0.35 * np.sin(depth * 0.35)
    ground = (
        ramp(
            fbm(u * depth * 3, depth * 3, seed + 2, 5, gain=0.7),
            (-0.5, 0, 0.5),
            tuple(light(c) for c in leaf),
        )
        * 0.7
    )
    trail = ramp(
        fbm(u * depth * 2, depth * 2, seed + 3, 5, gain=0.65),
        (-0.5, 0, 0.5),
        (light("#6f4a2f"), light("#b98a58"), light("#f0cf94")),
    )
    ground = mix(ground, trail, smoothstep(0.75, 0.55, np.abs(bend) + 0.2 * fbm(u * 20, v * 20, seed + 4, 3)))
    dapple = smoothstep(-0.15, 0.25, fbm(u * depth * 1.1, depth * 1.3, seed + 5, 4))
    image = np.where((v < 0)[..., None], ground * (0.3 + 1.1 * dapple)[..., None], image)
    brush = 0.045 + 0.05 * np.abs(u) + 0.03 * fbm(u * 9, u * 0, seed + 12, 4)
    undergrowth = _foliage(u, v, seed + 20, 22, leaf, 0.45) * 0.85
    image = mix(
        image,
        undergrowth,
        smoothstep(0.008, -0.008, np.abs(v) - brush) * smoothstep(0.0, 0.05, np.abs(bend / depth) + v * 0.5),
    )
    for k, near in enumerate(np.linspace(0.12, 1.0, 15) ** 1.3):
        side = 1 if k % 2 else -1
        centre = 0.5 + side * (0.07 + 0.42 * near * rng.uniform(0.75, 1.25))
        _trunk(image, centre * columns, rows, near, seed + k, view.horizon)
    canopy = smoothstep(0.0, 0.35, v - 0.16 + 0.3 * fbm(u * 3.5, v * 3.5, seed + 8, 5) + 0.22 * np.abs(u))
    return mix(
        image,
        _foliage(u, v, seed + 40, 16, leaf, 0.6),
        canopy * smoothstep(-0.28, 0.0, fbm(u * 13, v * 13, seed + 9, 4)),
    )


def _foliage(u: Array, v: Array, seed: int, scale: float, leaf: tuple[str, str, str], contrast: float) -> Array:
    """Masses of leaves, from shade to translucent sunlight."""
    tone = fbm(u * scale, v * scale, seed + 1, 5, gain=0.75) + 0.5 * fbm(u * 3, v * 3, seed + 2, 2)
    return ramp(tone * contrast * 2, (-0.5, 0.05, 0.6), tuple(light(c) for c in leaf))


def _trunk(image: Array, centre: float, rows: int, near: float, seed: int, horizon: float) -> None:
    """One trunk, wider and darker as it nears, with furrowed bark lit from the path side."""
    columns = image.shape[1]
    foot = int((horizon + 0.46 * near**1.1) * rows)
    half = rows * (0.006 + 0.042 * near)
    y, x = np.mgrid[:foot, :columns].astype(np.float32)
    lean = 0.05 * np.sin(seed * 2.1) * (foot - y) + rows * 0.012 * np.sin(y / rows * 6 + seed)
    flare = 1 + 0.7 * np.exp(-(foot - y) / (2.2 * half)) - 0.25 * (foot - y) / rows
    w = (x - centre - lean) / (half * flare)
    bark = fbm(w * 2.3 + seed, y / (5 * half), seed, 4, gain=0.7)
    side = np.sign(columns / 2 - centre)
    tone = 0.42 + 0.4 * w * side + 0.45 * bark
    colour = ramp(tone, (0, 0.5, 1), (light("#1c1418"), light("#6a4a38"), light("#e3b98a")))
    colour = mix(light("#cfd9a0") * 0.9, colour, 0.35 + 0.65 * near)
    image[:foot] = mix(image[:foot], colour, smoothstep(1.06, 0.94, np.abs(w)))


def autumn_river(size: Size, rng: np.random.Generator) -> Array:
    """A river bend with poplars and autumn trees, their reflection, and flowers on the near bank."""
    seed = int(rng.integers(1000))
    rows, columns = size
    view = View(size, horizon=0.45, eye=1.2)
    u, v = view.directions()
    image = radiance(u, v, MORNING, seed)
    far = 0.05 + 0.02 * fbm(u * 3, u * 0, seed, 4)
    image = mix(
        image,
        light("#8fae7a") * (1 + 0.3 * fbm(u * 30, v * 60, seed, 3))[..., None],
        smoothstep(0, 0.004, far - v),
    )
    for k in range(15):
        column = (k + rng.uniform(0.1, 0.9)) / 15
        kind = (plants.POPLAR, plants.OAK, plants.AUTUMN)[rng.integers(3)]
        plants.draw_tree(image, column * columns, view.horizon * rows, rng.uniform(0.16, 0.4) * rows, kind, seed + k)
    image = mirror(image, view, v < 0, light("#2a6a80"), seed, 0.8)
    bank = smoothstep(-0.004, 0.004, -0.36 - 0.32 * u + 0.05 * fbm(u * 5, u * 0, seed + 4, 3) - v)
    grass = ramp(
        fbm(u * 30, v * 45, seed + 5, 4, gain=0.7),
        (-0.5, 0, 0.5),
        (light("#3a6a2a"), light("#7fa83c"), light("#d8dc7a")),
    )
    image = mix(image, grass, bank)
    colours = [light(c) for c in ("#ffffff", "#f06a8a", "#f7d34a", "#8a6ad8")]
    plants.scatter_flowers(image, 0.7, 1.02, colours, rng, 500, bank > 0.5)
    return image
