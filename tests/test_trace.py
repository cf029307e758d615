"""A trace says what the search did: every column and every answer against a computation of its own."""

from __future__ import annotations

import gc
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from matplotlib import pyplot
from matplotlib.figure import Figure

import ktviz as kt
from ktviz.errors import MismatchError, RegionError, SettingError, TraceError, UnknownNameError
from ktviz.images import resize_short_side, to_tensor
from ktviz.systems.kt.retrieval import EXTENSIONS
from ktviz.systems.kt.translator import Translator
from ktviz.trace.schema import CORE, schema_of

HEIGHT, WIDTH = 60, 44
SIDE = 64


@pytest.fixture(scope="module")
def large(tmp_path_factory, toy, toy_decoder, settings, paint, save):
    """Two banks; one source is larger than the library keeps it, upright, one lies on its side."""
    folder = tmp_path_factory.mktemp("large")
    for name, size in (("tall/high", (160, 100)), ("tall/same", (64, 64)), ("wide/broad", (96, 150))):
        save(folder / f"{name}.png", paint(len(name), *size))
    library = kt.Library.ensure(folder / "large.ktlib", toy, settings)
    library.build("art/tall", [folder / "tall"], encoder=toy, quiet=True)
    library.build("art/wide", [folder / "wide"], encoder=toy, quiet=True)
    return Translator(library["art"], toy, toy_decoder)


@pytest.fixture(scope="module")
def shipped(tmp_path_factory, samples):
    """The networks that come with the package, and a bank of one small painting."""
    folder = tmp_path_factory.mktemp("shipped")
    source = sorted((samples / "art").rglob("*.jpg"))[0]
    kt.write_image(folder / "in.png", resize_short_side(kt.read_image(source), 128))
    library = kt.Library.ensure(folder / "shipped.ktlib")
    library.build("art/one", folder / "in.png", quiet=True)
    return Translator.shipped(library["art/one"])


@pytest.fixture(scope="module")
def photo(paint):
    return paint(9, HEIGHT, WIDTH)


@pytest.fixture(scope="module")
def result(large, photo):
    """The translation without recording."""
    return large(photo)


@pytest.fixture(scope="module")
def trace(large, photo):
    return large.traced(photo)


@pytest.fixture(scope="module")
def painting(trace):
    """The site that painted."""
    return trace.site("retrieval")


@pytest.fixture(scope="module")
def patches(large, photo, result):
    """The queries of the photo as it is, taken out one by one: (N, C, 4, 4) float64."""
    padded = np.pad(photo, ((0, -HEIGHT % 8), (0, -WIDTH % 8), (0, 0)), mode="reflect")
    features = large.encoder(to_tensor(padded))[0].double().numpy()
    rows, columns = features.shape[1] // 2 - 1, features.shape[2] // 2 - 1
    corners = [(2 * y, 2 * x) for y in range(rows) for x in range(columns)]
    return np.stack([features[:, y : y + 4, x : x + 4] for y, x in corners])


def bands(patches):
    """Haar bands written out: (..., C, 4, 4) to a list of LL, LH, HL, HH, each (..., C, 2, 2)."""
    a, b = patches[..., 0::2, 0::2], patches[..., 0::2, 1::2]
    c, d = patches[..., 1::2, 0::2], patches[..., 1::2, 1::2]
    return [(a + b + c + d) / 2, (-a + b - c + d) / 2, (-a - b + c + d) / 2, (a - b - c + d) / 2]


def parts(patches):
    """Part of the norm in each band: (..., 4)."""
    energy = np.stack([(band**2).sum((-3, -2, -1)) for band in bands(patches)], -1)
    return np.sqrt(energy / energy.sum(-1, keepdims=True))


def bandpass(first, second, weights=(1, 1, 1, 0)):
    """Weighted bandpass cosine of patches (..., C, 4, 4)."""

    def product(x, y):
        return sum(w * (p * q).sum((-3, -2, -1)) for w, p, q in zip(weights, bands(x), bands(y), strict=True))

    return product(first, second) / np.sqrt(product(first, first) * product(second, second))


def credit(trace, mask):
    """The part of a region that each query paints, pixel by pixel: (N,)."""
    boxes = trace.column("box").astype(int)
    cover = np.zeros(mask.shape)
    for x, y, w, h in boxes:
        cover[y : y + h, x : x + w] += 1
    return np.array([(mask / cover)[y : y + h, x : x + w].sum() for x, y, w, h in boxes]) / mask.sum()


def reaches(boxes, x, y, width, height):
    """Which boxes share an area with a box."""
    left, top, right, bottom = boxes[:, 0], boxes[:, 1], boxes[:, 0] + boxes[:, 2], boxes[:, 1] + boxes[:, 3]
    return (left < x + width) & (right > x) & (top < y + height) & (bottom > y)


# The table


def test_a_trace_has_the_columns_of_the_schema_and_one_row_per_site_query_and_rank(trace, result):
    assert trace.table.schema.equals(schema_of(trace.about["sites"]))
    assert trace.table.num_rows == 2 * result.matches.entry.numel()
    assert len(trace) == 2 * len(result.grid)
    assert trace.to_pandas()["site"].tolist() == [site for site in trace.sites for _ in range(len(trace) // 2 * 8)]
    for name in trace.sites:
        check_rows(trace.site(name), result)


def check_rows(trace, result):
    assert trace.table.num_rows == result.matches.entry.numel()
    assert len(trace) == len(result.grid)
    rows = trace.to_pandas()
    assert rows.columns.tolist() == [*CORE.names, *(f"kt.{extension.name}" for extension in EXTENSIONS)]
    assert rows["query"].tolist() == [q for q in range(len(trace)) for _ in range(8)]
    assert rows["rank"].tolist() == list(range(8)) * len(trace)
    assert (rows.groupby("query")["chosen"].sum() == 1).all()


def test_an_extension_goes_without_its_prefix(trace):
    assert trace.full_name("path") == "kt.path"
    assert trace.has("path")
    assert np.array_equal(trace.column("coherent"), trace.column("kt.coherent"))
    assert trace.full_name("entry") == "entry"
    assert not trace.has("code")
    with pytest.raises(KeyError, match="code"):
        trace.column("code")


def test_columns_are_those_of_the_matches(painting, result):
    trace, matches = painting, result.matches
    for name in ("entry", "similarity"):
        assert np.array_equal(trace.column(name, winners=False), getattr(matches, name).flatten().numpy()), name
    assert np.array_equal(trace.column("entry"), matches.winner.numpy())
    assert np.array_equal(trace.column("margin"), matches.margin.numpy())
    assert np.array_equal(trace.column("kt.coherent"), matches["coherent"].numpy())
    assert np.array_equal(trace.column("rank"), matches.chosen.numpy())
    assert matches["coherent"].any()
    for number, band in enumerate(("ll", "lh", "hl", "hh")):
        expected = matches["bands"][..., number].flatten().half().numpy()
        assert np.array_equal(trace.column(f"kt.similarity_{band}", winners=False), expected), band


def test_similarity_is_the_weighted_bandpass_cosine(trace, large, patches):
    rows = trace.site("tone").to_pandas()
    entries = large.banks.patches(torch.tensor(rows["entry"].to_numpy())).double().numpy()
    queries = patches[rows["query"]]
    assert np.allclose(rows["similarity"], bandpass(queries, entries), atol=1e-5)
    for number, band in enumerate(("ll", "lh", "hl", "hh")):
        within = bandpass(queries, entries, np.eye(4)[number])
        assert np.allclose(rows[f"kt.similarity_{band}"].astype(float), within, atol=2e-3), band


def test_bands_are_the_parts_of_the_norm(trace, large, patches):
    trace = trace.site("tone")
    rows = trace.to_pandas()
    entries = large.banks.patches(torch.tensor(rows["entry"].to_numpy())).double().numpy()
    for name, expected in (("kt.query_bands", parts(patches[rows["query"]])), ("kt.entry_bands", parts(entries))):
        stored = trace.column(name, winners=False)
        assert np.allclose(stored, expected, atol=1e-3), name
        assert np.allclose((stored**2).sum(1), 1, atol=2e-3), name


def test_source_boxes_are_in_px_of_the_original(trace, large):
    """Scaled to a shorter side of 64 px, a cell is 4 px: in the original, 4 / 64 of the shorter side."""
    shorter = {"art/tall/high.png": 100, "art/tall/same.png": 64, "art/wide/broad.png": 96}
    rows = trace.to_pandas()
    assert set(rows["source"]) == set(shorter)
    for row in rows.itertuples():
        bank = next(bank for bank in large.banks.banks if bank.name == row.bank)
        local = row.entry - int(large.banks.entry_offset[large.banks.names.index(row.bank)])
        assert row.source == f"{row.bank}/{bank.sources[int(bank.entries.source[local])].name}"
        cell = shorter[row.source] * 4 / SIDE
        expected = [int(bank.entries.x[local]) * cell, int(bank.entries.y[local]) * cell, 4 * cell, 4 * cell]
        assert row.source_box.tolist() == pytest.approx(expected)


def test_source_boxes_lie_inside_the_originals(trace):
    sizes = {"art/tall/high.png": (100, 160), "art/tall/same.png": (64, 64), "art/wide/broad.png": (150, 96)}
    for row in trace.to_pandas().itertuples():
        width, height = sizes[row.source]
        x, y, w, h = row.source_box
        assert 0 <= x <= x + w <= width + 1e-3
        assert 0 <= y <= y + h <= height + 1e-3


@pytest.mark.parametrize("site", ["tone", "retrieval"])
def test_query_boxes_are_in_px_of_the_input(trace, site):
    trace = trace.site(site)
    columns = -(-WIDTH // 8) - 1
    y, x = np.divmod(np.arange(len(trace)), columns)
    height, width = trace.picture.size
    right, bottom = np.minimum(8 * x + 16, width), np.minimum(8 * y + 16, height)
    assert (bottom - 8 * y < 16).any()  # the last ones end with the image
    assert np.array_equal(trace.column("box"), np.stack((8 * x, 8 * y, right - 8 * x, bottom - 8 * y), 1))
    assert np.array_equal(trace.column("y"), y * 2)
    assert np.array_equal(trace.column("x"), x * 2)


@pytest.mark.parametrize("preset", ["paper", "beam"])
def test_a_path_leads_from_below_the_root_to_the_leaf_of_the_winner(large, photo, patches, preset):
    trace = large.traced(photo, align=0, preset=preset)
    rows = trace.to_pandas()
    assert rows["kt.path"].notna().equals(rows["chosen"])
    for row in rows[rows["chosen"]].rename(columns=lambda name: name.removeprefix("kt.")).itertuples():
        number = large.banks.names.index(row.bank)
        tree = large.banks.banks[number].tree
        local = row.entry - int(large.banks.entry_offset[number])
        assert tree.parent[row.path[0]] == 0
        assert all(int(tree.parent[below]) == above for above, below in zip(row.path, row.path[1:], strict=False))
        assert tree.start[row.path[-1]] <= local < tree.end[row.path[-1]]
        assert not len(tree.children[row.path[-1]])
        query = patches[row.query].transpose(1, 2, 0).ravel()
        centres = tree.centres[row.path.tolist()].double().numpy()
        expected = centres @ query / np.linalg.norm(centres, axis=1) / np.linalg.norm(query)
        assert row.path_similarity.tolist() == pytest.approx(expected.tolist(), abs=1e-5)


def test_hard_retrieval_weighs_one_and_leaves_nothing_over(trace):
    assert np.array_equal(trace.column("weight", winners=False), trace.column("chosen", winners=False))
    assert set(trace.column("left_over", winners=False)) == {0}


def test_one_candidate_has_no_margin(large, photo):
    trace = large.traced(photo, candidates=1, coherence=0)
    assert trace.table["margin"].null_count == len(trace)
    assert trace.summary()["margin, median"] is None


def test_a_trace_says_what_made_it(trace, large, photo):
    about = trace.about
    assert about["digests"]["encoder"] == large.banks.encoder.digest
    assert {name for name in about["digests"] if name.startswith("library")} == {
        "library bank art/tall",
        "library bank art/wide",
    }
    known = {"type": "Retrieval", "causal": True, "kind": "hard", "canvas": "input"}
    for site, paints in zip(about["sites"], (False, True), strict=True):
        assert (known | {"paints": paints}).items() <= site.items()
    assert [site["name"] for site in about["sites"]] == ["tone", "retrieval"]
    assert about["system"] == "kt"
    assert about["versions"]["torch"] == torch.__version__
    assert about["device"] == "cpu"
    assert trace.picture.about["settings"]["preset"] == "beam"
    assert trace.picture.size == (HEIGHT, WIDTH)
    assert np.array_equal(trace.input, photo)


# The object


def test_a_trace_is_frozen(trace):
    for name in ("table", "about", "pictures", "anything"):
        with pytest.raises(AttributeError, match="frozen"):
            setattr(trace, name, None)


def test_repr_is_text_with_the_digest(trace, painting):
    for one, sites in ((trace, "2 sites, "), (painting, "")):
        counts = f"{len(one)} retrievals, {8 * len(one)} candidates"
        assert repr(one) == f"Trace({counts}, {sites}digest {one.digest[:12]})"


def test_arrow_carries_the_metadata(trace):
    table = trace.to_arrow()
    assert isinstance(table, pa.Table)
    assert table.schema.names == trace.table.schema.names
    assert not any(pa.types.is_float16(kind) for kind in table.schema.types)
    assert table.cast(trace.table.schema).equals(trace.table)
    assert trace.about["digests"]["encoder"].encode() in table.schema.metadata[b"ktviz"]


def test_the_summary_counts(painting, result):
    summary = painting.summary()
    used = len({int(s) for s in result.banks.source_of(result.matches.winner)})
    assert summary["retrievals"] == len(result.grid)
    assert summary["candidates"] == 8 * len(result.grid)
    assert summary["sources used"] == f"{used} of 3"
    assert summary["similarity, median"] == pytest.approx(np.median(result.matches.winner_similarity), abs=1e-4)


def test_show_prints_summary_and_shares_and_writes_nothing(trace, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert trace.show() is None
    printed = capsys.readouterr().out
    assert trace.digest[:12] in printed
    assert all(source in printed for source in result_sources(trace))
    assert not list(tmp_path.iterdir())


def result_sources(trace):
    return [source["source"] for source in trace.about["sources"]]


def test_plot_gives_a_figure_that_pyplot_does_not_know(trace):
    figure = trace.plot()
    assert isinstance(figure, Figure)
    assert not pyplot.get_fignums()


def test_sites_are_found_by_name(trace, painting, large, photo):
    assert painting.table.equals(trace.painting().table)
    assert painting.recording is trace
    published = large.traced(photo, align=0)
    assert published.sites == ["retrieval"]
    assert published.site("retrieval").table.equals(published.table)
    with pytest.raises(UnknownNameError, match="Did you mean retrieval"):
        trace.site("retrival")


def test_the_only_image_is_the_trace(trace):
    assert trace.image(0).digest == trace.digest
    with pytest.raises(TraceError, match="image 1: a trace of 1 image"):
        trace.image(1)


# Slices


@pytest.mark.parametrize("box", [(0, 0, 1, 1), (7, 9, 30, 5), (16, 8, 8, 8), (0, 0, WIDTH, HEIGHT)])
def test_a_slice_holds_the_retrievals_whose_boxes_reach_into_it(trace, box):
    part = trace[kt.Box(*box)]
    hit = reaches(trace.column("box"), *box)
    assert part.column("query").tolist() == trace.column("query")[hit].tolist()
    assert part.table.num_rows == 8 * len(part)
    assert part.table.schema.equals(trace.table.schema)


def test_all_kinds_of_regions_slice_alike(trace):
    mask = np.zeros((HEIGHT, WIDTH), dtype=bool)
    mask[16:24, 8:20] = True
    expected = trace[kt.Box(8, 16, 12, 8)].column("query").tolist()
    assert trace[mask].column("query").tolist() == expected
    assert trace[[(8, 16), (20, 16), (20, 24), (8, 24)]].column("query").tolist() == expected
    pixel = trace[(9, 17)]
    assert pixel.column("query").tolist() == trace[kt.Box(9, 17, 1, 1)].column("query").tolist()
    assert trace[None].table.equals(trace.table)


def test_a_region_outside_the_image_is_refused(trace):
    for ask in (lambda box: trace[box], trace.sources, trace.overlap):
        with pytest.raises(RegionError, match=f"not inside the image of {WIDTH}x{HEIGHT} px"):
            ask(kt.Box(30, 30, 20, 20))


def test_a_slice_paints_its_region_as_the_whole_does(trace):
    box = kt.Box(8, 16, 12, 8)
    assert trace[box].sources(box).equals(trace.sources(box))


# Shares


def test_shares_are_those_of_the_translation(trace, result):
    pd.testing.assert_frame_equal(trace.sources(), kt.source_shares(result), rtol=1e-6)


@pytest.mark.parametrize("box", [None, (0, 0, 1, 1), (7, 9, 30, 5), (20, 40, 24, 20)])
def test_shares_of_a_region_equal_the_credit_counted_pixel_by_pixel(trace, painting, box):
    mask = np.zeros((HEIGHT, WIDTH))
    x, y, w, h = box or (0, 0, WIDTH, HEIGHT)
    mask[y : y + h, x : x + w] = 1
    part, names = credit(painting, mask), painting.column("source")
    shares = trace.sources(None if box is None else kt.Box(*box)).set_index("source")
    assert shares["share"].sum() == pytest.approx(1)
    for name, row in shares.iterrows():
        mine = (names == name) & (part > 0)
        assert row["share"] == pytest.approx(part[names == name].sum(), abs=1e-9)
        assert row["retrievals"] == mine.sum()
        if mine.any():
            assert row["similarity"] == pytest.approx(painting.column("similarity")[mine].mean(), rel=1e-5)


def test_the_overlap_of_queries_is_what_they_cover(trace, painting):
    mask = np.zeros((HEIGHT, WIDTH), dtype=bool)
    mask[3:29, 5:44] = np.random.default_rng(4).random((26, 39)) < 0.4
    assert np.allclose(painting.overlap(mask), credit(painting, mask), atol=1e-12)
    assert np.array_equal(trace.overlap(mask), painting.overlap(mask))  # of the output


# Spread


def test_spread_finds_every_retrieval_that_a_source_won(trace, painting):
    part = credit(painting, np.ones((HEIGHT, WIDTH)))
    shares = trace.sources().set_index("source")["share"]
    for name in result_sources(trace):
        found = trace.spread(name)
        mine = np.flatnonzero(painting.column("source") == name)
        assert sorted(found["query"]) == painting.column("query")[mine].tolist()
        assert dict(zip(found["query"], found["share"], strict=True)) == pytest.approx(
            dict(zip(mine.tolist(), part[mine].tolist(), strict=True))
        )
        assert found["share"].is_monotonic_decreasing
        assert found["share"].sum() == pytest.approx(shares[name])


def test_spread_of_a_part_finds_the_patches_that_reach_into_it(trace, painting):
    name = trace.sources()["source"][0]
    mine = painting.column("source") == name
    boxes, query = painting.column("source_box"), painting.column("query")
    for box in ((10, 20, 30, 25), (0, 0, 5, 5), (50, 50, 8, 8)):
        found = trace.spread(name, kt.Box(*box))
        assert sorted(found["query"]) == query[mine & reaches(boxes, *box)].tolist()


def test_spread_and_slice_are_two_ways_of_one_relation(trace):
    """What a region took from a part of a source is what that part gave to the region."""
    name, box, region = trace.sources()["source"][0], kt.Box(10, 10, 40, 40), kt.Box(8, 8, 24, 24)
    forth = set(trace.spread(name, box)["query"]) & set(trace[region].column("query"))
    back = set(trace[region].spread(name, box)["query"])
    assert forth == back
    assert forth


def test_a_source_may_be_called_by_the_end_of_its_name(trace):
    expected = trace.spread("art/wide/broad.png")
    for name in ("broad.png", "broad", "wide/broad.png", "art/wide/broad"):
        assert trace.spread(name).equals(expected), name


@pytest.mark.parametrize("name", ["brod.png", "road.png", "", "art/wide"])
def test_an_unknown_source_is_refused_with_those_that_exist(trace, name):
    with pytest.raises(UnknownNameError, match=r"art/wide/broad\.png"):
        trace.spread(name)


def test_a_name_that_two_sources_share_is_refused(tmp_path, build, save, paint, toy, toy_decoder):
    save(tmp_path / "in/x/same.png", paint(1))
    save(tmp_path / "in/y/same.png", paint(2))
    trace = Translator(build("same", [tmp_path / "in"])["art/test"], toy, toy_decoder).traced(paint(3))
    with pytest.raises(UnknownNameError, match=r"it may be art/test/x/same\.png or art/test/y/same\.png"):
        trace.spread("same")
    assert len(trace.spread("x/same")) + len(trace.spread("y/same.png")) == len(trace.painting())


def test_an_empty_part_of_a_source_is_refused(trace):
    with pytest.raises(RegionError, match="empty"):
        trace.spread("broad", kt.Box(3, 3, 0, 4))


# Close calls and regret


def test_margins_come_closest_first_with_the_second_best(painting, result):
    calls, matches = painting.margin(), result.matches
    assert calls["margin"].is_monotonic_increasing
    assert sorted(calls["query"]) == list(range(len(painting)))
    for row in calls.itertuples():
        assert row.margin == matches.margin[row.query]
        assert row.entry == matches.entry[row.query, 0]
        assert row.entry_second == matches.entry[row.query, 1]
        assert row.source_second == result.banks.source_names[int(result.banks.source_of(row.entry_second))]


def test_margins_below_a_bound(painting, result):
    bound = float(result.matches.margin.median())
    assert sorted(painting.margin(below=bound)["query"]) == np.flatnonzero(result.matches.margin < bound).tolist()


def test_margins_of_a_trace_without_the_second_best_still_come(large, photo, trace):
    with kt.record(large, candidates=1) as short:
        large(photo)
    assert short.margin()["margin"].tolist() == trace.margin()["margin"].tolist()
    assert short.margin()["entry_second"].isna().all()


def test_a_thinned_trace_has_no_second_best_and_says_so(large, photo):
    with kt.record(large, memory="40 KB", over="winners") as trace:
        large(photo)
    assert trace.thinned
    with pytest.raises(TraceError, match=r"thinned to winners\. Record with more memory"):
        trace.margin()


@pytest.fixture(scope="module")
def nearest(large, patches):
    """Similarity of every query to the entry that is nearest of all."""
    entries = large.banks.patches(torch.arange(len(large.banks))).double().numpy()
    return np.stack([bandpass(query, entries) for query in patches])


def test_regret_is_the_distance_to_the_nearest_of_all_entries(large, photo, nearest):
    trace = large.traced(photo, preset="paper")
    found = trace.regret()
    assert found["regret"].is_monotonic_decreasing
    assert found["regret"].max() > 0.01  # greedy descent misses some
    assert sorted(found["query"]) == list(range(len(trace)))
    for row in found.itertuples():
        assert row.exact_similarity == pytest.approx(nearest[row.query].max(), abs=1e-5)
        assert nearest[row.query, row.exact_entry] == pytest.approx(nearest[row.query].max(), abs=1e-5)
        assert row.similarity == pytest.approx(nearest[row.query, row.entry], abs=1e-5)
        assert row.regret == pytest.approx(max(0, row.exact_similarity - row.similarity), abs=1e-6)


def test_an_exact_search_without_coherence_regrets_nothing(large, photo):
    assert large.traced(photo, preset="exact", coherence=0).regret()["regret"].max() < 1e-6


def test_regret_does_not_count_what_was_left_out(large, photo, nearest):
    """The nearest entry is sought where the translation was allowed to look."""
    found = large.traced(photo, align=0, without=["high"], coherence=0).regret()
    allowed = nearest[:, (large.banks.source_of(torch.arange(len(large.banks))) != 0).numpy()]
    assert large.banks.source_names[0] == "art/tall/high.png"
    best = dict(enumerate(allowed.max(1)))
    assert all(row.exact_similarity == pytest.approx(best[row.query], abs=1e-5) for row in found.itertuples())


def test_a_sample_of_regret_is_drawn_by_its_seed(trace):
    whole = trace.regret().set_index("query")["regret"]
    first, again, other = (trace.regret(sample=12, seed=seed) for seed in (0, 0, 1))
    assert first.equals(again)
    assert set(first["query"]) != set(other["query"])
    assert len(set(first["query"])) == 12
    for row in first.itertuples():
        assert row.regret == pytest.approx(whole[row.query], abs=1e-6)
    with pytest.raises(SettingError, match="a sample of 0"):
        trace.regret(sample=0)


def test_with_regret_fills_the_columns_and_changes_no_other(trace):
    filled = trace.with_regret()
    assert filled.table.schema.equals(schema_of(trace.about["sites"], regret=True))
    assert filled.sites == ["tone", "retrieval"]
    for name in filled.sites:  # each asks for other features
        expected = trace.site(name).regret().set_index("query")
        for row in filled.site(name).to_pandas().itertuples():
            assert row.regret == pytest.approx(expected["regret"][row.query], abs=1e-6)
            assert row.exact_entry == expected["exact_entry"][row.query]
    rest = trace.table.column_names
    assert filled.table.select(rest).equals(trace.table.select(rest))
    assert filled.digest != trace.digest
    assert filled.with_regret().digest == filled.digest


def test_regret_needs_the_model_that_made_the_trace(large, photo, world, tmp_path):
    translator = Translator(large.banks, large.encoder, large.decoder)
    trace = translator.traced(photo)
    expected = trace.regret()
    del translator
    gc.collect()
    with pytest.raises(TraceError, match="pass model="):
        trace.regret()
    assert trace.regret(model=large).equals(expected)
    with pytest.raises(MismatchError, match="library bank"):
        trace.regret(model=world.translator)


# Digest

SCRIPT = """
import sys
sys.path.insert(0, sys.argv[2])
import torch
from conftest import Nearest, make_encoder, paint_picture
torch.set_num_threads(1)
import ktviz as kt
translator = kt.Translator(kt.Library.open(sys.argv[1])["art"], make_encoder(), Nearest())
torch.manual_seed(12345)
print(translator.traced(paint_picture(9)).digest)
"""


def test_the_digest_is_the_same_in_another_process(world, paint):
    command = [sys.executable, "-c", SCRIPT, str(world.folder), str(Path(__file__).parent)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert printed.strip() == world.translator.traced(paint(9)).digest


@pytest.mark.parametrize("preset", ["paper", "beam", "exact"])
@pytest.mark.parametrize("chunk", [3, 40])
def test_the_digest_does_not_depend_on_chunks_seeds_or_what_ran_before(large, photo, chunk, preset, monkeypatch):
    known = large.traced(photo, preset=preset).digest
    torch.manual_seed(99)
    large(photo[::-1].copy())
    monkeypatch.setattr("ktviz.systems.kt.retrieval.QUERIES_AT_ONCE", chunk)
    for name in ("compare.GRID_CHUNK", "union.GRID_CHUNK", "scan.GATHER_CHUNK"):
        monkeypatch.setattr(f"ktviz.library.kinds.patches.{name}", 10 * chunk)
    assert large.traced(photo, preset=preset).digest == known


@pytest.mark.parametrize("side", [72, 200])
def test_the_digest_does_not_depend_on_the_number_of_threads(shipped, samples, side):
    """With the networks that come with the package: features, retrievals and pixels."""
    photo = resize_short_side(kt.read_image(samples / "photos" / "coffee.jpg"), side)
    torch.set_num_threads(1)
    known = shipped.traced(photo)
    for threads in (2, 7):
        torch.set_num_threads(threads)
        trace = shipped.traced(photo)
        assert np.array_equal(trace.output, known.output)
        assert trace.digest == known.digest


def test_a_batch_gives_what_single_images_give(large, photo, paint):
    photos = [photo, paint(3, 40, 72), photo]
    for single, one in zip(map(large, photos), large.batch(photos), strict=True):
        assert torch.equal(single.matches.similarity, one.matches.similarity)
        assert torch.equal(single.matches.entry, one.matches.entry)
        assert np.array_equal(single.image, one.image)


def test_the_digest_survives_saving_in_all_forms(trace, tmp_path):
    for pictures in ("input", "both", "none"):
        trace.save(tmp_path / f"{pictures}.parquet", pictures=pictures)
        assert kt.Trace.open(tmp_path / f"{pictures}.parquet").digest == trace.digest


def test_other_photos_settings_and_models_give_other_digests(large, photo, trace, world, toy):
    darker = np.clip(photo.astype(int) - 1, 0, 255).astype(np.uint8)
    twice = Translator(large.banks, toy, torch.nn.Sequential(large.decoder, torch.nn.Identity()))
    others = [
        large.traced(darker),
        large.traced(photo, strength=0.5),
        large.traced(photo, preset="exact"),
        world.translator.traced(photo),
        twice.traced(photo),
    ]
    assert len({other.digest for other in others} | {trace.digest}) == 6


def test_settings_given_as_numbers_of_numpy_are_understood(large, photo, trace, tmp_path):
    """As a trace's own columns give them."""
    entry = trace.column("entry")[0]
    assert isinstance(entry, np.int64)
    other = large.traced(photo, without=[entry], strength=np.float32(0.5))
    assert entry not in other.column("entry", winners=False)
    assert other.digest == large.traced(photo, without=[int(entry)], strength=0.5).digest
    other.save(tmp_path / "other.parquet")
    assert kt.Trace.open(tmp_path / "other.parquet").digest == other.digest


def test_a_part_has_the_shares_of_its_region_and_no_more(world, paint):
    trace = world.translator.traced(paint(9))
    region = kt.Box(10, 12, 20, 17)
    part = trace[region]
    assert part.sources().equals(trace.sources(region).assign(retrievals=part.sources()["retrievals"]))
    assert part.sources()["share"].sum() == pytest.approx(1)
    inner = part[kt.Box(12, 14, 4, 4)]
    assert inner.sources()["share"].tolist() == trace.sources(kt.Box(12, 14, 4, 4))["share"].tolist()


def test_a_part_saved_without_the_whole_does_not_guess_shares(world, paint, tmp_path):
    part = world.translator.traced(paint(9))[kt.Box(10, 12, 20, 17)]
    part.save(tmp_path / "part.parquet")
    alone = kt.Trace.open(tmp_path / "part.parquet")
    assert len(alone) == len(part)
    with pytest.raises(TraceError, match="without the rest"):
        alone.sources()
    assert pickle.loads(pickle.dumps(part)).sources().equals(part.sources())


@pytest.mark.parametrize("box", [kt.Box(64, 0, 5, 5), kt.Box(-1, 0, 5, 5), kt.Box(3, 3, 0, 5)])
def test_a_part_outside_its_source_is_refused(world, paint, box):
    trace = world.translator.traced(paint(9))
    with pytest.raises(RegionError, match=r"part Box.* of art/warm/a\.png"):
        trace.spread("a", box)


def test_a_site_that_was_not_asked_is_summed_up_without_a_number(world, paint):
    trace = world.translator.traced(paint(9))
    nothing = kt.Trace(trace.table.slice(0, 0), trace.about, trace.pictures)
    assert nothing.summary()["retrievals"] == 0
    assert "nan" not in str(nothing.summary())
