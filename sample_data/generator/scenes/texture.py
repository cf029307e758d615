"""Procedural patterns over metres, faded where a sample is too wide to show them."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ..colour import hex_colour, to_linear

Array = np.ndarray

_TILE = 512


def colour(code: str) -> Array:
    """Linear RGB of '#rrggbb'."""
    return to_linear(hex_colour(code)).astype(np.float32)


@lru_cache(maxsize=96)
def _tile(seed: int, slope: float) -> Array:
    """A periodic tile of noise whose amplitude falls with frequency, of deviation 1."""
    rng = np.random.default_rng(seed)
    frequency = np.hypot(np.fft.fftfreq(_TILE)[:, None], np.fft.rfftfreq(_TILE)[None, :]) * _TILE
    amplitude = np.where(frequency < 4, 0, 1 / np.maximum(frequency, 1) ** slope) * np.exp(-((frequency / 180) ** 2))
    phase = rng.normal(size=amplitude.shape) + 1j * rng.normal(size=amplitude.shape)
    tile = np.fft.irfft2(amplitude * phase, (_TILE, _TILE))
    return (tile / tile.std()).astype(np.float32)


def noise(x: Array, y: Array, size: float, seed: int = 0, slope: float = 1.5) -> Array:
    """Cloudy noise of deviation 1 with features of about `size` metres and finer ones; slope 1 is rougher, 2 softer."""
    tile = _tile(seed % 7, slope)
    scale = _TILE / 6 / size
    x, y = x * scale + 37.7 * (seed % 811), y * scale + 91.3 * (seed % 733)
    xf, yf = np.floor(x), np.floor(y)
    i, j = yf.astype(np.int32) % _TILE, xf.astype(np.int32) % _TILE
    fx, fy = (x - xf).astype(np.float32), (y - yf).astype(np.float32)
    i1, j1 = (i + 1) % _TILE, (j + 1) % _TILE
    top = tile[i, j] * (1 - fx) + tile[i, j1] * fx
    return top * (1 - fy) + (tile[i1, j] * (1 - fx) + tile[i1, j1] * fx) * fy


def chance(i: Array, j: Array, seed: int = 0) -> Array:
    """A random number in 0..1 for each whole cell (i, j)."""
    a = (i.astype(np.int64) * 73856093) ^ (j.astype(np.int64) * 19349663) ^ (seed % 1009 * 83492791)
    a = (a ^ (a >> 13)) * 1274126177 & 0x7FFFFFFF
    return (((a ^ (a >> 16)) & 0xFFFF) / 65536).astype(np.float32)


def fade(width: Array, detail: float) -> Array:
    """1 where a detail of so many metres is seen sharp, 0 where a sample is wider than it."""
    return np.clip(1.6 - 1.1 * width / detail, 0, 1)


def line(distance: Array, half: float, width: Array) -> Array:
    """1 on a line of a half breadth, by distance from its middle, smooth over a sample's width."""
    half_width = np.maximum(width * 0.5, 1e-5)
    cover = np.clip((half + half_width - np.abs(distance)) / (2 * half_width), 0, 1)
    return cover * np.minimum(1, half / half_width)


def courses(x: Array, y: Array, length: float, height: float) -> tuple[Array, Array, Array, Array]:
    """Bond of bricks or tiles: column and row of each, and metres from its nearest upright and level joint."""
    row = np.floor(y / height)
    shifted = x / length + 0.5 * (row % 2)
    column = np.floor(shifted)
    across, up = shifted - column, y / height - row
    return column, row, np.minimum(across, 1 - across) * length, np.minimum(up, 1 - up) * height


def blend(a: Array, b: Array, t: Array) -> Array:
    """Colours between `a` and `b` (3,) or (n, 3) by `t` (n,)."""
    return (a + (b - a) * t[:, None]).astype(np.float32)


def shades(base: Array, amount: Array) -> Array:
    """A colour made lighter and darker by factors 2**amount."""
    return (base * np.exp2(amount)[:, None]).astype(np.float32)
