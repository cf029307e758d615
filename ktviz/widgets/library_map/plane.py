"""Where entries lie on the plane: leaves of the cluster tree by how alike their centres are, and entries around theirs.

Leaves, sources, codes and pictures are placed by t-SNE, begun from their principal components, so that a bank has one
map. Entries of a leaf lie around its place, as far in as other leaves leave room, along the two directions in which
entries differ most within leaves.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from scipy.spatial import cKDTree
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits

from ktviz.library.kinds.patches.bank import Bank
from ktviz.library.kinds.patches.union import BankUnion

Plane = npt.NDArray[np.float32]
"""Places (n, 2), from 0 to 1 along the longer side."""
MOST_NEIGHBOURS, FEWEST = 30.0, 5
"""Of t-SNE; and points below which it has nothing to tell."""
LANDMARKS, BETWEEN = 1500, 3
"""Of so many vectors places are worked out; of more, the others lie between their nearest ones."""
ROUNDS = 500
COMPONENTS = 50
"""To which vectors are brought before."""
FILLED = 1.2
"""Of the way to the nearest other leaf, how far entries of a leaf lie from its place: leaves run into each other."""
SAMPLE = 20_000
"""Entries whose differences from their leaf's centre say in which directions entries differ."""
AT_ONCE = 1 << 17
QUANTILE = 0.98


def spread_out(vectors: npt.NDArray[np.floating]) -> Plane:
    """Vectors (n, D) on the plane, those with a large cosine near each other: (n, 2)."""
    norm = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = (vectors / np.maximum(norm, 1e-12)).astype(np.float64)
    with threadpool_limits(1):  # sums in one order
        if min(unit.shape) > COMPONENTS:
            unit = PCA(COMPONENTS, svd_solver="covariance_eigh").fit_transform(unit)
        if len(unit) < FEWEST:
            return in_square(along_a_line(unit))
        if len(unit) <= LANDMARKS:
            return in_square(by_neighbours(unit))
        landmarks = unit[np.linspace(0, len(unit) - 1, LANDMARKS).astype(np.int64)]
        return in_square(among(unit, landmarks, by_neighbours(landmarks)))


def by_neighbours(vectors: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Vectors (n, D) on the plane by t-SNE: (n, 2)."""
    perplexity = min(MOST_NEIGHBOURS, (len(vectors) - 1) / 3)
    method = TSNE(2, perplexity=perplexity, init="pca", random_state=0, n_jobs=1, max_iter=ROUNDS)
    placed: npt.NDArray[np.float64] = method.fit_transform(vectors)
    return placed


def among(
    vectors: npt.NDArray[np.float64], landmarks: npt.NDArray[np.float64], places: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Vectors (n, D) between the places (m, 2) of landmarks (m, D) nearest to them, by how near these are: (n, 2)."""
    distance, nearest = cKDTree(landmarks).query(vectors, k=BETWEEN)
    weight = 1 / np.maximum(distance, 1e-9) ** 2
    placed: npt.NDArray[np.float64] = (places[nearest] * weight[..., None]).sum(1) / weight.sum(1, keepdims=True)
    return placed


def along_a_line(vectors: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """A few vectors by their first principal component."""
    if len(vectors) < 2:
        return np.zeros((len(vectors), 2))
    first = PCA(1).fit_transform(vectors)[:, 0]
    return np.stack((first, np.zeros(len(vectors))), axis=1)


def in_square(places: npt.NDArray[np.floating]) -> Plane:
    """Places moved and scaled into the unit square, with a margin; in proportion."""
    if not len(places):
        return np.zeros((0, 2), np.float32)
    least, most = places.min(0), places.max(0)
    side = max(float((most - least).max()), 1e-9)
    placed: Plane = (0.5 + 0.92 * (places - (least + most) / 2) / side).astype(np.float32)
    return placed


def of_entries(union: BankUnion) -> Plane:
    """Every entry of banks of patches."""
    banks = union.banks
    centres = [bank.tree.centres_of(bank.tree.leaves).numpy() for bank in banks]
    leaves = spread_out(np.concatenate(centres))
    radius = room_around(leaves)
    found = np.empty((len(union), 2), np.float32)
    first_leaf = 0
    for number, bank in enumerate(banks):
        of_bank = slice(first_leaf, first_leaf + len(bank.tree.leaves))
        start = int(union.entry_offset[number])
        found[start : start + len(bank)] = around(bank, leaves[of_bank], radius[of_bank])
        first_leaf = of_bank.stop
    return in_square(found)


def room_around(places: Plane) -> npt.NDArray[np.float32]:
    """How far from each place points may lie that are its own: (n,)."""
    if len(places) < 2:
        return np.full(len(places), 0.4, np.float32)
    distance = cKDTree(places).query(places, k=2)[0][:, 1]
    usual = float(np.median(distance))
    radius: npt.NDArray[np.float32] = (FILLED * np.clip(distance, usual, usual * 3)).astype(np.float32)
    return radius


def around(bank: Bank, places: Plane, radius: npt.NDArray[np.float32]) -> Plane:
    """The entries of a bank around the places of their leaves."""
    tree, units = bank.tree, bank.projection.units
    leaf = np.repeat(np.arange(len(tree.leaves)), (tree.end - tree.start)[tree.leaves].numpy())
    centre = bank.frame.key_centres[tree.leaves]

    def aside(rows: npt.NDArray[np.int64]) -> torch.Tensor:
        """How keys of entries differ from the centre of their leaf, in direction."""
        keys = torch.nn.functional.normalize(bank.keys[torch.from_numpy(rows)].float() * units, dim=1)
        return keys - torch.nn.functional.normalize(centre[torch.from_numpy(leaf[rows])], dim=1)

    sample = np.unique(np.linspace(0, len(bank) - 1, min(len(bank), SAMPLE)).astype(np.int64))
    _, _, directions = torch.linalg.svd(aside(sample), full_matrices=False)
    found = np.empty((len(bank), 2), np.float32)
    for start in range(0, len(bank), AT_ONCE):
        rows = np.arange(start, min(len(bank), start + AT_ONCE))
        found[rows] = (aside(rows) @ directions[:2].T).numpy()
    length = np.linalg.norm(found, axis=1)
    usual = max(float(np.quantile(length, QUANTILE)), 1e-9)
    inward = np.minimum(1.0, usual / np.maximum(length, 1e-9)) / usual
    placed: Plane = places[leaf] + found * (inward * radius[leaf])[:, None]
    return placed


def source_vectors(union: BankUnion) -> npt.NDArray[np.float32]:
    """A vector for every source of banks of patches: the mean of the centres of its entries' leaves."""
    width = union.banks[0].tree.centres.shape[1]
    sums, offset = np.zeros((len(union.sources), width), np.float32), 0
    for bank in union.banks:
        tree = bank.tree
        centres = tree.centres_of(tree.leaves).numpy()
        leaf = np.repeat(np.arange(len(centres)), (tree.end - tree.start)[tree.leaves].numpy())
        source = bank.entries.source.numpy().astype(np.int64)
        pairs, counts = np.unique(source * len(centres) + leaf, return_counts=True)
        np.add.at(sums, offset + pairs // len(centres), centres[pairs % len(centres)] * counts[:, None])
        offset += len(bank.sources)
    return sums
