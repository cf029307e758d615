"""Streets in the light of the day: sun, skylight, lamps, mirrored sky, haze, and the sky and hills behind all."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .. import sky as skies
from .camera import Camera, unit
from .convex import Solid
from .daylight import Daylight
from .film import Scene, develop
from .leaves import Leaves
from .shadows import ShadowMap
from .skylight import boxes_of, first_hit, hemisphere, nearest_boxes, pattern, spread, tones_of
from .surfaces import Surfaces, surfaces
from .texture import blend, noise, shades
from .visible import Visible, see

Array = np.ndarray

SKY, HILL = 1, 13


@dataclass
class Outdoors:
    """Everything of a street that light needs: solids, leaves, lamps (places), and hills (their heights and colour)."""

    camera: Camera
    daylight: Daylight
    sun: Array
    hill: Array
    hill_height: float
    seed: int
    solids: list[Solid] = field(default_factory=list)
    leaves: list[Leaves] = field(default_factory=list)
    lamps: list[Array] = field(default_factory=list)


def render(world: Outdoors, styles: dict[int, int]) -> Scene:
    """The picture and its maps."""
    camera, day = world.camera, world.daylight
    seen = see(camera, world.solids, world.leaves)
    surface = surfaces(camera, world.solids, world.leaves, seen, world.sun, day.evening)
    radiance, instances = _background(world, seen)
    light = _light(world, surface)
    shaded = _haze(world, surface, surface.albedo * light + surface.glow + _mirrored(world, surface))
    radiance.reshape(-1, 3)[surface.index] = shaded
    instances.reshape(-1)[surface.index] = surface.instance
    return develop(radiance, instances, styles, day.exposure, 0.05 + 0.12 * day.evening)


def _light(world: Outdoors, surface: Surfaces) -> Array:
    """Irradiance of each sample."""
    day, sun = world.daylight, world.sun
    camera = world.camera
    aim = camera.eye + camera.forward * np.float32([30, 0, 30])
    shadow = ShadowMap(world.solids, world.leaves, sun, aim, 46, int(np.clip(3 * camera.size[0], 500, 1700)))
    rows, columns = np.divmod(surface.index, camera.size[1])
    turn = pattern(rows, columns) * 6.2832
    leaf = surface.shade >= 0
    offset = np.where(leaf[:, None], 0.16 * sun, 0.04 * surface.normal)
    lit = shadow.lit(surface.anchor + offset, day.spread, turn) * surface.open
    facing = surface.normal @ sun
    wrap = np.where(leaf, 0.25 + 0.75 * np.clip(facing, -0.3, 1), np.clip(facing, 0, 1))
    # Leaves and cloth let light through, towards whoever looks against the sun.
    through = surface.through * np.clip(surface.ray @ sun, 0, 1) ** 2 * 0.9
    direct = (lit * (np.clip(wrap, 0, 1) + through))[:, None] * day.sun
    ambient = _ambient(world, surface, shadow)
    return direct + ambient + _lamplight(world, surface)


def _ambient(world: Outdoors, surface: Surfaces, shadow: ShadowMap) -> Array:
    """Light from the sky, and once reflected from ground and walls."""
    day, up, hard = world.daylight, surface.normal[:, 1], surface.shade < 0
    out = (day.ambient * (0.55 + 0.45 * up)[:, None] + day.ground * (0.5 - 0.5 * up)[:, None]) * surface.shade[:, None]
    out[hard] = spread(surface, world.camera.size, hard, lambda *chosen: _gather(world, surface, shadow, *chosen))
    return out


def _gather(world: Outdoors, surface: Surfaces, shadow: ShadowMap, chosen: Array, turn: Array, count: int = 8) -> Array:
    day = world.daylight
    numbers = nearest_boxes(world.solids, world.camera.eye, 70)
    crowns = [cloud.box for cloud in world.leaves if cloud.box is not None][:24]
    boxes = boxes_of([world.solids[k].box for k in numbers] + crowns)
    tone = tones_of(surface, numbers, len(crowns), (0.1, 0.14, 0.05), 0.2)
    normal = surface.normal[chosen]
    origin = np.repeat(surface.anchor[chosen] + 0.03 * normal, count, axis=0)
    direction = hemisphere(normal, count, turn).reshape(-1, 3)
    distance, number = first_hit(origin, direction, boxes)
    ground = np.where(direction[:, 1] < -1e-3, -origin[:, 1] / np.minimum(direction[:, 1], -1e-3), np.inf)
    onto_ground = ground < distance
    distance = np.minimum(distance, ground)
    hit = np.isfinite(distance)
    sky = blend(day.sky.horizon, day.sky.zenith, np.clip(direction[:, 1], 0, 1) ** 0.6)
    incoming = 0.45 * sky + 0.55 * day.ambient
    place = origin[hit] + direction[hit] * distance[hit, None]
    lit = shadow.clear(place - 0.2 * direction[hit])
    facing = np.where(onto_ground[hit], world.sun[1], 0.45)
    colour = np.where(onto_ground[hit, None], np.float32([0.2, 0.19, 0.17]), tone[number[hit]])
    # What lies close sees little sky itself.
    own = 0.5 * np.clip(distance[hit] / 1.5, 0.25, 1)
    incoming[hit] = colour * ((lit * facing)[:, None] * day.sun + own[:, None] * day.ambient)
    return incoming.reshape(-1, count, 3).mean(1)


def _lamplight(world: Outdoors, surface: Surfaces) -> Array:
    """Warm pools of light below lamps in the evening."""
    total = np.zeros_like(surface.albedo)
    if world.daylight.evening < 0.5:
        return total
    for lamp in world.lamps[:8]:
        way = lamp - surface.anchor
        square = (way**2).sum(1) + 0.3
        facing = np.clip((way * surface.normal).sum(1) / np.sqrt(square), 0, 1)
        facing = np.where(surface.shade >= 0, 0.5, facing)
        total += (5 * world.daylight.evening * facing / square)[:, None] * np.float32([1.0, 0.62, 0.28])
    return total


def _mirrored(world: Outdoors, surface: Surfaces) -> Array:
    """The sky, the houses across and the sun in glass and paint."""
    out = np.zeros_like(surface.albedo)
    which = np.flatnonzero(surface.gloss > 0.005)
    normal, ray = unit(surface.normal[which]), surface.ray[which]
    facing = (normal * ray).sum(1)
    bounced = ray - 2 * facing[:, None] * normal
    gloss = surface.gloss[which]
    fresnel = gloss + (np.minimum(1, gloss * 5) - gloss) * (1 - np.clip(-facing, 0, 1)) ** 5
    azimuth = np.arctan2(bounced @ world.camera.right, bounced @ world.camera.forward)
    height = bounced[:, 1] / np.maximum(np.hypot(bounced[:, 0], bounced[:, 2]), 1e-3)
    day = world.daylight
    sky = blend(day.sky.horizon, day.sky.zenith, np.clip(height, 0, 1.5) / 1.5)
    clouds = noise(bounced[:, 0] / (np.abs(height) + 0.3), bounced[:, 2] / (np.abs(height) + 0.3), 1.2, world.seed)
    sky = blend(sky, day.sky.cloud_light, np.clip(0.25 + 0.5 * clouds, 0, 0.85))
    skyline = (
        0.16
        + 0.1 * np.sign(np.sin(azimuth * 23)) * np.abs(np.sin(azimuth * 7))
        + 0.06 * noise(azimuth, azimuth, 0.1, 5)
    )
    behind = day.ambient * 0.16 + day.ground * 0.2
    mirrored = np.where((height < skyline)[:, None], behind, sky)
    shine = np.clip((bounced * world.sun).sum(1), 0, 1) ** 500 * 4
    out[which] = (mirrored + (shine * surface.open[which])[:, None] * day.sun) * fresnel[:, None]
    return out


def _haze(world: Outdoors, surface: Surfaces, radiance: Array) -> Array:
    """Air between the eye and far things."""
    air = 1 - np.exp(-surface.depth / world.daylight.haze_length)
    return blend(radiance, world.daylight.haze, air)


def _background(world: Outdoors, seen: Visible) -> tuple[Array, Array]:
    """Sky and hills at every sample. The sky is drawn once for 2 × 2 samples: it has no edges."""
    camera, day = world.camera, world.daylight
    u, v = camera.columns, camera.rows
    azimuth = np.arctan(u)[None, :]
    height = v[:, None] * np.cos(azimuth)
    tangents = np.broadcast_to(azimuth, height.shape)
    half = skies.radiance(tangents[::2, ::2], np.maximum(height[::2, ::2], 0), day.sky, world.seed)
    radiance = half.repeat(2, axis=0).repeat(2, axis=1)
    instances = np.full(camera.size, SKY, np.uint16)
    heading = np.arctan2(camera.forward[0], camera.forward[2])
    for layer, share in enumerate((1.0, 0.62, 0.34)):
        place = azimuth + heading + 10 * layer
        top = world.hill_height * share * (0.62 + 0.34 * noise(place, place * 0, 0.5, world.seed + layer, 1.8))
        top = top + 0.004 * noise(place, place * 0, 0.02, world.seed + layer, 1.2)
        below = height < top
        tone = noise(tangents, height * 2.5, 0.05, world.seed + layer, 1.3)[below]
        lit = 0.32 * day.sun * max(0.25, float(world.sun[1])) + day.ambient * 0.4
        fur = shades(world.hill, 0.22 * tone) * lit
        radiance[below] = blend(fur, day.haze, np.full(len(fur), (0.66, 0.5, 0.34)[layer], np.float32))
        instances[below] = HILL
    return radiance.astype(np.float32), instances
