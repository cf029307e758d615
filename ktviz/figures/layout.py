"""Where the parts of a backtracking figure lie: the photo in the middle, sources left and right of it.

Lengths are page px (y downwards); the page is 1600 px wide, or as wide as somebody asks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ktviz.regions import Box

WIDTH = 1600.0
"""Of a page where nobody says how wide it is to be."""
MARGIN = 40.0
HEADER = 104.0
FOOTER = 56.0
CAPTION = 30.0
"""Height of a line of text above a centre picture."""
CARD_GAP = 20.0
SHARE_BAR = 52.0
TALLEST_CARD = {1: 340.0, 2: 300.0, 3: 230.0, 4: 172.0}
"""Height of a source's picture by the number of sources in a column."""
OUTPUT_SCALE = 0.8
"""Size of the output beside that of the input, which comes first here."""
PATCH_GAP = 5.0
PAIR_TEXT = 24.0
PAIR_GAP = 8.0
SMALLEST_PATCH = 32.0
BEND = 64.0
"""Width that a curve needs on either side of a pair."""


@dataclass(frozen=True)
class Page:
    """Places of everything.

    Attributes:
        height: Of the page.
        input: The photo.
        output: Its translation, below.
        shares: The bar of shares, above the photo.
        cards: Picture of each source, in the order of `sides`.
        gutters: Middle x of the space between sources and photo, left and right.
        patch: Side of a patch picture.
        column: Width of a column of sources.
    """

    height: float
    input: Box
    output: Box
    shares: Box
    cards: tuple[Box, ...]
    gutters: tuple[float, float]
    patch: float
    column: float

    @property
    def span(self) -> tuple[float, float]:
        """Top and bottom of the space for sources and pairs."""
        return HEADER, self.height - FOOTER


def arrange(
    photo: tuple[int, int],
    pictures: Sequence[tuple[int, int]],
    sides: Sequence[tuple[int, int]],
    crowd: int,
    card_text: float,
    width: float = WIDTH,
) -> Page:
    """Lay out a page.

    Args:
        photo: (height, width) of the input.
        pictures: (height, width) of each source's picture.
        sides: (side, rank) of each source: 0 left or 1 right; 0 is on top.
        crowd: Most pairs on one side.
        card_text: Height of the text below a source.
        width: Of the page; columns and the space between them take their parts of it.
    """
    part = (width - 2 * MARGIN) / (WIDTH - 2 * MARGIN)
    order = sorted(range(len(sides)), key=lambda n: sides[n][1])
    stacks = [[n for n in order if sides[n][0] == side] for side in (0, 1)]
    columns = sum(map(bool, stacks))
    column, gutter = (part * length for length in ((254.0, 262.0) if columns == 2 else (420.0, 300.0)))
    middle = width - 2 * MARGIN - columns * (column + gutter)
    left = MARGIN + (column + gutter if columns == 2 else 0)
    photo_size = fit(photo, middle, 560.0)
    output_size = fit(photo, middle * OUTPUT_SCALE, 560.0 * OUTPUT_SCALE)
    centre = SHARE_BAR + 2 * CAPTION + photo_size[1] + output_size[1]
    most = max(map(len, stacks))
    cards = [fit(shape, column, TALLEST_CARD[min(most, 4)]) for shape in pictures]
    room = max(
        centre,
        crowd * (SMALLEST_PATCH + PAIR_TEXT + PAIR_GAP),
        *(column_height(cards, stack, card_text) for stack in stacks),
    )
    places: dict[int, Box] = {}
    for side, stack in enumerate(stacks):
        gap = (room - column_height(cards, stack, card_text)) / (len(stack) + 1) + CARD_GAP
        y = HEADER + gap - CARD_GAP
        for n in stack:
            # Every picture touches the space between, so that no curve runs across a text.
            places[n] = Box(width - MARGIN - column if side else MARGIN + column - cards[n][0], y, *cards[n])
            y += cards[n][1] + card_text + gap
    top = HEADER + (room - centre) / 2
    # With sources on one side only, everything else is flush left.
    photo_box = Box(left + (middle - photo_size[0]) / 2 * (columns - 1), top + SHARE_BAR + CAPTION, *photo_size)
    return Page(
        height=HEADER + room + FOOTER,
        input=photo_box,
        output=Box(
            photo_box.x + (photo_size[0] - output_size[0]) / 2 * (columns - 1),
            photo_box.bottom + CAPTION,
            *output_size,
        ),
        shares=Box(left, top + 22, middle, 14),
        cards=tuple(places[n] for n in range(len(pictures))),
        gutters=(left - gutter / 2, left + middle + gutter / 2),
        patch=min(gutter / 2 - part * BEND, room / crowd - PAIR_TEXT - PAIR_GAP),
        column=column,
    )


def column_height(cards: Sequence[tuple[float, float]], stack: Sequence[int], text: float) -> float:
    """Height of some cards (width, height), one below the other."""
    return sum(cards[n][1] + text + CARD_GAP for n in stack) - CARD_GAP


def fit(shape: tuple[int, int], width: float, height: float) -> tuple[float, float]:
    """Width and height of a picture (height, width) made as large as fits."""
    scale = min(width / shape[1], height / shape[0])
    return shape[1] * scale, shape[0] * scale


def in_rows(count: int, columns: int, size: tuple[float, float], step: tuple[float, float], top: float) -> list[Box]:
    """Boxes (width, height) from the left margin on, so many in a row; `step` leads across to the next, and down."""
    places = (divmod(number, columns) for number in range(count))
    return [Box(MARGIN + column * step[0], top + row * step[1], *size) for row, column in places]


def columns_in(room: float, least: float, gap: float, most: int) -> int:
    """How many columns there are, each at least so wide, with gaps between them."""
    return max(1, min(most, int((room + gap) // (least + gap))))


def spread(wanted: Sequence[float], distance: float, low: float, high: float) -> list[float]:
    """Positions in the given order, at least `distance` apart, as near as possible to the wanted ones.

    Least squares under order: neighbours too close move as one block (pool adjacent violators).
    """
    blocks: list[tuple[float, int]] = []
    for n, place in enumerate(wanted):
        mean, size = place - n * distance, 1
        while blocks and blocks[-1][0] > mean:
            before, count = blocks.pop()
            mean, size = (mean * size + before * count) / (size + count), size + count
        blocks.append((mean, size))
    last = high - (len(wanted) - 1) * distance
    starts = [min(max(mean, low), max(last, low)) for mean, size in blocks for _ in range(size)]
    return [start + n * distance for n, start in enumerate(starts)]


def percent(share: float) -> str:
    """A share in percent, with one decimal below 10."""
    return f"{share:.0%}" if abs(share) >= 0.0995 else f"{share:.1%}"


def placed(part: Box, picture: tuple[int, int], where: Box) -> Box:
    """Where a part of a picture (height, width), in picture px, lies when the picture fills a box of the page."""
    down, across = where.height / picture[0], where.width / picture[1]
    return Box(where.x + part.x * across, where.y + part.y * down, part.width * across, part.height * down)


def enlarged(box: Box, side: float, within: Box) -> Box:
    """About the same centre, each side no shorter than `side`, not beyond another box."""
    width, height = max(box.width, side), max(box.height, side)
    x, y = box.centre[0] - width / 2, box.centre[1] - height / 2
    x, y = min(x, within.right - width), min(y, within.bottom - height)
    return Box(max(x, within.x), max(y, within.y), width, height)
