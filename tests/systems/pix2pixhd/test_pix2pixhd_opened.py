"""The system of a trace of pix2pixHD, found again: its banks in their order, and its reference by name."""

from shutil import copytree

import numpy as np
import pytest

import ktviz as kt
from ktviz.errors import MismatchError, SettingError
from ktviz.images import file_digest
from ktviz.systems.pix2pixhd.coder import Coder
from ktviz.systems.pix2pixhd.system import Pix2PixHD
from ktviz.systems.registry import opened

from .conftest import CLASSES, library_of, world

BANKS = ["street/toy", "street/other"]


@pytest.fixture(scope="module")
def two(tmp_path_factory, networks):
    """A library with two banks."""
    folder = tmp_path_factory.mktemp("two")
    library = library_of(folder, networks, [world(n) for n in range(3)])
    maps = {"labels": folder / "labels", "instances": folder / "instances", "classes": CLASSES}
    coder = Coder(networks)
    library.build(BANKS[1], folder / "photos", kind="codes", coder=coder, clusters=2, quiet=True, **maps)
    return library


@pytest.mark.parametrize("banks", [BANKS, BANKS[::-1]])
def test_banks_are_opened_in_the_order_of_the_trace(two, networks, scene, tmp_path, banks):
    trace = Pix2PixHD(two.select(banks), networks).traced(*scene[1:], seed=3)
    trace.save(tmp_path / "t.parquet")
    read = kt.Trace.open(tmp_path / "t.parquet")
    again = opened(read, two, Pix2PixHD(two["street/toy"], networks))
    assert again.banks.names == banks
    assert again.rerun(read).digest == trace.digest


def test_an_audit_on_banks_in_any_order_is_verified(two, networks, scene, tmp_path):
    model = Pix2PixHD(two.select(BANKS), networks)
    kt.Audit.create(model.traced(*scene[1:], seed=3), top=1).save(tmp_path / "audit")
    verdict = kt.verify(tmp_path / "audit", two, model=model)
    assert verdict.ok, verdict.difference


def test_a_library_without_the_banks_of_a_trace_says_so(trace, two, system, tmp_path):
    copytree(two.folder, tmp_path / "copy.ktlib")
    other = kt.Library.open(tmp_path / "copy.ktlib")
    other.remove("street/toy", quiet=True)
    with pytest.raises(MismatchError, match="the library has no bank street/toy"):
        opened(trace, other, system)


@pytest.fixture
def file(save, tmp_path):
    """A photograph in a file, with its maps."""
    photo, labels, instances = world(55)
    return save(tmp_path / "lane.png", photo), labels, instances


@pytest.mark.parametrize("choice", ["encoded", "nearest"])
def test_a_reference_keeps_the_name_and_the_digest_of_its_file(system, library, scene, file, tmp_path, choice):
    trace = system.traced(*scene[1:], choice=choice, reference=file)
    known = {"source": "lane.png", "sha256": file_digest(file[0])}
    assert trace.picture.settings["reference_file"] == known
    stated = [source for source in trace.about["sources"] if source["bank"] == "reference"]
    assert [(s["source"], s["sha256"]) for s in stated] == ([] if choice == "nearest" else [tuple(known.values())])
    trace.save(tmp_path / "t.parquet")
    read = kt.Trace.open(tmp_path / "t.parquet")
    assert opened(read, library, system).rerun(read).digest == trace.digest


def test_a_file_is_what_an_encoded_picture_is_credited_to_and_shown_with(system, library, scene, file, tmp_path):
    trace = system.traced(*scene[1:], choice="encoded", reference=file)
    assert kt.attribute(trace).frame["source"].tolist() == ["lane.png"]
    assert np.array_equal(system.source_picture(trace, "lane.png"), world(55)[0])
    assert system.source_picture(trace, "reference") is None
    kt.Audit.create(trace, top=1).save(tmp_path / "audit")
    verdict = kt.verify(tmp_path / "audit", library, model=system)
    assert verdict.ok, verdict.difference


def test_the_same_photograph_in_another_file_is_another_reference(system, scene, file, save, tmp_path):
    """Though the pixels, and so all that is painted, are equal."""
    other = (save(tmp_path / "other.png", world(55)[0]), *file[1:])
    traces = [system.traced(*scene[1:], choice="encoded", reference=one) for one in (file, other)]
    assert np.array_equal(traces[0].output, traces[1].output)
    for trace in traces:
        assert system.rerun(trace).digest == trace.digest


@pytest.mark.parametrize("choice", ["encoded", "nearest"])
def test_a_verdict_says_that_name_and_digest_of_a_file_are_only_stated(system, library, scene, file, tmp_path, choice):
    kt.Audit.create(system.traced(*scene[1:], choice=choice, reference=file), top=1).save(tmp_path / "audit")
    verdict = kt.verify(tmp_path / "audit", library, model=system)
    assert verdict.ok, verdict.difference
    stated = next(check for check in verdict.checks if check.startswith("what is only stated"))
    assert "of a picture that no library holds: source 'lane.png'" in stated
    assert file_digest(file[0]) in stated


@pytest.mark.parametrize(
    "stated", [None, {"source": ""}, {"source": "lane.png", "sha256": "0" * 63}, {"creator": "Ann", "other": 1}]
)
def test_what_is_no_file_is_refused_as_reference_file(system, scene, file, stated):
    trace = system.traced(*scene[1:], choice="nearest", reference=file)
    changed = trace.with_settings({**trace.picture.settings, "reference_file": stated})
    with pytest.raises(SettingError, match="a reference with source="):
        system.rerun(changed)
