"""The figure of several traces side by side: their outputs, and who gave how much in which."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure

from ktviz.figures.canvas import Canvas
from ktviz.figures.colours import FAINT, source_colours
from ktviz.figures.layout import MARGIN, WIDTH, fit, percent
from ktviz.regions import Box
from ktviz.trace.named import short_title_of
from ktviz.trace.trace import Trace

ROWS = 12
"""Sources in rows of their own; the rest are counted."""
ROW, NAMES, GAP, TOP = 34.0, 340.0, 24.0, 70.0
TITLE, BODY = 18.0, 15.0
TRACK = "#ECECEC"


def side_by_side_figure(traces: Sequence[Trace], titles: Sequence[str], regions: Sequence[Box | None]) -> Figure:
    """Outputs in a row, and below them a table of shares: a row for each source, a column for each trace.

    Args:
        traces: Of one image each.
        titles: What each is called.
        regions: Of each, the part whose shares are told; None for all of it.

    Returns:
        A figure 1600 px wide that belongs to no pyplot state.
    """
    table = share_table(traces, regions)
    rows, rest = table.head(ROWS), table.iloc[ROWS:]
    across = (WIDTH - 2 * MARGIN - NAMES - GAP * len(traces)) / len(traces)
    sizes = [(0.0, 0.0) if trace.output is None else fit(trace.output.shape[:2], across, 620.0) for trace in traces]
    tall = max(height for _, height in sizes)
    end = TOP + tall + 50 + ROW * (len(rows) + bool(len(rest)))
    canvas = Canvas.create(WIDTH, end + MARGIN)
    canvas.text(MARGIN, TOP + tall + 30, "of a region" if any(regions) else "of the whole picture", BODY, FAINT)
    lefts = [MARGIN + NAMES + GAP + number * (across + GAP) for number in range(len(traces))]
    for trace, title, region, left, size in zip(traces, titles, regions, lefts, sizes, strict=True):
        canvas.text(left, TOP - 14, canvas.shortened(title, TITLE, across, bold=True), TITLE, bold=True)
        draw_output(canvas, trace, region, Box(left, TOP, *size))
    most = max(table.max().max(), 1e-9)
    names = [*rows.index, *([f"{len(rest)} others"] if len(rest) else [])]
    values = [*rows.to_numpy().tolist(), *([rest.sum().tolist()] if len(rest) else [])]
    colours = source_colours(table.index.tolist())
    for number, (name, shares) in enumerate(zip(names, values, strict=True)):
        base = TOP + tall + 50 + number * ROW
        canvas.text(MARGIN, base + 20, canvas.shortened(titled(traces, name), BODY, NAMES), BODY)
        for left, share in zip(lefts, shares, strict=True):
            room = across - 70
            canvas.bar(Box(left, base + 6, room, 18), TRACK)
            canvas.bar(Box(left, base + 6, room * share / most, 18), colours.get(name, FAINT))
            canvas.text(left + across, base + 21, percent(share), BODY, align="right")
    return canvas.figure


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
        across, down = where.width / trace.size[1], where.height / trace.size[0]
        left, top = where.x + region.x * across, where.y + region.y * down
        canvas.frame(Box(left, top, region.width * across, region.height * down), "#FFFFFF", 3, over_picture=True)
