"""The faithfulness figure: scores of real exclusion, and curves of blending; the random control behind them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.figure import Figure

from ktviz.figures.canvas import Canvas, Point
from ktviz.figures.colours import FAINT, INK, OTHER, SOURCE_COLOURS
from ktviz.figures.layout import MARGIN, WIDTH
from ktviz.figures.lines import heading, wrapped, write
from ktviz.regions import Box

if TYPE_CHECKING:
    from ktviz.explain.faithfulness import Faithfulness

BODY, SMALL = 18.0, 15.0
TOP, HEIGHT, LOW, BETWEEN, LINE = 150.0, 420.0, 280.0, 76.0, 20.0
"""Where charts begin, how high they are beside and below each other, how far apart; height of a line above them."""
LABELS, SCORES_WIDTH, NUMBERS, GAP = 150.0, 360.0, 40.0, 60.0
"""Widths: of what stands left of the scores, of the scores, of numbers left of a panel, and between panels."""
STACKED, NARROWEST = 900.0, 480.0
"""Px of a page on which charts stand below each other, and of the narrowest."""
RANDOM = "random"
EXCLUSION = "Exclusion: without some units, others take their place"
RANKS = "of shares and what really happened: higher is better"
BLENDING = "Blending: without some units, nothing takes their place"
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


def faithfulness_figure(result: Faithfulness, width: float | None = None) -> Figure:
    """Real exclusion on the left, blending on the right, and what is to be concluded.

    Args:
        result: Any.
        width: In inches; charts stand below each other where there is no room beside.

    Raises:
        SettingError: Text would be too small to read.
    """
    canvas = Canvas.page(width, NARROWEST)
    about = result.about
    note = f"{about['units']} units by {about['by']}: {result.runs()}; {len(result.random)} random controls"
    note += f"; without knowledge: {about['baseline']}" if about.get("baseline") else ""
    top = TOP + heading(canvas, "Which method to trust here", [result.headline()], [note])
    methods = [m for m in dict.fromkeys(result.frame["method"]) if m != RANDOM]
    colours = {**dict(zip(methods, SOURCE_COLOURS, strict=False)), RANDOM: OTHER}
    for row in charts(result, colours, canvas):
        below = max(draw_head(canvas, chart, top) for chart in row)
        for chart in row:
            chart.draw(canvas, Box(chart.left + chart.labels, below, chart.room - chart.labels, chart.height))
        top = below + chart.height + BETWEEN
    return canvas.end(draw_legend(canvas, colours, top - BETWEEN + 68) + 32)


@dataclass(frozen=True)
class Chart:
    """One of the charts: what is written above it, how it is drawn in a box, and where.

    Attributes:
        section: Above its title; empty where the chart before it says so for both.
        title: What it shows.
        reading: How to read it.
        draw: On a canvas, in a box.
        left: Edge of its texts.
        room: Width of all.
        labels: Width of what stands left of the box.
        height: Of the box.
        across: Width of the section, which may be that of several charts.
    """

    section: str
    title: str
    reading: str
    draw: Callable[[Canvas, Box], None]
    left: float
    room: float
    labels: float
    height: float
    across: float


def charts(result: Faithfulness, colours: dict[str, str], canvas: Canvas) -> list[list[Chart]]:
    """The charts, row by row: all in one, or where there is no room for that each in its own."""
    stacked = canvas.width < STACKED
    height = LOW if stacked else HEIGHT
    scores = canvas.room if stacked else LABELS + SCORES_WIDTH * canvas.room / (WIDTH - 2 * MARGIN)
    first = MARGIN if stacked else MARGIN + scores + 90
    panel = canvas.room if stacked else (canvas.width - MARGIN - 20 - first - GAP) / 2
    across, numbers = ((panel, panel), NUMBERS) if stacked else ((scores + GAP, 2 * panel + GAP), 0.0)
    draw = partial(draw_scores, frame=result.frame, colours=colours)
    found = [Chart(EXCLUSION, "Rank correlation", RANKS, draw, MARGIN, scores, LABELS, height, across[0])]
    for number, (kind, reading) in enumerate(EXPLAINED.items()):
        draw = partial(draw_panel, curves=result.curves[result.curves["kind"] == kind], colours=colours)
        left, section = first + number * (0.0 if stacked else panel + GAP), "" if number else BLENDING
        found.append(Chart(section, kind.capitalize(), reading, draw, left, panel, numbers, height, across[1]))
    return [[chart] for chart in found] if stacked else [found]


def draw_head(canvas: Canvas, chart: Chart, top: float) -> float:
    """What is written above a chart; where the chart begins."""
    section = wrapped(canvas, [chart.section], room=chart.across, bold=True)
    reading = wrapped(canvas, [chart.reading], room=chart.room)
    write(canvas, section, (chart.left, top), LINE, SMALL, INK, bold=True)
    top += LINE * len(section) + 14
    canvas.text(chart.left, top, chart.title, BODY, bold=True)
    write(canvas, reading, (chart.left, top + 22), LINE)
    return top + LINE * len(reading) + 16


def draw_legend(canvas: Canvas, colours: dict[str, str], top: float) -> float:
    """Methods and their colours, in as many lines as they need; where the last one is."""
    x = MARGIN
    for method, colour in colours.items():
        taken = 44 + canvas.text_width(method, SMALL)
        if x > MARGIN and x + taken > canvas.width - MARGIN:
            x, top = MARGIN, top + 28
        canvas.line([(x, top), (x + 34, top)], colour, 3.0)
        canvas.text(x + 44, top + 6, method, SMALL)
        x += taken + 26
    return top


def draw_scores(canvas: Canvas, box: Box, frame: pd.DataFrame, colours: dict[str, str]) -> None:
    """A row for each score of exclusion, from -1 to 1: a mark for each method, thin ones for the random control."""
    step = box.height / len(SCORES)
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
