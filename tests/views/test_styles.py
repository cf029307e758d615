"""Styles of objects in a view: what each took, who is behind it, and what another one changes."""

from __future__ import annotations

import json

import numpy as np
import pytest
from systems.pix2pixhd.conftest import world

import ktviz as kt
from ktviz.images import decode_image
from ktviz.library.kinds.codes.cutting import cut_out, tile
from ktviz.widgets.panels.codes import MOST_MEMBERS, SIDE_PX, in_page
from ktviz.widgets.protocol import PROTOCOL
from ktviz.widgets.room import Room
from ktviz.widgets.view import static_text
from views.new_systems import street
from views.wire import Wire, unpack

CAR, TREE = 3, 4


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """The system, to be kept alive, and a trace of it."""
    return street(tmp_path_factory.mktemp("street"))


@pytest.fixture(scope="module", params=["style", "members"])
def view(request, model):
    with kt.Explorer(model[1]) as view:
        view.site = request.param
        yield view


@pytest.fixture
def wire(view):
    yield Wire(view)
    view._handle_custom_msg(
        {"id": 1, "protocol": PROTOCOL, "kind": "translate", "body": {"without": [], "weights": []}}, []
    )


@pytest.fixture
def looks(wire):
    """Of all objects, by place, as the view is told."""
    return wire.answer("styles", {"queries": [*range(len(wire.view.shown))]})[0]["looks"]


def style_rows(trace):
    """The rows of the site that chooses styles."""
    return trace.site("style").to_pandas()


def test_the_panel_is_there_at_either_site(view):
    values, _ = unpack(view._scene)
    assert {panel["name"] for panel in values["panels"] if panel["appears"]} >= {"codes", "tree"}
    assert values["can"]["codes"]
    assert values["can"]["restyle"]


def test_each_site_has_its_own_sources_in_colours_of_their_own(view, model):
    found = unpack(view._scene)[0]["sources"]
    here = [source for source in found if source["here"]]
    own = {source["source"] for source in model[1].site(view.site).about["sources"]}
    assert {source["name"] for source in here} == own
    assert len(own) < len(found)
    assert sorted(s["colour"] for s in here if s["colour"] >= 0) == [*range(min(8, len(own)))]
    assert not any(source["share"] for source in found if not source["here"])


def test_every_object_has_the_styles_of_its_class_with_the_distances_of_the_trace(looks, model):
    rows = style_rows(model[1])
    for look in looks:
        mine = rows[rows["label"] == look["label"]]
        told = {option["style"]: (option["number"], option["members"], option["apart"]) for option in look["options"]}
        assert sorted(told) == sorted(mine["entry"])
        for row in mine.to_dict("records"):
            number, members, apart = told[row["entry"]]
            assert (number, members) == (row["pix2pixhd.centre"], row["pix2pixhd.members"])
            assert apart == pytest.approx(row["pix2pixhd.distance"], abs=1e-3)
        assert look["taken"] == mine["entry"][mine["chosen"]].item()
        assert not look["given"]


def test_objects_that_are_too_small_are_counted(looks, model):
    bank = model[0].banks
    for look in looks:
        alike = bank.label == (look["label"] if look["label"] < 1000 else look["label"] // 1000)
        behind = sum(option["members"] for option in look["options"])
        assert look["small"] == alike.sum() - behind


def test_members_are_the_objects_of_the_trace_with_their_credits_and_pictures(wire, looks, model):
    system, trace = model
    rows = trace.site("members").to_pandas()
    bank = system.banks
    for look in looks:
        values, parts = wire.answer("members", {"styles": [look["taken"]]})
        (found,) = values["members"]
        mine = rows[rows["label"] == look["label"]].sort_values("rank").head(MOST_MEMBERS)
        assert [one["source"] for one in found["nearest"]] == mine["source"].tolist()
        assert [one["apart"] for one in found["nearest"]] == pytest.approx((-mine["similarity"]).tolist(), abs=1e-3)
        assert {one["creator"] for one in found["nearest"]} <= {f"Ada {n}" for n in range(5)}
        sheet = decode_image(parts[f"sheet/{look['taken']}"].tobytes(), "sheet")
        assert sheet.shape == (SIDE_PX, SIDE_PX * len(mine), 3)
        for n, entry in enumerate(mine["entry"]):
            source, box = int(bank.source[entry]), bank.box[entry]
            cut = cut_out(bank.picture(source), bank.object_map(source), int(bank.number[entry]), box)
            assert np.array_equal(sheet[:, n * SIDE_PX : (n + 1) * SIDE_PX], tile(cut, SIDE_PX))


def restyled(wire, **body):
    """What comes of a change: the trace, and what the browser is told."""
    wire.answer("translate", {"without": [], "weights": [], **body})
    assert wire.view.showing == "after"
    return wire.view.shown, unpack(wire.view._after)[0]["comparison"]


def place_of(looks, label):
    return [look["label"] for look in looks].index(label)


def test_another_style_draws_the_object_again_as_a_run_that_says_so(wire, looks, model):
    system, trace = model
    place = place_of(looks, 1000 * CAR)
    other = next(option for option in looks[place]["options"] if option["style"] != looks[place]["taken"])
    shown, comparison = restyled(wire, styles=[[place, other["number"]]])
    again = system.rerun(trace, styles={1000 * CAR: other["number"]})
    assert np.array_equal(shown.picture.canvases["output"], again.picture.canvases["output"])
    mask = trace.picture.labels("input") == 1000 * CAR
    difference = np.abs(trace.output.astype(float) - shown.output).mean(2)
    (effect,) = comparison["effects"]
    assert effect["inside"] == pytest.approx(difference[mask].mean())
    assert effect["outside"] == pytest.approx(difference[~mask].mean())
    assert effect["said"] == f"car {1000 * CAR} like {other['name']}"
    assert (comparison["change"]["styles"], comparison["change"]["copies"]) == ([[place, other["number"]]], [])
    (look,) = wire.answer("styles", {"queries": [place]})[0]["looks"]  # of the recorded one: no trace was named
    assert look["taken"] == looks[place]["taken"]
    told = {"trace": shown.digest[:12]}
    (look,) = unpack(wire.ask("styles", {"queries": [place]}, **told).buffers[0])[0]["looks"]
    assert (look["taken"], look["given"]) == (other["style"], True)


def test_a_style_is_copied_from_one_object_to_another(wire, looks, model):
    system, trace = model
    here, there = (place_of(looks, 1000 * CAR + n) for n in (0, 1))
    shown, comparison = restyled(wire, copies=[[there, here]])
    again = system.rerun(trace, copies={1000 * CAR + 1: 1000 * CAR})
    assert np.array_equal(shown.picture.canvases["output"], again.picture.canvases["output"])
    assert comparison["effects"][0]["said"] == f"car {1000 * CAR + 1} like object {1000 * CAR}"


@pytest.mark.parametrize(
    "body",
    [
        {"styles": [[0, 99]]},
        {"styles": [[999, 0]]},
        {"styles": [[0]]},
        {"styles": 3},
        {"styles": [[0, -1]]},
        {"copies": [[0, 999]]},
        {"styles": [["0", 1]]},
    ],
)
def test_what_cannot_be_is_refused_and_nothing_changes(wire, body):
    wire.refusal("translate", {"without": [], "weights": [], **body})
    assert wire.view.showing == "before"


def test_a_look_of_another_class_is_refused(wire, looks):
    car, tree = (place_of(looks, 1000 * label) for label in (CAR, TREE))
    assert "classes" in " ".join(wire.refusal("translate", {"without": [], "weights": [], "copies": [[car, tree]]}))


def test_what_a_person_had_said_of_other_objects_stays(model):
    system, trace = model
    earlier = system.rerun(trace, styles={1000 * CAR: 1}, copies={1000 * CAR + 1: 1000 * CAR})
    styles = system.styles(earlier)
    assert styles.settings({1000 * CAR + 1: 0}, {}) == {"styles": {1000 * CAR: 1, 1000 * CAR + 1: 0}, "copies": {}}
    assert styles.settings({}, {}) == {"styles": {1000 * CAR: 1}, "copies": {1000 * CAR + 1: 1000 * CAR}}


def test_stored_objects_behind_a_style_are_left_out(wire, looks, model):
    (behind,) = wire.answer("members", {"styles": [looks[0]["taken"]]})[0]["members"]
    nearest = [one["entry"] for one in behind["nearest"]]
    assert behind["entries"][: len(nearest)] == nearest
    shown, comparison = restyled(wire, entries=nearest[:1])
    again = kt.without(model[1], nearest[0])
    assert np.array_equal(shown.picture.canvases["output"], again.picture.canvases["output"])
    assert comparison["change"]["entries"] == nearest[:1]


def test_a_page_keeps_looks_and_members_as_far_as_there_is_room(view, looks):
    subject = view._subject
    found = in_page(subject, Room(10**7))
    assert json.loads(found["looks"]) == looks
    styles = {option["style"] for look in looks for option in look["options"]}
    assert {name for name in found if name.startswith("members/")} == {f"members/{style}" for style in styles}
    room = Room(8000)
    few = [name for name in in_page(subject, room) if name.startswith("members/")]
    assert room.lacking == ["who is behind some styles"]
    assert 0 < len(few) < len(styles)
    assert few[0] == f"members/{looks[0]['taken']}"


def test_styles_that_nobody_can_ask_for_say_so(model):
    system, trace = model
    entry = system.styles(trace).styles[system.styles(trace).look(1000 * CAR).taken].members[0]
    again = system.rerun(trace, without=[int(entry)], again=True)
    known = system.styles(again)
    for label in np.unique(trace.picture.labels("input")):
        look = known.look(int(label))
        for option in look.options:
            style = known.styles[option]
            if style.number >= 0:
                other = system.rerun(again, **known.settings({int(label): style.number}, {}))
                assert system.styles(other).look(int(label)).taken == option


def test_without_the_model_the_view_says_what_is_missing(model, tmp_path):
    _, trace = model
    trace.save(tmp_path / "trace.parquet", pictures="both")
    with kt.Explorer(kt.Trace.open(tmp_path / "trace.parquet")) as view:
        values, _ = unpack(view._scene)
        assert not values["can"]["codes"]
        assert {panel["name"] for panel in values["panels"] if panel["appears"]} >= {"codes"}
        assert "model" in " ".join(Wire(view).refusal("styles", {"queries": [0]}))


def test_the_first_draw_of_a_picture_of_512_px_with_fifty_objects_is_small(model):
    system, _ = model
    with kt.Explorer(system.traced(*world(7, cars=30, trees=30, height=256, width=512)[1:])) as view:
        assert len(view.shown) > 50
        wire = len(static_text("ktviz.js")) + len(static_text("ktviz.css")) + len(view._scene)
    assert wire <= 1_500_000
