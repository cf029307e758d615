"""The gallery: small pictures in rows, magnified without interpolation, with a line of text below each."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from matplotlib.figure import Figure

from ktviz.figures.canvas import Canvas
from ktviz.figures.colours import FAINT, SOURCE_COLOURS
from ktviz.images import Pixels
from ktviz.regions import Box

WIDTH = 1000.0
"""As wide as a notebook shows a picture without shrinking it."""
GAP = 12.0
CAPTION = 24.0
TITLE, SMALL = 17.0, 14.0
MARGIN = 4.0


def gallery(
    pictures: Sequence[Pixels],
    labels: Sequence[str] = (),
    *,
    columns: int = 6,
    title: str = "",
    marked: Collection[int] = (),
) -> Figure:
    """Pictures side by side, `columns` in a row, all of the same width.

    Args:
        pictures: (H, W, 3) uint8 each; patches of a few px are welcome.
        labels: One line of text for each, or none.
        columns: Pictures in a row.
        title: Above them.
        marked: Numbers of pictures that get a frame.

    Returns:
        A figure 1000 px wide that belongs to no pyplot state.
    """
    side = (WIDTH - 2 * MARGIN - (columns - 1) * GAP) / columns
    heights = [side * picture.shape[0] / picture.shape[1] for picture in pictures]
    starts = range(0, len(pictures), columns)
    below = CAPTION if labels else 0.0
    rows = [max(heights[start : start + columns]) + below + GAP for start in starts]
    top = MARGIN + (CAPTION + 4 if title else 0.0)
    canvas = Canvas.create(WIDTH, top + sum(rows))
    canvas.text(MARGIN, 20, title, TITLE, bold=True)
    for number, picture in enumerate(pictures):
        row, column = divmod(number, columns)
        box = Box(MARGIN + column * (side + GAP), top + sum(rows[:row]), side, heights[number])
        canvas.picture(picture, box, magnified=True)
        if number in marked:
            canvas.frame(box, SOURCE_COLOURS[1], 5.0)
        if labels:
            text = canvas.shortened(labels[number], SMALL, side + GAP - 4)
            canvas.text(box.x, box.bottom + 18, text, SMALL, FAINT)
    return canvas.figure
