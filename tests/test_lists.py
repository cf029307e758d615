"""Lists of vectors as bytes: what is found is what comparing everything finds, bit for bit."""

import numpy as np
import pytest
import torch
from numba import njit

from ktviz.library.kinds.patches import dot_kernel, lists_kernel
from ktviz.library.kinds.patches import lists as module
from ktviz.library.kinds.patches.dot_kernel import OFFSET
from ktviz.library.kinds.patches.lists import Lists

COUNT, LISTS = 3000, 31


@pytest.fixture(scope="module", params=[4, 130])
def case(request):
    """Vectors of so many numbers in lists of any length, queries, and which lists each visits."""
    random, size = np.random.default_rng(0), request.param
    numbers = torch.from_numpy(random.integers(-127, 128, (COUNT, size)).astype(np.int8))
    scale = torch.from_numpy(random.uniform(0.01, 2, size).astype(np.float32))
    factors = torch.from_numpy(random.uniform(0, 3, COUNT).astype(np.float32))
    first = torch.from_numpy(np.r_[0, np.sort(random.choice(np.arange(1, COUNT), LISTS - 1, replace=False))])
    sizes = torch.cat((first[1:], torch.tensor([COUNT]))) - first
    queries = torch.from_numpy(random.normal(size=(70, size)).astype(np.float32))
    visits = np.stack([random.permutation(LISTS)[:12] for _ in queries])
    visits[:, 9:][random.random((len(queries), 3)) < 0.5] = -1
    lists = Lists.create(numbers, scale, first, sizes)
    return lists, numbers.numpy(), factors.numpy(), queries, visits


def expected(case, wanted, gone):
    """The same by comparing each query with everything."""
    lists, numbers, factors, queries, visits = case
    asked = lists.asked(queries).astype(int)[:, : numbers.shape[1]] - OFFSET
    products = (asked @ numbers.astype(int).T).astype(np.float32) * factors
    found = np.full((len(queries), wanted), -1)
    for row, visited in enumerate(visits):
        ranges = [np.arange(lists.first[one], lists.first[one] + lists.sizes[one]) for one in visited if one >= 0]
        mine = np.concatenate(ranges)
        mine = mine[~gone[mine]]
        best = mine[np.lexsort((mine, -products[row, mine]))][:wanted]
        found[row, : len(best)] = best
    return found


@pytest.mark.parametrize("wanted", [1, 16, 700])
@pytest.mark.parametrize("part", [0.0, 0.3, 0.99])
def test_the_best_of_some_lists_are_those_of_all_comparisons(case, wanted, part):
    gone = np.random.default_rng(1).random(COUNT) < part
    lists, _, factors, queries, visits = case
    factors = lists.spread(factors)
    left = lists.spread(np.where(gone, np.nan, case[2]).astype(np.float32))
    assert np.array_equal(lists.best(queries, left, visits, wanted), expected(case, wanted, gone))


def test_numbers_are_given_back_as_they_were(case):
    lists, numbers, *_ = case
    rows = torch.from_numpy(np.random.default_rng(2).permutation(COUNT)[:500])
    assert len(lists) == COUNT
    assert np.array_equal(lists[rows].numpy(), numbers[rows])


def test_the_order_of_visits_does_not_count(case, monkeypatch):
    lists, _, factors, queries, visits = case
    factors = lists.spread(factors)
    known = lists.best(queries, factors, visits, 16)
    for first in (1, 2, 100):
        monkeypatch.setattr(module, "FIRST", first)
        assert np.array_equal(lists.best(queries, factors, visits, 16), known)
        assert np.array_equal(lists.best(queries, factors, visits[:, ::-1].copy(), 16), known)


def test_of_equal_vectors_the_lower_is_found():
    numbers = torch.tensor([[1, 2, 3, 4]] * 40, dtype=torch.int8)
    lists = Lists.create(numbers, torch.ones(4), torch.tensor([0, 20]), torch.tensor([20, 20]))
    ones = lists.spread(np.ones(40, np.float32))
    for visits in ([[0, 1]], [[1, 0]]):
        assert lists.best(torch.ones(1, 4), ones, np.array(visits), 5).tolist() == [[0, 1, 2, 3, 4]]


def test_a_list_may_be_empty_and_a_query_nothing():
    numbers = torch.tensor([[5, 0, 0, 0]] * 3, dtype=torch.int8)
    first, sizes = torch.tensor([0, 0, 3]), torch.tensor([0, 3, 0])
    lists = Lists.create(numbers, torch.ones(4), first, sizes)
    ones = lists.spread(np.ones(3, np.float32))
    found = lists.best(torch.tensor([[0.0] * 4, [-1.0, 0, 0, 0]]), ones, np.array([[0, 1, 2]] * 2), 4)
    assert found.tolist() == [[0, 1, 2, -1]] * 2


def test_processors_without_the_instruction_add_up_the_same(case, monkeypatch):
    lists, _, factors, queries, visits = case
    factors = lists.spread(factors)
    known = lists.best(queries, factors, visits, 16)
    if not dot_kernel.HAS_DOTS:
        pytest.skip("this processor has only one way")
    monkeypatch.setattr(dot_kernel, "HAS_DOTS", False)
    for name in ("visit", "best"):  # compiled again, the inner one first
        monkeypatch.setattr(lists_kernel, name, njit(nogil=True)(getattr(lists_kernel, name).py_func))
    assert np.array_equal(lists.best(queries, factors, visits, 16), known)
