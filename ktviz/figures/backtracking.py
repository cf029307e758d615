"""The backtracking figure: a photo, the sources around it, and curves from its patches to their winners."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from ktviz.errors import SettingError
from ktviz.explain.shares import query_overlap, source_shares
from ktviz.figures.canvas import Canvas, Point
from ktviz.figures.colours import FAINT, INK, OTHER, source_colours
from ktviz.figures.layout import (
    FOOTER,
    MARGIN,
    PAIR_GAP,
    PAIR_TEXT,
    PATCH_GAP,
    WIDTH,
    Page,
    arrange,
    enlarged,
    percent,
    placed,
    spread,
)
from ktviz.figures.picks import Pick, Selection, select
from ktviz.images import Pixels
from ktviz.licences import in_short
from ktviz.regions import Box, Region, bounding_box, region_mask
from ktviz.systems.kt.translation import Translation

TITLE, BODY, SMALL = 24.0, 18.0, 15.0
"""Sizes of text in page px."""
NAME_LINE, CREDIT_LINE = 26.0, 20.0
"""Heights of the lines of text below a source."""
LINE = 2.2
"""Width of curves and boxes in page px."""
SMALLEST_BOX = 18.0
"""Boxes are drawn no smaller than this, in page px, so that they are seen."""
CONTEXT = 32
"""Side of the crops in the pairs in image px: the patch and half a patch around it."""
HOW_TO_READ = (
    "Each curve is a recorded retrieval: a patch of the photo, the stored patch that won it, and their "
    "bandpass similarity. Square in a pair: the patch itself."
)


def backtracking_figure(translation: Translation, picks: int = 10, region: Region = None) -> Figure:
    """Show which source patches painted some patches of a translation, as recorded.

    The photo is in the middle, its translation below, the sources with the largest shares left and right. A
    curve leads from a query's box to the box of the patch that won it, by way of the two patches enlarged,
    with their similarity. The picks are a choice: they favour contrast and similarity, are spread over the
    photo, and are in proportion to the sources' shares. Boxes below 18 px on the page are drawn larger.

    Args:
        translation: What to explain.
        picks: How many retrievals to show; up to 20 or so are legible.
        region: A part of the output, as in `backtrack`; shares and retrievals are those behind it. None for all.

    Returns:
        A figure 1600 px wide that belongs to no pyplot state.

    Raises:
        SettingError: `picks` is below 1.
        RegionError: The region is empty or outside.
    """
    if picks < 1:
        raise SettingError(f"picks {picks}", "below 1", "Show at least one retrieval")
    drawing = Drawing.create(translation, select(translation, picks, region), region)
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
        translation: The result that is explained.
        chosen: Its sources and retrievals that are shown.
        pictures: The shown sources.
        colours: Theirs, as in every figure of this translation.
        region: The part of the output that is explained.
    """

    canvas: Canvas
    page: Page
    translation: Translation
    chosen: Selection
    pictures: tuple[Pixels, ...]
    colours: tuple[str, ...]
    region: Region = None

    @classmethod
    def create(cls, translation: Translation, chosen: Selection, region: Region) -> Drawing:
        """An empty page of the right size."""
        pictures = tuple(translation.banks.picture(source) for source in chosen.sources)
        crowd = [sum(chosen.sides[pick.place][0] == side for pick in chosen.picks) for side in (0, 1)]
        text = NAME_LINE + CREDIT_LINE * (1 if len(translation.banks.names) == 1 else 2)
        shapes = [shape(picture) for picture in pictures]
        page = arrange(shape(translation.input), shapes, chosen.sides, max(crowd), text)
        known = source_colours(source_shares(translation)["source"].tolist())
        colours = tuple(known[translation.banks.source_names[source]] for source in chosen.sources)
        return cls(Canvas.create(WIDTH, page.height), page, translation, chosen, pictures, colours, region)

    def write_header(self) -> None:
        """Banks, numbers and settings above; how to read the figure below."""
        banks, matches = self.translation.banks, self.translation.matches
        behind = query_overlap(self.translation, self.region) > 0
        used = len(banks.locate(matches.winner[behind])[0].unique())
        around = None if self.region is None else bounding_box(region_mask(self.region, *shape(self.translation.image)))
        where = () if around is None else (f"region {around.width:g}x{around.height:g} px",)
        facts = (
            *where,
            f"{int(behind.sum()):,} retrievals",
            f"preset {self.translation.settings.preset}",
            f"{used} of {len(banks.sources)} sources used",
            "shares: overlap",
        )
        title = self.canvas.shortened(", ".join(banks.names), TITLE, WIDTH - 2 * MARGIN, bold=True)
        self.canvas.text(MARGIN, 50, title, TITLE, bold=True)
        self.canvas.text(MARGIN, 76, " · ".join(facts), SMALL, FAINT)
        self.canvas.text(MARGIN, self.page.height - FOOTER + 36, HOW_TO_READ, SMALL, FAINT)

    def draw_centre(self) -> None:
        """Input, and output with the same boxes."""
        photo, output = self.translation.input, self.translation.image
        for label, pixels, box in (("Input", photo, self.page.input), ("Output", output, self.page.output)):
            self.canvas.text(box.x, box.y - 9, label, BODY, bold=True)
            self.canvas.picture(pixels, box)
            if self.region is not None:
                around = bounding_box(region_mask(self.region, *shape(output)))
                self.canvas.frame(placed(around, shape(output), box), INK, 1.6, over_picture=True)
        for pick in self.chosen.picks:
            box = drawn_box(pick.query_box, output, self.page.output)
            self.canvas.frame(box, self.colours[pick.place], LINE * 0.7, over_picture=True)

    def draw_shares(self) -> None:
        """All shares as one bar."""
        bar, other = self.page.shares, max(0.0, 1 - sum(self.chosen.shares))
        parts = [*zip(self.chosen.shares, self.colours, strict=True), (other, OTHER)]
        left = bar.x
        for share, colour in parts:
            self.canvas.bar(Box(left, bar.y, share * bar.width, bar.height), colour)
            left += share * bar.width
        what = "output" if self.region is None else "region"
        self.canvas.text(bar.x, bar.y - 8, f"Shares of the {what} (overlap)", SMALL, FAINT)
        if other >= 0.0005:
            text = f"other sources {percent(other)}"
            self.canvas.text(bar.right, bar.y - 8, text, SMALL, FAINT, align="right")

    def draw_source(self, place: int) -> None:
        """One source: picture in its frame, share, name, bank if there are several, creator and licence."""
        canvas, card, room = self.canvas, self.page.cards[place], self.page.column
        banks, number = self.translation.banks, self.chosen.sources[place]
        source, (bank, _) = banks.sources[number], banks.bank_of_source(number)
        canvas.picture(self.pictures[place], card)
        canvas.frame(card, self.colours[place], 3.0)
        on_left = self.chosen.sides[place][0] == 0
        share = percent(self.chosen.shares[place]) + "  "
        taken = canvas.text_width(share, BODY, bold=True)
        name = canvas.shortened(source.name, BODY, room - taken)
        start = card.right - taken - canvas.text_width(name, BODY) if on_left else card.x
        y = card.bottom + NAME_LINE
        canvas.text(start, y, share, BODY, bold=True)
        canvas.text(start + taken, y, name, BODY)
        # Of a long credit the licence must stay legible.
        licence = canvas.shortened(f" · {in_short(source.credit.licence)}", SMALL, room * 0.6)
        creator = canvas.shortened(source.credit.creator, SMALL, room - canvas.text_width(licence, SMALL))
        several = [canvas.shortened(bank.name, SMALL, room)] if len(banks.names) > 1 else []
        edge, align = (card.right, "right") if on_left else (card.x, "left")
        for n, line in enumerate([*several, creator + licence], 1):
            canvas.text(edge, y + n * CREDIT_LINE, line, SMALL, FAINT, align=align)

    def draw_side(self, side: int) -> None:
        """The curves and pairs on one side, in the order of the boxes they lead to."""
        picks = [pick for pick in self.chosen.picks if self.chosen.sides[pick.place][0] == side]
        picks.sort(key=lambda p: (self.chosen.sides[p.place][1], p.source_box.y, p.query))
        wanted = [(self.origin(p).centre[1] + self.target(p).centre[1]) / 2 for p in picks]
        (top, bottom), patch = self.page.span, self.page.patch
        low, high = top + patch / 2, bottom - patch / 2 - PAIR_TEXT
        heights = spread(wanted, patch + PAIR_TEXT + PAIR_GAP, low, high)
        for pick, y in zip(picks, heights, strict=True):
            self.draw_curves(pick, (self.page.gutters[side], y), outwards=1 if side else -1)
            self.draw_pair(pick, (self.page.gutters[side], y), outwards=1 if side else -1)

    def draw_curves(self, pick: Pick, middle: Point, outwards: int) -> None:
        """The two boxes, and the curve from each to the pair of patches between them."""
        origin, target, colour = self.origin(pick), self.target(pick), self.colours[pick.place]
        reach = outwards * (self.page.patch + PATCH_GAP / 2)
        photo_edge = facing(self.page.input, outwards)[0]
        card_edge = facing(self.page.cards[pick.place], -outwards)[0]
        self.canvas.curve(facing(origin, outwards), photo_edge, (middle[0] - reach, middle[1]), colour, LINE)
        self.canvas.curve(facing(target, -outwards), card_edge, (middle[0] + reach, middle[1]), colour, LINE)
        self.canvas.frame(origin, colour, LINE, over_picture=True, gid=f"query-{pick.query}")
        self.canvas.frame(target, colour, LINE, over_picture=True, gid=f"winner-{pick.query}")

    def draw_pair(self, pick: Pick, middle: Point, outwards: int) -> None:
        """The query's patch towards the photo, the winner's towards its source, and their similarity."""
        patch = self.page.patch
        query = crop(self.translation.input, pick.query_box)
        winner = crop(self.pictures[pick.place], pick.source_box)
        left = middle[0] - PATCH_GAP / 2 - patch
        for n, (pixels, part) in enumerate((query, winner)[::outwards]):
            box = Box(left + n * (patch + PATCH_GAP), middle[1] - patch / 2, patch, patch)
            self.canvas.picture(pixels, box, magnified=True)
            self.canvas.frame(box, self.colours[pick.place], LINE)
            self.canvas.frame(placed(part, shape(pixels), box), INK, 2.4)
            self.canvas.frame(placed(part, shape(pixels), box), "white", 1.2)
        self.canvas.text(middle[0], middle[1] + patch / 2 + 18, f"{pick.similarity:.2f}", SMALL, align="center")

    def origin(self, pick: Pick) -> Box:
        """Where a query's box is drawn."""
        return drawn_box(pick.query_box, self.translation.input, self.page.input)

    def target(self, pick: Pick) -> Box:
        """Where its winner's box is drawn."""
        return drawn_box(pick.source_box, self.pictures[pick.place], self.page.cards[pick.place])


def crop(picture: Pixels, box: Box) -> tuple[Pixels, Box]:
    """A patch and its surroundings, shifted inwards at the edge, and where the patch lies in it."""
    height, width = shape(picture)
    side_y, side_x = min(CONTEXT, height), min(CONTEXT, width)
    y = int(np.clip(box.centre[1] - side_y / 2, 0, height - side_y))
    x = int(np.clip(box.centre[0] - side_x / 2, 0, width - side_x))
    return picture[y : y + side_y, x : x + side_x], Box(box.x - x, box.y - y, box.width, box.height)


def drawn_box(part: Box, picture: Pixels, where: Box) -> Box:
    """A part of a picture on the page, large enough to be seen."""
    return enlarged(placed(part, shape(picture), where), SMALLEST_BOX, where)


def facing(box: Box, direction: int) -> Point:
    """Middle of the right (1) or left (-1) edge."""
    return (box.right if direction > 0 else box.x), box.centre[1]


def shape(pixels: Pixels) -> tuple[int, int]:
    """(height, width)."""
    return pixels.shape[0], pixels.shape[1]
