"""The gallery: small pictures in rows, magnified without interpolation, with a line of text below each."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from matplotlib.figure import Figure

from ktviz.figures.canvas import Canvas
from ktviz.figures.colours import FAINT, INK, SOURCE_COLOURS
from ktviz.figures.layout import columns_in
from ktviz.figures.lines import wrapped, write
from ktviz.images import Pixels
from ktviz.regions import Box

WIDTH = 1000.0
"""As wide as a notebook shows a picture without shrinking it."""
GAP = 12.0
CAPTION = 24.0
TITLE, SMALL = 17.0, 14.0
MARGIN = 4.0
LEAST, NARROWEST = 150.0, 300.0
"""Px of a picture on a narrow page, so that its label finds room, and of the narrowest page."""


def gallery(
    pictures: Sequence[Pixels],
    labels: Sequence[str] = (),
    *,
    columns: int = 6,
    title: str = "",
    marked: Collection[int] = (),
    width: float | None = None,
) -> Figure:
    """Pictures side by side, `columns` in a row, all of the same width.

    Args:
        pictures: (H, W, 3) uint8 each; patches of a few px are welcome.
        labels: One line of text for each, or none.
        columns: Pictures in a row; on a narrow page there are fewer.
        title: Above them.
        marked: Numbers of pictures that get a frame.
        width: In inches.

    Returns:
        A figure, 1000 px wide if nobody says, that belongs to no pyplot state.

    Raises:
        SettingError: Text would be too small to read.
    """
    canvas = Canvas.page(width, NARROWEST, WIDTH)
    small, room = canvas.legible(SMALL), canvas.width - 2 * MARGIN
    if canvas.width < WIDTH:
        columns = columns_in(room, min(LEAST, side_of(WIDTH - 2 * MARGIN, columns)), GAP, columns)
    side = side_of(room, columns)
    heights = [side * picture.shape[0] / picture.shape[1] for picture in pictures]
    starts = range(0, len(pictures), columns)
    below = CAPTION if labels else 0.0
    rows = [max(heights[start : start + columns]) + below + GAP for start in starts]
    heads = wrapped(canvas, [title], size=TITLE, room=room, bold=True) if title else []
    top = MARGIN + (CAPTION * len(heads) + 4 if heads else 0.0)
    write(canvas, heads, (MARGIN, 20), CAPTION, TITLE, INK, bold=True)
    for number, picture in enumerate(pictures):
        row, column = divmod(number, columns)
        box = Box(MARGIN + column * (side + GAP), top + sum(rows[:row]), side, heights[number])
        canvas.picture(picture, box, magnified=True)
        if number in marked:
            canvas.frame(box, SOURCE_COLOURS[1], 5.0)
        if labels:
            text = canvas.shortened(labels[number], small, side + GAP - 4)
            canvas.text(box.x, box.bottom + 18, text, small, FAINT)
    return canvas.end(top + sum(rows))


def side_of(room: float, columns: int) -> float:
    """Width of a picture, of so many in a row."""
    return (room - (columns - 1) * GAP) / columns
