"""A picture of which attributes were changed: which, after whom, and of what its cells were made."""

from __future__ import annotations

from matplotlib.figure import Figure

from ktviz.errors import TraceError
from ktviz.explain.case import case_of
from ktviz.explain.result import one_site
from ktviz.figures.canvas import Canvas
from ktviz.figures.colours import FAINT, QUANTITY_INK
from ktviz.figures.layout import MARGIN, columns_in, fit, in_rows
from ktviz.figures.lines import heading, title_above
from ktviz.figures.maps import BODY, LINE, SMALL, painted_values, scale
from ktviz.regions import Box
from ktviz.systems.switches import Switched
from ktviz.trace.named import credit_of, short_title_of
from ktviz.trace.recorded import Traced

GAP, TOP, TALLEST = 24.0, 132.0, 420.0
SHARE_LINE = 18.0
NAME, FLAG, BAR, NUMBERS = 260.0, 110.0, 150.0, 72.0
"""Widths of the name of an attribute, of whether it is there, of the longest bar to either side, and of what is beside
bars; the first three at most."""
LEAST, NARROWEST = 200.0, 540.0
"""Px of a picture, and of the narrowest page."""
WANTED_INK = "#E69F00"
"""Of what is to come; what is to go is in the other one."""


def attributes_figure(trace: Traced, *, model: object | None = None, width: float | None = None) -> Figure:
    """Source, reference and output, of what every cell was made, and by how much each attribute was to change.

    Args:
        trace: Of one image, of a system that changes attributes; or a result that was recorded.
        model: The system; not needed while the one that recorded lives.
        width: In inches; there are fewer pictures in a row of a narrow page.

    Returns:
        A figure, 1600 px wide if nobody says, that belongs to no pyplot state.

    Raises:
        SettingError: Text would be too small to read.
        AbilityError: The system changes no attributes.
        TraceError: Nothing was retrieved, or the model is gone.

    Example:
        >>> import numpy as np, ktviz as kt
        >>> from ktviz.systems.bridge.shape import Shape
        >>> from ktviz.systems.bridge.trained import Networks
        >>> small = Shape(32, 2, noise=4, width=4, downs=2, hidden=4, encoder_width=2, ups=2, discriminator_downs=2)
        >>> system = kt.Bridge(networks=Networks(small, ("Hat", "Smile")))
        >>> trace = system.traced(np.zeros((32, 32, 3), np.uint8), has="Smile", want="Hat", mode="labels")
        >>> figure = attributes_figure(trace)
        >>> round(figure.get_figwidth() * figure.dpi)
        1600
    """
    trace = one_site(trace)
    case = case_of(trace, "attributes", model=model, asked="a figure of attributes")
    if not len(trace):
        raise TraceError("a figure of attributes", "nothing was retrieved", "Give another trace")
    found = case.system.switches(case.trace).recorded()
    pictures = {"Source": found.source, "Reference": found.reference, "Output": found.output}
    shown = {title: pixels for title, pixels in pictures.items() if pixels is not None}
    canvas = Canvas.page(width, NARROWEST)
    title = "What was to change, after whom, and of what the picture was made"
    top = TOP + heading(canvas, title, [*facts(found), f"digest {trace.digest[:12]}"])
    columns = columns_in(canvas.room, LEAST, GAP, 4)
    across = (canvas.room - (columns - 1) * GAP) / columns
    size = fit(found.output.shape[:2], across, TALLEST)
    below = 92 + len(found.shares) * SHARE_LINE
    boxes = in_rows(len(shown) + 1, columns, size, (across + GAP, size[1] + below), top)
    for (title, pixels), box in zip(shown.items(), boxes, strict=False):
        title_above(canvas, title, box)
        canvas.picture(pixels, box, magnified=True)
        if title == "Reference":
            draw_credit(canvas, found, box)
    draw_shares(canvas, found, boxes[-1])
    return canvas.end(draw_attributes(canvas, found, boxes[-1].bottom + below) + 20)


def facts(found: Switched) -> list[str]:
    """How it was made, in words."""
    way = {0.0: "after the reference alone", 1.0: "by labels alone"}
    mixed = f"{found.labels:.0%} of the labels' code, the rest of the reference's"
    taken = []
    if found.about:
        taken = ["the reference most like it of those that fit" if found.chosen else "the reference as a person said"]
    return [way.get(found.labels, mixed), *taken, f"differences by {found.amount:g}"]


def draw_credit(canvas: Canvas, found: Switched, box: Box) -> None:
    """Who made the reference."""
    for line, text in enumerate((short_title_of(found.about), credit_of(found.about))):
        canvas.text(box.x, box.bottom + 20 + 18 * line, canvas.shortened(text, SMALL, box.width), SMALL, FAINT)


def draw_shares(canvas: Canvas, found: Switched, box: Box) -> None:
    """How much of what was asked for is in every cell."""
    title, share = next(iter(found.shares.items()))
    title_above(canvas, f"Part of {title}", box)
    canvas.picture(painted_values(share), box, magnified=True)
    scale(canvas, Box(box.x, box.bottom + 10, box.width, 10), "0 %", "100 %")
    for line, (part, shares) in enumerate(found.shares.items()):
        canvas.text(box.x, box.bottom + 56 + SHARE_LINE * line, f"{shares.mean():.0%} {part}", SMALL, FAINT)


def draw_attributes(canvas: Canvas, found: Switched, top: float) -> float:
    """A row for every attribute: whether the source has it, whether it is wanted, and by how much it was to change.

    Returns:
        Where the rows end.
    """
    name_room, flag = min(NAME, 0.37 * canvas.room), min(FLAG, 0.12 * canvas.room)
    bar = min(BAR, (canvas.room - name_room - 2 * flag - NUMBERS) / 2)
    middle = MARGIN + name_room + 2 * flag + bar + 24
    columns = {"attribute": MARGIN, "source": MARGIN + name_room, "wanted": MARGIN + name_room + flag}
    for title, x in columns.items():
        canvas.text(x, top, title, SMALL, FAINT)
    canvas.text(middle, top, "difference", SMALL, FAINT, align="center")
    most = max(map(abs, found.difference.values()), default=0.0) or 1.0
    rows = len(found.has) * LINE
    canvas.line([(middle, top + 10), (middle, top + 10 + rows)], FAINT, 1.0)
    for number, name in enumerate(found.has):
        y = top + 30 + number * LINE
        difference = found.difference[name]
        canvas.text(
            MARGIN, y, canvas.shortened(name.replace("_", " "), BODY, name_room - 16), BODY, bold=bool(difference)
        )
        for title, there in (("source", found.has[name]), ("wanted", found.wanted[name])):
            canvas.text(columns[title], y, "yes" if there else "no", BODY, *(() if there else (FAINT,)))
        if difference:
            length = bar * abs(difference) / most
            left = middle if difference > 0 else middle - length
            canvas.bar(Box(left, y - 14, length, 16), WANTED_INK if difference > 0 else QUANTITY_INK)
            x, align = (middle + length + 8, "left") if difference > 0 else (middle - length - 8, "right")
            canvas.text(x, y, f"{difference:+g}", SMALL, align=align)
    return top + 44 + rows
