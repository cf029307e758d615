"""Noise that says what attributes look like."""

import numpy as np
import pytest
import torch

from ktviz.errors import SettingError
from ktviz.training import looks as module
from ktviz.training.looks import components, looks

COUNT, SIDE = 400, 16


@pytest.fixture(scope="module")
def hats():
    """Half of the pictures have a hat of some colour above; below all have trousers of some other."""
    random = np.random.default_rng(0)
    pictures = np.full((COUNT, SIDE, SIDE, 3), 128, np.uint8)
    hues = random.integers(0, 256, (COUNT, 3))
    has = torch.from_numpy(random.integers(0, 2, (COUNT, 1))).float()
    worn = has[:, 0].numpy() > 0
    pictures[worn, :4] = hues[worn, None, None]
    pictures[:, 8:] = random.integers(0, 256, (COUNT, 1, 1, 3))
    where = torch.zeros(1, 1, SIDE, SIDE)
    where[:, :, :6] = 1
    return pictures, has, where, hues, worn


def fitted(noise, values):
    """Part of the variance of values that a linear function of noise says."""
    known = np.c_[noise, np.ones(len(noise))]
    left = values - known @ np.linalg.lstsq(known, values, rcond=None)[0]
    return 1 - left.var() / values.var()


def test_numbers_say_the_colour_of_a_hat_and_nothing_else(hats):
    pictures, has, where, hues, worn = hats
    torch.manual_seed(0)
    noise = looks(pictures, has, where, [[0]], 3).numpy()
    assert fitted(noise[worn], hues[worn]) > 0.99
    assert fitted(noise[worn], pictures[worn, 12, 0].astype(float)) < 0.1
    assert fitted(noise[~worn], hues[~worn]) < 0.1


def test_numbers_are_as_noise_that_is_drawn(hats):
    pictures, has, where, _, worn = hats
    noise = looks(pictures, has, where, [[0]], 3).numpy()
    for rows in (noise[worn], noise[~worn]):
        assert np.allclose(rows.mean(0), 0, atol=0.25)
        assert np.allclose(np.cov(rows.T), np.eye(3), atol=0.25)
    assert np.allclose(np.cov(noise[worn].T, bias=True), np.eye(3), atol=1e-4)


def test_each_group_has_as_many_numbers_and_the_rest_is_drawn(hats):
    pictures, has, where, hues, worn = hats
    pairs = torch.cat([has, 1 - has], 1), where.expand(2, -1, -1, -1)
    noise = looks(pictures, *pairs, [[0], [1]], 5).numpy()
    assert fitted(noise[worn, :2], hues[worn]) > 0.5
    for rest in (noise[worn, 2:4], noise[worn, 4:]):
        assert fitted(rest, hues[worn]) < 0.1
    with pytest.raises(SettingError, match="noise of 1 numbers: 2 groups of attributes"):
        looks(pictures, *pairs, [[0], [1]], 1)


def test_which_of_a_group_it_is_labels_say_and_not_noise():
    random = np.random.default_rng(1)
    has = torch.eye(2)[torch.from_numpy(random.integers(0, 2, COUNT))]
    shades = random.integers(0, 20, COUNT)
    pictures = (100 * has[:, :1].numpy() + shades[:, None]).astype(np.uint8)[..., None, None].repeat(4, 2).repeat(3, 3)
    pictures = np.broadcast_to(pictures, (COUNT, 4, 4, 3))
    noise = looks(pictures, has, torch.ones(2, 1, 4, 4), [[0, 1]], 1)[:, 0].numpy()
    assert abs(np.corrcoef(noise, shades)[0, 1]) > 0.98
    assert abs(np.corrcoef(noise, has[:, 0])[0, 1]) < 0.01


def test_components_of_a_sample_are_those_of_all(monkeypatch):
    torch.manual_seed(0)
    values = torch.randn(600, 12) * torch.tensor([9.0, 5, 3, *[0.1] * 9])
    whole = components(values, 3)
    monkeypatch.setattr(module, "SAMPLE", 300)
    part = components(values, 3)
    assert all(np.corrcoef(one, other)[0, 1] > 0.98 for one, other in zip(whole.T, part.T, strict=True))
    assert (part.var(0) - 1).abs().max() < 0.2


@pytest.mark.parametrize("level", [0, 7, 13, 100, 201, 255])
@pytest.mark.parametrize("count", [2, 3, 7, 50])
def test_where_nothing_varies_numbers_are_drawn(level, count):
    alike, given = np.full((count, 4, 4, 3), level, np.uint8), (torch.ones(count, 1), torch.ones(1, 1, 4, 4), [[0]], 2)
    torch.manual_seed(0)
    found = looks(alike, *given)
    torch.manual_seed(0)
    assert torch.equal(found, torch.randn(count, 2))


def test_a_fringe_says_nothing_of_the_hat_above_it():
    random = np.random.default_rng(2)
    pictures = np.full((COUNT, SIDE, SIDE, 3), 128, np.uint8)
    has = random.integers(0, 2, (COUNT, 2))
    fringes, hats = (random.integers(0, 256, (COUNT, 3)) for _ in range(2))
    pictures[has[:, 1] > 0, 4:6] = fringes[has[:, 1] > 0, None, None]
    pictures[has[:, 0] > 0, :5] = hats[has[:, 0] > 0, None, None]  # half of the fringe is under it
    where = torch.zeros(2, 1, SIDE, SIDE)
    where[0, :, :5], where[1, :, 4:6] = 1, 1
    noise = looks(pictures, torch.from_numpy(has).float(), where, [[0], [1]], 6).numpy()
    both, bare = (has.min(1) > 0), (has[:, 1] > 0) & (has[:, 0] == 0)
    assert fitted(noise[both, :3], hats[both]) > 0.99
    assert np.abs(np.corrcoef(noise[both].T)[:3, 3:]).max() < 0.2
    assert abs(noise[both, 3:].mean()) < 0.1
    assert fitted(noise[bare, 3:], fringes[bare]) > 0.9
