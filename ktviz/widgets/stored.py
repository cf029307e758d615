"""What an exported page keeps of the answers: the same facts, laid out for all retrievals at once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from ktviz.explain.case import Case
from ktviz.images import Pixels, encode_image
from ktviz.library.kinds.patches.bank import Bank
from ktviz.systems.descents import Descent
from ktviz.systems.kt.descent import visits
from ktviz.widgets.answers import candidate_columns, cluster_columns, exemplar_rows, sheet
from ktviz.widgets.packing import Part
from ktviz.widgets.scene import abilities
from ktviz.widgets.subject import Subject, small

STEPS = 10_000
"""Cosines and parts of norm are stored as whole steps: half the room of floats, and finer than a trace keeps them."""
PICTURES_BYTES = 900_000
"""Pictures of sources are made smaller until all fit in so much."""
SIDES_PX = (640, 448, 320, 224, 160)
MOST_NODES = 600
"""Nodes of a bank that are stored, if its root does not have more."""
MOST_STEPS = 4_000_000
"""Similarities to roads that are stored: queries times levels times children."""
SHEET = 256
"""Patches on one sheet of decoded bands."""


def stored(subject: Subject) -> dict[str, Part]:
    """All that fits of what Python could be asked."""
    parts = {**candidate_parts(subject), **picture_parts(subject)}
    for number, bank in enumerate(() if subject.banks is None else subject.banks.banks):
        parts |= {f"tree/{number}/{name}": part for name, part in tree_parts(subject, bank).items()}
    return parts if subject.case is None else {**parts, **descent_parts(subject.case)}


def steps(values: npt.NDArray[np.floating]) -> npt.NDArray[np.int16]:
    """Values from -1 to 1 as whole steps; NaN as the least."""
    return np.where(np.isnan(values), -STEPS - 1, np.round(values * STEPS)).astype(np.int16)


def candidate_parts(subject: Subject) -> dict[str, Part]:
    """Boxes and bands of all candidates."""
    if subject.trace.thinned or not abilities(subject)["bands"]:
        return {}
    source_box, bands, entry, query = candidate_columns(subject)
    return {
        "source_box": source_box,
        "bands": steps(bands),
        "entry_bands": steps(entry),
        "query_bands": steps(query),
    }


def picture_parts(subject: Subject) -> dict[str, Part]:
    """Pictures of the sources that gave something, as large as fits."""
    used = [n for n, share in enumerate(subject.shares["share"]) if share > 0]
    found = {n: picture for n in used if (picture := subject.picture(n)) is not None}
    for side in SIDES_PX:
        parts: dict[str, Part] = {
            f"picture/{n}": encode_image(small(picture, side), "small") for n, picture in found.items()
        }
        if sum(len(part) for part in parts.values()) <= PICTURES_BYTES:
            return parts
    return {}  # so many sources that their thumbs must do


def tree_parts(subject: Subject, bank: Bank) -> dict[str, Part]:
    """Nodes of a bank's tree, with exemplars; and the parent of every node, stored or not: (nodes,)."""
    nodes = stored_nodes(subject, bank)
    pictures, count = exemplar_rows(bank, nodes[:MOST_NODES])
    count = np.pad(count, (0, len(nodes) - len(count)))  # of a very wide root, not all children have pictures
    above = bank.tree.parent.numpy().astype(np.int32)
    return {**cluster_columns(bank, nodes), "count": count, "sheet": sheet(pictures, "small"), "above": above}


def stored_nodes(subject: Subject, bank: Bank) -> list[int]:
    """The root and its children, then the children of whatever was visited, most visited first, as many as may be.

    Always all children of a node or none: a page could not tell the roads not taken from some of them.
    """
    tree = bank.tree
    if len(tree) <= MOST_NODES:
        return list(range(len(tree)))
    found = [0, *tree.children[0].tolist()]
    counts = (tree.end - tree.start).numpy()
    if len(subject.trace):
        counts = visits(subject.trace, bank.name, len(tree))
    parents = np.flatnonzero([len(children) > 0 for children in tree.children])[1:]
    for node in parents[np.argsort(-counts[parents], kind="stable")].tolist():
        family = tree.children[node].tolist()
        if node in found and len(found) + len(family) <= MOST_NODES:
            found += family
    return found


def descent_parts(case: Case) -> dict[str, Part]:
    """How near every query is to the roads at each level of its winner's bank, and which leaves were visited.

    `roads` is (N, depth, most children) in steps, children in the order of their numbers; `visited` is (N, bytes), one
    bit per node of the bank; `greedy_leaf` is (N,).
    """
    banks = () if case.system.banks is None else case.system.banks.banks
    depth = max((bank.tree.depth for bank in banks), default=0)
    width = max((len(c) for bank in banks for c in bank.tree.children), default=0)
    nodes = max((len(bank.tree) for bank in banks), default=0)
    count = len(case.trace)
    if not depth or count * depth * width > MOST_STEPS or count * nodes > 8 * MOST_STEPS:
        return {}
    roads = np.full((count, depth, width), -STEPS - 1, dtype=np.int16)
    visited = np.zeros((count, nodes), dtype=bool)
    greedy = np.zeros(count, dtype=np.int32)
    for descent in case.system.descents(case.trace, range(count)):
        fill(roads[descent.query], descent)
        visited[descent.query, list(descent.visited)] = True
        greedy[descent.query] = descent.greedy_leaf
    return {"roads": roads, "visited": np.packbits(visited, axis=1, bitorder="little"), "greedy_leaf": greedy}


def fill(roads: npt.NDArray[np.int16], descent: Descent) -> None:
    for level, road in enumerate(descent.roads):
        roads[level, : len(road.nodes)] = steps(road.similarity)


def decoded_sheets(subject: Subject, room: int) -> dict[str, Part]:
    """Pictures of the bands of queries and of the entries that won, as many as fit in so many bytes.

    Returns:
        `decoded/n`: a sheet of `SHEET` rows of five patches; `decoded_query` and `decoded_entry`: what the rows are, a
        query number or an entry, -1 where it is the other.
    """
    if subject.case is None or not abilities(subject)["bands"]:
        return {}
    query, entry = subject.trace.column("query"), np.unique(subject.trace.column("entry"))
    rows = np.concatenate((np.column_stack((query, np.full(len(query), -1))), [(-1, number) for number in entry]))
    rows = rows[np.argsort(spaced(len(query), len(entry)), kind="stable")].astype(np.int32)
    parts: dict[str, Part] = {}
    kept = 0
    for number, pictures in enumerate(band_batches(subject.case, rows)):
        part = sheet(pictures, "small")
        room -= len(part)
        if room < 0:
            break
        parts[f"decoded/{number}"] = part
        kept += len(pictures)
    return {**parts, "decoded_query": rows[:kept, 0].copy(), "decoded_entry": rows[:kept, 1].copy()}


def spaced(first: int, second: int) -> npt.NDArray[np.float64]:
    """Keys that sort two runs into each other evenly: if not all fit, both lose alike."""
    return np.concatenate((np.arange(first) / max(1, first), np.arange(second) / max(1, second)))


def band_batches(case: Case, rows: npt.NDArray[np.int32]) -> Iterator[Pixels]:
    """Bands of queries and entries, as in `decoded_sheets`, a sheet at a time: (n, 5, 16, 16, 3)."""
    place = np.argsort(case.trace.column("query"))
    for start in range(0, len(rows), SHEET):
        query, entry = rows[start : start + SHEET].astype(np.int64).T
        asked = query >= 0
        found, _ = case.system.band_pictures(case.trace, place[query[asked]], entry[~asked])
        pictures = np.empty_like(found)
        pictures[asked], pictures[~asked] = found[: asked.sum()], found[asked.sum() :]
        yield pictures
