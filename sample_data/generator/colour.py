"""Colour: transfer curves, ramps, exposure, Reinhard palette transfer and palette quantisation in CIELAB."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
from skimage import color

Array = np.ndarray

LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)


def hex_colour(code: str) -> Array:
    """'#rrggbb' as display RGB in [0, 1]."""
    return np.array([int(code[i : i + 2], 16) for i in (1, 3, 5)], np.float32) / 255


def hex_palette(codes: str) -> Array:
    """A palette from space-separated '#rrggbb' codes, shape (n, 3)."""
    return np.stack([hex_colour(code) for code in codes.split()])


def to_linear(display: Array) -> Array:
    """sRGB display values to linear light."""
    return np.where(display <= 0.04045, display / 12.92, ((np.maximum(display, 0) + 0.055) / 1.055) ** 2.4)


def to_display(linear: Array) -> Array:
    """Linear light to sRGB display values, clipped to [0, 1]."""
    linear = np.clip(linear, 0, 1)
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055).astype(np.float32)


def light(code: str, strength: float = 1.0) -> Array:
    """The linear radiance of a display colour, times a strength."""
    return (to_linear(hex_colour(code)) * strength).astype(np.float32)


def luminance(linear: Array) -> Array:
    """Relative luminance of RGB."""
    return linear @ LUMINANCE


def mix(a: Array, b: Array, t: Array | float) -> Array:
    """Linear blend of two colours or images; a `t` without a channel axis is broadcast over the channels."""
    t = np.asarray(t, np.float32)
    if t.ndim and t.shape[-1] != 1:
        t = t[..., None]
    return a + (b - a) * t


def smoothstep(low: float, high: float, x: Array) -> Array:
    """Hermite step from 0 at `low` to 1 at `high`."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def ramp(values: Array, stops: Sequence[float], colours: Sequence[Array]) -> Array:
    """Piecewise linear colour gradient."""
    table = np.stack(colours)
    return np.stack([np.interp(values, stops, table[:, c]) for c in range(3)], axis=-1).astype(np.float32)


def expose(linear: Array, exposure: float = 1.0) -> Array:
    """Global filmic tone curve (Hable-style shoulder per channel) from scene radiance to display RGB."""
    x = linear * exposure
    curve = (x * (2.51 * x + 0.03)) / (x * (2.43 * x + 0.59) + 0.14)
    return to_display(curve)


def saturate(rgb: Array, amount: float) -> Array:
    """Scale the chroma of display RGB about its luminance."""
    grey = luminance(rgb)[..., None]
    return np.clip(grey + (rgb - grey) * amount, 0, 1)


def lab(rgb: Array) -> Array:
    """CIELAB of display RGB, as float32."""
    return color.rgb2lab(np.clip(rgb, 0, 1)).astype(np.float32)


def rgb_from_lab(values: Array) -> Array:
    """Display RGB of CIELAB, clipped to the gamut."""
    with warnings.catch_warnings():
        # scikit-image warns of colours outside the gamut, which are clipped here on purpose.
        warnings.simplefilter("ignore", UserWarning)
        return np.clip(color.lab2rgb(values), 0, 1).astype(np.float32)


def palette_transfer(rgb: Array, palette: Array, amount: float = 1.0) -> Array:
    """Reinhard et al. 2001: match the mean and deviation of each Lab channel to those of a palette."""
    pixels, target = lab(rgb), lab(palette[None])[0]
    mean, deviation = pixels.mean((0, 1)), pixels.std((0, 1)) + 1e-3
    moved = (pixels - mean) / deviation * target.std(0) + target.mean(0)
    return rgb_from_lab(pixels + (moved - pixels) * amount)


def pull_to_palette(rgb: Array, palette: Array, amount: float, softness: float = 12.0) -> Array:
    """Draw each colour towards a soft average of its nearest palette colours."""
    pixels, inks = lab(rgb), lab(palette[None])[0]
    distance = ((pixels[..., None, :] - inks) ** 2).sum(-1)
    weight = np.exp(-(distance - distance.min(-1, keepdims=True)) / (2 * softness**2))
    nearest = (weight[..., None] * inks).sum(-2) / weight.sum(-1)[..., None]
    return rgb_from_lab(pixels + (nearest - pixels) * amount)


def quantise(rgb: Array, palette: Array) -> Array:
    """Index of the nearest palette colour in CIELAB for each pixel."""
    pixels, inks = lab(rgb), lab(palette[None])[0]
    return ((pixels[..., None, :] - inks) ** 2).sum(-1).argmin(-1)


def draw_from_palette(wanted: Array, palette: Array, spread: float, rng: np.random.Generator) -> Array:
    """A random palette index per wanted Lab colour, with odds that fall off with distance (Gumbel trick)."""
    inks = lab(palette[None])[0]
    distance = np.linalg.norm((wanted[:, None] - inks) * np.float32([1.25, 1, 1]), axis=-1)
    gumbel = -np.log(-np.log(rng.random(distance.shape)))
    return (gumbel - distance / spread).argmax(1)
