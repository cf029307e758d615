"""Flow of a picture: smoothed structure tensor, line integral convolution, line patterns, XDoG contours."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from scipy import ndimage
from skimage.feature import structure_tensor

from .colour import luminance, smoothstep
from .noise import plane_fbm

Array = np.ndarray


def tangent_angle(
    rgb: Array,
    sigma: float = 3.0,
    spread: float = 12.0,
    floor: float = 1e-3,
    wander: float = 0.6,
    seed: int = 0,
    rest: float = 0.0,
) -> Array:
    """Angle (x right, y down) along edges, from the structure tensor (Kyprianidis and Kang 2011).

    The tensor is smoothed twice, at `sigma` and at `spread`, and the coarse one fills flat regions. Where
    even that is weak (`floor`), the flow relaxes to a slowly wandering angle about `rest`.
    """
    grey = luminance(rgb).astype(np.float64)
    total = np.zeros((3, *grey.shape))
    for scale, weight in ((sigma, 1.0), (spread, 0.35)):
        row_row, row_column, column_column = structure_tensor(grey, sigma=scale, order="rc", mode="nearest")
        strength = row_row + column_column + floor * 0.1
        total += weight * np.stack([row_row, row_column, column_column]) / np.sqrt(strength * strength.mean())
    angle = rest + wander * np.pi * plane_fbm(grey.shape, 130, seed, 2)
    cos, sin = np.cos(angle), np.sin(angle)
    # The rest field enters as a weak tensor whose gradient direction is the normal of `angle`.
    row_row, row_column, column_column = total + floor * 30 * np.stack([cos**2, -sin * cos, sin**2])
    gradient = 0.5 * np.arctan2(2 * row_column, column_column - row_row)
    return (gradient + np.pi / 2).astype(np.float32)


class Streamlines:
    """Line integral convolution (Cabral and Leedom 1993) over streamlines kept as pixel indices."""

    def __init__(self, angle: Array, reach: int) -> None:
        """Trace `reach` unit steps each way from every pixel."""
        self.steps = [index for sign in (1, -1) for index in enumerate(_trace(angle, reach, sign), start=1)]
        self.reach = reach

    def convolve(self, image: Array) -> Array:
        """Average along each streamline, with cosine weights."""
        flat = np.ascontiguousarray(image, np.float32).ravel()
        total, weights = flat.copy(), 1.0
        for k, index in self.steps:
            weight = np.float32(np.cos(0.5 * np.pi * k / (self.reach + 1)))
            total += weight * flat[index]
            weights += weight
        return (total / weights).reshape(image.shape)


def _trace(angle: Array, reach: int, sign: int) -> Iterator[Array]:
    """Flat pixel indices met at each step of a walk along the flow."""
    height, width = angle.shape
    row, column = (plane.ravel().astype(np.float32) for plane in np.mgrid[:height, :width])
    cos, sin = np.cos(angle).ravel(), np.sin(angle).ravel()
    dx, dy = sign * cos, sign * sin
    for _ in range(reach):
        row, column = row + dy, column + dx
        index = np.clip(np.rint(row), 0, height - 1).astype(np.int32) * width
        index += np.clip(np.rint(column), 0, width - 1).astype(np.int32)
        # Angles are modulo pi: keep walking the way the streamline already goes.
        turn = np.where(cos[index] * dx + sin[index] * dy < 0, np.float32(-1), np.float32(1))
        dx, dy = turn * cos[index], turn * sin[index]
        yield index


def line_pattern(angle: Array, pitch: float, seed: int, rounds: int = 5, reach: int = 9) -> Array:
    """Even lines that follow a flow, as a wave in [-1, 1] of about `pitch` pixels.

    Noise is alternately convolved along the flow and band-passed at the pitch, which like reaction and
    diffusion settles into lines that branch where the flow spreads, as engraved and carved lines do.
    """
    streamlines = Streamlines(angle, reach)
    wave = np.random.default_rng(seed).standard_normal(angle.shape).astype(np.float32)
    for _ in range(rounds):
        wave = streamlines.convolve(wave)
        wave = ndimage.gaussian_filter(wave, pitch * 0.22) - ndimage.gaussian_filter(wave, pitch * 0.42)
        wave /= np.sqrt(ndimage.gaussian_filter(wave**2, pitch * 1.5)) + 1e-6
        wave = np.tanh(1.2 * wave)
    return wave


def xdog(
    grey: Array, angle: Array, sigma: float = 1.3, sharpness: float = 18.0, threshold: float = 0.72, phi: float = 12.0
) -> Array:
    """Extended difference of Gaussians (Winnemoeller 2012), smoothed along the flow: 1 paper, 0 ink."""
    fine = ndimage.gaussian_filter(grey, sigma)
    coarse = ndimage.gaussian_filter(grey, 1.6 * sigma)
    streamlines = Streamlines(angle, max(2, int(2.5 * sigma)))
    response = streamlines.convolve((1 + sharpness) * fine - sharpness * coarse)
    return np.where(response >= threshold, 1.0, 1 + np.tanh(phi * (response - threshold))).astype(np.float32)


def contours(rgb: Array, angle: Array, sigma: float = 1.2, strength: float = 1.0) -> Array:
    """Line drawing from all colour channels: 1 paper, 0 ink; only edges, no tone."""
    edges, streamlines = np.zeros(angle.shape, np.float32), Streamlines(angle, int(4 * sigma))
    for channel in range(3):
        plane = rgb[..., channel].astype(np.float32)
        difference = ndimage.gaussian_filter(plane, sigma) - ndimage.gaussian_filter(plane, 1.6 * sigma)
        edges = np.maximum(edges, -streamlines.convolve(difference))
    return 1 - smoothstep(0.010 / strength, 0.024 / strength, edges)


def smooth_along(rgb: Array, angle: Array, reach: int = 5, rounds: int = 2) -> Array:
    """Flow-based abstraction: medians of small windows, then smoothing along the flow, which keeps edges."""
    result, streamlines = rgb.astype(np.float32), Streamlines(angle, reach)
    for _ in range(rounds):
        result = np.stack([ndimage.median_filter(result[..., c], 5) for c in range(3)], axis=-1)
        result = per_channel(streamlines.convolve, result)
    return result


def per_channel(function: Callable[[Array], Array], rgb: Array) -> Array:
    """Apply a plane filter to each channel."""
    return np.stack([function(rgb[..., c]) for c in range(rgb.shape[-1])], axis=-1)


def relief(height: Array, depth: float, azimuth: float = -2.3, gloss: float = 0.0) -> Array:
    """Raking light on a height map: a multiplier near 1, raised by a glint where paint faces the lamp."""
    slope_row, slope_column = np.gradient(height * depth)
    normal = np.stack([-slope_column, -slope_row, np.ones_like(height)], axis=-1)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    sun = np.array([np.cos(azimuth), np.sin(azimuth), 1.1])
    sun /= np.linalg.norm(sun)
    shade = np.clip(normal @ sun, 0, 1) / sun[2]
    half = sun + np.array([0, 0, 1.0])
    glint = np.clip(normal @ (half / np.linalg.norm(half)), 0, 1) ** 40
    flat = (half[2] / np.linalg.norm(half)) ** 40
    return (shade + gloss * (glint - flat)).astype(np.float32)
