"""The cluster tree: hierarchical spherical k-means over a bank's entries."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import faiss
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from tqdm.auto import tqdm

from ktviz.errors import SettingError
from ktviz.networks.threads import one_thread
from ktviz.printing import counted
from ktviz.retrieval.exact import nearest

PAPER_BRANCHING = (10, 10)
LEAF_SIZE = 96
"""Entries per leaf that the automatic branching aims at."""
ITERATIONS = 10
POINTS_PER_CENTRE = 64
"""K-means sees at most this many members per cluster; all members are then assigned."""
ASSIGN_CHUNK = 4096

Gather = Callable[[Tensor], Tensor]
"""Rows (n,) to vectors (n, D): lets the tree see entries without holding them all."""


@dataclass(frozen=True, repr=False)
class Tree:
    """A tree over N entries in leaf order; node 0 is the root, nodes are numbered level by level.

    Attributes:
        centres: (nodes, D) float32 cluster centres over whole patches, position-major; row 0 (the root) is unused.
        parent: (nodes,) int64; -1 for the root.
        start: (nodes,) int64 first entry below the node.
        end: (nodes,) int64 one past the last entry below the node.
    """

    centres: Tensor
    parent: Tensor
    start: Tensor
    end: Tensor
    children: list[Tensor] = field(init=False, repr=False)
    level: Tensor = field(init=False, repr=False)

    def __repr__(self) -> str:
        entries = int(self.end[0]) if len(self.end) else 0
        nodes, leaves = counted(len(self.parent), "node"), counted(len(self.leaves), "leaf", "leaves")
        return f"Tree({nodes}, {leaves}, {counted(self.depth, 'level')}, {counted(entries, 'entry', 'entries')})"

    def __post_init__(self) -> None:
        below: list[list[int]] = [[] for _ in self.parent]
        level = [0] * len(self.parent)
        for node, parent in enumerate(self.parent.tolist()):
            if parent >= 0:
                below[parent].append(node)
                level[node] = level[parent] + 1
        object.__setattr__(self, "children", [torch.tensor(c, dtype=torch.int64) for c in below])
        object.__setattr__(self, "level", torch.tensor(level))

    def __len__(self) -> int:
        return len(self.parent)

    @property
    def depth(self) -> int:
        """Levels below the root."""
        return int(self.level.max())

    @cached_property
    def leaves(self) -> Tensor:
        """Nodes without children, in entry order."""
        nodes = torch.tensor([n for n, c in enumerate(self.children) if len(c) == 0])
        return nodes[self.start[nodes].argsort()]

    def tiles(self, count: int) -> bool:
        """True if the tree covers entries 0 to `count` without gap or overlap, children inside their parents."""
        if len({len(self.centres), len(self.parent), len(self.start), len(self.end)}) > 1:
            return False
        if int(self.start[0]) != 0 or int(self.end[0]) != count or not bool((self.end > self.start).all()):
            return False
        for node, children in enumerate(self.children):
            if len(children):
                bounds = torch.cat((self.start[node : node + 1], self.end[children]))
                if not torch.equal(bounds[:-1], self.start[children]) or bounds[-1] != self.end[node]:
                    return False
        return True

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


def fit_tree(
    gather: Gather, count: int, branching: Sequence[int], seed: int, quiet: bool = True
) -> tuple[Tree, Tensor]:
    """Cluster `count` vectors level by level.

    A node gets at most half as many children as it has members, and stays a leaf with fewer than four; duplicates and
    empty clusters make fewer children than asked. Everything runs on one thread, so that the result depends on the
    seed alone.

    Args:
        gather: Rows to vectors.
        count: Number of vectors, at least one.
        branching: Children per node for each level, e.g. (10, 10).
        seed: Seed of the k-means.
        quiet: No progress bar.

    Returns:
        The tree, and the order (count,) that puts the vectors leaf by leaf.
    """
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        with one_thread():
            return _fit(gather, count, branching, seed, quiet)
    finally:
        faiss.omp_set_num_threads(threads)


def _fit(gather: Gather, count: int, branching: Sequence[int], seed: int, quiet: bool) -> tuple[Tree, Tensor]:
    dimension = gather(torch.zeros(1, dtype=torch.int64)).shape[1]
    order = torch.arange(count)
    centres, parent = [torch.zeros(1, dimension)], [-1]
    start, end = [0], [count]
    frontier = [0]
    for level, width in enumerate(branching):
        next_frontier: list[int] = []
        for node in tqdm(frontier, desc=f"clustering, level {level + 1}", unit="node", disable=quiet, leave=False):
            members = order[start[node] : end[node]]
            found, label = split(gather, members, width, seed + node)
            if len(found) < 2:
                continue
            sorting = label.argsort(stable=True)
            order[start[node] : end[node]] = members[sorting]
            sizes = label.bincount(minlength=len(found)).tolist()
            first = start[node]
            centres.append(found)
            for size in sizes:
                next_frontier.append(len(parent))
                parent.append(node)
                start.append(first)
                end.append(first + size)
                first += size
        frontier = next_frontier
    tree = Tree(torch.cat(centres), torch.tensor(parent), torch.tensor(start), torch.tensor(end))
    return tree, order


def split(gather: Gather, members: Tensor, width: int, seed: int) -> tuple[Tensor, Tensor]:
    """One node's children: centres (k, D) and the label (n,) of each member; k = 0 where splitting is of no use."""
    width = min(width, len(members) // 2)
    if width < 2:
        return torch.empty(0, 0), torch.empty(0, dtype=torch.int64)
    random = np.random.default_rng(seed)
    sample = members
    if len(members) > width * POINTS_PER_CENTRE:
        chosen = random.choice(len(members), width * POINTS_PER_CENTRE, replace=False)
        sample = members[torch.from_numpy(np.sort(chosen))]
    centres = spherical_kmeans(F.normalize(gather(sample), dim=1), width, seed)
    label = assign(gather, members, centres)
    used, label = label.unique(return_inverse=True)  # clusters without members vanish
    return centres[used], label


def spherical_kmeans(unit: Tensor, k: int, seed: int) -> Tensor:
    """Unit centres of unit vectors: (n, D) to (at most k, D). Duplicates yield fewer distinct centres."""
    kmeans = faiss.Kmeans(
        unit.shape[1],
        k,
        niter=ITERATIONS,
        seed=seed % 2**31,
        spherical=True,
        min_points_per_centroid=1,
        max_points_per_centroid=len(unit),
    )
    kmeans.train(unit.numpy())
    centres = torch.from_numpy(kmeans.centroids)
    distinct: Tensor = centres[torch.isfinite(centres).all(1)].unique(dim=0)
    return distinct


def assign(gather: Gather, members: Tensor, centres: Tensor) -> Tensor:
    """The nearest centre of each member by cosine, the first of equal ones: (n,)."""
    return torch.cat([nearest(gather(rows), centres) for rows in members.split(ASSIGN_CHUNK)])
