"""How a field came to be: what a system of several sites had found at each of them, one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from ktviz.errors import TraceError
from ktviz.explain.case import source_picture
from ktviz.figures.canvas import Canvas
from ktviz.figures.colours import FAINT, SOURCE_COLOURS
from ktviz.figures.layout import MARGIN, WIDTH, fit
from ktviz.figures.maps import BODY, SMALL, TITLE, nearest, scale, similarity_map
from ktviz.images import Pixels
from ktviz.regions import Box
from ktviz.trace.recorded import Traced, as_trace
from ktviz.trace.trace import Trace

HEADER, GAP, CHART = 120.0, 14.0, 150.0
TALLEST = 300.0
MOST_SITES = 8
"""In a row."""
CHART_GAP = 48.0


def levels_figure(trace: Traced) -> Figure:
    """The sites of each direction in their order: the picture that each would have made, its similarity, its measures.

    A picture is made of the parts that were chosen there: each query's box is filled with its winners' boxes in the
    source, weighted, so that the last one is the output where the last site paints.

    Args:
        trace: Of one image and several sites, with its pictures; or a result that was recorded.

    Returns:
        A figure 1600 px wide that belongs to no pyplot state.

    Raises:
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
    measures = trace.picture.measures
    names = sorted_names(measures)
    layout = Layout.create(trace, rows, len(names))
    canvas = Canvas.create(WIDTH, layout.height)
    canvas.text(MARGIN, 50, "How the field came to be", TITLE, bold=True)
    canvas.text(MARGIN, 78, f"{trace.system or 'an adapted model'} · digest {trace.digest[:12]}", SMALL, FAINT)
    for row, (direction, sites) in zip(layout.tops, rows.items(), strict=True):
        draw_direction(canvas, trace, direction, sites, row, layout.width)
    draw_measures(canvas, rows, measures, names, layout)
    return canvas.figure


@dataclass(frozen=True)
class Layout:
    """Where the parts of the figure lie, in page px.

    Attributes:
        width: Of a picture.
        tops: Of each direction.
        charts: Top of the measures.
        height: Of the page.
    """

    width: float
    tops: Sequence[float]
    charts: float
    height: float

    @classmethod
    def create(cls, trace: Trace, rows: Mapping[str, Sequence[str]], charts: int) -> Layout:
        """A row for each direction, then the measures."""
        across = max(map(len, rows.values()))
        width = (WIDTH - 2 * MARGIN - (across - 1) * GAP) / across
        tops, y = [], HEADER
        for sites in rows.values():
            tops.append(y)
            size = fit(trace.site(sites[0]).size, width, TALLEST)
            y += 2 * size[1] + GAP + 110
        return cls(width, tops, y, y + (CHART + 130 if charts else 30))


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
    canvas: Canvas, trace: Trace, direction: str, sites: Sequence[str], top: float, width: float
) -> None:
    """The pictures of a direction over its similarities."""
    canvas.text(MARGIN, top, direction, BODY, bold=True)
    for number, name in enumerate(sites):
        part = trace.site(name)
        size = fit(part.size, width, TALLEST)
        box = Box(MARGIN + number * (width + GAP), top + 36, *size)
        canvas.text(box.x, box.y - 8, name.split(".")[-1], SMALL, FAINT)
        canvas.picture(painted(part), box)
        canvas.picture(similarity_map(part), Box(box.x, box.bottom + GAP, *size))
    below = box.bottom + GAP + size[1]
    scale(canvas, Box(MARGIN, below + 10, min(width, 220), 10), "similarity 0", "1")
    if not part.site_about["searched"]:
        canvas.text(box.x, below + 20, "largest weight, 0 to 1", SMALL, FAINT)


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
    canvas: Canvas,
    rows: Mapping[str, Sequence[str]],
    measures: Mapping[str, Mapping[str, float]],
    names: Sequence[str],
    layout: Layout,
) -> None:
    """A small chart for each measure: from site to site, a line for each direction."""
    if not names:
        return
    rows = {way: [site for site in sites if site in measures] for way, sites in rows.items()}
    width = (WIDTH - 2 * MARGIN - (len(names) - 1) * CHART_GAP) / len(names)
    steps = max(1, max(map(len, rows.values())) - 1)
    for number, name in enumerate(names):
        box = Box(MARGIN + number * (width + CHART_GAP), layout.charts + 56, width, CHART)
        known = {
            way: [(n, measures[site][name]) for n, site in enumerate(sites) if name in measures.get(site, {})]
            for way, sites in rows.items()
        }
        draw_chart(canvas, name.replace("_", " "), box, list(known.values()), steps)
    for number, (way, sites) in enumerate(rows.items()):
        x, y = MARGIN + number * 320, layout.charts + CHART + 96
        canvas.bar(Box(x, y - 12, 16, 12), SOURCE_COLOURS[number])
        first, last = (sites[n].split(".")[-1] for n in (0, -1))
        canvas.text(x + 24, y, f"{way}, from {first} to {last}", SMALL, FAINT)


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
