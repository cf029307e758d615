"""A system that lives outside ktviz: the example of docs/systems.md."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
from matplotlib.text import Text

import ktviz as kt
from ktviz.errors import AbilityError
from ktviz.systems import registry

SCRIPT = Path(__file__).parent.parent / "examples" / "palette_system.py"


@pytest.fixture(scope="module")
def example():
    spec = importlib.util.spec_from_file_location("palette_system", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules["palette_system"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def system(example):
    return example.PaletteSystem()


@pytest.fixture(scope="module")
def trace(system):
    stripes = np.array([(190, 70, 60), (30, 30, 60), (70, 110, 60), (220, 200, 150)], dtype=np.int64)
    noise = np.random.default_rng(2).integers(-20, 20, (48, 64, 3))
    photo = np.clip(stripes[np.arange(64) // 16] + noise, 0, 255).astype(np.uint8)
    with kt.record(system) as trace:
        system(photo)
    return trace


def test_it_keeps_the_protocol(example):
    registry.check_class(example.PaletteSystem, "palette", "the example")


def test_shares_say_which_colour_painted_what(trace):
    assert (trace.system, len(trace)) == ("palette", 48)
    left = trace.sources(kt.Box(0, 0, 16, 48)).set_index("source")["share"]
    assert left["brick"] == pytest.approx(1)
    assert trace.sources()["share"].sum() == pytest.approx(1)


def test_its_gradient_is_complete_and_states_its_baseline(trace):
    found = kt.attribute(trace, through="gradient")
    assert found.about["completeness_error"] < 1e-3
    assert found.about["baseline"] == "the photo's own mean colours"


def test_without_a_colour_others_take_over(trace):
    other = kt.without(trace, "brick")
    assert other.sources().set_index("source")["share"]["brick"] == 0
    assert kt.compare(trace, other).new_winners["source_before"].tolist()[0] == "brick"
    tested = kt.faithfulness(kt.attribute(trace), subsets=4, seeds=range(3), quiet=True)
    assert np.isfinite(tested.frame["lds_pixels"]).all()


def test_it_is_audited_and_verified(system, trace, tmp_path):
    kt.Audit.create(trace, top=1).save(tmp_path / "audit")
    verdict = kt.verify(tmp_path / "audit", model=system)
    assert "known here" in verdict.difference  # nobody has registered it


def test_a_registered_one_is_verified(example, system, trace, tmp_path, monkeypatch):
    monkeypatch.setitem(vars(registry)["OURS"], "palette", "palette_system:PaletteSystem")
    kt.Audit.create(trace, top=1).save(tmp_path / "audit")
    assert kt.verify(tmp_path / "audit").ok


def test_what_it_cannot_do_is_said(trace):
    with pytest.raises(AbilityError, match="'palette' cannot find the exact best entries"):
        trace.regret()


def test_its_retrievals_can_be_drawn_though_it_has_no_pictures_of_its_colours(trace):
    figure = kt.backtrack(trace, kt.Box(0, 0, 32, 48)).plot(4)
    named = [text.get_text() for text in figure.findobj(Text)]
    assert {"brick", "ink"} <= set(named)
