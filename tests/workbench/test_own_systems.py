"""Systems of other people on a bench: what goes wrong in one is said, and takes nothing of the others with it."""

import importlib.util
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from tiny_systems import material, tiny

import ktviz as kt
from ktviz.errors import MismatchError, SettingError
from ktviz.images import read_image, to_pixels
from ktviz.systems.prepared import Prepared

SCRIPT = Path(__file__).parents[2] / "examples" / "palette_system.py"
SPEC = importlib.util.spec_from_file_location("palette_system", SCRIPT)
sys.modules["palette_system"] = EXAMPLE = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(EXAMPLE)


@pytest.fixture
def quick():
    """`quick(systems, **more)`: a bench without what takes time."""
    kept = {"runs": 0, "repeats": 0, "cells": 4, "quiet": True}
    return lambda systems, **more: kt.bench(material("input"), material("reference"), systems, **kept | more)


class Own(EXAMPLE.PaletteSystem):
    """A system of a person, which is not registered."""

    name = "own"
    abilities = EXAMPLE.PaletteSystem.abilities | {"bench"}

    @classmethod
    def prepared(cls, input, reference, like=None, /):
        return Prepared(like, (input.pixels(cls.name),))


class Mute(Own):
    def pictures(self, inputs, output):
        return {"input": output[0]}


class Blind(Own):
    def pictures(self, inputs, output):
        return {"output": to_pixels(output[1])}


class Broken(Own):
    def forward(self, photo, without=()):
        raise IndexError("list index out of range")


class Once(Own):
    runs = 0

    def forward(self, photo, without=()):
        self.runs += 1
        if self.runs > 1:
            raise IndexError("list index out of range")
        return super().forward(photo, without)


class Larger(Own):
    def pictures(self, inputs, output):
        return {"input": output[0], "output": np.repeat(np.repeat(to_pixels(output[1]), 2, 0), 2, 1)}


@pytest.mark.parametrize(
    ("own", "said"),
    [
        (Mute, "its run left no picture of what came out"),
        (Blind, "its run left no picture of what went in"),
        (Broken, "The system 'own' failed: IndexError: list index out of range"),
    ],
)
def test_an_own_system_that_fails_is_listed_and_the_others_stay(quick, tmp_path, own, said):
    found = quick([own(), tiny()["munit"]], repeats=1)
    assert found.frame["takes_part"].tolist() == [False, True]
    assert said in found.frame["why"][0]
    found.save(tmp_path / "found")
    assert isinstance(found.plot(), Figure)


def test_an_own_system_that_fails_when_it_is_measured_keeps_what_it_made(quick, tmp_path):
    found = quick([Once(), tiny()["munit"]], repeats=2)
    assert found.frame["takes_part"].tolist() == [True, True]
    assert found.frame["remarks"][0].count("The system 'own' failed: IndexError") == 1
    assert np.isnan(found.frame["seconds"]).tolist() == [True, False]
    found.save(tmp_path / "found")


def test_an_output_of_another_size_is_said_to_have_one(quick, tmp_path):
    found = quick([Larger(), tiny()["munit"]], runs=2)
    assert "queries lie in 32x32 px, and the output has 64x64 px" in found.frame["remarks"][0]
    found.save(tmp_path / "found")
    assert read_image(tmp_path / "found" / "pictures" / "own.png").shape == (64, 64, 3)
    trace = found.traces["own"]
    for asked in (partial(kt.attribute, trace, through="ablation"), partial(kt.faithfulness, kt.attribute(trace))):
        with pytest.raises(MismatchError, match="the output has 64x64 px"):
            asked(quiet=True)


@pytest.mark.parametrize(
    "name",
    ["", "input", "Reference", "input-2", "agreement-kt", "kt-origins", "/tmp/evil", "../../escaped", "a/b", "a+b", 3],
)
def test_a_system_whose_name_is_no_file_of_its_own_is_refused_before_any_work(quick, monkeypatch, name):
    munit = tiny()["munit"]
    monkeypatch.setattr(type(munit), "forward", None)
    monkeypatch.setattr(type(munit), "name", name)
    with pytest.raises(SettingError, match="a bench with a system called"):
        quick([munit])


def test_systems_that_differ_by_case_alone_are_the_same(quick, monkeypatch):
    monkeypatch.setattr(type(tiny()["munit"]), "name", "KT")
    with pytest.raises(SettingError, match="twice"):
        quick([tiny()["munit"], tiny()["kt"]])
