"""Bands of a match: what carried it, and what would have won with other weights, against naive Haar sums."""

import numpy as np
import pytest
import torch

import ktviz
from ktviz.errors import SettingError, TraceError
from ktviz.explain.bands import match_shares
from ktviz.images import to_tensor

HALF = 2e-3
"""Bands are recorded with three digits: cosine and two parts of norm, each within 0.0005 of its value."""
OTHERS = [(1, 0, 0, 0), (0, 1, 1, 0), (0, 0, 0, 1), (1, 1, 1, 1), (0.2, 3, 1, 0.5), (1, 10, 0, 0)]


@pytest.fixture(scope="module")
def photo(paint):
    return paint(9)


@pytest.fixture(scope="module")
def trace(world, photo):
    return world.translator.traced(photo, align=0, coherence=0)


def band_dots(one, other):
    """Dot product within each band of two patches (C, 4, 4), block by block, in float64: four numbers."""
    signs = {"LL": (1, 1, 1, 1), "LH": (-1, 1, -1, 1), "HL": (-1, -1, 1, 1), "HH": (1, -1, -1, 1)}
    dots = []
    for sign in signs.values():
        total = 0.0
        for y in (0, 2):
            for x in (0, 2):
                a, b = (
                    sum(
                        s * patch[:, y + dy, x + dx] / 2
                        for s, (dy, dx) in zip(sign, ((0, 0), (0, 1), (1, 0), (1, 1)), strict=True)
                    )
                    for patch in (one, other)
                )
                total += float((a * b).sum())
        dots.append(total)
    return np.array(dots)


def similarity(one, other, weights):
    weights = np.array(weights, float)
    norms = [np.sqrt((weights * band_dots(p, p)).sum()) for p in (one, other)]
    return float((weights * band_dots(one, other)).sum() / (norms[0] * norms[1]))


@pytest.fixture(scope="module")
def rows(world, photo, trace):
    """Every row of the trace with the features of its query and its candidate: (query, entry, rank, q, p)."""
    features = world.translator.encoder(to_tensor(photo))[0].double().numpy()
    frame = trace.to_pandas()
    patches = world.banks.patches(torch.tensor(frame["entry"].to_numpy())).double().numpy()
    return [
        (query, entry, rank, features[:, y : y + 4, x : x + 4], patch)
        for query, entry, rank, y, x, patch in zip(
            frame["query"], frame["entry"], frame["rank"], frame["y"], frame["x"], patches, strict=True
        )
    ]


@pytest.mark.parametrize("weights", [(1, 1, 1, 0), (1, 1, 1, 1), (0.2, 3, 1, 0.5), (0, 1, 1, 0)])
def test_shares_of_a_match_are_those_of_naive_haar_sums(world, photo, weights):
    trace = world.translator.traced(photo, align=0, band_weights=weights, coherence=0)
    shares = match_shares(trace)
    assert shares.sum(1) == pytest.approx(np.ones(len(trace)))
    features = world.translator.encoder(to_tensor(photo))[0].double().numpy()
    winners = world.banks.patches(torch.tensor(trace.column("entry"))).double().numpy()
    for share, y, x, patch, value in zip(
        shares, trace.column("y"), trace.column("x"), winners, trace.column("similarity"), strict=True
    ):
        query = features[:, y : y + 4, x : x + 4]
        dots = np.array(weights) * band_dots(query, patch)
        # An error of HALF in the parts of a similarity counts for more where the similarity is small.
        assert share == pytest.approx(dots / dots.sum(), abs=HALF / float(value))
    assert (shares[:, np.array(weights) == 0] == 0).all()


def test_shares_of_the_chosen_row_are_given_where_a_neighbour_was_continued(world, photo):
    trace = world.translator.traced(photo, align=0, coherence=0.2)
    assert trace.column("kt.coherent").any()
    assert (trace.winners["rank"].to_numpy() > 0).any()
    features = world.translator.encoder(to_tensor(photo))[0].double().numpy()
    winners = world.banks.patches(torch.tensor(trace.column("entry"))).double().numpy()
    for share, y, x, patch, value in zip(
        match_shares(trace), trace.column("y"), trace.column("x"), winners, trace.column("similarity"), strict=True
    ):
        dots = np.array([1, 1, 1, 0]) * band_dots(features[:, y : y + 4, x : x + 4], patch)
        assert share == pytest.approx(dots / dots.sum(), abs=HALF / float(value))


def test_the_recorded_weights_give_the_recorded_ranking(trace):
    found = ktviz.reweigh(trace, (1, 1, 1, 0))
    assert found["query"].tolist() == trace.column("query").tolist()
    assert found["entry"].tolist() == trace.column("entry").tolist()
    assert np.abs(found["similarity_then"] - trace.column("similarity")).max() < HALF
    clear = trace.column("margin") > 2 * HALF
    assert clear.sum() > 10
    assert not found["changes"][clear].any()
    assert found["source_then"][clear].astype(str).tolist() == trace.column("source")[clear].tolist()


def test_weights_count_by_their_proportions(trace):
    one, ten = ktviz.reweigh(trace, (1, 2, 3, 0)), ktviz.reweigh(trace, (10, 20, 30, 0))
    assert one["entry_then"].tolist() == ten["entry_then"].tolist()
    assert one["similarity_then"].tolist() == pytest.approx(ten["similarity_then"].tolist())


@pytest.mark.parametrize("weights", OTHERS)
def test_other_weights_choose_as_an_exhaustive_comparison_of_the_candidates_does(trace, rows, weights):
    best, clear = {}, set()
    scores = {}
    for query, entry, _, one, other in rows:
        scores.setdefault(query, []).append((similarity(one, other, weights), entry))
    for query, found in scores.items():
        found.sort(reverse=True)
        best[query] = found[0]
        if found[0][0] - found[1][0] > 2 * HALF:
            clear.add(query)
    then = ktviz.reweigh(trace, weights)
    assert len(clear) > 10
    for row in then.itertuples():
        value, entry = best[row.query]
        assert row.similarity_then == pytest.approx(value, abs=HALF)
        if row.query in clear:
            assert row.entry_then == entry
        assert row.changes == (row.entry != row.entry_then)
        # What is named is really as good as the best, within the digits.
        chosen = next(s for s, e in scores[row.query] if e == row.entry_then)
        assert chosen > value - 2 * HALF
    assert then["changes"].any()


def test_a_search_with_all_entries_as_candidates_wins_as_reweighing_says(world, paint):
    """With every entry recorded, reweighing is a search with other weights."""
    photo = paint(9, 24, 24)
    settings = {"align": 0, "preset": "exact", "coherence": 0}
    everything = world.translator.traced(photo, candidates=len(world.banks), **settings)
    then = ktviz.reweigh(everything, (0.5, 1, 3, 0.2))
    searched = world.translator.traced(photo, band_weights=(0.5, 1, 3, 0.2), **settings)
    assert then["similarity_then"].tolist() == pytest.approx(searched.column("similarity").tolist(), abs=HALF)
    clear = searched.column("margin") > 2 * HALF
    assert clear.any()
    assert then["entry_then"][clear].tolist() == searched.column("entry")[clear].tolist()


def test_bands_that_hold_nothing_give_no_nan(world):
    trace = world.translator.traced(np.full((32, 32, 3), 90, np.uint8), coherence=0)
    assert np.isfinite(match_shares(trace)).all()
    assert np.isfinite(ktviz.reweigh(trace, (0, 1, 1, 0))["similarity_then"]).all()


def test_reweighing_needs_no_model_and_works_from_a_file(trace, tmp_path):
    trace.save(tmp_path / "trace.parquet")
    opened = ktviz.Trace.open(tmp_path / "trace.parquet")
    one, other = (ktviz.reweigh(t, (0, 1, 1, 0)) for t in (trace, opened))
    assert one["entry_then"].tolist() == other["entry_then"].tolist()
    assert match_shares(opened) == pytest.approx(match_shares(trace))


def test_each_image_of_a_recording_is_reweighed_for_itself(world, paint):
    with ktviz.record(world.translator) as both:
        for seed in (9, 12):
            world.translator(paint(seed), coherence=0)
    found = ktviz.reweigh(both, (0, 1, 1, 0))
    alone = [ktviz.reweigh(both.image(n), (0, 1, 1, 0)) for n in (0, 1)]
    assert found["entry_then"].tolist() == [e for part in alone for e in part["entry_then"]]


def test_a_part_of_a_trace_is_reweighed_like_the_whole(trace):
    part = ktviz.reweigh(trace[ktviz.Box(20, 20, 10, 10)], (0, 1, 1, 0))
    whole = ktviz.reweigh(trace, (0, 1, 1, 0)).set_index("query")
    assert 0 < len(part) < len(whole)
    assert part["entry_then"].tolist() == whole.loc[part["query"], "entry_then"].tolist()


def test_a_thinned_trace_cannot_be_ranked_again(trace):
    thinned = ktviz.Trace(trace.winners, {**trace.about, "thinned": True}, trace.pictures, trace.model)
    with pytest.raises(TraceError, match="thinned to winners"):
        ktviz.reweigh(thinned, (1, 1, 1, 1))
    assert match_shares(thinned) == pytest.approx(match_shares(trace))


@pytest.mark.parametrize("weights", [(1, 1), (0, 0, 0, 0), (-1, 1, 1, 1), (float("nan"), 1, 1, 1)])
def test_weights_that_are_none_are_refused(trace, weights):
    with pytest.raises(SettingError, match="four non-negative numbers"):
        ktviz.reweigh(trace, weights)


def test_a_system_without_bands_is_refused():
    class Pick(torch.nn.Module):
        def forward(self, image):
            return image

    model = Pick()
    site = ktviz.adapt(
        model,
        lambda inputs, output: ktviz.Matches.hard(torch.tensor([0, 1, 1, 0]), torch.ones(4)),
        queries=ktviz.Queries.grid(2, 2, step_px=8),
        catalogue=ktviz.Catalogue.wholes(["one", "two"]),
    )
    with ktviz.record(model, site) as trace:
        model(torch.zeros(1, 3, 16, 16))
    for ask in (match_shares, lambda t: ktviz.reweigh(t, (1, 1, 1, 0))):
        with pytest.raises(TraceError, match="no bands"):
            ask(trace)
