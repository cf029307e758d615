"""Noise that says what attributes look like."""

import numpy as np
import pytest
import torch

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
    assert np.isfinite(looks(pictures, *pairs, [[0], [1]], 1).numpy()).all()  # fewer numbers than groups


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


def test_where_nothing_varies_there_are_no_components():
    assert components(torch.zeros(5, 3), 2).shape == (5, 0)
    alike = np.full((5, 4, 4, 3), 7, np.uint8)
    assert looks(alike, torch.ones(5, 1), torch.ones(1, 1, 4, 4), [[0]], 2).isfinite().all()
