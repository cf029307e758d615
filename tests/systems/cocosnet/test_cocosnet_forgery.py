"""Forged audits of CoCosNet: pictures that a run made again does not read, and what is said of an exemplar."""

import re
import warnings
from dataclasses import replace

import numpy as np
import pytest

import ktviz as kt
from ktviz.errors import AbilityError, SettingError
from ktviz.explain.result import one_site
from ktviz.images import pixel_digest
from ktviz.labels import write_map
from ktviz.library.library import Library
from ktviz.systems.cocosnet.system import CoCosNet
from ktviz.testing.forging import forge, with_other_pixels

from .conftest import CLASSES

BANK = "scenes/street"


@pytest.fixture(scope="module")
def library(tmp_path_factory, save, paint, make_map, toy, settings):
    root = tmp_path_factory.mktemp("forged")
    for number, name in enumerate("abc"):
        save(root / "in" / f"{name}.png", paint(number, 36, 45 + number))
        (root / "maps").mkdir(exist_ok=True)
        write_map(root / "maps" / f"{name}.png", make_map(number, 36, 45 + number))
    found = Library.ensure(root / "l.ktlib", toy, settings)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # nobody is credited
        found.build(BANK, root / "in", kind="pictures", labels=root / "maps", classes=CLASSES, quiet=True)
    return found


@pytest.fixture(scope="module", params=[None, "b", "given"])
def made(request, library, networks, system, labels, tmp_path_factory):
    """The folder of an audit and its system, with an exemplar that is chosen, named or given."""
    own = system if request.param == "given" else CoCosNet.from_bank(library[BANK], request.param, networks)
    folder = tmp_path_factory.mktemp("audits") / "audit"
    kt.Audit.create(own.traced(labels), top=1).save(folder)
    return folder, own


@pytest.fixture
def audit(made, tmp_path):
    """A copy to be forged, and its system."""
    folder, own = made
    kt.Audit.open(folder).save(tmp_path / "audit")
    return tmp_path / "audit", own


def test_honest_audits_agree(audit, library):
    folder, own = audit
    verdict = kt.verify(folder, library, model=own)
    assert verdict, verdict.difference


@pytest.mark.parametrize("canvas", ["input", "reference:0", "reference:labels", "output"])
def test_every_picture_is_the_one_that_the_trace_speaks_of(audit, library, canvas):
    folder, own = audit
    forge(folder, own, with_other_pixels(canvas))
    told = "another picture than the one beside it|library source|is of no class"
    assert re.search(told, kt.verify(folder, library, model=own).difference)


def test_an_exemplar_of_another_size_is_caught(audit, library):
    folder, own = audit

    def change(evidence):
        other = {"reference:0": np.full((90, 80, 3), 9, np.uint8)}
        return replace(evidence, recording=evidence.recording.with_canvases(other))

    forge(folder, own, change)
    assert not kt.verify(folder, library, model=own)


# What is said of an exemplar


SAID = {"source": "sunflowers.png", "title": "Own drawing", "creator": "Me", "licence": "CC0-1.0"}


def test_what_is_said_stands_as_stated_in_verdict_and_report(networks, exemplar, labels, tmp_path):
    system = CoCosNet(*exemplar, networks, source={**SAID, "sha256": "0" * 64})
    kt.Audit.create(system.traced(labels)).save(tmp_path / "audit")
    verdict = kt.verify(tmp_path / "audit", model=system)
    assert verdict, verdict.difference
    (stated,) = (check for check in verdict.checks if check.startswith("what is only stated"))
    assert (
        "of a picture that no library holds: source 'sunflowers.png', bank 'reference', title 'Own drawing'" in stated
    )
    assert f"licence 'CC0-1.0', sha256 '{'0' * 64}'" in stated
    report = (tmp_path / "audit" / "report.html").read_text(encoding="utf-8")
    assert "no library holds this work, and its name, credit and SHA-256 are only stated" in report
    assert "No library holds sunflowers.png: creator and licence are what whoever made this audit says" in report
    assert "what is said of works that no library holds" in report


def test_what_a_library_holds_is_not_said_to_be_stated(library, networks, labels, tmp_path):
    system = CoCosNet.from_bank(library[BANK], "b", networks)
    kt.Audit.create(system.traced(labels)).save(tmp_path / "audit")
    assert "no library holds" not in (tmp_path / "audit" / "report.html").read_text(encoding="utf-8")
    assert "no library holds" not in str(kt.verify(tmp_path / "audit", library, model=system).checks)


def test_size_and_digest_are_those_of_the_pixels_whatever_is_said(networks, exemplar, labels, paint):
    wrong = {"width": 4000, "height": 3000, "pixels": pixel_digest(paint(7)), "spdx": "MIT"}
    trace = CoCosNet(*exemplar, networks, source={**SAID, **wrong}).traced(labels)
    (source,) = trace.about["sources"]
    height, width = exemplar[0].shape[:2]
    assert {**SAID, "height": height, "width": width, "spdx": "CC0-1.0"}.items() <= source.items()
    assert source["pixels"] == trace.about["digests"]["library source sunflowers.png"] == pixel_digest(exemplar[0])


@pytest.mark.parametrize("part", ["height", "width", "pixels", "spdx"])
def test_a_trace_that_says_otherwise_is_caught(networks, exemplar, labels, tmp_path, part):
    system = CoCosNet(*exemplar, networks, source=SAID)
    kt.Audit.create(system.traced(labels)).save(tmp_path / "audit")

    def change(evidence):
        trace = evidence.recording
        source = {**trace.about["sources"][0], part: 9 if part in ("height", "width") else "f" * 64}
        digests = {**trace.about["digests"], "library source sunflowers.png": source["pixels"]}
        about = {**trace.about, "sources": [source], "digests": digests}
        return replace(evidence, recording=kt.Trace(trace.table, about, trace.pictures))

    forge(tmp_path / "audit", system, change)
    difference = kt.verify(tmp_path / "audit", model=system).difference
    assert "library source sunflowers.png" in difference or "its sources is not" in difference


def test_what_is_not_said_is_unknown_or_the_file_s(networks, exemplar, labels, save, tmp_path):
    path = save(tmp_path / "lane.png", exemplar[0])
    for source in (None, {}, {"creator": "Ann"}):
        about = CoCosNet(path, exemplar[1], networks, source=source).exemplars.exemplar.source
        assert (about["source"], about["bank"], len(about["sha256"])) == ("lane.png", "reference", 64)
        assert about["creator"] == ("Ann" if source else "unknown")
    trace = CoCosNet(*exemplar, networks, source={"title": "Lane"}).traced(labels)
    assert trace.about["sources"][0]["source"] == "reference"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("x", "not what is known of a picture"),
        (3, "not what is known of a picture"),
        ({"creater": "Ann"}, "'creater' is nothing that is said"),
        ({3: "Ann"}, "3 is nothing that is said"),
        ({"creator": 3}, "creator is no text"),
        ({"creator": None}, "creator is no text"),
        ({"title": ""}, "title is no text"),
        ({"title": "x" * 1001}, "title is no text of at most 1,000 letters"),
        ({"title": "\ud800"}, "title is no text"),
        ({"sha256": "Approved by the Louvre"}, "not 64 hexadecimal digits"),
        ({"bank": "refs/animals"}, "the name of a library's bank"),
    ],
)
def test_what_cannot_be_said_of_an_exemplar_is_refused(networks, exemplar, paint, source, said):
    with pytest.raises(SettingError, match=said):
        CoCosNet(*exemplar, networks, source=source)
    with pytest.raises(SettingError, match=said):
        kt.ImageAnalogy(exemplar[0], object(), source)


# What paints nothing


def test_no_audit_is_made_of_a_site_that_paints_nothing(library, networks, labels):
    system = CoCosNet.from_bank(library[BANK], networks=networks)
    trace = system.traced(labels)
    with pytest.raises(AbilityError, match="audit a trace of the site 'exemplar': it paints nothing itself"):
        kt.Audit.create(trace.site("exemplar"))
    assert kt.Audit.create(trace.site("correspondence"), top=0).trace.digest == one_site(trace).digest
