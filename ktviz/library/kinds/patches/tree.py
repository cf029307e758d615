"""The cluster tree: nodes, their centres, and the entries below each."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import overload

import torch
from torch import Tensor

from ktviz.errors import SettingError
from ktviz.printing import counted

PAPER_BRANCHING = (10, 10)
LEAF_SIZE = 96
"""Entries per leaf that the automatic branching aims at."""


class Children(Sequence[Tensor]):
    """The nodes directly below each, ascending; they are numbered one after the other.

    Args:
        parent: (nodes,) int64; -1 for the root.
    """

    def __init__(self, parent: Tensor) -> None:
        ends = torch.searchsorted(parent.contiguous(), torch.arange(len(parent) + 1))
        self.first, self.sizes = ends[:-1], ends.diff()

    def __len__(self) -> int:
        return len(self.first)

    @overload
    def __getitem__(self, node: int) -> Tensor: ...

    @overload
    def __getitem__(self, node: slice) -> list[Tensor]: ...

    def __getitem__(self, node: int | slice) -> Tensor | list[Tensor]:
        if isinstance(node, slice):
            return [self[one] for one in range(len(self))[node]]
        first = int(self.first[node])
        return torch.arange(first, first + int(self.sizes[node]))

    def __iter__(self) -> Iterator[Tensor]:
        return (self[node] for node in range(len(self)))


@dataclass(frozen=True, repr=False)
class Tree:
    """A tree over N entries in leaf order; node 0 is the root, nodes are numbered level by level.

    Attributes:
        centres: (nodes, D) cluster centres over whole patches, position-major, in half or single precision; row 0 (the
            root) is unused.
        parent: (nodes,) int64; -1 for the root.
        start: (nodes,) int64 first entry below the node.
        end: (nodes,) int64 one past the last entry below the node; where none is left, `start`.
    """

    centres: Tensor
    parent: Tensor
    start: Tensor
    end: Tensor

    @classmethod
    def of_leaves(cls, centres: Tensor, parent: Tensor, ends: Tensor) -> Tree:
        """A tree with its entries.

        Args:
            centres: As above.
            parent: As above.
            ends: (leaves + 1,) int64: where the entries of each leaf begin, and the end.
        """
        first, count = leaves_below(parent)
        return cls(centres, parent, ends[first], ends[first + count])

    def __repr__(self) -> str:
        entries = int(self.end[0]) if len(self.end) else 0
        nodes, leaves = counted(len(self.parent), "node"), counted(len(self.leaves), "leaf", "leaves")
        return f"Tree({nodes}, {leaves}, {counted(self.depth, 'level')}, {counted(entries, 'entry', 'entries')})"

    def __len__(self) -> int:
        return len(self.parent)

    @cached_property
    def children(self) -> Children:
        """The nodes directly below each."""
        return Children(self.parent)

    @cached_property
    def level(self) -> Tensor:
        """(nodes,) steps below the root."""
        return levels_of(self.parent)

    @property
    def depth(self) -> int:
        """Levels below the root."""
        return int(self.level.max())

    @cached_property
    def leaves(self) -> Tensor:
        """Nodes without children, in entry order."""
        return leaves_of(self.parent)

    def centres_of(self, nodes: Tensor) -> Tensor:
        """Centres of some nodes (n,): (n, D) float32."""
        return self.centres[nodes].float()

    def tiles(self, count: int) -> bool:
        """True if the tree covers entries 0 to `count` without gap or overlap, children inside their parents."""
        if len({len(self.centres), len(self.parent), len(self.start), len(self.end)}) > 1 or not is_tree(self.parent):
            return False
        leaves = self.leaves
        ends = torch.cat((self.start[leaves], self.end[leaves[-1:]]))
        if not torch.equal(self.end[leaves], ends[1:]) or not bool((ends.diff() >= 0).all()):
            return False
        again = Tree.of_leaves(self.centres, self.parent, ends)
        whole = int(ends[0]) == 0 and int(ends[-1]) == count
        return whole and torch.equal(again.start, self.start) and torch.equal(again.end, self.end)

    def leaf_of(self, entries: Tensor) -> Tensor:
        """The leaf that holds each entry: any shape of int64."""
        leaves = self.leaves
        return leaves[torch.searchsorted(self.start[leaves], entries.contiguous(), right=True) - 1]

    def paths(self, leaves: Tensor) -> Tensor:
        """Nodes from below the root to each leaf: (N,) to (N, depth), -1 beyond the leaf."""
        paths = torch.full((len(leaves), self.depth), -1)
        rows, node = torch.arange(len(leaves)), leaves
        while len(rows):
            below_root = self.level[node] > 0
            rows, node = rows[below_root], node[below_root]
            paths[rows, self.level[node] - 1] = node
            node = self.parent[node]
        return paths


def is_tree(parent: Tensor) -> bool:
    """Whether numbers (nodes,) are the parents of the nodes of a tree, numbered level by level."""
    if len(parent) == 0 or int(parent[0]) != -1:
        return False
    others = parent[1:]
    return bool((others >= 0).all() and (others < torch.arange(1, len(parent))).all() and (others.diff() >= 0).all())


def levels_of(parent: Tensor) -> Tensor:
    """Steps of each node below the root: (nodes,)."""
    level, first, last = torch.zeros(len(parent), dtype=torch.int64), 0, 1
    while last < len(parent):
        end = int(torch.searchsorted(parent, last))
        level[last:end] = level[first] + 1
        first, last = last, end
    return level


def leaves_below(parent: Tensor) -> tuple[Tensor, Tensor]:
    """Of each node the number of the first leaf below it, leaves counted in entry order, and how many there are."""
    level, sizes = levels_of(parent), Children(parent).sizes
    count = (sizes == 0).long()
    depth = int(level.max())
    spans = [slice(*torch.searchsorted(level, torch.tensor([one, one + 1])).tolist()) for one in range(depth + 1)]
    for span in reversed(spans[1:]):
        count.index_add_(0, parent[span], count[span].clone())
    first = torch.zeros(len(parent), dtype=torch.int64)
    for span in spans[1:]:
        before = count[span].cumsum(0) - count[span]
        eldest = torch.searchsorted(parent[span].contiguous(), parent[span].contiguous())
        first[span] = first[parent[span]] + before - before[eldest]
    return first, count


def leaves_of(parent: Tensor) -> Tensor:
    """Nodes without children, in entry order."""
    nodes = (Children(parent).sizes == 0).nonzero()[:, 0]
    return nodes[leaves_below(parent)[0][nodes].argsort()]


def choose_branching(entries: int) -> tuple[int, ...]:
    """Two levels, as square as possible, with about 96 entries per leaf; none for a handful of entries."""
    leaves = entries / LEAF_SIZE
    if leaves < 2:
        return ()
    branching = math.ceil(math.sqrt(leaves))
    return (branching, branching) if branching > 2 else (math.ceil(leaves),)


def check_branching(branching: Sequence[int]) -> tuple[int, ...]:
    """A tuple of children per level, the paper's being (10, 10).

    Raises:
        SettingError: No level, or one outside 2 to 4,096.
    """
    values = tuple(int(b) for b in branching)
    if not values or any(not 2 <= b <= 4096 for b in values):
        raise SettingError(f"branching {values}", "no level, or one outside 2 to 4096", "Give for example 10,10")
    return values
