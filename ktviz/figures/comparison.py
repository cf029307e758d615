"""The comparison figure: before, after, and the difference on a stated scale."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from ktviz.figures.canvas import Canvas
from ktviz.figures.colours import FAINT
from ktviz.figures.layout import MARGIN, WIDTH, fit
from ktviz.figures.maps import painted_values, scale
from ktviz.regions import Box

if TYPE_CHECKING:
    from ktviz.explain.counterfactual import Comparison

TITLE, BODY, SMALL = 24.0, 18.0, 15.0
GAP = 24.0
FULL = 128.0
"""Difference in levels at which the scale ends, in every figure: figures can be compared."""


def comparison_figure(comparison: Comparison) -> Figure:
    """Before, after, and where they differ."""
    before, after = comparison.pictures["before"], comparison.pictures["after"]
    size = fit((before.shape[0], before.shape[1]), (WIDTH - 2 * MARGIN - 2 * GAP) / 3, 700.0)
    top = 158.0
    canvas = Canvas.create(WIDTH, top + size[1] + 70)
    canvas.text(MARGIN, 50, "What changed", TITLE, bold=True)
    differs = "; ".join(comparison.about["differs"]) or "the two were made alike"
    canvas.text(MARGIN, 78, canvas.shortened(differs, SMALL, WIDTH - 2 * MARGIN), SMALL, FAINT)
    canvas.text(MARGIN, 102, comparison.headline(), SMALL, FAINT)
    difference = painted_values(comparison.difference / FULL)
    for number, (label, pixels) in enumerate((("Before", before), ("After", after), ("Difference", difference))):
        box = Box(MARGIN + number * (size[0] + GAP), top, *size)
        canvas.text(box.x, box.y - 9, label, BODY, bold=True)
        canvas.picture(pixels, box)
    scale(canvas, Box(box.x, box.bottom + 10, size[0], 10), "0", f"{FULL:g} levels and more")
    return canvas.figure
