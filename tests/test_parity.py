"""The `paper` preset against vectors computed with the authors' own code."""

from pathlib import Path

import numpy as np
import pytest
import torch

from ktviz.library.kinds.patches.bands import to_vectors
from ktviz.library.kinds.patches.entries import Entries
from ktviz.library.kinds.patches.grid import PatchGrid
from ktviz.library.kinds.patches.search import SearchSettings, search
from ktviz.library.kinds.patches.tree import Tree
from ktviz.systems.kt.transfer import transfer

REFERENCE = Path(__file__).parent / "data" / "kt_reference.npz"


def reference_bank(reference):
    """The reference's entries and tree, put in leaf order."""
    patch, source = torch.from_numpy(reference["library_entries"]).long().T
    label = torch.from_numpy(reference["leaf_of_entry"]).long()
    order = (label[:, 0] * 4 + label[:, 1]).argsort(stable=True)
    maps = [torch.from_numpy(m).permute(1, 2, 0).contiguous() for m in reference["library_features"]]
    entries = Entries.create(source[order], patch[order] // 13, patch[order] % 13, maps)
    sizes = (label[:, 0] * 4 + label[:, 1]).bincount(minlength=16)
    leaf_end = sizes.cumsum(0)
    leaf_start = leaf_end - sizes
    centres = torch.cat(
        [
            torch.zeros(1, 256, 4, 4),
            torch.from_numpy(reference["centers_level1"]),
            torch.from_numpy(reference["centers_level2"]).flatten(0, 1),
        ]
    )
    parent = torch.cat([torch.tensor([-1]), torch.zeros(4), 1 + torch.arange(16) // 4]).long()
    start = torch.cat([torch.tensor([0]), leaf_start[::4], leaf_start])
    end = torch.cat([torch.tensor([400]), leaf_end[3::4], leaf_end])
    return entries, Tree(to_vectors(centres), parent, start, end)


@pytest.fixture(scope="module")
def reference():
    return np.load(REFERENCE)


@pytest.fixture(scope="module")
def found(reference):
    entries, tree = reference_bank(reference)
    features = torch.from_numpy(reference["query_features"][0])
    grid = PatchGrid(16, 16)
    queries = grid.unfold(features)
    matches = search(queries, entries, tree, None, SearchSettings("paper"), None)
    return entries, grid, queries, matches


def test_every_winner_is_the_reference_winner(reference, found):
    entries, _, _, matches = found
    winner = matches.winner
    patch = entries.y[winner] * 13 + entries.x[winner]
    same = (patch == torch.from_numpy(reference["choice"][0]).long()) & (
        entries.source[winner] == torch.from_numpy(reference["choice"][1]).long()
    )
    assert int(same.sum()) == 49


@pytest.mark.parametrize(("mode", "array", "tolerance"), [("swap", "out_swap", 1e-6), ("statistics", "out_stat", 1e-4)])
def test_transferred_features_are_the_reference_features(reference, found, mode, array, tolerance):
    entries, grid, queries, matches = found
    out = grid.fold(transfer(queries, entries.patches(matches.winner), mode))
    assert (out - torch.from_numpy(reference[array][0])).abs().max() <= tolerance
