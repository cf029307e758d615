"""Cluster trees as figures and views show them, whatever kind of bank they are of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ktviz.images import Pixels

Numbers = npt.NDArray[np.int64]
Spreads = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Cluster:
    """One node of a bank's tree, described.

    Attributes:
        node: Its number; 0 is the root.
        parent: The node above; -1 for the root.
        level: Steps below the root.
        size: Entries below it.
        children: Number of nodes directly below it; 0 for a leaf.
        spread: How far apart its entries are: 0 where all are alike.
        exemplars: Entries of the bank: the medoid first, then others by falling similarity.
    """

    node: int
    parent: int
    level: int
    size: int
    children: int
    spread: float
    exemplars: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Nodes:
    """The nodes of a tree; 0 is the root.

    Attributes:
        parent: (nodes,) the node above each, which has a smaller number; -1 above the root.
        size: (nodes,) entries below each.

    Example:
        >>> nodes = Nodes(np.array([-1, 0, 0, 2]), np.array([5, 2, 3, 3]))
        >>> nodes.depth, nodes.children[0].tolist(), nodes.path(3)
        (2, [1, 2], [2, 3])
    """

    parent: Numbers
    size: Numbers

    def __len__(self) -> int:
        return len(self.parent)

    @cached_property
    def level(self) -> Numbers:
        """(nodes,) steps below the root."""
        found = np.zeros(len(self), dtype=np.int64)
        for node in range(1, len(self)):
            found[node] = found[self.parent[node]] + 1
        return found

    @cached_property
    def children(self) -> list[Numbers]:
        """The nodes directly below each, ascending."""
        order = np.argsort(self.parent, kind="stable")
        ends = np.searchsorted(self.parent[order], np.arange(len(self) + 1))
        return [order[start:end] for start, end in pairwise(ends)]

    @property
    def depth(self) -> int:
        """Levels below the root."""
        return int(self.level.max())

    @property
    def leaves(self) -> int:
        """How many nodes have none below."""
        return sum(len(children) == 0 for children in self.children)

    def above(self, leaves: Sequence[int]) -> list[tuple[int, int]]:
        """The nodes between some leaves and the root, ascending, each with the number of those leaves below it.

        Example:
            >>> Nodes(np.array([-1, 0, 0, 2]), np.array([5, 2, 3, 3])).above([1, 3])
            [(2, 1)]
        """
        found = Counter(node for leaf in leaves for node in self.path(leaf)[:-1])
        return sorted(found.items())

    def path(self, node: int) -> list[int]:
        """The nodes from below the root to one."""
        found: list[int] = []
        while node > 0:
            found.insert(0, node)
            node = int(self.parent[node])
        return found


@dataclass(frozen=True, eq=False)
class ClusterTree:
    """A bank's tree.

    Attributes:
        bank: Name of the bank.
        digest: Of the bank.
        entries: How many the bank has.
        nodes: Their structure.
        words: What the nodes are called; empty where a number is all there is.
        measure: What tells how near something is to a node: larger is nearer.
        spread: What the spread of a node is, in a sentence.
        picture_px: Side of an entry's picture.
        spreads: The spread of each of some nodes, (n,).
        describe: Some nodes, with so many exemplars at most.
        pictures: Entries as pictures: (n, `picture_px`, `picture_px`, 3).
    """

    bank: str
    digest: str
    entries: int
    nodes: Nodes
    words: Sequence[str]
    measure: str
    spread: str
    picture_px: int
    spreads: Callable[[Sequence[int]], Spreads]
    describe: Callable[[Sequence[int], int], list[Cluster]]
    pictures: Callable[[Sequence[int]], Pixels]

    def __len__(self) -> int:
        return len(self.nodes)
