"""The sample data is what its generator makes, and its library is built bank by bank, in a cache that can be moved."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ktviz import samples
from ktviz.cli.doctor import cache, check
from ktviz.errors import LibraryBusyError, MissingWeightsError, StorageError, UnknownNameError
from ktviz.images import read_image, write_image
from ktviz.labels import Classes
from ktviz.library.format import writing
from ktviz.networks.weights import Packaged
from ktviz.systems.kt.vgg import fetch_vgg19
from ktviz.systems.pix2pixhd import trained
from ktviz.systems.pix2pixhd.shape import Shape
from ktviz.systems.pix2pixhd.trained import Networks

ROOT = Path(__file__).parent.parent


SCENES = ROOT / "sample_data" / "scenes"
HAIR = ("Dark_Hair", "Blond_Hair", "Red_Hair")


@pytest.mark.parametrize(
    "name",
    [
        "comic/ink/canyon",
        "scenes/rooms/photo/room-3-0003",
        "pots/glazed/pot-3-00004",
        "portraits/clay/portrait-3-00004",
    ],
)
def test_the_generator_makes_the_committed_picture_again(tmp_path, name):
    command = [sys.executable, "-m", "sample_data.generator", str(tmp_path), "--only", name, "--jobs", "1"]
    subprocess.run(command, check=True, cwd=ROOT, capture_output=True)
    made, committed = (read_image(folder / f"{name}.jpg").astype(int) for folder in (tmp_path, ROOT / "sample_data"))
    # JPEG encoders differ in a few grey levels between releases; another picture differs by far more.
    assert np.abs(made - committed).mean() < 1
    assert (tmp_path / "credits.csv").read_bytes() == (ROOT / "sample_data" / "credits.csv").read_bytes()
    for file in tmp_path.rglob("*.png"):
        committed = ROOT / "sample_data" / file.relative_to(tmp_path)
        assert np.array_equal(np.asarray(Image.open(file)), np.asarray(Image.open(committed)))
    for file in tmp_path.rglob("*/*.csv"):
        assert file.read_bytes() == (ROOT / "sample_data" / file.relative_to(tmp_path)).read_bytes()


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


@pytest.fixture
def scenes(tmp_path, monkeypatch):
    """Two rooms, two streets, and a cache of their own; returns the cache."""
    monkeypatch.setenv("KTVIZ_CACHE", str(tmp_path / "cache"))
    for kind in ("rooms", "streets"):
        (tmp_path / "scenes" / kind).mkdir(parents=True)
        shutil.copy(SCENES / kind / "classes.csv", tmp_path / "scenes" / kind)
        for folder in ("photo", "label", "inst"):
            (tmp_path / "scenes" / kind / folder).mkdir()
            for file in sorted((SCENES / kind / folder).iterdir())[:2]:
                shutil.copy(file, tmp_path / "scenes" / kind / folder)
    copied = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.jpg")}
    header, *rows = (ROOT / "sample_data" / "credits.csv").read_text().splitlines(keepends=True)
    (tmp_path / "credits.csv").write_text(header + "".join(row for row in rows if row.split(",")[0] in copied))
    monkeypatch.setattr(samples, "folder", lambda: tmp_path)
    return tmp_path / "cache"


@pytest.fixture
def encoder(monkeypatch):
    """`encoder(seed)`: a tiny one in place of the one that comes with the package."""

    def use(seed):
        torch.manual_seed(seed)
        classes = Classes.read(SCENES / "streets" / "classes.csv")
        shape = Shape(len(classes), codes=3, width=4, downs=2, blocks=1, encoder_width=4, encoder_downs=2)
        networks = Networks(shape, classes)
        monkeypatch.setattr(Networks, "shipped", classmethod(lambda cls: networks))

    return use


def test_rooms_are_pictures_with_their_maps_and_credits(scenes):
    bank = samples.bank("scenes/rooms", quiet=True)
    assert list(bank.source_names) == ["scenes/rooms/room-3-0000.jpg", "scenes/rooms/room-3-0003.jpg"]
    assert {source["licence"] for source in bank.describe_sources()} == {"CC0-1.0"}
    assert bank.labels(1).max() < len(bank.classes)
    assert bank.classes.names[1] == "wall"
    assert [path.name.rsplit("-", 1)[0] for path in scenes.iterdir()] == ["scenes-rooms"]


def test_drawings_of_pots_have_names():
    assert samples.drawing("drawing-3-00008").shape == (128, 128, 3)
    with pytest.raises(UnknownNameError, match="drawing-3-00008"):
        samples.drawing("drawing-3-0000")


def test_portraits_have_names_and_attributes():
    found = samples.portrait("portrait-3-00052")
    assert found.pixels.shape == (96, 96, 3)
    assert [name for name, there in found.has.items() if there] == ["Blond_Hair", "Smile"]
    with pytest.raises(UnknownNameError, match="portrait-3-00052"):
        samples.portrait("portrait-3-0005")


def test_portraits_of_the_bank_are_pictures_with_attributes_and_credits(tmp_path, monkeypatch):
    monkeypatch.setenv("KTVIZ_CACHE", str(tmp_path))
    bank = samples.bank("portraits/clay", quiet=True)
    sources = bank.describe_sources()
    assert {source["licence"] for source in sources} == {"CC0-1.0"}
    assert {source["title"].split()[0] for source in sources} == {"Portrait"}
    assert len(bank) == 24
    for name in bank.attributes(0):
        there = [bank.attributes(number)[name] for number in range(len(bank))]
        assert 4 <= sum(there) <= 20, name  # something to choose from, with it and without
    assert all(sum(bank.attributes(n)[name] for name in HAIR) == 1 for n in range(len(bank)))


def test_streets_are_codes_by_the_encoder_there_is(scenes, encoder):
    encoder(0)
    bank = samples.bank("scenes/streets", quiet=True)
    assert len(bank.centres) > 3
    assert {bank.classes.names[label] for label in bank.label} >= {"sky", "road", "building"}
    (first,) = scenes.iterdir()
    encoder(1)
    assert not np.array_equal(samples.bank("scenes/streets", quiet=True).codes, bank.codes)
    assert [path for path in scenes.iterdir() if path == first] == []


def test_streets_need_the_encoder_and_say_so_before_anything_is_built(scenes, monkeypatch):
    monkeypatch.setattr(trained, "WEIGHTS", Packaged(Path("weights"), {}))
    with pytest.raises(MissingWeightsError, match="none come with this version"):
        samples.bank("scenes/streets")
    assert not scenes.exists()


def test_a_damaged_library_of_scenes_is_made_again_and_a_busy_one_left_alone(scenes, encoder):
    encoder(0)
    made = samples.bank("scenes/streets", quiet=True)
    (library,) = scenes.iterdir()
    next(library.rglob("codes.json")).write_text("{")
    assert np.array_equal(samples.bank("scenes/streets", quiet=True).codes, made.codes)
    shutil.rmtree(library)
    library.mkdir()
    with writing(library), pytest.raises(LibraryBusyError):
        samples.bank("scenes/streets", quiet=True)


def test_who_asks_for_other_samples_pays_nothing_for_scenes(few):
    """Scenes beside them change neither which library is taken nor what is in it."""
    before = samples.bank("art/plain", quiet=True)
    shutil.copytree(SCENES / "rooms", few.parent / "in" / "scenes" / "rooms")
    assert samples.library("art", quiet=True)["art/plain"].digests() == before.digests()
    assert [path.name.split("-")[0] for path in few.iterdir()] == ["samples"]
    assert "scenes/rooms" not in samples.library(quiet=True)


@pytest.mark.parametrize("kind", ["rooms", "streets"])
def test_scenes_apart_from_the_banks_come_with_photo_maps_and_classes(kind):
    names = [path.stem for path in (SCENES / "inputs" / kind / "photo").iterdir()]
    assert len(names) == 2
    assert not {*names} & {path.stem for path in (SCENES / kind / "photo").iterdir()}
    for name in names:
        scene = samples.scene(name)
        assert scene.photo.shape == (*scene.labels.shape, 3)
        assert scene.labels.shape == scene.instances.shape
        assert scene.classes == Classes.read(SCENES / kind / "classes.csv")
        things = scene.instances >= 1000
        assert things.any()
        assert np.array_equal(np.where(things, scene.instances // 1000, scene.instances), scene.labels)


@pytest.mark.parametrize("name", ["room-3-0019", "", None, ["room-3-0018"]])
def test_an_unknown_scene_is_named(name):
    with pytest.raises(UnknownNameError, match="scene"):
        samples.scene(name)


def test_an_unknown_bank_of_scenes_is_named():
    with pytest.raises(UnknownNameError, match="scenes/roms"):
        samples.bank("scenes/roms")
