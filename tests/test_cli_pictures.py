"""Folders of pictures on the command line: what is found, what is passed over, and where translations go."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from command import ktviz
from mapped import MeanColour, save_maps
from PIL import Image

from ktviz.errors import StorageError
from ktviz.files import check_writable
from ktviz.images import read_image, write_image
from ktviz.library.format import LibrarySettings
from ktviz.library.library import Library


@pytest.fixture(scope="module")
def library(tmp_path_factory, paint):
    folder = tmp_path_factory.mktemp("cli")
    write_image(folder / "knowledge.png", paint(7, 32, 32))
    settings = LibrarySettings(side_px=32, dedupe=1.0)
    Library.ensure(folder / "small.ktlib", settings=settings).build("a/b", [folder / "knowledge.png"], quiet=True)
    return folder / "small.ktlib"


@pytest.fixture
def run(tmp_path):
    """`run("translate", ...)`: exit code, standard output and errors of the command, in `tmp_path`, on one line."""

    def run(*arguments):
        done = ktviz(*arguments, cwd=tmp_path, check=False)
        return done.returncode, " ".join(done.stdout.split()), " ".join(done.stderr.split())

    return run


@pytest.fixture
def translate(run, library):
    """`translate(photos, ..., "-o", out)`."""
    return lambda *arguments: run("translate", "-l", library, "-b", "a/b", *arguments)


@pytest.fixture
def photos(tmp_path, paint):
    """photos/x.png and photos/a/x.jpg, of other sizes."""
    write_image(tmp_path / "photos" / "x.png", paint(1, 16, 24))
    write_image(tmp_path / "photos" / "a" / "x.jpg", paint(2, 24, 16))
    return tmp_path / "photos"


def files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_photos_in_folders_keep_their_folders(translate, photos, tmp_path):
    assert translate("photos", "-o", "out", "--trace")[0] == 0
    assert files(tmp_path / "out") == ["a/x.parquet", "a/x.png", "x.parquet", "x.png"]
    assert read_image(tmp_path / "out" / "a" / "x.png").shape == (24, 16, 3)
    assert read_image(tmp_path / "out" / "x.png").shape == (16, 24, 3)


def test_translations_may_go_to_the_folder_above_the_photos(translate, photos, tmp_path):
    for _ in range(2):
        assert translate("photos", "-o", ".")[0] == 0
    assert files(tmp_path) == ["a/x.png", "photos/a/x.jpg", "photos/x.png", "x.png"]


@pytest.mark.parametrize("out", ["photos/out", "photos/a/out", "photos/out/again", "../{here}/photos/out", "link"])
def test_the_same_command_twice_into_a_folder_of_the_photos_gives_the_same(translate, photos, tmp_path, out):
    (tmp_path / "photos" / "kept").mkdir()
    (tmp_path / "link").symlink_to(photos / "kept")
    out = out.format(here=tmp_path.name)
    runs = []
    for _ in range(2):
        code, said, _ = translate("photos", "-o", out)
        assert code == 0
        runs.append({name: (tmp_path / out / name).read_bytes() for name in files(tmp_path / out)})
    assert sorted(runs[0]) == ["a/x.png", "x.png"]
    assert runs[0] == runs[1]
    assert f"passed over 2 files (x.png, x.png): they lie in {out}, where translations go" in said


def test_one_photo_into_a_file_beside_it_can_be_repeated(translate, photos):
    shutil.rmtree(photos / "a")
    for _ in range(2):
        assert translate("photos", "-o", "photos/result.png", "-q")[0] == 0
    assert files(photos) == ["result.png", "x.png"]


def test_what_a_shell_makes_of_a_star_can_be_repeated(translate, photos):
    (photos / "a" / "x.jpg").rename(photos / "a" / "y.jpg")
    for _ in range(2):
        assert translate(*sorted(photos.iterdir()), "-o", "photos/out", "-q")[0] == 0
    assert files(photos / "out") == ["x.png", "y.png"]


def test_translations_into_the_folder_of_the_photos_itself_are_refused(translate, photos):
    code, _, said = translate("photos", "-o", "photos")
    assert code == 2
    assert "all photos lie there" in said
    assert files(photos) == ["a/x.jpg", "x.png"]


def test_photos_that_would_become_one_file_are_both_named_and_nothing_is_written(translate, photos, tmp_path, paint):
    write_image(photos / "a" / "x.tif", paint(3, 16, 16))
    code, _, said = translate("photos", "-o", "out")
    assert code == 2
    assert "write 'out/a/x.png'" in said
    assert "'photos/a/x.jpg' and 'photos/a/x.tif' would both become it" in said
    assert not (tmp_path / "out").exists()


def test_files_of_other_kinds_are_counted_and_named_and_hidden_ones_are_not(translate, photos, library):
    for name in ("notes.txt", "a/raw.nef", ".hidden"):
        (photos / name).write_bytes(b"no picture")
    shutil.copytree(library, photos / "mine.ktlib")
    said = translate("photos", "-o", "out")[1]
    assert "passed over 2 files (raw.nef, notes.txt): no images" in said
    assert "passed over" not in translate("photos", "-o", "out", "-q")[1]


def test_any_damage_is_told_and_the_others_are_translated(translate, photos, tmp_path):
    (photos / "bad.png").write_bytes(b"DDS " + b"\x7c\0\0\0" * 40)
    Image.fromarray(np.full((16, 16), -1, np.float32)).save(photos / "minus.tif")
    code, _, said = translate("photos", "-o", "out")
    assert code == 4
    assert "image 'photos/bad.png'" in said
    assert "values below 0" in said
    assert files(tmp_path / "out") == ["a/x.png", "x.png"]


def test_what_was_decided_about_a_photo_is_told(translate, photos):
    Image.fromarray(np.linspace(0, 4095, 256).astype(np.uint16).reshape(16, 16)).save(photos / "deep.tif")
    code, _, said = translate("photos", "-o", "out")
    assert code == 0
    assert "warning image 'photos/deep.tif': no value above 4095: 4095 was taken for white" in said
    assert "Warning" not in said  # a message, not a line of code


NOT_TEXT = os.fsdecode(b"caf\xe9.png")


@pytest.mark.parametrize(
    "command",
    [
        ("translate", "photos", "-l", "LIB", "-b", "a/b", "-o", "out"),
        ("translate", f"photos/{NOT_TEXT}", "-l", "LIB", "-b", "a/b", "-o", "out"),
        ("translate", "photos/x.png", "-l", "LIB", "-b", "a/b", "-o", NOT_TEXT),
        ("library", "build", "new.ktlib", "-b", "c/d", "photos"),
        ("library", "add", "LIB", "-b", "a/b", "photos"),
        ("audit", f"photos/{NOT_TEXT}", "-l", "LIB", "-b", "a/b", "-o", "out"),
    ],
    ids=lambda command: " ".join(command[:2]).encode("ascii", "replace").decode(),
)
def test_a_name_that_is_not_utf_8_is_a_named_error_before_the_work(run, photos, library, tmp_path, command):
    shutil.copyfile(photos / "x.png", photos / NOT_TEXT)
    code, _, said = run(*(library if part == "LIB" else part for part in command))
    assert code == 4
    assert r"caf\udce9.png" in said
    assert "not UTF-8" in said
    assert not (tmp_path / "out").exists()


def test_a_build_names_all_bad_pictures_or_leaves_them_out_when_told_to(run, photos, tmp_path):
    (photos / "bad.png").write_bytes(b"")
    (photos / "worse.jp2").write_bytes(b"\0" * 99)
    (photos / "notes.txt").write_text("no picture")
    (photos / "credits.csv").write_text("file,title,creator,year,licence,url\nx.png,X,Ann,,,\n")
    command = ["library", "build", "new.ktlib", "-b", "c/d", "photos", "--side", "32"]
    command += ["--credits", "photos/credits.csv"]
    code, told, said = run(*command)
    assert code == 4
    assert all(name in said for name in ("2 of 4 images", "bad.png", "worse.jp2", "--skip-bad"))
    assert "passed over 1 file (notes.txt): no images" in told
    assert not (tmp_path / "new.ktlib").exists()
    code, told, said = run(*command, "--skip-bad")
    assert code == 0
    assert all(name in said for name in ("warning 2 of 4 images left out", "bad.png", "worse.jp2"))
    assert "c/d: 2 sources" in told


@pytest.mark.parametrize(
    ("bank", "images", "found"),
    [("Bad name", ["photos"], "task/style"), ("c/d", ["photos", "more"], "two different files have this name")],
)
def test_a_build_that_is_refused_leaves_no_library_behind(run, photos, tmp_path, save, paint, bank, images, found):
    save(tmp_path / "more" / "x.png", paint(7))
    ended, _, said = run("library", "build", "new.ktlib", "-b", bank, *images)
    assert ended == 5
    assert found in said
    assert not (tmp_path / "new.ktlib").exists()


@pytest.mark.parametrize("command", ["translate", "audit"])
def test_what_cannot_be_written_is_said_before_the_work(tmp_path, save, paint, command):
    photo, file = (save(tmp_path / name, paint(5, 16, 20)) for name in ("cat.png", "tiger.png"))
    options = ("--system", "image-analogy", "--reference", file, "-o", file / "deep" / "out")
    done = ktviz(command, photo, *options, check=False)
    assert done.returncode == 8
    assert "tiger.png is a file" in " ".join(done.stderr.split())


def test_a_folder_that_is_closed_is_refused(tmp_path, monkeypatch):
    check_writable(tmp_path / "new" / "out.png")
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != tmp_path)  # root may write everywhere
    with pytest.raises(StorageError, match=r"no permission.*you may write to"):
        check_writable(tmp_path / "new" / "out.png")


@pytest.fixture
def mapped(tmp_path, paint):
    """Two pictures with maps: in/, maps/labels, maps/instances, maps/classes.csv."""
    for number, name in enumerate("ab"):
        write_image(tmp_path / "in" / f"{name}.png", paint(number))
    return save_maps(tmp_path / "maps", "ab")


MAPS = ("--labels", "maps/labels", "--instances", "maps/instances")


def test_a_bank_of_pictures_with_maps_is_built_added_to_and_shown(run, mapped, tmp_path):
    assert run("library", "build", "l.ktlib", "in/a.png", "-b", "refs/m", "--kind", "pictures", *MAPS)[0] == 0
    assert run("library", "add", "l.ktlib", "in", "-b", "refs/m", *MAPS)[0] == 0
    _, said, _ = run("library", "info", "l.ktlib")
    assert "refs/m: 2 pictures, 2 with labels, 2 with instances" in said
    assert "classes: sky, road, car, pole" in said
    shutil.move(mapped / "classes.csv", tmp_path / "list.csv")
    more = ("-b", "refs/n", "--kind", "pictures", "--labels", "maps/labels")
    assert "no classes.csv in that folder or above it" in run("library", "build", "l.ktlib", "in", *more)[2]
    assert run("library", "build", "l.ktlib", "in", *more, "--classes", "list.csv")[0] == 0
    about = json.loads(run("library", "info", "l.ktlib", "--json")[1])
    assert [bank["with_maps"] for bank in about["banks"]] == [
        {"labels": 2, "instances": 2},
        {"labels": 2, "instances": 0},
    ]


def test_maps_that_cannot_be_used_end_the_command_and_no_library_is_left(run, mapped, tmp_path):
    (mapped / "labels" / "b.png").unlink()
    build = ("library", "build", "l.ktlib", "in", "-b", "refs/m", "--kind", "pictures", *MAPS)
    code, _, said = run(*build)
    assert code == 4
    assert "b.png': there is no such file" in said
    assert not (tmp_path / "l.ktlib").exists()
    code, said, warned = run(*build, "--skip-bad")
    assert code == 0
    assert "refs/m: 1 picture" in said
    assert "left out" in warned


def test_a_bank_of_codes_is_shown_by_class_and_needs_a_coder_to_be_built(run, mapped, tmp_path):
    build = ("library", "build", "l.ktlib", "in", "-b", "street/a", "--kind", "codes", *MAPS)
    assert "a bank of codes found: no coder" in run(*build)[2]
    maps = {"labels": mapped / "labels", "instances": mapped / "instances"}
    opened = Library.ensure(tmp_path / "l.ktlib")
    opened.build("street/a", tmp_path / "in", kind="codes", coder=MeanColour(), **maps, quiet=True)
    _, said, _ = run("library", "info", "l.ktlib")
    assert "street/a: 10 objects in 2 pictures, 2 with labels, 2 with instances" in said
    assert "class objects too small centres sky 2 0 2 road 2 0 2 car 4 0 4 pole 2 2 0" in said
    assert "removed street/a/b.png" in run("library", "remove", "l.ktlib", "-b", "street/a", "b")[1]
    [bank] = json.loads(run("library", "info", "l.ktlib", "--json")[1])["banks"]
    assert (bank["clusters"], bank["least_area"], bank["coder"], bank["centres"]) == (10, 0.5, "mean colours", 4)
    assert bank["by_class"][3] == {"name": "pole", "objects": 1, "too_small": 1, "centres": 0}
