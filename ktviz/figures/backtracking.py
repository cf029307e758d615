"""The backtracking figure: a photo, the sources around it, and curves from its patches to their winners."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from ktviz.errors import SettingError, TraceError
from ktviz.explain.bands import BAND_COLUMNS
from ktviz.explain.case import case_if_any
from ktviz.explain.result import one_site
from ktviz.explain.source_pictures import source_picture
from ktviz.figures.canvas import Canvas, Point, page_width
from ktviz.figures.colours import FAINT, INK, OTHER, trace_colours
from ktviz.figures.credit_line import credit_line
from ktviz.figures.layout import (
    FOOTER,
    MARGIN,
    PAIR_GAP,
    PAIR_TEXT,
    PATCH_GAP,
    Page,
    arrange,
    enlarged,
    percent,
    placed,
    spread,
)
from ktviz.figures.maps import titles_of
from ktviz.figures.picks import Pick, Selection, Taken, select, size_of
from ktviz.figures.region_outlines import outline
from ktviz.images import Pixels
from ktviz.printing import counted
from ktviz.regions import Box, Region, bounding_box, region_mask
from ktviz.trace.named import short_title_of
from ktviz.trace.pictures import in_words
from ktviz.trace.recorded import Traced
from ktviz.trace.shares import lacking, row_shares, source_numbers
from ktviz.trace.trace import Trace
from ktviz.values import whole

TITLE, BODY, SMALL = 24.0, 18.0, 15.0
"""Sizes of text in page px."""
NARROWEST = 1146.0
"""Px of the narrowest page."""
NAME_LINE, CREDIT_LINE = 26.0, 20.0
"""Heights of the lines of text below a source."""
LINE = 2.2
"""Width of curves and boxes in page px."""
SMALLEST_BOX = 18.0
"""Boxes are drawn no smaller than this, in page px, so that they are seen."""
CONTEXT = 32
"""Least side of the crops in the pairs in image px: a patch and half a patch around it."""
SMALLEST_MARK = 6.0
"""The same for the squares in the pairs."""
THINNEST = 0.9
"""Width of the thinnest curve."""
BLANK = "#ECECEC"
"""What stands for a picture that is not there."""


def backtracking_figure(
    trace: Traced,
    picks: int = 10,
    region: Region = None,
    *,
    model: object | None = None,
    photo: Pixels | None = None,
    width: float | None = None,
) -> Figure:
    """Show which parts of the sources painted some patches of an output, as recorded.

    The picture in which the queries lie is in the middle, the output below, the sources with the largest shares left
    and right. A curve leads from a query's box to the box of the patch that won it, by way of the two patches enlarged,
    with their similarity; where a retrieval takes from several places, to each of them, as thick as its weight. The
    picks are a choice: they favour contrast and similarity, are spread over the photo, and are in proportion to the
    sources' shares. Boxes below 18 px on the page are drawn larger.

    Args:
        trace: Of one image, or a result that was recorded. Of several sites, the one that painted the output; choose
            another by `trace.site(name)`.
        picks: How many retrievals to show; up to 20 or so are legible.
        region: A part of the output, as in `backtrack`; shares and retrievals are those behind it. None for all.
        model: The system, for pictures of sources; not needed while the one that recorded lives.
        photo: The photo, where the trace was saved without it.
        width: In inches, as of two columns of a paper (7): there is no room for less.

    Returns:
        A figure, 1600 px wide if nobody says, that belongs to no pyplot state.

    Raises:
        SettingError: `picks` is no whole number from 1, or text would be too small to read.
        RegionError: The region is empty or outside.
        TraceError: The trace holds no picture in which its queries lie, or no retrievals.
        MismatchError: Another model, library or photo.

    Example:
        >>> import ktviz as kt
        >>> from ktviz import samples
        >>> trace = kt.ImageAnalogy(samples.photo("coffee")[:48, :48]).traced(samples.photo("coffee")[8:56, :48])
        >>> bool(backtracking_figure(trace.site("ba.vote"), 4).get_size_inches()[0] > 0)
        True
    """
    if whole("picks", picks) < 1:
        raise SettingError(f"picks {picks}", "below 1", "Show at least one retrieval")
    trace = one_site(trace)
    case = case_if_any(trace, model=model, photo=photo)
    trace = trace if case is None else case.trace
    asked = "a backtracking figure"
    if trace.input is None:
        raise TraceError(asked, "the trace holds no picture in which its queries lie", "Save it with its pictures")
    if not len(trace):
        raise TraceError(asked, "a trace without retrievals", "Record some")
    output = case.output if case is not None and case.can("rerun") else trace.output

    find = partial(source_picture, trace, model=None if case is None else case.system)
    drawing = Drawing.create(trace, trace.input, output, select(trace, find, picks, region), region, width)
    drawing.write_header()
    drawing.draw_centre()
    drawing.draw_shares()
    for number in range(len(drawing.chosen.sources)):
        drawing.draw_source(number)
    for side in (0, 1):
        drawing.draw_side(side)
    return drawing.canvas.figure


@dataclass(frozen=True)
class Drawing:
    """What is drawn, and on what.

    Attributes:
        canvas: The figure.
        page: Where everything goes.
        trace: What is explained.
        photo: The picture in which its queries lie.
        output: What they painted; None where it was not kept.
        chosen: The sources and retrievals that are shown.
        about: What is known of these sources.
        colours: Theirs, as in every figure of this trace.
        region: The part of the output that is explained.
    """

    canvas: Canvas
    page: Page
    trace: Trace
    photo: Pixels
    output: Pixels | None
    chosen: Selection
    about: tuple[Mapping[str, Any], ...]
    colours: tuple[str, ...]
    region: Region = None

    @classmethod
    def create(
        cls,
        trace: Trace,
        photo: Pixels,
        output: Pixels | None,
        chosen: Selection,
        region: Region,
        width: float | None,
    ) -> Drawing:
        """An empty page of the right size."""
        known = {source["source"]: source for source in trace.about["sources"]}
        about = tuple(known[name] for name in chosen.sources)
        crowd = [sum(chosen.sides[pick.place][0] == side for pick in chosen.picks) for side in (0, 1)]
        text = NAME_LINE + CREDIT_LINE * (1 if len(banks_of(trace)) == 1 else 2)
        shapes = [size_of(source, picture) for source, picture in zip(about, chosen.pictures, strict=True)]
        across = page_width(width, NARROWEST)
        page = arrange(shape(photo), shapes, chosen.sides, max(crowd), text, across)
        colours = trace_colours(trace)
        shown = tuple(colours[name] for name in chosen.sources)
        return cls(Canvas.create(across, page.height, width), page, trace, photo, output, chosen, about, shown, region)

    def write_header(self) -> None:
        """Banks, numbers and settings above; how to read the figure below."""
        title = self.canvas.shortened(", ".join(banks_of(self.trace)), TITLE, self.canvas.width - 2 * MARGIN, bold=True)
        self.canvas.text(MARGIN, 50, title, TITLE, bold=True)
        room = self.canvas.width - 2 * MARGIN
        said = (
            (76.0, " · ".join(facts(self.trace, self.region))),
            (self.page.height - FOOTER + 36, how_to_read(self.trace)),
        )
        for y, text in said:
            self.canvas.text(MARGIN, y, self.canvas.shortened(text, SMALL, room), SMALL, FAINT)

    def draw_centre(self) -> None:
        """The picture in which the queries lie, and the output with the same boxes."""
        pictures = ((self.photo, self.page.input), (self.output, self.page.output))
        for title, (pixels, box) in zip(titles_of(self.trace), pictures, strict=True):
            self.canvas.text(box.x, box.y - 9, title, BODY, bold=True)
            if pixels is None:
                self.canvas.bar(box, BLANK)
                self.canvas.text(box.x + 12, box.y + 30, "not kept with the trace", SMALL, FAINT)
            else:
                self.canvas.picture(pixels, box)
            if self.region is not None:
                around = bounding_box(region_mask(self.region, *self.trace.size))
                self.canvas.frame(placed(around, self.trace.size, box), INK, 1.6, over_picture=True)
        for pick in self.chosen.picks:
            self.mark(pick, self.page.output, LINE * 0.7)

    def draw_shares(self) -> None:
        """All shares as one bar."""
        bar, known = self.page.shares, float(self.trace.sources(self.region)["share"].sum())
        other = max(0.0, known - sum(self.chosen.shares))
        parts = [*zip(self.chosen.shares, self.colours, strict=True), (other, OTHER), (max(0.0, 1 - known), BLANK)]
        left, whole = bar.x, max(1.0, sum(share for share, _ in parts if share > 0))  # some may be taken away
        for share, colour in parts:
            width = max(0.0, share) / whole * bar.width
            self.canvas.bar(Box(left, bar.y, width, bar.height), colour)
            left += width
        what = f"Shares of the {'output' if self.region is None else 'region'} (overlap)"
        rest = {"other sources": other, **lacking(self.trace, self.region)}
        text = " · ".join(f"{name} {percent(share)}" for name, share in rest.items() if share >= 0.0005)
        both = self.canvas.text_width(what, SMALL) + 12 + self.canvas.text_width(text, SMALL)
        self.canvas.text(bar.x, bar.y - (8 if both <= bar.width else 28), what, SMALL, FAINT)
        self.canvas.text(bar.right, bar.y - 8, text, SMALL, FAINT, align="right")

    def draw_source(self, place: int) -> None:
        """One source: picture in its frame, share, name, bank if there are several, creator and licence."""
        canvas, card, room = self.canvas, self.page.cards[place], self.page.column
        source, picture = self.about[place], self.chosen.pictures[place]
        if picture is None:
            canvas.bar(card, BLANK)
        else:
            canvas.picture(picture, card)
        canvas.frame(card, self.colours[place], 3.0)
        on_left = self.chosen.sides[place][0] == 0
        share = percent(self.chosen.shares[place]) + "  "
        taken = canvas.text_width(share, BODY, bold=True)
        name = canvas.shortened(short_title_of(source), BODY, room - taken)
        start = card.right - taken - canvas.text_width(name, BODY) if on_left else card.x
        y = card.bottom + NAME_LINE
        canvas.text(start, y, share, BODY, bold=True)
        canvas.text(start + taken, y, name, BODY)
        several = [canvas.shortened(source["bank"], SMALL, room)] if len(banks_of(self.trace)) > 1 else []
        edge, align = (card.right, "right") if on_left else (card.x, "left")
        for n, line in enumerate([*several, credit_line(canvas, source, SMALL, room)], 1):
            canvas.text(edge, y + n * CREDIT_LINE, line, SMALL, FAINT, align=align)

    def draw_side(self, side: int) -> None:
        """The curves and pairs on one side, in the order of the boxes they lead to."""
        picks = [pick for pick in self.chosen.picks if self.chosen.sides[pick.place][0] == side]
        picks.sort(key=lambda p: (self.chosen.sides[p.place][1], p.source_box.y, p.query))
        wanted = [(self.origin(p).centre[1] + self.target(p, p.source_box).centre[1]) / 2 for p in picks]
        (top, bottom), patch = self.page.span, self.page.patch
        low, high = top + patch / 2, bottom - patch / 2 - PAIR_TEXT
        heights = spread(wanted, patch + PAIR_TEXT + PAIR_GAP, low, high)
        for pick, y in zip(picks, heights, strict=True):
            parts = self.told_apart(pick)
            self.draw_curves(pick, parts, (self.page.gutters[side], y), outwards=1 if side else -1)
            self.draw_pair(pick, (self.page.gutters[side], y), outwards=1 if side else -1)

    def told_apart(self, pick: Pick) -> list[Taken]:
        """What a retrieval took, with those parts as one whose boxes would lie over each other on the page."""
        found: list[Taken] = []
        for part in pick.taken:
            box = self.target(pick, part.box)
            near = [n for n, other in enumerate(found) if overlaps(box, self.target(pick, other.box))]
            if near:
                found[near[0]] = replace(found[near[0]], weight=found[near[0]].weight + part.weight)
            else:
                found.append(part)
        return found

    def draw_curves(self, pick: Pick, parts: Sequence[Taken], middle: Point, outwards: int) -> None:
        """The boxes, and the curve from each to the pair of patches between them, as thick as its weight."""
        origin, colour = self.origin(pick), self.colours[pick.place]
        reach = outwards * (self.page.patch + PATCH_GAP / 2)
        photo_edge = facing(self.page.input, outwards)[0]
        card_edge = facing(self.page.cards[pick.place], -outwards)[0]
        self.canvas.curve(facing(origin, outwards), photo_edge, (middle[0] - reach, middle[1]), colour, LINE)
        self.mark(pick, self.page.input, LINE, gid=f"query-{pick.query}")
        whole = sum(abs(part.weight) for part in parts) or 1.0  # a winner without weight gets the thinnest line
        for part, kind in zip(parts, ("winner", *["also"] * len(parts)), strict=False):
            target, width = self.target(pick, part.box), max(THINNEST, LINE * abs(part.weight) / whole)
            end = middle[0] + reach, middle[1]
            self.canvas.curve(facing(target, -outwards), card_edge, end, colour, width)
            self.canvas.frame(target, colour, width, over_picture=True, gid=f"{kind}-{pick.query}")

    def draw_pair(self, pick: Pick, middle: Point, outwards: int) -> None:
        """The query's patch towards the photo, the winner's towards its source; their similarity, or its weight."""
        patch, picture = self.page.patch, self.chosen.pictures[pick.place]
        crops = [crop(self.photo, pick.query_box), None if picture is None else crop(picture, pick.source_box)]
        left = middle[0] - PATCH_GAP / 2 - patch
        for n, found in enumerate(crops[::outwards]):
            box = Box(left + n * (patch + PATCH_GAP), middle[1] - patch / 2, patch, patch)
            if found is None:
                self.canvas.bar(box, BLANK)
            else:
                self.canvas.picture(found[0], box, magnified=True)
            self.canvas.frame(box, self.colours[pick.place], LINE)
            if found is not None:
                part = enlarged(placed(found[1], shape(found[0]), box), SMALLEST_MARK, box)
                self.canvas.frame(part, INK, 2.4)
                self.canvas.frame(part, "white", 1.2)
        text = f"{pick.similarity:.2f}" if is_hard(self.trace) else percent(pick.taken[0].weight)
        self.canvas.text(middle[0], middle[1] + patch / 2 + 18, text, SMALL, align="center")

    def mark(self, pick: Pick, where: Box, width: float, gid: str | None = None) -> None:
        """The box of a query on a picture, or the outline of its region."""
        colour, size = self.colours[pick.place], self.trace.size
        if self.trace.regions is None:
            self.canvas.frame(drawn_box(pick.query_box, size, where), colour, width, over_picture=True, gid=gid)
            return
        numbers, labels = self.trace.regions
        number = int(numbers[self.trace.column("query") == pick.query][0])
        self.canvas.outline(outline(labels, number), size, where, colour, width, gid)

    def origin(self, pick: Pick) -> Box:
        """Where a query's box is drawn."""
        return drawn_box(pick.query_box, self.trace.size, self.page.input)

    def target(self, pick: Pick, part: Box) -> Box:
        """Where the box of a part of its source is drawn."""
        size = size_of(self.about[pick.place], self.chosen.pictures[pick.place])
        return drawn_box(part, size, self.page.cards[pick.place])


def banks_of(trace: Trace) -> list[str]:
    """What the sources belong to."""
    return list(dict.fromkeys(trace.about["banks"]))


def canvas_name(trace: Trace) -> str:
    """The picture in which the queries lie, in words: "input", "reference"."""
    return in_words(trace.site_about["canvas"]).lower()


def is_hard(trace: Trace) -> bool:
    """Whether a retrieval takes its winner alone."""
    return bool(trace.site_about["kind"] == "hard")


def facts(trace: Trace, region: Region) -> list[str]:
    """What a reader must know to compare this figure with another."""
    used = len(np.unique(source_numbers(trace)[row_shares(trace, region) != 0]))
    found = [counted(int((trace.overlap(region) > 0).sum()), "retrieval")]
    if region is not None:
        around = bounding_box(region_mask(region, *trace.size))
        found.insert(0, f"region {around.width:g}x{around.height:g} px")
    found += [str(trace.site_about["direction"])] * bool(trace.site_about["direction"])
    found += [f"preset {preset}" for preset in [trace.picture.settings.get("preset")] if preset]
    how = "most alike, not used" if trace.caveat else "used"
    found += [f"{used} of {counted(len(trace.about['sources']), 'source')} {how}", "shares: overlap"]
    return [*found, *([trace.caveat] if trace.caveat else [])]


def how_to_read(trace: Trace) -> str:
    """What curves and pairs are."""
    if not is_hard(trace):
        return (
            f"Each curve is a part of a recorded retrieval, as thick as its weight: from a place in the "
            f"{canvas_name(trace)} to where it took from. In percent: the weight of the largest. Square in a pair: the "
            "place itself."
        )
    similarity = "bandpass similarity" if trace.has(BAND_COLUMNS[0]) else "similarity"
    return (
        f"Each curve is a recorded retrieval: a patch of the {canvas_name(trace)}, the stored patch that won it, and "
        f"their {similarity}. Square in a pair: the patch itself."
    )


def crop(picture: Pixels, box: Box) -> tuple[Pixels, Box]:
    """A patch and its surroundings, shifted inwards at the edge, and where the patch lies in it."""
    height, width = shape(picture)
    side = max(CONTEXT, round(max(box.width, box.height)))
    side_y, side_x = min(side, height), min(side, width)
    y = int(np.clip(box.centre[1] - side_y / 2, 0, height - side_y))
    x = int(np.clip(box.centre[0] - side_x / 2, 0, width - side_x))
    return picture[y : y + side_y, x : x + side_x], Box(box.x - x, box.y - y, box.width, box.height)


def drawn_box(part: Box, size: tuple[int, int], where: Box) -> Box:
    """A part of a picture (height, width) on the page, large enough to be seen."""
    return enlarged(placed(part, size, where), SMALLEST_BOX, where)


def overlaps(one: Box, other: Box) -> bool:
    """Whether two boxes have a part in common."""
    return one.x < other.right and other.x < one.right and one.y < other.bottom and other.y < one.bottom


def facing(box: Box, direction: int) -> Point:
    """Middle of the right (1) or left (-1) edge."""
    return (box.right if direction > 0 else box.x), box.centre[1]


def shape(pixels: Pixels) -> tuple[int, int]:
    """(height, width)."""
    return pixels.shape[0], pixels.shape[1]
