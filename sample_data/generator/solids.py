"""Ray-marched signed distance fields (sphere tracing, Hart 1996): and a still life."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from .colour import light, mix, ramp, smoothstep
from .noise import fbm
from .terrain import unit

Array = np.ndarray
Size = tuple[int, int]
Distance = Callable[[Array], Array]
Solid = tuple[Distance, Callable[[Array], Array]]


def sphere(centre: Sequence[float], radius: float, squash: float = 1.0) -> Distance:
    """A ball, or a spheroid squashed along the vertical axis."""
    scale = np.array([1, 1 / squash, 1], np.float32)
    return lambda p: (np.linalg.norm((p - np.float32(centre)) * scale, axis=-1) - radius) * min(squash, 1.0)


def capsule(a: Sequence[float], b: Sequence[float], start: float, end: float) -> Distance:
    """A round cone from `a` to `b` with a linearly varying radius."""
    a, axis = np.float32(a), np.float32(b) - np.float32(a)

    def distance(p: Array) -> Array:
        t = np.clip(((p - a) @ axis) / (axis @ axis), 0, 1)
        return np.linalg.norm(p - a - t[..., None] * axis, axis=-1) - (start + (end - start) * t)

    return distance


def lathe(centre: Sequence[float], heights: Sequence[float], radii: Sequence[float], wall: float = 0.0) -> Distance:
    """A turned vessel: a radius profile over height, hollow if `wall` is positive."""

    def distance(p: Array) -> Array:
        q = p - np.float32(centre)
        r = np.hypot(q[..., 0], q[..., 2])
        side = r - np.interp(q[..., 1], heights, radii)
        if wall:
            side = np.abs(side + wall) - wall
        ends = np.maximum(heights[0] - q[..., 1], q[..., 1] - heights[-1])
        return np.maximum(side, ends) * 0.6

    return distance


def blend(parts: Sequence[Distance], radius: float) -> Distance:
    """Smooth union (exponential minimum) of several solids."""
    return lambda p: -radius * np.log(sum(np.exp(-np.clip(part(p), -4, 12) / radius) for part in parts) + 1e-30)


def _nearest(solids: Sequence[Solid], p: Array) -> Array:
    return np.minimum.reduce([distance(p) for distance, _ in solids])


def _march(solids: Sequence[Solid], origin: Array, rays: Array, far: float, steps: int = 70) -> Array:
    """Sphere tracing: distance travelled along each ray, `far` where nothing is met."""
    flat = rays.reshape(-1, 3)
    travelled, active = np.full(len(flat), 0.2, np.float32), np.arange(len(flat))
    for _ in range(steps):
        gap = _nearest(solids, origin + travelled[active, None] * flat[active])
        travelled[active] += gap
        active = active[(gap > 0.0015) & (travelled[active] < far)]
        if not len(active):
            break
    return travelled.reshape(rays.shape[:-1])


def _normals(solids: Sequence[Solid], p: Array) -> Array:
    """Normals by central differences on a tetrahedron."""
    corners = np.float32([[1, -1, -1], [-1, -1, 1], [-1, 1, -1], [1, 1, 1]])
    normal = sum(k * _nearest(solids, p + 0.004 * k)[..., None] for k in corners)
    return normal / (np.linalg.norm(normal, axis=-1, keepdims=True) + 1e-9)


def render(
    solids: Sequence[Solid],
    size: Size,
    eye: Sequence[float],
    aim: Sequence[float],
    focal: float,
    sun: Array,
    background: Callable[[Array, Array], Array],
    key: Array,
    fill: Array,
    far: float = 30.0,
) -> Array:
    """Radiance of solids under a key light with soft shadows, a fill light and ambient occlusion."""
    rows, columns = size
    y, x = np.mgrid[:rows, :columns].astype(np.float32)
    u, v = (x - columns / 2) / rows, (rows / 2 - y) / rows
    forward = np.float32(aim) - np.float32(eye)
    forward /= np.linalg.norm(forward)
    right = np.cross([0, 1, 0], forward)
    right = (right / np.linalg.norm(right)).astype(np.float32)
    up = np.cross(forward, right)
    rays = focal * forward + u[..., None] * right + v[..., None] * up
    rays /= np.linalg.norm(rays, axis=-1, keepdims=True)
    t = _march(solids, np.float32(eye), rays, far)
    result, hit = background(u, v), t < far * 0.98
    p = np.float32(eye) + t[hit][:, None] * rays[hit]
    result[hit] = _lit(solids, p, rays[hit], sun, key, fill)
    return result


def _lit(solids: Sequence[Solid], p: Array, rays: Array, sun: Array, key: Array, fill: Array) -> Array:
    """Shaded colour of surface points."""
    normal = _normals(solids, p)
    gaps = np.stack([distance(p) for distance, _ in solids])
    owner = gaps.argmin(0)
    colour, gloss = np.zeros_like(p), np.zeros(len(p), np.float32)
    for k, (_, paint) in enumerate(solids):
        mine = owner == k
        if mine.any():
            painted = paint(p[mine])
            colour[mine], gloss[mine] = painted[:, :3], painted[:, 3]
    visible = np.ones(len(p), np.float32)
    for reach in np.geomspace(0.05, 4, 12):
        visible = np.minimum(
            visible, np.clip(0.3 + 7 * _nearest(solids, p + 0.02 * normal + reach * sun) / reach, 0, 1)
        )
    occlusion = np.clip(sum(_nearest(solids, p + d * normal) / d for d in (0.08, 0.25, 0.6)) / 3, 0, 1)
    diffuse = np.clip(normal @ sun, 0, 1) * visible
    ambient = (0.35 + 0.65 * (0.5 + 0.5 * normal[:, 1])) * occlusion
    rim = np.clip(1 + (normal * rays).sum(-1), 0, 1) ** 3 * occlusion
    half = sun - rays
    half /= np.linalg.norm(half, axis=-1, keepdims=True)
    shine = gloss * np.clip((normal * half).sum(-1), 0, 1) ** 60 * visible
    return (
        colour * (diffuse[:, None] * key + ambient[:, None] * fill + 0.4 * rim[:, None] * fill)
        + 2 * shine[:, None] * key
    )


def paint(base: str, other: str, scale: float, gloss: float = 0.0, seed: int = 3) -> Callable[[Array], Array]:
    """A paint mottled between two colours."""

    def at(p: Array) -> Array:
        tone = fbm(p[:, 0] * scale + p[:, 2] * 0.7 * scale, p[:, 1] * scale + p[:, 2] * 0.4 * scale, seed, 4)
        colour = mix(light(base), light(other), smoothstep(-0.45, 0.45, tone)[:, None])
        return np.concatenate([colour, np.full((len(p), 1), gloss, np.float32)], axis=1)

    return at


def matt(colour: Array) -> Array:
    """Surface colours with a gloss of zero."""
    return np.concatenate([colour, np.zeros((len(colour), 1), np.float32)], axis=1)


def _cloth(base: str, stripe: str, pitch: float) -> Callable[[Array], Array]:
    """Checked cloth."""

    def at(p: Array) -> Array:
        check = 0.5 * (np.sin(p[:, 0] * pitch) > 0.3) + 0.5 * (np.sin(p[:, 2] * pitch) > 0.3)
        weave = 1 + 0.12 * fbm(p[:, 0] * 30, p[:, 2] * 30, 5, 3)
        colour = mix(light(base), light(stripe), check[:, None] * 0.8) * weave[:, None]
        return matt(colour)

    return at


def still_life(size: Size, rng: np.random.Generator) -> Array:
    """Oranges, apples, a pear and grapes with a blue bowl and a green bottle on checked cloth."""
    seed = int(rng.integers(1000))

    def table(p: Array) -> Array:
        folds = 0.07 * fbm(p[..., 0] * 0.9, p[..., 2] * 0.9, seed, 3)
        return (p[..., 1] - folds) * 0.8

    orange, apple = paint("#f08a1c", "#ffb43a", 4, 0.35), paint("#c4242a", "#f0a83a", 1.6, 0.6)
    green, grape = paint("#8fae2c", "#d8d45a", 2, 0.5), paint("#3a1f52", "#7a3a7a", 4, 0.8)
    solids: list[Solid] = [(table, _cloth("#f3ead8", "#5a86b8", 5.5))]
    solids.append(
        (
            lathe((-0.2, 0.02, 1.0), (0, 0.12, 0.5, 0.78), (0.4, 0.42, 0.95, 1.12), 0.035),
            paint("#2a5f9c", "#4f8fc0", 2, 0.7),
        )
    )
    heights, radii = (0, 0.06, 1.2, 1.55, 1.8, 2.45, 2.5), (0.4, 0.46, 0.46, 0.36, 0.15, 0.13, 0.16)
    solids.append((lathe((1.55, 0.0, 1.6), heights, radii), paint("#123f2c", "#2a6a45", 1.5, 1.0)))
    for x, y, z in ((-0.65, 0.85, 0.85), (0.1, 0.95, 0.65), (-0.25, 0.9, 1.35), (0.45, 0.85, 1.25), (-0.15, 1.32, 1.0)):
        solids.append((sphere((x, y, z), 0.38), orange))
    for x, z, skin in ((-1.55, 0.55, apple), (0.95, 0.2, apple), (-1.0, -0.25, green)):
        solids.append((sphere((x, 0.4, z), 0.42, 0.92), skin))
    pear = blend([sphere((1.7, 0.4, 0.45), 0.4), capsule((1.7, 0.5, 0.45), (1.85, 1.1, 0.5), 0.26, 0.13)], 0.08)
    solids.append((pear, paint("#c9b03a", "#e8d46a", 2.5, 0.4)))
    clusters = [
        (0.1 + 0.2 * rng.uniform(-1.7, 1.7), 0.14 + 0.16 * rng.uniform(0, 1), -0.4 + 0.2 * rng.uniform(-1, 1))
        for _ in range(14)
    ]
    solids.append((lambda p: np.minimum.reduce([sphere(c, 0.14)(p) for c in clusters]), grape))

    def wall(u: Array, v: Array) -> Array:
        tone = fbm(u * 3, v * 3, seed + 2, 4) + 0.6 * u + 0.3
        return ramp(tone, (-0.7, 0.2, 1.0), (light("#274a4a"), light("#5f8a7a"), light("#c9b889")))

    return render(
        solids,
        size,
        (0.15, 2.6, -4.3),
        (0.1, 0.72, 0.8),
        1.35,
        unit((-0.75, 0.75, -0.5)),
        wall,
        light("#fff0d0", 1.35),
        light("#8fa8d0", 0.55),
    )
