"""Descents: the ways of queries down a cluster tree, as a system with the ability `tree` tells them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ktviz.errors import unknown_name
from ktviz.trace.trace import Trace

Numbers = npt.NDArray[np.int64]
Similarities = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Road:
    """One level of the tree: all children of the node that the winner's path passes.

    Attributes:
        level: Of these children; 1 is below the root.
        nodes: (n,) their numbers.
        similarity: (n,) how near the query is to each, by which greedy descent chooses; NaN where that is not asked.
        taken: The node on the winner's path.
        greedy: The node with the largest similarity, which greedy descent takes from here.
    """

    level: int
    nodes: Numbers
    similarity: Similarities
    taken: int
    greedy: int


@dataclass(frozen=True, eq=False)
class Way:
    """Nodes from below the root to a leaf.

    Attributes:
        path: Their numbers; empty where the root is the only leaf.
        similarity: (nodes,) how near the query is to each, as on a `Road`.
    """

    path: tuple[int, ...]
    similarity: Similarities


@dataclass(frozen=True, eq=False)
class Descent:
    """The way of one query down the tree of its winner's bank.

    Attributes:
        query: Its number.
        bank: Name of the winner's bank; all nodes are of its tree.
        path: Nodes from below the root to the winner's leaf; empty where the root is the only leaf.
        roads: One per node of the path.
        greedy: The way of greedy descent from the root.
        visited: Leaves whose entries were compared, best first: those of the beam, or the one that "paper" reaches.
            Empty for "exact", which compares all. A winner that continues its neighbour's may lie in none of them.
        measure: What the similarities are: a cosine of the whole patch to each centre, or another.
        ranked: Whether the visited leaves come best first.
    """

    query: int
    bank: str
    path: tuple[int, ...]
    roads: tuple[Road, ...] = field(repr=False)
    greedy: Way = field(repr=False)
    visited: tuple[int, ...]
    measure: str = "cosine"
    ranked: bool = True

    @property
    def greedy_leaf(self) -> int:
        """Where greedy descent ends."""
        return self.greedy.path[-1] if self.greedy.path else 0


def visits(trace: Trace, bank_name: str, nodes: int) -> Numbers:
    """How often the winners' paths of a translation pass each node of a bank's tree; winners of other banks apart.

    Args:
        trace: Of a translation.
        bank_name: "task/style".
        nodes: Nodes of the bank's tree.

    Returns:
        (nodes,) counts; the root's is the number of winners from this bank.

    Raises:
        UnknownNameError: The trace was not made with this bank.
    """
    if bank_name not in trace.about["banks"]:
        raise unknown_name("bank", bank_name, trace.about["banks"])
    paths = trace.column("path")[trace.column("bank") == bank_name] if trace.has("path") else []
    counts = np.bincount(np.concatenate([np.empty(0, dtype=np.int64), *paths]), minlength=nodes)
    counts[0] = len(paths)
    return counts
