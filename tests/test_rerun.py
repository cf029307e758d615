"""A run that is made again gives the same digest, or says what differs first."""

import json

import numpy as np
import pytest
from command import ktviz

from ktviz.audit.audit import Audit
from ktviz.audit.rerun import rerun
from ktviz.errors import MismatchError, TraceError
from ktviz.images import write_image
from ktviz.library.library import Library


@pytest.fixture
def trace(world, paint):
    return world.translator.traced(paint(3, 64, 96), align=0.5)


def test_a_saved_trace_gives_the_same_digest(trace, world, tmp_path):
    trace.save(tmp_path / "run.parquet", pictures="both")
    found = rerun(tmp_path / "run.parquet", world.folder, model=world.translator)
    assert found
    assert (found.recorded, found.found, found.difference) == (trace.digest, trace.digest, "")


def test_an_audit_gives_the_same_digest(trace, world, tmp_path):
    Audit.create(trace, top=1, sample=20).save(tmp_path / "audit")
    assert rerun(tmp_path / "audit", Library.open(world.folder), model=world.translator)


def test_a_trace_without_its_photo_needs_it(trace, world, paint, tmp_path):
    trace.save(tmp_path / "run.parquet", pictures="none")
    with pytest.raises((TraceError, MismatchError)):
        rerun(tmp_path / "run.parquet", world.folder, model=world.translator)
    assert rerun(tmp_path / "run.parquet", world.folder, model=world.translator, photo=paint(3, 64, 96))
    with pytest.raises(MismatchError):
        rerun(tmp_path / "run.parquet", world.folder, model=world.translator, photo=paint(4, 64, 96))


def test_what_differs_first_is_named(trace, world, tmp_path, monkeypatch):
    trace.save(tmp_path / "run.parquet", pictures="both")
    real = type(world.translator).rerun

    def other(self, given, **more):
        return real(self, given, **{**more, "align": 0.25})

    monkeypatch.setattr(type(world.translator), "rerun", other)
    found = rerun(tmp_path / "run.parquet", world.folder, model=world.translator)
    assert not found
    assert found.difference == "setting align: recorded 0.5, found 0.25"
    assert found.recorded == trace.digest != found.found


def test_other_knowledge_is_refused(trace, world, tmp_path, paint, save, toy, settings):
    trace.save(tmp_path / "run.parquet", pictures="both")
    library = Library.ensure(tmp_path / "other.ktlib", toy, settings)
    save(tmp_path / "in" / "x.png", paint(90))
    for style in ("warm", "cool"):
        library.build(f"art/{style}", [tmp_path / "in"], encoder=toy, quiet=True)
    with pytest.raises(MismatchError):
        rerun(tmp_path / "run.parquet", library, model=world.translator)


@pytest.mark.slow
def test_the_command_says_so(tmp_path, paint):
    write_image(tmp_path / "photo.png", paint(3, 96, 96))
    ktviz("library", "build", tmp_path / "a.ktlib", "-b", "art/one", tmp_path / "photo.png", "-q")
    banks = "-l", tmp_path / "a.ktlib", "-b", "art/one"
    ktviz("translate", tmp_path / "photo.png", *banks, "-o", tmp_path / "out.png", "--trace", "-q")
    (trace,) = tmp_path.glob("*.parquet")
    said = json.loads(ktviz("rerun", trace, "-l", tmp_path / "a.ktlib", "--json").stdout)
    assert said["same"]
    assert np.isin(list("0123456789abcdef"), [*said["recorded"]]).any()
