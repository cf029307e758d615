"""The backtracking figure: a photo, the sources around it, and curves from its patches to their winners."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from ktviz.errors import SettingError
from ktviz.figures.canvas import Canvas
from ktviz.figures.colours import FAINT, INK, OTHER, SOURCE_COLOURS
from ktviz.figures.layout import FOOTER, MARGIN, PAIR_GAP, PAIR_TEXT, PATCH_GAP, WIDTH, Box, Page, arrange, spread
from ktviz.figures.picks import Pick, Selection, select
from ktviz.images import Pixels
from ktviz.model.translator import Translation

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


def backtracking_figure(translation: Translation, picks: int = 10) -> Figure:
    """Show which source patches painted some patches of a translation, as recorded.

    The photo is in the middle, its translation below, the sources with the largest shares left and right. A curve leads
    from a query's box to the box of the patch that won it, by way of the two patches enlarged, with their similarity.
    The picks favour contrast and similarity, are spread over the photo and in proportion to the sources' shares.

    Args:
        translation: What to explain.
        picks: How many retrievals to show.

    Returns:
        A figure 1600 px wide that belongs to no pyplot state.

    Raises:
        SettingError: `picks` is below 1.
    """
    if picks < 1:
        raise SettingError(f"picks {picks}", "below 1", "Show at least one retrieval")
    chosen = select(translation, picks)
    pictures = [translation.banks.picture(source) for source in chosen.sources]
    crowd = [sum(chosen.sides[pick.place][0] == side for pick in chosen.picks) for side in (0, 1)]
    text = NAME_LINE + CREDIT_LINE * (1 if len(translation.banks.names) == 1 else 2)
    page = arrange(shape(translation.input), [shape(p) for p in pictures], chosen.sides, max(crowd), text)
    canvas = Canvas.create(WIDTH, page.height)
    write_header(canvas, translation)
    draw_centre(canvas, page, translation, chosen)
    for place, picture in enumerate(pictures):
        draw_source(canvas, page, translation, chosen, place, picture)
    for side in (0, 1):
        draw_side(canvas, page, side, chosen, translation.input, pictures)
    write_footer(canvas, page)
    return canvas.figure


def write_header(canvas: Canvas, translation: Translation) -> None:
    banks = translation.banks
    facts = [
        f"{len(translation.matches):,} retrievals",
        f"preset {translation.settings.preset}",
        f"{len(banks.sources)} source" + "s" * (len(banks.sources) != 1),
        "attribution: footprint",
    ]
    room = WIDTH - 2 * MARGIN
    canvas.text(MARGIN, 50, canvas.shortened(", ".join(banks.names), TITLE, room, bold=True), TITLE, bold=True)
    canvas.text(MARGIN, 76, " · ".join(facts), SMALL, FAINT)


def write_footer(canvas: Canvas, page: Page) -> None:
    text = (
        "Each curve is a recorded retrieval: a patch of the photo, the stored patch that won it, and their bandpass "
        "similarity. Square in a pair: the patch itself."
    )
    canvas.text(MARGIN, page.height - FOOTER + 36, canvas.shortened(text, SMALL, WIDTH - 2 * MARGIN), SMALL, FAINT)


def draw_centre(canvas: Canvas, page: Page, translation: Translation, chosen: Selection) -> None:
    """Input, output with the same boxes, and the bar of shares."""
    for label, pixels, box in (("Input", translation.input, page.input), ("Output", translation.image, page.output)):
        canvas.text(box.x, box.y - 9, label, BODY, bold=True)
        canvas.picture(pixels, box)
    for pick in chosen.picks:
        canvas.frame(place_box(pick.query_box, translation.image, page.output), colour(pick.place), LINE * 0.7, True)
    left, other = page.shares.x, max(0.0, 1 - sum(chosen.shares))
    for place, share in enumerate([*chosen.shares, other]):
        width = share * page.shares.width
        tone = colour(place) if place < len(chosen.shares) else OTHER
        canvas.bar(Box(left, page.shares.y, width, page.shares.height), tone)
        left += width
    canvas.text(page.shares.x, page.shares.y - 8, "Shares of the output", SMALL, FAINT)
    if other >= 0.0005:
        canvas.text(
            page.shares.right, page.shares.y - 8, f"other sources {percent(other)}", SMALL, FAINT, align="right"
        )


def draw_source(
    canvas: Canvas, page: Page, translation: Translation, chosen: Selection, place: int, picture: Pixels
) -> None:
    """One source: picture in its frame, share, name, creator and licence."""
    card, number = page.cards[place], chosen.sources[place]
    credit = translation.banks.sources[number].credit
    canvas.picture(picture, card)
    canvas.frame(card, colour(place), 3.0)
    y = card.bottom + NAME_LINE
    share = percent(chosen.shares[place])
    taken = canvas.text_width(share + "  ", BODY, bold=True)
    canvas.text(card.x, y, share, BODY, bold=True)
    name = translation.banks.sources[number].stem
    canvas.text(card.x + taken, y, canvas.shortened(name, BODY, page.column - taken), BODY)
    licence = f" · {credit.licence}"
    creator = canvas.shortened(credit.creator, SMALL, page.column - canvas.text_width(licence, SMALL))
    lines = [creator + licence]
    if len(translation.banks.names) > 1:
        lines.insert(0, translation.banks.bank_of_source(number)[0].name)
    for n, line in enumerate(lines, 1):
        canvas.text(card.x, y + n * CREDIT_LINE, canvas.shortened(line, SMALL, page.column), SMALL, FAINT)


def draw_side(
    canvas: Canvas, page: Page, side: int, chosen: Selection, photo: Pixels, pictures: Sequence[Pixels]
) -> None:
    """The curves and pairs on one side, in the order of the boxes they lead to."""
    picks = [pick for pick in chosen.picks if chosen.sides[pick.place][0] == side]
    targets = {p: place_box(p.source_box, pictures[p.place], page.cards[p.place]) for p in picks}
    origins = {p: place_box(p.query_box, photo, page.input) for p in picks}
    picks.sort(key=lambda p: (chosen.sides[p.place][1], targets[p].y, p.query))
    wanted = [(targets[p].centre[1] + origins[p].centre[1]) / 2 for p in picks]
    top, bottom = page.span
    half = page.patch / 2
    for pick, y in zip(
        picks, spread(wanted, page.patch + PAIR_TEXT + PAIR_GAP, top + half, bottom - half - PAIR_TEXT), strict=True
    ):
        frames = page.input, page.cards[pick.place]
        draw_pick(canvas, pick, (origins[pick], targets[pick]), frames, (page.gutters[side], y), page.patch, side)
        crops = crop(photo, pick.query_box), crop(pictures[pick.place], pick.source_box)
        draw_pair(canvas, pick, crops, (page.gutters[side], y), page.patch, side)


def draw_pick(
    canvas: Canvas,
    pick: Pick,
    ends: tuple[Box, Box],
    frames: tuple[Box, Box],
    middle: tuple[float, float],
    patch: float,
    side: int,
) -> None:
    """The two boxes, and the curve from each to the pair of patches between them."""
    origin, target = ends
    tone, outwards = colour(pick.place), 1 if side else -1
    x, y = middle
    reach = outwards * (patch + PATCH_GAP / 2)
    canvas.curve(facing(origin, outwards), facing(frames[0], outwards)[0], (x - reach, y), tone, LINE)
    canvas.curve(facing(target, -outwards), facing(frames[1], -outwards)[0], (x + reach, y), tone, LINE)
    canvas.frame(origin, tone, LINE, True, f"query-{pick.query}")
    canvas.frame(target, tone, LINE, True, f"winner-{pick.query}")


def draw_pair(
    canvas: Canvas,
    pick: Pick,
    crops: tuple[tuple[Pixels, Box], tuple[Pixels, Box]],
    middle: tuple[float, float],
    patch: float,
    side: int,
) -> None:
    """The query's patch on the photo's side, the winner's on the source's, and their similarity below."""
    x, y = middle
    left, right = x - PATCH_GAP / 2 - patch, x + PATCH_GAP / 2
    for (pixels, part), at in zip(crops, (left, right) if side else (right, left), strict=True):
        box = Box(at, y - patch / 2, patch, patch)
        canvas.picture(pixels, box, magnified=True)
        canvas.frame(box, colour(pick.place), LINE)
        canvas.frame(box.place(part, shape(pixels)), INK, 2.4)
        canvas.frame(box.place(part, shape(pixels)), "white", 1.2)
    canvas.text(x, y + patch / 2 + 18, f"{pick.similarity:.2f}", SMALL, INK, align="center")


def crop(picture: Pixels, box: Box) -> tuple[Pixels, Box]:
    """A patch and its surroundings, shifted inwards at the edge, and where the patch lies in it."""
    height, width = picture.shape[:2]
    side_y, side_x = min(CONTEXT, height), min(CONTEXT, width)
    y = int(np.clip(box.centre[1] - side_y / 2, 0, height - side_y))
    x = int(np.clip(box.centre[0] - side_x / 2, 0, width - side_x))
    return picture[y : y + side_y, x : x + side_x], Box(box.x - x, box.y - y, box.width, box.height)


def place_box(part: Box, picture: Pixels, where: Box) -> Box:
    """A part of a picture on the page, large enough to be seen."""
    return where.place(part, shape(picture)).enlarged(SMALLEST_BOX, where)


def facing(box: Box, direction: int) -> tuple[float, float]:
    """Middle of the right (1) or left (-1) edge."""
    return (box.right if direction > 0 else box.x), box.centre[1]


def shape(pixels: Pixels) -> tuple[int, int]:
    """(height, width)."""
    return pixels.shape[0], pixels.shape[1]


def colour(place: int) -> str:
    return SOURCE_COLOURS[place]


def percent(share: float) -> str:
    """A share in percent, one decimal below 10."""
    return f"{share:.0%}" if share >= 0.0995 else f"{share:.1%}"
