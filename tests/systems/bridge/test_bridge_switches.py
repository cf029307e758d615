"""Attributes as switches: what they show is what a run that says so makes."""

import numpy as np
import pytest

import ktviz as kt
from ktviz.errors import AbilityError, SettingError, UnknownNameError
from ktviz.systems.plain import PlainSystem

from .conftest import BANK, HAS, NAMES, WANT

WANTED = {"Dark": False, "Blond": True, "Hat": True, "Smile": True}
ON = ["Blond", "Hat", "Smile"]


def same(found, made):
    """Whether what a switch shows is what a call makes."""
    assert np.array_equal(found.output, made.output)
    assert np.array_equal(found.shares["what was asked for"], made.share_map)
    assert (found.reference is None) == (made.reference is None)
    assert found.reference is None or np.array_equal(found.reference, made.reference.pixels)


@pytest.mark.parametrize("which", ["trace", "chosen"])
def test_what_was_recorded_is_shown_as_it_was_made(which, request):
    trace = request.getfixturevalue(which)
    system = request.getfixturevalue("system" if which == "trace" else "banked")
    found = system.switches(trace).recorded()
    assert found.has == {name: name in HAS for name in NAMES}
    assert found.wanted == WANTED
    assert found.difference == {"Dark": -1.5, "Blond": 1.5, "Hat": 1.5, "Smile": 0}
    assert (found.amount, found.labels) == (1.5, 0)
    assert found.chosen == (which == "chosen")
    assert np.array_equal(found.source, trace.picture.canvases["input"])
    assert np.array_equal(found.output, trace.picture.canvases["output"])
    assert np.array_equal(found.reference, trace.picture.canvases["reference:0"])
    assert np.allclose(sum(list(found.shares.values())[1:]), 1)


def test_the_ranking_is_that_of_the_trace(banked, chosen):
    rows = chosen.site("reference").to_pandas().sort_values("rank")
    ranking = banked.switches(chosen).recorded().ranking
    assert [name for name, _ in ranking] == rows["source"].tolist()
    assert [score for _, score in ranking] == pytest.approx(rows["similarity"].tolist(), abs=1e-6)


@pytest.mark.parametrize("labels", [0, 0.25, 1])
@pytest.mark.parametrize("on", [ON, ["Dark", "Hat"], [], ["Smile", "Dark"]])
def test_a_switch_shows_what_a_run_with_those_attributes_makes(banked, chosen, picture, on, labels):
    found = banked.switches(chosen).switched(on, labels, None, 1.0)
    assert found.wanted == {name: name in on for name in NAMES}
    want = {name: (name in on) for name in NAMES if (name in on) != (name in HAS)}
    if "Hat" in on:
        want["Hat"] = True
    mode = {0: {"mode": "reference"}, 1: {"mode": "labels"}}.get(labels, {"mode": "between", "alpha": labels})
    if "Blond" in on:
        want.pop("Dark")  # which follows
    same(found, banked(picture, HAS, want, amount=1.0, **mode))
    assert (found.labels, found.amount) == (labels, 1.0)


def test_nothing_switched_is_what_was_recorded(banked, chosen):
    switches = banked.switches(chosen)
    same(switches.switched(ON, 0, None, 1.5), banked.made(switches.run))


def test_a_reference_that_is_named_is_taken_and_others_can_be(banked, chosen, picture):
    name = f"{BANK}/f.png"
    found = banked.switches(chosen).switched(ON, 0, name, 1.5)
    same(found, banked(picture, HAS, WANT, reference=name))
    assert not found.chosen
    assert found.about["source"] == name
    assert {one for one, _ in found.ranking} == {f"{BANK}/{letter}.png" for letter in "bcf"}


def test_a_reference_that_was_given_stays_until_another_is_wanted(networks, library, picture, other):
    banked = kt.Bridge(library[BANK], networks)
    switches = banked.switches(banked.traced(picture, HAS, WANT, reference=other))
    given = switches.references[0]
    assert switches.references[1:] == banked.banks.source_names
    same(switches.switched(ON, 0.5, given, 1.5), banked(picture, HAS, WANT, reference=other, mode="between"))
    same(switches.switched(ON, 0, None, 1.5), banked(picture, HAS, WANT))
    bare = banked.switches(banked.traced(picture, HAS, "Blond", reference=(other[0], "Blond")))
    with pytest.raises(SettingError, match="it has no Hat"):
        bare.switched(ON, 0, bare.references[0], 1.5)


def test_noise_stays_what_it_was(banked, picture):
    trace = banked.traced(picture, HAS, WANT, mode="labels", row=3)
    found = banked.switches(trace).switched(["Dark", "Hat"], 1, None, 1.5)
    same(found, banked(picture, HAS, {"Hat": True, "Smile": False}, mode="labels", row=3))
    assert list(found.shares) == ["what was asked for", "the source itself", "the labels"]
    between = banked.switches(trace).switched(ON, 0.25, None, 1.5)
    same(between, banked(picture, HAS, WANT, mode="between", alpha=0.25, row=3))


def test_without_a_bank_and_a_reference_labels_are_all_there_is(system, picture):
    trace = system.traced(picture, HAS, WANT, mode="labels")
    switches = system.switches(trace)
    assert list(switches.references) == []
    with pytest.raises(SettingError, match="no bank"):
        switches.switched(ON, 0.5, None, 1.5)


@pytest.mark.parametrize(
    ("asked", "error", "said"),
    [
        ((["Blond", "Dark"], 0, None, 1.5), SettingError, "at most"),
        ((["Hatt"], 0, None, 1.5), UnknownNameError, "Hat"),
        ((ON, 0, "nobody.png", 1.5), UnknownNameError, "nobody"),
        ((ON, 2.0, None, 1.5), SettingError, "alpha"),
        ((ON, 0, None, float("nan")), SettingError, "amount"),
        ((["Dark", "Blond"], 0, f"{BANK}/a.png", 1.5), SettingError, "at most"),
        ((ON, 0, f"{BANK}/a.png", 1.5), SettingError, "it has no Blond"),
    ],
)
def test_what_cannot_be_is_refused(banked, chosen, asked, error, said):
    with pytest.raises(error, match=said):
        banked.switches(chosen).switched(*asked)


def test_others_say_that_they_change_no_attributes(world):
    plain = type("Plain", (PlainSystem,), {"name": "plain"})()
    for other in (world.translator, plain):
        with pytest.raises(AbilityError, match="attributes of a picture"):
            other.switches(None)
