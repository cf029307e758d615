"""Translations that another processor made: what rounding decides is let pass, and nothing better is hidden.

Close calls are rare: here all is much coarser than on real processors, that there are some. Real ones are
tried by `make processors`.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
import torch
from PIL import Image

import ktviz as kt
from ktviz.audit.evidence import only_winners
from ktviz.errors import Difference
from ktviz.images import read_image, resize_short_side
from ktviz.systems.kt import bounds, rounding
from ktviz.systems.kt.bounds import Bounds
from ktviz.systems.kt.live import live
from ktviz.systems.kt.rounding import Case, faults

ROUNDED = 1.4e-6
"""What features of two processors differ by, relative to their root mean square."""
COARSER = {"beam": 100, "paper": 3000}
"""Greedy descent hardly ever decides a close call."""
ROOM = 100
"""Similarities move less than features do."""
SEEDS = 3
CASES = {
    "the default": {},
    "few leaves": {"beam": 2},
    "two candidates": {"candidates": 2},
    "one candidate": {"candidates": 1, "beam": 4},
    "as published": {"preset": "paper"},
    "not aligned": {"align": 0.0, "beam": 3},
}


class Elsewhere(kt.Translator):
    """A translator on a processor that rounds otherwise."""

    seed, rounded = 0, ROUNDED

    def encode(self, pixels, rows=None):
        features, random = super().encode(pixels, rows), torch.Generator().manual_seed(self.seed)
        size = self.rounded * features.square().mean().sqrt()
        return features + size * torch.randn(features.shape, generator=random)


@pytest.fixture(scope="module")
def translate(samples, tmp_path_factory):
    """A translator with paintings that are unlike each other."""
    folder = tmp_path_factory.mktemp("rounding")
    paintings = sorted((samples / "art").rglob("*.jpg"))[::7][:3]
    settings = kt.LibrarySettings(side_px=128, branching=(10, 10))
    library = kt.Library.ensure(folder / "few.ktlib", settings=settings)
    library.build("art/few", paintings, quiet=True)
    return kt.Translator.shipped(library["art/few"])


@pytest.fixture(scope="module")
def photo(samples):
    return resize_short_side(read_image(samples / "photos" / "coffee.jpg"), 96)


@pytest.fixture
def make(translate, photo, monkeypatch):
    """`make(seed, **settings)`: a trace that is from elsewhere, and says so."""
    other = Elsewhere(translate.banks, translate.encoder, translate.decoder)
    least, most = bounds.LEAST_MOVED, bounds.MOST_MOVED
    for name in ("SIMILARITY", "BAND"):
        monkeypatch.setattr(rounding, name, ROOM * getattr(rounding, name))

    def trace(seed, **settings):
        coarser = COARSER[settings.get("preset", "beam")]
        other.seed, other.rounded = seed, coarser * ROUNDED
        monkeypatch.setattr(bounds, "LEAST_MOVED", coarser * least)
        monkeypatch.setattr(bounds, "MOST_MOVED", coarser * most)
        made = other.traced(photo, **settings)
        return kt.Trace(made.table, {**made.about, "processor": "another"}, made.pictures)

    return trace


def check(translate, trace):
    """Which winners are other ones than here, by site."""
    again = translate.rerun(trace)
    again = only_winners(again) if trace.thinned else again
    return {site: translate.check_rounded("trace", trace.site(site), again.site(site)) for site in trace.sites}


def doubtful(translate, trace):
    """How many choices of a trace are not those of one search here."""
    found = 0
    for site in trace.sites:
        case = live(trace.site(site), translate)
        judged = Case("trace", case, case.asking)
        found += int(torch.stack([wrong for _, wrong in faults(judged, Bounds.of(judged.found))]).any(0).sum())
    return found


@pytest.mark.parametrize("settings", CASES.values(), ids=CASES)
def test_what_rounding_decides_is_let_pass(translate, make, settings):
    for seed in range(SEEDS):
        trace = make(seed, **settings)
        check(translate, trace)
        check(translate, only_winners(trace))


@pytest.mark.parametrize("settings", [{}, {"preset": "paper"}], ids=["beam", "as published"])
def test_rounding_does_decide_what_is_compared(translate, make, settings):
    """The control: without it, the test above would say nothing."""
    assert any(doubtful(translate, make(seed, **settings)) for seed in range(20))


def rewritten(trace, rows):
    """The trace with some of its rows only; the first of each query is its winner, as good as it is."""
    table = trace.table.take(np.asarray(rows))
    first = np.diff(table["query"].to_numpy(), prepend=-1) != 0
    for name, values in (("chosen", first), ("kt.coherent", np.zeros(len(rows), bool))):
        place = table.schema.get_field_index(name)
        table = table.set_column(place, table.schema.field(place), pa.array(values))
    return trace.with_table(table)


@pytest.mark.parametrize("thinned", [False, True], ids=["all candidates", "winners"])
def test_a_hidden_best_entry_is_found(translate, photo, thinned):
    """All is recorded as if the second had been the best, wherever that is worse by more than rounding."""
    trace = translate.traced(photo, align=0.0, coherence=0.0)
    query, rank = (trace.column(name, winners=False) for name in ("query", "rank"))
    close = trace.column("margin") < 4 * rounding.SIMILARITY
    for chosen in np.flatnonzero(~close)[::20]:
        forged = rewritten(trace, np.flatnonzero((query != chosen) | (rank > 0)))
        forged = only_winners(forged) if thinned else forged
        with pytest.raises(Difference, match=f"retrieval {chosen}"):
            check(translate, kt.Trace(forged.table, {**forged.about, "processor": "another"}, forged.pictures))


def test_candidates_that_nobody_could_have_recorded_are_refused(translate, photo):
    trace = translate.traced(photo, align=0.0, coherence=0.0)
    query, chosen = (trace.column(name, winners=False) for name in ("query", "chosen"))
    other = int(np.flatnonzero((query == 5) & ~chosen)[0])
    rows = np.arange(len(query))
    with pytest.raises(Difference, match="more than 8 candidates"):
        check(translate, trace.with_table(trace.table.take(np.insert(rows, other, other))))
    place = trace.table.schema.get_field_index("query")
    for stray in (10**6, 6, 0):
        strays = pa.array(np.where(rows == other, stray, query), trace.table.schema.field(place).type)
        table = trace.table.set_column(place, trace.table.schema.field(place), strays)
        with pytest.raises(Difference, match="do not stand with the winner"):
            check(translate, trace.with_table(table))


def test_a_dropped_candidate_is_missed(translate, photo):
    trace = translate.traced(photo, align=0.0, coherence=0.0)
    query, rank = (trace.column(name, winners=False) for name in ("query", "rank"))
    forged = trace.with_table(trace.table.filter(pa.array((query != 5) | (rank != 7))))
    with pytest.raises(Difference, match="retrieval 5"):
        check(translate, forged)


@pytest.fixture(scope="module")
def twins(translate, samples, tmp_path_factory):
    """A translator with one painting in two files: each entry has an equal of another number."""
    folder = tmp_path_factory.mktemp("twins")
    painting = resize_short_side(read_image(sorted((samples / "art").rglob("*.jpg"))[0]), 96)
    for number, level in enumerate((1, 9)):
        Image.fromarray(painting).save(folder / f"{number}.png", compress_level=level)
    library = kt.Library.ensure(folder / "twins.ktlib", settings=kt.LibrarySettings(side_px=96, dedupe=1.0))
    library.build("art/twins", [folder / "0.png", folder / "1.png"], quiet=True)
    return kt.Translator(library["art/twins"], translate.encoder, translate.decoder)


@pytest.mark.parametrize("forgery", ["in the other order", "without the lower one"])
def test_of_two_equal_entries_no_rounding_takes_the_higher_one(twins, photo, forgery):
    trace = twins.traced(photo, align=0.0, coherence=0.0)
    query, similarity = (trace.column(name, winners=False) for name in ("query", "similarity"))
    first = np.flatnonzero(query == 5)[0]
    assert similarity[first] == similarity[first + 1]
    rows = np.arange(len(query))
    rows = np.delete(rows, first) if forgery == "without the lower one" else rows
    if forgery == "in the other order":
        rows[[first, first + 1]] = rows[[first + 1, first]]
    case = live(rewritten(trace, rows), twins)
    judged = Case("trace", case, case.asking)
    wrong = dict(faults(judged, Bounds.of(judged.found)))["an entry before its equal of a lower number"]
    assert wrong.nonzero().tolist() == [[5]]


@pytest.mark.parametrize("coherence", [0.06, 0.3])
def test_equal_entries_that_coherence_chooses_among_are_let_pass(twins, photo, coherence):
    trace = twins.traced(photo, align=0.0, coherence=coherence)
    case = live(trace, twins)
    judged = Case("trace", case, case.asking)
    width = judged.claimed.entry.shape[1]
    assert (judged.claimed.entry != judged.found.entry[:, :width]).any(1).sum() > 20  # those that are looked at
    assert not judged.twins.any()
