"""Nearest-neighbour fields, random draws, and the search that improves a field."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from ktviz.errors import UnknownNameError
from ktviz.systems.image_analogy.cost import PatchCost, joined
from ktviz.systems.image_analogy.draws import draw_below
from ktviz.systems.image_analogy.field import (
    entered,
    forbidden_cells,
    identity_field,
    random_field,
    round_trip,
    upsampled,
)
from ktviz.systems.image_analogy.patchmatch import JUMPS, NEIGHBOURS, ORIGINS, patch_match


def smooth_features(seed, height, width, channels=6):
    random = torch.Generator().manual_seed(seed)
    coarse = torch.randn(1, channels, height // 3 + 2, width // 3 + 2, generator=random)
    fine = torch.randn(channels, height, width, generator=random)
    return F.interpolate(coarse, size=(height, width), mode="bicubic", align_corners=False)[0] + 0.3 * fine


def make_cost(here, there, patch=3):
    a, a_prime = smooth_features(1, *here), smooth_features(2, *here)
    b, b_prime = smooth_features(3, *there), smooth_features(4, *there)
    return PatchCost(joined(a_prime, a), joined(b_prime, b), patch)


def search(cost, **changed):
    options = {"iterations": 10, "radius": 24, "seed": (7,), **changed}
    return patch_match(cost, random_field(cost.size_here, cost.size_there, (1,)), **options)


def test_identity_ends_at_the_border_of_a_smaller_picture():
    field = identity_field((5, 9), (3, 4))
    assert field.shape == (5, 9, 2)
    assert field[4, 8].tolist() == [2, 3]
    assert field[1, 2].tolist() == [1, 2]


def test_random_fields_reach_all_of_the_other_picture():
    field = random_field((40, 40), (3, 5), (0,))
    assert sorted(set(map(tuple, field.flatten(0, 1).tolist()))) == [(y, x) for y in range(3) for x in range(5)]


def test_draws_are_even_and_differ_between_cells_and_purposes():
    cells = torch.arange(60_000)
    drawn = draw_below(torch.tensor(6), cells, (3, 1))
    assert (drawn.bincount(minlength=6) - 10_000).abs().max() < 500
    for other in (
        draw_below(torch.tensor(6), cells, (3, 2)),
        drawn.roll(1),
        draw_below(torch.tensor(6), cells, (4, 1)),
    ):
        assert abs(float((other == drawn).float().mean()) - 1 / 6) < 0.01
    assert (draw_below(torch.tensor(6), cells[5:9], (3, 1)) == drawn[5:9]).all()


def test_a_field_and_its_inverse_come_back():
    shift = identity_field((8, 8), (8, 8)).roll((2, 3), (0, 1))
    back = torch.empty_like(shift)
    back[shift[..., 0], shift[..., 1]] = identity_field((8, 8), (8, 8))
    assert round_trip(shift, back).max() == 0
    assert round_trip(shift, identity_field((8, 8), (8, 8))).max() > 1


def test_forbidden_cells_touch_the_region_unless_nothing_were_left():
    region = torch.zeros(16, 16, dtype=torch.bool)
    region[4:7, 8:10] = True
    assert forbidden_cells(region, (4, 4)).nonzero().tolist() == [[1, 2]]
    spread = torch.zeros(16, 16, dtype=torch.bool)
    spread[::4, ::4] = True
    spread[:4, :4] = True
    assert forbidden_cells(spread, (4, 4)).nonzero().tolist() == [[0, 0]]
    assert forbidden_cells(torch.zeros(16, 16, dtype=torch.bool), (4, 4)) is None
    with pytest.raises(UnknownNameError, match="nothing would be left"):
        forbidden_cells(torch.ones(16, 16, dtype=torch.bool), (4, 4))


def test_cells_that_may_not_stay_go_to_the_nearest_that_may():
    forbidden = torch.zeros(5, 5, dtype=torch.bool)
    forbidden[:, :2] = True
    field = entered(identity_field((5, 5), (5, 5)), forbidden)
    assert field[3, 0].tolist() == [3, 2]
    assert field[3, 4].tolist() == [3, 4]


def naive_search(cost, start, iterations, radius, seed):
    """The same search cell by cell, with every candidate evaluated."""
    (height, width), (h, w) = cost.size_here, cost.size_there
    field = start.numpy().copy()

    def value(y, x, v, u):
        return float(cost(torch.tensor([y * width + x]), torch.tensor([v * w + u]))[0])

    best = np.array([[value(y, x, *field[y, x]) for x in range(width)] for y in range(height)], dtype=np.float32)

    def offer(y, x, v, u):
        if 0 <= v < h and 0 <= u < w and value(y, x, v, u) < best[y, x]:
            best[y, x], field[y, x] = value(y, x, v, u), (v, u)

    for iteration in range(1, iterations + 1):
        for jump in JUMPS:
            before = field.copy()
            for down, right in NEIGHBOURS:
                for y in range(height):
                    for x in range(width):
                        ny, nx = y - jump * down, x - jump * right
                        if 0 <= ny < height and 0 <= nx < width:
                            offer(y, x, before[ny, nx, 0] + jump * down, before[ny, nx, 1] + jump * right)
        reach = min(radius, max(h, w))
        while reach >= 1:
            before = field.copy()
            for y in range(height):
                for x in range(width):
                    drawn = []
                    for axis, (place, length) in enumerate(zip(before[y, x], (h, w), strict=True)):
                        low, high = max(place - reach, 0), min(place + reach, length - 1)
                        bound, cell = torch.tensor(int(high - low + 1)), torch.tensor([y * width + x])
                        drawn.append(low + int(draw_below(bound, cell, (*seed, iteration, reach, axis))))
                    offer(y, x, *drawn)
            reach //= 2
    return field


def test_leaving_out_what_was_refused_before_changes_nothing():
    cost = make_cost((9, 11), (10, 7))
    found = search(cost, iterations=3, radius=5)
    wanted = naive_search(cost, random_field((9, 11), (10, 7), (1,)), 3, 5, (7,))
    assert (found.field.numpy() == wanted).all()


@pytest.mark.parametrize("patch", [3, 5])
def test_the_search_comes_within_two_percent_of_the_best(patch):
    here, other = smooth_features(1, 24, 24), smooth_features(2, 24, 24)
    moved = [(0.8 * part + 0.4 * smooth_features(3, 24, 24)).roll((3, -5), (1, 2)) for part in (here, other)]
    cost = PatchCost(joined(here, other), joined(*moved), patch)
    best = cost.best(torch.arange(24 * 24))[1].mean()
    found = search(cost)
    assert found.mean_cost < 0.98 * float(best)
    assert float(found.start_cost.mean()) > 0.1 * float(best)


def test_cost_falls_with_every_iteration():
    cost = make_cost((20, 22), (17, 25))
    costs = [search(cost, iterations=n).cost for n in range(1, 6)]
    assert all((later <= earlier).all() for earlier, later in pairwise(costs))
    assert costs[-1].mean() < costs[0].mean()


def test_origin_and_iteration_tell_how_a_match_came():
    found = search(make_cost((20, 20), (20, 20)), iterations=4)
    stayed = (found.field == found.start).all(2)
    assert ((found.settled == 0) == stayed).all()
    assert ((found.origin == 0) == stayed).all()
    assert found.settled.max() <= 4
    assert set(found.origin.unique().tolist()) > {1, len(ORIGINS) - 1}
    assert found.changed == pytest.approx(1 - float(stayed.float().mean()))
    cost = make_cost((20, 20), (20, 20))
    entries = (found.field[..., 0] * 20 + found.field[..., 1]).flatten()
    assert (cost.exact(torch.arange(400), entries) == found.cost.flatten()).all()


def test_the_field_does_not_enter_what_is_forbidden():
    cost = make_cost((20, 20), (20, 20))
    forbidden = torch.zeros(20, 20, dtype=torch.bool)
    forbidden[5:15, 5:15] = True
    free = search(cost).field
    found = search(cost, forbidden=forbidden)
    assert forbidden[free[..., 0], free[..., 1]].any()
    assert not forbidden[found.field[..., 0], found.field[..., 1]].any()
    best = cost.best(torch.arange(400), 2, forbidden)
    assert not forbidden.flatten()[best[0]].any()
    assert (found.cost.flatten() >= best[1][:, 0]).all()


def test_equal_patches_go_to_the_lowest_number():
    flat = torch.ones(3, 6, 6)
    numbers, costs = PatchCost(joined(flat, flat), joined(flat, flat), 3).best(torch.arange(36), 3)
    assert (numbers == torch.arange(3)).all()
    assert torch.allclose(costs, torch.tensor(-2.0))
    field = PatchCost(joined(flat, flat), joined(flat, flat), 3)
    assert field.best(torch.arange(36), 40)[0].shape == (36, 36)


def test_empty_features_cost_nothing_and_no_nan():
    empty = torch.zeros(3, 6, 6)
    found = search(PatchCost(joined(empty, empty), joined(empty, empty), 3), iterations=2)
    assert (found.cost == 0).all()
    assert found.changed == 0


@pytest.mark.parametrize("sizes", [((1, 1), (1, 1)), ((1, 9), (7, 1)), ((2, 2), (30, 3))])
def test_pictures_smaller_than_a_patch(sizes):
    found = search(make_cost(*sizes, patch=5))
    assert found.cost.isfinite().all()
    assert (upsampled(found.field, (13, 11), (9, 8)) >= 0).all()


@pytest.mark.parametrize("seed", [0, 1])
def test_threads_change_nothing(seed):
    cost = make_cost((40, 44), (37, 51), 5)
    found = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        found.append(search(cost, seed=(seed,), iterations=4))
    for one, two in zip(vars(found[0]).values(), vars(found[1]).values(), strict=True):
        assert (one == two).all()
