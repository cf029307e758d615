"""The cluster trees of banks, and how a translation went through them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
import torch

from ktviz.errors import TraceError
from ktviz.explain.case import Case
from ktviz.images import Pixels
from ktviz.library.cluster_tree import ClusterTree, Nodes
from ktviz.systems.descents import Descent, Similarities, Way, visits
from ktviz.systems.protocol import check_ability
from ktviz.trace.trace import Trace
from ktviz.widgets.asking import Answer, Body, RequestError, numbers, places
from ktviz.widgets.packing import Part, finite, steps
from ktviz.widgets.panels.panel import Panel
from ktviz.widgets.pictures import sheet
from ktviz.widgets.protocol import NO_SOURCE
from ktviz.widgets.room import Room
from ktviz.widgets.subject import Subject, lengths, paths

PATH_SIMILARITY = "path_similarity"
"""What systems call the column of similarities to the nodes of ways down a tree."""
COSINE = "cosine"
EXEMPLARS = 6
MOST_PICTURED = 600
"""Nodes of a bank of which a page keeps pictures, at most."""
MOST_SPREADS = 4_000
"""Nodes of a bank of which a page keeps the spread; they are numbered level by level."""
MOST_OUTLINED = 20_000
"""Nodes of a tree that is drawn as a whole."""
MOST_COMPARED = 50_000
"""Entries among which the best of all is looked for while somebody waits."""
MOST_ROADS = 16_000_000
"""Similarities to roads that a page keeps: queries times levels times children."""
WAYS, VISITED = "ways through cluster trees", "which leaves were visited"
"""What a page may lack, in words."""
MOST_VISITED = 256_000_000
"""Retrievals times nodes of which a page is told who visited which."""
SOME, ENOUGH = 16, 0.75
"""The ways of every so many-th query are looked at first; all of them take at least so much of as many times that."""

Drawn = tuple[npt.NDArray[np.int32], Pixels, npt.NDArray[np.int32]]

_drawn: WeakKeyDictionary[Trace, dict[str, Drawn]] = WeakKeyDictionary()
"""Exemplars of the trees of a recording, by bank: nodes in their order, their pictures and how many each has. Its sites
have most in common."""


def appears(subject: Subject) -> bool:
    """Where there is a tree, or the trace tells of ways through one, or its system has some and the run took none."""
    return bool(trees(subject)) or paths(subject.trace) is not None or subject.treeless


def can(subject: Subject) -> dict[str, bool]:
    """Whether a tree can be asked."""
    return {"tree": bool(trees(subject))}


def trees(subject: Subject) -> Sequence[ClusterTree]:
    """The trees that can be asked: those of a view without a translation, or of a system with that ability."""
    able = subject.library is not None or subject.can("tree")
    return subject.trees if able else ()


def columns(subject: Subject) -> dict[str, Part]:
    """Nodes on every winner's way down its bank's tree (N, depth), -1 beyond the leaf, and the cosines to them."""
    way = paths(subject.trace)
    if way is None:
        return {}
    length = lengths(way)
    depth = int(length.max(initial=0))
    inside = np.arange(depth) < length[:, None]
    node = np.full(inside.shape, -1, dtype=np.int32)
    similarity = np.full(inside.shape, np.nan, dtype=np.float32)
    node[inside] = way.combine_chunks().flatten().to_numpy()
    if subject.trace.has(PATH_SIMILARITY):
        known = subject.trace.winners[subject.trace.full_name(PATH_SIMILARITY)].combine_chunks()
        similarity[inside] = known.flatten().to_numpy(zero_copy_only=False)
    return {"path": node, "path_similarity": similarity}


# Answers


def children(subject: Subject, body: Body) -> Answer:
    """{bank, nodes} → those nodes and all their children, described."""
    tree = tree_asked(subject, body)
    wanted = numbers(body, "nodes", len(tree))
    below = [child for node in wanted for child in tree.nodes.children[node].tolist()]
    return {}, cluster_columns(tree, list(dict.fromkeys([*wanted, *below])))


def outline(subject: Subject, body: Body) -> Answer:
    """{bank} → parent, level and size of every node, of very large trees of the upper levels: (nodes,)."""
    return {}, outline_columns(tree_asked(subject, body))


def outline_columns(tree: ClusterTree) -> dict[str, Part]:
    """The nodes of as many whole levels as there is room for; they are numbered level by level."""
    levels = np.bincount(tree.nodes.level).cumsum()
    fitting = int((levels <= MOST_OUTLINED).sum())
    count = int(levels[max(1, fitting) - 1])
    columns = {"above": tree.nodes.parent, "level": tree.nodes.level, "size": tree.nodes.size}
    return {name: column[:count].astype(np.int32) for name, column in columns.items()}


def thumbs(subject: Subject, body: Body) -> Answer:
    """{bank, nodes} → exemplars of each: one picture, a row of `EXEMPLARS` entries per node, medoid first."""
    tree = tree_asked(subject, body)
    nodes = numbers(body, "nodes", len(tree))
    if not nodes:
        raise RequestError("pictures of nodes", "none named", "Name at least one")
    pictures, count = exemplar_rows(tree, nodes)
    row = np.arange(len(nodes), dtype=np.int32)
    return {}, {"node": np.array(nodes, dtype=np.int32), "count": count, "row": row, "sheet": sheet(pictures)}


def descent(subject: Subject, body: Body) -> Answer:
    """{queries} → the way down for each: every road at every level, the road taken, and the leaves visited."""
    place = places(subject, body)
    case = subject.live()
    check_ability(case.system, "tree", "ways down a cluster tree")
    known = {tree.bank: tree.nodes for tree in trees(subject)}
    return {"descents": [as_values(one, known[one.bank]) for one in case.system.descents(case.trace, place)]}, {}


def exact(subject: Subject, body: Body) -> Answer:
    """{queries} → for each the best entry of all, and the way down to it: see `Best`; none where it is not known, and
    `missing` says why."""
    place = np.array(places(subject, body), dtype=np.int64)
    case = subject.live()
    check_ability(case.system, "tree", "ways down a cluster tree")
    found = best_of_all(case, place)
    if found is None:
        return {"exact": [], "missing": missing(case)}, {}
    return {"exact": [best.as_values() for best in found_ways(subject, place, *found)], "missing": ""}, {}


@dataclass(frozen=True, eq=False)
class Best:
    """The best entry of all for a retrieval.

    Attributes:
        source: Its source's number in the view, `NO_SOURCE` where the trace does not list it.
        box: Where it lies there, (4,) px.
        similarity: Of the entry.
        bank: Name of its bank, in whose tree
        way: leads to it.
    """

    source: int
    box: npt.NDArray[np.float32]
    similarity: float
    bank: str
    way: Descent

    @property
    def near(self) -> Similarities:
        """How near the query is to each node of the way: (nodes,)."""
        return np.array([road.similarity[road.nodes == road.taken][0] for road in self.way.roads], dtype=np.float32)

    def as_values(self) -> dict[str, Any]:
        """As JSON holds it."""
        near = finite(np.round(self.near.astype(np.float64), 4))
        said = {"source": self.source, "box": self.box.tolist(), "similarity": round(self.similarity, 6)}
        return {**said, "bank": self.bank, "path": list(self.way.path), "near": near}


def best_of_all(case: Case, place: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], Similarities] | None:
    """The best entry for some retrievals, and its similarity; None where it is not known and takes long to find."""
    if case.trace.has("exact_entry"):
        return known_best(case.trace, place)
    if missing(case):
        return None
    found = case.system.oracle(case.trace, place)
    return found.winner.numpy(), found.winner_similarity.numpy()


def known_best(trace: Trace, place: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], Similarities]:
    """The best entries that `Trace.with_regret` found."""
    best = trace.column("similarity")[place] + trace.column("regret")[place]
    return trace.column("exact_entry")[place].astype(np.int64), best.astype(np.float32)


def missing(case: Case) -> str:
    """Why the best entries are not looked for while somebody waits, in words."""
    if "oracle" not in case.system.abilities:
        return f"{case.system.name} has no exact search"
    entries = len(case.system.banks or ())
    return f"{entries:,} entries: ask trace.with_regret() first" if entries > MOST_COMPARED else ""


def found_ways(
    subject: Subject, place: npt.NDArray[np.int64], entry: npt.NDArray[np.int64], similarity: Similarities
) -> list[Best]:
    """The ways of some retrievals to other entries (n,)."""
    case, asked = subject.live(), torch.from_numpy(entry)
    banks: Any = subject.banks  # of a kind with trees
    names = [banks.source_names[number] for number in banks.source_of(asked).tolist()]
    ways = case.system.descents(case.trace, place.tolist(), entry)
    return [
        Best(subject.number.get(name, NO_SOURCE), box, value, way.bank, way)
        for name, box, value, way in zip(names, banks.boxes(asked).numpy(), similarity.tolist(), ways, strict=True)
    ]


def tree_asked(subject: Subject, body: Body) -> ClusterTree:
    """The tree of the bank that a request names by its number."""
    if not subject.trees:
        raise TraceError(
            "ask for a cluster tree", "there is none behind this view", subject.frozen or "Its system searches no tree"
        )
    return subject.trees[numbers({"banks": [body.get("bank")]}, "banks", len(subject.trees))[0]]


def cluster_columns(tree: ClusterTree, nodes: Sequence[int]) -> dict[str, Part]:
    """Nodes described, as columns (n,)."""
    known, rows = tree.nodes, np.asarray(nodes, dtype=np.int64)
    columns = {
        "node": rows,
        "parent": known.parent[rows],
        "level": known.level[rows],
        "size": known.size[rows],
        "children": np.array([len(known.children[node]) for node in nodes], dtype=np.int64),
    }
    found: dict[str, Part] = {name: column.astype(np.int32) for name, column in columns.items()}
    return {**found, "spread": tree.spreads(nodes)}


def exemplar_rows(tree: ClusterTree, nodes: Sequence[int]) -> tuple[Pixels, npt.NDArray[np.int32]]:
    """Exemplars of nodes (n, `EXEMPLARS`, side, side, 3), black where there are fewer, and their numbers (n,)."""
    found = tree.describe(nodes, EXEMPLARS)
    count = np.array([len(cluster.exemplars) for cluster in found], dtype=np.int32)
    cut = tree.pictures([entry for cluster in found for entry in cluster.exemplars])
    filled = np.zeros((len(found), EXEMPLARS, *cut.shape[1:]), dtype=np.uint8)
    filled[np.arange(EXEMPLARS) < count[:, None]] = cut
    return filled, count


def as_values(descent: Descent, nodes: Nodes) -> dict[str, Any]:
    """A descent as JSON holds it; `passed` counts the visited leaves below each node above them."""
    roads = [
        {
            "nodes": road.nodes.tolist(),
            "similarity": finite(np.round(road.similarity.astype(np.float64), 4)),
            "taken": road.taken,
            "greedy": road.greedy,
        }
        for road in descent.roads
    ]
    return {
        "query": descent.query,
        "bank": descent.bank,
        "path": list(descent.path),
        "roads": roads,
        "greedy": {"path": list(descent.greedy.path), "near": finite(near_of(descent.greedy))},
        "visited": list(descent.visited),
        "ranked": descent.ranked,
        "passed": [list(pair) for pair in nodes.above(descent.visited)],
    }


def near_of(way: Way) -> npt.NDArray[np.float64]:
    """How near a query is to the nodes of a way, rounded as JSON holds it: (nodes,)."""
    return way.similarity.astype(np.float64).round(4)


# What a page keeps


def in_page(subject: Subject, room: Room) -> dict[str, Part]:
    """The trees, the way of every retrieval, and pictures of nodes."""
    asked = trees(subject)
    found = room.take(outlines(asked), "cluster trees")
    if not found:
        return {}
    if subject.case is not None:
        ways = descent_parts(subject.case, subject.trees) if hopeful(subject.case, subject.trees, room) else {}
        visited = {name: ways.pop(name) for name in ("visited",) if name in ways}
        found |= room.take(exact_parts(subject), "ways to the best of all")
        if ways:
            found |= room.take(ways, WAYS)
        elif any(tree.nodes.depth for tree in subject.trees):
            room.lacking.append(WAYS)  # more than a page is ever told
        if "roads" in found and visited:
            found |= room.take(visited, VISITED)
        elif "roads" in found:
            room.lacking.append(VISITED)
    for number, tree in enumerate(asked):
        found |= pictured(subject.trace, tree, number, room)
    return found


def outlines(asked: Sequence[ClusterTree]) -> dict[str, Part]:
    """Parent, level, size and spread of every node of the trees; of very large ones spreads of the upper levels."""
    parts: dict[str, Part] = {}
    for number, tree in enumerate(asked):
        known = {"above": tree.nodes.parent, "levels": tree.nodes.level, "sizes": tree.nodes.size}
        columns: dict[str, Part] = {name: column.astype(np.int32) for name, column in known.items()}
        columns["spread"] = tree.spreads(range(min(len(tree), MOST_SPREADS)))
        parts |= {f"tree/{number}/{name}": part for name, part in columns.items()}
    return parts


def pictured(trace: Trace, tree: ClusterTree, number: int, room: Room) -> dict[str, Part]:
    """Exemplars of nodes: their numbers, how many each has, and a sheet; the nodes that are looked at first, as many as
    fit in a part of the room. What the first scene of a page has, serves the others."""
    names = [f"tree/{number}/{name}" for name in ("pictured", "count", "sheet")]
    if all(name in room.known for name in names):
        return {name: room.known[name] for name in names}
    nodes = looked_at(trace, tree)
    most, found = min(len(nodes), MOST_PICTURED), dict[str, Part]()
    while most and not found:
        parts = dict(zip(names, exemplar_parts(trace, tree, nodes[:most]), strict=True))
        if room.size_of(parts) <= room.left // 3:
            found = room.take(parts, tree.bank)
        else:
            most //= 2
    if most < len(nodes):
        room.lacking.append(f"pictures of {len(nodes) - most:,} of {len(nodes):,} nodes of {tree.bank}")
    return found


def exemplar_parts(trace: Trace, tree: ClusterTree, nodes: Sequence[int]) -> tuple[Part, Part, Part]:
    """Some nodes, how many exemplars each has, and their pictures."""
    known, asked = _drawn.setdefault(trace.whole.recording, {}), np.unique(np.array(nodes, np.int32))
    if tree.bank not in known or not np.isin(asked, known[tree.bank][0]).all():
        known[tree.bank] = asked, *exemplar_rows(tree, asked.tolist())
    there, pictures, count = known[tree.bank]
    row = np.searchsorted(there, nodes)
    return np.array(nodes, np.int32), count[row], sheet(pictures[row], "small")


def looked_at(trace: Trace, tree: ClusterTree) -> list[int]:
    """All nodes: the root and its children, then the nodes that winners passed, then all others, each by visits; of a
    tree alone by size."""
    counts = visits(trace, tree.bank, len(tree)) if len(trace) else tree.nodes.size
    first = [0, *tree.nodes.children[0].tolist()]
    return list(dict.fromkeys([*first, *np.argsort(-counts, kind="stable").tolist()]))


def hopeful(case: Case, searched: Sequence[ClusterTree], room: Room) -> bool:
    """Whether the ways of all queries may fit, by those of some: to find all takes longer than much of a page."""
    if len(case.trace) < 2 * SOME:
        return True
    some = descent_parts(case, searched, SOME)
    return ENOUGH * SOME * room.size_of(some) <= room.left


def descent_parts(case: Case, searched: Sequence[ClusterTree], step: int = 1) -> dict[str, Part]:
    """How near every query, or every so many-th, is to the roads at each level of its winner's bank, and which leaves
    were visited.

    `roads` is (queries, depth, most children), children in the order of their numbers: cosines in steps, others as they
    are; `visited` is (queries, bytes), one bit per node of the bank; `greedy_path` (queries, depth) are
    nodes, -1 beyond the leaf, and `greedy_near` is how near these are.
    """
    depth = max((tree.nodes.depth for tree in searched), default=0)
    width = max((len(below) for tree in searched for below in tree.nodes.children), default=0)
    nodes = max((len(tree) for tree in searched), default=0)
    count = 1 + int(case.trace.column("query").max(initial=-1))
    if not depth or count * depth * width > MOST_ROADS:
        return {}
    roads = np.full((count, depth, width), np.nan, dtype=np.float32)
    visited = np.zeros((count, nodes if count * nodes <= MOST_VISITED else 0), dtype=bool)
    greedy, near = np.full((count, depth), -1, dtype=np.int32), np.full((count, depth), np.nan, dtype=np.float32)
    for way in case.system.descents(case.trace, range(0, len(case.trace), step)):
        for level, road in enumerate(way.roads):
            roads[way.query, level, : len(road.nodes)] = road.similarity
        if visited.size:
            visited[way.query, list(way.visited)] = True
        path = way.greedy.path
        greedy[way.query, : len(path)], near[way.query, : len(path)] = path, way.greedy.similarity
    found = {
        "roads": steps(roads) if all(tree.measure == COSINE for tree in searched) else roads,
        "greedy_path": greedy,
        "greedy_near": near,
    }
    return {**found, **({"visited": np.packbits(visited, axis=1, bitorder="little")} if visited.size else {})}


def exact_parts(subject: Subject) -> dict[str, Part]:
    """The best entries of all retrievals as `Best` has them, where the trace knows them: (queries, …), -1 and NaN
    beyond a leaf."""
    trace = subject.live().trace
    if not trace.has("exact_entry"):
        return {}
    place = np.arange(len(trace))
    found = found_ways(subject, place, *known_best(trace, place))
    depth = max((tree.nodes.depth for tree in subject.trees), default=0)
    path, near = np.full((len(found), depth), -1, dtype=np.int32), np.full((len(found), depth), np.nan, np.float32)
    for best, nodes, cosines in zip(found, path, near, strict=True):
        nodes[: len(best.way.path)], cosines[: len(best.way.path)] = best.way.path, best.near
    banks = subject.trace.about["banks"]
    return {
        "exact_path": path,
        "exact_near": near,
        "exact_source": np.array([best.source for best in found], dtype=np.int32),
        "exact_box": np.array([best.box for best in found], dtype=np.float32),
        "exact_similarity": np.array([best.similarity for best in found], dtype=np.float32),
        "exact_bank": np.array([banks.index(best.bank) for best in found], dtype=np.int32),
    }


PANEL = Panel(
    "tree",
    row=1,
    height_px=620,
    appears=appears,
    can=can,
    columns=columns,
    answers={"children": children, "outline": outline, "thumbs": thumbs, "descent": descent, "exact": exact},
    kept=in_page,
)
