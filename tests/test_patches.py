"""Grid geometry: taking a map apart, putting it together, and who painted what."""

import pytest
import torch

from ktviz.model.patches import PatchGrid


def naive_footprint(grid, height, width):
    """Share of each query in the visible cells, one cell at a time."""
    weight = [0.0] * len(grid)
    for y in range(grid.height):
        for x in range(grid.width):
            visible = min(max(height - y, 0), 1) * min(max(width - x, 0), 1)
            painters = [
                n
                for n, (top, left) in enumerate(grid.corners().tolist())
                if top <= y < top + 4 and left <= x < left + 4
            ]
            for n in painters:
                weight[n] += visible / len(painters)
    return torch.tensor(weight) / sum(weight)


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


def test_footprint_of_a_tiny_grid_is_the_one_worked_out_by_hand():
    # 4 x 6 cells, two queries: each owns two columns alone and half of the two that they share.
    assert PatchGrid(4, 6).footprint(4, 6).tolist() == [0.5, 0.5]
    # Of six columns four and a half are visible: the first query has 2 + 1, the second 1 + 0.5 columns.
    assert PatchGrid(4, 6).footprint(4, 4.5).tolist() == pytest.approx([3 / 4.5, 1.5 / 4.5])


@pytest.mark.parametrize("visible", [(8, 10), (7, 10), (6.25, 8.5)])
def test_footprint_counts_each_visible_cell_once(visible):
    grid = PatchGrid(8, 10)
    weight = grid.footprint(*visible)
    assert float(weight.sum()) == pytest.approx(1)
    assert (weight - naive_footprint(grid, *visible)).abs().max() < 1e-6


@pytest.mark.parametrize("size", [(2, 8), (8, 7), (5, 4)])
def test_a_map_that_queries_cannot_tile_is_refused(size):
    with pytest.raises(ValueError, match="even sides"):
        PatchGrid(*size)
