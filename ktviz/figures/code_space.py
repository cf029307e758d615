"""The code of a run among those that are stored: a map, the nearest of them, and pictures of codes on either side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from ktviz.errors import TraceError
from ktviz.explain.case import Case, case_of
from ktviz.explain.projection import Places, Projection, apart, spread
from ktviz.explain.result import one_site
from ktviz.figures.canvas import Canvas
from ktviz.figures.colours import FAINT, OTHER, trace_colours
from ktviz.figures.layout import MARGIN, WIDTH, fit, percent
from ktviz.figures.maps import BODY, SMALL, TITLE, titles_of
from ktviz.regions import Box
from ktviz.systems.code_space import CodeSpace
from ktviz.trace.named import credit_of, short_title_of
from ktviz.trace.recorded import Traced
from ktviz.trace.trace import Trace

MAP = Box(MARGIN, 132, 660, 660)
RIGHT = Box(MARGIN + 704, 132, WIDTH - 2 * MARGIN - 704, 660)
TILE, THUMB, THUMB_PX = 54.0, 124.0, 128
"""Sides of entries on the map, and in the row of the nearest."""
INSET = 48.0
"""From the border of the map to the outermost place."""
NEAREST = 6
STEPS = (-2, -1, 0, 1, 2)
"""Standard deviations of the stored codes along an axis."""
USED = "#0072B2"


def code_space_figure(trace: Traced, *, model: object | None = None) -> Figure:
    """Stored codes on a map of their two principal components, the nearest to the used one, pictures along both axes.

    Args:
        trace: Of one image, of a system that makes pictures of any code; or a result that was recorded.
        model: The system; not needed while the one that recorded lives.

    Returns:
        A figure 1600 px wide that belongs to no pyplot state.

    Raises:
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
    pictures = below(trace.size)
    canvas = Canvas.create(WIDTH, MAP.bottom + 110 + pictures[1] + 70)
    heading(canvas, trace, space)
    draw_map(canvas, trace, space, projection)
    draw_pictures(canvas, case)
    draw_nearest(canvas, space)
    for number, way in enumerate(("right", "up")):
        draw_way(canvas, space, projection, number, way, pictures)
    return canvas.figure


def heading(canvas: Canvas, trace: Trace, space: CodeSpace) -> None:
    """What the figure is of."""
    count, numbers = space.codes.shape
    canvas.text(MARGIN, 50, f"The {space.kind} that was used, among those that are stored", TITLE, bold=True)
    facts = [
        f"codes of {numbers} numbers, {count:,} stored",
        f"the used one: {space.origin}",
        *([trace.caveat] if trace.caveat else []),
        f"digest {trace.digest[:12]}",
    ]
    canvas.text(MARGIN, 78, " · ".join(facts), SMALL, FAINT)


def explained(projection: Projection) -> str:
    """How much of what stored codes differ in is on the map, in words."""
    right, up = projection.explained
    if right + up == 0:
        return "All stored codes are equal: the map shows nothing of them"
    return f"The map shows {percent(right + up)} of the variance: {percent(right)} to the right, {percent(up)} up"


def draw_map(canvas: Canvas, trace: Trace, space: CodeSpace, projection: Projection) -> None:
    """Pictures of entries where there is room for them, all others as dots, and the used code."""
    places, used = projection.places(space.codes), projection.places(space.used)
    points = on_page(np.vstack([places, used]))
    canvas.text(MAP.x, MAP.y - 9, "Map of the stored codes", BODY, bold=True)
    canvas.frame(MAP, "#D4D4D2", 1)
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
    canvas.text(MAP.x, MAP.bottom + 24, f"{explained(projection)}.", SMALL, FAINT)
    canvas.frame(Box(MAP.x + 3, MAP.bottom + 34, 11, 11), USED, 3)
    said = "the used code; lines lead to those on the right, wherever the rest of their codes lies"
    canvas.text(MAP.x + 24, MAP.bottom + 45, said, SMALL, FAINT)


def first_named(space: CodeSpace) -> list[int]:
    """Entries with a part in the used code, the largest first, then the nearest of the others."""
    nearest: list[int] = np.argsort(apart(space.codes, space.used), kind="stable").tolist()
    return sorted(nearest, key=lambda entry: -space.parts.get(entry, 0.0))[:NEAREST]


def on_page(places: Places) -> Places:
    """Places (n, 2) where they lie on the page, one scale for both directions."""
    low, high = places.min(0), places.max(0)
    room = np.array([MAP.width, MAP.height]) - 2 * INSET
    scale = float((room / np.maximum(high - low, 1e-12)).min()) if (high > low).any() else 1.0
    found: Places = (places - (low + high) / 2) * (scale, -scale) + MAP.centre
    return found


def uncrowded(points: Places, order: Sequence[int]) -> list[int]:
    """Of some points on the page, in an order, those whose squares lie over none before them."""
    found: list[int] = []
    for entry in dict.fromkeys(order):
        if all(np.abs(points[entry] - points[other]).max() >= TILE for other in found):
            found.append(entry)
    return found


def draw_pictures(canvas: Canvas, case: Case) -> None:
    """What went in, and what came out."""
    half = (RIGHT.width - 24) / 2
    size = fit(case.trace.size, half, 360)
    shown = zip(titles_of(case.trace), (case.trace.input, case.output), strict=True)
    for number, (title, pixels) in enumerate(shown):
        box = Box(RIGHT.x + number * (half + 24), RIGHT.y, *size)
        canvas.text(box.x, box.y - 9, title, BODY, bold=True)
        if pixels is not None:
            canvas.picture(pixels, box)


def draw_nearest(canvas: Canvas, space: CodeSpace) -> None:
    """Entries with a part in the used code, and the nearest to it, with distance and credit."""
    away, nearest, top = apart(space.codes, space.used), first_named(space), RIGHT.y + 430
    said = "Made of these, and next to them" if space.parts else "Nearest to the used code: likeness, not the cause"
    canvas.text(RIGHT.x, top - 12, said, BODY, bold=True)
    step = RIGHT.width / NEAREST
    thumbs, sources = space.thumbs(nearest, THUMB_PX), space.sources(nearest)
    for number, (entry, pixels, about) in enumerate(zip(nearest, thumbs, sources, strict=True)):
        box = Box(RIGHT.x + number * step, top, THUMB, THUMB)
        canvas.picture(pixels, box)
        canvas.text(box.x, box.bottom + 18, f"{away[entry]:.2f} apart", SMALL, bold=True)
        part = [f"{percent(space.parts[entry])} of the used code"] if entry in space.parts else []
        for line, said in enumerate([*part, *credit(about)]):
            text = canvas.shortened(said, 12.0, step - 8)
            canvas.text(box.x, box.bottom + 36 + 15 * line, text, 12.0, FAINT)


def credit(about: Any) -> list[str]:
    """Title, creator and licence of a source."""
    return [short_title_of(about), credit_of(about)]


def below(size: tuple[int, int]) -> tuple[float, float]:
    """Width and height of the pictures along an axis."""
    room = (WIDTH - 2 * MARGIN - 40) / 2
    return fit(size, room / len(STEPS) - 6, 200)


def draw_way(
    canvas: Canvas, space: CodeSpace, projection: Projection, axis: int, way: str, size: tuple[float, float]
) -> None:
    """Pictures on either side of the used code, along an axis of the map."""
    room = (WIDTH - 2 * MARGIN - 40) / 2
    left, top = MARGIN + axis * (room + 40), MAP.bottom + 110
    step = float(projection.places(space.codes)[:, axis].std())
    canvas.text(left, top - 12, f"From the used code, to the {way}" if axis == 0 else "and up", BODY, bold=True)
    for number, steps in enumerate(STEPS):
        by = np.zeros(2)
        by[axis] = steps * step
        box = Box(left + number * room / len(STEPS), top, *size)
        canvas.picture(space.picture(projection.moved(space.used, by)), box)
        said = "as it was used" if steps == 0 else f"{by[axis]:+.2f}"
        canvas.text(box.x, box.bottom + 20, said, SMALL, FAINT)
