"""A credit in a line of a figure."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from ktviz.figures.canvas import Canvas
from ktviz.licences import UNKNOWN, in_short
from ktviz.trace.named import NOBODY

LICENCE = 0.6
"""Of a line, at most, that the licence takes."""


def credit_line(canvas: Canvas, about: Mapping[Any, Any] | Mapping[Hashable, Any], size: float, room: float) -> str:
    """Creator and licence, as far as they are known, in so much room: of a long credit the licence stays legible.

    Args:
        canvas: Measures text.
        about: What is known of a source.
        size: Of the text.
        room: In px.
    """
    creator, licence = str(about.get("creator", UNKNOWN)), in_short(str(about.get("licence", UNKNOWN)))
    if UNKNOWN in (creator, licence):
        known = next((one for one in (creator, licence) if one != UNKNOWN), NOBODY)
        return canvas.shortened(known, size, room)
    last = canvas.shortened(f" · {licence}", size, room * LICENCE)
    return canvas.shortened(creator, size, room - canvas.text_width(last, size)) + last
