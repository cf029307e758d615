"""Faceless figures from ray-marched solids: a woman with a parasol, seen from behind, and a portrait bust."""

from __future__ import annotations

import numpy as np

from .colour import light, mix, ramp, smoothstep
from .noise import fbm
from .sky import MORNING, radiance
from .solids import Size, Solid, blend, capsule, lathe, matt, paint, render, sphere
from .terrain import unit

Array = np.ndarray


def _bank(seed: int) -> Solid:
    """A grassy bank, dappled with shade, that drops to the water behind the figure."""

    def ground(p: Array) -> Array:
        x, y, z = p[..., 0], p[..., 1], p[..., 2]
        bumps = 0.18 * fbm(x * 0.5, z * 0.5, seed, 4) + 0.03 * fbm(x * 5, z * 5, seed, 3)
        return (y - bumps + 0.9 * smoothstep(2.5, 5.5, z)) * 0.7

    def grass(p: Array) -> Array:
        tone = fbm(p[:, 0] * 3.5, p[:, 2] * 2.2, seed + 1, 5, gain=0.75)
        sunlit = smoothstep(-0.1, 0.2, fbm(p[:, 0] * 0.5 + 3, p[:, 2] * 0.4, seed + 2, 3))
        colour = ramp(tone, (-0.5, 0, 0.5), (light("#4a7a2a"), light("#9fbb45"), light("#f0e68a")))
        return matt(mix(colour * light("#5f7fa0"), colour, sunlit[:, None]))

    return ground, grass


def _umbrella() -> list[Solid]:
    """A parasol of red and cream gores on its stick."""

    def canopy(p: Array) -> Array:
        shell = np.abs(sphere((0.42, 2.45, -0.02), 0.95, 0.62)(p)) - 0.012
        return np.maximum(shell, 2.72 - p[..., 1]) * 0.8

    def gores(p: Array) -> Array:
        wedge = np.floor(np.arctan2(p[:, 2] + 0.02, p[:, 0] - 0.42) / np.pi * 5) % 2
        return matt(mix(light("#d8382a"), light("#f7e6c4"), wedge[:, None]))

    stick = capsule((0.34, 1.8, -0.12), (0.42, 3.05, -0.02), 0.014, 0.014)
    return [(canopy, gores), (stick, paint("#6a4428", "#8a5a34", 3))]


def _walker() -> list[Solid]:
    """A standing woman in a blue dress with a bustle, white sleeves and a straw hat."""
    skirt = lathe((0, 0, 0), (0, 0.05, 0.5, 1.0, 1.35), (0.72, 0.74, 0.55, 0.38, 0.2))
    dress = blend([skirt, sphere((0, 1.0, -0.22), 0.34, 0.8)], 0.06)
    left_sleeve = capsule((-0.27, 1.9, 0), (-0.42, 1.45, 0.1), 0.11, 0.09)
    right_sleeve = capsule((0.27, 1.9, 0), (0.44, 1.5, 0.05), 0.11, 0.09)
    left_arm = capsule((-0.42, 1.45, 0.1), (-0.22, 1.2, -0.15), 0.075, 0.06)
    right_arm = capsule((0.44, 1.5, 0.05), (0.34, 1.85, -0.12), 0.075, 0.06)
    hair = blend([sphere((0, 2.36, 0.02), 0.19, 1.1), sphere((0.0, 2.3, -0.17), 0.12)], 0.04)
    hat = blend([lathe((0, 2.45, 0.02), (0, 0.03), (0.4, 0.38)), sphere((0, 2.5, 0.02), 0.2, 0.8)], 0.03)
    return [
        (dress, paint("#2f3f86", "#4a5fae", 3)),
        (capsule((0, 1.25, 0), (0, 1.85, 0.0), 0.19, 0.27), paint("#27306a", "#3f4f98", 3)),
        (blend([left_sleeve, right_sleeve], 0.04), paint("#f2ead8", "#ffffff", 3)),
        (blend([left_arm, right_arm], 0.03), paint("#e0a07a", "#f0bf9a", 2)),
        (capsule((0, 1.95, 0), (0.0, 2.2, 0.02), 0.095, 0.085), paint("#dd9a74", "#f0bf9a", 2)),
        (hair, paint("#4a2416", "#8a4a24", 9, 0.3)),
        (hat, paint("#e8c25a", "#f7e08a", 9)),
    ]


def parasol(size: Size, rng: np.random.Generator) -> Array:
    """A woman with a parasol, seen from behind, on a sunlit bank by the water."""
    seed = int(rng.integers(1000))

    def view(u: Array, v: Array) -> Array:
        scenery = radiance(u, v - 0.02, MORNING, seed)
        shore = 0.07 + 0.035 * fbm(u * 5, u * 0, seed + 5, 4)
        leaves = (light("#274f3a"), light("#5a8a4a"), light("#b4c870"))
        trees = ramp(fbm(u * 16, v * 16, seed + 6, 4, gain=0.7), (-0.5, 0, 0.5), leaves)
        scenery = mix(scenery, trees, smoothstep(0, 0.01, shore - v))
        ripple = fbm(u * 6, v * 60, seed + 7, 3)
        river = ramp(ripple, (-0.5, 0, 0.5), (light("#3f7fb0"), light("#8fbfd8"), light("#f0e8d0")))
        return mix(scenery, river, smoothstep(0.0, 0.004, -0.005 - v))

    solids = [_bank(seed), *_walker(), *_umbrella()]
    return render(
        solids,
        size,
        (0.2, 1.85, -4.6),
        (0.12, 1.72, 0),
        1.3,
        unit((-0.7, 0.62, -0.35)),
        view,
        light("#fff0cc", 1.5),
        light("#9fb8e0", 0.5),
        far=14,
    )


def _head() -> list[Solid]:
    """A head without features on a neck, with hair."""
    skull, jaw = sphere((0, 2.05, 0), 0.5, 1.22), sphere((0, 1.72, -0.14), 0.33, 1.0)
    nose = capsule((0, 2.1, -0.46), (0, 1.9, -0.6), 0.06, 0.09)
    ears = blend([sphere((-0.5, 1.98, 0.05), 0.11, 1.3), sphere((0.5, 1.98, 0.05), 0.11, 1.3)], 0.02)
    sides = [sphere((-0.3, 2.02, 0.2), 0.42, 1.3), sphere((0.3, 2.02, 0.2), 0.42, 1.3)]
    return [
        (blend([skull, jaw, nose], 0.09), paint("#e0a884", "#efc4a0", 1.6, 0.12)),
        (capsule((0, 1.0, 0.08), (0, 1.6, 0.02), 0.3, 0.25), paint("#d89a78", "#e8b894", 1.6)),
        (ears, paint("#d88a70", "#e8a888", 2)),
        (blend([*sides, sphere((0, 2.3, 0.2), 0.5)], 0.08), paint("#4a2214", "#9a5426", 8, 0.35)),
    ]


def _clothes() -> list[Solid]:
    """A dark blue coat, an orange scarf, and a straw hat with a ribbon."""
    shoulders = capsule((-0.95, 0.45, 0.1), (0.95, 0.45, 0.1), 0.5, 0.5)
    collar = lathe((0, 0.95, 0.05), (0, 0.16, 0.34), (0.5, 0.58, 0.42))
    scarf_end = capsule((0.2, 1.05, -0.45), (0.36, 0.1, -0.95), 0.16, 0.2)
    crown = lathe((0, 2.42, 0.08), (0, 0.1, 0.42, 0.5), (0.57, 0.56, 0.46, 0.3))

    def brim(p: Array) -> Array:
        bend = 0.12 * np.cos(2 * np.arctan2(p[..., 2], p[..., 0]))
        return lathe((0, 2.4, 0.05), (0, 0.05), (0.98, 0.96))(p - np.stack([0 * bend, bend, 0 * bend], -1))

    return [
        (blend([shoulders, sphere((0, 0.2, 0), 0.95, 1.0)], 0.2), paint("#1f2f5a", "#34508a", 2.2)),
        (blend([collar, scarf_end], 0.08), paint("#d8382c", "#f0703a", 3)),
        (blend([crown, brim], 0.06), paint("#dba83a", "#f7dc7a", 7)),
        (lathe((0, 2.45, 0.08), (0, 0.13), (0.6, 0.585)), paint("#1f2a4a", "#2f3f6a", 3)),
    ]


def bust(size: Size, rng: np.random.Generator) -> Array:
    """A faceless portrait bust in hat and scarf before a patterned wall, lit from the left."""
    seed = int(rng.integers(1000))

    def wall(u: Array, v: Array) -> Array:
        tone = fbm(u * 4, v * 4, seed, 4)
        field = ramp(tone + 0.5 * u, (-0.7, 0, 0.7), (light("#12564f"), light("#2f8f80"), light("#8fcbb0")))
        spot = np.hypot((u * 6 + 0.5 * (np.floor(v * 6) % 2)) % 1 - 0.5, (v * 6) % 1 - 0.5)
        return mix(field, light("#f0c860"), smoothstep(0.2, 0.14, spot) * 0.9)

    return render(
        [*_head(), *_clothes()],
        size,
        (-0.9, 1.9, -4.6),
        (0.0, 1.52, 0),
        1.45,
        unit((-0.8, 0.55, -0.6)),
        wall,
        light("#fff0d0", 1.6),
        light("#8fa0d8", 0.5),
    )
