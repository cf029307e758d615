"""Rooms: daylight through their windows, sun on the floor, lamps, and what the walls give back."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .. import sky as skies
from ..colour import luminance, smoothstep
from .camera import Camera, unit
from .convex import Frame, Solid
from .daylight import Daylight
from .facade import Fill, Opening, bars
from .film import Scene, develop
from .leaves import Leaves
from .points import Points
from .shadows import ShadowMap
from .skylight import Boxes, boxes_of, first_hit, hemisphere, nearest_boxes, pattern, spread, tones_of
from .surfaces import Surfaces, surfaces
from .texture import blend, colour, noise, shades
from .visible import see

Array = np.ndarray


@dataclass
class Light:
    """A lamp: its place and its strength."""

    place: Array
    strength: Array


@dataclass
class Indoors:
    """Everything of a room that light needs.

    The room is the box from 0 to `size` (wide, high, deep), open behind the eye. `windows` are openings in the wall of
    a frame, `tones` the mean colours of the left and right walls, the floor, the ceiling and the back wall.
    """

    camera: Camera
    daylight: Daylight
    sun: Array
    size: Array
    tones: Array
    shell: list[Solid] = field(default_factory=list)
    solids: list[Solid] = field(default_factory=list)
    leaves: list[Leaves] = field(default_factory=list)
    windows: list[tuple[Frame, Opening]] = field(default_factory=list)
    lamps: list[Light] = field(default_factory=list)


def view(day: Daylight, frame_colour: Array, seed: int, garden: Array) -> Fill:
    """A window that shows a garden, trees and the sky."""

    def fill(points: Points, which: Array, x: Array, y: Array, hole: Opening) -> None:
        wood = bars(x, hole.wide, hole.panes[0], 0.06, 0.035) | bars(y, hole.high, hole.panes[1], 0.06, 0.035)
        points.albedo[which] = frame_colour
        glass, ray = which[~wood], points.ray[which[~wood]]
        points.albedo[glass], points.gloss[glass] = 0.02, 0.02
        points.glow[glass] = outside(ray, day, seed, garden) * 1.05

    return fill


def outside(ray: Array, day: Daylight, seed: int, garden: Array) -> Array:
    """What is seen along rays that leave the house: sky, trees in haze, a lawn."""
    azimuth = np.arctan2(ray[:, 0], ray[:, 2])
    height = ray[:, 1] / np.maximum(np.hypot(ray[:, 0], ray[:, 2]), 1e-3)
    result = skies.radiance(azimuth, np.maximum(height, 0) + 0.05, day.sky, seed)
    light = day.ambient * 0.7 + 0.3 * day.sun
    for k, (low, high) in enumerate(((0.05, 0.1), (0.0, 0.2), (-0.06, 0.16))):
        top = low + high * (0.5 + 0.4 * noise(azimuth, azimuth * 0, 0.35, seed + k, 1.5))
        tree = height < top
        tone = 0.45 * noise(azimuth, height, 0.05, seed + k, 1.1) + 0.8 * (height - top) / high
        leaf = garden * (0.55, 0.9, 0.75)[k]
        result[tree] = blend(shades(leaf, tone) * light, day.haze, np.full(len(ray), (0.5, 0.25, 0.08)[k]))[tree]
    lawn = height < -0.09
    result[lawn] = (shades(garden * 1.3, 0.2 * noise(azimuth, height, 0.06, seed + 9, 1.1)) * light)[lawn]
    return result


def render(world: Indoors, styles: dict[int, int]) -> Scene:
    """The picture and its maps."""
    camera, everything = world.camera, world.shell + world.solids
    seen = see(camera, everything, world.leaves)
    surface = surfaces(camera, everything, world.leaves, seen, world.sun, world.daylight.evening)
    rows, columns = np.divmod(surface.index, camera.size[1])
    light = _indirect(world, surface) + _sunlight(world, surface, rows, columns)
    shaded = surface.albedo * light + surface.glow + _sheen(world, surface, light)
    radiance = np.zeros((*camera.size, 3), np.float32)
    instances = np.zeros(camera.size, np.uint16)
    radiance.reshape(-1, 3)[surface.index] = shaded
    instances.reshape(-1)[surface.index] = surface.instance
    # As a photographer would: exposed for the room, not for the window.
    key = float(np.exp(np.log(luminance(radiance) + 0.02).mean()))
    return develop(radiance, instances, styles, float(np.clip(0.33 / key, 0.7, 4.0)), 0.1)


def _from_window(place: Array, normal: Array, frame: Frame, hole: Opening) -> Array:
    """Light from a whole window on points, unhindered: a small flat source."""
    middle = frame.world((hole.left + hole.wide / 2, hole.bottom + hole.high / 2, 0))
    way = middle - place
    square = (way**2).sum(-1)
    length = np.sqrt(square) + 1e-3
    leaving = np.clip((way @ frame.axes[2]) / length, 0, 1)
    arriving = np.clip((way * normal).sum(-1) / length * 0.85 + 0.15, 0, 1)
    area = hole.wide * hole.high
    return leaving * arriving * area / (np.pi * square + area)


def _strength(world: Indoors) -> Array:
    """Light of a window's opening."""
    day = world.daylight
    return 2.1 * (day.ambient + 0.12 * day.sun) + 0.1


def _resting(world: Indoors) -> Array:
    """The even light that is left after many reflections."""
    wide, high, deep = world.size
    skin = 2 * (wide * high + wide * deep + high * deep)
    opening = sum(hole.wide * hole.high for _, hole in world.windows)
    tone = world.tones.mean(0)
    lamps = np.zeros(3, np.float32)
    for lamp in world.lamps:
        lamps += lamp.strength * 4 * np.pi
    return ((_strength(world) * opening * 0.9 + lamps) / skin * tone / (1 - 0.75 * tone)).astype(np.float32)


def _indirect(world: Indoors, surface: Surfaces) -> Array:
    """Windows and lamps with their soft shadows, and light from walls and furniture, at a quarter of the samples."""
    leaf = surface.shade >= 0
    numbers = nearest_boxes(world.solids, world.camera.eye, 64)
    crowns = [cloud.box for cloud in world.leaves if cloud.box is not None]
    boxes = boxes_of([world.solids[k].box for k in numbers] + crowns)
    tones = tones_of(surface, [k + len(world.shell) for k in numbers], len(crowns), (0.1, 0.15, 0.06), 0.25)

    def incoming(chosen: Array, turn: Array) -> Array:
        normal = surface.normal[chosen]
        place = surface.anchor[chosen] + 0.02 * normal
        return _direct(world, place, normal, boxes, turn) + _bounced(world, place, normal, boxes, tones, turn)

    light = spread(surface, world.camera.size, np.ones(len(leaf), bool), incoming)
    bare = sum(
        (_from_window(surface.position[leaf], surface.normal[leaf], *w) for w in world.windows),
        np.zeros(int(leaf.sum())),
    )
    light[leaf] = (_strength(world) * (0.3 + bare)[:, None] * 0.55 + _resting(world)) * surface.shade[leaf, None]
    return light


def _direct(world: Indoors, place: Array, normal: Array, boxes: Boxes, turn: Array, count: int = 6) -> Array:
    total = np.zeros((len(place), 3), np.float32)
    for frame, hole in world.windows:
        for k in range(count):
            across = (k + np.modf(turn * 5.3 + 0.31 * k)[0]) / count
            up = np.modf(turn + k * 0.618)[0]
            flat = np.stack([hole.left + hole.wide * across, hole.bottom + hole.high * up, np.zeros(len(turn))], axis=1)
            way = frame.world(flat) - place
            length = np.linalg.norm(way, axis=1) + 1e-3
            way /= length[:, None]
            arriving, leaving = np.clip((way * normal).sum(1), 0, 1), np.clip(way @ frame.axes[2], 0, 1)
            area = hole.wide * hole.high
            form = arriving * leaving * area / (np.pi * length**2 + 0.3 * area)
            clear = _free(place, way, length - 0.04, boxes)
            # The sky is brighter than the garden: light that comes from above counts for more.
            total += (form * clear * (0.75 + 0.5 * np.clip(way[:, 1] + 0.4, 0, 1)) / count)[:, None] * _strength(world)
    for lamp in world.lamps:
        for k in range(2):
            around = 2 * np.pi * (turn + k / 2)
            middle = lamp.place + 0.09 * np.stack([np.cos(around), np.sin(around * 3), np.sin(around)], axis=1)
            way = (middle - place).astype(np.float32)
            length = np.linalg.norm(way, axis=1) + 1e-3
            way /= length[:, None]
            # Through the shade's open ends more light comes out than through its cloth.
            open_ = 0.45 + 0.9 * smoothstep(0.6, 0.95, np.abs(way[:, 1]))
            form = np.clip((way * normal).sum(1), 0, 1) * open_ / (length**2 + 0.08)
            total += (form * _free(place, way, length - 0.05, boxes) / 2)[:, None] * lamp.strength
    return total


def _free(place: Array, way: Array, length: Array, boxes: Boxes) -> Array:
    return (first_hit(place, way, boxes)[0] > length).astype(np.float32)


def _bounced(
    world: Indoors, place: Array, normal: Array, boxes: Boxes, tones: Array, turn: Array, count: int = 8
) -> Array:
    """Light that comes from the walls, floor, ceiling and furniture."""
    direction = hemisphere(normal, count, turn).reshape(-1, 3)
    origin = np.repeat(place, count, axis=0)
    distance, number = first_hit(origin, direction, boxes)
    ahead = np.where(direction > 0, world.size, np.float32([0, 0, -2.5]))
    to_wall = (ahead - origin) / np.where(np.abs(direction) < 1e-5, 1e-5, direction)
    axis = to_wall.argmin(1)
    far = np.take_along_axis(to_wall, axis[:, None], 1)[:, 0]
    furniture = distance < far
    hit = origin + direction * np.minimum(distance, far)[:, None]
    inward = np.zeros_like(direction)
    inward[np.arange(len(axis)), axis] = -np.sign(direction[np.arange(len(axis)), axis])
    inward = np.where(furniture[:, None], -direction, inward)
    which = axis * 2 + (direction[np.arange(len(axis)), axis] > 0)
    shell = world.tones[np.array([0, 1, 2, 3, 4, 4])[which]]
    tone = np.where(furniture[:, None], tones[number], shell)
    bare = np.zeros(len(hit), np.float32)
    for frame, hole in world.windows:
        bare += _from_window(hit, inward, frame, hole)
    light = bare[:, None] * _strength(world) * np.where(furniture, 0.55, 0.9)[:, None]
    for lamp in world.lamps:
        way = lamp.place - hit
        square = (way**2).sum(1) + 0.15
        light += (np.clip((way * inward).sum(1) / np.sqrt(square), 0, 1) * 0.6 / square)[:, None] * lamp.strength
    close = np.clip(distance / 0.5, 0.15, 1)
    resting = _resting(world) * np.where(furniture, close, 1)[:, None]
    return (tone * light + resting).reshape(-1, count, 3).mean(1)


def _sunlight(world: Indoors, surface: Surfaces, rows: Array, columns: Array) -> Array:
    """The sun through the panes of the windows, with the shadows of their bars and of the furniture."""
    day, sun = world.daylight, world.sun
    total = np.zeros(len(surface.index), np.float32)
    for frame, hole in world.windows:
        towards = float(sun @ frame.axes[2])
        if towards < 0.05:
            continue
        local = frame.local(surface.position)
        way = -local[:, 2] / towards
        x, y = local[:, 0] + sun @ frame.axes[0] * way - hole.left, local[:, 1] + sun[1] * way - hole.bottom
        soft = 0.004 + np.clip(way, 0, None) * day.spread
        through = _within(x, hole.wide, hole.panes[0], soft) * _within(y, hole.high, hole.panes[1], soft)
        total += through * (way > 0.02)
    facing = np.clip(surface.normal @ sun, 0, 1)
    which = np.flatnonzero(total * facing > 1e-3)
    if len(which):
        middle = world.size * np.float32([0.5, 0.4, 0.5])
        shadow = ShadowMap(world.solids, world.leaves, sun, middle, float(world.size.max()) * 0.75, 700)
        place = surface.position[which] + 0.015 * surface.normal[which]
        total[which] *= shadow.lit(place, day.spread, pattern(rows[which], columns[which]) * 6.2832, 0.03)
    return (total * facing)[:, None] * day.sun * 1.1


def _within(at: Array, span: float, panes: int, soft: Array) -> Array:
    """1 behind the panes of a window along one direction, 0 behind its frame and bars, softly."""
    pitch = (span - 0.12) / panes
    inside = np.clip(np.minimum(at - 0.06, span - 0.06 - at) / soft + 0.5, 0, 1)
    gap = np.abs((at - 0.06) / pitch - np.rint((at - 0.06) / pitch)) * pitch
    inner = (at > pitch * 0.5) & (at < span - pitch * 0.5)
    return inside * np.where(inner, np.clip((gap - 0.018) / soft + 0.5, 0, 1), 1)


def _sheen(world: Indoors, surface: Surfaces, light: Array) -> Array:
    """Windows mirrored in polished floors and wood, and a faint gloss."""
    out = np.zeros_like(surface.albedo)
    which = np.flatnonzero(surface.gloss > 0.01)
    normal, ray = unit(surface.normal[which]), surface.ray[which]
    facing = (normal * ray).sum(1)
    bounced = ray - 2 * facing[:, None] * normal
    gloss = surface.gloss[which]
    fresnel = gloss + (np.minimum(1, gloss * 8) - gloss) * (1 - np.clip(-facing, 0, 1)) ** 5
    mirrored = np.repeat(_resting(world)[None] * 1.3, len(which), 0)
    for frame, hole in world.windows:
        towards = bounced @ frame.axes[2]
        local = frame.local(surface.position[which])
        way = -local[:, 2] / np.where(towards > 0.02, towards, 1)
        x, y = local[:, 0] + bounced @ frame.axes[0] * way - hole.left, local[:, 1] + bounced[:, 1] * way - hole.bottom
        soft = 0.03 + 0.06 * np.clip(way, 0, 6)
        seen = np.clip(np.minimum(x, hole.wide - x) / soft + 0.5, 0, 1) * np.clip(
            np.minimum(y, hole.high - y) / soft + 0.5, 0, 1
        )
        mirrored += (seen * (towards > 0.02))[:, None] * _strength(world) * 0.9
    out[which] = mirrored * fresnel[:, None]
    return out


GARDEN = colour("#5f8a3c")
