"""Which nodes of a cluster tree a figure has room for: the largest, and the others as one."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ktviz.explain.case import check_equal
from ktviz.library.cluster_tree import ClusterTree, Nodes
from ktviz.retrieval.catalogue import LIBRARY_BANK
from ktviz.systems.descents import Numbers, visits
from ktviz.trace.trace import Trace

REST = -1


@dataclass(frozen=True)
class Item:
    """A node that is drawn, or the siblings that are not, as one.

    Attributes:
        node: Its number, or -1 for several.
        parent: Number of the node above; -1 for the root.
        level: Steps below the root.
        nodes: How many nodes it stands for.
        size: Entries below.
        count: Visits, or entries: by these it was chosen.
    """

    node: int
    parent: int
    level: int
    nodes: int
    size: int
    count: int


def outline(tree: Nodes, count: Numbers, most: int, each: Sequence[int], path: Sequence[int] = ()) -> list[Item]:
    """The nodes to draw: the children of the node with the largest count first, until there is room for no more.

    Args:
        tree: The tree, of any size.
        count: (nodes,) visits, or entries, of every node.
        most: Items, the root among them.
        each: Items below a node of level 0, 1, ...; children with the smallest counts become one item, below which
            nothing is drawn.
        path: Nodes that come before all others, from below the root.

    Returns:
        The root first, every node before those below it, siblings by falling count, what is left of them last.
    """
    size = tree.size
    items = [Item(0, -1, 0, 1, int(size[0]), int(count[0]))]
    waiting = [(False, 0, 0)] * (tree.depth > 0)
    while waiting:
        _, _, parent = heapq.heappop(waiting)
        below = siblings(tree, count, size, parent, each[int(tree.level[parent])], path)
        if len(items) + len(below) > most:
            continue
        items += below
        for item in below:
            if item.node != REST and item.level < len(each) and len(tree.children[item.node]):
                heapq.heappush(waiting, (item.node not in path, -item.count, item.node))
    return items


def siblings(tree: Nodes, count: Numbers, size: Numbers, parent: int, each: int, path: Sequence[int]) -> list[Item]:
    """The children of a node, by falling count; where they are more than `each`, the last item is all others."""
    children = tree.children[parent]
    level = int(tree.level[parent]) + 1
    order = children[np.lexsort((children, -count[children], ~np.isin(children, path)))]
    kept = order if len(order) <= each else order[: each - 1]
    kept = kept[np.argsort(-count[kept], kind="stable")]
    items = [Item(int(node), parent, level, 1, int(size[node]), int(count[node])) for node in kept]
    rest = order[len(kept) :]
    if len(rest):
        items.append(Item(REST, parent, level, len(rest), int(size[rest].sum()), int(count[rest].sum())))
    return items


def tree_visits(tree: ClusterTree, trace: Trace) -> Numbers:
    """`visits` for the tree of a bank at hand: (nodes,).

    Raises:
        UnknownNameError: The trace was not made with it.
        MismatchError: It has been edited since.
    """
    counts = visits(trace, tree.bank, len(tree))
    name = LIBRARY_BANK + tree.bank
    check_equal(name, trace.about["digests"].get(name, "none"), tree.digest)
    return counts
