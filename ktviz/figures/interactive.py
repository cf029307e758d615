"""Figures to hover over, made with plotly: cluster trees, shares and similarities.

Every figure is a plain `plotly.graph_objects.Figure`; what it shows is in its data. Plotly reads HTML in texts, and
formulas between dollars, so names go in escaped.
"""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np
import plotly.graph_objects as go

from ktviz.explain.result import one_site
from ktviz.figures.canvas import SANS
from ktviz.figures.colours import FAINT, INK, OTHER, QUANTITY
from ktviz.figures.layout import percent
from ktviz.figures.outline import REST, Item, outline, tree_visits
from ktviz.figures.share_bars import TRACK, extent, facts, region_shares
from ktviz.library.banks import AnyBank
from ktviz.library.cluster_tree import ClusterTree
from ktviz.library.kinds.trees import checked_tree
from ktviz.printing import counted
from ktviz.regions import Region
from ktviz.systems.descents import Numbers
from ktviz.trace.named import credit_of, short_title_of
from ktviz.trace.overlap import Floats, label_places
from ktviz.trace.trace import Trace

TITLE, BODY, SMALL = 18, 14, 12
"""Sizes of text in px."""
MOST = 1000
"""Items of a tree."""
EACH = 64
"""Items below one node."""
LEVELS = 6
CELLS = 128
"""Cells of a map of regions along its longer side."""
ROWS = 20
"""Bars of shares; the rest are one."""
LONGEST = 60
"""Characters of a name."""
TICKS = (0.0, 0.01, 0.05, 0.25, 0.5, 1.0)
"""Of the scale of visits."""


def tree_icicle(bank: AnyBank, trace: Trace | None = None) -> go.Figure:
    """A bank's cluster tree as an icicle: a node is as wide as it has entries, and coloured by its visits.

    Args:
        bank: Whose tree; of a large one, the most visited nodes (the largest, without a trace) are shown, the
            others counted.
        trace: A translation with this bank; without one, colours are the spread of the nodes.

    Raises:
        UnknownNameError: The trace was not made with the bank.
        MismatchError: The bank has been edited since.
    """
    tree, trace = checked_tree(bank), None if trace is None else one_site(trace)
    return tree_chart(go.Icicle(**tree_parts(tree, trace), tiling={"orientation": "v"}), tree, trace)


def tree_sunburst(bank: AnyBank, trace: Trace | None = None) -> go.Figure:
    """A bank's cluster tree as rings around the root; otherwise as `tree_icicle`."""
    tree, trace = checked_tree(bank), None if trace is None else one_site(trace)
    return tree_chart(go.Sunburst(**tree_parts(tree, trace), rotation=90), tree, trace)


def share_bars(trace: Trace, region: Region = None) -> go.Figure:
    """The sources that painted an image or a region, in the colours of the whole image, on a scale from 0 to 1.

    Args:
        trace: Of one image and one site.
        region: A `Box`, mask, polygon or pixel of the output; None for all of it.

    Raises:
        TraceError: A trace of several images or sites.
        RegionError: The region is empty or outside.
    """
    trace = one_site(trace)
    region = trace.mask if region is None else region
    frame, colours = region_shares(trace, region)
    rows, rest = frame.head(ROWS), frame.iloc[ROWS:]
    bars = [
        (short_title_of(row), row["share"], colours[row["source"]], source_text(row)) for row in rows.to_dict("records")
    ]
    if len(rest):
        name = counted(len(rest), "more source")
        bars.append((name, float(rest["share"].sum()), OTHER, name))
    places = list(range(len(bars)))
    figure = go.Figure(
        go.Bar(
            x=[share for _, share, _, _ in bars],
            y=places,
            orientation="h",
            marker_color=[colour for _, _, colour, _ in bars],
            text=[percent(share) for _, share, _, _ in bars],
            textposition="outside",
            cliponaxis=False,
            hovertext=[text for _, _, _, text in bars],
            hoverinfo="text",
        )
    )
    names = [label(name, 32) for name, _, _, _ in bars]
    figure.update_yaxes(tickvals=places, ticktext=names, autorange="reversed", showgrid=False, zeroline=False)
    figure.update_xaxes(
        range=[*extent(frame["share"].tolist())],
        tickvals=[0, 0.25, 0.5, 0.75, 1],
        title="share (overlap)",
        zeroline=False,
    )
    what = "the image" if region is None else "a region"
    return styled(figure, f"Which sources painted {what}", facts(trace, region, len(frame)), 140 + 34 * len(bars))


def similarity_heatmap(trace: Trace) -> go.Figure:
    """Similarity of every query's winner where it lies in its canvas, on a scale from 0 to 1.

    Of queries that are regions, in cells of at least 1/128 of the canvas.

    Args:
        trace: Of one image and one site.

    Raises:
        TraceError: A trace of several images or sites.
    """
    trace = one_site(trace)
    across, down, place = grid_cells(trace) if trace.regions is None else region_cells(*trace.regions)
    similarity = np.where(place < 0, np.nan, trace.column("similarity")[place])
    texts = np.where(place < 0, "", np.array(winner_texts(trace), dtype=object)[place])
    figure = go.Figure(
        go.Heatmap(
            x=across,
            y=down,
            z=similarity,
            text=texts,
            hoverinfo="text",
            zmin=0,
            zmax=1,
            colorscale=QUANTITY,
            colorbar=scale("similarity", (0.0, 0.25, 0.5, 0.75, 1.0)),
        )
    )
    height, width = trace.size
    figure.update_xaxes(range=[0, width], title="px", constrain="domain", showgrid=False)
    figure.update_yaxes(range=[height, 0], title="px", scaleanchor="x", constrain="domain", showgrid=False)
    about = [counted(len(trace), "retrieval"), f"median {np.median(trace.column('similarity')):.3f}"]
    return styled(figure, "Similarity of the winners", [*about, f"digest {trace.digest[:12]}"], 640)


Cells = tuple[Floats, Floats, Numbers]
"""Middles of columns and of rows in px, and the place of the retrieval in each cell, -1 for none: (rows, columns)."""


def grid_cells(trace: Trace) -> Cells:
    """A cell for each query on a grid."""
    box = trace.column("box")
    # Boxes are cut off at the right and lower edge of the canvas, so middles are those of whole boxes.
    (across, column), (down, row) = (steps(box[:, n] + box[:, n + 2].max() / 2) for n in (0, 1))
    place = np.full((len(down), len(across)), -1)
    place[row, column] = np.arange(len(trace))
    return across, down, place


def region_cells(number: Numbers, labels: Numbers) -> Cells:
    """The regions (N,) of a label map (H, W) in cells, each with what is in its middle."""
    side = -(-max(labels.shape) // CELLS)
    down, across = (np.arange(0, length, side) + side / 2 for length in labels.shape)
    rows, columns = (
        (middle - 0.5).astype(np.int64).clip(max=n - 1) for middle, n in zip((down, across), labels.shape, strict=True)
    )
    return across, down, label_places(number, labels[rows[:, None], columns])


def steps(values: Floats) -> tuple[Floats, Numbers]:
    """Even steps through some values, and the number of each value's step; parts of a trace may have gaps."""
    different = np.unique(values)
    pitch = float(np.diff(different).min()) if len(different) > 1 else 1.0
    number = ((values - different[0]) / pitch).round().astype(np.int64)
    return different[0] + pitch * np.arange(number.max() + 1), number


def tree_parts(tree: ClusterTree, trace: Trace | None) -> dict[str, Any]:
    """What icicle and sunburst share: nodes, sizes, colours and texts."""
    visited = None if trace is None else tree_visits(tree, trace)
    items = outline(tree.nodes, tree.nodes.size if visited is None else visited, MOST, (EACH,) * LEVELS)
    nodes = [item.node for item in items if item.node != REST]
    spread = dict(zip(nodes, tree.spreads(nodes).tolist(), strict=True))
    total = None if visited is None else int(visited[0])
    if total is None:
        colours = [spread.get(item.node, np.nan) for item in items]
        bar = scale("spread", (0.0, 0.25, 0.5, 0.75, 1.0))
    else:
        colours = [float(np.sqrt(item.count / max(total, 1))) for item in items]
        bar = scale("visits, part of all", TICKS, np.sqrt(TICKS).tolist())
    return {
        "ids": [item_id(item) for item in items],
        "parents": ["" if item.parent < 0 else str(item.parent) for item in items],
        "labels": [item_label(item, tree) for item in items],
        "values": [item.size for item in items],
        "branchvalues": "total",
        "hovertext": [item_text(item, spread.get(item.node), total) for item in items],
        "hoverinfo": "text",
        "marker": {
            "colors": [None, *colours[1:]] if total else colours,
            "colorscale": QUANTITY,
            "cmin": 0,
            "cmax": 1,
            "colorbar": bar,
            "showscale": True,
            "line": {"width": 0.5, "color": "white"},
        },
        "sort": False,
        "maxdepth": 4,
    }


def tree_chart(chart: go.Icicle | go.Sunburst, tree: ClusterTree, trace: Trace | None) -> go.Figure:
    """A tree with its title, and how much of it is not drawn."""
    drawn = sum(not str(one).endswith("+") for one in chart.ids)
    about = [
        counted(tree.entries, "entry", "entries"),
        counted(len(tree), "node"),
        counted(tree.nodes.leaves, "leaf", "leaves"),
        "numbers: nodes",
        "area: entries",
        *([f"{len(tree) - drawn:,} smaller nodes are left out (…)"] if drawn < len(tree) else []),
    ]
    about.append("colour: spread" if trace is None else "colour: visits, square-root scale")
    return styled(go.Figure(chart), f"Cluster tree of {label(tree.bank)}", about, 640)


def item_id(item: Item) -> str:
    """Number of a node; of the siblings that are left out, that of their parent with a mark."""
    return str(item.node) if item.node != REST else f"{item.parent}+"


def item_label(item: Item, tree: ClusterTree) -> str:
    """What is written on an item."""
    if item.node == REST:
        return f"… {item.nodes:,} more"
    return label(tree.bank) if item.node == 0 else (tree.words[item.node] if tree.words else str(item.node))


def item_text(item: Item, spread: float | None, total: int | None) -> str:
    """What is said of an item under the pointer."""
    lines = ["root" if item.node == 0 else f"node {item.node}" if item.node != REST else f"{item.nodes:,} more nodes"]
    lines.append(f"level {item.level}, {counted(item.size, 'entry', 'entries')}")
    if spread is not None:
        lines.append(f"spread {spread:.2f}")
    if total is not None:
        lines.append(f"{item.count:,} visits, {percent(item.count / max(total, 1))}")
    return "<br>".join(lines)


def source_text(row: dict[Any, Any]) -> str:
    """What is said of a source under the pointer."""
    names = short_title_of(row), row["source"], credit_of(row)
    numbers = (
        f"{percent(row['share'])}, {counted(row['retrievals'], 'retrieval')}, mean similarity {row['similarity']:.3f}"
    )
    return "<br>".join([*map(label, map(str, names)), numbers])


def winner_texts(trace: Trace) -> list[str]:
    """What is said of every winner under the pointer."""
    names = {name: label(name) for name in set(trace.column("source"))}
    columns = (trace.column(name) for name in ("query", "source", "entry", "similarity"))
    return [
        f"query {query}<br>{names[source]}<br>entry {entry}<br>similarity {similarity:.3f}"
        for query, source, entry, similarity in zip(*columns, strict=True)
    ]


def label(text: str, longest: int = LONGEST) -> str:
    """A name as plotly shows it as it is, cut to a length."""
    short = text if len(text) <= longest else text[: longest - 1].rstrip() + "…"
    return escape(short, quote=False).replace("$", "&#36;")


def scale(title: str, ticks: tuple[float, ...], places: list[float] | None = None) -> dict[str, Any]:
    """A colour scale with its values printed."""
    return {
        "title": {"text": title, "side": "right", "font": {"size": SMALL, "color": FAINT}},
        "tickvals": list(ticks) if places is None else places,
        "ticktext": [f"{tick:g}" for tick in ticks],
        "tickfont": {"size": SMALL, "color": FAINT},
        "thickness": 12,
        "outlinewidth": 0,
    }


def styled(figure: go.Figure, title: str, about: list[str], height: int) -> go.Figure:
    """White, one typeface, a title and a line of facts below it."""
    figure.update_layout(
        template="none",
        title={
            "text": f"<b>{title}</b>",
            "subtitle": {"text": " · ".join(about), "font": {"size": SMALL, "color": FAINT}},
            "x": 0.02,
            "xanchor": "left",
            "font": {"size": TITLE},
        },
        font={"family": ", ".join((*SANS, "sans-serif")), "size": BODY, "color": INK},
        height=height,
        uniformtext={"minsize": 11, "mode": "hide"},
        margin={"l": 60, "r": 60, "t": 90, "b": 50},
        paper_bgcolor="white",
        plot_bgcolor="white",
        hoverlabel={"align": "left", "font": {"size": SMALL}},
    )
    axis = {"automargin": True, "title_font_size": SMALL, "tickfont_size": SMALL, "ticklabelstandoff": 6}
    return figure.update_xaxes(gridcolor=TRACK, **axis).update_yaxes(**axis)
