"""Settings are keywords that editors, type checkers and the translator know alike."""

import os
from dataclasses import fields
from functools import partial
from typing import get_type_hints

import numpy as np
import pytest
import torch

import ktviz as kt
from ktviz.errors import KtvizError, SettingError, UnknownSettingError
from ktviz.library.kinds.codes.settings import CodeSettings
from ktviz.library.kinds.patches.search import SearchSettings
from ktviz.systems.cocosnet.settings import Settings as CocosSettings
from ktviz.systems.image_analogy.settings import Settings as AnalogySettings
from ktviz.systems.kt.settings import SettingKeywords, Settings
from ktviz.systems.munit.settings import Settings as MunitSettings


def test_the_keywords_are_the_settings():
    assert get_type_hints(SettingKeywords) == {
        name: hint for name, hint in get_type_hints(Settings).items() if name in {f.name for f in fields(Settings)}
    }
    assert list(get_type_hints(SettingKeywords)) == [field.name for field in fields(Settings)]


@pytest.mark.parametrize("ask", ["__call__", "traced", "batch"])
def test_a_misspelt_setting_is_refused_with_the_nearest(world, paint, ask):
    photo = paint(9) if ask != "batch" else [paint(9)]
    with pytest.raises(UnknownSettingError, match=r"'strenght'.*Did you mean strength") as caught:
        getattr(world.translator, ask)(photo, strenght=1.0)
    assert isinstance(caught.value, TypeError)
    assert isinstance(caught.value, SettingError)


def test_settings_themselves_refuse_misspelt_names_and_list_all():
    with pytest.raises(
        UnknownSettingError, match=r"'bands', 'candidtes'.*known: align, band_weights, .*Did you mean cand"
    ):
        Settings(candidtes=3, bands=2)
    assert Settings("exact", candidates=3).candidates == 3


@pytest.mark.parametrize("as_path", [os.fspath, lambda path: path])
def test_a_photo_is_read_from_its_path(world, as_path):
    path = as_path(world.pictures / "warm" / "a.png")
    expected = world.translator(kt.read_image(path)).image
    assert np.array_equal(world.translator(path).image, expected)
    assert np.array_equal(world.translator.traced(path).output, expected)
    assert np.array_equal(world.translator.batch([path])[0].image, expected)
    with kt.record(world.translator) as trace:
        world.translator(path)
    assert np.array_equal(trace.input, kt.read_image(path))


def test_a_photo_that_is_not_there_is_a_file_not_found(world, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"photo\.jpg"):
        world.translator(tmp_path / "photo.jpg")


WRONG = [
    *(("strength", value) for value in ("x", True, [1])),
    *(("align", value) for value in ("x", True, [1], float("nan"), -0.1, 1.1)),
    *(("beam", value) for value in ("x", 2.5, None, 0, 10**9)),
    *(("candidates", value) for value in ("x", 2.5, 10**9)),
    *(("coherence", value) for value in ("x", float("nan"), [0.1])),
    *(("max_gain", value) for value in ("x", float("inf"))),
    *(("band_weights", value) for value in (None, 5, "abcd", (1, 1, 1), ("a", 1, 1, 1))),
    *(("without", value) for value in (None, [None], 1.5, 2**70, b"a")),
    *((name, value) for name in ("preset", "transfer", "tone") for value in (None, 3, ["beam"], np.array(["a", "b"]))),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_setting_of_the_wrong_kind_is_refused_by_name(world, paint, name, value):
    named = {"max_gain": "gain", "band_weights": "band weight", "without": "without|entr"}.get(name, name)
    with pytest.raises(KtvizError, match=named):
        world.translator(paint(1), **{name: value})


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        (SearchSettings, ("candidates", "beam", "shortlist")),
        (partial(CodeSettings, "c" * 64), ("size", "clusters")),
        (AnalogySettings, ("iterations", "inversion_iterations")),
        (CocosSettings, ("top",)),
        (partial(MunitSettings, code=(0.5,)), ("nearest",)),
    ],
)
def test_numbers_of_other_libraries_become_ones_without_bounds(settings, names):
    """A product of NumPy's would leave its 32 bits where a process holds 2 GB, and no JSON takes one."""
    made = settings(**dict.fromkeys(names, np.int32(3)))
    assert [type(getattr(made, name)) for name in names] == [int] * len(names)


@pytest.mark.parametrize("value", [np.float32(0.5), np.int64(1), 1])
def test_numbers_of_other_libraries_are_numbers(world, paint, value):
    assert world.translator(paint(1), strength=value, candidates=np.int32(4), band_weights=np.ones(4)) is not None
    assert world.translator(paint(1), band_weights=torch.ones(4), beam=np.uint8(3)) is not None


ASKED = {
    "attribute by": lambda trace: kt.attribute(trace, by=np.array(["source", "entry"])),
    "attribute through": lambda trace: kt.attribute(trace, through=["overlap"]),
    "attribute runs": lambda trace: kt.attribute(trace, through="datamodel", runs="x"),
    "attribute most": lambda trace: kt.attribute(trace, through="ablation", most=2.5),
    "attribute seed": lambda trace: kt.attribute(trace, seed=-1),
    "faithfulness of": lambda trace: kt.faithfulness(trace),
    "faithfulness subsets": lambda trace: kt.faithfulness(kt.attribute(trace), subsets="x"),
    "faithfulness seed": lambda trace: kt.faithfulness(kt.attribute(trace), seed=1.5),
    "top": lambda trace: kt.attribute(trace).top("x"),
    "an audit's sample": lambda trace: kt.Audit.create(trace, sample="x"),
    "an audit titled": lambda trace: kt.Audit.create(trace, title=5),
    "band weights": lambda trace: kt.reweigh(trace, "abcd"),
}


@pytest.mark.parametrize("asked", ASKED)
def test_questions_with_values_of_the_wrong_kind_are_refused_by_name(world, paint, asked):
    trace = world.translator.traced(paint(1))
    with pytest.raises(SettingError, match=asked):
        ASKED[asked](trace)


@pytest.mark.parametrize(
    ("ask", "found"),
    [
        (lambda folder: kt.read_image(5), "no path of a file"),
        (lambda folder: kt.write_image(folder / "a.png", "pixels"), "not .H, W, 3. uint8"),
        (lambda folder: kt.write_image(folder / "a.png", np.zeros((16, 16, 3))), "not .H, W, 3. uint8"),
        (lambda folder: kt.Translator.shipped("art/impasto"), "no banks of a library"),
    ],
)
def test_what_is_of_another_kind_is_refused_with_what_was_meant(tmp_path, ask, found):
    with pytest.raises(KtvizError, match=found):
        ask(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_box_of_text_is_no_region(world, paint):
    with pytest.raises(KtvizError, match="not finite numbers"):
        kt.backtrack(world.translator.traced(paint(1)), kt.Box("a", 0, 16, 16))
