"""Objects of a picture, the style that each took, and the stored objects behind it."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from ktviz.errors import TraceError
from ktviz.explain.case import case_of
from ktviz.explain.result import one_site
from ktviz.figures.canvas import Canvas
from ktviz.figures.colours import FAINT, QUANTITY_INK
from ktviz.figures.credit_line import credit_line
from ktviz.figures.layout import MARGIN, fit, in_rows
from ktviz.figures.lines import heading, write
from ktviz.figures.maps import BODY, SMALL, titles_of
from ktviz.figures.region_outlines import borders, outline
from ktviz.images import Pixels
from ktviz.library.kinds.codes.cutting import cut_out, tile
from ktviz.printing import counted
from ktviz.regions import Box
from ktviz.systems.styles import Look, Style, Styles
from ktviz.trace.named import short_title_of
from ktviz.trace.overlap import label_places
from ktviz.trace.recorded import Traced
from ktviz.trace.trace import Trace

GAP, TOP, TALLEST = 32.0, 132.0, 420.0
SIDE, ROW = 112.0, 200.0
"""Of an object's picture, and of its row."""
TEXT, MEMBERS = 156.0, 480.0
"""Where the words of a row begin, and its members."""
MOST_OBJECTS = 6
TILE_PX = 96
TINY = 12.0
"""Size of credits in page px, on the screen."""
STACKED, NARROWEST = 900.0, 540.0
"""Px of a page on which members stand below, and of the narrowest."""


def styles_figure(
    trace: Traced, *, most: int = MOST_OBJECTS, model: object | None = None, width: float | None = None
) -> Figure:
    """The largest object of each class: its part of the output, the style that it took, and the members of that style.

    Args:
        trace: Of one image, of a system whose objects take styles; or a result that was recorded.
        most: Classes that are shown, those with the largest objects first.
        model: The system; not needed while the one that recorded lives.
        width: In inches; members stand below the words about their style where there is no room beside.

    Returns:
        A figure, 1600 px wide if nobody says, that belongs to no pyplot state.

    Raises:
        SettingError: Text would be too small to read.
        AbilityError: The system has no styles.
        TraceError: The retrievals are not about objects, or the model is gone.

    Example:
        >>> import numpy as np, ktviz as kt
        >>> from ktviz.systems.pix2pixhd.shape import Shape
        >>> from ktviz.systems.pix2pixhd.trained import Networks
        >>> networks = Networks(Shape(classes=3, codes=3, width=4, downs=2, blocks=1, encoder_width=4, encoder_downs=2))
        >>> system = kt.Pix2PixHD(networks=networks, centres={1: np.array([[0.5, 0.0, -0.5]])})
        >>> figure = styles_figure(system.traced(np.eye(16, 24, dtype=int)))
        >>> round(figure.get_figwidth() * figure.dpi)
        1600
    """
    trace = one_site(trace)
    case = case_of(trace, "codes", model=model, asked="a figure of styles")
    if trace.regions is None or trace.output is None:
        raise TraceError("a figure of styles", "retrievals that are not about objects of a picture", "Give another")
    styles = case.system.styles(case.trace)
    shown = largest(trace, styles, most)
    canvas = Canvas.page(width, NARROWEST)
    facts = [counted(len(trace), "object"), "the largest of each class, outlined in the output"]
    top = TOP + heading(canvas, "What objects look like, and after whom", [*facts, f"digest {trace.digest[:12]}"])
    size = fit(trace.size, (canvas.room - GAP) / 2, TALLEST)
    boxes = in_rows(2, 2, size, (size[0] + GAP, 0), top)
    for title, pixels, box in zip(titles_of(trace), (trace.input, trace.output), boxes, strict=True):
        canvas.text(box.x, box.y - 9, title, BODY, bold=True)
        if pixels is not None:
            canvas.picture(pixels, box)
        edges = [outline(trace.regions[1], look.label) for _, look in shown]
        lines = borders(label_places(*trace.regions)) if box is boxes[0] else np.concatenate(edges)
        canvas.outline(lines, trace.size, box, "white", 0.6)
    top = box.bottom + 70
    for place, look in shown:
        top = draw_object(canvas, trace, place, look, styles, top)
    return canvas.end(top + 20)


def largest(trace: Trace, styles: Styles, most: int) -> list[tuple[int, Look]]:
    """The largest object of each class that took a style, largest first: place and look."""
    share, label = trace.overlap(), trace.column("label").astype(int)
    found: dict[str, tuple[int, Look]] = {}
    for place in np.argsort(-share, kind="stable").tolist():
        look = styles.look(int(label[place]))
        if look.taken >= 0:
            found.setdefault(look.kind, (place, look))
    return list(found.values())[:most]


def draw_object(canvas: Canvas, trace: Trace, place: int, look: Look, styles: Styles, top: float) -> float:
    """The object, its style in words, distances of the others, and who is behind it; where the next one begins."""
    assert trace.output is not None
    assert trace.regions is not None
    style = styles.styles[look.taken]
    box = trace.column("box")[place].tolist()
    cut = tile(cut_out(trace.output, trace.regions[1], look.label, box), TILE_PX)
    canvas.picture(cut, Box(MARGIN, top, SIDE, SIDE))
    x = MARGIN + TEXT
    stacked = canvas.width < STACKED
    canvas.text(x, top + 16, f"{look.kind} {look.label}", BODY, bold=True)
    canvas.text(x, top + 38, f"took {style.name}{', as a person said' if look.given else ''}", SMALL)
    draw_distances(canvas, look, styles, Box(x, top + 50, MEMBERS - TEXT - 80, 44))
    canvas.text(x, top + 112, f"distances from {look.measure}", SMALL, FAINT)
    left, below = (0.0, SIDE + 32) if stacked else (MEMBERS, 0.0)
    draw_members(canvas, style, styles, Box(MARGIN + left, top + below, canvas.room - left, SIDE))
    if look.small:
        said = f"{look.small:,} more of its class are too small to be behind any style"
        canvas.text(MARGIN + left, top + below + SIDE + 48, said, SMALL, FAINT)
    return top + below + ROW


def draw_distances(canvas: Canvas, look: Look, styles: Styles, box: Box) -> None:
    """A bar for each style of the class, up to the farthest, whose distance is printed."""
    apart = np.nan_to_num(look.apart)
    most, step = max(float(apart.max(initial=0.0)), 1e-9), box.width / max(1, len(apart))
    canvas.line([(box.x, box.bottom), (box.right, box.bottom)], FAINT, 1.0)
    for number, (option, value) in enumerate(zip(look.options.tolist(), apart.tolist(), strict=True)):
        height = max(2.0, box.height * value / most)
        colour = "#E69F00" if option == look.taken else QUANTITY_INK
        canvas.bar(Box(box.x + number * step, box.bottom - height, max(2.0, step - 4), height), colour)
    canvas.text(box.right + 8, box.y + 12, f"{most:.2f}", SMALL, FAINT)


def draw_members(canvas: Canvas, style: Style, styles: Styles, box: Box) -> None:
    """The nearest members of a style, with their sources."""
    step = SIDE + 16
    fit_in = int((box.width + 16) // step)
    shown = style.members[:fit_in]
    if not len(shown):
        canvas.text(box.x, box.y + 60, "nobody knows what it was made of", SMALL, FAINT)
        return
    tiny = canvas.legible(TINY)
    pictures: Pixels = styles.pictures(shown, TILE_PX)
    for number, (pixels, about) in enumerate(zip(pictures, styles.sources(shown), strict=True)):
        x = box.x + number * step
        canvas.picture(pixels, Box(x, box.y, SIDE, SIDE))
        lines = [canvas.shortened(short_title_of(about), tiny, SIDE + 8), credit_line(canvas, about, tiny, SIDE + 8)]
        write(canvas, lines, (x, box.bottom + tiny + 3), tiny + 2, tiny)
    rest = len(style.members) - len(shown)
    if rest:
        canvas.text(box.right, box.y - 6, f"and {rest:,} more", SMALL, FAINT, align="right")
