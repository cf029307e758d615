"""The toy world: flat colours, a linear decoder, and every share, gradient and ablation worked out by hand."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import ktviz
from ktviz.regions import Box, region_mask
from ktviz.testing import COLOURS, ToyWorld, toy_photo

SWAP = {"align": 0, "transfer": "swap", "coherence": 0}
NAMES = {colour: f"toy/flat/{colour}.png" for colour in COLOURS}
WINNERS = ["red", "yellow", "yellow", "yellow", "green", "cyan", "cyan"]
"""Of the seven queries of a row, at the columns of cells 0, 2, ... 12."""
LEAF_ORDER = ["cyan", "green", "yellow", "magenta", "red"]
"""Sources by the numbers of their entries."""


def two_parts():
    """A mask over the columns of cells 2, 3 (red and yellow by halves) and 14, 15 (cyan)."""
    mask = np.zeros((64, 64), bool)
    mask[16:32, 8:16] = mask[16:32, 56:64] = True
    return mask


REGIONS = {
    "whole": (None, {"red": 3 / 16, "yellow": 6 / 16, "green": 2 / 16, "cyan": 5 / 16}),
    "box in one colour": (Box(0, 0, 8, 64), {"red": 1}),
    "box between two": (Box(8, 0, 8, 64), {"red": 1 / 2, "yellow": 1 / 2}),
    "box of three cells": (Box(4, 20, 12, 4), {"red": 2 / 3, "yellow": 1 / 3}),
    "box across all": (Box(0, 40, 64, 8), {"red": 3 / 16, "yellow": 6 / 16, "green": 2 / 16, "cyan": 5 / 16}),
    "mask of two parts": (two_parts(), {"red": 1 / 4, "yellow": 1 / 4, "cyan": 1 / 2}),
    "rectangle as polygon": ([(0, 0), (16, 0), (16, 64), (0, 64)], {"red": 3 / 4, "yellow": 1 / 4}),
    # Column x of this triangle has 15 - x pixels: 92 of 120 lie in the first eight columns, where red is alone.
    "triangle": ([(0, 0), (16, 0), (0, 16)], {"red": (92 + 14) / 120, "yellow": 14 / 120}),
    "pixel": ((40, 5), {"green": 1 / 2, "cyan": 1 / 2}),
    "pixel in the corner": ((63, 63), {"cyan": 1}),
}


@pytest.fixture(scope="module")
def flats(tmp_path_factory):
    return ToyWorld(tmp_path_factory.mktemp("toy"))


@pytest.fixture(scope="module")
def trace(flats):
    return flats.translator.traced(toy_photo(), **SWAP)


def by_hand(without=()):
    """Winners (7, 7) and image (64, 64, 3) float of the toy photo, from colours and the geometry alone.

    A flat colour has only LL, so the best cosine has the source whose unit colour has the largest product with the
    query's mean colour. Of equal ones (green is as near to cyan as to yellow) the lowest entry wins.
    """
    photo = toy_photo().astype(float)
    names = [name for name in LEAF_ORDER if name not in without]
    colours = np.array([COLOURS[name] for name in names], float)
    unit = colours / np.linalg.norm(colours, axis=1, keepdims=True)
    winners = np.empty((7, 7), object)
    total, cover = np.zeros((64, 64, 3)), np.zeros((64, 64, 1))
    for row in range(7):
        for column in range(7):
            here = np.s_[8 * row : 8 * row + 16, 8 * column : 8 * column + 16]
            product = unit @ photo[here].mean((0, 1))
            best = int(np.flatnonzero(product > product.max() - 1e-9)[0])
            winners[row, column] = names[best]
            total[here] += colours[best]
            cover[here] += 1
    return winners, total / cover


def shares_of(frame):
    return dict(zip(frame["source"], frame["share"], strict=True))


def check_shares(found, expected):
    """The share test that a right attribution passes and a random one must fail."""
    assert sum(found.values()) == pytest.approx(1, abs=1e-9)
    for colour, name in NAMES.items():
        assert found[name] == pytest.approx(expected.get(colour, 0), abs=1e-9), colour


def gradient_by_hand(region):
    """Shares of the change: each query's change in a cell times the cell's own change, over all the change.

    The decoder is linear, so the gradient is the change itself wherever one stands on the line; a library stores
    colours in half precision.
    """
    mask = region_mask(region, 64, 64)
    photo = toy_photo() / 255
    stored = {name: np.float16(np.float32(colour) / 255).astype(float) for name, colour in COLOURS.items()}
    winners, _ = by_hand()
    cover, image = np.zeros((64, 64, 1)), np.zeros((64, 64, 3))
    patches = [(8 * r, 8 * c, winners[r, c]) for r in range(7) for c in range(7)]
    for y, x, name in patches:
        cover[y : y + 16, x : x + 16] += 1
        image[y : y + 16, x : x + 16] += stored[name]
    change = (image / cover - photo) * mask[..., None]
    credit = dict.fromkeys(COLOURS, 0.0)
    for y, x, name in patches:
        here = np.s_[y : y + 16, x : x + 16]
        credit[name] += ((stored[name] - photo[here]) / cover[here] * change[here]).sum()
    return {name: value / (change**2).sum() for name, value in credit.items()}


def test_entries_are_numbered_leaf_by_leaf(flats):
    names = np.array([source.stem for source in flats.banks.sources])
    assert names[flats.banks.banks[0].entries.source.unique_consecutive()].tolist() == LEAF_ORDER


def test_the_winners_are_those_in_the_description(trace):
    assert (by_hand()[0] == WINNERS).all()
    assert trace.column("source").tolist() == [NAMES[name] for name in WINNERS] * 7


def test_swap_paints_the_image_worked_out_by_hand(trace):
    assert np.array_equal(trace.output, by_hand()[1].round().astype(np.uint8))


@pytest.mark.parametrize("name", REGIONS)
def test_footprint_shares_are_those_counted_by_hand(trace, name):
    region, expected = REGIONS[name]
    check_shares(shares_of(ktviz.attribute(trace, region).frame), expected)
    check_shares(shares_of(ktviz.attribute(trace, region, through="footprint").frame), expected)
    check_shares(shares_of(trace.sources(region)), expected)


def test_footprint_shares_do_not_depend_on_what_is_transferred(flats):
    for transfer in ("swap", "statistics"):
        trace = flats.translator.traced(toy_photo(), transfer=transfer, coherence=0)
        check_shares(shares_of(ktviz.attribute(trace).frame), REGIONS["whole"][1])


@pytest.mark.parametrize("name", REGIONS)
def test_gradient_shares_are_those_worked_out_by_hand(trace, name):
    region = REGIONS[name][0]
    found = ktviz.attribute(trace, region, through="gradient")
    expected = gradient_by_hand(region)
    assert shares_of(found.frame) == pytest.approx({NAMES[c]: share for c, share in expected.items()}, abs=1e-6)
    assert found.frame["share"].sum() == pytest.approx(1, abs=1e-6)
    assert found.about["completeness_error"] < 1e-6


@pytest.mark.parametrize("name", REGIONS)
def test_ablation_shares_are_those_of_images_made_by_hand(trace, name):
    region, painted = REGIONS[name]
    mask = region_mask(region, 64, 64)
    whole = by_hand()[1].round()
    change = np.abs(whole - toy_photo())[mask].mean()
    found = shares_of(ktviz.attribute(trace, region, through="ablation").frame)
    assert set(found) == {NAMES[colour] for colour in painted}
    for colour in painted:
        without = by_hand(without=[colour])[1].round()
        assert found[NAMES[colour]] == pytest.approx(np.abs(whole - without)[mask].mean() / change), colour


def test_every_row_of_an_ablation_states_its_own_levels(trace):
    found = ktviz.attribute(trace, through="ablation")
    whole = by_hand()[1].round()
    for _, row in found.frame.iterrows():
        colour = row["source"].split("/")[-1].removesuffix(".png")
        assert row["levels"] == pytest.approx(np.abs(whole - by_hand(without=[colour])[1].round()).mean())
        assert row["share"] == pytest.approx(row["levels"] / found.about["change"])


@pytest.mark.parametrize("seed", range(10))
def test_a_random_attribution_fails_the_share_test(trace, seed):
    frame = ktviz.attribute(trace).frame
    mixed = dict(zip(frame["source"], np.random.default_rng(seed).permutation(frame["share"]), strict=True))
    with pytest.raises(AssertionError):
        check_shares(mixed, REGIONS["whole"][1])


@pytest.mark.parametrize("transfer", ["swap", "statistics"])
@pytest.mark.parametrize("coherence", [0, 0.06])
@pytest.mark.parametrize("preset", ["paper", "beam", "exact"])
@pytest.mark.parametrize("align", [0, 1])
def test_removing_a_source_that_was_never_used_changes_no_bit(flats, align, preset, coherence, transfer):
    settings = {"align": align, "preset": preset, "coherence": coherence, "transfer": transfer}
    before = flats.translator.traced(toy_photo(), **settings)
    used = set(before.column("source"))
    assert NAMES["magenta"] not in used
    after = ktviz.without(before, "magenta")
    assert np.array_equal(before.output, after.output)
    winners = ["query", "source", "source_box", "entry", "similarity", "kt.similarity_ll", "kt.path", "kt.coherent"]
    assert before.winners.select(winners).equals(after.winners.select(winners))
    assert len(ktviz.compare(before, after)) == 0


@pytest.mark.parametrize("transfer", ["swap", "statistics"])
@pytest.mark.parametrize("colour", ["red", "yellow", "green", "cyan"])
def test_removing_a_used_source_changes_only_its_footprint(flats, colour, transfer):
    before = flats.translator.traced(toy_photo(), align=0, transfer=transfer, coherence=0)
    after = ktviz.without(before, colour)
    footprint = np.zeros((64, 64), bool)
    for row, column in np.argwhere(by_hand()[0] == colour):
        footprint[8 * row : 8 * row + 16, 8 * column : 8 * column + 16] = True
    changed = (before.output != after.output).any(2)
    assert footprint.any()
    assert not footprint.all()
    assert np.array_equal(changed, footprint)
    assert NAMES[colour] not in set(after.column("source", winners=False))


def test_the_counterfactual_is_the_image_painted_by_hand_without_the_source(flats):
    """Of many equal entries a beam compares some, and so not always the lowest."""
    trace = flats.translator.traced(toy_photo(), preset="exact", **SWAP)
    for colour in COLOURS:
        after = ktviz.without(trace, NAMES[colour])
        winners, image = by_hand(without=[colour])
        assert after.column("source").tolist() == [NAMES[name] for name in winners.flatten()]
        assert np.array_equal(after.output, image.round().astype(np.uint8))


@pytest.mark.parametrize("through", ["overlap", "footprint", "gradient", "ablation"])
def test_deletion_by_our_ranking_falls_faster_than_by_random_over_ten_seeds(trace, through):
    result = ktviz.faithfulness(ktviz.attribute(trace, through=through), trace, seeds=range(10), seconds=0)
    ours = result.frame[result.frame["method"] == through].iloc[0]
    assert len(result.random) == 10
    # Four sources have 24 orders, so one of ten random ones may be as good; none may be better.
    assert (result.random["deletion"] >= ours["deletion"] - 1e-9).all()
    assert (result.random["deletion"] > ours["deletion"] + 1e-6).sum() >= 9
    assert (result.random["insertion"] <= ours["insertion"] + 1e-9).all()


def test_the_same_retrievals_have_the_same_digest_in_another_folder_and_in_chunks(flats, tmp_path, monkeypatch):
    expected = flats.translator.traced(toy_photo(), **SWAP).digest
    monkeypatch.setattr("ktviz.systems.kt.retrieval.QUERIES_AT_ONCE", 5)
    other = ToyWorld(tmp_path)
    assert other.translator.traced(toy_photo(), **SWAP).digest == expected
    assert other.translator.traced(toy_photo(), coherence=0).digest != expected


def test_the_same_retrievals_have_the_same_digest_in_another_process(flats, tmp_path):
    code = (
        "import sys; from pathlib import Path; from ktviz.testing import ToyWorld, toy_photo;"
        "world = ToyWorld(Path(sys.argv[1]));"
        "print(world.translator.traced(toy_photo(), align=0, transfer='swap', coherence=0).digest)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == flats.translator.traced(toy_photo(), **SWAP).digest


def test_credits_of_the_toy_world_reach_its_shares(trace):
    frame = ktviz.attribute(trace).frame.set_index("source")
    assert frame.loc[NAMES["red"], ["title", "creator", "year"]].tolist() == ["All red", "Painter 0", "1900"]
    assert isinstance(frame, pd.DataFrame)
    assert frame["licence"].eq("CC0-1.0").all()


def test_another_palette_makes_another_world(tmp_path):
    world = ToyWorld(tmp_path, {"black": (20, 20, 20), "blue": (20, 20, 220)})
    trace = world.translator.traced(np.full((32, 32, 3), (30, 30, 200), np.uint8), **SWAP)
    assert set(trace.column("source")) == {"toy/flat/blue.png"}
    assert np.array_equal(trace.output, np.full((32, 32, 3), (20, 20, 220), np.uint8))
