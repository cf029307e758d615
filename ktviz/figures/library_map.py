"""The figure of a library map: how many entries lie where, in the colour of the source that has most of them there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from ktviz.figures.canvas import Canvas
from ktviz.figures.colours import INK, OTHER, SOURCE_COLOURS
from ktviz.figures.layout import MARGIN, WIDTH
from ktviz.figures.lines import TITLE_LINE, wrapped, write
from ktviz.regions import Box

if TYPE_CHECKING:
    from ktviz.images import Pixels

SIDE, TOP, BODY, TITLE = 900.0, 80.0, 15.0, 22.0
ROW, LINE = 30.0, 20.0
STACKED, NARROWEST = 900.0, 480.0
"""Px of a page on which the legend stands below the map, and of the narrowest."""
BINS = 450


def library_map_figure(
    places: npt.NDArray[np.floating],
    group: npt.NDArray[np.uint8],
    titles: Sequence[str],
    marked: npt.NDArray[np.floating],
    title: str,
    *,
    width: float | None = None,
) -> Figure:
    """A map with its legend.

    Args:
        places: (n, 2) of the points, in the unit square.
        group: (n,) the colour of each, beyond the last colour for all others.
        titles: What each colour stands for.
        marked: (m, 2) places around which circles are drawn.
        title: Of the figure.
        width: In inches; the legend stands below the map where both do not fit beside each other.

    Returns:
        A figure, 1600 px wide if nobody says, that belongs to no pyplot state.

    Raises:
        SettingError: Text would be too small to read.
    """
    canvas = Canvas.page(width, NARROWEST)
    stacked = canvas.width < STACKED
    side = canvas.room if stacked else SIDE * canvas.room / (WIDTH - 2 * MARGIN)
    heads = wrapped(canvas, [title], size=TITLE, bold=True)
    write(canvas, heads, (MARGIN, 50), TITLE_LINE, TITLE, INK, bold=True)
    where = Box(MARGIN, TOP + TITLE_LINE * (len(heads) - 1), side, side)
    canvas.picture(density(places, group), where)
    if len(marked):
        x, y = where.x + marked[:, 0] * side, where.y + marked[:, 1] * side
        canvas.axes.scatter(x, y, s=14, facecolors="none", edgecolors=INK, linewidths=0.8, zorder=4)
    rows = [*zip(titles, SOURCE_COLOURS, strict=False)]
    if (group >= len(SOURCE_COLOURS)).any():
        rows.append(("all others", OTHER))
    left, top = (MARGIN, where.bottom + 10) if stacked else (where.right + 40, where.y)
    for name, colour in rows:
        canvas.bar(Box(left, top + 10, 18, 18), colour)
        lines = wrapped(canvas, [name], size=BODY, room=canvas.width - MARGIN - left - 30)
        write(canvas, lines, (left + 28, top + 25), LINE, BODY, INK)
        top += ROW + LINE * (len(lines) - 1)
    return canvas.end(max(where.bottom, top) + MARGIN)


def density(places: npt.NDArray[np.floating], group: npt.NDArray[np.uint8]) -> Pixels:
    """Colours on white, the stronger the more points lie in a bin: (BINS, BINS, 3)."""
    column, row = np.clip(places * BINS, 0, BINS - 1).astype(np.int64).T
    cell = row * BINS + column
    counts: list[npt.NDArray[Any]] = []
    for number in range(len(SOURCE_COLOURS) + 1):
        mine = group == number if number < len(SOURCE_COLOURS) else group >= number
        counts.append(np.bincount(cell[mine], minlength=BINS * BINS))
    table = np.stack(counts)
    total = table.sum(0)
    colours = np.array([to_rgb(one) for one in (*SOURCE_COLOURS, OTHER)])[table.argmax(0)]
    strength = np.where(total > 0, 0.25 + 0.75 * np.log1p(total) / np.log1p(max(1, total.max())), 0)[:, None]
    mixed = 1 - strength * (1 - colours)
    painted: Pixels = np.round(255 * mixed).astype(np.uint8).reshape(BINS, BINS, 3)
    return painted
