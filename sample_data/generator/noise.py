"""Lattice noise: gradient noise (Perlin 1985), fractal Brownian motion, ridged multifractals (Musgrave)."""

from __future__ import annotations

import numpy as np

Array = np.ndarray

_PERIOD = 256


def _lattice(seed: int) -> tuple[Array, Array]:
    """Unit gradients on a periodic lattice, one table per seed."""
    angles = np.random.default_rng(seed).uniform(0, 2 * np.pi, (_PERIOD, _PERIOD))
    return np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)


def gradient_noise(x: Array, y: Array, seed: int) -> Array:
    """Perlin noise at arbitrary points, roughly in [-1, 1]."""
    gx, gy = _lattice(seed)
    xf, yf = np.floor(x), np.floor(y)
    i0, j0 = xf.astype(np.int64) % _PERIOD, yf.astype(np.int64) % _PERIOD
    i1, j1 = (i0 + 1) % _PERIOD, (j0 + 1) % _PERIOD
    dx, dy = (x - xf).astype(np.float32), (y - yf).astype(np.float32)
    # The quintic fade has a vanishing second derivative, so that shaded terrain shows no lattice creases.
    fx, fy = dx**3 * (dx * (dx * 6 - 15) + 10), dy**3 * (dy * (dy * 6 - 15) + 10)
    south_west = gx[j0, i0] * dx + gy[j0, i0] * dy
    south_east = gx[j0, i1] * (dx - 1) + gy[j0, i1] * dy
    north_west = gx[j1, i0] * dx + gy[j1, i0] * (dy - 1)
    north_east = gx[j1, i1] * (dx - 1) + gy[j1, i1] * (dy - 1)
    south = south_west + fx * (south_east - south_west)
    north = north_west + fx * (north_east - north_west)
    return 1.5 * (south + fy * (north - south))


def fbm(x: Array, y: Array, seed: int, octaves: int = 5, gain: float = 0.5) -> Array:
    """Fractal Brownian motion: octaves of gradient noise, roughly in [-1, 1]."""
    total, amplitude, norm = np.zeros(np.broadcast(x, y).shape, np.float32), 1.0, 0.0
    for octave in range(octaves):
        frequency = 2.03**octave
        total += amplitude * gradient_noise(x * frequency, y * frequency, seed + 101 * octave)
        norm += amplitude
        amplitude *= gain
    return total * (1.4 / norm)


def ridged(x: Array, y: Array, seed: int, octaves: int = 6, gain: float = 0.5) -> Array:
    """Ridged multifractal in [0, 1]: sharp crests, each octave weighted by the one above it."""
    total, weight, amplitude, norm = np.zeros(np.broadcast(x, y).shape, np.float32), 1.0, 1.0, 0.0
    for octave in range(octaves):
        frequency = 2.03**octave
        ridge = (1 - np.abs(gradient_noise(x * frequency, y * frequency, seed + 101 * octave))) ** 2
        total += amplitude * ridge * weight
        weight = np.clip(ridge * 1.4, 0, 1)
        norm += amplitude
        amplitude *= gain
    return total / norm


def plane_fbm(size: tuple[int, int], scale: float, seed: int, octaves: int = 4, stretch: float = 1.0) -> Array:
    """`fbm` over the pixels of an image, with features of `scale` pixels, `stretch` times longer in x."""
    rows, columns = np.mgrid[: size[0], : size[1]].astype(np.float32)
    return fbm(columns / (scale * stretch) + 7.3, rows / scale + 3.1, seed, octaves)
