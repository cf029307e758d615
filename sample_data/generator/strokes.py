"""Brush strokes and dots: painterly rendering in coarse-to-fine layers (Hertzmann 1998, Haeberli 1990)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from .colour import draw_from_palette, lab, smoothstep
from .flow import per_channel

Array = np.ndarray


@dataclass
class Canvas:
    """Paint colour and paint thickness."""

    colour: Array
    height: Array


@dataclass(frozen=True)
class Layer:
    """One pass of strokes: half-width and length, spacing, colour variation, the share of
    unmixed palette colour in a stroke, and the error that calls for one."""

    half_width: float
    length: float
    spacing: float
    jitter: float = 0.05
    broken: float = 0.4
    tolerance: float = 0.0
    bend: float = 1.0


def poisson_points(shape: tuple[int, int], spacing: float, rng: np.random.Generator) -> Array:
    """Jittered hexagonal grid of (row, column) points in random order."""
    rows = np.arange(0, shape[0] + spacing, spacing * 0.87)
    columns = np.arange(0, shape[1] + spacing, spacing)
    row, column = np.meshgrid(rows, columns, indexing="ij")
    column = column + (np.arange(len(rows)) % 2)[:, None] * spacing / 2
    points = np.stack([row.ravel(), column.ravel()], axis=1)
    points += rng.uniform(-0.4, 0.4, points.shape) * spacing
    inside = (points >= 0).all(1) & (points[:, 0] < shape[0]) & (points[:, 1] < shape[1])
    return rng.permutation(points[inside])


def _bristles(rng: np.random.Generator, count: int = 48) -> Array:
    """Thickness profiles across the brush, one row per brush load."""
    noise = ndimage.gaussian_filter1d(rng.standard_normal((count, 40)), 1.1, axis=1)
    return (noise / noise.std()).astype(np.float32)


def paint_layer(
    canvas: Canvas, target: Array, angle: Array, layer: Layer, palette: Array, rng: np.random.Generator
) -> None:
    """Lay one pass of curved strokes where the canvas differs from the target by more than the tolerance."""
    reference = per_channel(lambda plane: ndimage.gaussian_filter(plane, layer.half_width * 0.5), target)
    profiles = _bristles(rng)
    width = layer.half_width
    error = np.abs(ndimage.gaussian_filter(canvas.colour - reference, (width, width, 0))).sum(-1)
    points = poisson_points(angle.shape, layer.spacing, rng)
    i, j = points.astype(int).T
    called = error[i, j] >= layer.tolerance
    points, mixed = points[called], reference[i[called], j[called]]
    pure = palette[draw_from_palette(lab(mixed[None])[0], palette, 4.0, rng)]
    colours = mixed + layer.broken * (pure - mixed)
    colours = colours * (1 + layer.jitter * rng.standard_normal((len(colours), 1)))
    colours = np.clip(colours + 0.4 * layer.jitter * rng.standard_normal(colours.shape), 0, 1).astype(np.float32)
    for point, colour in zip(points, colours, strict=True):
        _stroke(canvas, tuple(point), angle, layer, colour, profiles[rng.integers(len(profiles))], rng)


def _angle_at(angle: Array, row: float, column: float) -> float:
    return float(angle[int(np.clip(row, 0, angle.shape[0] - 1)), int(np.clip(column, 0, angle.shape[1] - 1))])


def _stroke(
    canvas: Canvas,
    centre: tuple[float, float],
    angle: Array,
    layer: Layer,
    colour: Array,
    profile: Array,
    rng: np.random.Generator,
) -> None:
    """One loaded stroke: a parabola through its centre, bent as the flow turns from end to end."""
    theta = _angle_at(angle, *centre) + 0.12 * rng.standard_normal()
    cos, sin = np.cos(theta), np.sin(theta)
    half_length = 0.5 * layer.length * rng.uniform(0.7, 1.3)
    ahead = _angle_at(angle, centre[0] + half_length * sin, centre[1] + half_length * cos)
    behind = _angle_at(angle, centre[0] - half_length * sin, centre[1] - half_length * cos)
    turn = layer.bend * np.clip((ahead - behind + np.pi / 2) % np.pi - np.pi / 2, -0.9, 0.9)
    half_width = layer.half_width * rng.uniform(0.75, 1.2)
    reach_x = int(abs(cos) * half_length + abs(sin) * half_width + half_width + 3)
    reach_y = int(abs(sin) * half_length + abs(cos) * half_width + half_width + 3)
    top, left = max(int(centre[0]) - reach_y, 0), max(int(centre[1]) - reach_x, 0)
    window = (slice(top, int(centre[0]) + reach_y + 1), slice(left, int(centre[1]) + reach_x + 1))
    patch, height = canvas.colour[window], canvas.height[window]
    y = np.arange(top, top + patch.shape[0], dtype=np.float32)[:, None] - centre[0]
    x = np.arange(left, left + patch.shape[1], dtype=np.float32)[None] - centre[1]
    u = (cos * x + sin * y) / half_length
    v = (cos * y - sin * x - 0.25 * turn * half_length * u**2) / half_width
    bristle = profile[np.clip(((v + 1.2) * 16).astype(int), 0, 39)]
    # Bristles let go of the paint at different lengths, which frays the end of the stroke.
    end = smoothstep(1.0, 0.86, np.abs(u) + 0.07 * bristle * (u > 0))
    cover = np.maximum(end * smoothstep(1.0, 0.78, np.abs(v) + 0.1 * u**4), 0)
    body = 0.55 + 0.28 * bristle + 0.5 * smoothstep(0.5, 0.92, np.abs(v)) + 0.3 * smoothstep(0.55, 0.95, u)
    patch += cover[..., None] * (colour * (1 + 0.055 * bristle)[..., None] - patch)
    height += cover * (0.35 * height + body - height)


def stamp_dot(
    colour: Array,
    height: Array,
    centre: tuple[float, float],
    radius: float,
    stretch: float,
    theta: float,
    paint: Array,
    opacity: float = 1.0,
) -> None:
    """One touch of paint: a rounded, slightly elongated dab with a raised rim."""
    reach = int(np.ceil(radius * stretch)) + 1
    top, left = max(int(centre[0]) - reach, 0), max(int(centre[1]) - reach, 0)
    window = (slice(top, int(centre[0]) + reach + 1), slice(left, int(centre[1]) + reach + 1))
    patch, relief = colour[window], height[window]
    y = np.arange(top, top + patch.shape[0], dtype=np.float32)[:, None] - centre[0]
    x = np.arange(left, left + patch.shape[1], dtype=np.float32)[None] - centre[1]
    cos, sin = np.cos(theta), np.sin(theta)
    r = np.sqrt(((cos * x + sin * y) / stretch) ** 2 + (cos * y - sin * x) ** 2) / radius
    cover = opacity * np.clip((1.0 - r) * radius + 0.5, 0, 1)
    patch += cover[..., None] * (paint - patch)
    relief += cover * (0.6 + 0.5 * r * r - relief)
