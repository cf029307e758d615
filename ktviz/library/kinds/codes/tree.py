"""The tree of a bank of codes: classes below the root, the centres of each below, and their members as pictures."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from ktviz.images import Pixels
from ktviz.library.cluster_tree import Cluster, ClusterTree, Nodes, Numbers, Spreads
from ktviz.library.kinds.codes.bank import CodeBank
from ktviz.library.kinds.codes.clusters import mean, nearest_first
from ktviz.library.kinds.codes.cutting import TILE_PX, tiles


def code_tree(bank: CodeBank) -> ClusterTree:
    """The root, then the classes that have centres, then all centres in their order."""
    labels = classes_of(bank)
    above = 1 + np.searchsorted(labels, bank.clusters.label)
    sizes = np.array([len(members) for members in bank.clusters.members], dtype=np.int64)
    of_class = np.bincount(above - 1, sizes, len(labels)).astype(np.int64)
    parent = np.concatenate(([-1], np.zeros(len(labels), np.int64), above))
    nodes = Nodes(parent, np.concatenate(([sizes.sum()], of_class, sizes)))
    names = [name_of(bank, int(label)) for label in labels]
    number = np.arange(len(above)) - np.searchsorted(above, above)
    words = [
        "all",
        *names,
        *(f"{names[node - 1]} {n}" for node, n in zip(above.tolist(), number.tolist(), strict=True)),
    ]
    spread = "root of the mean squared distance of the members' codes to their mean"
    return ClusterTree(
        bank.name,
        bank.digest,
        len(bank),
        nodes,
        words,
        "minus the distance",
        spread,
        TILE_PX,
        partial(spreads, bank, nodes),
        partial(describe, bank, nodes),
        partial(pictures, bank),
    )


def classes_of(bank: CodeBank) -> Numbers:
    """The classes that have centres, ascending."""
    return np.unique(bank.clusters.label)


def paths_of(bank: CodeBank) -> Numbers:
    """The nodes from below the root to each centre: (K, 2)."""
    labels = classes_of(bank)
    above = 1 + np.searchsorted(labels, bank.clusters.label)
    return np.stack((above, 1 + len(labels) + np.arange(len(above))), 1)


def name_of(bank: CodeBank, label: int) -> str:
    """What a class is called."""
    return "pictures" if bank.classes is None else bank.classes.names[label]


def centres_below(bank: CodeBank, nodes: Nodes, node: int) -> list[int]:
    """The centres below a node, or the one that it is."""
    first = len(nodes) - len(bank.clusters)
    if node >= first:
        return [node - first]
    return [int(child) - first for child in np.flatnonzero(nodes.parent == node) if child >= first] or [
        centre for child in nodes.children[node] for centre in centres_below(bank, nodes, int(child))
    ]


def spreads(bank: CodeBank, nodes: Nodes, asked: Sequence[int]) -> Spreads:
    """The spread of each of some nodes: (n,)."""
    return np.array([spread_of(bank, centres_below(bank, nodes, node)) for node in asked], dtype=np.float32)


def spread_of(bank: CodeBank, centres: Sequence[int]) -> float:
    """Root of the mean squared distance of the members of some centres to their mean."""
    if not centres:
        return 0.0
    codes = bank.objects.code[np.concatenate([bank.clusters.members[centre] for centre in centres])]
    return float(np.sqrt(np.square(codes - mean(codes)).sum(1).mean()))


def describe(bank: CodeBank, nodes: Nodes, asked: Sequence[int], exemplars: int) -> list[Cluster]:
    """Some nodes; exemplars are members by their distance to the centre, of several centres by turns.

    The centre with the most members comes first.
    """
    found = []
    for node in asked:
        centres = sorted(centres_below(bank, nodes, node), key=lambda k: -len(bank.clusters.members[k]))
        known, codes = bank.clusters, bank.objects.code
        ranked = (nearest_first(codes, known.members[centre], known.centres[centre])[0] for centre in centres)
        rows = [members[:exemplars].tolist() for members in ranked]
        turns = [row[n] for n in range(exemplars) for row in rows if n < len(row)]
        parent, level, size = int(nodes.parent[node]), int(nodes.level[node]), int(nodes.size[node])
        spread, children = spread_of(bank, centres), len(nodes.children[node])
        found.append(Cluster(node, parent, level, size, children, spread, tuple(turns[:exemplars])))
    return found


def pictures(bank: CodeBank, entries: Sequence[int]) -> Pixels:
    """Objects cut out of their pictures, each source read once: (n, 48, 48, 3)."""
    objects, asked = bank.objects, np.asarray(entries, dtype=np.int64)
    columns = objects.source[asked], objects.number[asked], objects.box[asked]
    return tiles(*columns, lambda source: (bank.picture(source), bank.object_map(source)))
