"""The attribution figure: the region on the output, and the shares as bars, with the method in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from ktviz.figures.canvas import Canvas
from ktviz.figures.colours import FAINT, QUANTITY_INK, source_colours
from ktviz.figures.facts import facts, label
from ktviz.figures.layout import MARGIN, fit, percent
from ktviz.figures.lines import wrapped, write
from ktviz.images import Pixels
from ktviz.regions import Box, Mask, stretched

if TYPE_CHECKING:
    from ktviz.explain.attribution import Attribution

TITLE, BODY, SMALL = 24.0, 18.0, 15.0
ROW = 34.0
ROWS = 14
"""Bars that are shown; the rest are counted."""
NAMES = 330.0
"""Width of the names left of the bars, at most."""
STACKED, NARROWEST = 900.0, 480.0
"""Px of a page on which the picture stands above the bars, and of the narrowest."""


def attribution_figure(attribution: Attribution, width: float | None = None) -> Figure:
    """The region, brighter than the rest of the output, and the largest shares on one absolute scale from 0 to 1.

    Args:
        attribution: Any.
        width: In inches; the picture stands above the bars where both do not fit beside each other.

    Raises:
        SettingError: Text would be too small to read.
    """
    canvas = Canvas.page(width, NARROWEST)
    page = canvas.width
    stacked = page < STACKED
    frame, about = attribution.frame, attribution.about
    rows = frame.head(ROWS)
    picture = highlighted(attribution)
    space = (page - 2 * MARGIN, 360.0) if stacked else (0.36 * (page - 2 * MARGIN), 520.0)
    size = (0.0, 0.0) if picture is None else fit((picture.shape[0], picture.shape[1]), *space)
    said = ["A share is the " + about["unit"] + "."]
    said += [] if about["causal"] else ["Nearest explanation: the candidates did not feed the output."]
    texts = [*wrapped(canvas, said), *wrapped(canvas, facts(attribution), " · ")]
    top = 80.0 + 22 * len(texts) + 20
    bars = top + (size[1] + 30 if stacked else 0)
    end = bars + len(rows) * ROW + 20
    title = f"{'By' if stacked else 'Attribution by'} {attribution.by} through {attribution.through}"
    canvas.text(MARGIN, 50, canvas.shortened(title, TITLE, page - 2 * MARGIN, bold=True), TITLE, bold=True)
    write(canvas, texts, (MARGIN, 80), 22)
    left = MARGIN
    if picture is not None:
        canvas.picture(picture, Box(MARGIN, top, *size))
        left += 0 if stacked else size[0] + 50
    names = min(NAMES, 0.36 * (page - MARGIN - left))
    room = page - MARGIN - left - names - 90
    # Shares may be negative (gradient) or above 1 (ablation): the scale grows to hold them, but never shrinks.
    low = min(0.0, np.floor(2 * float(rows["share"].min())) / 2)
    high = max(1.0, np.ceil(2 * float(rows["share"].max())) / 2)
    zero = left + names + 14 - low / (high - low) * room
    for number, (name, share) in enumerate(zip(rows[attribution.by], rows["share"], strict=True)):
        y = bars + number * ROW
        text = canvas.shortened(label(attribution, number, str(name)), SMALL, names)
        canvas.text(left + names, y + 21, text, SMALL, align="right")
        if not np.isfinite(share):
            canvas.text(zero + 8, y + 21, "nothing would be left", SMALL, FAINT)
            continue
        length = share / (high - low) * room
        canvas.bar(Box(min(zero, zero + length), y + 5, abs(length), ROW - 12), colour(attribution, str(name)))
        canvas.text(max(zero, zero + length) + 8, y + 21, percent(share), SMALL, bold=True)
    for value in sorted({low, 0.0, high}):
        canvas.text(zero + value / (high - low) * room, end, f"{value:.2g}", SMALL, FAINT, align="center")
    if len(frame) > len(rows):
        rest = f"and {len(frame) - len(rows):,} more, {percent(float(frame['share'][ROWS:].sum()))} together"
        canvas.text(left + names + 14, end + 26, rest, SMALL, FAINT)
    return canvas.end(max(top + size[1], end + 10) + 60)


def colour(attribution: Attribution, name: str) -> str:
    """Sources have the colours they have in the figures of the whole image; other things have none of their own."""
    if attribution.by != "source":
        return QUANTITY_INK
    return source_colours(attribution.about["sources"])[name]


def highlighted(attribution: Attribution) -> Pixels | None:
    """The output, pale outside the region."""
    output = attribution.pictures.get("output")
    if output is None:
        return None
    return pale_outside(attribution.pictures["region"][..., 0] > 0, output)


def pale_outside(mask: Mask, output: Pixels) -> Pixels:
    """A picture, pale outside a region, which may be of a canvas of another size."""
    inside = stretched(mask, *output.shape[:2])[..., None]
    pale = 255 - (255 - output.astype(np.float64)) * 0.25
    return np.where(inside, output, pale.round()).astype(np.uint8)
