"""Keys of queries: near the exact ones, and the same however they are worked out."""

import numpy as np
import pytest
import torch
from numba import njit

from ktviz.library.kinds.patches import dot_kernel, keys, query_keys_kernel
from ktviz.library.kinds.patches.bands import band_vectors, coefficients
from ktviz.library.kinds.patches.compare import products
from ktviz.library.kinds.patches.entries import Entries
from ktviz.library.kinds.patches.keys import fit_bases, without_units
from ktviz.retrieval.exact import on_grid


def vectors(count, channels=16, seed=0):
    random = torch.Generator().manual_seed(seed)
    return torch.randn(count, 16 * channels, generator=random) * torch.rand(count, 16 * channels, generator=random) ** 3


@pytest.fixture(scope="module", params=[5, 16])
def projection(request):
    return without_units(fit_bases(vectors(600, request.param, seed=1), 40))


def channels_of(projection):
    return len(projection.bases[0]) // 4


def exactly(projection, asked):
    bands = band_vectors(asked.double())
    return torch.cat([bands[:, b] @ projection.bases[b].double() for b in range(4)], 1)


@pytest.mark.parametrize("size", [1e-30, 1.0, 1e30])
def test_keys_of_queries_are_nearly_exact(projection, size):
    asked = vectors(67, channels_of(projection)) * size
    known, norm = exactly(projection, asked), asked.double().norm(dim=1)
    error = (projection.of_queries(asked).double() - known) / norm[:, None]
    assert error.square().mean().sqrt() < 2e-3
    assert (known.square().mean().sqrt() / norm.mean()) > 0.05  # the control: there is something to err by


def test_keys_of_queries_do_not_depend_on_how_they_are_cut(projection):
    asked = vectors(67, channels_of(projection))
    known = projection.of_queries(asked)
    for size in (67, 1, 13):
        assert torch.equal(torch.cat([projection.of_queries(part) for part in asked.split(size)]), known)
    assert torch.equal(projection.of_queries(asked.flip(0)).flip(0), known)


def test_processors_without_the_instruction_make_the_same_keys(projection, monkeypatch):
    if not dot_kernel.HAS_DOTS:
        pytest.skip("this processor has only one way")
    asked = vectors(21, channels_of(projection))
    known = projection.of_queries(asked)
    monkeypatch.setattr(dot_kernel, "HAS_DOTS", False)
    monkeypatch.setattr(keys, "project", njit(nogil=True)(query_keys_kernel.project.py_func))
    assert torch.equal(projection.of_queries(asked), known)


def test_empty_bands_have_empty_keys(projection):
    channels = channels_of(projection)
    flat = torch.rand(1, channels).repeat(1, 16)
    keys = projection.of_queries(torch.cat((flat, torch.zeros(1, 16 * channels))))
    beside = projection.band_of > 0
    assert not keys[:, beside].any()
    assert keys[0, ~beside].any()
    assert not keys[1].any()


def test_kernels_and_matrix_products_agree_to_the_last_bit():
    """Of one set of features, in half precision, which kernels read, and in single, which they do not."""
    maps = [vectors(64, seed=number).view(-1, 16)[: 30 * 30].view(30, 30, 16).half() for number in range(2)]
    place = torch.arange(2 * 27 * 27)
    source, y, x = place // 729, place % 729 // 27, place % 27
    halves = Entries.create(source, y, x, maps)
    singles = Entries.create(source, y, x, [one.float() for one in maps])
    asked = vectors(33, seed=9)
    rows = torch.from_numpy(np.random.default_rng(0).integers(0, len(place), (33, 7)))
    scales = halves.scales(rows)
    assert singles.views(rows) is None
    fast, slow = (products(asked, rows, scales, entries) for entries in (halves, singles))
    assert torch.equal(fast[0], slow[0])
    assert torch.equal(fast[0], coefficients(on_grid(asked)).square().sum((2, 3, 4)))
    assert torch.equal(fast[1], slow[1])
