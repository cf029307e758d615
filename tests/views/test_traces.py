"""The two traces of a view: what is asked, selected and told is of the one that is shown."""

from __future__ import annotations

import base64
import gzip
import json
import re
from html import unescape

import numpy as np
import pytest

import ktviz as kt
from ktviz.errors import SettingError
from ktviz.figures.colours import SOURCE_COLOURS
from views.wire import HEIGHT, WIDTH, Wire, unpack


@pytest.fixture
def wire(view):
    """Of a view whose largest source was left out."""
    wire = Wire(view)
    wire.answer("translate", {"without": [0]})
    return wire


@pytest.fixture(scope="module")
def expected(trace):
    """The trace without that source, made without a view."""
    return kt.without(trace, names(trace)[0])


def names(trace):
    return trace.sources()["source"].tolist()


def scene(view):
    return unpack(view._after)


def about(view, name, kind, body):
    """An answer about the trace whose scene says so."""
    values, _ = unpack(getattr(view, name))
    return Wire(view).ask(kind, body, trace=values["digest"])


def test_a_counterfactual_is_shown_as_a_whole_scene_of_its_trace(wire, trace, expected):
    view = wire.view
    values, parts = scene(view)
    assert view.showing == "after"
    assert (view.trace, view.shown.output.tobytes()) == (trace, expected.output.tobytes())
    assert [names(trace)[number] for number in parts["source"]] == expected.column("source").tolist()
    assert parts["similarity"].shape == (values["queries"],) == (len(trace),)
    assert np.array_equal(parts["box"], trace.column("box"))


def test_sources_keep_number_and_colour_and_have_the_shares_of_the_new_trace(wire, trace, expected):
    values, _ = scene(wire.view)
    share = expected.sources().set_index("source")["share"]
    assert [source["name"] for source in values["sources"]] == names(trace)
    assert [source["colour"] for source in values["sources"]] == list(range(len(names(trace))))
    assert [source["share"] for source in values["sources"]] == pytest.approx(share[names(trace)].tolist())
    assert values["sources"][0]["share"] == 0
    assert len(SOURCE_COLOURS) >= len(names(trace))


def test_who_took_over_is_ranked_by_share(wire, trace):
    told = scene(wire.view)[0]["comparison"]
    winners = wire.view.comparison.new_winners
    moved = winners[winners["source_before"] != winners["source_after"]]
    pairs = [(names(trace)[one], names(trace)[other]) for one, other, *_ in told["heirs"]]
    assert pairs == list(zip(moved["source_before"], moved["source_after"], strict=True))
    assert [heir[3] for heir in told["heirs"]] == sorted((heir[3] for heir in told["heirs"]), reverse=True)
    assert told["moved"] == pytest.approx(moved["overlap"].sum())
    lost = sum(share for one, _, _, share in told["heirs"] if one == 0)
    assert lost == pytest.approx(trace.sources()["share"][0])
    assert all(other != 0 for _, other, *_ in told["heirs"])


@pytest.mark.parametrize("name", ["_scene", "_after"])
def test_requests_are_answered_about_the_trace_that_they_name(wire, trace, expected, name):
    one = trace if name == "_scene" else expected
    box = kt.Box(8, 16, 40, 30)
    _, parts = unpack(about(wire.view, name, "region", {"box": [8, 16, 40, 30]}).buffers[0])
    assert parts["shares"] == pytest.approx(one.sources(box).set_index("source")["share"][names(trace)], abs=1e-6)
    _, parts = unpack(about(wire.view, name, "candidates", {"queries": [7]}).buffers[0])
    row = one.column("query", winners=False) == one.column("query")[7]
    assert np.array_equal(parts["source_box"][0], one.column("source_box", winners=False)[row].astype(np.float32))
    values, _ = unpack(about(wire.view, name, "descent", {"queries": [7]}).buffers[0])
    assert values["descents"][0]["path"] == one.winners["kt.path"][7].as_py()


def test_a_question_about_a_trace_that_has_gone_is_too_late_and_no_error(wire):
    view = wire.view
    digest = scene(view)[0]["digest"]
    wire.answer("translate", {"without": [1]})
    answer = wire.ask("region", {"box": [0, 0, 8, 8]}, trace=digest)
    assert answer.content == {"id": 7, "kind": "region", "ok": False}


def test_only_the_recorded_translation_has_counterfactuals(wire):
    answer = about(wire.view, "_after", "translate", {"without": [1]})
    assert answer.content["error"][2] == "Ask about the recorded one"


def test_the_switch_moves_region_and_selection_to_the_other_trace(wire, trace, expected):
    view = wire.view
    wire.select({"kind": "source", "source": 1, "node": None, "showing": "after"})
    won = expected.column("source") == names(trace)[1]
    assert list(view.selection) == expected.column("query")[won].tolist()
    assert set(view.selection.to_pandas()["source"]) == {names(trace)[1]}
    heard = []
    view.observe(lambda change: heard.append((change["name"], change["new"])), ["showing", "selection"])
    wire.select({"kind": "source", "source": 1, "node": None, "showing": "before"})
    won = trace.column("source") == names(trace)[1]
    assert list(view.selection) == trace.column("query")[won].tolist()
    assert view.shown is trace
    assert [name for name, _ in heard] == ["showing", "selection"]


def test_python_switches_too(wire, trace):
    view = wire.view
    view.region = kt.Box(8, 16, 40, 30)
    view.showing = "before"
    assert wire.updates[-1]["_selected"] == {
        "kind": "region",
        "box": [8, 16, 40, 30],
        "node": None,
        "showing": "before",
    }
    assert view.shown is trace
    view.showing = "after"
    assert view.region == kt.Box(8, 16, 40, 30)
    assert view.shown is not trace


@pytest.mark.parametrize("showing", ["after", "later", None, 1, ["after"]], ids=str)
def test_a_trace_that_is_not_there_cannot_be_shown(view, showing):
    with pytest.raises(SettingError):
        view.showing = showing
    Wire(view).select({"kind": "none", "showing": showing})
    assert (view.showing, view._selected) == ("before", {"kind": "none"})


def test_the_recorded_translation_alone_comes_back_when_nothing_is_left_out(wire, trace):
    view = wire.view
    kept = view.comparison
    wire.answer("translate", {"without": [], "weights": [1, 1, 1, 0]})
    assert (view.showing, view._after, view.shown, view.comparison) == ("before", b"", trace, kept)
    with pytest.raises(SettingError):
        view.showing = "after"


def test_other_band_weights_are_a_counterfactual_too(view, trace):
    wire = Wire(view)
    wire.answer("translate", {"weights": [0, 1, 1, 0.5]})
    values, _ = scene(view)
    assert (values["weights"], values["comparison"]["removed"]) == ([0, 1, 1, 0.5], [])
    assert list(view.shown.picture.about["settings"]["band_weights"]) == [0, 1, 1, 0.5]


def test_a_snapshot_is_of_the_trace_that_is_shown_and_a_page_of_both(wire, trace, tmp_path):
    view = wire.view
    for showing in ("before", "after"):
        view.showing = showing
        view.to_html(tmp_path / f"{showing}.html")
        text = (tmp_path / f"{showing}.html").read_text(encoding="utf-8")
        scenes = [packed_in(text, name) for name in ("ktviz-scene", "ktviz-after")]
        assert scenes[0][0]["digest"] == trace.digest[:12]
        after = unpack(scenes[1][1]["scene"].tobytes())
        assert after[0]["digest"] == scene(view)[0]["digest"]
        assert {"canvas/output", "difference"} <= {*after[1]}
        assert json.loads(unescape(re.search('data-selected="([^"]*)"', text)[1]))["showing"] == showing
        assert view.shown.digest[:12] in view._repr_mimebundle_()[0]["text/html"]
        values, store = unpack(scenes[1][1]["store"].tobytes())
        assert {"picture/1", "tree/0/above"} <= {*values["shared"]}
        assert {"roads", "bands"} <= {*store}


def test_a_page_without_room_for_the_counterfactual_says_so(wire, tmp_path):
    whole = wire.view.to_html(tmp_path / "whole.html")
    least = (whole.sizes["front end"] + whole.sizes["scene"] + 5_000) / 1e6
    report = wire.view.to_html(tmp_path / "least.html", max_mb=least)
    assert "the counterfactual" in report.left_out
    assert "ktviz-after" not in (tmp_path / "least.html").read_text(encoding="utf-8").split('<script type="module"')[0]


def packed_in(text, name):
    """A container of a page."""
    return unpack(gzip.decompress(base64.b64decode(re.search(f'id="{name}">([^<]*)<', text)[1])))


# What coherence gives up


@pytest.mark.parametrize("coherence", [0, 0.06, 0.4])
def test_a_scene_says_how_many_winners_continue_a_neighbour_and_what_similarity_is_kept(world, paint, coherence):
    trace = world.translator.traced(paint(41, HEIGHT, WIDTH), coherence=coherence, align=0)
    with kt.TableView(trace) as view:
        values, _ = unpack(view._scene)
    rows = trace.to_pandas()
    best = rows.groupby("query")["similarity"].max()
    assert values["coherent"] == pytest.approx(rows["kt.coherent"].sum() / len(trace))
    assert values["kept"] == pytest.approx(rows[rows["chosen"]]["similarity"].sum() / best.sum())
    assert (values["kept"] < 1) == (values["coherent"] > 0) == (coherence > 0)


def test_what_is_kept_is_not_known_of_winners_alone(world, paint):
    trace = world.translator.traced(paint(41, HEIGHT, WIDTH), candidates=1, align=0)
    with kt.TableView(trace) as view:
        assert unpack(view._scene)[0]["kept"] is None
