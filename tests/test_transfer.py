"""What the winner gives to the query."""

import pytest
import torch

from ktviz.errors import SettingError
from ktviz.systems.kt.transfer import check_transfer, transfer


@pytest.fixture
def patches():
    random = torch.Generator().manual_seed(0)
    return torch.randn(5, 3, 4, 4, generator=random), 2 + 3 * torch.randn(5, 3, 4, 4, generator=random)


def test_statistics_follow_the_published_formula(patches):
    q, p = (x.flatten(2).double() for x in patches)
    mean_q, std_q = q.mean(2, keepdim=True), q.std(2, keepdim=True, unbiased=True)
    expected = (q - mean_q) / (std_q + 2e-5) * p.std(2, keepdim=True, unbiased=True) + p.mean(2, keepdim=True)
    assert (transfer(*patches, "statistics").flatten(2) - expected).abs().max() < 1e-5


def test_statistics_keep_the_photos_pattern_and_take_the_winners_moments(patches):
    result = transfer(*patches, "statistics").flatten(2)
    query, winner = (x.flatten(2) for x in patches)
    assert torch.allclose(result.mean(2), winner.mean(2), atol=1e-4)
    assert torch.allclose(result.std(2), winner.std(2), rtol=1e-3)
    assert torch.equal(result.argsort(2), query.argsort(2))


def test_swap_gives_the_winner_itself(patches):
    assert torch.equal(transfer(*patches, "swap"), patches[1])


@pytest.mark.parametrize("mode", ["statistics", "swap"])
def test_no_strength_leaves_the_photo_as_it_is(patches, mode):
    assert torch.equal(transfer(*patches, mode, strength=0), patches[0])


def test_half_strength_lies_half_way(patches):
    query, winner = patches
    assert (transfer(query, winner, "swap", strength=0.5) - (query + winner) / 2).abs().max() < 1e-6


def test_gain_is_bounded_in_a_nearly_flat_patch(patches):
    query, winner = 1e-3 * patches[0], patches[1]
    unbounded = transfer(query, winner).flatten(2)
    bounded = transfer(query, winner, max_gain=3.5).flatten(2)
    spread = query.flatten(2).std(2)
    assert torch.allclose(bounded.std(2), 3.5 * spread, rtol=1e-3)
    assert (unbounded.std(2) > 100 * spread).all()


def test_a_bound_above_the_gain_changes_nothing(patches):
    assert torch.equal(transfer(*patches, max_gain=1e4), transfer(*patches))


def test_transfer_from_itself_changes_nothing(patches):
    query, _ = patches
    assert (transfer(query, query) - query).abs().max() < 1e-4
    assert torch.equal(transfer(query, query, "swap"), query)


def test_a_constant_patch_takes_the_winners_mean_and_stays_finite(patches):
    result = transfer(torch.full_like(patches[0], 0.25), patches[1])
    assert torch.allclose(result, patches[1].mean((2, 3), keepdim=True).expand_as(result), atol=1e-4)


@pytest.mark.parametrize(
    "settings",
    [("blend", 1, 0), ("swap", 1.01, 0), ("swap", -0.1, 0), ("swap", float("nan"), 0), ("swap", 1, -1),
     ("swap", 1, float("inf"))],
)  # fmt: skip
def test_settings_outside_their_range_are_refused(settings):
    with pytest.raises(SettingError):
        check_transfer(*settings)
