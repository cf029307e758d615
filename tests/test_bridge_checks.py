"""The checks of bridging run with networks that nobody trained, and what they measure means what it says."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from systems.bridge.conftest import SHAPE

from benchmarks import attribute_classifier, bridge_checks, bridge_measures, bridge_runs, tables
from benchmarks.portraits import crown, hue, hue_apart, sitters
from ktviz.systems.bridge.trained import Networks
from ktviz.training.bridge import Recipe
from sample_data.generator.portraits import ATTRIBUTES, portrait
from sample_data.generator.portraits.faces import HAIR

SMALL = replace(SHAPE, attributes=len(ATTRIBUTES), noise=7)
BARE = dict.fromkeys(ATTRIBUTES, False) | {"Dark_Hair": True}


@pytest.fixture(autouse=True)
def few(tmp_path, monkeypatch):
    """Few portraits, a short lesson, and tables that are kept elsewhere."""
    monkeypatch.setenv("KTVIZ_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(tables, "RESULTS", tmp_path / "results")
    monkeypatch.setattr("sys.argv", ["bridge_checks"])
    for module in (bridge_checks, bridge_runs):
        for name, count in (("SOURCES", 3), ("COUNT", 12), ("LEARNED", 4)):
            monkeypatch.setattr(module, name, count)
    monkeypatch.setattr(attribute_classifier, "STEPS", 2)
    monkeypatch.setattr(bridge_measures, "STEPS", 3)
    monkeypatch.setattr(bridge_measures, "SEEDS", (0, 1))
    return tmp_path


def rows(path):
    """The rows of a table, as texts."""
    return [line.strip("| ").split(" | ") for line in path.read_text().splitlines() if line.startswith("| ")][2:]


def test_every_check_says_something_of_networks_that_nobody_trained(few):
    torch.manual_seed(0)
    history = [{"step": 1, "apart": 0.5, "slope": 0.2}, {"step": 9, "apart": 0.3, "slope": 1.1}]
    (few / "log.json").write_text(json.dumps({"history": history}))
    tables.publish(bridge_checks.main(Networks(SMALL, ATTRIBUTES, (HAIR,), rows=2), few / "log.json"))
    found = {name: value for name, value, _ in rows(few / "results" / "bridge_checks.md")}
    assert {name[0] for name in found} == {"1", "2", "3", "4", "5", "6", "7", "9"}
    assert found["4 codes of labels and reference apart, relative to their size, steps 1 and 9"] == "0.500, 0.300"
    assert found["6 the sum of both codes makes the picture again"] == "True"
    assert float(found["6 recorded norms and those of the codes, apart"]) < 1e-3
    assert found["9 nothing to change: all losses and gradients are finite"] == "True"
    assert found["9 slope of the discriminator after warming up"] == "0.65 (0.20 to 1.10)"


def test_runs_are_trained_in_several_goes_and_compared(few, monkeypatch):
    monkeypatch.setattr(bridge_runs, "Recipe", lambda **more: Recipe(shape=SMALL, crop=(32, 32), polish=0.0, **more))
    data = sitters(2, 3, 32).folder
    for names in (["plus", "labels"], ["reference"]):
        monkeypatch.setattr("sys.argv", ["bridge_runs", str(data), str(few / "runs"), "2", *names])
        tables.publish(bridge_runs.main())
    names = ("plus", "labels", "reference")
    assert {path.name for path in (few / "runs").iterdir()} == {*names}
    logs = [json.loads((few / "runs" / name / "log.json").read_text()) for name in names]
    assert [log["recipe"]["ways"] for log in logs] == ["both", "labels", "reference"]
    found = rows(few / "results" / "bridge_runs.md")
    assert [row[0] for row in found] == [bridge_runs.SAID[name] for name in names]
    assert [row[1].split(",")[0] for row in found] == ["2", "2", "2"]
    for column, missing in ((2, (False, True, True)), (3, (False, False, True))):
        assert [row[column] == "-" for row in found] == [*missing]
    for column in (4, 5, 6, 7):
        assert [row[column].endswith("-") for row in found] == [False, True, False]
        assert [row[column].startswith("-") for row in found] == [False, False, True]


def test_without_folders_nothing_is_trained(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["benchmarks", "bridge_checks", "bridge_runs"])
    assert not list(bridge_runs.main())
    assert "skipped" in capsys.readouterr().out


def test_the_hue_of_a_hat_goes_round_with_its_shade():
    made = [portrait(300_029, BARE | {"Hat": True}, seed, 48) for seed in range(300_000, 300_012)]
    made.sort(key=lambda one: one.face.shades.hat)
    found = [hue((one.picture * 255).astype(np.uint8)) for one in made]
    steps = [hue_apart(one, other) for one, other in pairwise(found)]
    apart = [hue_apart(360 * one.face.shades.hat, 360 * other.face.shades.hat) for one, other in pairwise(made)]
    assert np.corrcoef(steps, apart)[0, 1] > 0.6
    assert hue_apart(350, 10) == hue_apart(10, 350) == 20


@pytest.mark.parametrize("seed", [300_000, 300_011, 300_022])
def test_every_hat_covers_the_crown(seed):
    without, there = (portrait(seed, BARE | {"Hat": hat}, size=48).picture for hat in (False, True))
    assert (np.abs(crown(there) - crown(without)).max(2) > 0.02).mean() > 0.95


def test_a_classifier_learns_what_portraits_have(monkeypatch):
    monkeypatch.setattr(attribute_classifier, "STEPS", 60)
    known = sitters(5, 24, 32).all
    judge = attribute_classifier.trained(known)
    assert np.mean([judge.sees(one.pixels)["Hat"] == one.has["Hat"] for one in known]) > 0.9


def test_what_was_to_change_is_counted_apart_from_what_was_to_stay():
    right, has = attribute_classifier.Right(), {"a": False, "b": False, "c": False}
    right.add({"a": True, "b": True, "c": False}, has, {**has, "a": True})
    assert (right.flipped, right.kept) == ([True], [False, True])


def test_a_wish_of_hair_takes_the_other_colours():
    one = sitters(5, 24, 32).all[0]
    for want in one.wishes().values():
        wanted = one.wanted(want)
        assert sum(wanted[name] for name in HAIR) == 1
        assert wanted != dict(one.has)
