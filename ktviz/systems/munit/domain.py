"""Whether a picture is of a domain: networks make a picture again well only if they know such pictures."""

from __future__ import annotations

import numpy as np

from ktviz.errors import ImageError
from ktviz.images import Pixels, to_pixels
from ktviz.systems.munit.direction import Direction
from ktviz.systems.munit.trained import Networks

SIDE = 128
"""Px of the middle of a picture that are looked at: as much as small networks learned from."""
CLEARLY_DB = 6.0
"""By so much others must make it better to say that it is theirs."""


def check_domain(networks: Networks, domain: str, pixels: Pixels) -> None:
    """Raise ImageError if a picture is clearly of the other domain.

    Pictures that neither knows are let through: they become something, which people can see.
    """
    middle, other = middle_of(pixels), networks.other(domain)
    mine, theirs = (made_again_db(networks, name, middle) for name in (domain, other))
    if theirs > mine + CLEARLY_DB:
        raise ImageError(
            f"a picture of {domain}",
            f"it is like {other}: made again as one of them at {theirs:.0f} dB, as one of {domain} at {mine:.0f} dB",
            f"Give one of {domain}, or ask for the other direction (to=)",
        )


def made_again_db(networks: Networks, domain: str, pixels: Pixels) -> float:
    """How near a picture is to what a domain makes of its own content and style: PSNR in dB."""
    there, back = Direction(networks, networks.other(domain)), Direction(networks, domain)
    size = (pixels.shape[0], pixels.shape[1])
    again = to_pixels(back.paint(there.content(pixels), back.code(pixels), size))
    apart = float(np.square(pixels.astype(np.float64) - again).mean())
    return float(10 * np.log10(255**2 / max(apart, 1e-9)))


def middle_of(pixels: Pixels) -> Pixels:
    """The middle of a picture, of at most `SIDE` px a side."""
    top, left = (max(0, side - SIDE) // 2 for side in pixels.shape[:2])
    return pixels[top : top + SIDE, left : left + SIDE]
