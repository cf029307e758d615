"""Attention some rows at a time is the dense one, and memory grows with the cells alone."""

from __future__ import annotations

from functools import partial

import pytest
import torch

from ktviz.systems.blocks import attention
from ktviz.systems.blocks.attention import Attention, attended


@pytest.fixture
def case():
    """Queries, keys, values of two samples; sharp and flat rows."""
    torch.manual_seed(0)
    return 4 * torch.randn(2, 60, 6), torch.randn(2, 6, 15), torch.randn(2, 9, 15)


def dense(queries, keys, values):
    return values @ torch.softmax(queries @ keys, -1).mT


@pytest.fixture
def made(monkeypatch):
    """How many weights each softmax made."""
    sizes, softmax = [], torch.softmax

    def counted(scores, axis):
        sizes.append(scores.numel())
        return softmax(scores, axis)

    monkeypatch.setattr(attention.torch, "softmax", counted)
    return sizes


@pytest.mark.parametrize("numbers", [1, 30, 100, 450, 10**6])
def test_rows_together_or_apart_find_the_same(case, numbers, made):
    found = attended(*case, numbers)
    assert max(made) <= max(numbers, 30)  # a row of both samples at least
    assert sum(made) == 2 * 60 * 15
    expected = dense(*(part.double() for part in case))
    assert (found - expected).abs().max() < 1e-6 * expected.abs().max()


def test_gradients_are_those_of_the_whole_matrix(case, made):
    for part in case:
        part.requires_grad_(True)
    found = torch.autograd.grad(attended(*case, numbers=30).square().sum(), case)
    assert made == [2 * 60 * 15]
    expected = torch.autograd.grad(dense(*case).square().sum(), case)
    assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))


def test_a_picture_in_training_and_out_of_it_is_the_same(made, monkeypatch):
    torch.manual_seed(1)
    network, features = Attention(16).eval(), 0.1 * torch.randn(1, 16, 12, 20)
    torch.nn.init.ones_(network.gamma)
    monkeypatch.setattr(attention, "attended", partial(attended, numbers=1))
    with torch.no_grad():
        apart = network(features)
    assert (len(made), max(made)) == (12 * 20, 6 * 10)
    assert torch.allclose(apart, network(features), rtol=1e-5, atol=1e-5)
    assert made[12 * 20 :] == [12 * 20 * 6 * 10]
