"""Faithfulness: both tests against experiments made by hand, what is trusted, and what is refused."""

from dataclasses import replace
from itertools import combinations, pairwise
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from scipy.stats import spearmanr

import ktviz
from ktviz.errors import MismatchError, SettingError, TraceError
from ktviz.explain import faithfulness as faithfulness_module
from ktviz.regions import Box, region_mask
from ktviz.systems.kt.settings import Settings
from ktviz.systems.kt.transfer import transfer
from ktviz.systems.kt.translator import Translator
from ktviz.testing import COLOURS, TWINS, ToyWorld, toy_photo

SWAP = {"align": 0, "transfer": "swap", "coherence": 0}
"""As in the toy world, where all can be worked out by hand."""
NAMES = {colour: f"toy/flat/{colour}.png" for colour in COLOURS}
WINNERS = ["red", "yellow", "yellow", "yellow", "green", "cyan", "cyan"]


@pytest.fixture(scope="module")
def flats(tmp_path_factory):
    return ToyWorld(tmp_path_factory.mktemp("toy"))


@pytest.fixture(scope="module")
def trace(flats):
    return flats.translator.traced(toy_photo(), **SWAP)


@pytest.fixture(scope="module")
def twins(tmp_path_factory):
    """A trace where every source that is left out is replaced by one a shade darker, and nothing else changes."""
    world = ToyWorld(tmp_path_factory.mktemp("twins"), COLOURS | TWINS)
    trace = world.translator.traced(toy_photo(), **SWAP)
    return SimpleNamespace(world=world, trace=trace)


@pytest.fixture(scope="module")
def result(trace):
    return ktviz.faithfulness(ktviz.attribute(trace), trace)


def progress_by_hand(on, region=None):
    """How far the toy photo comes when only some sources paint: its way along the whole change, in colours."""
    mask = region_mask(region, 64, 64)[..., None]
    photo = toy_photo() / 255
    cover = np.zeros((64, 64, 1))
    changes = {name: np.zeros((64, 64, 3)) for name in COLOURS}
    for row in range(7):
        for column, name in enumerate(WINNERS):
            here = np.s_[8 * row : 8 * row + 16, 8 * column : 8 * column + 16]
            cover[here] += 1
            changes[name][here] += np.float16(np.array(COLOURS[name]) / 255) - photo[here]
    whole = sum(changes.values()) / cover * mask
    some = sum((changes[name] for name in on), np.zeros((64, 64, 3))) / cover * mask
    return (some * whole).sum() / (whole**2).sum()


def area(values):
    """Under a curve from 0 to 1, by trapezoids."""
    steps = [(a + b) / 2 for a, b in pairwise(values)]
    return sum(steps) / len(steps)


def experiment_by_hand(order, shares, region=None):
    """Deletion, insertion and correlation of a ranking."""
    deletion = [progress_by_hand(order[count:], region) for count in range(len(order) + 1)]
    insertion = [progress_by_hand(order[:count], region) for count in range(len(order) + 1)]
    losses = [1 - progress_by_hand([n for n in order if n != name], region) for name in order]
    return area(deletion), area(insertion), np.corrcoef([shares[n] for n in order], losses)[0, 1]


@pytest.mark.parametrize("region", [None, Box(8, 0, 48, 40), [(4, 4), (60, 10), (50, 60), (8, 50)]])
def test_scores_are_those_of_an_experiment_made_by_hand(trace, region):
    found = ktviz.faithfulness(ktviz.attribute(trace, region), trace, seeds=[0])
    for method in ("overlap", "footprint", "gradient"):
        frame = ktviz.attribute(trace, region, through=method).frame
        shares = {n.split("/")[-1][:-4]: s for n, s in zip(frame["source"], frame["share"], strict=True)}
        order = [name for name in shares if name != "magenta"]
        order.sort(key=lambda name: -shares[name])
        deletion, insertion, correlation = experiment_by_hand(order, shares, region)
        row = found.frame[found.frame["method"] == method].iloc[0]
        assert row["deletion"] == pytest.approx(deletion, abs=1e-5)
        assert row["insertion"] == pytest.approx(insertion, abs=1e-5)
        assert row["correlation"] == pytest.approx(correlation, abs=1e-5)
        assert row["score"] == pytest.approx(insertion - deletion, abs=1e-5)
    assert found.about["units"] == 4


@pytest.mark.parametrize("seed", [0, 5])
def test_random_rows_are_scored_like_any_other_ranking(trace, seed):
    """A random order, its first unit with the largest share and so on, is the same experiment."""
    attribution = ktviz.attribute(trace)
    row = ktviz.faithfulness(attribution, trace, seeds=[seed]).random.iloc[0]
    sources = sorted(name for colour, name in NAMES.items() if colour != "magenta")
    order = [sources[n].split("/")[-1][:-4] for n in np.random.default_rng(seed).permutation(4)]
    shares = dict(zip(order, sorted(attribution.frame["share"], reverse=True)[:4], strict=True))
    expected = experiment_by_hand(order, shares)
    assert [row["deletion"], row["insertion"], row["correlation"]] == pytest.approx(expected, abs=1e-5)


def test_the_control_is_random_also_where_all_shares_are_equal(trace):
    """Red and yellow share these columns by halves: a shuffle of the shares alone would change nothing."""
    region = Box(8, 0, 8, 64)
    attribution = ktviz.attribute(trace, region)
    assert attribution.frame["share"].tolist()[:2] == [0.5, 0.5]
    found = ktviz.faithfulness(attribution, trace).random
    scores = sorted({round(score, 5) for score in found["score"]})
    ways = [experiment_by_hand(order, dict(zip(order, (0.6, 0.4), strict=True)), region) for order in PAIRS]
    assert scores == pytest.approx(sorted(insertion - deletion for deletion, insertion, _ in ways), abs=1e-4)


PAIRS = (["red", "yellow"], ["yellow", "red"])


def test_curves_run_from_everything_to_nothing_and_back(result):
    curves = result.curves
    assert set(curves["method"]) == {"overlap", "footprint", "gradient", "random"}
    for (_, _, kind), curve in curves.groupby(["method", "seed", "kind"]):
        assert curve["taken"].tolist() == pytest.approx([0, 0.25, 0.5, 0.75, 1])
        ends = curve["progress"].iloc[[0, -1]].tolist()
        assert ends == pytest.approx([1, 0] if kind == "deletion" else [0, 1], abs=1e-6)


def test_gradient_correlates_wholly_with_the_blending_of_a_linear_decoder(result):
    row = result.frame[result.frame["method"] == "gradient"].iloc[0]
    assert row["correlation"] == pytest.approx(1, abs=1e-6)


# Exclusion


DISTINCT = Box(8, 0, 48, 40)
"""Where no two halves of the sources have the same share."""


def left_by_hand(twins, without, region):
    """What is left of a region, by a translation of our own without some sources."""
    mask = region_mask(region, 64, 64)
    before = twins.trace.output.astype(int)

    def change(**settings):
        image = twins.world.translator(toy_photo(), **SWAP, **settings).image
        return np.abs(image.astype(int) - before)[mask].mean()

    return 1 - change(without=without) / change(strength=0)


def scores_by_hand(twins, shares, region):
    """Both rank correlations over all halves of the four sources, by scipy."""
    names = [NAMES[colour] for colour in ("red", "yellow", "green", "cyan")]
    halves = [set(half) for half in combinations(names, 2)]
    left = [left_by_hand(twins, [name for name in names if name not in half], region) for half in halves]
    told = [sum(shares[name] for name in half) for half in halves]
    alone = [-left_by_hand(twins, [name], region) for name in names]
    pairs = (told, left), ([shares[name] for name in names], alone)
    return [spearmanr(*(np.round(values, 8) for values in pair)).statistic for pair in pairs]


@pytest.mark.parametrize("through", ["overlap", "footprint", "gradient", "ablation"])
@pytest.mark.parametrize("region", [None, DISTINCT])
def test_exclusion_scores_are_rank_correlations_with_translations_made_by_hand(twins, through, region):
    attribution = ktviz.attribute(twins.trace, region, through=through)
    row = ktviz.faithfulness(attribution, seeds=[0]).frame.iloc[0]
    shares = dict(zip(attribution.frame["source"], attribution.frame["share"], strict=True))
    assert row["method"] == through
    assert [row["lds_pixels"], row["loo_pixels"]] == pytest.approx(scores_by_hand(twins, shares, region), abs=1e-9)


@pytest.mark.parametrize("through", ["overlap", "footprint", "ablation"])
def test_the_linear_datamodelling_score_of_the_toy_world_is_one(twins, through):
    """What is left is exactly linear in overlap here, so whoever tells overlap tells everything."""
    whole = ktviz.faithfulness(ktviz.attribute(twins.trace, through=through))
    assert whole.frame.loc[0, ["lds_pixels", "loo_pixels"]].tolist() == pytest.approx([1, 1], abs=1e-12)
    part = ktviz.faithfulness(ktviz.attribute(twins.trace, DISTINCT, through=through))
    scores = ["lds_pixels", "lds_features", "loo_pixels", "loo_features"]
    assert part.frame.loc[0, scores].tolist() == pytest.approx([1, 1, 1, 1], abs=1e-12)
    assert part.trusted == through


def test_what_is_trusted_follows_exclusion_and_not_blending(twins):
    """Gradient wins the blending test of this world, and exclusion finds two of its sources in the wrong order."""
    found = ktviz.faithfulness(ktviz.attribute(twins.trace), seeds=range(40))
    rows = found.frame.set_index("method")
    assert rows.loc["gradient", "correlation"] > rows.loc["overlap", "correlation"]
    assert rows.loc["gradient", "lds_pixels"] < rows.loc["overlap", "lds_pixels"]
    assert found.trusted == "overlap"
    assert "trust overlap here: left out and run again, LDS 1.00 in pixels" in found.headline()
    assert found.headline() == found.summary()["verdict"]
    assert found.summary()["runs"] == "6 of 6 random halves and 4 of 4 units alone left out"


def test_a_meaningless_attribution_is_not_the_one_that_is_trusted(twins):
    good = ktviz.attribute(twins.trace)
    turned = good.frame.assign(share=good.frame["share"].to_numpy()[[3, 2, 1, 0, *range(4, 10)]])
    found = ktviz.faithfulness(replace(good, frame=turned))
    row = found.frame[found.frame["method"] == "overlap"].iloc[0]
    assert row["lds_pixels"] < 0
    assert row["loo_pixels"] < 0
    assert row["score"] < found.random["score"].mean()
    assert found.trusted == "footprint"


def test_where_every_method_is_meaningless_none_is_trusted(twins, monkeypatch):
    good = ktviz.attribute(twins.trace)
    turned = good.frame.assign(share=good.frame["share"].to_numpy()[[3, 2, 1, 0, *range(4, 10)]])
    bad = replace(good, frame=turned)
    monkeypatch.setattr(faithfulness_module, "attribute", lambda *_, **__: bad)
    found = ktviz.faithfulness(bad)
    assert found.trusted is None
    assert found.headline() == "no method beats random shares here"
    assert isinstance(found.plot(), Figure)


def test_a_budget_that_is_spent_says_what_was_done_and_trusts_nothing(twins):
    found = ktviz.faithfulness(ktviz.attribute(twins.trace), seconds=0)
    assert found.frame[["lds_pixels", "lds_features", "loo_pixels", "loo_features"]].isna().all().all()
    assert found.trusted is None
    assert found.headline() == "too few runs to tell: 0 of 6 random halves and 0 of 4 units alone left out"
    assert found.frame["score"].notna().all()
    assert isinstance(found.plot(), Figure)


def test_subsets_are_drawn_by_the_seed(twins):
    attribution = ktviz.attribute(twins.trace)
    few = [ktviz.faithfulness(attribution, subsets=4, seed=seed, seeds=[0]).frame["lds_features"] for seed in range(4)]
    again = ktviz.faithfulness(attribution, subsets=4, seed=2, seeds=[0])
    assert again.frame["lds_features"].tolist() == few[2].tolist()
    assert again.about["subsets"] == [4, 4]
    assert len({tuple(scores) for scores in few}) > 1


def test_each_of_the_two_tests_states_its_question(result):
    assert "when others take their place" in result.about["questions"]["exclusion"]
    assert "when nothing takes their place" in result.summary()["blending"]


def test_the_random_control_is_the_same_for_a_seed_whatever_the_others(trace, result):
    attribution = ktviz.attribute(trace)
    again = ktviz.faithfulness(attribution, trace)
    assert again.frame.equals(result.frame)
    few = ktviz.faithfulness(attribution, trace, seeds=[7, 3])
    assert few.random["seed"].tolist() == [7, 3]
    for _, row in few.random.iterrows():
        same = result.random[result.random["seed"] == row["seed"]].iloc[0]
        assert row[["deletion", "insertion", "correlation"]].tolist() == pytest.approx(
            same[["deletion", "insertion", "correlation"]].tolist()
        )
    assert len(set(result.random["deletion"].round(6))) > 3


def test_of_two_units_a_coin_finds_the_larger_so_nothing_is_trusted(trace):
    found = ktviz.faithfulness(ktviz.attribute(trace, Box(8, 0, 8, 64)), trace)
    assert found.about["units"] == 2
    assert found.about["subsets"] == [2, 2]
    assert found.trusted is None


def test_only_what_reaches_into_the_region_is_a_unit(trace):
    """Two parts with other sources between them: green lies in the box around them, and in neither."""
    mask = np.zeros((64, 64), bool)
    mask[16:32, 8:16] = mask[16:32, 56:64] = True
    found = ktviz.faithfulness(ktviz.attribute(trace, mask), trace, seeds=[0])
    assert found.about["units"] == 3
    assert found.curves["taken"].unique().tolist() == pytest.approx([0, 1 / 3, 2 / 3, 1])


def test_ablation_is_tested_beside_the_other_methods(trace):
    found = ktviz.faithfulness(ktviz.attribute(trace, through="ablation"), trace, seeds=[1])
    assert found.frame["method"].tolist() == ["ablation", "footprint", "gradient", "random"]


class Mixed(torch.nn.Module):
    """A decoder that blurs cells and bends colours."""

    channels = 8

    def forward(self, features):
        mixed = torch.nn.functional.avg_pool2d(features[:, :3], 3, stride=1, padding=1)
        bent = torch.sigmoid(5 * mixed - 2)
        return bent.repeat_interleave(4, dim=2).repeat_interleave(4, dim=3)


@pytest.mark.parametrize("region", [None, Box(11, 9, 17, 20), (30, 30)])
@pytest.mark.parametrize("by", ["source", "entry", "node"])
def test_deletion_switches_retrievals_off_and_decodes_the_whole_picture_again(world, paint, by, region):
    translator, photo = Translator(world.banks, world.translator.encoder, Mixed()), paint(9, 45, 52)
    trace = translator.traced(photo, align=0)
    attribution = ktviz.attribute(trace, region, by=by, through="footprint")
    found = ktviz.faithfulness(attribution, trace, seeds=[0], seconds=0)
    settings, before = Settings(**trace.picture.about["settings"]), translator.encode(photo)
    corners = list(zip(trace.column("y"), trace.column("x"), strict=True))
    winners = world.banks.patches(torch.tensor(trace.column("entry")))
    mask = torch.from_numpy(region_mask(region, 45, 52))
    names = trace.column(by) if by != "node" else leaves(world.banks, trace)
    cover = torch.zeros(before.shape[1:])
    for y, x in corners:
        cover[y : y + 4, x : x + 4] += 1

    def look(on):
        features = before.clone()
        for (y, x), winner, name in zip(corners, winners, names, strict=True):
            if name in on:
                here = np.s_[:, y : y + 4, x : x + 4]
                query = before[here][None]
                made = transfer(query, winner[None], settings.transfer, settings.strength, settings.max_gain)[0]
                features[here] += (made - query[0]) / cover[y : y + 4, x : x + 4]
        return translator.decoder(features[None])[0][:, :45, :52] * mask

    start, end = look(set()), look(set(names))
    shares = dict(zip(attribution.frame[by], attribution.frame["share"], strict=True))
    curve = found.curves[(found.curves["method"] == "footprint") & (found.curves["kind"] == "deletion")]
    order = sorted(shares, key=lambda name: -shares[name])
    count = found.about["units"]
    left = set(names) - {name for name in order if shares[name] > 0}  # beyond the pixels' reach, or painting nothing
    for taken, progress in zip(curve["taken"], curve["progress"], strict=True):
        on = set(order[round(taken * count) :]) | left
        expected = ((look(on) - start) * (end - start)).sum() / (end - start).square().sum()
        assert progress == pytest.approx(float(expected), abs=1e-4)


def leaves(banks, trace):
    """Node names, worked out from the paths."""
    return [
        f"{bank}#{'/'.join(str(node) for node in path)}"
        for bank, path in zip(trace.column("bank"), trace.winners["kt.path"].to_pylist(), strict=True)
    ]


@pytest.mark.parametrize(
    ("by", "wrong", "message"),
    [
        ("band", {}, "bands are not retrievals"),
        ("source", {"seeds": []}, "no random control"),
        ("source", {"subsets": 0}, "nothing would be left out"),
    ],
)
def test_what_cannot_be_tested_is_refused(trace, by, wrong, message):
    with pytest.raises(SettingError, match=message):
        ktviz.faithfulness(ktviz.attribute(trace, by=by), trace, **wrong)


def test_the_attribution_of_another_trace_is_refused(trace, flats):
    other = flats.translator.traced(toy_photo(), transfer="statistics", coherence=0)
    with pytest.raises(MismatchError, match="the trace it was made from"):
        ktviz.faithfulness(ktviz.attribute(trace), other)


def test_a_single_unit_and_a_change_that_is_none_are_refused(trace, flats):
    with pytest.raises(TraceError, match="1 source in this region"):
        ktviz.faithfulness(ktviz.attribute(trace, Box(0, 0, 8, 64)), trace)
    still = flats.translator.traced(toy_photo(), align=0, strength=0, coherence=0)
    with pytest.raises(TraceError, match="changed nothing"):
        ktviz.faithfulness(ktviz.attribute(still), still)


def test_a_trace_from_a_file_needs_the_model_and_gives_the_same(trace, flats, result, tmp_path):
    trace.save(tmp_path / "trace.parquet")
    opened = ktviz.Trace.open(tmp_path / "trace.parquet")
    attribution = ktviz.attribute(opened, model=flats.translator)
    with pytest.raises(TraceError, match="Pass model="):
        ktviz.faithfulness(attribution, opened)
    found = ktviz.faithfulness(attribution, opened, model=flats.translator)
    assert found.frame.equals(result.frame)


def test_an_attribution_knows_its_trace_unless_it_was_read_from_a_file(trace, tmp_path):
    made = ktviz.attribute(trace)
    assert ktviz.faithfulness(made, seeds=[0]).frame.equals(ktviz.faithfulness(made, trace, seeds=[0]).frame)
    made.save(tmp_path / "a.parquet")
    opened = ktviz.Attribution.open(tmp_path / "a.parquet")
    with pytest.raises(TraceError, match="Pass the trace"):
        ktviz.faithfulness(opened)
    assert ktviz.faithfulness(opened, trace, seeds=[0]).trusted == ktviz.faithfulness(made, seeds=[0]).trusted
