"""Requests of a view: every answer against what the trace, the tree and the model say; the rest is refused."""

from __future__ import annotations

import json
import logging

import numpy as np
import pandas as pd
import pytest
import torch

import ktviz as kt
from ktviz.images import decode_image
from ktviz.library.cluster_tree import Nodes
from ktviz.library.kinds.patches.clusters import describe_clusters, exemplar_pictures
from ktviz.systems.descents import Way
from ktviz.systems.kt.band_pictures import decoded_bands
from ktviz.systems.kt.descent import Descent, descents
from ktviz.systems.kt.live import live
from ktviz.widgets.answers import ANSWERS
from ktviz.widgets.panels import tree as tree_panel
from ktviz.widgets.panels.tree import as_values
from ktviz.widgets.protocol import PROTOCOL
from views.wire import HEIGHT, WIDTH, Wire, unpack

KINDS = ("region", "candidates", "pictures", "children", "outline", "thumbs", "descent", "exact", "bands", "translate")


@pytest.fixture(scope="module")
def wire(trace):
    with kt.Explorer(trace) as view:
        yield Wire(view)


@pytest.fixture(autouse=True)
def unchanged(trace, wire):
    """No request changes the trace, or what is selected."""
    table, about, selected = trace.table, dict(trace.about), selected_in(wire.view)
    yield
    assert trace.table is table
    assert dict(trace.about) == about
    assert selected_in(wire.view) == selected


def selected_in(view):
    return view.region, view.selection.queries, view.node


def names(trace):
    """Sources in the order of a view."""
    return trace.sources()["source"].tolist()


# Answers


@pytest.mark.parametrize("box", [[0, 0, WIDTH, HEIGHT], [8, 16, 20, 10], [89, 71, 1, 1], [3.5, 2.25, 30.5, 9]], ids=str)
def test_the_shares_of_a_region_are_the_traces(wire, trace, box):
    values, parts = wire.answer("region", {"box": box})
    x, y = np.floor(box[:2]).astype(int)
    right, bottom = np.ceil([box[0] + box[2], box[1] + box[3]]).astype(int)
    region = kt.Box(int(x), int(y), int(right - x), int(bottom - y))
    shares = trace.sources(region).set_index("source")["share"]
    assert values == {}
    assert parts["shares"] == pytest.approx(shares[names(trace)].to_numpy(), abs=1e-6)
    assert parts["shares"].sum() == pytest.approx(1, abs=1e-5)
    assert parts["queries"].tolist() == trace[region].column("query").tolist()


def test_candidates_come_in_the_order_of_their_ranks(wire, trace):
    places = [5, 80, 5, 0]
    _, parts = wire.answer("candidates", {"queries": places})
    rows = trace.to_pandas().sort_values(["query", "rank"])
    for place, *found in zip(places, *(parts[name] for name in ("source_box", "bands", "entry_bands")), strict=True):
        mine = rows[rows["query"] == trace.column("query")[place]]
        columns = mine[["kt.similarity_ll", "kt.similarity_lh", "kt.similarity_hl", "kt.similarity_hh"]].to_numpy(
            np.float32
        )
        expected = np.stack(mine["source_box"]), columns, np.stack(mine["kt.entry_bands"])
        for one, other in zip(found, expected, strict=True):
            assert np.array_equal(one, other)
    assert np.array_equal(parts["query_bands"], trace.column("kt.query_bands")[places])


def test_pictures_are_those_of_the_bank(wire, trace, world):
    _, parts = wire.answer("pictures", {"sources": [3, 0]})
    assert set(parts) == {"picture/3", "picture/0"}
    for number in (0, 3):
        expected = world.banks.picture(world.banks.source_names.index(names(trace)[number]))
        found = decode_image(parts[f"picture/{number}"].tobytes())
        assert found.shape == expected.shape
        assert np.abs(found.astype(int) - expected).mean() < 8  # a JPEG


@pytest.mark.parametrize(("bank", "nodes"), [(0, [0]), (1, [0]), (1, [2, 0]), (1, [12, 1, 12]), (1, [])], ids=str)
def test_children_are_those_of_the_tree(wire, world, bank, nodes):
    tree = world.banks.banks[bank].tree
    _, parts = wire.answer("children", {"bank": bank, "nodes": nodes})
    parent = tree.parent.tolist()
    below = [child for node in nodes for child in range(len(tree)) if parent[child] == node]
    expected = list(dict.fromkeys([*nodes, *below]))
    assert parts["node"].tolist() == expected
    assert parts["parent"].tolist() == [parent[node] for node in expected]
    assert parts["size"].tolist() == [int(tree.end[node] - tree.start[node]) for node in expected]
    assert parts["children"].tolist() == [parent.count(node) for node in expected]
    assert parts["level"].tolist() == [len(list(up(parent, node))) for node in expected]
    spread = [cluster.spread for cluster in describe_clusters(world.banks.banks[bank], expected)]
    assert parts["spread"] == pytest.approx(spread, abs=1e-6)


def up(parent, node):
    """The nodes above one."""
    while parent[node] >= 0:
        node = parent[node]
        yield node


def test_thumbs_are_the_exemplars_in_a_row_per_node(wire, world):
    bank, nodes = world.banks.banks[1], [0, 12, 3]
    _, parts = wire.answer("thumbs", {"bank": 1, "nodes": nodes})
    sheet = decode_image(parts["sheet"].tobytes())
    assert sheet.shape == (16 * 3, 16 * 6, 3)
    assert parts["node"].tolist() == nodes
    assert parts["row"].tolist() == [0, 1, 2]
    for row, cluster in enumerate(describe_clusters(bank, nodes, 6)):
        assert parts["count"][row] == len(cluster.exemplars)
        for column, pixels in enumerate(exemplar_pictures(bank, cluster.exemplars)):
            place = sheet[16 * row : 16 * row + 16, 16 * column : 16 * column + 16]
            assert np.array_equal(place, pixels)


def test_a_descent_is_the_way_that_was_taken(wire, trace):
    places = [7, 60, 7]
    values, _ = wire.answer("descent", {"queries": places})
    case = live(trace, trace.model)
    trees = {bank.name: bank.tree for bank in case.banks.banks}
    expected = descents(case, trace.column("query")[places].tolist())
    for found, way in zip(values["descents"], expected, strict=True):
        for name in ("query", "bank"):
            assert found[name] == getattr(way, name), name
        assert found["greedy"]["path"] == list(way.greedy.path)
        assert found["greedy"]["near"] == pytest.approx(way.greedy.similarity.tolist(), abs=1e-4)
        assert (found["path"], found["visited"]) == (list(way.path), list(way.visited))
        assert dict(found["passed"]) == passed(trees[way.bank], way.visited)
        for road, other in zip(found["roads"], way.roads, strict=True):
            assert (road["nodes"], road["taken"], road["greedy"]) == (other.nodes.tolist(), other.taken, other.greedy)
            assert road["similarity"] == pytest.approx(other.similarity, abs=1e-4)


def passed(tree, leaves):
    """How many of some leaves lie below each node, the root apart."""
    counts = {}
    for leaf in leaves:
        for node in up(tree.parent.tolist(), leaf):
            if node:
                counts[node] = counts.get(node, 0) + 1
    return counts


def test_a_leaf_that_lies_higher_than_others_is_not_passed_on_the_way_to_itself():
    """Root; 1 is a leaf, 2 has the leaves 3 and 4."""
    nodes = Nodes(np.array([-1, 0, 0, 2, 2]), np.array([6, 2, 4, 2, 2]))
    way = Descent(0, "art/x", (1,), (), Way((1,), np.ones(1, np.float32)), (1, 3, 4))
    assert dict(as_values(way, nodes)["passed"]) == passed(nodes, way.visited) == {2: 2}


@pytest.mark.parametrize("preset", ["paper", "exact"])
def test_other_presets_visit_one_leaf_or_none(world, photo, preset):
    with kt.TreeView(world.translator.traced(photo, preset=preset, align=0)) as view:
        values, _ = Wire(view).answer("descent", {"queries": [3]})
    (way,) = values["descents"]
    assert way["visited"] == ([way["greedy"]["path"][-1]] if preset == "paper" else [])
    assert (way["passed"] == []) == (preset == "exact" or way["bank"] == "art/cool")  # one level: nothing between


def test_the_best_entry_of_all_is_told_with_the_way_to_it(wire, trace):
    places = [5, 61]
    values, _ = wire.answer("exact", {"queries": places})
    case = live(trace, trace.model)
    best = trace.model.oracle(case.trace, np.array(places))
    assert values["missing"] == ""
    for told, entry, similarity, place in zip(
        values["exact"], best.winner.tolist(), best.winner_similarity.tolist(), places, strict=True
    ):
        (way,) = descents(case, [int(trace.column("query")[place])], np.array([entry]))
        assert (told["bank"], told["path"]) == (way.bank, list(way.path))
        assert told["similarity"] == pytest.approx(similarity, abs=1e-5)
        assert told["similarity"] >= trace.column("similarity")[place] - 1e-6
        assert told["near"] == pytest.approx(
            [float(road.similarity[road.nodes == road.taken][0]) for road in way.roads], abs=1e-4
        )
        name = case.banks.source_names[int(case.banks.source_of(torch.tensor([entry]))[0])]
        assert wire.view._subject.names[told["source"]] == name
        assert told["box"] == case.banks.boxes(torch.tensor([entry]))[0].tolist()


def test_in_large_banks_the_best_entry_is_not_looked_for_unless_the_trace_knows_it(world, photo, monkeypatch):
    monkeypatch.setattr(tree_panel, "MOST_COMPARED", 10)
    trace = world.translator.traced(photo, align=0)
    with kt.TreeView(trace) as view:
        values, _ = Wire(view).answer("exact", {"queries": [3]})
    assert values["exact"] == []
    assert "with_regret" in values["missing"]
    with kt.TreeView(trace.with_regret()) as view:
        values, _ = Wire(view).answer("exact", {"queries": [3]})
    assert len(values["exact"]) == 1


def test_the_whole_tree_is_outlined_as_far_as_there_is_room(wire, trace, monkeypatch):
    tree = live(trace, trace.model).banks.banks[0].tree
    _, parts = wire.answer("outline", {"bank": 0})
    assert parts["above"].tolist() == tree.parent.tolist()
    assert parts["size"].tolist() == (tree.end - tree.start).tolist()
    upper = 1 + int((tree.parent == 0).sum())
    for room in (1, upper, upper + 1):
        monkeypatch.setattr(tree_panel, "MOST_OUTLINED", room)
        _, parts = wire.answer("outline", {"bank": 0})
        expected = 1 if room == 1 else upper if tree.depth > 1 else len(tree)
        assert len(parts["above"]) == expected


def test_bands_are_decoded_as_one_sheet(wire, trace, world):
    entries = [0, 844, 300]
    _, parts = wire.answer("bands", {"queries": [9], "entries": entries})
    case = live(trace, trace.model)
    query = case.grid.unfold(case.features, torch.tensor([int(trace.column("query")[9])]))
    expected = decoded_bands(world.translator, torch.cat((query, world.banks.patches(torch.tensor(entries)))))
    sheet = decode_image(parts["decoded"].tobytes())
    assert sheet.shape == (16 * 4, 16 * 5, 3)
    for row in range(4):
        for band in range(5):
            place = sheet[16 * row : 16 * row + 16, 16 * band : 16 * band + 16]
            assert np.array_equal(place, expected[row, band])
    assert parts["known"].tolist() == [1] * 4
    _, alone = wire.answer("bands", {"queries": [9], "entries": []})
    assert np.array_equal(decode_image(alone["decoded"].tobytes()), sheet[:16])


@pytest.mark.parametrize(
    ("without", "weights"),
    [([0], None), ([1, 3], [1, 1, 1, 0]), ([], [0, 1, 1, 0.5]), ([2], [0, 0, 0, 1])],
    ids=str,
)
def test_a_counterfactual_is_a_translation_with_other_settings(wire, trace, world, photo, without, weights):
    assert wire.answer("translate", {"without": without, "weights": weights}) == ({}, {})
    values, parts = unpack(wire.view._after)
    gone = [names(trace)[number] for number in without]
    settings = {} if weights is None else {"band_weights": weights}
    expected = world.translator(photo, without=gone, align=0, **settings).image
    assert np.array_equal(decode_image(parts["canvas/output"].tobytes()), expected)
    difference = np.abs(trace.output.astype(float) - expected).mean(2)
    shown = np.clip(np.round(values["comparison"]["gain"] * difference), 0, 255)
    assert np.array_equal(decode_image(parts["difference"].tobytes()), np.repeat(shown[..., None], 3, 2))
    comparison = wire.view.comparison
    assert comparison.changed_share == pytest.approx((trace.output != expected).any(2).mean())
    assert np.array_equal(comparison.pictures["after"], expected)
    assert comparison.headline() == values["comparison"]["headline"]
    assert values["comparison"]["removed"] == without
    if weights is None:
        pd.testing.assert_frame_equal(comparison.frame, kt.compare(trace, kt.without(trace, gone)).frame)


def test_what_the_trace_was_made_without_stays_out(world, photo):
    trace = world.translator.traced(photo, without=["a"], preset="exact", strength=0.5, align=0)
    with kt.SourcesView(trace) as view:
        number = names(trace).index("art/cool/d.png")
        Wire(view).answer("translate", {"without": [number]})
        _, parts = unpack(view._after)
    expected = world.translator(photo, without=["a", "d"], preset="exact", strength=0.5, align=0).image
    assert np.array_equal(decode_image(parts["canvas/output"].tobytes()), expected)


def test_a_trace_saved_without_pictures_is_translated_again_with_its_photo(world, photo, trace, tmp_path):
    for kept in ("input", "none"):
        trace.save(tmp_path / f"{kept}.parquet", pictures=kept)
        opened = kt.Trace.open(tmp_path / f"{kept}.parquet")
        with kt.Explorer(opened, model=world.translator, photo=photo) as view:
            Wire(view).answer("translate", {"without": [0]})
            _, parts = unpack(view._after)
        expected = world.translator(photo, without=[names(trace)[0]], align=0).image
        assert np.array_equal(decode_image(parts["canvas/output"].tobytes()), expected)
        assert view.comparison.changed_share == pytest.approx((trace.output != expected).any(2).mean())


# Refusals


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        *((kind, body) for kind in KINDS for body in (None, [], [1], "box", 7, True)),
        *((kind, {"x": "y" * 9000}) for kind in KINDS),
        *(("region", {"box": box}) for box in (None, [], 7, [1, 2, 3], [0, 0, 0, 4], [80, 0, 20, 4], [-1, 0, 4, 4])),
        *(("region", {"box": box}) for box in ("1234", {}, [[1], 2, 3, 4], [None] * 4, ["a"] * 4, [10**400, 0, 1, 1])),
        *((kind, {}) for kind in KINDS if kind not in ("pictures", "translate")),
        *(
            (kind, {name: wrong})
            for kind, name in (("candidates", "queries"), ("descent", "queries"), ("bands", "queries"))
            for wrong in ([], None, 5, "5", {"0": 1}, [1.0], [True], ["1"], [None], [-1], [88], [2**70], [0] * 1025)
        ),
        *(("pictures", {"sources": wrong}) for wrong in (None, 3, "01", [5], [-1], [0.0], [False], [[0]])),
        *(
            (kind, {"bank": bank, "nodes": nodes})
            for kind in ("children", "thumbs")
            for bank, nodes in ((None, [0]), (2, [0]), (-1, [0]), (True, [0]), ([0], [0]), (0, [5]), (0, [-1]), (1, 3))
        ),
        ("thumbs", {"bank": 0, "nodes": []}),
        *(("bands", {"queries": [0], "entries": wrong}) for wrong in ([845], [-1], [0.5], "0", None, [True])),
        *(("translate", {"without": wrong}) for wrong in ([5], [-1], ["a"], "a", 0, [1.0], [0, 1, 2, 3, 4])),
        *(
            ("translate", {"without": [], "weights": wrong})
            for wrong in (5, "1110", [1, 1, 1], [1] * 5, [-1, 1, 1, 1], [0] * 4, ["a"] * 4, [None] * 4, [[1]] * 4)
        ),
        *(("translate", {"weights": wrong}) for wrong in ({"a": 1}, [float("nan"), 1, 1, 1], [1e308] * 4, True)),
        *((kind, {}) for kind in ("", "Region", "close", "__init__", "live", "region ", "x" * 10_000)),
        *((kind, {}) for kind in (None, 7, True, ["region"], {"region": 1})),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_no_view_asks_is_refused_and_not_stumbled_over(wire, caplog, kind, body):
    comparison = wire.view.comparison
    with caplog.at_level(logging.WARNING):
        error = wire.refusal(kind, body)
    assert not caplog.records  # an error of ours, not one that was caught
    assert all(len(part) < 500 for part in error)
    assert wire.view.comparison is comparison


@pytest.mark.parametrize("protocol", [None, 0, 1, PROTOCOL - 1, PROTOCOL + 1, str(PROTOCOL), [PROTOCOL], {}])
def test_another_protocol_is_told_to_draw_a_new_view(wire, protocol):
    error = wire.refusal("region", {"box": [0, 0, 8, 8]}, protocol=protocol)
    assert error[2] == "Run the cell again to draw a new view"


def test_an_unknown_kind_names_those_that_are_known(wire):
    error = wire.refusal("regions", {})
    assert all(kind in error[2] for kind in KINDS)


@pytest.mark.parametrize("id", [0, 1, -5, 2**53])
def test_ids_come_back(wire, id):
    assert wire.ask("region", {"box": [0, 0, 8, 8]}, id=id).content["id"] == id
    wire.refusal("none", {}, id=id)


@pytest.mark.parametrize("content", [None, 7, "region", [], {}, {"kind": "region"}, {"id": None}, {"id": "7"}], ids=str)
def test_what_is_no_request_gets_no_answer(wire, caplog, content):
    assert wire.say(content) == []
    assert not caplog.records


def test_an_error_that_nobody_expected_is_answered_and_logged(wire, monkeypatch, caplog):
    def fail(subject, body):
        raise RuntimeError("the disk is on fire")

    monkeypatch.setitem(ANSWERS, "region", fail)
    error = wire.refusal("region", {"box": [0, 0, 8, 8]})
    assert "the disk is on fire" in error[1]
    assert "a view's request failed" in caplog.text
    monkeypatch.undo()
    wire.answer("region", {"box": [0, 0, 8, 8]})


def test_as_many_retrievals_as_a_view_may_name_fit_a_request(world, paint):
    """The browser lists what is selected: a region of a large picture, by numbers of five digits."""
    trace = world.translator.traced(paint(3, 816, 816), candidates=1, coherence=0, preset="paper")
    assert len(trace) > 10_000
    places = list(range(len(trace) - 400, len(trace)))
    with kt.BandView(trace) as view:
        _, parts = Wire(view).answer("candidates", {"queries": places})
    assert len(parts["query_bands"]) == 400


def test_questions_to_the_model_are_refused_where_there_is_none(trace, tmp_path):
    trace.save(tmp_path / "trace.parquet")
    with kt.Explorer(kt.Trace.open(tmp_path / "trace.parquet")) as view:
        wire = Wire(view)
        for kind, body in (
            ("children", {"bank": 0, "nodes": [0]}),
            ("thumbs", {"bank": 0, "nodes": [0]}),
            ("descent", {"queries": [0]}),
            ("bands", {"queries": [0], "entries": []}),
            ("translate", {"without": [0]}),
        ):
            assert "no model with it" in wire.refusal(kind, body)[2]
        assert wire.answer("pictures", {"sources": [0]})[1] == {}
        wire.answer("region", {"box": [0, 0, 8, 8]})
        wire.answer("candidates", {"queries": [0]})


def test_answers_are_json_that_knows_no_nan(world, photo):
    trace = world.translator.traced(photo, candidates=1, coherence=0, align=0)
    with kt.Explorer(trace) as view:
        wire = Wire(view)
        wire.answer("translate", {"without": [0]})
        for values, _ in (wire.answer("candidates", {"queries": [0]}), unpack(view._after)):
            json.dumps(values, allow_nan=False)


def test_a_closed_view_answers_nothing(trace):
    view = kt.Explorer(trace)
    wire = Wire(view)
    view.close()
    assert wire.say({"id": 1, "kind": "region", "body": {"box": [0, 0, 8, 8]}, "protocol": PROTOCOL}) == []


def test_requests_leave_no_hook_in_the_model(wire, world):
    wire.answer("translate", {"without": [0]})
    wire.refusal("translate", {"without": [0, 1, 2, 3, 4]})
    for module in world.translator.modules():
        assert not module._forward_hooks
        assert not module._forward_pre_hooks


def test_a_translation_that_fails_is_told_and_leaves_the_last_comparison(world, photo, monkeypatch):
    trace = world.translator.traced(photo, align=0)
    with kt.Explorer(trace) as view:
        wire = Wire(view)
        wire.answer("translate", {"without": [0]})
        kept = view.comparison
        monkeypatch.setattr(type(world.translator.decoder), "forward", lambda *_: torch.full((1, 3, 72, 96), torch.nan))
        error = wire.refusal("translate", {"without": [1]})
        assert "NaN" in error[1]
        assert view.comparison is kept


def test_a_comparison_cannot_be_set(wire):
    with pytest.raises(Exception, match="read-only"):
        wire.view.comparison = None


def test_views_of_one_trace_answer_apart(trace):
    with kt.Explorer(trace) as one, kt.SourcesView(trace) as other:
        Wire(one).answer("translate", {"without": [0]})
        assert one.comparison is not None
        assert other.comparison is None
