"""Grid geometry: taking a map apart and putting it together."""

import pytest
import torch

from ktviz.library.kinds.patches.grid import PatchGrid


@pytest.fixture
def features():
    return torch.randn(3, 8, 6, generator=torch.Generator().manual_seed(0))


def test_queries_are_the_patches_at_even_cells_row_by_row(features):
    queries = PatchGrid(8, 6).unfold(features)
    assert len(queries) == 3 * 2
    assert torch.equal(queries[3], features[:, 2:6, 2:6])


def test_some_queries_are_those_of_all(features):
    grid = PatchGrid(8, 6)
    index = torch.tensor([4, 0, 5])
    assert torch.equal(grid.unfold(features, index), grid.unfold(features)[index])


def test_fold_undoes_unfold(features):
    grid = PatchGrid(8, 6)
    assert (grid.fold(grid.unfold(features)) - features).abs().max() < 1e-6


def test_fold_takes_the_mean_where_patches_overlap():
    grid = PatchGrid(4, 6)
    patches = torch.stack((torch.full((1, 4, 4), 2.0), torch.full((1, 4, 4), 5.0)))
    assert grid.fold(patches)[0, 1].tolist() == [2, 2, 3.5, 3.5, 5, 5]


def test_coverage_counts_the_queries_over_each_cell():
    line = torch.tensor([1.0, 1, 2, 2, 1, 1])
    assert torch.equal(PatchGrid(6, 6).coverage(), line[:, None] * line)


def test_patches_added_in_chunks_give_the_same_map(features):
    grid = PatchGrid(8, 6)
    patches = torch.randn(len(grid), 3, 4, 4, generator=torch.Generator().manual_seed(1))
    total = torch.zeros_like(features)
    for index in torch.arange(len(grid)).split(4):
        grid.add_patches(total, patches[index], index)
    assert (total / grid.coverage() - grid.fold(patches)).abs().max() < 1e-6


@pytest.mark.parametrize("size", [(2, 8), (8, 7), (5, 4)])
def test_a_map_that_queries_cannot_tile_is_refused(size):
    with pytest.raises(ValueError, match="even sides"):
        PatchGrid(*size)


@pytest.mark.parametrize("size", [1, 7, 20, 33])
def test_overlap_add_does_not_depend_on_how_queries_are_cut(size):
    grid = PatchGrid(16, 20)
    patches = torch.randn(len(grid), 3, 4, 4, generator=torch.Generator().manual_seed(0))
    known, found = torch.zeros(3, 16, 20), torch.zeros(3, 16, 20)
    grid.add_patches(known, patches, torch.arange(len(grid)))
    for index in reversed(torch.arange(len(grid)).split(size)):
        grid.add_patches(found, patches[index], index)
    assert torch.equal(found, known)
