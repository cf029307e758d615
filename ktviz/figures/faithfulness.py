"""The faithfulness figure: scores of real exclusion, and curves of blending; the random control behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.figure import Figure

from ktviz.figures.canvas import Canvas, Point
from ktviz.figures.colours import FAINT, INK, OTHER, SOURCE_COLOURS
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
SCORES = {
    "lds_pixels": ("Random halves", "left out, in pixels"),
    "lds_features": ("Random halves", "left out, in features"),
    "loo_pixels": ("One by one", "left out, in pixels"),
    "loo_features": ("One by one", "left out, in features"),
}


def faithfulness_figure(result: Faithfulness) -> Figure:
    """Real exclusion on the left, blending on the right, and what is to be concluded."""
    canvas = Canvas.create(WIDTH, 740.0)
    canvas.text(MARGIN, 50, "Which method to trust here", TITLE, bold=True)
    canvas.text(MARGIN, 78, result.headline(), SMALL, FAINT)
    note = (
        f"{result.about['units']} units by {result.about['by']}: {result.runs()}; {len(result.random)} random controls"
    )
    note += f"; without knowledge: {result.about['baseline']}" if result.about.get("baseline") else ""
    canvas.text(MARGIN, 102, note, SMALL, FAINT)
    methods = [m for m in dict.fromkeys(result.frame["method"]) if m != RANDOM]
    colours = {**dict(zip(methods, SOURCE_COLOURS, strict=False)), RANDOM: OTHER}
    curves = result.curves
    canvas.text(MARGIN, 150, "Exclusion: without some units, others take their place", SMALL, bold=True)
    left = Box(MARGIN + 150, 220, 360, 420)
    draw_scores(canvas, left, result.frame, colours)
    right, gap = left.right + 90, 60
    width = (WIDTH - MARGIN - 20 - right - gap) / 2
    canvas.text(right, 150, "Blending: without some units, nothing takes their place", SMALL, bold=True)
    for number, (kind, text) in enumerate(EXPLAINED.items()):
        box = Box(right + number * (width + gap), 220, width, 420)
        canvas.text(box.x, box.y - 36, kind.capitalize(), BODY, bold=True)
        canvas.text(box.x, box.y - 14, text, SMALL, FAINT)
        draw_panel(canvas, box, curves[curves["kind"] == kind], colours)
    x = MARGIN
    for method, colour in colours.items():
        canvas.line([(x, 708), (x + 34, 708)], colour, 3.0)
        canvas.text(x + 44, 714, method, SMALL)
        x += 70 + canvas.text_width(method, SMALL)
    return canvas.figure


def draw_scores(canvas: Canvas, box: Box, frame: pd.DataFrame, colours: dict[str, str]) -> None:
    """A row for each score of exclusion, from -1 to 1: a mark for each method, thin ones for the random control."""
    step = box.height / len(SCORES)
    canvas.text(MARGIN, box.y - 36, "Rank correlation", BODY, bold=True)
    canvas.text(MARGIN, box.y - 14, "of shares and what really happened: higher is better", SMALL, FAINT)
    for value in (-1.0, 0.0, 1.0):
        x = box.x + (value + 1) / 2 * box.width
        canvas.line([(x, box.y), (x, box.bottom)], "#D9D9D9", 1.0)
        canvas.text(x, box.bottom + 24, f"{value:g}", SMALL, FAINT, align="center")
    for number, (score, lines) in enumerate(SCORES.items()):
        y = box.y + (number + 0.5) * step
        for line, text in enumerate(lines):
            canvas.text(box.x - 14, y + 20 * line, text, SMALL, FAINT if line else INK, align="right")
        known = frame[frame[score].notna()]
        if known.empty:
            canvas.text(box.x + box.width / 2, y + 5, "too few runs", SMALL, FAINT, align="center")
        control = known[known["method"] == RANDOM]
        for value in control[score]:
            x = box.x + (value + 1) / 2 * box.width
            canvas.line([(x, y - 0.3 * step), (x, y + 0.3 * step)], colours[RANDOM], 1.2)
        for place, (method, value) in enumerate(known[known["method"] != RANDOM][["method", score]].values.tolist()):
            # Methods lie below each other: equal scores are all seen.
            x, middle = box.x + (value + 1) / 2 * box.width, y + (place - 1.5) * 0.16 * step
            canvas.bar(Box(x - 6, middle - 6, 12, 12), colours[method])


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
