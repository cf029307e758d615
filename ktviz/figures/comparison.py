"""The comparison figure: before, after, and the difference on a stated scale."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from ktviz.figures.canvas import Canvas
from ktviz.figures.layout import columns_in, fit, in_rows
from ktviz.figures.lines import heading
from ktviz.figures.maps import painted_values, scale
from ktviz.regions import Box

if TYPE_CHECKING:
    from ktviz.explain.counterfactual import Comparison

BODY = 18.0
GAP, TOP, BELOW = 24.0, 158.0, 70.0
LEAST, NARROWEST = 200.0, 480.0
"""Px of a picture, so that its scale finds room, and of the narrowest page."""
FULL = 128.0
"""Difference in levels at which the scale ends, in every figure: figures can be compared."""


def comparison_figure(comparison: Comparison, width: float | None = None) -> Figure:
    """Before, after, and where they differ.

    Args:
        comparison: Any.
        width: In inches; the difference stands below the two where there is no room beside them.

    Raises:
        SettingError: Text would be too small to read.
    """
    before, after = comparison.pictures["before"], comparison.pictures["after"]
    canvas = Canvas.page(width, NARROWEST)
    columns = columns_in(canvas.room, LEAST, GAP, 3)
    size = fit((before.shape[0], before.shape[1]), (canvas.room - (columns - 1) * GAP) / columns, 700.0)
    differs = "; ".join(comparison.about["differs"]) or "the two were made alike"
    top = TOP + heading(canvas, "What changed", [differs], [comparison.headline()])
    difference = painted_values(comparison.difference / FULL)
    shown = {"Before": before, "After": after, "Difference": difference}
    boxes = in_rows(len(shown), columns, size, (size[0] + GAP, size[1] + BELOW), top)
    for (label, pixels), box in zip(shown.items(), boxes, strict=True):
        canvas.text(box.x, box.y - 9, label, BODY, bold=True)
        canvas.picture(pixels, box)
    scale(canvas, Box(box.x, box.bottom + 10, size[0], 10), "0", f"{FULL:g} levels and more")
    return canvas.end(box.bottom + BELOW)
