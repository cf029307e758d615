"""The system of a trace of pix2pixHD, found again: its banks in their order, and its reference by name."""

from shutil import copytree

import pytest

import ktviz as kt
from ktviz.errors import MismatchError
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
