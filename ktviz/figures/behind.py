"""What is behind a region, for any system: canvas and output with the heaviest retrievals, and both parts of each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from ktviz.figures.canvas import Canvas
from ktviz.figures.colours import FAINT, INK, trace_colours
from ktviz.figures.layout import MARGIN, WIDTH, fit, percent, placed
from ktviz.figures.maps import BODY, GAP, SMALL, TITLE, region_text, titles_of
from ktviz.figures.region_outlines import outline
from ktviz.images import Pixels
from ktviz.regions import Box, Region, bounding_box, region_mask
from ktviz.trace.trace import Trace

TOP = 130.0
COLUMNS = 4
PATCH = 110.0
ROW = PATCH + 76
LINE = 2.2


def heaviest(trace: Trace, region: Region, picks: int) -> list[int]:
    """Places of some retrievals that paint much of a region, far from each other."""
    overlap, box = trace.overlap(region), trace.column("box").astype(np.float64)
    centre = box[:, :2] + box[:, 2:] / 2
    apart = np.full(len(trace), np.hypot(*trace.size) / 4)
    found: list[int] = []
    for _ in range(min(picks, int(np.count_nonzero(overlap)))):
        merit = np.where(overlap > 0, overlap / overlap.max() + apart / np.hypot(*trace.size), -1)
        merit[found] = -1
        found.append(int(merit.argmax()))
        apart = np.minimum(apart, np.hypot(*(centre - centre[found[-1]]).T))
    return sorted(found, key=lambda place: -overlap[place])


def behind_figure(
    trace: Trace, region: Region, shown: Sequence[int], patches: Sequence[tuple[Pixels, Pixels]] = ()
) -> Figure:
    """Retrievals behind a region, outlined where they lie: as boxes, or as regions of a label map.

    Args:
        trace: Of one image and one site.
        region: A `Box`, mask, polygon or pixel of the canvas; None for all of it.
        shown: Places of the retrievals, such as those of `heaviest`.
        patches: Both parts of each as pictures; none where there are no pictures of sources.

    Returns:
        A figure 1600 px wide that belongs to no pyplot state.

    Raises:
        RegionError: The region is empty or outside.
    """
    mask = region_mask(region, *trace.size)
    overlap = trace.overlap(mask)
    room = (WIDTH - 2 * MARGIN - GAP) / 2
    pictures = [(title, pixels) for title, pixels in zip(titles_of(trace), (trace.input, trace.output), strict=True)]
    sizes = [fit(trace.size if pixels is None else pixels.shape[:2], room, 620.0) for _, pixels in pictures]
    below = TOP + max(height for _, height in sizes) + 60
    canvas = Canvas.create(WIDTH, below + -(-len(shown) // COLUMNS) * ROW + 20)
    canvas.text(MARGIN, 50, "What is behind it", TITLE, bold=True)
    facts = (region_text(mask), f"{np.count_nonzero(overlap):,} retrievals", f"digest {trace.digest[:12]}")
    canvas.text(MARGIN, 80, " · ".join(facts), SMALL, FAINT)
    colours = trace_colours(trace)
    sources = trace.column("source")
    for number, ((title, pixels), size) in enumerate(zip(pictures, sizes, strict=True)):
        where = Box(MARGIN + number * (room + GAP), TOP, *size)
        canvas.text(where.x, where.y - 9, title, BODY, bold=True)
        if pixels is None:
            canvas.text(where.x, where.y + 30, "not kept with the trace", SMALL, FAINT)
            continue
        canvas.picture(pixels, where)
        for place in shown:
            mark(canvas, trace, place, where, colours[sources[place]])
        if not mask.all():
            canvas.frame(placed(bounding_box(mask), trace.size, where), INK, 1.6, over_picture=True)
    for number, place in enumerate(shown):
        column = (WIDTH - 2 * MARGIN) / COLUMNS
        corner = Box(MARGIN + number % COLUMNS * column, below + number // COLUMNS * ROW, column - GAP, PATCH)
        pair = patches[number] if number < len(patches) else (asked(trace, place),)
        draw_pair(canvas, corner, pair, colours[sources[place]])
        name = canvas.shortened(str(sources[place]).rsplit("/", 1)[-1], SMALL, corner.width, bold=True)
        canvas.text(corner.x, corner.bottom + 22, name, SMALL, bold=True)
        similarity = trace.column("similarity")[place]
        text = f"{percent(float(overlap[place]))} of the region · similarity {similarity:.3f}"
        canvas.text(corner.x, corner.bottom + 42, text, SMALL, FAINT)
    return canvas.figure


def mark(canvas: Canvas, trace: Trace, place: int, where: Box, colour: str) -> None:
    """Outline a query on a picture of its canvas, or on what it paints."""
    if trace.regions is None:
        part = Box(*trace.column("box")[place].tolist())
        canvas.frame(placed(part, trace.size, where), colour, LINE, over_picture=True)
    else:
        number, labels = trace.regions
        canvas.outline(outline(labels, int(number[place])), trace.size, where, colour, LINE)


def asked(trace: Trace, place: int) -> Pixels | None:
    """The part of the canvas that a retrieval asked about."""
    left, top, width, height = trace.column("box")[place].round().astype(int).tolist()
    return None if trace.input is None else trace.input[top : top + max(1, height), left : left + max(1, width)]


def draw_pair(canvas: Canvas, where: Box, pair: Sequence[Pixels | None], colour: str) -> None:
    """Parts of pictures side by side, framed in the colour of their source."""
    x = where.x
    for pixels in pair:
        if pixels is None or not pixels.size:
            continue
        size = fit(pixels.shape[:2], PATCH * 1.4, PATCH)
        box = Box(x, where.y + PATCH - size[1], *size)
        canvas.picture(pixels, box, magnified=True)
        canvas.frame(box, colour, LINE)
        x = box.right + 8
