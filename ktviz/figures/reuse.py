"""How mixed every place is, and which cells of the source are used again and again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from matplotlib.figure import Figure

from ktviz.errors import TraceError
from ktviz.explain.case import case_if_any
from ktviz.explain.result import one_site
from ktviz.explain.source_pictures import source_picture
from ktviz.figures.canvas import Canvas
from ktviz.figures.colours import FAINT
from ktviz.figures.layout import MARGIN, columns_in, fit, in_rows
from ktviz.figures.lines import heading, title_above
from ktviz.figures.maps import BODY, SMALL, nearest, painted_values, scale, titles_of
from ktviz.images import Pixels
from ktviz.regions import Box
from ktviz.trace.pictures import OUTPUT, in_words
from ktviz.trace.recorded import Traced
from ktviz.trace.reuse import Floats, Grid, grid_of, recorded_fed
from ktviz.trace.trace import Trace

UNUSED = 0.01
"""Cells that feed less, in cells of the output, are at the dark end of the scale."""
GAP, TOP, TALLEST = 24.0, 132.0, 560.0
BELOW, BELOW_MAPS, BELOW_BOTH = 76.0, 84.0, 112.0
"""Below pictures, below maps, and where both are in two columns."""
MOST, SIDE, LEAST_SIDE = 10, 96.0, 106.0
"""Cells in the list of the most used, side of what is around each, and least room for that and its text."""
STACKED, NARROWEST = 900.0, 540.0
"""Px of a page on which all stands in two columns, and of the narrowest."""
Part = tuple[tuple[int, int], Callable[[Box], None]]
"""Height and width in px, and what draws it in a box of the page."""
CROP_PX = 24
"""Of the source, around a cell in the list."""


def reuse_figure(trace: Traced, *, model: object | None = None, width: float | None = None) -> Figure:
    """What is mixed of what: pictures of the run, entropy of every place, reuse of every cell, the most used ones.

    Entropy is on a scale from 0 (one cell gives all) to the logarithm of the number of cells (all give alike); reuse on
    a logarithmic one from a hundredth of a cell of the output to the most that a cell feeds.

    Args:
        trace: Of one image, of a system that mixes the cells of one source; or a result that was recorded.
        model: The system; not needed while the one that recorded lives. Without it reuse is as far as was recorded.
        width: In inches; pictures stand below each other where there is no room beside.

    Returns:
        A figure, 1600 px wide if nobody says, that belongs to no pyplot state.

    Raises:
        SettingError: Text would be too small to read.
        TraceError: The retrievals do not mix the cells of one source.

    Example:
        >>> import numpy as np, ktviz as kt
        >>> from ktviz.labels import Classes
        >>> from ktviz.systems.cocosnet.configuration import small
        >>> from ktviz.systems.cocosnet.networks import Networks
        >>> exemplar, labels = np.full((48, 64, 3), 90, np.uint8), np.eye(48, 64, dtype=int)
        >>> system = kt.CoCosNet(exemplar, labels, Networks(small(Classes.numbered(2))))
        >>> figure = reuse_figure(system.traced(labels))
        >>> round(figure.get_figwidth() * figure.dpi)
        1600
    """
    trace = one_site(trace)
    grid = grid_of(trace) if trace.has("entropy") and len(trace) else None
    if grid is None:
        asked, todo = "a figure of reuse", "Give a trace of a system that mixes cells"
        raise TraceError(asked, "retrievals that do not mix the cells of one source", todo)
    case = case_if_any(trace, model=model)
    whole = case is not None and "reuse" in case.system.abilities
    fed = case.system.fed(case.trace) if case is not None and whole else recorded_fed(trace, grid)
    source = source_picture(trace, grid.source, model)
    canvas = Canvas.page(width, NARROWEST)
    top = TOP + heading(canvas, "What is mixed, and what is used again", facts(trace, grid))
    size, other = trace.size, source_size(trace, grid)
    run: list[Part] = [(size, partial(place, canvas, title, pixels)) for title, pixels in pictures_of(trace).items()]
    maps: list[Part] = [
        (size, partial(draw_entropy, canvas, trace, grid)),
        (other, partial(place, canvas, in_short(grid.source), source)),
        (other, partial(draw_reuse, canvas, fed, whole)),
    ]
    if canvas.width < STACKED:
        top = draw_parts(canvas, run + maps, 2, BELOW_BOTH, top)
    else:
        top = draw_parts(canvas, maps, 3, BELOW_MAPS, draw_parts(canvas, run, len(run), BELOW, top))
    return canvas.end(draw_most(canvas, fed, grid, source, top))


def draw_parts(canvas: Canvas, parts: Sequence[Part], columns: int, below: float, top: float) -> float:
    """Pictures and maps in rows; where what follows begins."""
    width = (canvas.room - (columns - 1) * GAP) / columns
    sizes = [fit(size, width, TALLEST) for size, _ in parts]
    tall = max(height for _, height in sizes)
    places = in_rows(len(parts), columns, (width, tall), (width + GAP, tall + below), top)
    for (_, draw), where, size in zip(parts, places, sizes, strict=True):
        draw(Box(where.x, where.y, *size))
    return places[-1].bottom + below


def pictures_of(trace: Trace) -> dict[str, Pixels | None]:
    """The canvas, what else lies over the output, and the output, by what stands above them."""
    canvas, output = titles_of(trace)
    others = {n: p for n, p in trace.picture.canvases.items() if n.startswith(f"{OUTPUT}:")}
    beside = {in_words(name): p for name, p in others.items() if p.shape[:2] == trace.size}
    return {canvas: trace.input, **beside, output: trace.output}


def source_size(trace: Trace, grid: Grid) -> tuple[int, int]:
    """Height and width of the source, in px."""
    about = next(source for source in trace.about["sources"] if source["source"] == grid.source)
    return about["height"], about["width"]


def in_short(source: str) -> str:
    """The last part of a name."""
    return source.rsplit("/", 1)[-1]


def facts(trace: Trace, grid: Grid) -> list[str]:
    """What a reader must know to compare this figure with another."""
    left = float(trace.column("left_over").mean())
    return [
        f"{len(trace):,} places mix {grid.rows * grid.columns:,} cells of {in_short(grid.source)}",
        f"{left:.0%} of the parts belong to cells that were not recorded",
        f"digest {trace.digest[:12]}",
    ]


def place(canvas: Canvas, title: str, pixels: Pixels | None, box: Box) -> None:
    """A picture under its title."""
    title_above(canvas, title, box)
    if pixels is None:
        canvas.text(box.x, box.y + 30, "not kept with the trace", SMALL, FAINT)
    else:
        canvas.picture(pixels, box)


def draw_entropy(canvas: Canvas, trace: Trace, grid: Grid, box: Box) -> None:
    """How mixed every place is."""
    most = float(np.log(grid.rows * grid.columns))
    entropy = trace.column("entropy").astype(np.float64)
    place(canvas, "Entropy of every place", painted_values(entropy[nearest(trace)] / most), box)
    low, high = "0: one cell gives all", f"{most:.2f} nats: all give alike"
    scale(canvas, Box(box.x, box.bottom + 10, box.width, 10), low, high)


def draw_reuse(canvas: Canvas, fed: Floats, whole: bool, box: Box) -> None:
    """How much every cell feeds."""
    title_above(canvas, "What each cell feeds" + ("" if whole else ", as far as recorded"), box)
    canvas.picture(painted_values(shades(fed)), box, magnified=True)
    scale(
        canvas,
        Box(box.x, box.bottom + 10, box.width, 10),
        f"{UNUSED} or less",
        f"{cells(fed.max())} of the output, log scale",
    )


def shades(fed: Floats) -> Floats:
    """What cells feed as parts of the scale, from 0 to 1."""
    span = np.log(max(float(fed.max()), 1.0) / UNUSED)
    shaded: Floats = np.log(np.maximum(fed, UNUSED) / UNUSED) / span
    return shaded


def draw_most(canvas: Canvas, fed: Floats, grid: Grid, source: Pixels | None, top: float) -> float:
    """The cells that feed most, with what is around them, in rows; where the page ends."""
    canvas.text(MARGIN, top, "Used most", BODY, bold=True)
    columns = columns_in(canvas.room, LEAST_SIDE, 0.0, MOST)
    shown = np.argsort(-fed.ravel(), kind="stable")[: MOST - MOST % columns].tolist()  # no row half empty
    boxes = in_rows(len(shown), columns, (SIDE, SIDE), (canvas.room / columns, SIDE + 60), top + 14)
    for entry, box in zip(shown, boxes, strict=True):
        x, y = entry % grid.columns * grid.across, entry // grid.columns * grid.down
        if source is not None:
            draw_around(canvas, source, Box(x, y, grid.across, grid.down), box)
        canvas.text(box.x, box.bottom + 20, cells(fed.flat[entry]), SMALL, bold=True)
        canvas.text(box.x, box.bottom + 38, f"x {x:g}, y {y:g}", SMALL, FAINT)
    return box.bottom + 76


def draw_around(canvas: Canvas, picture: Pixels, cell: Box, where: Box) -> None:
    """What is around a cell of a picture, and the cell framed in it."""
    height, width = picture.shape[:2]
    down, across = min(CROP_PX, height), min(CROP_PX, width)
    top = int(np.clip(cell.y + cell.height / 2 - down / 2, 0, height - down))
    left = int(np.clip(cell.x + cell.width / 2 - across / 2, 0, width - across))
    canvas.picture(picture[top : top + down, left : left + across], where, magnified=True)
    k, m = where.width / across, where.height / down
    frame = Box(where.x + (cell.x - left) * k, where.y + (cell.y - top) * m, cell.width * k, cell.height * m)
    canvas.frame(frame, "white", 1.5, over_picture=True)


def cells(fed: float) -> str:
    """So many cells, in words."""
    return f"{fed:.{2 if fed < 10 else 1}f} cells"
