"""How a field came to be: what a system of several sites had found at each of them, one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from ktviz.errors import TraceError
from ktviz.explain.source_pictures import source_picture
from ktviz.figures.canvas import Canvas
from ktviz.figures.colours import FAINT, SOURCE_COLOURS
from ktviz.figures.layout import MARGIN, columns_in, fit, in_rows
from ktviz.figures.lines import heading, wrapped, write
from ktviz.figures.maps import BODY, SMALL, nearest, scale, similarity_map
from ktviz.images import Pixels
from ktviz.regions import Box
from ktviz.trace.recorded import Traced, as_trace
from ktviz.trace.trace import Trace

HEADER, GAP, BETWEEN = 120.0, 14.0, 36.0
"""Above the first direction, between pictures, and above the names of further rows."""
TALLEST = 300.0
MOST_SITES = 8
"""Of a direction."""
CHART, CHART_GAP, CHART_ROW, LEGEND = 150.0, 48.0, 226.0, 320.0
"""Height of a chart, between charts, of a row of them, and width of a line of their legend."""
LEAST, LEAST_CHART, NARROWEST = 104.0, 125.0, 480.0
"""Px of a picture, of a chart, and of the narrowest page."""


def levels_figure(trace: Traced, *, width: float | None = None) -> Figure:
    """The sites of each direction in their order: the picture that each would have made, its similarity, its measures.

    A picture is made of the parts that were chosen there: each query's box is filled with its winners' boxes in the
    source, weighted, so that the last one is the output where the last site paints.

    Args:
        trace: Of one image and several sites, with its pictures; or a result that was recorded.
        width: In inches; there are fewer sites in a row of a narrow page.

    Returns:
        A figure, 1600 px wide if nobody says, that belongs to no pyplot state.

    Raises:
        SettingError: Text would be too small to read.
        TraceError: A trace of one site, or without the pictures that its sources are.

    Example:
        >>> import ktviz as kt
        >>> from ktviz import samples
        >>> photo = samples.photo("coffee")[:40, :56]
        >>> trace = kt.ImageAnalogy(photo[:, ::-1]).traced(photo, iterations=1)
        >>> figure = levels_figure(trace)
        >>> round(figure.get_figwidth() * figure.dpi)
        1600
    """
    trace = as_trace(trace)
    rows = directions(trace)
    canvas = Canvas.page(width, NARROWEST)
    facts = [trace.system or "an adapted model", f"digest {trace.digest[:12]}"]
    y = HEADER + heading(canvas, "How the field came to be", facts)
    columns = columns_in(canvas.room, LEAST, GAP, max(map(len, rows.values())))
    for direction, sites in rows.items():
        y = draw_direction(canvas, trace, direction, sites, y, columns)
    return canvas.end(draw_measures(canvas, rows, trace.picture.measures, y))


def directions(trace: Trace) -> dict[str, list[str]]:
    """The sites with retrievals of each direction, in their order; at most so many as fit in a row.

    Raises:
        TraceError: There are not two of one direction.
    """
    found: dict[str, list[str]] = {}
    for site in trace.about["sites"]:
        if len(trace.site(site["name"])):
            found.setdefault(site["direction"], []).append(site["name"])
    found = {direction: sites[-MOST_SITES:] for direction, sites in found.items() if len(sites) > 1}
    if not found:
        raise TraceError(
            "a figure of a field's levels",
            "no direction with two sites that hold retrievals",
            "Give a trace of a system with levels",
        )
    return found


def draw_direction(
    canvas: Canvas, trace: Trace, direction: str, sites: Sequence[str], top: float, columns: int
) -> float:
    """The pictures of a direction over its similarities, in rows; where the next one begins."""
    canvas.text(MARGIN, top, direction, BODY, bold=True)
    width = (canvas.room - (columns - 1) * GAP) / columns
    size = fit(trace.site(sites[0]).size, width, TALLEST)
    boxes = in_rows(len(sites), columns, size, (width + GAP, 2 * size[1] + GAP + BETWEEN), top + 36)
    for name, box in zip(sites, boxes, strict=True):
        part = trace.site(name)
        size = fit(part.size, width, TALLEST)
        canvas.text(box.x, box.y - 8, canvas.shortened(name.split(".")[-1], SMALL, width), SMALL, FAINT)
        canvas.picture(painted(part), Box(box.x, box.y, *size))
        canvas.picture(similarity_map(part), Box(box.x, box.y + size[1] + GAP, *size))
    below = box.y + 2 * size[1] + GAP
    scale(canvas, Box(MARGIN, below + 10, min(width, 220), 10), "similarity 0", "1")
    if not part.site_about["searched"]:
        x = max(box.x, MARGIN + min(width, 220) + GAP)
        write(canvas, wrapped(canvas, ["largest weight, 0 to 1"], room=width), (x, below + 20), 18)
    return box.y + 2 * box.height + GAP + 74


def painted(trace: Trace) -> Pixels:
    """The picture that the retrievals of a site name: (H, W, 3) uint8, white where there is none.

    Raises:
        TraceError: The trace has not kept the picture of a source.
    """
    place = nearest(trace)
    y, x = (place >= 0).nonzero()
    place = place[y, x]
    box = trace.column("box")[place]
    inside = np.stack(((x + 0.5 - box[:, 0]) / box[:, 2], (y + 0.5 - box[:, 1]) / box[:, 3]), 1).clip(0, 1)
    total, weights = np.zeros((len(place), 3)), np.zeros(len(place))
    for source_box, weight, source in candidates(trace):
        for name in np.unique(source[weight > 0]):
            chosen = ((source == name) & (weight > 0))[place].nonzero()[0]
            pixels, taken = source_pixels(trace, str(name)), place[chosen]
            column, row = np.floor(source_box[taken, :2] + inside[chosen] * source_box[taken, 2:]).astype(int).T
            colours = pixels[row.clip(0, pixels.shape[0] - 1), column.clip(0, pixels.shape[1] - 1)]
            total[chosen] += weight[taken, None] * colours
            weights[chosen] += weight[taken]
    made = np.full((*trace.size, 3), 255, dtype=np.uint8)
    found = weights > 0
    made[y[found], x[found]] = (total[found] / weights[found, None]).round()
    return made


def candidates(trace: Trace) -> Iterator[tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]]:
    """Rank by rank, source box (N, 4), weight (N,) and source (N,) of the candidates of all retrievals; 0 for none."""
    names = ("rank", "query", "source_box", "weight", "source")
    rank, query, *columns = (trace.column(name, winners=False) for name in names)
    place = np.searchsorted(trace.column("query"), query)
    for number in np.unique(rank):
        rows = rank == number
        filled = []
        for column in columns:
            whole = np.zeros((len(trace), *column.shape[1:]), dtype=column.dtype)
            whole[place[rows]] = column[rows]
            filled.append(whole)
        yield filled[0], filled[1], filled[2]


def source_pixels(trace: Trace, name: str) -> Pixels:
    """A source's picture.

    Raises:
        TraceError: Neither the trace nor a living system has one.
    """
    found = source_picture(trace, name)
    if found is None:
        raise TraceError(
            f"what retrievals took from {name}", "the trace holds no such picture", "Save traces with pictures='both'"
        )
    return found


def sorted_names(measures: Mapping[str, Mapping[str, float]]) -> list[str]:
    """What was measured at any site."""
    return sorted({name for site in measures.values() for name in site})


def draw_measures(
    canvas: Canvas, rows: Mapping[str, Sequence[str]], measures: Mapping[str, Mapping[str, float]], top: float
) -> float:
    """A small chart for each measure: from site to site, a line for each direction; where the page ends."""
    names = sorted_names(measures)
    if not names:
        return top + 30
    rows = {way: [site for site in sites if site in measures] for way, sites in rows.items()}
    columns = columns_in(canvas.room, LEAST_CHART, CHART_GAP, len(names))
    width = (canvas.room - (columns - 1) * CHART_GAP) / columns
    steps = max(1, max(map(len, rows.values())) - 1)
    boxes = in_rows(len(names), columns, (width, CHART), (width + CHART_GAP, CHART_ROW), top + 56)
    for name, box in zip(names, boxes, strict=True):
        known = {
            way: [(n, measures[site][name]) for n, site in enumerate(sites) if name in measures.get(site, {})]
            for way, sites in rows.items()
        }
        draw_chart(canvas, name.replace("_", " "), box, list(known.values()), steps)
    across = columns_in(canvas.room, LEGEND, 0.0, len(rows))
    bars = in_rows(len(rows), across, (16, 12), (LEGEND, 24), box.bottom + 28)
    for (way, sites), bar, colour in zip(rows.items(), bars, SOURCE_COLOURS, strict=False):
        canvas.bar(bar, colour)
        first, last = (sites[n].split(".")[-1] for n in (0, -1))
        canvas.text(bar.x + 24, bar.bottom, f"{way}, from {first} to {last}", SMALL, FAINT)
    return bar.bottom + 34


def readable(value: float) -> str:
    """Three digits, and thousands apart."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def draw_chart(canvas: Canvas, title: str, box: Box, lines: Sequence[Sequence[tuple[int, float]]], steps: int) -> None:
    """Lines over the sites' numbers, 0 to `steps`, between the least and the largest value, which are printed."""
    values = [value for line in lines for _, value in line]
    low, high = min(values), max(values)
    canvas.text(box.x, box.y - 34, title, SMALL, bold=True)
    canvas.text(box.x, box.y - 14, f"{readable(low)} to {readable(high)}", SMALL, FAINT)
    canvas.line([(box.x, box.bottom), (box.right, box.bottom)], FAINT, 1.0)
    for colour, line in zip(SOURCE_COLOURS, lines, strict=False):
        if not line:
            continue
        way = [
            (
                box.x + number / steps * box.width,
                box.bottom - (value - low) / ((high - low) or 1) * box.height,
            )
            for number, value in line
        ]
        canvas.line(way, colour, 2.4)
        for point in way:
            canvas.bar(Box(point[0] - 4, point[1] - 4, 8, 8), colour)
