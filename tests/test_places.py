"""Where attributes show in aligned pictures."""

import numpy as np
import pytest
import torch

from ktviz.training import places as module
from ktviz.training.places import effects, local, places


@pytest.fixture
def pictures():
    """Grey noise, with a red corner where the first attribute is, and a shade over all where the second."""
    random = np.random.default_rng(0)
    values = random.normal(128, 20, (600, 32, 32, 3))
    has = random.integers(0, 2, (600, 2))
    values[has[:, 0] > 0, :8, :8, 0] += 60
    values[has[:, 1] > 0] -= 40
    return values.clip(0, 255).astype(np.uint8), torch.from_numpy(has).float()


def test_an_attribute_shows_where_pictures_with_it_differ(pictures):
    corner, shade = places(effects(*pictures))[:, 0]
    assert corner[:7, :7].min() == 1
    assert corner[14:].max() == corner[:, 14:].max() == 0
    assert shade.min() == 1


def test_what_shows_in_one_place_is_told_from_what_shows_all_over(pictures):
    assert local(places(effects(*pictures))).tolist() == [True, False]


def test_what_all_have_or_none_shows_nowhere(pictures):
    values, _ = pictures
    shown = places(effects(values, torch.tensor([[1.0, 0.0]] * len(values))))
    assert not shown.any()
    assert not local(shown).any()


def test_many_pictures_are_added_up_in_parts(pictures, monkeypatch):
    whole = effects(*pictures)
    monkeypatch.setattr(module, "AT_ONCE", 7)
    assert torch.equal(effects(*pictures), whole)
