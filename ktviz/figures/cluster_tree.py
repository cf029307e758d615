"""The tree figure: a bank's cluster tree from the root to the leaves that were visited most, with exemplar patches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from matplotlib.figure import Figure

from ktviz.errors import MismatchError, TraceError
from ktviz.explain.result import one_site
from ktviz.figures.canvas import Canvas, Point
from ktviz.figures.colours import FAINT, INK, QUANTITY_INK
from ktviz.figures.layout import MARGIN
from ktviz.figures.lines import TITLE_LINE, wrapped, write
from ktviz.figures.maps import BODY, SMALL, TITLE
from ktviz.figures.outline import REST, Item, outline, tree_visits
from ktviz.figures.share_bars import TRACK
from ktviz.figures.tree_layout import PICTURE, STEP, Layout, Room
from ktviz.images import Pixels
from ktviz.library.banks import AnyBank
from ktviz.library.cluster_tree import Cluster, ClusterTree
from ktviz.library.kinds.trees import checked_tree
from ktviz.printing import counted
from ktviz.regions import Box
from ktviz.trace.trace import Trace

TOP = 168.0
QUERY = 76.0
"""Side of the query's picture."""
NUMBERS = {"node": 60.0, "entries": 80.0, "spread": 60.0, "visits": 60.0}
"""What is said of a node, and the width of each column."""
LINE = 22.0
HEAD = 80.0
"""Width of the head of a level."""
NARROWEST = 540.0
"""Px of the narrowest page."""
PALE, EXACT_INK = "#C9C9C9", "#A3260F"
BESIDE = 18
"""Height of a line beside a node, in px."""
HOW_TO_READ = "Pictures: the medoid, then members by falling similarity."


def tree_figure(
    bank: AnyBank,
    trace: Trace | None = None,
    query: int | None = None,
    exact: Mapping[int, float] | None = None,
    *,
    width: float | None = None,
) -> Figure:
    """The cluster tree of a bank: root, level 1, and what lies below the nodes that matter most; the rest is counted.

    Nodes matter by the retrievals of a trace that pass them, or without a trace by their entries. At most 60 are drawn,
    fewer on a narrow page.

    Args:
        bank: Whose tree.
        trace: A translation with this bank; its visits are shown.
        query: One of its queries; its winner's path is lit, with the cosine to each node.
        exact: The nodes down to the leaf of the exact winner, and how near the query is to each (NaN where nothing
            says). They are marked, too: where the paths part, the search took another way than the best entry's, and
            the numbers say why.
        width: In inches; there are fewer levels side by side on a narrow page, or all nodes are below each other.

    Returns:
        A figure, 1600 px wide if nobody says, that belongs to no pyplot state.

    Raises:
        SettingError: Text would be too small to read.
        TraceError: A query without a trace, or one that the trace does not hold.
        MismatchError: The query's winner is of another bank, or the bank has been edited since.
        UnknownNameError: The trace was not made with the bank.
        LibraryError: The bank's kind has no tree.
    """
    tree, trace, exact = checked_tree(bank), None if trace is None else one_site(trace), exact or {}
    lit = {} if query is None else lit_path(tree, trace, query)
    visited = None if trace is None else tree_visits(tree, trace)
    count = tree.nodes.size if visited is None else visited
    canvas = Canvas.page(width, NARROWEST)
    room = Room(canvas.room, sum(NUMBERS.values()))
    path = (*lit, *(node for node in exact if node not in lit))
    items = outline(tree.nodes, count, *room.most, path)
    visits = None if visited is None else int(visited[0])
    top = TOP + write_header(canvas, tree, items, facts_of(trace, visits), path_text(tree, query, lit, exact))
    drawing = Drawing.create(canvas, tree, items, Layout.create(items, room, top), lit, exact, visits)
    if trace is not None and query is not None:
        drawing.draw_query(trace, query)
    drawing.write_heads(top - 22)
    drawing.draw_links()
    for item in items:
        drawing.draw_item(item)
    return canvas.end(drawing.write_reading())


def lit_path(tree: ClusterTree, trace: Trace | None, query: int) -> dict[int, float]:
    """The nodes on the path of a query's winner, and how near the query is to each; NaN where nothing says."""
    if trace is None:
        raise TraceError(f"the path of query {query}", "no trace was given", "Pass the trace that holds it")
    rows = np.flatnonzero(trace.column("query") == query)
    if len(rows) != 1:
        raise TraceError(f"query {query}", f"the trace holds {len(rows)} of that number", "Take one image and one site")
    winner = trace.column("bank")[rows[0]]
    if winner != tree.bank:
        raise MismatchError(f"the path of query {query} in {tree.bank}", f"its winner is of {winner}", "Draw that bank")
    path = trace.column("path")[rows[0]].tolist() if trace.has("path") else []
    known = trace.has("path_similarity")
    near = trace.column("path_similarity")[rows[0]].tolist() if known else [np.nan] * len(path)
    return dict(zip(path, near, strict=True))


def write_header(canvas: Canvas, tree: ClusterTree, items: list[Item], visits: Sequence[str], path: str) -> float:
    """Bank, numbers and the query's path; how much lower what follows must lie for lines beyond the first of each."""
    drawn = sum(item.node != REST for item in items)
    facts = [counted(tree.entries, "entry", "entries"), f"{counted(len(tree), 'node')}, {drawn} drawn"]
    facts += [counted(tree.nodes.leaves, "leaf", "leaves"), f"{counted(tree.nodes.depth, 'level')} below the root"]
    room = canvas.room - QUERY - 20
    titles = wrapped(canvas, [f"Cluster tree of {tree.bank}"], size=TITLE, room=room, bold=True)
    lines, steps = wrapped(canvas, [*facts, *visits], " · ", room=room), wrapped(canvas, [path], room=room, bold=True)
    write(canvas, titles, (MARGIN, 50), TITLE_LINE, TITLE, INK, bold=True)
    more = TITLE_LINE * (len(titles) - 1)
    write(canvas, lines, (MARGIN, 78 + more), LINE)
    more += LINE * (len(lines) - 1)
    write(canvas, steps, (MARGIN, 104 + more), LINE, SMALL, QUANTITY_INK, bold=True)
    return more + TITLE_LINE * (len(steps) - 1)


def facts_of(trace: Trace | None, visits: int | None) -> list[str]:
    """How many retrievals the visits are."""
    return [] if trace is None else [f"visits: {visits:,} of {counted(len(trace), 'retrieval')}, won by this bank"]


def path_text(tree: ClusterTree, query: int | None, lit: dict[int, float], exact: Mapping[int, float]) -> str:
    """The path of a query's winner in words, and that of the exact winner where it is another."""
    if query is None:
        return ""
    steps = steps_in_words(tree, lit)
    said = f", {tree.measure} to each node of its winner's path" if any(map(np.isfinite, lit.values())) else ""
    text = f"Query {query}{said}: {steps or 'the root is its leaf'}"
    if exact and set(exact) != set(lit):
        text += f"; exact winner: {steps_in_words(tree, exact)}"
    return text


def steps_in_words(tree: ClusterTree, path: Mapping[int, float]) -> str:
    """The nodes of a path, each with how near it is."""
    return " → ".join(f"{word(tree, node)}{near_in_words(near)}" for node, near in path.items())


def word(tree: ClusterTree, node: int) -> str:
    """What a node is called."""
    return tree.words[node] if tree.words else f"node {node}"


@dataclass(frozen=True)
class Drawing:
    """What is drawn, and where.

    Attributes:
        canvas: The figure.
        tree: What is drawn.
        items: Nodes and remainders, the root first.
        layout: Where they are.
        clusters: The drawn nodes described.
        pictures: Exemplars of the drawn nodes, (n, side, side, 3) each.
        lit: Nodes on the query's path, and how near it is to each.
        exact: Nodes on the exact winner's path, and how near each is.
        retrievals: Those that winners of this bank answered; None without a trace.
    """

    canvas: Canvas
    tree: ClusterTree
    items: list[Item]
    layout: Layout
    clusters: dict[int, Cluster]
    pictures: dict[int, Pixels]
    lit: dict[int, float]
    exact: Mapping[int, float]
    retrievals: int | None

    @classmethod
    def create(
        cls,
        canvas: Canvas,
        tree: ClusterTree,
        items: list[Item],
        layout: Layout,
        lit: dict[int, float],
        exact: Mapping[int, float],
        retrievals: int | None,
    ) -> Drawing:
        """With the exemplars of the nodes."""
        clusters = tree.describe([item.node for item in items if item.node != REST], layout.exemplars)
        pictures = tree.pictures([entry for cluster in clusters for entry in cluster.exemplars])
        ends = np.cumsum([len(cluster.exemplars) for cluster in clusters])[:-1]
        return cls(
            canvas=canvas,
            tree=tree,
            items=items,
            layout=layout,
            clusters={cluster.node: cluster for cluster in clusters},
            pictures=dict(zip([c.node for c in clusters], np.split(pictures, ends), strict=True)),
            lit=lit,
            exact=exact,
            retrievals=retrievals,
        )

    @property
    def place(self) -> list[tuple[float, float]]:
        """Left edge and middle y of every item, in their order."""
        return self.layout.place

    @property
    def exemplars(self) -> float:
        """Width of the exemplars of a node."""
        return STEP * max(len(pictures) for pictures in self.pictures.values())

    @property
    def columns(self) -> dict[str, float]:
        """What is said of a node, and where each column of numbers ends, right of the exemplars."""
        names = list(NUMBERS) if self.retrievals is not None else list(NUMBERS)[:-1]
        return dict(zip(names, accumulate(NUMBERS.values()), strict=False))

    @property
    def width(self) -> float:
        """Of a node with exemplars and numbers."""
        return self.exemplars + max(self.columns.values())

    def numbers(self, left: float) -> float:
        """Left edge of the numbers of a node."""
        return left + self.exemplars if self.layout.numbers is None else self.layout.numbers

    def write_heads(self, y: float) -> None:
        """Heads of the columns: of each level, or of all numbers where nodes are below each other."""
        lefts = {x: item.level for item, (x, _) in zip(self.items, self.place, strict=True)}
        if self.layout.numbers is not None:
            lefts = {MARGIN: 0}
        above = 22 if self.exemplars < HEAD and self.layout.numbers is None else 0
        for left, level in lefts.items():
            self.canvas.text(left, y - above, f"Level {level}" if level else "Root", BODY, bold=True)
            for name, end in self.columns.items():
                self.canvas.text(self.numbers(left) + end, y, name, SMALL, FAINT, align="right")

    def write_reading(self) -> float:
        """How to read the figure, below it; where the page ends."""
        bars = "" if self.retrievals is None else " Bar: part of the visits, 0 to 1."
        lines = wrapped(self.canvas, [f"{HOW_TO_READ} Spread: {self.tree.spread}.{bars}"])
        write(self.canvas, lines, (MARGIN, self.layout.bottom + 68), LINE)
        return self.layout.bottom + 96 + LINE * (len(lines) - 1)

    def draw_query(self, trace: Trace, query: int) -> None:
        """The query's patch of the photo, at the right end of the header."""
        if trace.input is not None:
            x, y, width, height = trace.column("box")[trace.column("query") == query][0].astype(int).tolist()
            place = Box(self.canvas.width - MARGIN - QUERY, 30, QUERY, QUERY)
            self.canvas.picture(trace.input[y : y + height, x : x + width], place, magnified=True)
            self.canvas.frame(place, QUANTITY_INK, 3.0)

    def draw_links(self) -> None:
        """Curves from every node to those below it; the query's path last, over the others."""
        place = {item.node: where for item, where in zip(self.items, self.place, strict=True) if item.node != REST}
        for over in range(3):
            for item, where in zip(self.items[1:], self.place[1:], strict=True):
                look = self.look(item)
                if look[0] == over:
                    self.draw_link(place[item.parent], where, *look[1:])

    def draw_link(self, start: Point, end: Point, colour: str, width: float) -> None:
        """From a node to one below it: bent from column to column, or straight down and across."""
        if self.layout.numbers is None:
            edge = start[0] + self.width + 8
            self.canvas.curve((edge, start[1]), edge, (end[0] - 6, end[1]), colour, width)
        else:
            x = start[0] + 6
            self.canvas.line([(x, start[1] + PICTURE / 2 + 4), (x, end[1]), (end[0] - 6, end[1])], colour, width)

    def look(self, item: Item) -> tuple[int, str, float]:
        """What lies over what, colour and width of an item's link and frame."""
        if item.node != REST and item.node in self.lit:
            return 2, QUANTITY_INK, 3.0
        if item.node != REST and item.node in self.exact:
            return 1, EXACT_INK, 3.0
        return 0, PALE, 1.4

    def draw_item(self, item: Item) -> None:
        """A node with its exemplars and numbers, or how many are left out."""
        x, y = self.place[self.items.index(item)]
        if item.node == REST:
            text = f"… {item.nodes:,} more: {counted(item.size, 'entry', 'entries')}"
            text += "" if self.retrievals is None else f", {counted(item.count, 'visit')}"
            self.canvas.text(x, y + 5, text, SMALL, FAINT)
            return
        on_path = item.node in self.lit
        for n, picture in enumerate(self.pictures[item.node]):
            box = Box(x + n * STEP, y - PICTURE / 2, PICTURE, PICTURE)
            self.canvas.picture(picture, box, magnified=True)
            self.canvas.frame(box, PALE, 1.0)  # keeps white patches apart from the page
        if on_path or item.node in self.exact:
            self.mark(item, x, y)
        self.write_numbers(item, self.numbers(x), y, on_path)

    def mark(self, item: Item, x: float, y: float) -> None:
        """The frame of a node on a path and how near it is, on the side that the curve does not come from."""
        on_path = item.node in self.lit
        ink, near = (QUANTITY_INK, self.lit[item.node]) if on_path else (EXACT_INK, self.exact[item.node])
        self.canvas.frame(Box(x, y - PICTURE / 2, len(self.pictures[item.node]) * STEP - 3, PICTURE), ink, 3.0)
        parent = next(where for other, where in zip(self.items, self.place, strict=True) if other.node == item.parent)
        lines = [*([] if on_path else ["exact"]), *([f"{near:.2f}"] if np.isfinite(near) else [])]
        first = y + 18 if parent[1] < y else y - 8 - BESIDE * (len(lines) - 1)
        for number, line in enumerate(lines):
            self.canvas.text(x - 10, first + BESIDE * number, line, SMALL, ink, bold=True, align="right")

    def write_numbers(self, item: Item, left: float, y: float, bold: bool) -> None:
        """Node, entries, spread and visits, and the visits as a bar."""
        cluster = self.clusters[item.node]
        name = self.tree.words[item.node] if self.tree.words else str(item.node)
        values = [name, f"{item.size:,}", f"{cluster.spread:.2f}"]
        if self.retrievals is not None:
            values.append(f"{item.count:,}")
            track = Box(left + 10, y + 11, self.width - self.exemplars - 10, 5)
            self.canvas.bar(track, TRACK)
            part = item.count / max(self.retrievals, 1)
            self.canvas.bar(Box(track.x, track.y, track.width * part, track.height), QUANTITY_INK)
        for (name, end), value in zip(self.columns.items(), values, strict=True):
            self.canvas.text(
                left + end, y + 4, value, SMALL, FAINT if name == "node" else INK, bold=bold, align="right"
            )


def near_in_words(near: float) -> str:
    """How near, in brackets; nothing where nothing says."""
    return f" ({near:.2f})" if np.isfinite(near) else ""
