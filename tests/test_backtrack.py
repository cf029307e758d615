"""Backtracking: regions of the output to patches of sources and back, counted pixel by pixel."""

import gc

import numpy as np
import pytest
from matplotlib.figure import Figure

import ktviz
from ktviz.errors import MismatchError, TraceError, UnknownNameError
from ktviz.images import read_image
from ktviz.library.format import LibrarySettings
from ktviz.regions import Box, region_mask
from ktviz.systems.kt.translator import Translator


@pytest.fixture(scope="module")
def photo(paint):
    return paint(9, 53, 62)


@pytest.fixture(scope="module")
def trace(world, photo):
    return world.translator.traced(photo)


@pytest.fixture(scope="module")
def painting(trace):
    """The site that painted."""
    return trace.site("retrieval")


def spots():
    mask = np.zeros((53, 62), bool)
    mask[::17, ::13] = True
    return mask


REGIONS = {
    "whole": None,
    "box": Box(10, 6, 21, 13),
    "corner": Box(57, 48, 5, 5),
    "mask": spots(),
    "polygon": [(3, 3), (50, 12), (25, 50)],
    "pixel": (31, 30),
    "last pixel": (61, 52),
}


def overlap_by_brute_force(trace, region):
    """Pixel by pixel, equal parts to the retrievals whose boxes cover it."""
    mask = region_mask(region, *trace.picture.size)
    boxes = trace.column("box")
    weight = np.zeros(len(boxes))
    for y, x in np.argwhere(mask):
        covers = (boxes[:, 0] <= x) & (x < boxes[:, 0] + boxes[:, 2])
        covers &= (boxes[:, 1] <= y) & (y < boxes[:, 1] + boxes[:, 3])
        weight[covers] += 1 / covers.sum() / mask.sum()
    return weight


@pytest.mark.parametrize("name", REGIONS)
def test_winners_behind_a_region_and_their_weights_are_those_counted_by_pixel(trace, painting, name):
    expected = overlap_by_brute_force(painting, REGIONS[name])
    found = ktviz.backtrack(trace, REGIONS[name])
    frame = found.frame
    assert set(frame["query"]) == set(np.flatnonzero(expected))
    assert frame["overlap"].tolist() == pytest.approx(expected[frame["query"]].tolist(), abs=1e-12)
    assert frame["overlap"].sum() == pytest.approx(1)
    assert frame["overlap"].is_monotonic_decreasing
    for column in ("entry", "source", "bank", "similarity", "margin"):
        assert frame[column].tolist() == painting.column(column)[frame["query"]].tolist()
    for column in ("box", "source_box"):
        assert np.array_equal(np.stack(frame[column].tolist()), painting.column(column)[frame["query"]])
    assert np.array_equal(found.mask, region_mask(REGIONS[name], 53, 62))


def test_the_sum_by_source_is_the_share_that_the_trace_states(trace):
    for region in REGIONS.values():
        shares = ktviz.backtrack(trace, region).frame.groupby("source")["overlap"].sum()
        recorded = trace.sources(region).set_index("source")["share"]
        assert shares.to_dict() == pytest.approx(recorded[recorded > 0].to_dict())


def test_patches_are_crops_of_the_photo_and_of_the_sources(world, photo, trace):
    found = ktviz.backtrack(trace, Box(40, 40, 22, 13))
    pictures = {name: world.banks.picture(number) for number, name in enumerate(world.banks.source_names)}
    assert len(found.patches) == len(found)
    for row, (mine, theirs) in zip(found.frame.itertuples(), found.patches, strict=True):
        x, y, width, height = row.box.astype(int)
        assert np.array_equal(mine, photo[y : y + height, x : x + width])
        # The toy library keeps sources at their own size, so a source box is a crop of what it keeps.
        x, y, width, height = row.source_box.astype(int)
        assert (width, height) == (16, 16)
        assert np.array_equal(theirs, pictures[row.source][y : y + 16, x : x + 16])


def test_patches_of_sources_look_like_the_files(world, trace):
    for row, (_, theirs) in zip(ktviz.backtrack(trace).frame.itertuples(), ktviz.backtrack(trace).patches, strict=True):
        x, y, _, _ = row.source_box.astype(int)
        file = read_image(world.pictures / row.bank.split("/")[1] / row.source.split("/")[-1])
        crop = file[y : y + 16, x : x + 16].astype(int)
        assert np.abs(theirs.astype(int) - crop).mean() < 12  # JPEG of a grainy picture
        assert np.corrcoef(theirs.flatten(), crop.flatten())[0, 1] > 0.9


def test_a_source_finds_itself_at_its_own_place(world, paint):
    trace = world.translator.traced(paint(3), preset="exact", coherence=0)
    frame = ktviz.backtrack(trace, Box(8, 8, 30, 30)).frame
    assert set(frame["source"]) == {"art/cool/d.png"}
    assert np.array_equal(np.stack(frame["box"].tolist()), np.stack(frame["source_box"].tolist()))


@pytest.fixture(scope="module")
def scaled(tmp_path_factory, toy, toy_decoder, paint, save):
    """A source of 192x128 px in a library that scales it to 96x64 px."""
    root = tmp_path_factory.mktemp("scaled")
    save(root / "in" / "large.png", np.kron(paint(21, 64, 96), np.ones((2, 2, 1), np.uint8)))
    settings = LibrarySettings(side_px=64, dedupe=1.0, key_dimensions=32)
    library = ktviz.Library.ensure(root / "scaled.ktlib", toy, settings)
    library.build("art/large", [root / "in"], encoder=toy, quiet=True)
    return Translator(library["art/large"], toy, toy_decoder)


def test_source_boxes_are_in_px_of_the_original(scaled, paint):
    photo = scaled.banks.picture(0)[8:56, 16:80]
    trace = scaled.traced(photo, preset="exact", coherence=0, band_weights=(1, 1, 1, 1))
    frame = ktviz.backtrack(trace, Box(16, 16, 16, 16)).frame
    boxes, places = (np.stack(frame[name].tolist()) for name in ("source_box", "box"))
    assert (boxes[:, 2:] == 32).all()
    assert (boxes[:, :2] + boxes[:, 2:] <= (192, 128)).all()
    # The photo is a crop of the source from (16, 8) on, at half its size.
    assert np.array_equal(boxes[:, :2], 2 * (places[:, :2] + (16, 8)))


@pytest.mark.parametrize("name", ["box", "whole", "pixel"])
def test_plot_is_a_figure_of_the_region(trace, name):
    found = ktviz.backtrack(trace, REGIONS[name])
    assert isinstance(found.plot(), Figure)
    assert isinstance(found.plot(picks=2), Figure)


def reaches(boxes, box):
    """Which boxes share a part with one: the brute-force meaning of "reach into"."""
    return [
        max(b[0], box.x) < min(b[0] + b[2], box.right) and max(b[1], box.y) < min(b[1] + b[3], box.bottom)
        for b in boxes.tolist()
    ]


@pytest.mark.parametrize("box", [None, Box(12, 20, 9, 7), Box(0, 0, 1, 1), Box(15, 15, 1, 1), Box(0, 0, 64, 64)])
def test_spread_says_where_a_part_of_a_source_went(world, trace, painting, box):
    boxes, sources = painting.column("source_box"), painting.column("source")
    for name in world.banks.source_names:
        mine = np.flatnonzero(sources == name)
        expected = mine if box is None else mine[reaches(boxes[mine], box)]
        found = trace.spread(name, box)
        assert sorted(found["query"]) == expected.tolist()
        weights = overlap_by_brute_force(painting, None)[found["query"]]
        assert found["share"].tolist() == pytest.approx(weights.tolist())
        assert found["share"].is_monotonic_decreasing


def test_spread_is_the_inverse_of_backtracking(world, trace, painting):
    """There: every retrieval behind a region goes out from its source box. Back: what goes out is behind its box."""
    behind = ktviz.backtrack(trace, Box(20, 10, 12, 12)).frame
    for row in behind.itertuples():
        out = trace.spread(row.source, Box(*row.source_box.tolist()))
        assert row.query in set(out["query"])
    pairs = set()
    for name in world.banks.source_names:
        for row in trace.spread(name).itertuples():
            x, y, width, height = row.box
            visible = Box(x, y, min(width, 62 - x), min(height, 53 - y))
            back = ktviz.backtrack(trace, visible).frame
            assert (back.loc[back["query"] == row.query, "source"] == name).all()
            assert row.query in set(back["query"])
            pairs.add((name, row.query))
    assert pairs == set(zip(painting.column("source"), range(len(painting)), strict=True))


def test_spread_of_an_unknown_source_suggests_the_nearest(trace):
    assert trace.spread("a")["query"].tolist() == trace.spread("art/warm/a.png")["query"].tolist()
    with pytest.raises(UnknownNameError, match=r"Did you mean art/warm/a\.png"):
        trace.spread("art/warm/aa.png")


def test_without_a_model_there_are_rows_but_no_pictures(world, photo, trace, tmp_path):
    trace.save(tmp_path / "trace.parquet")
    opened = ktviz.Trace.open(tmp_path / "trace.parquet")
    found = ktviz.backtrack(opened, Box(10, 6, 21, 13))
    expected = ktviz.backtrack(trace, Box(10, 6, 21, 13))
    assert found.to_arrow().to_pylist() == expected.to_arrow().to_pylist()
    for ask in (lambda: found.patches, found.plot):
        with pytest.raises(TraceError, match="model="):
            ask()
    given = ktviz.backtrack(opened, Box(10, 6, 21, 13), model=world.translator)
    assert all(
        np.array_equal(a, b)
        for x, y in zip(given.patches, expected.patches, strict=True)
        for a, b in zip(x, y, strict=True)
    )
    assert isinstance(given.plot(), Figure)
    fewer = Translator(world.library["art/warm"], world.translator.encoder, world.translator.decoder)
    with pytest.raises(MismatchError, match="the library bank art/cool of the trace"):
        ktviz.backtrack(opened, model=fewer)
    with pytest.raises(MismatchError, match="the input of the trace"):
        ktviz.backtrack(opened, model=world.translator, photo=photo[::-1])


def test_a_backtrack_outlives_the_trace_but_a_saved_one_says_how_to_get_pictures(world, photo, tmp_path):
    translator = Translator(world.banks, world.translator.encoder, world.translator.decoder)
    found = ktviz.backtrack(translator.traced(photo), (5, 5))
    del translator
    gc.collect()
    assert len(found.patches) == len(found)
    found.save(tmp_path / "backtrack.parquet")
    opened = ktviz.Backtrack.open(tmp_path / "backtrack.parquet")
    assert opened.to_arrow().equals(found.to_arrow())
    with pytest.raises(TraceError, match="Backtrack again with model="):
        _ = opened.patches


def test_a_thinned_trace_is_backtracked_like_a_whole_one(trace):
    thinned = ktviz.Trace(trace.winners, {**trace.about, "thinned": True}, trace.pictures, trace.model)
    one, other = (ktviz.backtrack(t, Box(10, 6, 21, 13)).to_arrow().to_pylist() for t in (thinned, trace))
    assert one == other


@pytest.mark.parametrize("size", [(61, 53), (33, 41), (17, 18)])
def test_the_last_pixel_of_an_odd_photo_can_be_backtracked_and_drawn(world, paint, size):
    trace = world.translator.traced(paint(9, *size))
    found = ktviz.backtrack(trace, (size[1] - 1, size[0] - 1))
    assert found.frame["overlap"].sum() == pytest.approx(1)
    assert isinstance(found.plot(), Figure)
    for x, y, width, height in found.frame["box"]:
        ktviz.backtrack(trace, Box(float(x), float(y), float(width), float(height)))
