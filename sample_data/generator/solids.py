"""Ray-marched signed distance fields (sphere tracing, Hart 1996): a still life and faceless figures."""

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


def render(solids: Sequence[Solid], size: Size, eye: Sequence[float], aim: Sequence[float], focal: float,
           sun: Array, background: Callable[[Array, Array], Array], key: Array, fill: Array, far: float = 30.0) -> Array:
    """Radiance of a scene of solids under a key light with soft shadows, a fill light and ambient occlusion."""
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
        visible = np.minimum(visible, np.clip(0.3 + 7 * _nearest(solids, p + 0.02 * normal + reach * sun) / reach, 0, 1))
    occlusion = np.clip(sum(_nearest(solids, p + d * normal) / d for d in (0.08, 0.25, 0.6)) / 3, 0, 1)
    diffuse = np.clip(normal @ sun, 0, 1) * visible
    ambient = (0.35 + 0.65 * (0.5 + 0.5 * normal[:, 1])) * occlusion
    rim = np.clip(1 + (normal * rays).sum(-1), 0, 1) ** 3 * occlusion
    half = sun - rays
    half /= np.linalg.norm(half, axis=-1, keepdims=True)
    shine = gloss * np.clip((normal * half).sum(-1), 0, 1) ** 60 * visible
    return colour * (diffuse[:, None] * key + ambient[:, None] * fill + 0.4 * rim[:, None] * fill) + 2 * shine[:, None] * key


def paint(base: str, other: str, scale: float, gloss: float = 0.0, seed: int = 3) -> Callable[[Array], Array]:
    """A paint mottled between two colours."""

    def at(p: Array) -> Array:
        tone = fbm(p[:, 0] * scale + p[:, 2] * 0.7 * scale, p[:, 1] * scale + p[:, 2] * 0.4 * scale, seed, 4)
        colour = mix(light(base), light(other), smoothstep(-0.45, 0.45, tone)[:, None])
        return np.concatenate([colour, np.full((len(p), 1), gloss, np.float32)], axis=1)

    return at


def _cloth(base: str, stripe: str, pitch: float) -> Callable[[Array], Array]:
    """Checked cloth."""

    def at(p: Array) -> Array:
        check = 0.5 * (np.sin(p[:, 0] * pitch) > 0.3) + 0.5 * (np.sin(p[:, 2] * pitch) > 0.3)
        weave = 1 + 0.12 * fbm(p[:, 0] * 30, p[:, 2] * 30, 5, 3)
        colour = mix(light(base), light(stripe), check[:, None] * 0.8) * weave[:, None]
        return np.concatenate([colour, np.zeros((len(p), 1), np.float32)], axis=1)

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
    solids.append((lathe((-0.2, 0.02, 1.0), (0, 0.12, 0.5, 0.78), (0.4, 0.42, 0.95, 1.12), 0.035), paint("#2a5f9c", "#4f8fc0", 2, 0.7)))
    solids.append((lathe((1.55, 0.0, 1.6), (0, 0.06, 1.2, 1.55, 1.8, 2.45, 2.5), (0.4, 0.46, 0.46, 0.36, 0.15, 0.13, 0.16)),
                   paint("#123f2c", "#2a6a45", 1.5, 1.0)))
    for x, y, z in ((-0.65, 0.85, 0.85), (0.1, 0.95, 0.65), (-0.25, 0.9, 1.35), (0.45, 0.85, 1.25), (-0.15, 1.32, 1.0)):
        solids.append((sphere((x, y, z), 0.38), orange))
    for x, z, skin in ((-1.55, 0.55, apple), (0.95, 0.2, apple), (-1.0, -0.25, green)):
        solids.append((sphere((x, 0.4, z), 0.42, 0.92), skin))
    pear = blend([sphere((1.7, 0.4, 0.45), 0.4), capsule((1.7, 0.5, 0.45), (1.85, 1.1, 0.5), 0.26, 0.13)], 0.08)
    solids.append((pear, paint("#c9b03a", "#e8d46a", 2.5, 0.4)))
    clusters = [(0.1 + 0.2 * rng.uniform(-1.7, 1.7), 0.14 + 0.16 * rng.uniform(0, 1), -0.4 + 0.2 * rng.uniform(-1, 1)) for _ in range(14)]
    solids.append((lambda p: np.minimum.reduce([sphere(c, 0.14)(p) for c in clusters]), grape))

    def wall(u: Array, v: Array) -> Array:
        tone = fbm(u * 3, v * 3, seed + 2, 4) + 0.6 * u + 0.3
        return ramp(tone, (-0.7, 0.2, 1.0), (light("#274a4a"), light("#5f8a7a"), light("#c9b889")))

    return render(solids, size, (0.15, 2.6, -4.3), (0.1, 0.72, 0.8), 1.35, unit((-0.75, 0.75, -0.5)), wall,
                  light("#fff0d0", 1.35), light("#8fa8d0", 0.55))


def parasol(size: Size, rng: np.random.Generator) -> Array:
    """A woman with a parasol, seen from behind, on a sunlit bank by the water."""
    seed = int(rng.integers(1000))

    def bank(p: Array) -> Array:
        return (p[..., 1] - 0.18 * fbm(p[..., 0] * 0.5, p[..., 2] * 0.5, seed, 4) - 0.03 * fbm(p[..., 0] * 5, p[..., 2] * 5, seed, 3)
                + 0.9 * smoothstep(2.5, 5.5, p[..., 2])) * 0.7

    skirt = lathe((0, 0, 0), (0, 0.05, 0.5, 1.0, 1.35), (0.72, 0.74, 0.55, 0.38, 0.2))
    bustle = sphere((0, 1.0, -0.22), 0.34, 0.8)
    torso = capsule((0, 1.25, 0), (0, 1.85, 0.0), 0.19, 0.27)
    sleeves = blend([capsule((-0.27, 1.9, 0), (-0.42, 1.45, 0.1), 0.11, 0.09), capsule((0.27, 1.9, 0), (0.44, 1.5, 0.05), 0.11, 0.09)], 0.04)
    arms = blend([capsule((-0.42, 1.45, 0.1), (-0.22, 1.2, -0.15), 0.075, 0.06), capsule((0.44, 1.5, 0.05), (0.34, 1.85, -0.12), 0.075, 0.06)], 0.03)
    neck = capsule((0, 1.95, 0), (0.0, 2.2, 0.02), 0.095, 0.085)
    hair = blend([sphere((0, 2.36, 0.02), 0.19, 1.1), sphere((0.0, 2.3, -0.17), 0.12)], 0.04)
    hat = blend([lathe((0, 2.45, 0.02), (0, 0.03), (0.4, 0.38)), sphere((0, 2.5, 0.02), 0.2, 0.8)], 0.03)

    def canopy(p: Array) -> Array:
        shell = np.abs(sphere((0.42, 2.45, -0.02), 0.95, 0.62)(p)) - 0.012
        return np.maximum(shell, 2.72 - p[..., 1]) * 0.8

    def gores(p: Array) -> Array:
        wedge = np.floor(np.arctan2(p[:, 2] + 0.02, p[:, 0] - 0.42) / np.pi * 5) % 2
        colour = mix(light("#d8382a"), light("#f7e6c4"), wedge[:, None])
        return np.concatenate([colour, np.zeros((len(p), 1), np.float32)], axis=1)

    def grass(p: Array) -> Array:
        tone = fbm(p[:, 0] * 3.5, p[:, 2] * 2.2, seed + 1, 5, gain=0.75)
        shade = smoothstep(-0.1, 0.2, fbm(p[:, 0] * 0.5 + 3, p[:, 2] * 0.4, seed + 2, 3))
        colour = ramp(tone, (-0.5, 0, 0.5), (light("#4a7a2a"), light("#9fbb45"), light("#f0e68a")))
        colour = mix(colour * light("#5f7fa0"), colour, shade[:, None])
        return np.concatenate([colour, np.zeros((len(p), 1), np.float32)], axis=1)

    solids: list[Solid] = [
        (bank, grass), (blend([skirt, bustle], 0.06), paint("#2f3f86", "#4a5fae", 3)), (torso, paint("#27306a", "#3f4f98", 3)),
        (sleeves, paint("#f2ead8", "#ffffff", 3)), (arms, paint("#e0a07a", "#f0bf9a", 2)), (neck, paint("#dd9a74", "#f0bf9a", 2)),
        (hair, paint("#4a2416", "#8a4a24", 9, 0.3)), (hat, paint("#e8c25a", "#f7e08a", 9)), (canopy, gores),
        (capsule((0.34, 1.8, -0.12), (0.42, 3.05, -0.02), 0.014, 0.014), paint("#6a4428", "#8a5a34", 3)),
    ]

    def view(u: Array, v: Array) -> Array:
        from .sky import MORNING, radiance

        scenery = radiance(u, v - 0.02, MORNING, seed)
        shore = 0.07 + 0.035 * fbm(u * 5, u * 0, seed + 5, 4)
        trees = ramp(fbm(u * 16, v * 16, seed + 6, 4, gain=0.7), (-0.5, 0, 0.5), (light("#274f3a"), light("#5a8a4a"), light("#b4c870")))
        scenery = mix(scenery, trees, smoothstep(0, 0.01, shore - v))
        ripple = fbm(u * 6, v * 60, seed + 7, 3)
        river = ramp(ripple, (-0.5, 0, 0.5), (light("#3f7fb0"), light("#8fbfd8"), light("#f0e8d0")))
        return mix(scenery, river, smoothstep(0.0, 0.004, -0.005 - v))

    return render(solids, size, (0.2, 1.85, -4.6), (0.12, 1.72, 0), 1.3, unit((-0.7, 0.62, -0.35)), view,
                  light("#fff0cc", 1.5), light("#9fb8e0", 0.5), far=14)


def bust(size: Size, rng: np.random.Generator) -> Array:
    """A faceless portrait bust in hat and scarf before a patterned wall, lit from the left."""
    seed = int(rng.integers(1000))
    head = blend([sphere((0, 2.05, 0), 0.5, 1.22), sphere((0, 1.72, -0.14), 0.33, 1.0), capsule((0, 2.1, -0.46), (0, 1.9, -0.6), 0.06, 0.09)], 0.09)
    neck = capsule((0, 1.0, 0.08), (0, 1.6, 0.02), 0.3, 0.25)
    ears = blend([sphere((-0.5, 1.98, 0.05), 0.11, 1.3), sphere((0.5, 1.98, 0.05), 0.11, 1.3)], 0.02)
    coat = blend([capsule((-0.95, 0.45, 0.1), (0.95, 0.45, 0.1), 0.5, 0.5), sphere((0, 0.2, 0), 0.95, 1.0)], 0.2)
    scarf = blend([lathe((0, 0.95, 0.05), (0, 0.16, 0.34), (0.5, 0.58, 0.42)), capsule((0.2, 1.05, -0.45), (0.36, 0.1, -0.95), 0.16, 0.2)], 0.08)
    hair = blend([sphere((-0.3, 2.02, 0.2), 0.42, 1.3), sphere((0.3, 2.02, 0.2), 0.42, 1.3), sphere((0, 2.3, 0.2), 0.5)], 0.08)
    crown = lathe((0, 2.42, 0.08), (0, 0.1, 0.42, 0.5), (0.57, 0.56, 0.46, 0.3))

    def brim(p: Array) -> Array:
        bend = 0.12 * np.cos(2 * np.arctan2(p[..., 2], p[..., 0]))
        return lathe((0, 2.4, 0.05), (0, 0.05), (0.98, 0.96))(p - np.stack([0 * bend, bend, 0 * bend], -1))

    solids: list[Solid] = [
        (head, paint("#e0a884", "#efc4a0", 1.6, 0.12)), (neck, paint("#d89a78", "#e8b894", 1.6)), (ears, paint("#d88a70", "#e8a888", 2)),
        (coat, paint("#1f2f5a", "#34508a", 2.2)), (scarf, paint("#d8382c", "#f0703a", 3)), (hair, paint("#4a2214", "#9a5426", 8, 0.35)),
        (blend([crown, brim], 0.06), paint("#dba83a", "#f7dc7a", 7)),
        (lathe((0, 2.45, 0.08), (0, 0.13), (0.6, 0.585)), paint("#1f2a4a", "#2f3f6a", 3)),
    ]

    def wall(u: Array, v: Array) -> Array:
        tone = fbm(u * 4, v * 4, seed, 4)
        field = ramp(tone + 0.5 * u, (-0.7, 0, 0.7), (light("#12564f"), light("#2f8f80"), light("#8fcbb0")))
        spot = np.hypot((u * 6 + 0.5 * (np.floor(v * 6) % 2)) % 1 - 0.5, (v * 6) % 1 - 0.5)
        return mix(field, light("#f0c860"), smoothstep(0.2, 0.14, spot) * 0.9)

    return render(solids, size, (-0.9, 1.9, -4.6), (0.0, 1.52, 0), 1.45, unit((-0.8, 0.55, -0.6)), wall,
                  light("#fff0d0", 1.6), light("#8fa0d8", 0.5))
