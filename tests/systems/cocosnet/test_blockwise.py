"""The warp in blocks is the dense one, keeps what it should, and does not depend on how it is cut."""

import math

import pytest
import torch
from torch.nn import functional as F

from ktviz.retrieval.exact import paired_cosines
from ktviz.systems.cocosnet import blockwise
from ktviz.systems.cocosnet.blockwise import mixed
from ktviz.systems.cocosnet.correspondence import Warp

FIELDS = ("entry", "similarity", "weight", "left_over", "entropy", "fed", "cells")
EXACT = ("entry", "similarity")


def cells(seed, count, size=24):
    """Descriptors as networks make them: of length 1, and near each other, so that many share a row."""
    random = torch.Generator().manual_seed(seed)
    common = torch.randn(6, size, generator=random)
    mixture = torch.randn(count, 6, generator=random) @ common
    return F.normalize(mixture + 0.2 * torch.randn(count, size, generator=random), dim=1)


@pytest.fixture(scope="module")
def case():
    """300 cells of a target, 217 of an exemplar, their colours."""
    return cells(1, 300), cells(2, 217), torch.rand(217, 3, generator=torch.Generator().manual_seed(3)) * 2 - 1


@pytest.mark.parametrize("temperature", [0.003, 0.01, 0.1, 5.0])
def test_it_is_the_dense_warp(case, temperature):
    target, source, values = case
    found = mixed(target, source, values, temperature)
    single = Warp(target[None] @ source[None].mT, temperature)
    assert (found.cells - single.to_target(values[None])[0]).abs().max() < 1e-5 * max(1, 0.01 / temperature)
    dense = Warp(target[None].double() @ source[None].double().mT, temperature)
    assert (found.cells - dense.to_target(values[None].double())[0]).abs().max() < 1e-5
    weights = torch.softmax(dense.cosine[0] / temperature, -1)
    assert torch.allclose(found.fed.double(), weights.sum(0), atol=1e-4)
    assert torch.allclose(found.entropy.double(), torch.special.entr(weights).sum(1), atol=1e-4)
    assert torch.allclose(found.weight.double(), weights.gather(1, found.entry), atol=1e-5)
    assert torch.allclose(found.left_over, 1 - found.weight.sum(1), atol=1e-6)
    assert found.fed.sum() == pytest.approx(300, rel=1e-6)


@pytest.mark.parametrize("numbers", [1, 217, 1000, 10**6])
def test_what_is_found_does_not_depend_on_the_blocks(case, numbers):
    whole, cut = mixed(*case, 0.01), mixed(*case, 0.01, numbers=numbers)
    for name in FIELDS:
        one, other = getattr(whole, name), getattr(cut, name)
        assert torch.equal(one, other) if name in EXACT else torch.allclose(one, other, rtol=2e-7, atol=1e-9), name


def test_nor_on_threads(case):
    alone = mixed(*case, 0.01)
    torch.set_num_threads(3)
    several = mixed(*case, 0.01)
    for name in FIELDS:
        one, other = getattr(alone, name), getattr(several, name)
        assert torch.equal(one, other) if name in EXACT else torch.allclose(one, other, rtol=2e-7, atol=1e-9), name


def test_similarities_are_the_exact_cosines_and_the_best_there_are(case):
    target, source, values = case
    found = mixed(target, source, values, 0.01, top=5)
    for rank in range(5):
        assert torch.equal(found.similarity[:, rank], paired_cosines(target, source[found.entry[:, rank]]))
    exact = (target.double() @ source.double().T).sort(descending=True).values[:, :5]
    assert (found.similarity - exact).abs().max() < 1e-6
    assert (found.similarity[:, :-1] >= found.similarity[:, 1:]).all()


def test_of_equal_cells_the_lowest_comes_first(case):
    target, source, _ = case
    double = torch.cat([source[:40], source[:40], source[:40]])
    found = mixed(target, double, torch.zeros(120, 1), 0.01, top=6)
    assert (found.entry[:, :3] % 40 == found.entry[:, :1]).all()
    assert (found.entry[:, 0] < 40).all()
    assert torch.equal(found.entry[:, 1], found.entry[:, 0] + 40)
    assert torch.equal(found.entry[:, 2], found.entry[:, 0] + 80)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_an_exemplar_of_one_descriptor_is_mixed_in_equal_parts(case, value):
    found = mixed(case[0], torch.full((50, 24), value), torch.arange(50.0)[:, None], 0.01)
    assert torch.allclose(found.cells, torch.full((300, 1), 24.5), atol=1e-4)
    assert torch.allclose(found.entropy, torch.tensor(math.log(50)), atol=1e-6)
    assert found.entry.tolist() == [[*range(8)]] * 300
    assert torch.allclose(found.left_over, torch.tensor(42 / 50))


def test_forbidden_cells_are_as_if_they_were_not_there(case):
    target, source, values = case
    gone = torch.rand(217, generator=torch.Generator().manual_seed(5)) < 0.4
    found, without = (
        mixed(target, source, values, 0.01, forbidden=gone),
        mixed(target, source[~gone], values[~gone], 0.01),
    )
    assert torch.equal(found.cells, without.cells)
    assert torch.equal(found.entry, (~gone).nonzero()[:, 0][without.entry])
    assert (found.fed[gone] == 0).all()
    assert torch.equal(found.fed[~gone], without.fed)


def test_few_cells_are_all_kept(case):
    found = mixed(case[0], case[1][:3], case[2][:3], 0.01)
    assert found.entry.shape == (300, 3)
    assert found.left_over.max() < 1e-6


def test_no_block_is_larger_than_asked(case, monkeypatch):
    seen = []
    leading = blockwise.leading
    monkeypatch.setattr(blockwise, "leading", lambda values, top: seen.append(values.numel()) or leading(values, top))
    mixed(*case, 0.01, numbers=5000)
    assert max(seen) <= 5000
    assert sum(seen) == 300 * 217
