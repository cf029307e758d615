"""Settings are keywords that editors, type checkers and the translator know alike."""

import os
from dataclasses import fields
from typing import get_type_hints

import numpy as np
import pytest

import ktviz as kt
from ktviz.errors import SettingError, UnknownSettingError
from ktviz.model.settings import SettingKeywords, Settings


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
    with pytest.raises(UnknownSettingError, match=r"'bands', 'candidtes'.*known: band_weights, .*Did you mean cand"):
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
