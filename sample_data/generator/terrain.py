"""Heightfields in perspective: the ray caster of 'voxel space' terrain, with sun, shadow and water."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from .colour import mix, smoothstep
from .noise import gradient_noise
from .sky import Sky, radiance

Array = np.ndarray
Height = Callable[[Array, Array], Array]


@dataclass(frozen=True)
class View:
    """A level camera: image size, horizon as a fraction of the height, eye height, and distance seen."""

    size: tuple[int, int]
    horizon: float = 0.4
    eye: float = 1.0
    near: float = 1.0
    far: float = 120.0

    def directions(self) -> tuple[Array, Array]:
        """Tangents (u, v) of every pixel: right of, and above, the view axis."""
        height, width = self.size
        rows, columns = np.mgrid[:height, :width].astype(np.float32)
        return (columns - width / 2) / height, self.horizon - rows / height


@dataclass(frozen=True)
class Surface:
    """What each pixel sees: depth (inf in the sky), ground position, height and unit normal."""

    depth: Array
    x: Array
    z: Array
    height: Array
    normal: Array

    @property
    def hit(self) -> Array:
        """Where there is ground."""
        return np.isfinite(self.depth)


def cast(view: View, height_at: Height, steps: int = 900) -> Surface:
    """First ground seen by each pixel: the running maximum of projected heights, searched per column."""
    rows, columns = view.size
    z = np.geomspace(view.near, view.far, steps).astype(np.float32)[:, None]
    u, v = view.directions()
    x = u[:1] * z
    ceiling = np.maximum.accumulate((height_at(x, np.broadcast_to(z, x.shape)) - view.eye) / z, axis=0)
    depth = np.full((rows, columns), np.inf, np.float32)
    for column in range(columns):
        above = ceiling[:, column]
        k = np.searchsorted(above, v[:, column])
        found = k < steps
        k = np.clip(k, 1, steps - 1)
        gap = np.maximum(above[k] - above[k - 1], 1e-9)
        t = np.clip((v[:, column] - above[k - 1]) / gap, 0, 1)
        depth[found, column] = (z[k - 1, 0] + t * (z[k, 0] - z[k - 1, 0]))[found]
    return _surface(view, height_at, depth, u)


def _surface(view: View, height_at: Height, depth: Array, u: Array) -> Surface:
    """Positions and finite-difference normals at the found depths."""
    z = np.where(np.isfinite(depth), depth, view.far)
    x = u * z
    # The footprint of a pixel grows with depth; a wider difference there keeps far slopes from aliasing.
    step = 1.5 * z / view.size[0]
    height = height_at(x, z)
    slope_x = (height_at(x + step, z) - height) / step
    slope_z = (height_at(x, z + step) - height) / step
    normal = np.stack([-slope_x, np.ones_like(slope_x), -slope_z], axis=-1)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    return Surface(depth, x, z, height, normal)


def shadow(surface: Surface, height_at: Height, sun: Array, reach: float, steps: int = 14) -> Array:
    """Soft sunlight visibility by marching from the ground towards the sun."""
    visible = np.ones_like(surface.height)
    for t in np.geomspace(reach / 60, reach, steps):
        ray = surface.height + sun[1] * t
        clearance = ray - height_at(surface.x + sun[0] * t, surface.z + sun[2] * t)
        visible = np.minimum(visible, np.clip(0.5 + 9 * clearance / t, 0, 1))
    return visible


def unit(vector: tuple[float, float, float]) -> Array:
    """A normalised direction (right, up, away)."""
    return (np.array(vector) / np.linalg.norm(vector)).astype(np.float32)


def shade(albedo: Array, normal: Array, sun: Array, sky: Sky, visible: Array, sunlight: Array) -> Array:
    """Lambertian sunlight, blue sky light from above and a little bounced light from below."""
    direct = np.clip(normal @ sun, 0, 1) * visible
    ambient = 0.5 + 0.5 * normal[..., 1]
    skylight = mix(sky.horizon, sky.zenith, 0.5) * 0.55
    bounce = 0.12 * (1 - ambient)[..., None] * sunlight
    return albedo * (direct[..., None] * sunlight + ambient[..., None] * skylight + bounce)


def aerial(ground: Array, surface: Surface, view: View, sky: Sky, density: float, seed: int) -> Array:
    """Aerial perspective towards the radiance of the low sky, and the sky itself where there is no ground."""
    u, v = view.directions()
    haze = radiance(u, np.full_like(v, 0.03), Sky(**{**sky.__dict__, "cover": 0.0, "stars": 0.0, "disc": 0.0}), seed)
    fog = 1 - np.exp(-density * np.where(surface.hit, surface.depth, view.far))
    return np.where(surface.hit[..., None], mix(ground, haze, fog), radiance(u, v, sky, seed))


def mirror(image: Array, view: View, water: Array, tint: Array, seed: int, ripple: float = 1.0) -> Array:
    """Still water: the picture above the horizon, mirrored and broken by ripples that widen to the viewer."""
    rows, columns = view.size
    _, v = view.directions()
    depth = view.eye / np.maximum(-v, 1e-3)
    row, column = np.mgrid[:rows, :columns].astype(np.float32)
    u = (column - columns / 2) / rows
    waves = gradient_noise(u * depth * 1.4, depth * 4.0, seed) + 0.6 * gradient_noise(
        u * depth * 4, depth * 11, seed + 1
    )
    waves *= ripple * smoothstep(0, 0.25, -v)
    source_row = 2 * view.horizon * rows - row - waves * 0.035 * rows
    source = [np.clip(np.abs(source_row), 0, view.horizon * rows + 4), column + waves * 0.012 * rows]
    reflected = np.stack(
        [ndimage.map_coordinates(image[..., c], source, order=1, mode="nearest") for c in range(3)], axis=-1
    )
    fresnel = np.clip(0.9 - 0.95 * -v, 0.35, 0.9)[..., None]
    surface = reflected * fresnel + tint * (1 - fresnel) + 0.05 * np.clip(waves, 0, 1)[..., None]
    return np.where(water[..., None], surface, image)
