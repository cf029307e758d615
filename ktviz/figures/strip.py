"""Pictures of one series side by side."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from ktviz.figures.canvas import Canvas
from ktviz.figures.layout import columns_in, fit, in_rows
from ktviz.figures.lines import heading
from ktviz.figures.maps import BODY
from ktviz.images import Pixels

TOP, GAP, CAPTION = 104.0, 12.0, 34.0
IN_A_ROW, TALLEST = 8, 420.0
LEAST, NARROWEST = 150.0, 480.0
"""Px of a picture, so that its caption finds room, and of the narrowest page."""


def strip_figure(
    title: str, facts: str, pictures: Sequence[tuple[str, Pixels]], *, width: float | None = None
) -> Figure:
    """Pictures of one size in rows, each above its caption.

    Args:
        title: Above all.
        facts: Below that.
        pictures: Captions and pictures.
        width: In inches; there are fewer in a row of a narrow page.

    Returns:
        A figure, 1600 px wide if nobody says, that belongs to no pyplot state.

    Raises:
        SettingError: Text would be too small to read.
    """
    canvas = Canvas.page(width, NARROWEST)
    columns = columns_in(canvas.room, LEAST, GAP, min(len(pictures), IN_A_ROW))
    room = (canvas.room - (columns - 1) * GAP) / columns
    size = fit(pictures[0][1].shape[:2], room, TALLEST)
    top = TOP + heading(canvas, title, [facts])
    boxes = in_rows(len(pictures), columns, size, (room + GAP, size[1] + CAPTION), top)
    for (caption, pixels), box in zip(pictures, boxes, strict=True):
        canvas.picture(pixels, box)
        canvas.text(box.x, box.bottom + 22, canvas.shortened(caption, BODY, box.width), BODY)
    return canvas.end(box.bottom + CAPTION + GAP)
