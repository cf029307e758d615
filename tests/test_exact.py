"""Products on the grid: equal bit for bit in any order, near the truth, and never in doubt about a tie."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from ktviz.retrieval import exact
from ktviz.retrieval.exact import (
    above,
    all_above,
    arranged,
    cosines,
    leading,
    nearest,
    on_grid,
    paired_cosines,
    power_above,
    root,
)


def vectors(count, size=2048, seed=0, spread=1.0):
    """Features as they are: some large, most small, many near zero."""
    random = torch.Generator().manual_seed(seed)
    values = torch.randn(count, size, generator=random) * torch.rand(count, size, generator=random) ** 4
    return values * torch.exp(spread * torch.randn(count, 1, generator=random))


def units(given):
    given = given.double()
    return given / given.norm(dim=1, keepdim=True).clamp(min=1e-300)


def true_cosines(one, other):
    return units(one) @ units(other).T


@pytest.mark.parametrize("size", [3, 48, 128, 2048, 4096, 8192])
def test_products_on_the_grid_are_the_same_in_any_order(size):
    one, other = on_grid(vectors(6, size)), on_grid(vectors(5, size, seed=1))
    known = one @ other.T
    for seed in range(5):
        order = torch.randperm(size, generator=torch.Generator().manual_seed(seed))
        assert torch.equal(one[:, order] @ other[:, order].T, known)
        halves = [one[:, part] @ other[:, part].T for part in order.split(size // 3)]
        assert torch.equal(sum(halves), known)
    exactly = [[sum(int(a) * int(b) for a, b in zip(x, y, strict=True)) for y in other.tolist()] for x in one.tolist()]
    assert known.tolist() == exactly


def test_the_order_does_matter_off_the_grid():
    """The control: plain products differ in their last bits."""
    one, other = vectors(6), vectors(5, seed=1)
    order = torch.randperm(2048, generator=torch.Generator().manual_seed(0))
    assert not torch.equal(one[:, order] @ other[:, order].T, one @ other.T)


@pytest.mark.parametrize("scale", [1e-30, 1e-6, 1, 1e6, 1e30])
def test_vectors_keep_their_direction_and_stay_short(scale):
    given = scale * vectors(50)
    grid = on_grid(given)
    assert torch.equal(grid, grid.round())
    assert float(grid.norm(dim=1).max()) < 2**25
    assert float((units(grid) - units(given)).norm(dim=1).max()) < 1e-4
    assert float((true_cosines(grid, given).diagonal() - 1).abs().max()) < 1e-9


def test_cosines_are_near_the_truth_and_zero_for_what_is_empty():
    """The harder, the more of a vector's length is in few of its numbers: 19 bits of the largest are kept."""
    even = torch.randn(2, 80, 2048, generator=torch.Generator().manual_seed(0))
    assert float((cosines(*even).double() - true_cosines(*even)).abs().max()) < 1e-7
    one, other = vectors(80, seed=2), vectors(70, seed=3)
    other[5] = 0
    assert float((cosines(one, other).double() - true_cosines(one, other)).abs().max()) < 2e-6
    assert (cosines(one, other)[:, 5] == 0).all()
    assert torch.equal(paired_cosines(one[:70], other), cosines(one, other)[:70].diagonal())


def test_powers_of_two_are_exact_and_above():
    values = torch.tensor([0.0, 1e-40, 0.5, 0.75, 1.0, 3.0, 4.0, 1e30], dtype=torch.float64)
    found = power_above(values)
    assert (found > values).all()
    assert (found[1:] / 2 <= values[1:]).all()
    assert torch.equal(torch.frexp(found).mantissa, torch.full((8,), 0.5, dtype=torch.float64))


def close_pair(gap):
    """Two centres, whose cosines to the first of three vectors differ by less than single precision can tell."""
    base = F.normalize(vectors(1), dim=1)
    beside = F.normalize(vectors(1, seed=8), dim=1)
    return base, torch.cat((base + 0.1 * beside, base + (0.1 + gap) * beside))


def test_the_first_of_equal_centres_is_nearest():
    centres = vectors(6)[[0, 1, 1, 2, 1, 0]]
    assert nearest(vectors(3), centres).tolist() == [0, 1, 3]
    assert nearest(torch.zeros(2, 2048), centres).tolist() == [0, 0]
    assert nearest(vectors(3), centres[:1]).tolist() == [0, 0, 0]


@pytest.mark.parametrize("gap", [1e-3, 1e-4, 1e-5, -1e-4])
def test_what_is_near_is_decided_by_the_exact_cosine(gap):
    query, centres = close_pair(gap)
    expected = int(true_cosines(query, centres).argmax())
    assert nearest(query, centres).tolist() == [expected] == [int(gap < 0)]


class Noisy:
    """Another processor: every fast product is off by up to what rounding may do."""

    def __init__(self, monkeypatch, part=0.45):
        real = torch.Tensor.__matmul__
        random = torch.Generator().manual_seed(0)

        def product(one, other):
            found = real(one, other)
            if found.dtype == torch.float64:
                return found
            length = one.norm(dim=-1, keepdim=True) * other.norm(dim=-2, keepdim=True)
            return found + (2 * torch.rand(found.shape, generator=random) - 1) * part * exact.rounding(2048) * length

        monkeypatch.setattr(torch.Tensor, "__matmul__", product)


def test_other_kernels_choose_the_same_centres(monkeypatch):
    centres = vectors(40, seed=5)
    centres[20:] = centres[:20] * (1 + 1e-6 * torch.randn(20, 2048, generator=torch.Generator().manual_seed(1)))
    given = vectors(300, seed=6)
    known = nearest(given, centres)
    assert torch.equal(known, torch.cat([nearest(row[None], centres) for row in given]))
    Noisy(monkeypatch)
    for _ in range(3):
        assert torch.equal(nearest(given, centres), known)


def test_flat_vectors_whose_roundings_are_all_alike_are_decided_by_the_exact_cosine():
    def halves(values):
        return torch.tensor(values).view(-1, 2, 1).expand(-1, 2, 2048).reshape(-1, 4096).contiguous()

    query, centres = halves([0.3676639497280121, 0.019163426011800766]), halves([[0.0, 1.0]] * 96)
    centres[63] = halves([0.371826171875, 0.0194854736328125])[0]
    centres[5] = halves([0.37109375, 0.01904296875])[0]
    expected = int(cosines(query, centres).argmax())
    for count in (1, 3, 40):
        assert set(nearest(query.expand(count, -1).contiguous(), centres).tolist()) == {expected}


def test_roots_are_correctly_rounded():
    squares = torch.arange(1, 100_000, dtype=torch.float64) ** 2
    assert torch.equal(root(squares), squares.sqrt().round())
    values = torch.rand(1000, generator=torch.Generator().manual_seed(0))
    assert root(values).tolist() == [float(np.sqrt(np.float32(value))) for value in values]


def test_thresholds_are_decided_by_the_exact_cosine(monkeypatch):
    unit = F.normalize(vectors(200, seed=7), dim=1)
    near = F.normalize(unit + 0.1 * F.normalize(vectors(200, seed=9), dim=1), dim=1)
    truth = true_cosines(unit, near).diagonal()
    for threshold in truth[:20].tolist():
        found = above(unit, near, threshold)
        clear = (truth - threshold).abs() > 1e-7
        assert torch.equal(found[clear], (truth > threshold)[clear])
        assert torch.equal(
            found, torch.cat([above(a[None], b[None], threshold) for a, b in zip(unit, near, strict=True)])
        )
    some = torch.cat((unit[:40], near[:40]))
    known = all_above(some, 0.99)
    assert torch.equal(known, known.T)
    Noisy(monkeypatch)
    assert torch.equal(all_above(some, 0.99), known)


@pytest.mark.parametrize("count", [1, 3, 8, 20, 30])
def test_leading_columns_are_those_of_a_stable_sort(count):
    random = torch.Generator().manual_seed(0)
    values = torch.randint(6, (200, 20), generator=random).float()
    values[torch.rand(200, 20, generator=random) < 0.2] = -torch.inf
    number = torch.stack([torch.randperm(20, generator=random) for _ in values])
    for found, key in (
        (leading(values, count), torch.arange(20).expand(200, -1)),
        (leading(values, count, number), number),
    ):
        assert found.shape == (200, min(count, 20))
        for row, (value, place) in enumerate(zip(values.tolist(), key.tolist(), strict=True)):
            there = [n for n in range(20) if value[n] > float("-inf")]
            expected = sorted(there, key=lambda n: (-value[n], place[n]))[:count]
            assert found[row, : len(expected)].tolist() == expected


def test_all_columns_arranged_are_a_permutation():
    values = torch.randint(3, (50, 9), generator=torch.Generator().manual_seed(1)).float()
    assert (arranged(values).sort(1).values == torch.arange(9)).all()
