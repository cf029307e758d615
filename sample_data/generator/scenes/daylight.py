"""Times of day: the sky, the sun, the haze and how long the film is exposed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .. import sky as skies
from ..colour import light
from .camera import unit

Array = np.ndarray


@dataclass(frozen=True)
class Daylight:
    """A time of day. `height` is the sun's in radians, `spread` its half breadth as a slope, `evening` how far lamps
    are lit."""

    sky: skies.Sky
    height: tuple[float, float]
    sun: Array
    spread: float
    ambient: Array
    ground: Array
    haze: Array
    haze_length: float
    exposure: float
    evening: float

    def towards_sun(self, azimuth: float, rng: np.random.Generator) -> Array:
        """Unit vector to the sun, at an azimuth (0 ahead, rightwards)."""
        height = rng.uniform(*self.height)
        flat = np.cos(height)
        return unit(np.float32([np.sin(azimuth) * flat, np.sin(height), np.cos(azimuth) * flat]))


OVERCAST = skies.Sky(
    light("#9aa4b4"), light("#dfe3e6", 0.95), light("#ffffff"), light("#e8eaec"), light("#8e96a4"),
    sun=(0, 1.2), cover=0.8, glow=0.2, disc=0.0,
)  # fmt: skip
GOLDEN = skies.Sky(
    light("#5f86ba"), light("#ffcf94", 1.1), light("#ffbf6a", 1.3), light("#ffdcb0", 1.25), light("#a890a8"),
    sun=(0.5, 0.2), cover=0.42, glow=0.7, disc=0.0,
)  # fmt: skip
BLUE_DUSK = skies.Sky(
    light("#1c3674"), light("#e8a890", 0.7), light("#ffa070", 0.7), light("#9a90bc", 0.7), light("#3a4a86"),
    sun=(-0.4, 0.02), cover=0.4, glow=0.6, disc=0.0,
)  # fmt: skip

DAYLIGHT = {
    "clear noon": Daylight(
        skies.NOON, (0.62, 1.0), light("#fff1d8", 2.9), 0.006, light("#b3cdf2", 1.12), light("#c8b8a0", 0.36),
        light("#bcd6ec", 0.95), 420, 0.8, 0.0,
    ),
    "overcast": Daylight(
        OVERCAST, (0.8, 1.1), light("#f4f4f2", 0.65), 0.16, light("#dfe6f0", 1.35), light("#b8b4ac", 0.4),
        light("#d2d8de", 0.9), 320, 0.9, 0.08,
    ),
    "golden evening": Daylight(
        GOLDEN, (0.3, 0.5), light("#ffbe74", 3.6), 0.012, light("#bcbcdc", 0.95), light("#d8a878", 0.36),
        light("#f6cf9e", 0.95), 300, 0.85, 0.12,
    ),
    "blue dusk": Daylight(
        BLUE_DUSK, (0.1, 0.18), light("#ff9a80", 0.22), 0.05, light("#8c9ee0", 0.6), light("#8a80a0", 0.16),
        light("#98a0c8", 0.55), 260, 1.25, 1.0,
    ),
}  # fmt: skip
