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
from ktviz.regions import Box

if TYPE_CHECKING:
    from ktviz.images import Pixels

SIDE, TOP, BODY, TITLE = 900.0, 80.0, 15.0, 22.0
ROW = 30.0
BINS = 450


def library_map_figure(
    places: npt.NDArray[np.floating],
    group: npt.NDArray[np.uint8],
    titles: Sequence[str],
    marked: npt.NDArray[np.floating],
    title: str,
) -> Figure:
    """A map with its legend.

    Args:
        places: (n, 2) of the points, in the unit square.
        group: (n,) the colour of each, beyond the last colour for all others.
        titles: What each colour stands for.
        marked: (m, 2) places around which circles are drawn.
        title: Of the figure.

    Returns:
        A figure 1600 px wide that belongs to no pyplot state.
    """
    canvas = Canvas.create(WIDTH, TOP + SIDE + MARGIN)
    canvas.text(MARGIN, 50, title, TITLE, bold=True)
    where = Box(MARGIN, TOP, SIDE, SIDE)
    canvas.picture(density(places, group), where)
    if len(marked):
        x, y = where.x + marked[:, 0] * SIDE, where.y + marked[:, 1] * SIDE
        canvas.axes.scatter(x, y, s=14, facecolors="none", edgecolors=INK, linewidths=0.8, zorder=4)
    left = MARGIN + SIDE + 40
    rows = [*zip(titles, SOURCE_COLOURS, strict=False)]
    if (group >= len(SOURCE_COLOURS)).any():
        rows.append(("all others", OTHER))
    for number, (name, colour) in enumerate(rows):
        canvas.bar(Box(left, TOP + 10 + number * ROW, 18, 18), colour)
        text = canvas.shortened(name, BODY, WIDTH - MARGIN - left - 30)
        canvas.text(left + 28, TOP + 25 + number * ROW, text, BODY)
    return canvas.figure


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
