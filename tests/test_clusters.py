"""Clusters are described by what lies below them, at a cost that grows with the nodes asked for."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ktviz.errors import SettingError, UnknownNameError
from ktviz.library.kinds.patches.clusters import SAMPLE, describe_clusters, even_sample, exemplar_pictures
from ktviz.library.kinds.patches.tree import Tree


@pytest.fixture(scope="module")
def bank(world):
    return world.library.bank("art/warm")


def similarities(bank, start, end, weights):
    """Cosine of the entries' weighted keys to their mean direction, with numpy."""
    keys = bank.keys[torch.arange(start, end)].double().numpy() * bank.projection.units.double().numpy()
    keys = keys * np.sqrt(weights)[bank.projection.band_of.numpy()]
    units = keys / np.linalg.norm(keys, axis=1, keepdims=True)
    mean = units.mean(0)
    return units @ mean / np.linalg.norm(mean)


@pytest.mark.parametrize("weights", [(1.0, 1.0, 1.0, 0.0), (0.0, 1.0, 0.5, 2.0)])
def test_a_node_is_described_by_the_entries_below_it(bank, weights):
    tree = bank.tree
    for cluster in describe_clusters(bank, range(len(tree)), 6, weights):
        start, end = int(tree.start[cluster.node]), int(tree.end[cluster.node])
        known = similarities(bank, start, end, weights)
        assert (cluster.parent, cluster.level) == (int(tree.parent[cluster.node]), int(tree.level[cluster.node]))
        assert (cluster.size, cluster.children) == (end - start, len(tree.children[cluster.node]))
        assert cluster.spread == pytest.approx(1 - known.mean(), abs=1e-5)
        chosen = known[np.array(cluster.exemplars) - start]
        assert chosen[0] == pytest.approx(known.max(), abs=1e-5)
        assert (np.diff(chosen) <= 1e-5).all()
        if cluster.size >= 6:
            assert chosen[-1] == pytest.approx(known.min(), abs=1e-5)


def test_exemplars_are_different_entries_of_the_node(bank):
    clusters = describe_clusters(bank, range(len(bank.tree)), 50)
    assert any(cluster.size < 50 for cluster in clusters)
    for cluster in clusters:
        start, end = int(bank.tree.start[cluster.node]), int(bank.tree.end[cluster.node])
        assert len(set(cluster.exemplars)) == len(cluster.exemplars) == min(50, cluster.size)
        assert all(start <= entry < end for entry in cluster.exemplars)


def test_large_nodes_are_sampled_evenly():
    rows = even_sample(1000, 101_000)
    assert len(rows.unique()) == len(rows) == SAMPLE
    assert (rows[0], rows[-1]) == (1000, 100_999)
    assert (rows.diff() - 100_000 / SAMPLE).abs().max() < 2
    assert even_sample(3, 9).tolist() == [3, 4, 5, 6, 7, 8]


def test_the_same_question_has_the_same_answer(bank):
    assert describe_clusters(bank, [0, 3, 1]) == describe_clusters(bank, [0, 3, 1])
    assert [cluster.node for cluster in describe_clusters(bank, [3, 0, 3])] == [3, 0, 3]


def test_equal_entries_have_no_spread(tmp_path, build, save):
    save(tmp_path / "flat" / "flat.png", np.full((64, 64, 3), (200, 60, 30), dtype=np.uint8))
    bank = build("flat", [tmp_path / "flat"]).bank("art/test")
    assert describe_clusters(bank, [0])[0].spread == pytest.approx(0, abs=1e-5)


def test_the_index_of_a_search_is_left_alone(bank):
    index = bank.index((1.0, 0.0, 0.0, 0.0))
    describe_clusters(bank, range(len(bank.tree)))
    assert bank.index((1.0, 0.0, 0.0, 0.0)) is index


class Watched:
    """Keys that count the rows that are read."""

    def __init__(self, keys, read):
        self.keys, self.read = keys, read

    def __getitem__(self, rows):
        self.read.append(len(rows))
        return self.keys[rows]


def test_the_cost_does_not_grow_with_the_tree(bank):
    start, count = torch.arange(0, 200_000, 2), 200_000
    first, last = torch.tensor([0]), torch.tensor([count])
    parent = torch.cat((torch.tensor([-1]), torch.zeros(len(start), dtype=torch.int64)))
    tree = Tree(torch.zeros(len(parent), 1), parent, torch.cat((first, start)), torch.cat((last, start + 2)))
    read = []
    keys = Watched(bank.keys[torch.arange(count) % len(bank)], read)
    large = bank.changed(tree=tree, keys=keys)
    clusters = describe_clusters(large, range(300))
    assert sum(read) <= SAMPLE + 2 * 299
    assert (clusters[0].size, clusters[0].children) == (count, 100_000)


def test_pictures_are_cut_from_the_sources(bank):
    entries = [5, 0, len(bank) - 1, 5]
    pictures = exemplar_pictures(bank, entries)
    assert pictures.shape == (4, 16, 16, 3)
    for entry, picture in zip(entries, pictures, strict=True):
        y, x = 4 * int(bank.entries.y[entry]), 4 * int(bank.entries.x[entry])
        source = bank.picture(int(bank.entries.source[entry]))
        assert np.array_equal(picture, source[y : y + 16, x : x + 16])
    assert exemplar_pictures(bank, []).shape == (0, 16, 16, 3)


def test_every_source_is_decoded_once(bank, monkeypatch):
    decoded = []
    original = type(bank).picture
    monkeypatch.setattr(type(bank), "picture", lambda self, source: decoded.append(source) or original(self, source))
    exemplar_pictures(bank, range(len(bank)))
    assert sorted(decoded) == [0, 1, 2]


def test_unknown_numbers_are_refused(bank):
    with pytest.raises(UnknownNameError, match="node 99999: nodes go from 0 to"):
        describe_clusters(bank, [0, 99_999])
    with pytest.raises(UnknownNameError, match="node -1"):
        describe_clusters(bank, [-1])
    with pytest.raises(UnknownNameError, match="entry 99999"):
        exemplar_pictures(bank, [99_999])
    with pytest.raises(SettingError, match="exemplars 0"):
        describe_clusters(bank, [0], exemplars=0)
    with pytest.raises(SettingError, match="band weights"):
        describe_clusters(bank, [0], weights=(0.0, 0.0, 0.0, 0.0))
