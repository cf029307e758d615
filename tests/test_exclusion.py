"""Exclusion: a region made again without some units is the crop of a whole translation; datamodels; planted sources."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

import ktviz
from ktviz.errors import TraceError
from ktviz.explain.case import case_of
from ktviz.explain.datamodel import Line
from ktviz.explain.exclusion import Budget, Exclusion
from ktviz.explain.subsets import halves, parts, rank_correlation
from ktviz.explain.units import units_of
from ktviz.regions import Box, region_mask
from ktviz.systems.kt.translator import Translator
from ktviz.testing import COLOURS, SHADE, TWINS, ToyWorld, toy_photo

THROUGH = ("overlap", "footprint", "gradient", "ablation", "datamodel")
QUIET = Budget(quiet=True)


class Mixed(torch.nn.Module):
    """A decoder that blurs cells and bends colours."""

    channels = 8

    def forward(self, features):
        mixed = torch.nn.functional.avg_pool2d(features[:, :3], 5, stride=1, padding=2)
        return torch.sigmoid(5 * mixed - 2).repeat_interleave(4, dim=2).repeat_interleave(4, dim=3)


class Centred(Mixed):
    """A decoder that looks at the whole map in a way that no derivative at one pixel shows: it takes its mean off."""

    def forward(self, features):
        return super().forward(features - features.detach().mean((2, 3), keepdim=True))


@pytest.fixture(scope="module")
def real(tmp_path_factory, samples):
    """The shipped weights, three sample sources, and a part of a photograph."""
    encoder = ktviz.Encoder.shipped()
    library = ktviz.Library.ensure(
        tmp_path_factory.mktemp("real") / "real.ktlib", encoder, ktviz.LibrarySettings(side_px=128, stride=2)
    )
    names = ("cypress-fields", "starry-river", "straw-hat")
    library.build("art/impasto", [samples / "art/impasto" / f"{n}.jpg" for n in names], encoder=encoder, quiet=True)
    return SimpleNamespace(
        translator=Translator(library["art"], encoder, ktviz.Decoder.shipped()),
        photo=ktviz.read_image(samples / "photos/chelsea.jpg")[100:230, 120:262],
    )


def excluded(trace, region, by="source"):
    trace = trace.painting()
    case, mask = case_of(trace, "exclude"), region_mask(region, *trace.picture.size)
    return Exclusion(case, mask, units_of(trace, by, case))


def part_again(exclusion):
    return exclusion.case.system.exclude(exclusion.case.trace, exclusion.seen)


def assert_crop_of_the_whole(exclusion, left_out):
    without = exclusion.settings_without(np.array(left_out))["without"]
    whole = exclusion.case.system.rerun(exclusion.case.trace, without=without).output
    assert np.array_equal(part_again(exclusion)(without), whole[exclusion.seen.pixels])


def corners(trace):
    height, width = trace.picture.size
    return [Box(0, 0, 9, 5), Box(width - 7, height - 9, 7, 9), Box(width // 2, 3, 10, 17), (width // 2, height // 2)]


# A run of a part


@pytest.mark.parametrize("coherence", [0, 0.06])
@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("decoder", [Mixed, Centred])
def test_a_region_made_again_is_the_crop_of_a_whole_translation(world, paint, decoder, number, coherence):
    translator = Translator(world.banks, world.translator.encoder, decoder())
    trace = translator.traced(paint(9, 93, 101), align=0, coherence=coherence)
    exclusion = excluded(trace, corners(trace)[number])
    for left_out in ([0], [1, 3], [0, 2, 4]):
        assert_crop_of_the_whole(exclusion, left_out)
    assert part_again(exclusion).whole == (decoder is Centred)


@pytest.mark.parametrize("number", range(4))
def test_with_the_shipped_weights_it_is_that_crop_too(real, number):
    trace = real.translator.traced(real.photo, align=0)
    exclusion = excluded(trace, corners(trace)[number])
    assert not part_again(exclusion).whole
    assert_crop_of_the_whole(exclusion, [1])


@pytest.mark.parametrize("align", [0.5, 1])
def test_with_alignment_all_is_made_again_since_all_has_one_tone(world, paint, align):
    trace = world.translator.traced(paint(9), align=align)
    exclusion = excluded(trace, Box(40, 40, 9, 9))
    assert part_again(exclusion).whole
    assert exclusion.present.tolist() == exclusion.units.within(np.arange(49)).tolist()
    assert_crop_of_the_whole(exclusion, [0, 2])


@pytest.mark.parametrize("coherence", [0, 0.06])
def test_only_the_queries_that_the_region_depends_on_are_searched(world, paint, coherence):
    """With coherence also those above and to the left, since winners hand on from there."""
    trace = world.translator.traced(paint(9, 128, 128), align=0, coherence=coherence)
    middle = part_again(excluded(trace, Box(60, 60, 8, 8)))
    first = part_again(excluded(trace, Box(0, 0, 8, 8)))
    assert len(first.part[1]) <= 9
    assert len(middle.part[1]) < (len(trace) / 2 if coherence else len(trace) / 10)


# Subsets and scores


@pytest.mark.parametrize("count", [2, 3, 5, 8, 30])
def test_halves_are_different_halves_and_all_of_them_where_they_are_few(count):
    kept = halves(count, 40, seed=1)
    assert (kept.sum(1) == -(-count // 2)).all()
    assert len({half.tobytes() for half in kept}) == len(kept) == {2: 2, 3: 3, 5: 10}.get(count, 40)
    assert np.array_equal(kept, halves(count, 40, seed=1))


@pytest.mark.parametrize("count", [1, 2, 3, 30])
def test_parts_never_keep_everything(count):
    kept = parts(count, 40, seed=1)
    assert not kept.all(1).any()
    assert len({part.tobytes() for part in kept}) == len(kept) == min(40, 2**count - 1)


def test_rank_correlation_shares_ranks_and_knows_when_it_cannot_tell():
    assert rank_correlation(np.array([1.0, 2, 2, 3]), np.array([2.0, 5, 5, 9])) == pytest.approx(1)
    assert rank_correlation(np.array([0.1 + 0.2, 0.3, 1]), np.array([4.0, 4, 9])) == pytest.approx(1)
    assert rank_correlation(np.ones(4), np.arange(4.0)) == 0
    assert np.isnan(rank_correlation(np.arange(2.0), np.arange(2.0)))


# Datamodels


@pytest.fixture(scope="module")
def twins(tmp_path_factory):
    world = ToyWorld(tmp_path_factory.mktemp("twins"), COLOURS | TWINS)
    yield world.translator.traced(toy_photo(), align=0, transfer="swap", coherence=0)
    del world  # it lives as long as its trace is asked


def test_where_what_is_left_is_linear_in_overlap_the_datamodel_finds_overlap(twins):
    found = ktviz.attribute(twins, through="datamodel", seed=3)
    shares = twins.sources().set_index("source")["share"]
    assert found.frame["share"].tolist() == pytest.approx(shares[found.frame["source"]].tolist(), abs=1e-6)
    assert (found.about["fitted"], found.about["held_out"]) == (12, 3)
    assert found.about["held_out_correlation"] == pytest.approx(1)
    assert found.about["held_out_r2"] == pytest.approx(1)
    assert "held out" in found.summary().index


def test_what_is_left_of_the_toy_world_is_a_shade_for_every_overlap_that_is_left_out(twins):
    exclusion = excluded(twins, None)
    levels = exclusion.changes([exclusion.present[:2]], QUIET, "")[0, 0]
    names = [exclusion.units.rows[n]["source"] for n in exclusion.present[:2]]
    assert levels == pytest.approx(SHADE * twins.sources().set_index("source").loc[names, "share"].sum())


def test_the_line_is_the_ridge_regression_whose_left_out_errors_are_least():
    random = np.random.default_rng(0)
    kept = random.random((30, 6)) < 0.5
    left = kept @ np.array([0.5, 0.3, 0.1, 0, -0.1, 0.2]) + random.normal(0, 0.1, 30)

    def ridge(kept, left, strength):
        inputs, outcome = kept - kept.mean(0), left - left.mean()
        slope = np.linalg.solve(inputs.T @ inputs + strength * np.eye(6), inputs.T @ outcome)
        return slope, left.mean() - kept.mean(0) @ slope

    def error(strength):
        total = 0.0
        for n in range(30):
            others = np.arange(30) != n
            slope, start = ridge(kept[others], left[others], strength)
            total += (left[n] - start - kept[n] @ slope) ** 2
        return total

    line = Line.fit(kept, left)
    slope, start = ridge(kept, left, line.ridge)
    assert line.slope == pytest.approx(slope, abs=1e-9)
    assert line.start == pytest.approx(start, abs=1e-9)
    for factor in (0.2, 5):
        assert error(line.ridge) < error(line.ridge * factor)


def test_noise_has_no_held_out_score_to_boast_of():
    """A control that can fail: a line fitted to nothing predicts nothing."""
    random = np.random.default_rng(1)
    kept, left = random.random((400, 8)) < 0.5, random.normal(size=400)
    line = Line.fit(kept[:48], left[:48])
    assert abs(rank_correlation(line.predict(kept[48:]), left[48:])) < 0.15


@pytest.mark.parametrize("by", ["source", "entry", "node", "band"])
@pytest.mark.parametrize("region", [Box(8, 4, 30, 22), (3, 3)])
def test_datamodels_answer_by_everything_and_their_shares_add_up(world, paint, by, region):
    trace = world.translator.traced(paint(9))
    found = ktviz.attribute(trace, region, by=by, through="datamodel", runs=12)
    assert found.frame["share"].sum() == pytest.approx(1)
    again = ktviz.attribute(trace, region, by=by, through="datamodel", runs=12)
    assert again.frame.equals(found.frame)


def test_runs_are_made_once_for_a_region_whoever_asks(world, paint):
    trace, calls = world.translator.traced(paint(9)), []
    handle = world.translator.retrieval.register_forward_hook(lambda *_: calls.append(1))
    try:
        found = ktviz.attribute(trace, Box(8, 4, 30, 22), through="datamodel")
        made = len(calls)
        assert 0 < made <= found.about["runs"]
        ktviz.attribute(trace, Box(8, 4, 30, 22), through="datamodel")
        assert len(calls) == made
        ktviz.attribute(trace, Box(8, 4, 30, 23), through="datamodel")
        assert len(calls) == 2 * made
    finally:
        handle.remove()


def test_a_datamodel_is_scored_on_halves_to_which_it_was_not_fitted(tmp_path):
    colours = {f"hue {n}": tuple(int(40 + 180 * v) for v in np.eye(3)[n % 3] * (1 - n / 20)) for n in range(6)}
    world = ToyWorld(tmp_path, COLOURS | TWINS | colours)
    trace = world.translator.traced(toy_photo(), transfer="swap", coherence=0)
    found = ktviz.attribute(trace, through="datamodel")
    test = ktviz.faithfulness(found)
    mine = {frozenset(left_out) for left_out in found.about["fitted_to"]}
    present = excluded(trace, None).present
    asked = [frozenset(present[~half].tolist()) for half in halves(len(present), 40, 0)]
    fresh = [half for half in asked if half not in mine]
    assert np.isnan(test.frame.loc[0, "lds_pixels"]) == (len(fresh) < 3)
    assert np.isfinite(test.frame.loc[1, "lds_pixels"])


def test_no_time_and_no_stand_in_are_refused_in_words(world, paint):
    trace = world.translator.traced(paint(9))
    with pytest.raises(TraceError, match="no time for a run"):
        ktviz.attribute(trace, through="datamodel", seconds=0)
    alone = ktviz.without(trace, ["a", "b", "c", "d"])
    with pytest.raises(TraceError, match="nothing would be left"):
        ktviz.attribute(alone, through="datamodel")


# A planted source


@pytest.mark.parametrize("through", THROUGH)
def test_a_source_that_is_pasted_into_the_toy_photo_comes_first(tmp_path, through):
    world = ToyWorld(tmp_path)
    photo = toy_photo()
    photo[:, :48] = COLOURS["magenta"]  # never taken otherwise
    trace = world.translator.traced(photo, transfer="swap", coherence=0)
    assert ktviz.attribute(trace, Box(0, 0, 40, 64), through=through).top() == ["toy/flat/magenta.png"]


@pytest.mark.parametrize("through", THROUGH)
@pytest.mark.parametrize("planted", ["cypress-fields", "starry-river", "straw-hat"])
def test_a_source_that_is_pasted_into_a_photograph_comes_first(real, samples, through, planted):
    """With the real encoder: a region of the photo is replaced by a part of a painting as its bank saw it.

    With alignment the gradient tells who changed the tone of it, which is all that changes where it is the painting.
    """
    banks = real.translator.banks
    name = f"art/impasto/{planted}.jpg"
    source = banks.picture(banks.source_names.index(name))
    photo = real.photo[:128, :128].copy()
    photo[16:112, 16:112] = source[:96, :96]
    trace = real.translator.traced(photo, align=int(through != "gradient"))
    assert ktviz.attribute(trace, Box(40, 40, 48, 48), through=through, runs=7).top() == [name]
