"""How mixed every place is, and which cells of the source are used again and again."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from ktviz.errors import TraceError
from ktviz.explain.case import case_if_any, source_picture
from ktviz.explain.result import one_site
from ktviz.figures.canvas import Canvas
from ktviz.figures.colours import FAINT
from ktviz.figures.layout import MARGIN, WIDTH, fit
from ktviz.figures.maps import BODY, SMALL, TITLE, nearest, painted_values, scale, titles_of
from ktviz.images import Pixels
from ktviz.regions import Box
from ktviz.trace.pictures import OUTPUT, in_words
from ktviz.trace.recorded import Traced
from ktviz.trace.reuse import Floats, Grid, grid_of, recorded_fed
from ktviz.trace.trace import Trace

UNUSED = 0.01
"""Cells that feed less, in cells of the output, are at the dark end of the scale."""
GAP, TOP, TALLEST = 24.0, 132.0, 560.0
MOST = 10
"""Cells in the list of the most used."""
CROP_PX = 24
"""Of the source, around a cell in the list."""


def reuse_figure(trace: Traced, *, model: object | None = None) -> Figure:
    """What is mixed of what: pictures of the run, entropy of every place, reuse of every cell, the most used ones.

    Entropy is on a scale from 0 (one cell gives all) to the logarithm of the number of cells (all give alike); reuse on
    a logarithmic one from a hundredth of a cell of the output to the most that a cell feeds.

    Args:
        trace: Of one image, of a system that mixes the cells of one source; or a result that was recorded.
        model: The system; not needed while the one that recorded lives. Without it reuse is as far as was recorded.

    Returns:
        A figure 1600 px wide that belongs to no pyplot state.

    Raises:
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
    shown = pictures_of(trace)
    width = (WIDTH - 2 * MARGIN - (len(shown) - 1) * GAP) / len(shown)
    size = fit(trace.size, width, TALLEST)
    maps = TOP + size[1] + 76
    half = (WIDTH - 2 * MARGIN - 2 * GAP) / 3
    sides = [fit(trace.size, half, TALLEST), fit(source_size(trace, grid), half, TALLEST)]
    below = maps + max(side[1] for side in sides) + 84
    canvas = Canvas.create(WIDTH, below + 186)
    heading(canvas, trace, grid)
    for number, (title, pixels) in enumerate(shown.items()):
        place(canvas, title, pixels, Box(MARGIN + number * (width + GAP), TOP, *size))
    draw_entropy(canvas, trace, grid, Box(MARGIN, maps, *sides[0]))
    source = source_picture(trace, grid.source, model)
    place(canvas, in_short(grid.source), source, Box(MARGIN + half + GAP, maps, *sides[1]))
    draw_reuse(canvas, fed, whole, Box(MARGIN + 2 * (half + GAP), maps, *sides[1]))
    draw_most(canvas, fed, grid, source, below)
    return canvas.figure


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


def heading(canvas: Canvas, trace: Trace, grid: Grid) -> None:
    """What the figure is of."""
    canvas.text(MARGIN, 50, "What is mixed, and what is used again", TITLE, bold=True)
    left = float(trace.column("left_over").mean())
    facts = [
        f"{len(trace):,} places mix {grid.rows * grid.columns:,} cells of {in_short(grid.source)}",
        f"{left:.0%} of the parts belong to cells that were not recorded",
        f"digest {trace.digest[:12]}",
    ]
    canvas.text(MARGIN, 78, " · ".join(facts), SMALL, FAINT)


def place(canvas: Canvas, title: str, pixels: Pixels | None, box: Box) -> None:
    """A picture under its title."""
    canvas.text(box.x, box.y - 9, canvas.shortened(title, BODY, box.width, bold=True), BODY, bold=True)
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
    canvas.text(box.x, box.y - 9, "What each cell feeds" + ("" if whole else ", as far as recorded"), BODY, bold=True)
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


def draw_most(canvas: Canvas, fed: Floats, grid: Grid, source: Pixels | None, top: float) -> None:
    """The cells that feed most, with what is around them, in a row."""
    canvas.text(MARGIN, top, "Used most", BODY, bold=True)
    step = (WIDTH - 2 * MARGIN) / MOST
    for number, entry in enumerate(np.argsort(-fed.ravel(), kind="stable")[:MOST].tolist()):
        x, y = entry % grid.columns * grid.across, entry // grid.columns * grid.down
        box = Box(MARGIN + number * step, top + 14, 96, 96)
        if source is not None:
            draw_around(canvas, source, Box(x, y, grid.across, grid.down), box)
        canvas.text(box.x, box.bottom + 20, cells(fed.flat[entry]), SMALL, bold=True)
        canvas.text(box.x, box.bottom + 38, f"x {x:g}, y {y:g}", SMALL, FAINT)


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
