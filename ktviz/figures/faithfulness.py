"""The faithfulness figure: deletion and insertion curves of every method, the random control behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.figure import Figure

from ktviz.figures.canvas import Canvas, Point
from ktviz.figures.colours import FAINT, OTHER, SOURCE_COLOURS
from ktviz.figures.layout import MARGIN, WIDTH
from ktviz.regions import Box

if TYPE_CHECKING:
    from ktviz.explain.faithfulness import Faithfulness

TITLE, BODY, SMALL = 24.0, 18.0, 15.0
RANDOM = "random"
EXPLAINED = {
    "deletion": "largest first, taken away: lower is better",
    "insertion": "largest first, added: higher is better",
}


def faithfulness_figure(result: Faithfulness) -> Figure:
    """Two panels, and what is to be concluded from them."""
    canvas = Canvas.create(WIDTH, 700.0)
    canvas.text(MARGIN, 50, "Which method to trust here", TITLE, bold=True)
    canvas.text(MARGIN, 78, result.headline(), SMALL, FAINT)
    note = f"{result.about['units']} units by {result.about['by']}; {len(result.random)} random rankings as control"
    canvas.text(MARGIN, 102, note, SMALL, FAINT)
    methods = [m for m in dict.fromkeys(result.frame["method"]) if m != RANDOM]
    colours = {**dict(zip(methods, SOURCE_COLOURS, strict=False)), RANDOM: OTHER}
    curves = result.curves
    width = (WIDTH - 2 * MARGIN - 120) / 2
    for number, (kind, text) in enumerate(EXPLAINED.items()):
        box = Box(MARGIN + 50 + number * (width + 70), 180, width, 420)
        canvas.text(box.x, box.y - 16, kind.capitalize(), BODY, bold=True)
        canvas.text(box.right, box.y - 16, text, SMALL, FAINT, align="right")
        draw_panel(canvas, box, curves[curves["kind"] == kind], colours)
    x = MARGIN + 50
    for method, colour in colours.items():
        canvas.line([(x, 668), (x + 34, 668)], colour, 3.0)
        canvas.text(x + 44, 674, method, SMALL)
        x += 70 + canvas.text_width(method, SMALL)
    return canvas.figure


def draw_panel(canvas: Canvas, box: Box, curves: pd.DataFrame, colours: dict[str, str]) -> None:
    """Axes from 0 to 1, grown where a curve goes beyond, and the curves."""
    low, high = min(0.0, float(curves["progress"].min())), max(1.0, float(curves["progress"].max()))

    def at(taken: npt.NDArray[np.float64], progress: npt.NDArray[np.float64]) -> list[Point]:
        y = box.bottom - (progress - low) / (high - low) * box.height
        return list(zip((box.x + taken * box.width).tolist(), y.tolist(), strict=True))

    for value in (0.0, 0.5, 1.0):
        grid = at(np.array([0.0, 1.0]), np.array([value, value]))
        canvas.line(grid, "#D9D9D9", 1.0)
        canvas.text(box.x - 10, grid[0][1] + 5, f"{value:g}", SMALL, FAINT, align="right")
        canvas.text(box.x + value * box.width, box.bottom + 24, f"{value:.0%}", SMALL, FAINT, align="center")
    groups = list(curves.groupby(["method", "seed"], sort=False))
    widths = {method: 6.0 - 2.0 * n for n, method in enumerate(m for m in colours if m != RANDOM)}
    for (method, _), curve in sorted(groups, key=lambda group: group[0][0] != RANDOM):
        width = widths.get(str(method), 1.2)  # equal curves lie on each other: the later ones are thinner
        canvas.line(at(curve["taken"].to_numpy(), curve["progress"].to_numpy()), colours[str(method)], width)
