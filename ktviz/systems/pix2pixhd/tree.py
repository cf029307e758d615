"""The tree of centres: classes, centres and members, as the ability `tree` tells of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ktviz.errors import AbilityError, UnknownNameError
from ktviz.labels import class_of
from ktviz.systems.descents import Descent, Road, Way
from ktviz.systems.pix2pixhd.centres import Centres, Placed
from ktviz.systems.pix2pixhd.looks import Looks
from ktviz.systems.pix2pixhd.objects import Numbers
from ktviz.systems.protocol import Leaves
from ktviz.trace.trace import Trace

MEASURE = "minus the distance"


def chosen_centres(trace: Trace, centres: Centres) -> Numbers:
    """(retrievals,) the centre that each object took."""
    label = class_of(trace.column("label").astype(np.int64))
    return centres.at(label, trace.column("centre").astype(np.int64))


def leaves(trace: Trace, centres: Centres) -> Leaves:
    """See `ktviz.systems.protocol.Leaves`: the leaves are centres."""
    if trace.sites == ["style"]:
        of_row = trace.column("entry", winners=False).astype(np.int64)
    else:
        query = np.searchsorted(trace.column("query"), trace.column("query", winners=False))
        of_row = chosen_centres(trace, centres)[query]
    known, number = np.unique(of_row, return_inverse=True)
    banks = [centres.bank] * len(centres) if centres.placed is None else centres.placed.banks
    rows: list[dict[str, Any]] = []
    without: list[tuple[int, ...]] = []
    for centre in known.tolist():
        members = (centre,) if centres.members is None else tuple(centres.members[centre].tolist())
        name, bank = centres.source_names[centre], banks[centre]
        rows.append({"node": f"{bank}#{name}", "bank": bank, "leaf": name, "entries": len(members)})
        without.append((centre,) if trace.sites == ["style"] else members)
    return Leaves(rows, number.astype(np.int64), without)


def descents(looks: Looks, trace: Trace, places: Sequence[int]) -> list[Descent]:
    """The ways of some retrievals from the root over the class to the centre.

    At a class nothing is compared: an object is of its class. Below it all centres that could be chosen are; their
    measure is minus the distance from the code that was wanted, or else from the object's own.

    Raises:
        AbilityError: The centres are in the tree of no bank.
        UnknownNameError: There is no such retrieval.
    """
    placed = looks.centres.placed
    if placed is None:
        why = "the centres are in no bank's tree: encoded, clustered again, or of a file"
        raise AbilityError("ways down a cluster tree", why, "Ask a run that chose from the centres of a bank")
    at = {int(number): place for place, number in enumerate(looks.number)}
    found = []
    for place in places:
        if not 0 <= place < len(trace):
            raise UnknownNameError(f"retrieval {place}", f"there are {len(trace)}", "Count from 0")
        one = at[int(trace.column("label")[place])]
        found.append(descent(looks, placed, int(trace.column("query")[place]), one))
    return found


def descent(looks: Looks, placed: Placed, query: int, one: int) -> Descent:
    """The way of one object, by its place among those of the picture."""
    taken, label = int(looks.centre[one]), int(looks.label[one])
    bank, path = placed.banks[taken], placed.paths[taken].tolist()
    mine = np.array([name == bank for name in placed.banks])
    classes = np.unique(placed.paths[mine, 0])
    below = np.flatnonzero(mine & (looks.centres.label == label))
    near = np.full(len(looks.centres), np.nan)
    near[looks.centres.of_class(label)] = -looks.apart(one)
    near = near[below]
    nodes = placed.paths[below, 1]
    there = np.flatnonzero(~np.isnan(near))
    order = there[np.argsort(-near[there], kind="stable")]
    greedy = int(nodes[order[0]])
    roads = (
        Road(1, classes, np.full(len(classes), np.nan, np.float32), path[0], path[0]),
        Road(2, nodes, near.astype(np.float32), path[1], greedy),
    )
    ranked = bool(looks.ranked[one])
    visited = nodes[order if ranked else there].tolist()
    way = Way((path[0], greedy), np.array([np.nan, near[order[0]]], dtype=np.float32))
    return Descent(query, bank, tuple(path), roads, way, tuple(visited), MEASURE, ranked)
