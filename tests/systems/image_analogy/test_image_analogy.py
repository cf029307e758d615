"""Whole analogies of small pictures."""

import copy

import numpy as np
import pytest
import torch

from ktviz.errors import ImageError, MissingWeightsError, SettingError, UnknownNameError, UnknownSettingError
from ktviz.systems.image_analogy.method import Method, network_size
from ktviz.systems.image_analogy.patchmatch import Search
from ktviz.systems.image_analogy.pyramid import LEVELS
from ktviz.systems.image_analogy.result import rendered
from ktviz.systems.image_analogy.settings import PRESETS, Settings, preset
from ktviz.systems.image_analogy.vote import Votes

QUICK = Settings(iterations=3, inversion_iterations=4)
LBFGS = Settings(iterations=3, inversion="lbfgs", inversion_iterations=4)


def decibels(one, two):
    error = np.square(one.astype(float) - two.astype(float)).mean()
    return 10 * np.log10(255**2 / max(error, 1e-9))


def from_votes(result, way, picture):
    """The picture again, from the sources and weights that are recorded."""
    votes = result.votes[way]
    height, width = votes.size
    sources, weights = votes.of(torch.arange(height * width))
    colours = torch.from_numpy(picture.reshape(-1, 3).copy()).double()
    made = (colours[sources.clamp(min=0)] * weights[..., None]).sum(1)
    return made.view(height, width, 3).numpy(), sources


@pytest.fixture(scope="module")
def pictures(paint):
    return paint(1, 60, 52), paint(2, 57, 71)


@pytest.mark.parametrize("settings", [QUICK, LBFGS], ids=lambda settings: settings.inversion)
def test_both_outputs_and_their_sources(model, pictures, settings):
    a, b_prime = pictures
    result = model(a, b_prime, settings)
    assert result.a_prime.shape == a.shape
    assert result.b.shape == b_prime.shape
    for way, output, source in (("ab", result.a_prime, b_prime), ("ba", result.b, a)):
        again, sources = from_votes(result, way, source)
        assert np.abs(again - output).max() <= 1
        assert (sources >= 0).any(1).all()
        assert (rendered(result.votes[way], source) == output).all()
    assert [level.layer for level in result.levels] == list(LEVELS[:0:-1])
    assert [level.stride for level in result.levels] == [16, 8, 4, 2, 1]


def test_every_level_tells_how_it_came_to_be(model, pictures):
    result = model(*pictures, LBFGS)
    grids = {"conv5_1": (4, 4), "conv4_1": (8, 7), "conv3_1": (15, 13), "conv2_1": (30, 26), "conv1_1": (60, 52)}
    for layer, grid in grids.items():
        level = result.level(layer)
        side = level.sides["ab"]
        assert side.search.field.shape == (*grid, 2)
        assert side.blend.kept.shape == side.blend.response.shape == level.consistency().shape == grid
        assert side.search.mean_cost <= float(side.search.start_cost.mean())
        assert 0 <= side.search.changed <= 1
        assert (side.energy is None) == (layer == "conv1_1")
        assert side.energy is None or side.energy[1] <= side.energy[0]
        cells = torch.arange(0, grid[0] * grid[1], 3)
        numbers, costs = side.oracle(cells, 2)
        assert (costs[:, 0] <= costs[:, 1]).all()
        assert (side.regret(cells) >= 0).all()
        assert (side.cost.exact(cells, numbers[:, 0]) == costs[:, 0]).all()


@pytest.mark.parametrize("settings", [QUICK, LBFGS], ids=lambda settings: settings.inversion)
def test_threads_change_nothing(model, paint, settings):
    found = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        found.append(model(paint(1, 90, 77), paint(2, 83, 95), settings))
    one, two = found
    assert (one.a_prime == two.a_prime).all()
    assert (one.b == two.b).all()
    for first, second in zip(one.levels, two.levels, strict=True):
        for way in ("ab", "ba"):
            assert first.sides[way].energy == second.sides[way].energy
            assert (first.sides[way].search.field == second.sides[way].search.field).all()
            assert (first.sides[way].search.cost == second.sides[way].search.cost).all()


def test_a_seed_gives_one_result_and_another_seed_another(model, pictures):
    first, again, other = (model(*pictures, Settings(iterations=2, seed=seed)) for seed in (3, 3, 4))
    assert (first.a_prime == again.a_prime).all()
    assert (first.a_prime != other.a_prime).any()


def test_a_picture_finds_itself(model, paint):
    picture = paint(3, 96, 96)
    result = model(picture, picture, Settings(start="random"))
    last = result.levels[-1].sides["ab"].search.field
    rows, columns = torch.meshgrid(torch.arange(96), torch.arange(96), indexing="ij")
    assert float((last == torch.stack((rows, columns), 2)).all(2).float().mean()) >= 0.95
    assert decibels(result.a_prime, picture) >= 30


def test_nothing_is_taken_from_an_excluded_region(model, pictures):
    a, b_prime = pictures
    excluded = torch.zeros(b_prime.shape[:2], dtype=torch.bool)
    excluded[10:40, 20:50] = True
    free, result = model(a, b_prime, QUICK), model(a, b_prime, QUICK, excluded=excluded)
    _, before = from_votes(free, "ab", b_prime)
    again, sources = from_votes(result, "ab", b_prime)
    assert excluded.flatten()[before[before >= 0]].any()
    assert not excluded.flatten()[sources[sources >= 0]].any()
    assert (sources >= 0).any(1).all()
    assert np.abs(again - result.a_prime).max() <= 1
    poisoned = b_prime.copy()
    poisoned[excluded.numpy()] = 255 - poisoned[excluded.numpy()]
    assert (rendered(result.votes["ab"], poisoned) == result.a_prime).all()
    for level in result.levels:
        side = level.sides["ab"]
        rows, columns = side.search.field.unbind(2)
        assert not side.forbidden[rows, columns].any()


@pytest.mark.parametrize(
    ("here", "there"),
    [((97, 61), (40, 33)), ((33, 40), (96, 64)), ((16, 16), (64, 64)), ((64, 48), (16, 17)), ((16, 120), (120, 16))],
)
@pytest.mark.parametrize("inversion", ["fast", "lbfgs"])
def test_any_sizes(model, paint, here, there, inversion):
    result = model(
        paint(1, *here), paint(2, *there), Settings(iterations=2, inversion=inversion, inversion_iterations=2)
    )
    assert result.a_prime.shape[:2] == here
    assert result.b.shape[:2] == there
    for level in result.levels:
        for side in level.sides.values():
            assert side.search.cost.isfinite().all()
            assert side.blend.kept.isfinite().all()
            assert side.energy is None or np.isfinite(side.energy).all()


@pytest.mark.parametrize("settings", [QUICK, LBFGS], ids=lambda settings: settings.inversion)
@pytest.mark.parametrize("value", [0, 128, 255])
def test_pictures_of_one_colour(model, paint, settings, value):
    flat = np.full((40, 33, 3), value, dtype=np.uint8)
    for a, b_prime in ((flat, paint(1, 48, 48)), (paint(1, 48, 48), flat), (flat, flat)):
        result = model(a, b_prime, settings)
        for level in result.levels:
            assert all(side.search.cost.isfinite().all() for side in level.sides.values())
    assert (result.a_prime == value).all()


def test_small_pictures_are_not_enlarged_and_large_ones_reduced_as_published():
    assert network_size(96, 64, 1.0) == (96, 64)
    assert network_size(96, 64, 0.5) == (48, 32)
    height, width = network_size(3000, 4000, 1.0)
    assert height * width <= 351_000
    assert height / width == pytest.approx(0.75, abs=0.01)
    assert max(network_size(700, 300, 1.0)) == 700
    assert network_size(16, 12_000, 1.0) == (8, 700)


def test_large_pictures_keep_their_size(model, paint):
    result = model(paint(1, 120, 80), paint(2, 64, 64), Settings(ratio=0.5, iterations=1))
    assert result.levels[-1].sides["ab"].search.field.shape[:2] == (60, 40)
    assert result.a_prime.shape == (120, 80, 3)
    again, _ = from_votes(result, "ab", result.b_prime)
    assert np.abs(again - result.a_prime).max() <= 1


def test_refinement_keeps_detail_and_takes_colours(model, paint):
    a, b_prime = paint(1, 48, 48), paint(2, 48, 48)
    result = model(a, b_prime, Settings(iterations=2, refine=True))
    plain = model(a, b_prime, Settings(iterations=2))
    assert (result.voted["ab"] == plain.a_prime).all()
    assert (result.a_prime != plain.a_prime).any()
    inside = np.abs(result.a_prime.astype(float).mean((0, 1)) - plain.a_prime.astype(float).mean((0, 1)))
    assert inside.max() < 8
    flat = np.full((48, 48, 3), 90, dtype=np.uint8)
    assert np.abs(model(flat, flat, Settings(iterations=1, refine=True)).a_prime.astype(int) - 90).max() <= 1


def test_sites_see_every_field_and_may_change_it(model, pictures):
    seen = []

    def look(name):
        return lambda module, given, made: seen.append((name, type(made)))

    handles = [module.register_forward_hook(look(name)) for name, module in model.sites.named_modules() if "." in name]
    try:
        model(*pictures, Settings(iterations=1))
    finally:
        for handle in handles:
            handle.remove()
    layers = [f"{way}.{layer}" for layer in LEVELS[:0:-1] for way in ("ab", "ba")]
    assert seen == [*((name, Search) for name in layers), ("ab.vote", Votes), ("ba.vote", Votes)]

    handle = model.sites["ab"]["vote"].register_forward_hook(
        lambda module, given, votes: Votes(votes.field * 0, votes.there, votes.patch)
    )
    try:
        result = model(*pictures, Settings(iterations=1))
    finally:
        handle.remove()
    corner = pictures[1][:2, :2].astype(float).mean((0, 1))  # what neighbours of cell 0 mean lies around it
    assert np.abs(result.a_prime[1:-1, 1:-1] - corner).max() <= 1


def test_progress_goes_from_coarse_to_fine(model, pictures):
    told = []
    model(*pictures, Settings(iterations=1, refine=True), progress=lambda *step: told.append(step))
    assert list(dict.fromkeys(step[0] for step in told)) == [*LEVELS[:0:-1], "pixels"]
    assert ("conv5_1", "ab", "match") in told
    assert ("conv1_1", "ba", "invert") not in told
    assert told[-1] == ("pixels", "ba", "refine")


def test_autocast_and_inference_mode_change_nothing(model, pictures):
    plain = model(*pictures, LBFGS)
    with torch.autocast("cpu", torch.bfloat16), torch.inference_mode():
        other = model(*pictures, LBFGS)
    assert (plain.a_prime == other.a_prime).all()


def test_what_cannot_be_used_is_said(model, pictures, pyramid, tmp_path):
    a, b_prime = pictures
    broken = np.full((40, 40, 3), np.nan)
    for bad in (broken, np.zeros((1, 40, 3), np.uint8), tmp_path / "none.jpg"):
        with pytest.raises(ImageError):
            model(a, bad, QUICK)
        with pytest.raises(ImageError):
            model(bad, b_prime, QUICK)
    with pytest.raises(SettingError, match="inversion='lbfgs'"):
        Method(pyramid)(a, b_prime)
    with pytest.raises(SettingError, match="a mask of"):
        model(a, b_prime, QUICK, excluded=torch.zeros(3, 3, dtype=torch.bool))
    with pytest.raises(SettingError, match="nothing is left"):
        model(a, b_prime, QUICK, excluded=torch.ones(b_prime.shape[:2], dtype=torch.bool))
    with pytest.raises(SettingError, match=r"\.float\(\)"):
        Method(copy.deepcopy(pyramid).half())(a, b_prime, LBFGS)
    with pytest.raises(MissingWeightsError):
        Method.load(tmp_path / "none.safetensors")


@pytest.mark.parametrize(
    "wrong",
    [
        {"ratio": 0},
        {"ratio": 1.5},
        {"ratio": float("nan")},
        {"blend": 4},
        {"blend": (0.1, 0.2)},
        {"blend": (0, 0, 0, 0, 2)},
        {"blend": "3"},
        {"curve": "hard"},
        {"iterations": 0},
        {"iterations": 2.5},
        {"patches": (3, 3, 3, 3, 4)},
        {"patches": 3},
        {"radii": (1, 1, 1, 1, -1)},
        {"inversion": "adam"},
        {"inversion_iterations": 0},
        {"start": "zero"},
        {"seed": -1},
        {"refine": "yes"},
    ],
)
def test_settings_outside_their_range(wrong):
    with pytest.raises(SettingError, match=next(iter(wrong))):
        Settings(**wrong)


def test_names_of_settings_and_presets():
    with pytest.raises(UnknownSettingError, match="iterations"):
        Settings(iteration=3)
    with pytest.raises(UnknownSettingError, match="ratio"):
        preset("photo-to-style", ration=0.5)
    with pytest.raises(UnknownNameError, match="photo-to-style"):
        preset("photo-to-stile")
    assert preset("style-to-photo", seed=3) == Settings(ratio=0.5, blend=2, seed=3)
    assert [name for name, settings in PRESETS.items() if settings.refine] == ["photo-to-photo"]
    assert Settings(blend=2).alphas == (0.1, 0.6, 0.7, 0.8, 1.0)
    assert Settings(blend=[0, 0, 0, 0, 1]).alphas == (0, 0, 0, 0, 1)
