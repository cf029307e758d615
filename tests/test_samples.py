"""The sample data is what its generator makes, and its library is built bank by bank, in a cache that can be moved."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ktviz import samples
from ktviz.cli.doctor import cache, check
from ktviz.errors import StorageError, UnknownNameError
from ktviz.images import read_image, write_image
from ktviz.systems.kt.vgg import fetch_vgg19

ROOT = Path(__file__).parent.parent


def test_the_generator_makes_the_committed_picture_again(tmp_path):
    name = "comic/ink/canyon"
    command = [sys.executable, "-m", "sample_data.generator", str(tmp_path), "--only", name, "--jobs", "1"]
    subprocess.run(command, check=True, cwd=ROOT, capture_output=True)
    made, committed = (read_image(folder / f"{name}.jpg").astype(int) for folder in (tmp_path, ROOT / "sample_data"))
    # JPEG encoders differ in a few grey levels between releases; another picture differs by far more.
    assert np.abs(made - committed).mean() < 1


@pytest.fixture
def few(tmp_path, monkeypatch):
    """A tiny sample bank of each task, and a cache of their own."""
    monkeypatch.setenv("KTVIZ_CACHE", str(tmp_path / "cache"))
    photo = read_image(samples.folder() / "photos" / "coffee.jpg")[:64, :64]
    banks = ("art/plain", "comic/plain", "hdr/plain")
    for bank in banks:
        (tmp_path / "in" / bank).mkdir(parents=True)
        write_image(tmp_path / "in" / bank / "a.png", photo)
    rows = "".join(f"{bank}/a.png,,,,,\n" for bank in banks)
    (tmp_path / "in/credits.csv").write_text(f"file,title,creator,year,licence,url\n{rows}")
    monkeypatch.setattr(samples, "folder", lambda: tmp_path / "in")
    return tmp_path / "cache"


def test_a_lesson_builds_the_bank_it_uses_and_no_other(few):
    assert samples.bank("art/plain", quiet=True).names == ["art/plain"]
    library = samples.library("comic", quiet=True)
    assert list(library) == ["art/plain", "comic/plain"]
    assert library.folder.parent == few
    assert list(samples.library(quiet=True)) == ["art/plain", "comic/plain", "hdr/plain"]


def test_an_unknown_sample_bank_is_named_before_anything_is_built(few):
    with pytest.raises(UnknownNameError, match=r"'art/plian'.*Did you mean art/plain"):
        samples.bank("art/plian")
    assert not few.exists()


def test_a_cache_that_cannot_be_written_names_the_way_out(few):
    few.write_text("a file where the folder should be")  # root may write anywhere, but not below a file
    with pytest.raises(StorageError, match=rf"keep something in '{few}': .*Set KTVIZ_CACHE to a folder"):
        samples.bank("art/plain", quiet=True)
    with pytest.raises(StorageError, match="Set KTVIZ_CACHE"):
        fetch_vgg19("http://127.0.0.1:9/vgg19-00000000.pth")


def test_a_cache_that_is_built_already_need_not_be_written(few, monkeypatch):
    samples.bank("art/plain", quiet=True)

    def refuse(*_):
        raise PermissionError("read-only")

    for name in ("mkdir", "unlink", "rename", "replace"):
        monkeypatch.setattr(Path, name, refuse)
    assert samples.bank("art/plain", quiet=True).names == ["art/plain"]


def test_doctor_names_the_cache_and_the_way_out(few):
    few.write_text("")
    (found,) = [finding for finding in [check("cache folder", cache)] if not finding["ok"]]
    assert "Set KTVIZ_CACHE" in found["found"]
