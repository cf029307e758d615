"""Attributes in a view: what was recorded, what a switch makes, and what a page keeps."""

from __future__ import annotations

import json

import numpy as np
import pytest
from systems.bridge.conftest import HAS, NAMES, WANT

import ktviz as kt
from ktviz.errors import AbilityError
from ktviz.images import decode_image
from ktviz.widgets.page import kept
from ktviz.widgets.room import Room
from views.new_systems import portrait, room
from views.wire import Wire, unpack

PARTS = ["what was asked for", "the source itself", "the reference"]
ON = [1, 2, 3]


@pytest.fixture(scope="module")
def model(tmp_path_factory, paint):
    """The system, to be kept alive, and a trace of it: the reference was chosen."""
    return portrait(tmp_path_factory.mktemp("faces"), paint)


@pytest.fixture(scope="module")
def view(model):
    with kt.Explorer(model[1]) as view:
        yield view


@pytest.fixture
def wire(view):
    return Wire(view)


def pixels(parts, name):
    return decode_image(parts[name].tobytes(), name)


def switch(wire, on, labels=0, reference=-1, amount=1.5):
    return wire.answer("switch", {"on": on, "labels": labels, "reference": reference, "amount": amount})


@pytest.mark.parametrize("site", ["code", "reference"])
def test_the_panel_is_there_at_either_site_and_shows_what_was_recorded(model, site):
    system, trace = model
    with kt.Explorer(trace) as view:
        view.site = site
        values, _ = unpack(view._scene)
        assert "attributes" in {panel["name"] for panel in values["panels"] if panel["appears"]}
        assert values["can"]["attributes"]
        said, parts = Wire(view).answer("attributes", {})
    assert said["names"] == [*NAMES]
    assert said["exclusive"] == [[0, 1]]
    assert said["has"] == [name in HAS for name in NAMES]
    assert said["wanted"] == [False, True, True, True]
    assert said["difference"] == [-1.5, 1.5, 1.5, 0]
    assert (said["labels"], said["amount"], said["chosen"], said["whose"]) == (0, 1.5, True, PARTS)
    for name, canvas in (("source", "input"), ("reference", "reference:0"), ("output", "output")):
        assert np.array_equal(pixels(parts, name), trace.picture.canvases[canvas])
    rows = trace.site("reference").to_pandas().sort_values("rank")
    names = [said["references"][number] for number, _ in said["ranking"]]
    assert names == rows["source"].tolist()
    assert [score for _, score in said["ranking"]] == pytest.approx(rows["similarity"].tolist(), abs=1e-5)
    assert said["references"][said["taken"]] == said["reference"]["source"] == names[0]
    assert said["reference"]["creator"].startswith("Ada")
    made = system(trace.picture.canvases["input"], HAS, WANT)
    assert np.allclose(parts["shares"][0], made.share_map)


def test_a_switch_shows_what_a_run_that_says_so_makes(model, wire):
    system, trace = model
    said, parts = switch(wire, [0, 2], labels=0.25, amount=1.0)
    want = {"Hat": True, "Smile": False}
    made = system(trace.picture.canvases["input"], HAS, want, mode="between", alpha=0.25, amount=1.0)
    assert np.array_equal(pixels(parts, "output"), made.output)
    assert np.allclose(parts["shares"], [made.share_map, *made.shares.values()])
    assert said["wanted"] == [True, False, True, False]
    assert said["difference"] == [0, 0, 1, -1]
    assert said["labels"] == 0.25


def test_labels_alone_have_no_reference(wire):
    said, parts = switch(wire, ON, labels=1)
    assert (said["reference"], said["taken"], said["ranking"]) == (None, -1, [])
    assert sorted(parts) == ["output", "shares", "source"]


def test_a_reference_is_taken_by_its_number(model, wire):
    number = model[0].banks.source_numbers["refs/faces/f.png"]
    said, parts = switch(wire, ON, reference=number)
    assert said["reference"]["source"] == "refs/faces/f.png"
    assert (said["taken"], said["chosen"]) == (number, False)
    assert np.array_equal(pixels(parts, "reference"), model[0].banks.picture(number))


@pytest.mark.parametrize(
    "body",
    [
        {"on": [9]},
        {"on": "Hat"},
        {"on": [0, 1]},
        {"labels": "0.5"},
        {"labels": 2},
        {"labels": None},
        {"amount": True},
        {"amount": -1},
        {"reference": 99},
        {"reference": "f.png"},
        {"reference": 0},
    ],
)
def test_what_cannot_be_is_refused_in_words(wire, body):
    asked = {"on": ON, "labels": 0, "reference": -1, "amount": 1.5, **body}
    assert all(wire.refusal("switch", asked))


def test_a_counterfactual_is_asked_about_itself(model):
    with kt.Explorer(model[1]) as view:
        wire = Wire(view)
        first, _ = wire.answer("attributes", {})
        number = view._subject.number[first["reference"]["source"]]
        wire.answer("translate", {"without": [number], "weights": [], "styles": [], "copies": []})
        after = wire.ask("attributes", {}, trace=view.shown.digest[:12])
        second = unpack(after.buffers[0])[0]
        taken = [one["reference"]["source"] for one in (first, second)]
        assert taken[1] == first["references"][first["ranking"][1][0]] != taken[0]


def test_a_page_keeps_what_was_recorded(view, wire):
    said, parts = wire.answer("attributes", {})
    stored = kept(view._subject, Room(10**9))
    found = {name.removeprefix("attributes/"): part for name, part in stored.items() if name.startswith("attributes/")}
    assert sorted(found) == sorted([*parts, "said"])
    assert json.loads(found["said"]) == said
    assert np.array_equal(found["shares"], parts["shares"])


def test_without_the_model_the_view_says_what_is_missing(model, tmp_path):
    model[1].save(tmp_path / "trace.parquet", pictures="both")
    with kt.Explorer(kt.Trace.open(tmp_path / "trace.parquet")) as view:
        values, _ = unpack(view._scene)
        assert not values["can"]["attributes"]
        assert "attributes" in {panel["name"] for panel in values["panels"] if panel["appears"]}
        assert "model" in " ".join(Wire(view).refusal("attributes", {}))


def test_others_have_no_such_panel(paint):
    mixture = room(paint)
    with kt.Explorer(mixture[1]) as view:
        values, _ = unpack(view._scene)
        assert "attributes" not in {panel["name"] for panel in values["panels"] if panel["appears"]}
        assert "attributes" in " ".join(Wire(view).refusal("attributes", {}))
    with pytest.raises(AbilityError, match="change attributes"):
        kt.attributes_figure(mixture[1])


# The figure


def test_the_figure_shows_what_the_view_does(model):
    system, trace = model
    figure = kt.attributes_figure(trace)
    said = [text.get_text() for text in figure.axes[0].texts]
    made = system(trace.picture.canvases["input"], HAS, WANT)
    shown = [np.asarray(image.get_array()) for image in figure.axes[0].images]
    for canvas in ("input", "reference:0", "output"):
        assert any(np.array_equal(one, trace.picture.canvases[canvas]) for one in shown)
    for name, part in zip(PARTS, [made.share_map, *made.shares.values()], strict=True):
        assert f"{part.mean():.0%} {name}" in said
    assert said.count("yes") == len(HAS) + 3
    assert (said.count("+1.5"), said.count("-1.5")) == (2, 1)
    assert "after the reference alone" in " ".join(said)
    with kt.AttributesView(trace) as view:
        assert [text.get_text() for text in view.plot().axes[0].texts] == said


def test_labels_alone_are_said_in_the_figure(model):
    system, trace = model
    by_labels = system.rerun(trace, mode="labels")
    said = [text.get_text() for text in kt.attributes_figure(by_labels).axes[0].texts]
    assert "by labels alone" in " ".join(said)
    assert "Reference" not in said
