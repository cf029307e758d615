"""Where the nodes of a tree are drawn: a column for each level, or on a narrow page one below the other, indented."""

from __future__ import annotations

from dataclasses import dataclass

from ktviz.figures.layout import MARGIN, columns_in
from ktviz.figures.outline import REST, Item

ROW, GROUP_GAP = 42.0, 14.0
PICTURE = 34.0
STEP = PICTURE + 3
LINK, INDENT = 76.0, 66.0
"""Width of the curves left of a column, and of the lines left of an indented node."""
EXEMPLARS = 6
MOST, EACH = 60, (17, 8, 8)
"""Items that are drawn, whatever the tree; those below the root, and below a node of each level beneath it."""
FEWER, EACH_FEWER = 40, (12, 6)
"""The same on a page that has no room for all levels."""
MOST_ROWS, EACH_ROW = 26, (9, 5)
"""The same where they are one below the other."""


@dataclass(frozen=True)
class Room:
    """How much of a tree a page has room for.

    Attributes:
        width: Between the margins, in px.
        numbers: Width of the numbers of a node.
    """

    width: float
    numbers: float

    @property
    def columns(self) -> int:
        """Levels that stand side by side."""
        return columns_in(self.width, STEP + self.numbers, LINK, 1 + len(EACH))

    @property
    def indented(self) -> bool:
        """Whether there is no room for two columns."""
        return self.columns < 2

    @property
    def most(self) -> tuple[int, tuple[int, ...]]:
        """Items that are drawn, and those below a node of each level."""
        if self.indented:
            return MOST_ROWS, EACH_ROW
        return (MOST, EACH) if self.columns > len(EACH) else (FEWER, EACH_FEWER[: self.columns - 1])


@dataclass(frozen=True)
class Layout:
    """Where the items are.

    Attributes:
        place: Left edge and middle y of every item, in their order.
        exemplars: Of a node, at most.
        numbers: Left edge of all numbers where items are below each other; None where they follow the exemplars.
    """

    place: list[tuple[float, float]]
    exemplars: int
    numbers: float | None

    @classmethod
    def create(cls, items: list[Item], room: Room, top: float) -> Layout:
        """Of a page of so much room, from a height on."""
        levels = 1 + max(item.level for item in items)
        if room.indented:
            place = [(MARGIN + item.level * INDENT, y) for item, y in zip(items, rows(items, top), strict=True)]
            exemplars = fitting(room.width - (levels - 1) * INDENT - room.numbers)
            return cls(place, exemplars, MARGIN + room.width - room.numbers)
        pitch = (room.width + LINK) / max(levels, 2)
        exemplars = fitting(pitch - LINK - room.numbers)
        place = [(MARGIN + item.level * pitch, y) for item, y in zip(items, heights(items, top), strict=True)]
        return cls(place, exemplars, None)

    @property
    def bottom(self) -> float:
        """Middle y of the lowest item."""
        return max(y for _, y in self.place)


def fitting(room: float) -> int:
    """Exemplars that fit into so much room."""
    return int(min(EXEMPLARS, max(1, room // STEP)))


def children(items: list[Item]) -> dict[int, list[int]]:
    """Places of the items below each node."""
    below: dict[int, list[int]] = {}
    for number, item in enumerate(items):
        below.setdefault(item.parent, []).append(number)
    return below


def rows(items: list[Item], top: float) -> list[float]:
    """Middle y of each item: all one below the other, what is below a node right beneath it."""
    below, order = children(items), list[int]()

    def settle(number: int) -> None:
        order.append(number)
        for child in below.get(items[number].node, []) if items[number].node != REST else []:
            settle(child)

    settle(0)
    y = {number: top + ROW / 2 + row * ROW for row, number in enumerate(order)}
    return [y[number] for number in range(len(items))]


def heights(items: list[Item], top: float) -> list[float]:
    """Middle y of each item: one below the other on each level, a node in the middle of those below it."""
    below = children(items)
    y = [0.0] * len(items)
    free = [top + ROW / 2] * (1 + max(item.level for item in items))

    def settle(number: int) -> list[int]:
        item = items[number]
        under = below.get(item.node, []) if item.node != REST else []
        moved = [number] + [n for child in under for n in settle(child)]
        y[number] = (y[under[0]] + y[under[-1]]) / 2 if under else free[item.level]
        push = max(0.0, free[item.level] - y[number])
        for n in moved:
            y[n] += push
            free[items[n].level] = max(free[items[n].level], y[n] + ROW)
        if under:
            free[item.level + 1] += GROUP_GAP
        return moved

    settle(0)
    return y
