"""The library map: where entries lie, tiles that hold each of them once, and what is told of one."""

import numpy as np
import pytest
import torch

import ktviz as kt
from ktviz import samples
from ktviz.errors import MismatchError, SettingError, UnknownNameError
from ktviz.images import decode_image
from ktviz.library.kinds.patches.search import SearchSettings
from ktviz.widgets.library_map.drawing import patch_of
from ktviz.widgets.library_map.plane import spread_out
from ktviz.widgets.library_map.tiles import BINS, DEEPEST, FINE, MOST_POINTS, Tiles
from views.wire import unpack


@pytest.fixture
def places(world):
    with kt.LibraryMap(world.banks) as made:
        yield made


def answered(places, kind, body, buffers=()):
    """What a map answers: values, parts; or the error."""
    sent = []
    places.send = lambda content, given=None: sent.append((content, given))
    places._on_message(places, {"id": 7, "kind": kind, "body": body}, list(buffers))
    del places.send
    content, given = sent[0]
    assert content["id"] == 7
    return unpack(given[0]) if content["ok"] else content["error"]


def test_entries_of_a_leaf_lie_together_and_the_map_is_the_same_again(world, places):
    bank = world.banks.banks[0]
    tree, where = bank.tree, places.places[: len(bank)]
    assert where.shape == (len(bank), 2)
    assert (places.places >= 0).all()
    assert (places.places <= 1).all()
    within = [np.ptp(where[int(tree.start[leaf]) : int(tree.end[leaf])], axis=0).max() for leaf in tree.leaves]
    assert np.median(within) < 0.5 * np.ptp(where, axis=0).max()
    with kt.LibraryMap(world.banks) as again:
        assert np.array_equal(again.places, places.places)


def test_alike_vectors_are_near_each_other():
    random = np.random.default_rng(0)
    groups = np.repeat(random.normal(size=(4, 30)), 25, axis=0) + 0.1 * random.normal(size=(100, 30))
    where, group = spread_out(groups), np.repeat(np.arange(4), 25)
    distance = np.linalg.norm(where[:, None] - where[None], axis=2) + 10 * np.eye(100)
    assert (group[distance.argmin(1)] == group).mean() > 0.95


@pytest.mark.parametrize("count", [0, 1, 2, 4, 6])
def test_a_few_vectors_have_places_too(count):
    where = spread_out(np.random.default_rng(0).normal(size=(count, 8)))
    assert where.shape == (count, 2)
    assert np.isfinite(where).all()


@pytest.fixture
def many():
    random = np.random.default_rng(1)
    where = np.clip(random.normal(0.5, 0.12, size=(20_000, 2)), 0, 1).astype(np.float32)
    where[:3] = [[0, 0], [1, 1], [0.5, 0.5]]
    return where, random.integers(0, 5, 20_000).astype(np.uint8)


@pytest.mark.parametrize("level", [0, 1, 3, 6])
def test_tiles_of_a_level_hold_every_point_once_at_its_place(many, level):
    where, group = many
    tiles, seen, count = Tiles.create(where, group), [], 0
    for x in range(2**level):
        for y in range(2**level):
            tile = tiles.tile(level, x, y)
            if "count" in tile:
                count += int(tile["count"].sum())
                assert tile["count"].sum() > MOST_POINTS
                continue
            seen += tile["number"].tolist()
            at = (tile["place"] / FINE + (x, y)) / 2**level
            assert np.allclose(at, where[tile["number"]], atol=1e-4)
            assert np.array_equal(tile["group"], group[tile["number"]])
    assert len(seen) == len({*seen})
    assert len(seen) + count == len(where)


def test_bins_count_points_where_they_lie_and_name_the_most_frequent_group(many):
    where, group = many
    tile = Tiles.create(where, group).tile(0, 0, 0)
    column, row = np.minimum(where * BINS, BINS - 1).astype(int).T
    known = np.zeros((5, BINS, BINS), int)
    np.add.at(known, (group, row, column), 1)
    assert np.array_equal(tile["count"], known.sum(0))
    there = known.sum(0) > 0
    assert np.array_equal(tile["group"][there], known.argmax(0)[there])
    alone = Tiles.create(where, group).tile(0, 0, 0, group=3)
    assert np.array_equal(alone["count"], known[3])


def test_a_thousand_points_at_one_place_are_bounded():
    where = np.full((50_000, 2), 0.25, np.float32)
    tile = Tiles.create(where, np.zeros(len(where), np.uint8)).tile(DEEPEST, 2**DEEPEST // 4, 2**DEEPEST // 4)
    assert 0 < len(tile["number"]) <= 4 * MOST_POINTS


def test_what_is_told_of_an_entry_is_what_the_bank_says(world, places):
    entry = len(world.banks) - 5
    values, parts = answered(places, "entry", {"entry": entry})
    source, y, x = (int(one) for one in world.banks.locate(torch.tensor([entry])))
    assert values["source"]["title"]
    assert values["box"] == [4 * x, 4 * y, 16, 16]
    whole = world.banks.picture(source)
    assert values["size"] == [whole.shape[1], whole.shape[0]]
    assert np.allclose(values["place"], places.places[entry])
    near = world.banks.search(world.banks.patches(torch.tensor([entry])), SearchSettings(candidates=9))
    assert [one["number"] for one in values["neighbours"]] == [n for n in near.entry[0].tolist() if n != entry][:8]
    picture = decode_image(bytes(parts["picture"]))
    patch = whole[4 * y : 4 * y + 16, 4 * x : 4 * x + 16]
    assert np.abs(picture[::6, ::6].astype(float) - patch.astype(float)).mean() < 25
    bank = next(one for one in world.banks.banks if one.name == values["path"][-1][0])
    leaf, local = values["path"][-1][1], entry - (len(world.banks) - len(bank))
    assert int(bank.tree.start[leaf]) <= local < int(bank.tree.end[leaf])


def test_a_selected_entry_tells_its_leaf_and_a_view_of_trees_can_follow(world, places, paint):
    places.entry = 3
    bank, leaf = places.node
    assert bank == world.banks.banks[0].name
    assert int(world.banks.banks[0].tree.start[leaf]) <= 3 < int(world.banks.banks[0].tree.end[leaf])
    places._entry = -1
    assert places.entry is None
    assert places.node is None
    for wrong in (-1, len(world.banks)):
        with pytest.raises(UnknownNameError):
            places.entry = wrong
    trace = world.translator.traced(paint(3, 64, 64))
    with kt.Explorer(trace) as view:
        places.follow(view)
        assert sorted(places.marked) == sorted(trace.site(view.site).column("entry").tolist())
        view.region = kt.Box(0, 0, 16, 16)
        mine = np.isin(view.shown.column("query"), view.selection.queries)
        assert sorted(places.marked) == sorted(view.shown.column("entry")[mine].tolist())
        assert 0 < len(places.marked) < len(trace.site(view.site))
        places.entry = places.marked[0]
        assert view.node == places.node


def test_a_drawing_finds_what_a_search_for_its_patch_finds(world, toy):
    drawn = np.random.default_rng(0).integers(0, 255, (16, 16, 3), np.uint8)
    with kt.LibraryMap(world.banks, encoder=toy) as places:
        values, _ = answered(places, "drawing", {}, [drawn.tobytes()])
        known = world.banks.search(patch_of(drawn, toy), SearchSettings(candidates=8))
    assert [one["number"] for one in values["neighbours"]] == known.entry[0].tolist()
    with kt.LibraryMap(world.banks) as places:
        error = answered(places, "drawing", {}, [drawn.tobytes()])
    assert "another encoder" in error[1]


def test_what_a_translation_took_is_marked(world, paint):
    trace = world.translator.traced(paint(3, 64, 64))
    with kt.LibraryMap(world.banks, trace=trace) as places:
        assert sorted(places.marked) == sorted(trace.column("entry").tolist())
        _, parts = unpack(places._marked)
        assert parts["times"].sum() == len(trace)
        assert np.allclose(parts["place"], places.places[parts["number"]])
        with pytest.raises(UnknownNameError, match="marked"):
            places.marked = [len(world.banks)]
    alone = world.library["art/warm"]
    with kt.LibraryMap(alone) as places:
        assert len(places.points) == len(alone)


def test_other_banks_and_no_banks_are_refused(world, paint, build, pictures):
    trace = world.translator.traced(paint(3, 64, 64))
    other = build("other", [pictures / "warm"])["art/test"]
    with pytest.raises(MismatchError):
        kt.LibraryMap(other, trace=trace)
    with kt.LibraryMap(other) as places, kt.Explorer(trace) as view, pytest.raises(MismatchError):
        places.follow(view)
    for wrong in ("art", None, 3):
        with pytest.raises(SettingError, match="no banks"):
            kt.LibraryMap(wrong)
    with pytest.raises(SettingError):
        kt.LibraryMap(other, of="places")


@pytest.mark.parametrize("body", [{"tile": [0, 0]}, {"tile": [0, -1, 0]}, {"tile": "abc"}, {}])
def test_what_no_map_asks_for_is_refused(places, body):
    assert "tile" in answered(places, "tile", body)[0]
    assert answered(places, "pictures", {"numbers": [10**9]})[1].startswith("not up to")
    assert answered(places, "else", {})[1] == "nothing that it answers"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "of", "what"),
    [
        ("pots/glazed", "entries", "entries"),
        ("portraits/clay", "entries", "sources"),
        ("art/impasto", "sources", "sources"),
        ("scenes/streets", "entries", "entries"),
    ],
)
def test_banks_of_all_kinds_have_maps(name, of, what):
    banks = samples.bank(name, quiet=True)
    with kt.LibraryMap(banks, of=of) as places:
        assert places.points.what == what
        values, parts = answered(places, "entry", {"entry": len(places.points) - 1})
        assert len(values["neighbours"]) == min(8, len(places.points) - 1)
        assert "picture" in parts
        numbers = list(range(min(5, len(places.points))))
        _, parts = answered(places, "pictures", {"numbers": numbers})
        assert decode_image(bytes(parts["sheet"])).shape == (32 * len(numbers), 32, 3)
        assert places.plot().axes[0].images


def test_of_very_many_vectors_the_rest_lie_between_those_that_were_placed(monkeypatch):
    monkeypatch.setattr("ktviz.widgets.library_map.plane.LANDMARKS", 40)
    random = np.random.default_rng(0)
    groups = np.repeat(random.normal(size=(4, 30)), 50, axis=0) + 0.1 * random.normal(size=(200, 30))
    where, group = spread_out(groups), np.repeat(np.arange(4), 50)
    distance = np.linalg.norm(where[:, None] - where[None], axis=2) + 10 * np.eye(200)
    assert (group[distance.argmin(1)] == group).mean() > 0.95
