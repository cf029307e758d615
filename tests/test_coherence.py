"""Coherence: a neighbour's continuation wins where little similarity is lost, and says so."""

import pytest
import torch

from ktviz.images import to_tensor
from ktviz.library.kinds.patches.bands import to_vectors
from ktviz.library.kinds.patches.compare import compare
from ktviz.library.kinds.patches.grid import PatchGrid
from ktviz.library.kinds.patches.search import SearchSettings
from ktviz.systems.kt.coherence import anti_diagonals, continue_neighbours

WEIGHTS = torch.tensor([1.0, 1, 1, 0])
TOLERANCE = 0.3


@pytest.fixture(scope="module")
def case(world, toy, paint):
    """A photo's retrievals before and after coherence."""
    features, grid = toy(to_tensor(paint(99)))[0], PatchGrid(16, 16)
    before = world.banks.search(grid.unfold(features), SearchSettings("exact", candidates=4))
    after = continue_neighbours(before, features, grid, world.banks, WEIGHTS, TOLERANCE)
    return features, grid, before, after


def test_no_tolerance_changes_nothing(world, case):
    features, grid, before, _ = case
    same = continue_neighbours(before, features, grid, world.banks, WEIGHTS, 0.0)
    assert same.entry is before.entry
    assert same.chosen is before.chosen
    assert not same["coherent"].any()


def test_neighbours_are_decided_before_the_queries_that_look_at_them():
    grid = PatchGrid(8, 12)
    decided = {0}
    for wave in anti_diagonals(grid):
        for query in wave.tolist():
            if query >= grid.columns:
                assert query - grid.columns in decided
            if query % grid.columns:
                assert query - 1 in decided
        decided |= set(wave.tolist())
    assert len(decided) == len(grid)


def test_an_accepted_winner_continues_the_source_of_a_neighbour(world, case):
    _, grid, _, after = case
    where = torch.stack(world.banks.locate(after.winner), dim=1).tolist()
    assert 20 < int(after["coherent"].sum()) < len(grid)
    for query in after["coherent"].nonzero()[:, 0].tolist():
        continued = []
        if query >= grid.columns:
            source, y, x = where[query - grid.columns]
            continued.append([source, y + 2, x])
        if query % grid.columns:
            source, y, x = where[query - 1]
            continued.append([source, y, x + 2])
        assert where[query] in continued


def test_an_accepted_winner_loses_no_more_than_the_tolerance(case):
    _, _, before, after = case
    lost = (before.similarity[:, 0] - after.winner_similarity)[after["coherent"]]
    assert lost.max() <= TOLERANCE + 1e-6
    assert lost.max() > 0.01


def test_similarity_of_an_accepted_winner_is_its_own(world, case):
    features, grid, _, after = case
    value, bands = compare(to_vectors(grid.unfold(features)), after.winner[:, None], world.banks, WEIGHTS)
    rows = torch.arange(len(after))
    assert (after.winner_similarity - value[:, 0]).abs().max() < 1e-6
    assert (after["bands"][rows, after.chosen] - bands[:, 0]).abs().max() < 1e-6
    assert torch.equal(after["path"], world.banks.paths(after.winner))


def test_without_the_flag_the_best_candidate_has_won(case):
    _, _, before, after = case
    rest = ~after["coherent"]
    assert rest.any()
    assert (after.chosen[rest] == 0).all()
    assert torch.equal(after.winner[rest], before.entry[rest, 0])


def test_no_continuation_within_the_tolerance_was_refused(world, case):
    features, grid, before, after = case
    vectors = to_vectors(grid.unfold(features))
    for query in (~after["coherent"]).nonzero()[:, 0].tolist():
        neighbours = [(query - grid.columns, 2, 0)] * (query >= grid.columns)
        neighbours += [(query - 1, 0, 2)] * (query % grid.columns > 0)
        continued = [world.banks.shifted(after.winner[n : n + 1], *step) for n, *step in neighbours]
        if any(int(entry) == int(before.entry[query, 0]) for entry in continued):
            continue  # the best candidate continues a neighbour of itself
        for entry in continued:
            value, _ = compare(vectors[query : query + 1], entry[None], world.banks, WEIGHTS)
            assert float(value) < float(before.similarity[query, 0]) - TOLERANCE + 1e-6


def test_what_was_found_before_is_left_unchanged(world, case):
    features, grid, before, _ = case
    entry, chosen = before.entry.clone(), before.chosen.clone()
    continue_neighbours(before, features, grid, world.banks, WEIGHTS, TOLERANCE)
    assert torch.equal(before.entry, entry)
    assert torch.equal(before.chosen, chosen)


def test_excluded_sources_are_not_continued_into(world, paint):
    result = world.translator(paint(99), without=["b", "d"], coherence=0.5)
    assert result.matches["coherent"].any()
    source, _, _ = world.banks.locate(result.matches.winner)
    hidden = [world.banks.source_numbers[name] for name in ("art/warm/b.png", "art/cool/d.png")]
    assert not set(source.tolist()) & set(hidden)


@pytest.mark.parametrize(("down", "right"), [(0, 2), (2, 0), (0, 7), (7, 0), (40, 0), (0, 40)])
def test_a_continuation_beyond_the_edge_of_a_source_is_no_entry(world, down, right):
    source, y, x = world.banks.locate(torch.arange(len(world.banks)))
    shifted = world.banks.shifted(torch.arange(len(world.banks)), down, right)
    there = (y + down <= 16 - 4) & (x + right <= 16 - 4)
    assert torch.equal(shifted >= 0, there)
    moved = world.banks.locate(shifted[there])
    assert torch.equal(torch.stack(moved), torch.stack((source, y + down, x + right))[:, there])
