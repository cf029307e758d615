"""Large photographs: shrunk first, bounded in memory."""

from __future__ import annotations

from typing import Annotated

import typer

from ktviz.images import MIN_SIDE, Pixels, resize_short_side

Side = Annotated[
    int | None,
    typer.Option(
        min=MIN_SIDE, metavar="PX", help="Shrink photos, and a reference file, to this shorter side first, if larger."
    ),
]
Memory = Annotated[
    str | None, typer.Option(metavar="SIZE", help='What the process may hold, e.g. "4GB". Results stay the same.')
]


def shrunk(pixels: Pixels, side: int | None) -> Pixels:
    """A photo brought to a shorter side in px, unless that is no larger already."""
    return pixels if side is None or min(pixels.shape[:2]) <= side else resize_short_side(pixels, side)
