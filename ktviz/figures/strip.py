"""Pictures of one series side by side."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from ktviz.figures.canvas import Canvas
from ktviz.figures.colours import FAINT
from ktviz.figures.layout import MARGIN, WIDTH, fit
from ktviz.figures.maps import BODY, SMALL, TITLE
from ktviz.images import Pixels
from ktviz.regions import Box

TOP, GAP, CAPTION = 104.0, 12.0, 34.0
IN_A_ROW, TALLEST = 8, 420.0


def strip_figure(title: str, facts: str, pictures: Sequence[tuple[str, Pixels]]) -> Figure:
    """Pictures of one size in rows, each above its caption.

    Args:
        title: Above all.
        facts: Below that.
        pictures: Captions and pictures.

    Returns:
        A figure 1600 px wide that belongs to no pyplot state.
    """
    columns = min(len(pictures), IN_A_ROW)
    room = (WIDTH - 2 * MARGIN - (columns - 1) * GAP) / columns
    width, height = fit(pictures[0][1].shape[:2], room, TALLEST)
    rows = -(-len(pictures) // columns)
    canvas = Canvas.create(WIDTH, TOP + rows * (height + CAPTION) + GAP)
    canvas.text(MARGIN, 50, canvas.shortened(title, TITLE, WIDTH - 2 * MARGIN, bold=True), TITLE, bold=True)
    canvas.text(MARGIN, 78, facts, SMALL, FAINT)
    for number, (caption, pixels) in enumerate(pictures):
        row, column = divmod(number, columns)
        box = Box(MARGIN + column * (room + GAP), TOP + row * (height + CAPTION), width, height)
        canvas.picture(pixels, box)
        canvas.text(box.x, box.bottom + 22, canvas.shortened(caption, BODY, width), BODY)
    return canvas.figure
