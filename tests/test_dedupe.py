"""De-duplication against a brute-force greedy oracle."""

import pytest
import torch
from torch.nn import functional as F

from ktviz.library.kinds.patches.dedupe import CHUNK, SLACK, survivors, unit_vectors, upper_bounds


def greedy(vectors, threshold):
    """One patch at a time, in float64; zero patches are alike."""
    unit = F.normalize(vectors.double(), dim=1)
    zero = vectors.square().sum(1) == 0
    kept = []
    for n in range(len(unit)):
        if zero[n]:
            like = any(zero[k] for k in kept)
        else:
            like = len(kept) > 0 and bool((unit[kept] @ unit[n] > threshold).any())
        if not like:
            kept.append(n)
    return kept


def random_vectors(seed):
    return torch.randn(400, 48, generator=torch.Generator().manual_seed(seed))


def clustered_vectors(seed):
    """Around few centres, with exact duplicates and zeros strewn in; more than one chunk."""
    random = torch.Generator().manual_seed(seed)
    centre = torch.randn(12, 48, generator=random)
    label = torch.randint(12, (CHUNK * 2 + 70,), generator=random)
    vectors = centre[label] + 0.35 * torch.randn(len(label), 48, generator=random)
    vectors[100:120] = vectors[300:320]
    vectors[[5, 50, 400]] = 0
    return vectors


def slow_gradient(seed):
    """Each patch is like the next, far ones are not: where the authors' rule drops too many."""
    angle = torch.linspace(0, 3 + seed, 600)
    return torch.stack((angle.cos(), angle.sin()), dim=1)


@pytest.mark.parametrize("threshold", [0.5, 0.9, 0.99])
@pytest.mark.parametrize("vectors", [random_vectors(0), clustered_vectors(1), clustered_vectors(2), slow_gradient(0)])
def test_survivors_are_those_of_the_greedy_rule(vectors, threshold):
    assert survivors(vectors, threshold).tolist() == greedy(vectors, threshold)


def flat_colours(seed):
    """Patches of few flat colours with hard edges, as a comic has them: cosines crowd near 1, bounds near rounding."""
    random = torch.Generator().manual_seed(seed)
    colours = torch.rand(6, 24, generator=random)
    split = torch.randint(17, (CHUNK * 2,), generator=random)
    first, second = torch.randint(6, (2, CHUNK * 2), generator=random)
    inside = (torch.arange(16) < split[:, None])[..., None]
    return torch.where(inside, colours[first][:, None], colours[second][:, None]).flatten(1)


@pytest.mark.parametrize("seed", range(4))
def test_no_pair_is_ruled_out_that_is_alike(seed):
    unit = unit_vectors(flat_colours(seed))
    bounds = upper_bounds(unit)
    assert float((unit.double() @ unit.double().T - bounds.double() @ bounds.double().T).max()) < SLACK


def rare_directions(seed):
    """Every second patch has next to nothing in a direction in which the others differ."""
    random = torch.Generator().manual_seed(seed)
    one, two, *_, other = torch.linalg.qr(torch.randn(48, 8, generator=random).double()).Q.T.float()[:5]

    def sign():
        return torch.randn(1024, 1, generator=random).sign()

    vectors = one + other + 0.32 * sign() * two
    sampled = one + (0.87 + 0.15 * seed / 40) * 1e-3 * sign() * two
    sampled[::4] += other - one
    vectors[::2] = sampled[::2]
    return vectors


@pytest.mark.parametrize("seed", range(0, 40, 2))
def test_nothing_survives_beside_its_look_alike_in_a_rare_direction(seed):
    vectors = rare_directions(seed)
    kept = survivors(vectors, 0.9)
    assert kept.tolist() == greedy(vectors, 0.9)


def test_more_dimensions_than_the_coarse_comparison_sees():
    vectors = clustered_vectors(3).repeat_interleave(8, dim=1) + 0.3 * torch.randn(
        CHUNK * 2 + 70, 384, generator=torch.Generator().manual_seed(4)
    )
    assert survivors(vectors, 0.8).tolist() == greedy(vectors, 0.8)


@pytest.mark.parametrize("vectors", [clustered_vectors(1), flat_colours(0), slow_gradient(0)])
@pytest.mark.parametrize(("chunk", "pairs"), [(1, 3), (40, 64), (5000, 100_000)])
def test_survivors_do_not_depend_on_the_chunks_in_which_they_are_compared(vectors, chunk, pairs, monkeypatch):
    """The threshold is the very cosine of two patches: rounding decides on which side of it they are."""
    unit = unit_vectors(vectors)
    threshold = float(unit[3] @ unit[7])
    known = survivors(vectors, threshold).tolist()
    monkeypatch.setattr("ktviz.library.kinds.patches.dedupe.CHUNK", chunk)
    monkeypatch.setattr("ktviz.library.kinds.patches.dedupe.PAIRS", pairs)
    assert survivors(vectors, threshold).tolist() == known


def test_threshold_one_keeps_every_patch_even_duplicates():
    assert survivors(torch.ones(300, 16), 1.0).tolist() == list(range(300))


def test_nothing_kept_looks_like_another_and_everything_dropped_looks_like_an_earlier_one_kept():
    vectors = clustered_vectors(5)
    vectors = vectors[vectors.square().sum(1) > 0]
    kept = survivors(vectors, 0.9)
    unit = F.normalize(vectors.double(), dim=1)
    among = unit[kept] @ unit[kept].T
    assert among.fill_diagonal_(0).max() <= 0.9 + 1e-6
    dropped = [n for n in range(len(vectors)) if n not in set(kept.tolist())]
    assert len(dropped) > 100
    for n in dropped:
        assert (unit[kept[kept < n]] @ unit[n]).max() > 0.9 - 1e-6


def test_of_duplicates_the_first_stays():
    assert survivors(torch.ones(CHUNK + 10, 16), 0.9).tolist() == [0]


def test_all_zero_patches_count_as_one_kind_of_their_own():
    vectors = torch.zeros(10, 16)
    vectors[4] = torch.ones(16)
    assert survivors(vectors, 0.9).tolist() == [0, 4]
