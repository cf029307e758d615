"""The nodes of a cluster tree described: how large, how tight, and which entries show what lies below them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ktviz.errors import SettingError, UnknownNameError
from ktviz.images import Pixels
from ktviz.library.cluster_tree import Cluster, ClusterTree, Nodes
from ktviz.library.kinds.patches.bands import PAPER_WEIGHTS, check_band_weights
from ktviz.library.kinds.patches.bank import Bank
from ktviz.library.kinds.patches.features import STRIDE
from ktviz.library.kinds.patches.grid import SIZE
from ktviz.retrieval.exact import cosines
from ktviz.values import whole

SAMPLE = 512
"""Entries of a node that are looked at; of a larger node as many, evenly along its leaves."""
AT_ONCE = 32
"""Nodes whose entries are gathered together: few enough to stay near the cache."""
PATCH_PX = STRIDE * SIZE


def patch_tree(bank: Bank) -> ClusterTree:
    """The tree of a bank of patches, by which its search descends."""
    tree = bank.tree
    return ClusterTree(
        bank.name,
        bank.digest,
        len(bank),
        Nodes(tree.parent.numpy(), (tree.end - tree.start).numpy()),
        (),
        "cosine",
        "mean cosine distance of the entries to their mean direction",
        PATCH_PX,
        lambda nodes: spreads(bank, nodes).numpy(),
        lambda nodes, exemplars: describe_clusters(bank, nodes, exemplars),
        lambda entries: exemplar_pictures(bank, entries),
    )


def describe_clusters(
    bank: Bank,
    nodes: Sequence[int],
    exemplars: int = 6,
    weights: tuple[float, float, float, float] = PAPER_WEIGHTS,
) -> list[Cluster]:
    """Describe some nodes of a bank's tree; the cost grows with these nodes, not with the tree.

    Args:
        bank: Whose tree.
        nodes: Their numbers.
        exemplars: Entries to name per node; fewer where the node holds fewer.
        weights: Of LL, LH, HL, HH in the similarity.

    Raises:
        UnknownNameError: There is no such node.
        SettingError: `exemplars` is below 1, or not four weights.
    """
    if whole("exemplars", exemplars) < 1:
        raise SettingError(f"exemplars {exemplars}", "below 1", "Ask for at least one")
    check_nodes(bank, nodes)
    tree, scale = bank.tree, key_scale(bank, weights)
    found = []
    for node in nodes:
        start, end = int(tree.start[node]), int(tree.end[node])
        rows = even_sample(start, end)
        unit = F.normalize(bank.keys[rows].float() * scale, dim=1)
        similarity = cosines(unit, unit.mean(0, keepdim=True))[:, 0] if len(rows) else torch.zeros(0)
        ranked = rows[similarity.argsort(descending=True, stable=True)]
        shown = ranked[spaced(len(ranked), exemplars)]
        spread = max(0.0, 1 - float(similarity.mean())) if len(rows) else 0.0
        parent, level, children = int(tree.parent[node]), int(tree.level[node]), len(tree.children[node])
        found.append(Cluster(node, parent, level, end - start, children, spread, tuple(shown.tolist())))
    return found


def spreads(bank: Bank, nodes: Sequence[int], weights: tuple[float, float, float, float] = PAPER_WEIGHTS) -> Tensor:
    """The spread of each of some nodes, all at once: (n,) float32; as in `Cluster`.

    The mean cosine of unit vectors to their mean direction is the length of their mean.

    Raises:
        UnknownNameError: There is no such node.
    """
    check_nodes(bank, nodes)
    found, scale = torch.empty(len(nodes)), key_scale(bank, weights)
    for first in range(0, len(nodes), AT_ONCE):
        part = nodes[first : first + AT_ONCE]
        samples = [even_sample(int(bank.tree.start[node]), int(bank.tree.end[node])) for node in part]
        sizes = torch.tensor([len(rows) for rows in samples])
        unit = F.normalize(bank.keys[torch.cat(samples)].float() * scale, dim=1)
        means = torch.stack([rows.sum(0) / max(1, len(rows)) for rows in unit.split(sizes.tolist())])
        found[first : first + AT_ONCE] = torch.where(sizes > 0, 1 - means.norm(dim=1), 0.0)
    return found.clamp(min=0)


def exemplar_pictures(bank: Bank, entries: Sequence[int]) -> Pixels:
    """Patches of a bank as pictures, cut from its sources as it saw them; each source is decoded once.

    Args:
        bank: Whose entries.
        entries: Their numbers in this bank.

    Returns:
        (n, 16, 16, 3) uint8.

    Raises:
        UnknownNameError: There is no such entry.
    """
    check_numbers("entry", "entries", entries, len(bank))
    rows = torch.tensor(entries, dtype=torch.int64)
    source, y, x = bank.entries.where(rows)
    top, left = STRIDE * y, STRIDE * x
    pictures = np.empty((len(rows), PATCH_PX, PATCH_PX, 3), dtype=np.uint8)
    for number in source.unique().tolist():
        picture = bank.picture(number)
        for n in (source == number).nonzero()[:, 0].tolist():
            down, right = int(top[n]), int(left[n])
            pictures[n] = picture[down : down + PATCH_PX, right : right + PATCH_PX]
    return pictures


def check_nodes(bank: Bank, nodes: Sequence[int]) -> None:
    """Raise UnknownNameError unless all nodes are in a bank's tree."""
    check_numbers("node", "nodes", nodes, len(bank.tree))


def check_numbers(kind: str, kinds: str, numbers: Sequence[int], count: int) -> None:
    strangers = [number for number in numbers if not 0 <= number < count]
    if strangers:
        raise UnknownNameError(f"{kind} {strangers[0]}", f"{kinds} go from 0 to {count - 1:,}", "Take one of these")


def key_scale(bank: Bank, weights: tuple[float, float, float, float]) -> Tensor:
    """What makes the dot product of two keys that of their weighted bands: (D,)."""
    return torch.tensor(check_band_weights(weights)).sqrt()[bank.projection.band_of] * bank.projection.units


def even_sample(start: int, end: int) -> Tensor:
    """The entries from `start` to `end`, or 512 evenly among them: (n,) int64."""
    return start + spaced(end - start, SAMPLE)


def spaced(count: int, wanted: int) -> Tensor:
    """Different places from 0 to count - 1, both ends among them, evenly: (min(count, wanted),) int64."""
    if wanted >= count:
        return torch.arange(count)
    return torch.linspace(0, count - 1, wanted, dtype=torch.float64).round().long()
