"""The bench on the command line."""

import json
import re

import pytest
from command import ktviz
from tiny_systems import material, tiny

from ktviz.images import write_image
from ktviz.labels import write_map
from ktviz.systems.munit.trained import Networks as MunitNetworks


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Photographs and maps as files, and tiny networks of MUNIT as if they came with the package."""
    for name in ("input", "reference"):
        given = material(name)
        write_image(tmp_path / f"{name}.png", given.photo)
        write_map(tmp_path / "label" / f"{name}.png", given.labels, given.classes)
    material("input").classes.write(tmp_path / "classes.csv")
    networks = tiny()["munit"].networks
    monkeypatch.setattr(MunitNetworks, "shipped", classmethod(lambda cls: networks))
    return tmp_path


def run(place, *more, check=True):
    given = ("compare-systems", "input.png", "--reference", "reference.png", "--runs", 0, "--repeats", 0, "--cells", 4)
    return ktviz(*given, *more, cwd=place, check=check)


def test_a_comparison_on_the_command_line(place):
    done = run(place, "--systems", "munit,kt,cocosnet", "-o", "out")
    assert "munit" in done.stdout
    assert re.search(r"cocosnet\b.*there is no label map of it", done.stdout)
    assert "2 of 3 systems took part" in done.stdout
    assert (place / "out" / "index.html").is_file()
    again = run(place, "--systems", "munit,cocosnet", "-o", "out", "--overwrite", "--json")
    said = json.loads(again.stdout)
    counts = [row["retrievals"] for row in said["systems"]]
    assert [type(count) for count in counts] == [int, type(None)]
    assert [row["system"] for row in said["systems"]] == ["munit", "cocosnet"]
    assert said["agreement"] == []
    assert said["page"] == "out/index.html"


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        (("--systems", "pix2pixhd,cocosnet"), 2, "there is no label map of it"),
        (("--systems", "munnit"), 3, "Did you mean munit"),
        (("--systems", "munit,munit"), 2, "munit twice"),
        (("--systems", "munit", "--want", "Hat", "--want", "Hat=no"), 2, "named twice"),
        (("--systems", ""), 2, "no system is named"),
        (("--systems", "munit", "--labels", "nowhere.png"), 4, "there is no such file"),
        (("--systems", "munit", "--reference", "input.png"), 2, "it is its own reference"),
        (("--systems", "munit", "--reference", "label"), 4, "folder"),
        (("--systems", "munit", "--reference", "nowhere.png"), 4, "nowhere.png"),
        (("--systems", "munit", "--region", "1,2,3"), 2, "not four whole numbers"),
        (("--systems", "munit", "--region", "30,30,9,9"), 2, "not inside the image"),
        (("--systems", "munit", "--bank", "a/b"), 2, "no --library"),
        (("--systems", "munit", "--side", "3"), 2, "side 3 px"),
    ],
)
def test_bad_input_is_refused_and_nothing_is_written(place, more, code, said):
    done = run(place, "-o", "out", *more, check=False)
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr
    assert not (place / "out").exists()


def test_a_folder_with_something_else_is_left_alone(place):
    (place / "out").mkdir()
    (place / "out" / "letter.txt").write_text("dear")
    for more in ((), ("--overwrite",)):
        done = run(place, "--systems", "munit", "-o", "out", *more, check=False)
        assert done.returncode == 8
    assert [path.name for path in (place / "out").iterdir()] == ["letter.txt"]


def test_a_picture_of_a_bank_is_a_reference(place, world):
    bank = ("--systems", "munit", "-l", world.folder, "-b", "art")
    done = run(place, *bank, "--reference", "d.png", "-o", "out", "--json")
    assert json.loads(done.stdout)["title"] == "input.png after art/cool/d.png"
    refused = run(place, *bank, "--reference", "dd.png", "-o", "x", check=False)
    assert (refused.returncode, "Did you mean art/cool/d.png" in refused.stderr) == (3, True)
