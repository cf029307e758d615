"""The figure of several traces side by side: their outputs, and who gave how much in which."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure

from ktviz.figures.canvas import Canvas
from ktviz.figures.colours import FAINT, INK, source_colours
from ktviz.figures.layout import MARGIN, fit, percent, placed
from ktviz.figures.lines import wrapped, write
from ktviz.regions import Box
from ktviz.trace.named import short_title_of
from ktviz.trace.trace import Trace

ROWS = 12
"""Sources in rows of their own; the rest are counted."""
ROW, NAME, NAMES, GAP, TOP = 34.0, 26.0, 340.0, 24.0, 70.0
"""Height of a row and of a name above it; width of the names left of the rows."""
TITLE, BODY = 18.0, 15.0
LEAST = 100.0
"""Px of a column; where they would be less, names stand above the bars."""
TRACK = "#ECECEC"


def side_by_side_figure(
    traces: Sequence[Trace], titles: Sequence[str], regions: Sequence[Box | None], *, width: float | None = None
) -> Figure:
    """Outputs in a row, and below them a table of shares: a row for each source, a column for each trace.

    Args:
        traces: Of one image each.
        titles: What each is called.
        regions: Of each, the part whose shares are told; None for all of it.
        width: In inches; names stand above the bars where there is no room beside them.

    Returns:
        A figure, 1600 px wide if nobody says, that belongs to no pyplot state.

    Raises:
        SettingError: Text would be too small to read.
    """
    canvas = Canvas.page(width, 2 * MARGIN + len(traces) * (LEAST + GAP) - GAP)
    stacked = (canvas.room - NAMES) / len(traces) - GAP < LEAST
    beside = 0.0 if stacked else NAMES + GAP
    across = (canvas.room + GAP - beside) / len(traces) - GAP
    lefts = [MARGIN + beside + number * (across + GAP) for number in range(len(traces))]
    heads = [wrapped(canvas, [title], size=TITLE, room=across, bold=True) for title in titles]
    top = TOP + NAME * (max(map(len, heads)) - 1)
    sizes = [(0.0, 0.0) if trace.output is None else fit(trace.output.shape[:2], across, 620.0) for trace in traces]
    below = top + max(height for _, height in sizes)
    canvas.text(MARGIN, below + 30, "of a region" if any(regions) else "of the whole picture", BODY, FAINT)
    for trace, lines, region, left, size in zip(traces, heads, regions, lefts, sizes, strict=True):
        write(canvas, lines, (left, TOP - 14), NAME, TITLE, INK, bold=True)
        draw_output(canvas, trace, region, Box(left, top, *size))
    return canvas.end(draw_table(canvas, traces, regions, below + 50, lefts, across, stacked) + MARGIN)


def draw_table(
    canvas: Canvas,
    traces: Sequence[Trace],
    regions: Sequence[Box | None],
    top: float,
    lefts: Sequence[float],
    across: float,
    stacked: bool,
) -> float:
    """Shares as bars in columns, names beside or above them; where it ends."""
    table = share_table(traces, regions)
    rows, rest = table.head(ROWS), table.iloc[ROWS:]
    most = max(table.max().max(), 1e-9)
    names = [*rows.index, *([f"{len(rest)} others"] if len(rest) else [])]
    values = [*rows.to_numpy().tolist(), *([rest.sum().tolist()] if len(rest) else [])]
    colours = source_colours(table.index.tolist())
    above = NAME if stacked else 0.0
    room = across - 70
    for number, (name, shares) in enumerate(zip(names, values, strict=True)):
        base = top + number * (ROW + above)
        text = canvas.shortened(titled(traces, name), BODY, canvas.room if stacked else NAMES)
        canvas.text(MARGIN, base + 20, text, BODY)
        for left, share in zip(lefts, shares, strict=True):
            canvas.bar(Box(left, base + above + 6, room, 18), TRACK)
            canvas.bar(Box(left, base + above + 6, room * share / most, 18), colours.get(name, FAINT))
            canvas.text(left + across, base + above + 21, percent(share), BODY, align="right")
    return top + len(names) * (ROW + above)


def share_table(traces: Sequence[Trace], regions: Sequence[Box | None]) -> pd.DataFrame:
    """Shares by source and trace, 0 where a trace has no such source; the largest first."""
    columns = []
    for number, (trace, region) in enumerate(zip(traces, regions, strict=True)):
        shares = trace.sources(region).set_index("source")["share"]
        columns.append(shares.rename(number))
    table = pd.concat(columns, axis=1).fillna(0.0)
    return table.loc[table.max(axis=1).sort_values(ascending=False, kind="stable").index]


def titled(traces: Sequence[Trace], name: str) -> str:
    """A source's title, as the first trace that knows it says; its name where none does."""
    for trace in traces:
        for source in trace.about["sources"]:
            if source["source"] == name:
                return short_title_of(source)
    return name


def draw_output(canvas: Canvas, trace: Trace, region: Box | None, where: Box) -> None:
    """An output, with the region around which the table is."""
    if trace.output is None:
        return
    canvas.picture(trace.output, where)
    if region is not None:
        canvas.frame(placed(region, trace.size, where), "#FFFFFF", 3, over_picture=True)
