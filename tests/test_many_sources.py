"""Of very many sources, traces, views, stores and audits name those that they speak of, and count the others."""

from __future__ import annotations

from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest
from crowds import BANK, OWN, SHARED, crowd, photo
from views.wire import Wire, unpack

import ktviz as kt
from ktviz.audit import rivals
from ktviz.audit.agreement import check_listed
from ktviz.audit.fingerprint import fingerprints
from ktviz.errors import Difference, UnknownNameError
from ktviz.explain.case import case_of
from ktviz.systems.kt.translator import Translator
from ktviz.trace import listed
from ktviz.widgets.panels.tree import PANEL as TREE_PANEL
from ktviz.widgets.scene import columns
from ktviz.widgets.subject import Subject

FEW, SEVERAL, MANY = 200, 3000, 70_000
"""Sources: all of them listed; more than are listed; more than two bytes can number."""
MOST_GROWTH = 1.5
"""By how much a file may be larger where there are more sources."""


@pytest.fixture(scope="module")
def made(tmp_path_factory, toy, toy_decoder):
    """`made(count)`: a crowd, and the same photo translated with it."""

    @cache
    def make(count):
        folder = tmp_path_factory.mktemp(f"crowd-{count}")
        library = crowd(folder, count, toy)
        translator = Translator(library[BANK], toy, toy_decoder)
        trace = translator.traced(photo(), candidates=4, align=0)
        return SimpleNamespace(folder=folder, library=library, translator=translator, trace=trace)

    return make


@pytest.fixture(scope="module")
def whole(made):
    """`whole(count)`: the same trace, with all sources listed."""

    @cache
    def make(count):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(listed, "MOST_SOURCES", 1 << 20)
            return made(count).translator.traced(photo(), candidates=4, align=0)

    return make


def names_in(trace):
    return {source["source"] for source in trace.about["sources"]}


def test_a_trace_names_the_candidates_and_counts_the_others(made, tmp_path):
    few, many = made(FEW).trace, made(MANY).trace
    assert (len(few.about["sources"]), few.unlisted) == (FEW, 0)
    assert "unlisted" not in few.about
    assert names_in(many) == {*many.column("source", winners=False), f"{BANK}/000000.png"}
    assert max(int(name[-10:-4]) for name in many.column("source")) > 65_535
    assert many.about["unlisted"] == {BANK: MANY - len(many.about["sources"])}
    assert many.sources()["share"].sum() == pytest.approx(1)
    assert many.summary()["sources used"].endswith("of 70,000")
    for name, trace in (("few", few), ("many", many)):
        trace.save(tmp_path / name)
        again = kt.Trace.open(tmp_path / name)
        assert (again.digest, again.unlisted) == (trace.digest, trace.unlisted)
    assert size(tmp_path / "many") < MOST_GROWTH * size(tmp_path / "few")


def test_nothing_else_changes_where_all_are_listed(made, whole):
    every, some = whole(MANY), made(MANY).trace
    assert len(every.about["sources"]) == MANY
    for column in ("source", "bank", "entry", "source_box"):
        assert np.array_equal(some.column(column, winners=False), every.column(column, winners=False))
    found, known = (trace.sources().set_index("source")["share"] for trace in (some, every))
    assert found.to_dict() == known[found.index].to_dict()
    assert known.sum() == pytest.approx(found.sum())


def test_sources_of_two_sites_are_counted_together(made):
    trace = made(MANY).translator.traced(photo(), candidates=2)
    assert len(trace.sites) == 2
    assert trace.unlisted + len(trace.about["sources"]) == MANY
    for name in trace.sites:
        assert trace.site(name).unlisted == trace.unlisted


def test_shares_without_a_recording_are_of_the_candidates(made):
    shares = kt.source_shares(made(MANY).translator(photo(), candidates=4, align=0))
    assert len(shares) < FEW
    assert shares["share"].sum() == pytest.approx(1)


def test_names_and_numbers_are_found_without_a_list(made):
    banks = made(MANY).library[BANK]
    last = f"{BANK}/{MANY - 1:06d}.png"
    assert (banks.source_names[MANY - 1], banks.source_numbers[last]) == (last, MANY - 1)
    assert (last in banks.source_names, last in banks.source_numbers) == (True, True)
    assert banks.source_numbers.get(f"{BANK}/{MANY:06d}.png") is None
    assert banks.find_source("069999") == last
    assert [*banks.source_names[:2]] == [f"{BANK}/000000.png", f"{BANK}/000001.png"]
    with pytest.raises(UnknownNameError, match="and 69980 more"):
        banks.find_source("nobody")


@pytest.mark.parametrize("count", [FEW, MANY])
def test_a_view_draws_every_retrieval_from_its_source(made, count):
    trace = made(count).trace
    with kt.Explorer(trace) as view:
        values, parts = unpack(view._scene)
        _, pictures = Wire(view).answer("pictures", {"sources": [0, len(values["sources"]) - 1]})
    assert values["unlisted"] == trace.unlisted
    assert {source["name"] for source in values["sources"]} == names_in(trace)
    assert drawn(parts["source"], [source["name"] for source in values["sources"]]) == recorded(trace)
    assert len(pictures) == 2


def test_a_view_is_no_larger_where_there_are_more_sources(made, tmp_path):
    scenes = {}
    for count in (FEW, MANY):
        with kt.Explorer(made(count).trace) as view:
            scenes[count] = len(view._scene)
            view.to_html(tmp_path / f"{count}.html")
    assert scenes[MANY] < MOST_GROWTH * scenes[FEW]
    assert size(tmp_path / f"{MANY}.html") < MOST_GROWTH * size(tmp_path / f"{FEW}.html")


def test_numbers_of_sources_beyond_two_bytes_are_right(whole):
    """As where a trace has so many candidates; here the sources are numbered the other way round."""
    trace = whole(MANY)
    names = trace.sources()["source"].tolist()[::-1]
    numbers = columns(Subject(trace, None, order=names))["source"]
    assert numbers.dtype == np.int32
    assert numbers.max() > 65_535
    assert drawn(numbers, names) == recorded(trace)


def drawn(numbers, names):
    """Names of the sources of all winners, as a browser reads them."""
    return [names[number] for number in np.asarray(numbers).tolist()]


def recorded(trace):
    return [*map(str, trace.column("source"))]


def test_sources_that_only_counterfactuals_take_have_numbers_of_their_own(made):
    trace = made(MANY).trace
    first, second = trace.sources()["source"][:2]
    known = names_in(trace)
    with kt.Explorer(trace) as view:
        wire, names = Wire(view), [source["name"] for source in unpack(view._scene)[0]["sources"]]
        seen = {}
        for without in ([first], [first, second], [second]):
            wire.answer("translate", {"without": [names.index(name) for name in without], "weights": []})
            values, parts = unpack(view._after)
            after = [source["name"] for source in values["sources"]]
            assert after[: len(names)] == names
            assert drawn(parts["source"], after) == recorded(view.shown)
            assert not {*without} & {*view.shown.column("source")}
            for number, name in enumerate(after):
                assert seen.setdefault(number, name) == name
            assert all(0 <= number < len(after) for heir in values["comparison"]["heirs"] for number in heir[:2])
        assert {*seen.values()} > known  # else nothing was asked
        later = len(seen) - 1
        assert wire.answer("pictures", {"sources": [later]})[1].keys() == {f"picture/{later}"}
        wire.answer("translate", {"without": [later], "weights": []})
        assert seen[later] in view.shown.picture.settings["without"]
        wire.select({"kind": "source", "source": later})
        assert len(view.selection) == 0


def test_a_view_of_banks_shows_the_first_sources(made):
    banks = made(MANY).library[BANK]
    subject = Subject.of_banks(banks)
    assert len(subject.names) == listed.MOST_SOURCES
    assert len(subject.names) + subject.trace.unlisted == MANY
    assert subject.picture(5) is not None
    assert TREE_PANEL.appears(subject)
    with kt.TreeView(banks) as view:
        assert len(view._scene) < 1_000_000
    assert "69,9" in banks._repr_html_()


def test_a_store_keeps_and_finds_what_a_trace_names(made, tmp_path):
    few, many = made(FEW).trace, made(MANY).trace
    store = kt.TraceStore(tmp_path)
    for name, trace in (("few", few), ("many", many)):
        store.append(trace, name)
    shares = many.sources()
    for name, share, sha256 in zip(*(shares[column][:3] for column in ("source", "share", "sha256")), strict=True):
        found = store.uses(name).set_index("trace")
        assert found["share"]["many"] == pytest.approx(share)
        assert found["retrievals"]["many"] == (many.column("source") == name).sum()
        assert sha256 in {*store.uses(sha256)["sha256"]}
    assert size(tmp_path / "index/many.parquet") < MOST_GROWTH * size(tmp_path / "index/few.parquet")


def test_an_audit_names_what_its_trace_names(made, tmp_path):
    audits = {}
    for count in (FEW, SEVERAL):
        world = made(count)
        audits[count] = audit = kt.Audit.create(world.trace, top=1, sample=20)
        audit.save(tmp_path / str(count))
        verdict = kt.verify(tmp_path / str(count), world.library, model=world.translator)
        assert verdict.ok, verdict.difference
        assert len(audit.about["searched"]) + audit.about["unlisted"] == count
        assert {one.source for one in audit.fingerprints} == names_in(world.trace)
        opened = kt.Audit.open(tmp_path / str(count))
        assert (opened.about, opened.fingerprints) == (audit.about, audit.fingerprints)
        assert f"of {count:,}</dd>" in (tmp_path / str(count) / "report.html").read_text(encoding="utf-8")
    few, many = (sum(map(size, (tmp_path / str(count)).rglob("*.*"))) for count in audits)
    assert many < MOST_GROWTH * few


def test_an_audit_of_a_run_without_some_counts_those_that_were_left(made):
    world = made(SEVERAL)
    best = world.trace.sources()["source"][0]
    unlisted = f"{BANK}/002000.png"
    assert unlisted not in names_in(world.trace)
    trace = kt.without(world.trace, [best, unlisted])
    audit = kt.Audit.create(trace, top=1, sample=5)
    assert len(audit.about["searched"]) + audit.about["unlisted"] == SEVERAL - 2
    assert best not in audit.about["searched"]


def test_which_sources_a_trace_lists_may_be_rounded_elsewhere_but_not_what_it_says_of_them(made):
    world = made(SEVERAL)
    banks, about = world.library[BANK], world.trace.about
    other = world.translator.traced(photo(), candidates=2, align=0).about
    assert other["sources"] != about["sources"]
    check_listed("trace", about, other, banks)
    first, *rest = about["sources"]
    for sources in ([{**first, "licence": "CC0-1.0"}, *rest], [{**first, "source": f"{BANK}/nobody.png"}, *rest], rest):
        with pytest.raises(Difference, match="trace: its"):
            check_listed("trace", {**about, "sources": sources}, other, banks)
    with pytest.raises(Difference, match="its unlisted"):
        check_listed("trace", {**about, "unlisted": {BANK: 7}}, other, banks)


def test_fingerprints_of_some_sources_are_those_that_all_would_have(made):
    banks = made(FEW).library[BANK]
    names = [banks.source_names[number] for number in (0, SHARED + 3, FEW - OWN, FEW - 1)]
    every = {one.source: one for one in fingerprints(banks)}
    assert fingerprints(banks, names) == [every[name] for name in names]
    alone = every[names[-1]].runs["features"][1]
    assert alone
    assert not any({*alone} & {*one.runs["features"][1]} for one in every.values() if one.source != names[-1])


def test_rivals_are_counted_among_sources_that_are_not_listed(made, whole, monkeypatch):
    world, rows = made(SEVERAL), np.arange(12)
    expected = rivals.counted(case_of(whole(SEVERAL)), rows, 0.3)
    assert expected.max() > len(names_in(world.trace))
    assert np.array_equal(rivals.counted(case_of(world.trace), rows, 0.3), expected)
    monkeypatch.setattr(rivals, "sample", lambda trace: [rows])
    monkeypatch.setattr(rivals, "MOST_SCORES", 2 * SEVERAL)
    assert rivals.rivals(case_of(world.trace), 0.3)["rivals"].tolist() == expected.tolist()


def test_more_maps_than_may_be_mapped_are_held_in_memory(made, monkeypatch):
    monkeypatch.setattr("ktviz.library.kinds.patches.maps.MOST_MAPPED", 3)
    world = made(FEW)
    banks = kt.Library.open(world.library.folder)[BANK]
    again = Translator(banks, world.translator.encoder, world.translator.decoder)
    trace = again.traced(photo(), candidates=4, align=0)
    assert trace.digest == world.trace.digest
    assert len(banks.banks[0].entries.maps.opened) > 3


def size(path):
    return path.stat().st_size
