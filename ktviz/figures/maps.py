"""Maps of a translation: which source painted where, and how well its patches matched."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib import colormaps
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from ktviz.errors import TraceError
from ktviz.explain.result import one_site
from ktviz.explain.source_pictures import source_picture
from ktviz.figures.canvas import Canvas, page_width
from ktviz.figures.colours import FAINT, OTHER, QUANTITY, SOURCE_COLOURS, trace_colours
from ktviz.figures.layout import MARGIN, fit, percent
from ktviz.figures.lines import wrapped
from ktviz.figures.region_outlines import borders
from ktviz.images import Pixels
from ktviz.printing import counted
from ktviz.regions import Box, Mask, bounding_box
from ktviz.trace.named import credit_of, short_title_of
from ktviz.trace.overlap import label_places
from ktviz.trace.pictures import in_words
from ktviz.trace.trace import Trace

TITLE, BODY, SMALL = 24.0, 18.0, 15.0
"""Sizes of text in page px."""
CORNERS = ("#0072B2", "#F0E442", "#CC79A7", "#009E73")
"""Of a source: upper left and right, lower left and right."""
GAP = 32.0
TALLEST = 900.0
LINE = 26.0
TWO_COLUMNS, NARROWEST = 900.0, 480.0
"""Px of a page on which sources stand in two columns, and of the narrowest."""
Floats = npt.NDArray[np.float64]


def trace_figure(trace: Trace, width: float | None = None) -> Figure:
    """Canvas and output, who painted what, and how similar the winners are; nothing is rescaled to the image at hand.

    Queries that are regions are outlined on their canvas.

    Where one source painted everything, the place in it that painted each pixel is shown instead.

    Args:
        trace: Of one image; of several sites, the one that painted the output is shown.
        width: In inches.

    Returns:
        A figure, 1600 px wide if nobody says, that belongs to no pyplot state.

    Raises:
        SettingError: Text would be too small to read.
        TraceError: A trace without retrievals.
    """
    trace = one_site(trace)
    if not len(trace):
        raise TraceError("a figure of a trace", "a trace without retrievals", "Record some")
    shares = trace.sources()
    colours = trace_colours(trace)
    painted = shares[shares["share"] != 0]
    shown = panels(trace, colours, painted["source"].tolist())
    page = page_width(width, NARROWEST)
    size = fit(trace.size, (page - 2 * MARGIN - GAP) / 2, TALLEST)
    columns = 1 if page < TWO_COLUMNS else 2
    rows = -(-min(len(painted), len(SOURCE_COLOURS) + 1) // columns)
    top, step = 130.0, size[1] + 76
    end = top + -(-len(shown) // 2) * step
    canvas = Canvas.create(page, end + rows * LINE + 40, width)
    heading(canvas, trace)
    for number, (label, pixels) in enumerate(shown.items()):
        box = Box(MARGIN + number % 2 * (size[0] + GAP), top + number // 2 * step, *size)
        canvas.text(box.x, box.y - 9, canvas.shortened(label, BODY, size[0], bold=True), BODY, bold=True)
        if pixels is None:
            canvas.text(box.x, box.y + 30, "not kept with the trace", SMALL, FAINT)
        else:
            width, height = fit((pixels.shape[0], pixels.shape[1]), *size)
            canvas.picture(pixels, Box(box.x, box.y, width, height))
        if number == 0 and trace.regions is not None:
            canvas.outline(borders(label_places(*trace.regions)), trace.size, box, "white", 1.0)
    low, high = (f"{end:.3g}" for end in span_of(scores(trace)))
    scale(canvas, Box(box.x, box.bottom + 10, size[0], 10), low, high)
    legend(canvas, painted.to_dict("records"), colours, end - 10, columns)
    return canvas.figure


def panels(trace: Trace, colours: dict[str, str], painters: list[str]) -> dict[str, Pixels | None]:
    """What the figure shows, by what stands above it; the map with a scale comes last."""
    found = dict(zip(titles_of(trace), (trace.input, trace.output), strict=True))
    if len(painters) == 1:
        name = short_title_of(next(one for one in trace.about["sources"] if one["source"] == painters[0]))
        found |= {f"Which place of {name}": place_map(trace), f"{name}, place by place": place_key(trace, painters[0])}
    else:
        found |= {"Who painted what": source_map(trace, colours)}
    score = "Similarity of the winners" if trace.site_about["kind"] == "hard" else "Weight of the winners"
    return found | {score: similarity_map(trace)}


def heading(canvas: Canvas, trace: Trace) -> None:
    """What the figure is of."""
    banks = ", ".join(dict.fromkeys(source["bank"] for source in trace.about["sources"]))
    canvas.text(MARGIN, 50, canvas.shortened(banks, TITLE, canvas.width - 2 * MARGIN, bold=True), TITLE, bold=True)
    facts = [counted(len(trace), "retrieval"), "shares: overlap", f"digest {trace.digest[:12]}"]
    facts[1:1] = [text for text in (trace.site_about["direction"], trace.caveat) if text]
    if trace.mask is not None:
        facts.insert(0, region_text(trace.mask))
    preset = trace.picture.about["settings"].get("preset")
    text = " · ".join(facts[:1] + [f"preset {preset}"] * bool(preset) + facts[1:])
    canvas.text(MARGIN, 78, canvas.shortened(text, SMALL, canvas.width - 2 * MARGIN), SMALL, FAINT)


def titles_of(trace: Trace) -> tuple[str, str]:
    """What the pictures are called in which the queries lie, and which the retrievals paint."""
    about = trace.site_about
    return in_words(about["canvas"]), in_words(about["output"])


def region_text(mask: Mask) -> str:
    """Which region it is, in words."""
    box = bounding_box(mask)
    return f"region {box.width:g}x{box.height:g} px at ({box.x:g}, {box.y:g}), {int(mask.sum()):,} px"


def legend(
    canvas: Canvas, rows: Sequence[Mapping[Hashable, Any]], colours: dict[str, str], top: float, columns: int
) -> None:
    """Sources with their colours, shares, creators and licences, in columns; those without a colour as one."""
    named = [row for row in rows if colours[row["source"]] != OTHER]
    rest = sum(float(row["share"]) for row in rows if colours[row["source"]] == OTHER)
    lines = [(colours[row["source"]], float(row["share"]), f"{short_title_of(row)}  {credit_of(row)}") for row in named]
    lines += [(OTHER, rest, counted(len(rows) - len(named), "other source"))] * (len(named) < len(rows))
    half = -(-len(lines) // columns)
    column = (canvas.width - 2 * MARGIN - GAP * (columns - 1)) / columns
    for number, (colour, share, text) in enumerate(lines):
        x, y = MARGIN + number // half * (column + GAP), top + number % half * LINE
        canvas.bar(Box(x, y - 14, 16, 16), colour)
        canvas.text(x + 90, y, percent(share), BODY, align="right", bold=True)
        canvas.text(x + 104, y, canvas.shortened(text, SMALL, column - 104), SMALL)


def scale(canvas: Canvas, box: Box, low: str, high: str) -> None:
    """A colour scale with its ends, which are named below each other where there is no room beside."""
    canvas.picture(painted_values(np.linspace(0, 1, 256)[None]), box)
    canvas.text(box.x, box.bottom + 20, low, SMALL, FAINT)
    lines = wrapped(canvas, [high], room=box.width)
    first = canvas.text_width(f"{low}  {high}", SMALL) > box.width
    for number, line in enumerate(lines, int(first)):
        canvas.text(box.right, box.bottom + 20 + 18 * number, line, SMALL, FAINT, align="right")


def source_map(trace: Trace, colours: dict[str, str]) -> Pixels:
    """Every pixel in the colour of the source that won nearest to it."""
    winner = nearest(trace)
    table = np.array([to_rgb(colours[name]) for name in trace.column("source")])
    flat = np.where(winner[..., None] >= 0, table[winner], 1.0)
    return np.asarray((flat * 255).round(), dtype=np.uint8)


def place_map(trace: Trace) -> Pixels:
    """Every pixel in the colour of the place, in the one source, that won nearest to it; white where there is none."""
    about = next(source for source in trace.about["sources"] if source["source"] == trace.column("source")[0])
    box, winner = trace.column("source_box").astype(np.float64), nearest(trace)
    span = (np.nanmax(box[:, 0] + box[:, 2]), np.nanmax(box[:, 1] + box[:, 3]))
    width, height = (about.get(name) or most for name, most in zip(("width", "height"), span, strict=True))
    across, down = (
        np.nan_to_num((box[:, n] + box[:, n + 2] / 2) / side, nan=0.5) for n, side in enumerate((width, height))
    )
    flat = np.where(winner[..., None] >= 0, place_colours(across, down)[winner], 255)
    return np.asarray(flat, dtype=np.uint8)


def place_key(trace: Trace, source: str) -> Pixels:
    """The colours of the places of a source, over its picture where there is one."""
    picture = source_picture(trace, source)
    if picture is not None:
        return in_place_colours(picture)
    about = next(one for one in trace.about["sources"] if one["source"] == source)
    return all_places(about.get("height") or 64, about.get("width") or 64)


def all_places(height: int, width: int) -> Pixels:
    """The colours of all places of a picture: (H, W, 3)."""
    down, across = np.mgrid[0:height, 0:width] / np.array([height, width])[:, None, None]
    return place_colours(across, down)


def in_place_colours(picture: Pixels) -> Pixels:
    """A picture whose lightness is its own, and whose colours are those of its places."""
    light = picture.astype(np.float64).mean(2, keepdims=True) / 255
    return np.asarray((all_places(*picture.shape[:2]) * (0.35 + 0.65 * light)).round(), dtype=np.uint8)


def place_colours(across: Floats, down: Floats) -> Pixels:
    """Colours of places (...) from 0 to 1: four corners, mixed in between: (..., 3)."""
    corners = np.array([to_rgb(colour) for colour in CORNERS])
    x, y = across[..., None], down[..., None]
    mixed = (1 - y) * ((1 - x) * corners[0] + x * corners[1]) + y * ((1 - x) * corners[2] + x * corners[3])
    return np.asarray((mixed * 255).round(), dtype=np.uint8)


def similarity_map(trace: Trace) -> Pixels:
    """Score of the winner nearest to every pixel, on the scale of `span_of`; white where there is none."""
    winner, values = nearest(trace), scores(trace)
    low, high = span_of(values)
    painted = painted_values((np.where(winner >= 0, values[winner], low) - low) / (high - low))
    return np.where(winner[..., None] >= 0, painted, np.uint8(255))


def scores(trace: Trace) -> Floats:
    """(retrievals,) similarity of the winners; where several candidates are mixed their weight."""
    name = "similarity" if trace.site_about["kind"] == "hard" else "weight"
    return trace.column(name).astype(np.float64)


def span_of(values: Floats) -> tuple[float, float]:
    """Ends of a scale: 0 and 1; where nothing is above 0 (minus a distance), the least value and 0."""
    least = float(values.min(initial=0.0))
    return (least, 0.0) if len(values) and least < 0 and values.max() <= 0 else (0.0, 1.0)


def painted_values(values: npt.NDArray[np.floating]) -> Pixels:
    """Values from 0 to 1 as colours."""
    return np.asarray((colormaps[QUANTITY](np.clip(values, 0, 1))[..., :3] * 255).round(), dtype=np.uint8)


def nearest(trace: Trace) -> npt.NDArray[np.int64]:
    """Place of the retrieval nearest to every pixel of the canvas, or about its region, -1 for none: (H, W)."""
    if trace.regions is not None:
        return label_places(*trace.regions)
    winner = np.full(trace.size, -1)
    box = trace.column("box")
    if len(box) == winner.size:  # a retrieval for each pixel, in their order
        return np.arange(len(box)).reshape(winner.shape)
    for part in (1.0, 0.5):  # first all of every box, then its middle, which no neighbour has a better claim to
        left, top = (box[:, n] + box[:, n + 2] * (1 - part) / 2 for n in (0, 1))
        edges = np.stack((top, top + box[:, 3] * part, left, left + box[:, 2] * part), 1).round().astype(int)
        for number, (y0, y1, x0, x1) in enumerate(edges.tolist()):
            winner[y0:y1, x0:x1] = number
    return winner
