"""The code of a run among those that are stored: a map, the nearest of them, and pictures of codes on either side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from ktviz.errors import TraceError
from ktviz.explain.case import Case, case_of
from ktviz.explain.projection import Places, Projection, apart, spread
from ktviz.explain.result import one_site
from ktviz.figures.canvas import Canvas, Point
from ktviz.figures.colours import INK, OTHER, trace_colours
from ktviz.figures.credit_line import credit_line
from ktviz.figures.layout import MARGIN, WIDTH, fit, percent
from ktviz.figures.lines import heading, wrapped, write
from ktviz.figures.maps import BODY, SMALL, titles_of
from ktviz.regions import Box
from ktviz.systems.code_space import CodeSpace
from ktviz.trace.named import short_title_of
from ktviz.trace.recorded import Traced
from ktviz.trace.trace import Trace

SIDE, TOP, GAP = 660.0, 132.0, 44.0
"""Side of the map on a page of the usual width, its top, and what is right of it."""
BELOW_WAY, LINE, LOW, TALLEST = 70.0, 21.0, 380.0, 360.0
TILE, THUMB, THUMB_PX = 54.0, 124.0, 128
"""Sides of entries on the map, and in the row of the nearest."""
LEAST, THUMB_ROW = 136.0, 240.0
"""Px of each of the nearest where all stand in a row, and height of a row."""
INSET = 48.0
"""From the border of the map to the outermost place."""
NEAREST = 6
STEPS = (-2, -1, 0, 1, 2)
"""Standard deviations of the stored codes along an axis."""
USED = "#0072B2"
TINY = 12.0
"""Size of credits in page px, on the screen."""
STACKED, NARROWEST = 900.0, 540.0
"""Px of a page on which all stands below the map, and of the narrowest."""


def code_space_figure(trace: Traced, *, model: object | None = None, width: float | None = None) -> Figure:
    """Stored codes on a map of their two principal components, the nearest to the used one, pictures along both axes.

    Args:
        trace: Of one image, of a system that makes pictures of any code; or a result that was recorded.
        model: The system; not needed while the one that recorded lives.
        width: In inches; all else stands below the map where there is no room beside.

    Returns:
        A figure, 1600 px wide if nobody says, that belongs to no pyplot state.

    Raises:
        SettingError: Text would be too small to read.
        AbilityError: The system makes no pictures of codes.
        TraceError: Nothing is stored, or the model is gone.

    Example:
        >>> import tempfile, pathlib, ktviz as kt
        >>> from ktviz.systems.munit.shape import Shape
        >>> from ktviz.systems.munit.trained import Networks
        >>> networks, folder = Networks(Shape(width=4, blocks=1, hidden=8)), pathlib.Path(tempfile.mkdtemp())
        >>> for n in range(3):
        ...     kt.write_image(folder / f"photos/{n}.png", np.full((16, 24, 3), 80 * n, np.uint8))
        >>> library, coder = kt.Library.create(folder / "my.ktlib"), kt.Munit(networks=networks).coder
        >>> banks = library.build("pots/all", folder / "photos", kind="codes", coder=coder, quiet=True)
        >>> system = kt.Munit(banks, networks)
        >>> figure = code_space_figure(system.traced(np.zeros((16, 24, 3), np.uint8), seed=1))
        >>> round(figure.get_figwidth() * figure.dpi)
        1600
    """
    trace = one_site(trace)
    case = case_of(trace, "space", model=model, asked="a figure of codes")
    space = case.system.space(case.trace)
    if not len(space.codes):
        raise TraceError("a map of codes", "nothing is stored: the system has no bank", "Give it one")
    projection = Projection.of(space.codes)
    canvas = Canvas.page(width, NARROWEST)
    title = f"The {space.kind} that was used, among those that are stored"
    top = TOP + heading(canvas, title, facts(trace, space))
    stacked = canvas.width < STACKED
    side = canvas.room if stacked else SIDE * canvas.room / (WIDTH - 2 * MARGIN)
    where = Box(MARGIN, top, side, min(side, LOW) if stacked else side)
    below = draw_map(canvas, trace, space, projection, where, "below" if stacked else "on the right")
    room = canvas.room if stacked else canvas.room - side - GAP
    start = (MARGIN, below + 48) if stacked else (where.right + GAP, top)
    below = max(below, draw_nearest(canvas, space, draw_pictures(canvas, case, start, room), room))
    return canvas.end(draw_ways(canvas, space, projection, trace.size, below + 65, stacked))


def facts(trace: Trace, space: CodeSpace) -> list[str]:
    """What a reader must know to compare this figure with another."""
    count, numbers = space.codes.shape
    return [
        f"codes of {numbers} numbers, {count:,} stored",
        f"the used one: {space.origin}",
        *([trace.caveat] if trace.caveat else []),
        f"digest {trace.digest[:12]}",
    ]


def explained(projection: Projection) -> str:
    """How much of what stored codes differ in is on the map, in words."""
    right, up = projection.explained
    if right + up == 0:
        return "All stored codes are equal: the map shows nothing of them"
    return f"The map shows {percent(right + up)} of the variance: {percent(right)} to the right, {percent(up)} up"


def draw_map(canvas: Canvas, trace: Trace, space: CodeSpace, projection: Projection, where: Box, others: str) -> float:
    """Pictures of entries where there is room for them, all others as dots, and the used code; where its text ends."""
    places, used = projection.places(space.codes), projection.places(space.used)
    points = on_page(np.vstack([places, used]), where)
    canvas.text(where.x, where.y - 9, "Map of the stored codes", BODY, bold=True)
    canvas.frame(where, "#D4D4D2", 1)
    nearest = first_named(space)
    colours = trace_colours(trace)
    sources = [str(about["source"]) for about in space.sources(range(len(places)))]
    shown = uncrowded(points[:-1], [*nearest, *spread(places, nearest[0], len(places))])
    thumbs = space.thumbs(shown, THUMB_PX)
    for entry in nearest:
        canvas.line([tuple(points[-1]), tuple(points[entry])], USED, 1.0)
    for entry, (x, y) in enumerate(points[:-1].tolist()):
        if entry not in shown:
            canvas.bar(Box(x - 5, y - 5, 10, 10), colours.get(sources[entry], OTHER))
    for entry, pixels in zip(shown, thumbs, strict=True):
        x, y = (points[entry] - TILE / 2).tolist()
        box = Box(x, y, TILE, TILE)
        canvas.picture(pixels, box)
        canvas.frame(box, colours.get(sources[entry], OTHER), 4 if entry in space.parts else 2)
    x, y = points[-1].tolist()
    canvas.frame(Box(x - 7, y - 7, 14, 14), USED, 4, over_picture=True)
    lines = wrapped(canvas, [f"{explained(projection)}."], room=where.width)
    write(canvas, lines, (where.x, where.bottom + 24), LINE)
    y = where.bottom + 24 + LINE * len(lines)
    canvas.frame(Box(where.x + 3, y - 11, 11, 11), USED, 3)
    said = f"the used code; lines lead to those {others}, wherever the rest of their codes lies"
    lines = wrapped(canvas, [said], room=where.width - 24)
    write(canvas, lines, (where.x + 24, y), LINE)
    return y + LINE * (len(lines) - 1)


def first_named(space: CodeSpace) -> list[int]:
    """Entries with a part in the used code, the largest first, then the nearest of the others."""
    nearest: list[int] = np.argsort(apart(space.codes, space.used), kind="stable").tolist()
    return sorted(nearest, key=lambda entry: -space.parts.get(entry, 0.0))[:NEAREST]


def on_page(places: Places, where: Box) -> Places:
    """Places (n, 2) where they lie in a box of the page, one scale for both directions."""
    low, high = places.min(0), places.max(0)
    room = np.array([where.width, where.height]) - 2 * INSET
    scale = float((room / np.maximum(high - low, 1e-12)).min()) if (high > low).any() else 1.0
    found: Places = (places - (low + high) / 2) * (scale, -scale) + where.centre
    return found


def uncrowded(points: Places, order: Sequence[int]) -> list[int]:
    """Of some points on the page, in an order, those whose squares lie over none before them."""
    found: list[int] = []
    for entry in dict.fromkeys(order):
        if all(np.abs(points[entry] - points[other]).max() >= TILE for other in found):
            found.append(entry)
    return found


def draw_pictures(canvas: Canvas, case: Case, start: Point, room: float) -> Point:
    """What went in, and what came out; where what is below begins."""
    half = (room - 24) / 2
    size = fit(case.trace.size, half, TALLEST)
    shown = zip(titles_of(case.trace), (case.trace.input, case.output), strict=True)
    for number, (title, pixels) in enumerate(shown):
        box = Box(start[0] + number * (half + 24), start[1], *size)
        canvas.text(box.x, box.y - 9, title, BODY, bold=True)
        if pixels is not None:
            canvas.picture(pixels, box)
    return start[0], start[1] + (size[1] if canvas.width < WIDTH else TALLEST) + 70


def draw_nearest(canvas: Canvas, space: CodeSpace, start: Point, room: float) -> float:
    """Entries with a part in the used code, and the nearest to it, with distance and credit; where their text ends."""
    away, nearest = apart(space.codes, space.used), first_named(space)
    said = "Made of these, and next to them" if space.parts else "Nearest to the used code: likeness, not the cause"
    lines = wrapped(canvas, [said], size=BODY, room=room, bold=True)
    write(canvas, lines, (start[0], start[1] - 12), LINE, BODY, INK, bold=True)
    columns = NEAREST if room >= NEAREST * LEAST else NEAREST // 2
    step, tiny, top = room / columns, canvas.legible(TINY), start[1] + LINE * (len(lines) - 1)
    thumbs, sources = space.thumbs(nearest, THUMB_PX), space.sources(nearest)
    for number, (entry, pixels, about) in enumerate(zip(nearest, thumbs, sources, strict=True)):
        row, column = divmod(number, columns)
        box = Box(start[0] + column * step, top + row * THUMB_ROW, THUMB, THUMB)
        canvas.picture(pixels, box)
        canvas.text(box.x, box.bottom + 18, f"{away[entry]:.2f} apart", SMALL, bold=True)
        part = [f"{percent(space.parts[entry])} of the used code"] if entry in space.parts else []
        title = canvas.shortened(short_title_of(about), tiny, step - 8)
        texts = [*wrapped(canvas, part, size=tiny, room=step - 8), title, credit_line(canvas, about, tiny, step - 8)]
        write(canvas, texts, (box.x, box.bottom + 36), tiny + 3, tiny)
    return box.bottom + 36 + 3 * (tiny + 3)


def draw_ways(
    canvas: Canvas, space: CodeSpace, projection: Projection, size: tuple[int, int], top: float, stacked: bool
) -> float:
    """Pictures on either side of the used code, along both axes of the map; where the page ends."""
    room = canvas.room if stacked else (canvas.room - 40) / 2
    across = room / len(STEPS)
    width, height = fit(size, across - 6, 200)
    for axis, way in enumerate(("From the used code, to the right", "and up")):
        left = MARGIN if stacked else MARGIN + axis * (room + 40)
        y = top + axis * (height + 110) if stacked else top
        step = float(projection.places(space.codes)[:, axis].std())
        canvas.text(left, y - 12, way, BODY, bold=True)
        for number, steps in enumerate(STEPS):
            by = np.zeros(2)
            by[axis] = steps * step
            box = Box(left + number * across, y, width, height)
            canvas.picture(space.picture(projection.moved(space.used, by)), box)
            said = "as it was used" if steps == 0 else f"{by[axis]:+.2f}"
            write(canvas, wrapped(canvas, [said], room=across - 8), (box.x, box.bottom + 20), 18)
    return y + height + BELOW_WAY
