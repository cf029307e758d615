"""Explained by people, not only by files: creators, licences, banks, years."""

import numpy as np
import pytest

import ktviz as kt
from ktviz.errors import SettingError, UnknownNameError
from ktviz.library.library import Library
from ktviz.systems.kt.translator import Translator
from ktviz.trace.groups import GROUPS, group_of
from ktviz.trace.store import TraceStore

CREDITS = """file,title,creator,year,licence
a.png,Sea,Ann,1900,CC BY 4.0
b.png,Hill,Ann,1910,CC-BY-4.0
c.png,Sky,Ben,1910,CC0-1.0
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory, toy, settings, paint, save):
    """Two banks of five pictures, of three creators, one of them unknown."""
    root = tmp_path_factory.mktemp("credited")
    for number, name in enumerate(("one/a", "one/b", "two/c", "two/d", "two/e")):
        save(root / f"{name}.png", paint(40 + number, 64, 64))
    (root / "credits.csv").write_text(CREDITS)
    library = Library.ensure(root / "people.ktlib", toy, settings)
    for style in ("one", "two"):
        with pytest.warns(kt.SourceWarning):
            library.build(f"art/{style}", [root / style], encoder=toy, credits=root / "credits.csv", quiet=True)
    return library


@pytest.fixture(scope="module")
def credited(library, toy, toy_decoder):
    return Translator(library["art"], toy, toy_decoder)


@pytest.fixture(scope="module")
def trace(credited, paint):
    return credited.traced(paint(3, 96, 96))


@pytest.mark.parametrize("through", ["overlap", "footprint", "gradient", "ablation"])
@pytest.mark.parametrize("by", GROUPS)
def test_shares_of_people_are_those_of_their_sources_added_up(trace, by, through):
    region = kt.Box(16, 16, 48, 48)
    each = kt.attribute(trace, region, through=through, quiet=True)
    all_of = kt.attribute(trace, region, by=by, through=through, quiet=True)
    assert all_of.by == by
    about = {source["source"]: source for source in trace.about["sources"]}
    if through == "ablation":  # one source may stand in for another
        assert set(all_of.frame[by]) == {group_of(one, by) for one in about.values()}
        return
    known = each.frame.groupby([group_of(about[name], by) for name in each.frame["source"]])["share"].sum()
    assert np.allclose(all_of.frame.set_index(by)["share"][known.index], known, atol=1e-6)
    assert sorted(name for names in all_of.frame["sources"] for name in names) == sorted(about)


@pytest.fixture(scope="module")
def audit(trace, credited):
    return kt.Audit.create(trace, top=0, sample=5, model=credited)


@pytest.mark.parametrize("by", GROUPS)
def test_tables_of_an_audit_are_those_of_its_sources_added_up(audit, by):
    table, sources = audit.tables[f"{by}s"].set_index(by), audit.tables["sources"]
    about = {source["source"]: source for source in audit.trace.about["sources"]}
    groups = [group_of(about[name], by) for name in sources["source"]]
    known = sources.groupby(groups)[["share", "retrievals"]].sum()
    assert len(known) > 1
    assert np.allclose(table.loc[known.index, ["share", "retrievals"]], known, atol=1e-12)
    assert len(table) == len(known)
    assert table["share"].sum() == pytest.approx(sources["share"].sum())
    assert table["sources"].sum() == (sources["retrievals"] > 0).sum()


def test_tables_of_banks_and_years_are_in_the_report_and_verified(audit, library, credited, tmp_path):
    audit.save(tmp_path / "audit")
    report = (tmp_path / "audit" / "report.html").read_text()
    assert "<h2>Banks</h2>" in report
    assert "<td>art/two</td>" in report
    assert "<h2>Years</h2>" in report
    assert "<td>1910</td>" in report
    assert kt.verify(tmp_path / "audit", library, model=credited)


def test_a_report_has_no_table_of_one_bank_or_of_years_that_nobody_knows(world, paint, tmp_path):
    system = Translator(world.library["art/warm"], world.translator.encoder, world.translator.decoder)
    audit = kt.Audit.create(system.traced(paint(3, 64, 96)), top=0, sample=5, model=system)
    assert (len(audit.tables["banks"]), audit.tables["years"]["year"].tolist()) == (1, ["unknown"])
    audit.save(tmp_path / "audit")
    report = (tmp_path / "audit" / "report.html").read_text()
    assert "<h2>Licences</h2>" in report
    assert "<h2>Banks</h2>" not in report
    assert "<h2>Years</h2>" not in report


def test_one_licence_that_is_written_in_two_ways_is_one(trace):
    found = kt.attribute(trace, by="licence", through="overlap").frame["licence"]
    assert sorted(found) == ["CC-BY-4.0", "CC0-1.0", "unknown"]


def test_all_of_a_creator_are_left_out(trace):
    gone = kt.without(trace, "Ann", by="creator")
    again = kt.without(trace, ["art/one/a.png", "art/one/b.png"])
    assert np.array_equal(gone.output, again.output)
    assert not {"art/one/a.png", "art/one/b.png"} & {*gone.column("source")}
    for licence in ("CC BY 4.0", "CC-BY-4.0"):
        assert np.array_equal(kt.without(trace, licence, by="licence").output, gone.output)
    assert np.array_equal(kt.without(trace, "art/one", by="bank").output, gone.output)
    with pytest.raises(UnknownNameError, match="Ann"):
        kt.without(trace, "Anna", by="creator")
    with pytest.raises(SettingError, match="by"):
        kt.without(trace, "Ann", by="person")
    with pytest.raises(UnknownNameError, match="nothing would be left"):
        kt.without(trace, ["Ann", "Ben", "unknown"], by="creator")


def test_the_largest_groups_can_be_left_out_by_name(trace):
    found = kt.attribute(trace, by="creator", through="overlap")
    assert {*found.top(1)} == {*found.frame["sources"][0]}
    assert kt.without(trace, found.top(1)).output is not None


def test_a_store_says_whose_work_fills_it(credited, paint, tmp_path):
    store = TraceStore(tmp_path / "store")
    traces = [credited.traced(paint(number, 64, 64)) for number in range(3)]
    for number, one in enumerate(traces):
        store.append(one, f"t{number}")
    by_source = store.shares()
    for by in GROUPS:
        found = store.shares(by=by)
        assert found["share"].sum() == pytest.approx(by_source["share"].sum())
        assert found["share"].is_monotonic_decreasing
    mine = store.shares(by="creator").set_index("creator").loc["Ann"]
    known = [one.painting().sources().query("creator == 'Ann'")["share"].sum() for one in traces]
    assert mine["share"] == pytest.approx(np.mean(known))
    assert mine["most"] == pytest.approx(max(known))
    assert mine["trace"] == f"t{int(np.argmax(known))}"
    uses = store.uses("Ann", by="creator")
    assert {*uses["source"]} <= {"art/one/a.png", "art/one/b.png"}
    assert uses["share"].sum() == pytest.approx(sum(known))
    with pytest.raises(UnknownNameError, match="Ann"):
        store.uses("Anne", by="creator")
    with pytest.raises(SettingError):
        store.shares(by="person")
    assert TraceStore(tmp_path / "empty").shares(by="creator").empty
