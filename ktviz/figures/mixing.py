"""What a soft correspondence mixes: which cells of the exemplar feed many of the output, and where many are mixed."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ktviz.figures.canvas import Canvas
from ktviz.figures.colours import FAINT, SOURCE_COLOURS
from ktviz.figures.layout import MARGIN, WIDTH, fit
from ktviz.figures.maps import BODY, SMALL, TITLE, painted_values, scale
from ktviz.images import Pixels
from ktviz.regions import Box
from ktviz.trace.overlap import Floats

GAP, TALLEST = 32.0, 620.0
HEADER, BELOW = 120.0, 92.0


def mixing_figure(
    exemplar: Pixels, warped: Pixels, reuse: Floats, entropy: Floats, most_reused: pd.DataFrame, title: str
) -> Figure:
    """The exemplar with its most used cells, what each cell feeds; the warped exemplar, and how mixed each cell is.

    Args:
        exemplar: (h, w, 3).
        warped: (H, W, 3).
        reuse: (rows, columns) cells of the output that each cell of the exemplar feeds.
        entropy: (rows, columns) of the output's cells in nats.
        most_reused: Boxes in px of the exemplar, `box`, and what they feed, `fed`.
        title: What the figure is of.

    Returns:
        A figure 1600 px wide that belongs to no pyplot state.

    Example:
        >>> grey = np.full((16, 16, 3), 128, np.uint8)
        >>> most = pd.DataFrame({"box": [(0, 0, 4, 4)], "fed": [16.0]})
        >>> figure = mixing_figure(grey, grey, np.eye(4), np.ones((4, 4)), most, "grey")
        >>> round(figure.get_figwidth() * figure.dpi)
        1600
    """
    column = (WIDTH - 2 * MARGIN - GAP) / 2
    rows = [fit(picture.shape[:2], column, TALLEST) for picture in (exemplar, warped)]
    tops = (HEADER, HEADER + rows[0][1] + BELOW)
    canvas = Canvas.create(WIDTH, tops[1] + rows[1][1] + BELOW - 20)
    canvas.text(MARGIN, 50, canvas.shortened(title, TITLE, WIDTH - 2 * MARGIN, bold=True), TITLE, bold=True)
    said = f"{(reuse < 0.01).mean():.0%} of the exemplar's cells feed next to nothing, one feeds {reuse.max():.0f}"
    canvas.text(MARGIN, 78, said, SMALL, FAINT)
    boxes = [
        Box(MARGIN + side * (column + GAP), top, *size) for top, size in zip(tops, rows, strict=True) for side in (0, 1)
    ]
    fed, mixed = np.log1p(reuse) / max(np.log1p(reuse.max()), 1e-9), entropy / max(np.log(reuse.size), 1e-9)
    titles = ("Exemplar, its most used cells", "What each cell feeds", "Exemplar, warped", "How mixed each cell is")
    pictures = (exemplar, painted_values(fed), warped, painted_values(mixed))
    for box, text, pixels in zip(boxes, titles, pictures, strict=True):
        canvas.text(box.x, box.y - 9, text, BODY, bold=True)
        canvas.picture(pixels, box, magnified=True)
    for place in most_reused["box"]:
        x, y, width, height = (float(edge) * boxes[0].width / exemplar.shape[1] for edge in place)
        frame = Box(boxes[0].x + x, boxes[0].y + y, width, height)
        canvas.frame(frame, SOURCE_COLOURS[1], 2.0, over_picture=True)
    for box, high in (
        (boxes[1], f"{reuse.max():.0f} cells (log)"),
        (boxes[3], f"all alike, {np.log(reuse.size):.1f} nats"),
    ):
        scale(canvas, Box(box.x, box.bottom + 10, box.width, 10), "0", high)
    return canvas.figure
