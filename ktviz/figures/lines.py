"""Text in as many lines as it needs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ktviz.figures.canvas import SMALLEST, Canvas, Point
from ktviz.figures.colours import FAINT, INK
from ktviz.figures.layout import MARGIN
from ktviz.regions import Box

TITLE, TITLE_LINE, FACT_LINE = 24.0, 30.0, 24.0
"""Size of a title in page px, and the heights of its lines and of those below it."""
BODY, BODY_LINE = 18.0, 22.0
"""Size of a title of a picture, and the height of its lines."""


def heading(canvas: Canvas, title: str, *facts: Sequence[str]) -> float:
    """A title, and below it facts, each group of them in lines of its own.

    Returns:
        How much lower all that follows must lie than below a title of one line, with a line for each group.
    """
    titles = wrapped(canvas, [title], "", TITLE, bold=True)
    lines = [line for group in facts for line in wrapped(canvas, group, " · ")]
    more = TITLE_LINE * (len(titles) - 1)
    write(canvas, titles, (MARGIN, 50), TITLE_LINE, TITLE, INK, bold=True)
    write(canvas, lines, (MARGIN, 78 + more), FACT_LINE)
    return more + FACT_LINE * (len(lines) - len(facts))


def write(
    canvas: Canvas,
    lines: Sequence[str],
    start: Point,
    step: float,
    size: float = SMALLEST,
    colour: str = FAINT,
    bold: bool = False,
) -> None:
    """Lines of text, one below the other, from a baseline on."""
    for number, line in enumerate(lines):
        canvas.text(start[0], start[1] + number * step, line, size, colour, bold)


def title_above(canvas: Canvas, title: str, box: Box) -> None:
    """A title above a picture, the last line nearest to it."""
    lines = wrapped(canvas, [title], size=BODY, room=box.width, bold=True)
    write(canvas, lines, (box.x, box.y - 9 - BODY_LINE * (len(lines) - 1)), BODY_LINE, BODY, INK, bold=True)


def wrapped(
    canvas: Canvas,
    parts: Iterable[str],
    between: str = " ",
    size: float = SMALLEST,
    room: float | None = None,
    bold: bool = False,
) -> list[str]:
    """Words or facts side by side, in as many lines as they need; a word longer than a line is shortened."""
    found: list[str] = []
    room = canvas.room if room is None else room
    for part in parts:
        longer = f"{found[-1]}{between}{part}" if found else part
        if found and canvas.text_width(longer, size, bold) > room:
            found.append(part)
        else:
            found[-1:] = [longer]
    return [piece for line in found for piece in broken(canvas, line, size, room, bold)]


def broken(canvas: Canvas, line: str, size: float, room: float, bold: bool) -> list[str]:
    """A line that is too long, broken between its words."""
    if canvas.text_width(line, size, bold) <= room or " " not in line:
        return [canvas.shortened(line, size, room, bold)]
    words = line.split(" ")
    kept = next(
        n for n in range(len(words) - 1, 0, -1) if n == 1 or canvas.text_width(" ".join(words[:n]), size, bold) <= room
    )
    return [
        canvas.shortened(" ".join(words[:kept]), size, room, bold),
        *broken(canvas, " ".join(words[kept:]), size, room, bold),
    ]
