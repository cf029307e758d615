"""The way down the tree agrees with the search that was recorded."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from ktviz.errors import UnknownNameError
from ktviz.library.kinds.patches.bands import to_vectors
from ktviz.library.kinds.patches.search import descend
from ktviz.systems.descents import visits
from ktviz.systems.kt.descent import descents
from ktviz.systems.kt.live import live
from ktviz.systems.kt.translator import Translator


@pytest.fixture(scope="module")
def photo(paint):
    return paint(31, 72, 96)


@pytest.fixture(scope="module", params=["paper", "beam", "exact"])
def case(request, world, photo):
    return live(world.translator.traced(photo, preset=request.param, beam=3), world.translator)


@pytest.fixture(scope="module")
def ways(case):
    return descents(case, range(len(case.grid)))


def bank_of(case, way):
    return case.banks.banks[case.banks.names.index(way.bank)]


def vector(case, query):
    return to_vectors(case.grid.unfold(case.features, torch.tensor([query])))


def test_paths_and_their_similarities_are_those_recorded(case, ways):
    banks, paths = case.trace.column("bank"), case.trace.column("kt.path")
    similarity = case.trace.column("kt.path_similarity")
    assert [way.query for way in ways] == list(range(len(case.grid)))
    for way in ways:
        assert way.bank == banks[way.query]
        assert list(way.path) == paths[way.query].tolist() == [road.taken for road in way.roads]
        taken = [float(road.similarity[road.nodes == road.taken][0]) for road in way.roads]
        assert taken == pytest.approx(similarity[way.query].tolist(), abs=1e-5)


def test_roads_are_the_children_of_the_node_that_the_path_passes(case, ways):
    for way in ways[::7]:
        tree, query = bank_of(case, way).tree, vector(case, way.query)
        assert [road.level for road in way.roads] == list(range(1, len(way.path) + 1))
        for parent, road in zip((0, *way.path), way.roads, strict=False):
            assert road.nodes.tolist() == tree.children[parent].tolist()
            known = F.cosine_similarity(query, tree.centres_of(tree.children[parent]))
            assert road.similarity == pytest.approx(known.numpy(), abs=1e-5)
            assert road.greedy == road.nodes[road.similarity.argmax()]
            assert road.similarity.dtype == np.float32


def test_greedy_descent_follows_the_best_road(case, ways):
    for way in ways:
        tree = bank_of(case, way).tree
        assert way.greedy_leaf == int(descend(vector(case, way.query), tree))
        if all(road.greedy == road.taken for road in way.roads):
            assert way.path[-1:] == (way.greedy_leaf,)
        elif way.roads[0].greedy != way.roads[0].taken:
            assert way.path[-1] != way.greedy_leaf


def test_visited_leaves_are_those_of_the_search(case, ways):
    settings = case.settings.search
    for way in ways[::5]:
        bank = bank_of(case, way)
        if settings.preset == "beam":
            index = bank.index(settings.band_weights)
            keys = index.query_keys(vector(case, way.query))
            assert list(way.visited) == index.route(keys, 3)[0].tolist()
            means = (keys @ bank.frame.key_centres[list(way.visited)].T)[0]
            assert (means.diff() <= 0.02 * means.max()).all()  # centres are bytes, too
        else:
            assert way.visited == ((way.greedy_leaf,) if settings.preset == "paper" else ())
        assert set(way.visited) <= set(bank.tree.leaves.tolist())


def test_winners_lie_in_visited_leaves(world, photo):
    case = live(world.translator.traced(photo, preset="beam", beam=3, coherence=0), world.translator)
    for way in descents(case, range(len(case.grid))):
        assert way.path[-1] in way.visited


def test_queries_are_answered_in_their_order(case, ways):
    several = descents(case, [7, 3, 7])
    assert [way.query for way in several] == [7, 3, 7]
    assert [way.path for way in several] == [ways[7].path, ways[3].path, ways[7].path]
    assert descents(case, []) == []


def test_a_bank_that_is_one_leaf_has_no_roads(tmp_path, build, save, paint, toy, toy_decoder):
    save(tmp_path / "small" / "small.png", paint(5))
    library = build("small", [tmp_path / "small"])
    assert len(library.bank("art/test").tree) == 1
    translator = Translator(library["art/test"], toy, toy_decoder)
    trace = translator.traced(paint(6, 32, 32))
    way = descents(live(trace, trace.model), [4])[0]
    assert (way.path, way.roads, way.greedy_leaf, way.visited) == ((), (), 0, (0,))
    assert visits(trace, "art/test", 1).tolist() == [len(trace)]


def test_unknown_queries_are_refused(case):
    with pytest.raises(UnknownNameError, match=f"query {len(case.grid)}: the image has queries 0 to"):
        descents(case, [0, len(case.grid)])
    with pytest.raises(UnknownNameError, match="query -1"):
        descents(case, [-1])


def test_visits_count_the_paths_of_the_banks_own_winners(case):
    banks, paths = case.trace.column("bank"), case.trace.column("kt.path")
    for bank in case.banks.banks:
        counts = visits(case.trace, bank.name, len(bank.tree))
        known = np.zeros(len(bank.tree), dtype=np.int64)
        for name, path in zip(banks, paths, strict=True):
            if name == bank.name:
                known[[0, *path]] += 1
        assert counts.tolist() == known.tolist()
        for node, children in enumerate(bank.tree.children):
            assert len(children) == 0 or counts[node] == counts[children.numpy()].sum()


def test_visits_of_a_bank_that_was_not_searched_are_refused(case):
    with pytest.raises(UnknownNameError, match="art/hot"):
        visits(case.trace, "art/hot", 10)
