"""The share figure: the sources behind an image or a region as pictures, with shares, creators and licences."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from ktviz.explain.result import one_site
from ktviz.explain.source_pictures import source_picture
from ktviz.figures.canvas import Canvas
from ktviz.figures.colours import FAINT, INK, trace_colours
from ktviz.figures.credit_line import credit_line
from ktviz.figures.layout import MARGIN, fit, percent, placed
from ktviz.figures.lines import wrapped, write
from ktviz.figures.maps import BODY, SMALL, TITLE, region_text
from ktviz.images import Pixels
from ktviz.printing import counted
from ktviz.regions import Box, Region, bounding_box, region_mask
from ktviz.trace.named import short_title_of
from ktviz.trace.shares import lacking
from ktviz.trace.trace import Trace

ROW = 88.0
ROWS = 12
"""Sources that are shown; the rest are counted."""
THUMB = Box(0, 0, 112, 72)
"""Room for the picture of a source."""
NAMES = 330.0
"""Width of the text beside it."""
TOP = 136.0
TRACK = "#ECECEC"
STACKED, NARROWEST, NARROW_THUMB = 900.0, 480.0, 64.0
"""Px of a page on which the output stands above the bars, of the narrowest, and of a source's picture there."""
SHARE = "Share: overlap, the part of the pixels, each shared out among the retrievals over it."


def share_figure(trace: Trace, region: Region = None, width: float | None = None) -> Figure:
    """The sources that painted an image or a region of it, largest share first, on a scale from 0 to 1.

    Colours are those of the whole image. Pictures of the sources are shown while the system that recorded lives,
    or where the trace holds them.

    Args:
        trace: Of one image and one site.
        region: A `Box`, mask, polygon or pixel of the output; None for all of it, or of a part of a trace for its own.
        width: In inches; the output stands above the bars where both do not fit beside each other.

    Returns:
        A figure, 1600 px wide if nobody says, that belongs to no pyplot state.

    Raises:
        SettingError: Text would be too small to read.
        TraceError: A trace of several images or sites.
        RegionError: The region is empty or outside.
    """
    trace = one_site(trace)
    region = trace.mask if region is None else region
    frame, colours = region_shares(trace, region)
    rows, rest = frame.head(ROWS), frame.iloc[ROWS:]
    canvas = Canvas.page(width, NARROWEST)
    page = canvas.width
    stacked = page < STACKED
    space = (page - 2 * MARGIN, 360.0) if stacked else (0.3 * (page - 2 * MARGIN), 620.0)
    size = (0.0, 0.0) if trace.output is None else fit(trace.output.shape[:2], *space)
    texts = [*wrapped(canvas, facts(trace, region, len(frame)), " · "), *wrapped(canvas, [SHARE])]
    top = TOP - 44 + 22 * len(texts)
    first = top + (size[1] + 30 if stacked else 0)
    heading(canvas, region, texts)
    left = MARGIN
    if trace.output is not None:
        draw_output(canvas, trace, region, Box(MARGIN, top, *size))
        left += 0 if stacked else size[0] + 40
    thumbs = thumbnails(trace, rows["source"].tolist())
    thumb = THUMB.width if page >= STACKED else NARROW_THUMB
    names = min(NAMES, 0.4 * (page - MARGIN - left))
    bars = left + (thumb + 20 if thumbs else 0) + names + 14
    room = page - MARGIN - 84 - bars
    low, high = extent(frame["share"].tolist())
    unit, zero = room / (high - low), bars - low * room / (high - low)
    for number, row in enumerate(rows.to_dict("records")):
        box = Box(left, first + number * ROW, thumb, THUMB.height)
        colour = colours[row["source"]]
        if row["source"] in thumbs:
            draw_thumb(canvas, thumbs[row["source"]], box, colour)
        draw_names(canvas, row, bars - 14 - names, box.y, names)
        start, end = sorted((zero, zero + row["share"] * unit))
        canvas.bar(Box(zero, box.y + 20, unit, 28), TRACK)
        canvas.bar(Box(start, box.y + 20, end - start, 28), colour)
        canvas.text(page - MARGIN, box.y + 41, percent(row["share"]), BODY, bold=True, align="right")
    end = first + len(rows) * ROW
    for value, align in ((0, "left"), (1, "right")):
        canvas.text(zero + value * unit, end + 6, str(value), SMALL, FAINT, align=align)
    if len(rest):
        text = f"{counted(len(rest), 'more source')}, {percent(float(rest['share'].sum()))} together"
        canvas.text(bars, end + 34, text, SMALL, FAINT)
    return canvas.end(max(top + size[1], end + 20 + 26 * (len(rest) > 0)) + 50)


def region_shares(trace: Trace, region: Region) -> tuple[pd.DataFrame, dict[str, str]]:
    """The sources that painted a region, and the colours that all sources have in figures of the whole image."""
    shares = trace.sources(region)
    return shares[shares["share"] != 0].reset_index(drop=True), trace_colours(trace)


def extent(shares: Sequence[float]) -> tuple[float, float]:
    """Ends of the scale of some shares: 0 and 1, or further where some took away, and others gave more than all.

    Example:
        >>> extent([1.4, -0.4])
        (-0.4, 1.4)
    """
    return min((0.0, *shares)), max((1.0, *shares))


def heading(canvas: Canvas, region: Region, texts: Sequence[str]) -> None:
    """What the figure is of."""
    where = "the image" if region is None else "a region"
    canvas.text(MARGIN, 50, f"Which sources painted {where}", TITLE, bold=True)
    write(canvas, texts, (MARGIN, 80), 22)


def facts(trace: Trace, region: Region, sources: int) -> list[str]:
    """What a reader must know to compare this figure with another."""
    found = [f"{sources:,} of {counted(len(trace.about['sources']), 'source')}", "shares: overlap"]
    if region is not None:
        found.insert(0, region_text(region_mask(region, *trace.size)))
    found += [trace.caveat] if trace.caveat else []
    found += [f"{why} {percent(part)}" for why, part in lacking(trace, region).items() if part > 0.005]
    return [*found, f"digest {trace.digest[:12]}"]


def draw_output(canvas: Canvas, trace: Trace, region: Region, box: Box) -> None:
    """The output, where there is one, with a frame around the region."""
    if trace.output is not None:
        canvas.picture(trace.output, box)
    if region is not None:
        around = bounding_box(region_mask(region, *trace.size))
        canvas.frame(placed(around, trace.size, box), INK, 2.0, over_picture=True)


def draw_thumb(canvas: Canvas, picture: Pixels, room: Box, colour: str) -> None:
    """A source, as large as fits, flush right, in its colour's frame."""
    width, height = fit((picture.shape[0], picture.shape[1]), room.width, room.height)
    box = Box(room.right - width, room.y + (room.height - height) / 2, width, height)
    canvas.picture(picture, box)
    canvas.frame(box, colour, 3.0)


def draw_names(canvas: Canvas, row: Mapping[Hashable, Any], left: float, top: float, room: float) -> None:
    """Title, creator and licence, retrievals and bank."""
    canvas.text(left, top + 20, canvas.shortened(short_title_of(row), BODY, room, bold=True), BODY, bold=True)
    canvas.text(left, top + 42, credit_line(canvas, row, SMALL, room), SMALL)
    known = [counted(row["retrievals"], "retrieval"), *([str(row["bank"])] if row.get("bank") else [])]
    canvas.text(left, top + 63, canvas.shortened(" · ".join(known), SMALL, room), SMALL, FAINT)


def thumbnails(trace: Trace, names: list[str]) -> dict[str, Pixels]:
    """Pictures of sources, of those that have one."""
    found = {name: source_picture(trace, name) for name in names}
    return {name: picture for name, picture in found.items() if picture is not None}
