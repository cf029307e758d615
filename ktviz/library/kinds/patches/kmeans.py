"""Clustering of search keys: hierarchical spherical k-means.

Which centre a key is nearest to is settled exactly, and centres are means of whole numbers: what comes out depends on
the keys and the seed alone, and not on chunks, threads or kernels.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from tqdm.auto import tqdm

from ktviz.library.kinds.patches.keys import LARGEST
from ktviz.library.kinds.patches.tree import Tree, leaves_of
from ktviz.retrieval.exact import nearest

ITERATIONS = 10
POINTS_PER_CENTRE = 64
"""K-means sees at most this many members per cluster; all members are then assigned."""
ASSIGN_CHUNK = 16_384


def fit_tree(vectors: Tensor, branching: Sequence[int], seed: int) -> tuple[Tree, Tensor]:
    """The cluster tree of some vectors (n, D), each dimension as bytes of its largest number.

    Returns:
        The tree, and the order (n,) that puts the vectors leaf by leaf.
    """
    units = (vectors.abs().amax(0) / LARGEST).clamp(min=torch.finfo(torch.float32).tiny)
    parent, centres, node_of = fit_nodes((vectors / units).round().to(torch.int8), units, branching, seed)
    leaves = leaves_of(parent)
    number = torch.full((len(parent),), -1)
    number[leaves] = torch.arange(len(leaves))
    sizes = number[node_of].bincount(minlength=len(leaves))
    ends = torch.cat((torch.zeros(1, dtype=torch.int64), sizes.cumsum(0)))
    return Tree.of_leaves(centres, parent, ends), number[node_of].argsort(stable=True)


def fit_nodes(
    keys: Tensor, units: Tensor, branching: Sequence[int], seed: int, quiet: bool = True
) -> tuple[Tensor, Tensor, Tensor]:
    """Cluster keys level by level.

    A node gets at most half as many children as it has members, and stays a leaf with fewer than four; duplicates and
    empty clusters make fewer children than asked.

    Args:
        keys: (n, D) int8, at least one.
        units: (D,) what their numbers are multiples of.
        branching: Children per node for each level, e.g. (10, 10).
        seed: Of the k-means.
        quiet: No progress bar.

    Returns:
        The parent of each node, (nodes,), numbered level by level; its centre, (nodes, D) float32, of the root 0; and
        the node in which each key ends, (n,).
    """
    parent, centres = [-1], [torch.zeros(1, len(units))]
    node_of = torch.zeros(len(keys), dtype=torch.int64)
    frontier = [(0, torch.arange(len(keys)))]
    for level, width in enumerate(branching):
        below: list[tuple[int, Tensor]] = []
        for node, members in tqdm(frontier, f"clustering, level {level + 1}", unit="node", disable=quiet, leave=False):
            found, label = split(keys[members], units, width, seed + node)
            if len(found) < 2:
                continue
            parts = members[label.argsort(stable=True)].split(label.bincount().tolist())
            below += [(len(parent) + child, part) for child, part in enumerate(parts)]
            node_of[members] = len(parent) + label
            parent += [node] * len(found)
            centres.append(found)
        frontier = below
    return torch.tensor(parent), torch.cat(centres), node_of


def split(keys: Tensor, units: Tensor, width: int, seed: int) -> tuple[Tensor, Tensor]:
    """Clusters of some keys (n, D): centres (k, D) and the label (n,) of each; k = 0 where splitting is of no use."""
    width = min(width, len(keys) // 2)
    if width < 2:
        return torch.empty(0, len(units)), torch.empty(0, dtype=torch.int64)
    random = np.random.default_rng(seed)
    sample = keys
    if len(keys) > width * POINTS_PER_CENTRE:
        chosen = random.choice(len(keys), width * POINTS_PER_CENTRE, replace=False)
        sample = keys[torch.from_numpy(np.sort(chosen))]
    first = torch.from_numpy(np.sort(random.choice(len(sample), width, replace=False)))
    centres = spherical_kmeans(sample, units, (sample[first].float() * units).unique(dim=0))
    label = assign(keys, units, centres)
    used, label = label.unique(return_inverse=True)  # clusters without members vanish
    return centres[used], label


def spherical_kmeans(keys: Tensor, units: Tensor, centres: Tensor) -> Tensor:
    """Better centres (at most k, D) of keys (n, D) than the first ones (k, D): each the mean of those nearest to it."""
    for _ in range(ITERATIONS):
        label = assign(keys, units, centres)
        sums = torch.zeros(len(centres), len(units), dtype=torch.float64)
        sums.index_add_(0, label, keys.double())  # of whole numbers: in any order the same
        counts = label.bincount(minlength=len(centres))
        used = counts > 0
        centres = ((sums[used] / counts[used, None]) * units).float()
    distinct: Tensor = centres.unique(dim=0)
    return distinct


def assign(keys: Tensor, units: Tensor, centres: Tensor) -> Tensor:
    """The nearest centre (k, D) of each key (n, D) by cosine, the first of equal ones: (n,)."""
    return torch.cat([nearest(rows.float() * units, centres) for rows in keys.split(ASSIGN_CHUNK)])
