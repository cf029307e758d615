"""Exemplars out of banks: chosen by a ranking that is recorded, named, credited, and done without."""

import shutil
import warnings

import numpy as np
import pytest
import torch
from torch.nn import functional as F

import ktviz as kt
from ktviz.audit.removal import verify_removal
from ktviz.errors import (
    AbilityError,
    LabelError,
    LibraryError,
    MismatchError,
    SettingError,
    UnknownNameError,
)
from ktviz.images import file_digest
from ktviz.labels import Classes, write_map
from ktviz.library.library import Library
from ktviz.systems.cocosnet.choice import seen_labels
from ktviz.systems.cocosnet.system import CoCosNet
from ktviz.systems.registry import opened

from .conftest import BANK, CLASSES, MAPLESS, library_of

NAMES = [f"{BANK}/{name}.png" for name in "abcd"]
BOX = kt.Box(8, 8, 16, 12)


@pytest.fixture(scope="module")
def library(tmp_path_factory, save, paint):
    return library_of(tmp_path_factory.mktemp("scenes"), save, paint)


@pytest.fixture(scope="module")
def networks(make_networks):
    """Which compare no label maps, so that exemplars need none."""
    return make_networks(shape=MAPLESS)


@pytest.fixture(scope="module")
def system(library, networks):
    return CoCosNet.from_bank(library[BANK], networks=networks)


@pytest.fixture(scope="module")
def trace(system, labels):
    return system.traced(labels)


@torch.no_grad()
def summaries(networks, system, labels):
    """Cosines of a label map with all pictures, by hand."""
    planes = F.one_hot(torch.from_numpy(np.pad(labels, ((0, 3), (0, 2)), mode="edge")), 5).movedim(-1, 0)[None].float()
    asked = F.adaptive_avg_pool2d(networks.correspondence.of_labels(planes), 4).flatten()
    found = []
    for number in range(len(system.banks)):
        pixels = torch.tensor(system.banks.picture(number)).movedim(-1, 0)[None] / 127.5 - 1
        features = networks.correspondence.of_picture(F.pad(pixels, (0, 3, 0, 0), mode="reflect"))
        found.append(float(F.cosine_similarity(asked, F.adaptive_avg_pool2d(features, 4).flatten(), 0)))
    return np.array(found)


def test_the_most_similar_picture_is_the_exemplar_and_all_ranks_are_recorded(system, networks, trace, labels):
    site = trace.site("exemplar")
    expected = summaries(networks, system, labels)
    order = np.argsort(-expected)
    assert site.column("entry", winners=False).tolist() == order.tolist()
    assert np.allclose(site.column("similarity", winners=False), expected[order], atol=1e-5)
    assert site.column("source", winners=False).tolist() == [NAMES[n] for n in order]
    assert np.isnan(site.column("source_box")).all()
    about = site.site_about
    assert trace.sites == ["exemplar", "correspondence"]
    assert (about["kind"], about["paints"], about["searched"]) == ("hard", False, False)
    assert set(trace.site("correspondence").column("source")) == {NAMES[order[0]]}
    assert np.array_equal(trace.picture.canvases["reference:0"], system.banks.picture(int(order[0])))


def test_each_source_stands_once_with_its_credit(trace):
    assert [source["source"] for source in trace.about["sources"]] == NAMES
    assert trace.about["sources"][2]["creator"] == "Ann"
    shares = trace.site("correspondence").sources().set_index("source")["share"]
    assert (shares > 0).sum() == 1


def test_without_the_exemplar_the_next_one_is_taken(trace):
    ranked = trace.site("exemplar").column("source", winners=False).tolist()
    without = kt.without(trace, ranked[0])
    assert set(without.site("correspondence").column("source")) == {ranked[1]}
    assert without.site("exemplar").column("source", winners=False).tolist() == ranked[1:]
    assert without.picture.settings["without"] == [ranked[0]]
    third = kt.without(without, ranked[1].rsplit("/")[-1])
    assert set(third.site("correspondence").column("source")) == {ranked[2]}
    assert len(kt.compare(trace, without)) == len(trace.site("correspondence"))
    number = int(trace.site("exemplar").column("entry")[0])
    assert kt.without(trace.site("exemplar"), number).digest == without.digest
    with pytest.raises(UnknownNameError, match="there are 4 pictures"):
        kt.without(trace.site("exemplar"), 4)


@pytest.mark.parametrize("what", [NAMES, BANK])
def test_something_must_be_left(trace, what):
    with pytest.raises(UnknownNameError, match="nothing would be left"):
        kt.without(trace, what)


def test_cells_of_the_exemplar_are_left_out_by_its_name(system, trace, labels):
    name = trace.site("correspondence").column("source")[0]
    by_box = kt.without(trace, kt.Box(0, 0, 20, 20))
    by_name = system.traced(labels, without=kt.SourceRegion(name, kt.Box(0, 0, 20, 20)))
    assert by_box.digest == by_name.digest
    assert by_box.picture.settings["without"][0]["source"] == name
    other = next(one for one in NAMES if one != name)
    untouched = kt.without(trace, kt.SourceRegion(other, kt.Box(0, 0, 20, 20)))
    assert np.array_equal(untouched.output, trace.output)
    with pytest.raises(SettingError, match="not said of which picture"):
        system(labels, without=kt.Box(0, 0, 20, 20))
    entry = int(trace.site("correspondence").column("entry")[0])
    assert entry not in kt.without(trace.site("correspondence"), entry).site("correspondence").column("entry")


@pytest.mark.parametrize("value", [b"ab", bytearray(b"ab"), True, [True], np.array([True]), 1.5, None], ids=repr)
def test_bytes_and_truth_values_leave_nothing_out(system, networks, trace, labels, paint, value):
    one = CoCosNet(paint(0, 32, 45), None, networks)
    for asked in (
        lambda: system(labels, without=value),
        lambda: kt.without(trace, value),
        lambda: kt.without(trace.site("correspondence"), value),
        lambda: one(labels, without=value),
    ):
        with pytest.raises(SettingError, match=r"without |part "):
            asked()


AGAIN = "new retrievals, none of it"
SETTINGS = {
    "chosen": ({}, dict.fromkeys("abcd", AGAIN)),
    "named": ({"exemplar": "a"}, {"a": "the audit asked no other source"}),
    "all but one left out": (
        {"without": ["b", "c", "d"]},
        {"a": "cannot be made any more with what is left", "b": f"{AGAIN}; 1 of 3 parts that the audit left out"},
    ),
    "parts left out": (
        {"without": [kt.SourceRegion(f"{name}.png", kt.Box(0, 0, 8, 8)) for name in "ab"]},
        {"a": f"{AGAIN}; 1 of 2 parts that the audit left out", "c": AGAIN},
    ),
}
"""By what the run was asked for: settings, and what is said of the removal of each picture."""


@pytest.mark.parametrize("run", SETTINGS)
def test_the_removal_of_any_picture_is_proven_whatever_the_run_names(library, networks, system, labels, tmp_path, run):
    settings, said = SETTINGS[run]
    kt.Audit.create(system.traced(labels, **settings), top=0).save(tmp_path / "audit")
    asked = {"model": system, "sha256": file_digest(tmp_path / "audit" / "manifest.json")}
    for gone, words in said.items():
        left = Library.open(shutil.copytree(library.folder, tmp_path / f"{gone}.ktlib"))
        assert "still holds" in verify_removal(tmp_path / "audit", left, gone, **asked).difference
        left.remove(BANK, gone, quiet=True)
        verdict = verify_removal(tmp_path / "audit", left, gone, **asked)
        assert verdict.ok, verdict.difference
        assert words in verdict.checks[-1]


def test_an_exemplar_that_is_named_is_taken_without_a_ranking(system, labels, trace):
    made = system(labels, exemplar="d")
    assert made.exemplar.name == NAMES[3]
    assert made.choice is None
    named = system.rerun(trace, exemplar="b")
    assert named.picture.settings["exemplar"] == NAMES[1]
    assert not len(named.site("exemplar"))
    assert set(named.site("correspondence").column("source")) == {NAMES[1]}
    assert system.searched(named) == [NAMES[1]]
    assert named.summary()["retrievals"] == len(named)
    assert system.rerun(named).digest == named.digest
    with pytest.raises(UnknownNameError, match="it is the exemplar that is asked for"):
        kt.without(named, "b")
    with pytest.raises(UnknownNameError, match="source 'e'"):
        system(labels, exemplar="e")


def test_one_exemplar_of_a_bank_is_as_its_file(library, networks, labels, trace, system):
    alone = CoCosNet.from_bank(library[BANK], "c", networks)
    assert repr(alone) == f"CoCosNet({NAMES[2]}, 45x40 px)"
    assert np.array_equal(alone(labels).output, system(labels, exemplar="c").output)
    single = alone.traced(labels)
    assert single.sites == ["correspondence"]
    assert single.about["sources"][0]["creator"] == "Ann"
    assert f"library source {NAMES[2]}" in single.about["digests"]
    assert opened(single, library, alone).rerun(single).digest == single.digest
    with pytest.raises(MismatchError, match="no library was given"):
        opened(single, None, alone)


def test_the_system_of_a_trace_is_opened_on_its_banks(trace, library, system):
    found = opened(trace, library, system)
    assert found.digests() == system.digests()
    assert found.rerun(trace).digest == trace.digest
    assert repr(found) == f"CoCosNet(4 exemplars of {BANK})"
    with pytest.raises(MismatchError, match="no library was given"):
        opened(trace, None, system)


def test_questions_about_both_sites(trace, system):
    found = kt.attribute(trace, BOX, through="footprint")
    assert found.frame["share"].max() > 0.9
    asked, site = {"through": "ablation", "quiet": True}, trace.site("exemplar")
    whole = kt.attribute(trace, BOX, **asked)
    ablated = whole.frame
    assert ablated["share"].iloc[0] != 0
    assert whole.about["instead"].startswith("of an exemplar the next")
    alone, numbered = (kt.attribute(site, BOX, by=by, **asked).frame for by in ("source", "entry"))
    assert alone[["source", "share"]].equals(ablated[["source", "share"]])
    assert numbered["share"].tolist() == ablated["share"].tolist()
    chosen = kt.attribute(site)
    assert chosen.frame["share"].tolist() == [1.0, 0.0, 0.0, 0.0]
    with pytest.raises(AbilityError, match="paints nothing itself"):
        kt.attribute(trace.site("exemplar"), through="gradient")
    with pytest.raises(AbilityError, match="does not search"):
        trace.site("exemplar").regret()
    best = system.best_by_source(trace.site("correspondence"), np.array([0, 1]))
    assert torch.isfinite(best).sum(1).tolist() == [1, 1]
    assert len(kt.backtrack(trace.site("exemplar")).patches) == 1


def test_views_and_cards_of_both_sites(trace, tmp_path):
    with kt.Explorer(trace) as view:
        assert view.site == "correspondence"
        view.site = "exemplar"
        view.to_html(tmp_path / "page.html")
    assert trace._repr_html_()
    assert trace.site("exemplar")._repr_html_()


def test_an_audit_tells_what_the_picture_would_be_with_the_next_exemplar(trace, library, system, tmp_path):
    audit = kt.Audit.create(trace)
    ranked = trace.site("exemplar").column("source", winners=False).tolist()
    assert audit.tables["counterfactuals"][["source", "taken_over_by"]].values.tolist() == [ranked[:2]]
    audit.save(tmp_path / "audit")
    verdict = kt.verify(tmp_path / "audit", library, model=system)
    assert verdict, verdict.difference
    with pytest.raises(MismatchError, match="no library was given"):
        raise_of(kt.verify(tmp_path / "audit", model=system))


def raise_of(verdict):
    assert not verdict
    raise MismatchError(verdict.difference, "", "")


@pytest.fixture(scope="module")
def mapped(tmp_path_factory, save, paint, make_map, toy, settings):
    """A bank of pictures with label maps, of `CLASSES`, and of others."""
    root = tmp_path_factory.mktemp("mapped")
    for number, name in enumerate("abc"):
        save(root / "in" / f"{name}.png", paint(number, 36, 45))
        (root / "maps").mkdir(exist_ok=True)
        write_map(root / "maps" / f"{name}.png", make_map(number, 36, 45, count=3 + number % 3))
    found = Library.ensure(root / "l.ktlib", toy, settings)
    quiet = {"kind": "pictures", "labels": root / "maps", "quiet": True}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # nobody is credited
        found.build(BANK, root / "in", classes=CLASSES, **quiet)
        found.build("scenes/other", root / "in", classes=Classes.numbered(5), **quiet)
    return found


def test_label_maps_come_out_of_the_bank(mapped, make_networks, labels, make_map, paint, tmp_path):
    networks = make_networks()
    system = CoCosNet.from_bank(mapped[BANK], networks=networks)
    trace = system.traced(labels, exemplar="b")
    file = CoCosNet(paint(1, 36, 45), make_map(1, 36, 45, count=4), networks)
    assert np.array_equal(trace.output, file(labels).output)
    assert np.array_equal(
        trace.picture.canvases["reference:labels"], np.array(CLASSES.colours)[make_map(1, 36, 45, count=4)]
    )
    kt.Audit.create(trace).save(tmp_path / "audit")
    verdict = kt.verify(tmp_path / "audit", mapped, model=system)
    assert verdict, verdict.difference
    alone = CoCosNet.from_bank(mapped[BANK], "b", networks)
    assert f"library source {BANK}/b.png labels" in alone.digests()
    single = alone.traced(labels)
    assert opened(single, mapped, system).rerun(single).digest == single.digest


def test_banks_of_other_classes(mapped, make_networks, labels):
    networks = make_networks()
    for exemplar in ("b", None):
        with pytest.raises(LabelError, match="exemplars of scenes/other: class 0 is 'class 0', not 'sky'"):
            CoCosNet.from_bank(mapped["scenes/other"], exemplar, networks)
    both = mapped.select([BANK, "scenes/other"])
    with pytest.raises(LibraryError, match="class 0 is"):
        CoCosNet.from_bank(both, networks=networks)


def test_banks_that_do_not_fit(world, library, make_networks, networks):
    with pytest.raises(LibraryError, match="pictures are needed"):
        CoCosNet.from_bank(world.library["art/warm"], networks=networks)
    for exemplar in ("a", None):
        with pytest.raises(LabelError, match="scenes/street: no label map, which these networks compare"):
            CoCosNet.from_bank(library[BANK], exemplar, make_networks())


@pytest.mark.parametrize(("height", "width"), [(256, 300), (300, 256)])
def test_label_maps_are_compared_as_large_as_pictures_are(system, make_map, height, width):
    """Three times as large, a map is seen as it is: so is what it is like, and no more memory is used."""
    small = make_map(5, height, width, count=5, block=37)
    large = np.kron(small, np.ones((3, 3), dtype=np.int64))
    assert np.array_equal(seen_labels(large), small)
    assert seen_labels(small) is small
    ranking = system.exemplars.ranking
    one, other = ranking.of(small, ()), ranking.of(large, ())
    assert torch.equal(one.entry, other.entry)
    assert torch.equal(one.similarity, other.similarity)
