"""Shares of sources in an output, in a world of flat colours where they can be worked out by hand."""

import numpy as np
import pytest

from ktviz.errors import TraceError
from ktviz.library.library import Library
from ktviz.systems.kt.shares import query_overlap, source_shares
from ktviz.systems.kt.translator import Translator

COLOURS = {"red": (200, 30, 20), "green": (20, 180, 40), "blue": (10, 30, 220)}


@pytest.fixture
def flats(build, tmp_path, save, toy, toy_decoder):
    """A library with one flat picture per colour, and a translator."""
    for name, colour in COLOURS.items():
        save(tmp_path / "flats" / f"{name}.png", np.full((64, 64, 3), colour, np.uint8))
    library = build("flats", [tmp_path / "flats"])
    return library, Translator(library["art/test"], toy, toy_decoder)


@pytest.fixture
def photo():
    """Dull red on the left, 28 of 64 px; dull green on the right."""
    pixels = np.empty((64, 64, 3), np.uint8)
    pixels[:, :28], pixels[:, 28:] = (150, 30, 25), (25, 120, 35)
    return pixels


@pytest.mark.parametrize("preset", ["paper", "beam", "exact"])
def test_shares_are_those_worked_out_by_hand(flats, photo, preset):
    # 16 columns of cells; queries at 0, 2, ... 12 paint 3, 2, 2, 2, 2, 2, 3 of them by equal parts. Red fills seven
    # columns: the first three queries are mostly red, the other four mostly green.
    shares = source_shares(flats[1](photo, preset=preset, coherence=0))
    assert shares["source"].tolist() == [f"art/test/{name}.png" for name in ("green", "red", "blue")]
    assert shares["share"].tolist() == pytest.approx([9 / 16, 7 / 16, 0])
    assert shares["retrievals"].tolist() == [4 * 7, 3 * 7, 0]
    assert np.isnan(shares["similarity"][2])


def test_swap_paints_each_side_in_its_sources_colour(flats, photo):
    image = flats[1](photo, align=0, transfer="swap", coherence=0).image
    assert np.abs(image[:, :24] - np.array(COLOURS["red"], float)).max() <= 1
    assert np.abs(image[:, 40:] - np.array(COLOURS["green"], float)).max() <= 1


def test_leaving_out_a_source_that_painted_nothing_changes_no_pixel(flats, photo):
    before = flats[1](photo).image
    assert np.array_equal(flats[1](photo, without=["blue"]).image, before)
    assert not np.array_equal(flats[1](photo, without=["red"]).image, before)


def test_removing_a_source_that_painted_nothing_changes_no_pixel(flats, photo, toy, toy_decoder):
    before = flats[1](photo).image
    flats[0].remove("art/test", ["blue"], quiet=True)
    banks = Library.open(flats[0].folder)["art/test"]
    assert len(banks.sources) == 2
    assert np.array_equal(Translator(banks, toy, toy_decoder)(photo).image, before)


@pytest.mark.parametrize("size", [(64, 64), (50, 37), (17, 23)])
def test_shares_equal_the_credit_counted_pixel_by_pixel(world, paint, size):
    """Every pixel's credit goes in equal parts to the winners of the queries over its cell."""
    result = world.translator(paint(9, *size))
    source = world.banks.locate(result.matches.winner)[0].tolist()
    painters = {}
    for n, (top, left) in enumerate(result.grid.corners().tolist()):
        for cell in ((top + dy, left + dx) for dy in range(4) for dx in range(4)):
            painters.setdefault(cell, []).append(source[n])
    credit = np.zeros(len(world.banks.sources))
    for y in range(size[0]):
        for x in range(size[1]):
            for number in painters[y // 4, x // 4]:
                credit[number] += 1 / len(painters[y // 4, x // 4]) / (size[0] * size[1])
    shares = source_shares(result).set_index("source")["share"]
    assert shares.sum() == pytest.approx(1)
    expected = dict(zip(world.banks.source_names, credit.tolist(), strict=True))
    assert shares.to_dict() == pytest.approx(expected, abs=1e-6)


def test_query_overlap_add_up_to_one(world, paint):
    result = world.translator(paint(9, 45, 61))
    weights = query_overlap(result)
    assert weights.shape == (len(result.matches),)
    assert float(weights.sum()) == pytest.approx(1)
    assert (weights >= 0).all()


def test_shares_come_largest_first_with_every_source_and_its_credit(world, paint):
    shares = source_shares(world.translator(paint(9)))
    assert sorted(shares["source"]) == sorted(world.banks.source_names)
    assert (shares["share"].diff().dropna() <= 0).all()
    assert set(shares["licence"]) == {"unknown"}
    digests = dict(zip(world.banks.source_names, [s.sha256 for s in world.banks.sources], strict=True))
    assert dict(zip(shares["source"], shares["sha256"], strict=True)) == digests
    assert int(shares["retrievals"].sum()) == 49


def test_shares_of_what_is_no_translation_are_refused(world, paint):
    with pytest.raises(TraceError, match=r"a Trace\. Ask a trace: trace\.sources"):
        source_shares(world.translator.traced(paint(9)))
