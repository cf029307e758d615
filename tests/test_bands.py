"""Haar bands: the authors' signs, orthonormality, and the shortcuts that search takes."""

import pytest
import torch
from torch.nn import functional as F

from ktviz.errors import SettingError
from ktviz.library.kinds.patches.bands import (
    BANDS,
    band_energy,
    band_parts,
    band_vectors,
    check_band_weights,
    haar,
    inverse_norm,
    to_patches,
    to_vectors,
    weight_bands,
)
from ktviz.library.kinds.patches.grid import PatchGrid

# Specification 3.3, outer products of (low, high) over rows x columns.
KERNELS = {
    "LL": [[0.5, 0.5], [0.5, 0.5]],
    "LH": [[-0.5, 0.5], [-0.5, 0.5]],
    "HL": [[-0.5, -0.5], [0.5, 0.5]],
    "HH": [[0.5, -0.5], [-0.5, 0.5]],
}


@pytest.fixture
def patches():
    return torch.randn(6, 5, 4, 4, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("band", BANDS)
def test_each_band_is_the_authors_convolution(patches, band):
    kernel = torch.tensor(KERNELS[band]).expand(5, 1, 2, 2)
    expected = F.conv2d(patches, kernel, stride=2, groups=5)
    assert (haar(patches)[:, BANDS.index(band)] - expected).abs().max() < 1e-6


def test_haar_of_the_map_equals_haar_of_each_query_patch():
    features = torch.randn(5, 10, 8, generator=torch.Generator().manual_seed(1))
    of_patches = haar(PatchGrid(10, 8).unfold(features))
    of_map = haar(features)
    windows = of_map.unfold(2, 2, 1).unfold(3, 2, 1).permute(2, 3, 0, 1, 4, 5).flatten(0, 1)
    assert torch.equal(of_patches, windows)


def test_band_energies_add_up_to_the_patch_energy(patches):
    vectors = to_vectors(patches)
    assert torch.allclose(band_energy(vectors).sum(1), patches.square().sum((1, 2, 3)), rtol=1e-5)


def test_vectors_are_position_major_and_turn_back_into_patches(patches):
    vectors = to_vectors(patches)
    assert torch.equal(vectors[2, 5 * 6 : 5 * 7], patches[2, :, 1, 2])
    assert torch.equal(to_patches(vectors), patches)


def test_band_vectors_hold_the_haar_coefficients(patches):
    expected = haar(patches).permute(0, 1, 3, 4, 2).flatten(2)  # (N, 4, 2 * 2 * C), positions first
    assert (band_vectors(to_vectors(patches)) - expected).abs().max() < 1e-6


def test_band_parts_add_up_to_the_vector(patches):
    vectors = to_vectors(patches)
    assert (band_parts(vectors).sum(1) - vectors).abs().max() < 1e-5


def test_dot_products_of_band_parts_are_those_of_the_bands(patches):
    first, second = to_vectors(patches[:3]), to_vectors(patches[3:])
    through_parts = torch.einsum("nbd,nd->nb", band_parts(first), second)
    in_bands = (haar(patches[:3]) * haar(patches[3:])).sum((2, 3, 4))
    assert (through_parts - in_bands).abs().max() < 1e-4


def test_weighted_vectors_have_their_bands_multiplied(patches):
    weights = torch.tensor([1.0, 0.5, 2.0, 0.0])
    weighted = haar(to_patches(weight_bands(to_vectors(patches), weights)))
    assert (weighted - haar(patches) * weights[:, None, None, None]).abs().max() < 1e-5


def test_inverse_norm_of_empty_bands_is_zero_not_infinite():
    energy = torch.tensor([[0.0, 0.0, 0.0, 3.0], [4.0, 0.0, 0.0, 0.0]])
    assert inverse_norm(energy, torch.tensor([1.0, 1.0, 1.0, 0.0])).tolist() == [0.0, 0.5]


@pytest.mark.parametrize(
    "weights", [(1, 1, 1), (1, 1, 1, -1), (0, 0, 0, 0), (1, 1, 1, float("inf")), (1, float("nan"), 1, 1)]
)
def test_impossible_band_weights_are_refused(weights):
    with pytest.raises(SettingError, match="band weights"):
        check_band_weights(weights)
