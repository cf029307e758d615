"""CoCosNet on the command line: from folders of pictures and maps to pictures and audits; forgeries are caught."""

import json
import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from command import ktviz
from PIL import Image

import ktviz as kt
from ktviz.cli.demos import cocosnet as demo
from ktviz.images import file_digest, read_image
from ktviz.labels import write_map
from ktviz.systems.cocosnet.networks import Networks
from ktviz.testing.forging import change_cell, forge

from .conftest import CLASSES, block_map

BANK, NAMES = "scenes/lanes", ("a", "b", "c")
SYSTEM = ("--system", "cocosnet")


@pytest.fixture(autouse=True)
def shipped(monkeypatch, networks):
    """The networks of these tests in place of those that come with the package."""
    monkeypatch.setattr(Networks, "shipped", classmethod(lambda cls: networks))


@pytest.fixture(scope="module")
def place(tmp_path_factory, save, paint):
    """in/NAME.png, labels/NAME.png, credits.csv, and label maps to be painted in maps/."""
    root = tmp_path_factory.mktemp("lanes")
    (root / "credits.csv").write_text("file,title,creator,year,licence,url\n" + "".join(map(credit, NAMES)))
    for number, name in enumerate(NAMES):
        save(root / "in" / f"{name}.png", paint(number, 32, 45))
        write_map(root / "labels" / f"{name}.png", block_map(number, 32, 45), CLASSES)
    CLASSES.write(root / "classes.csv")
    write_map(root / "maps" / "x.png", block_map(9, 33, 40), CLASSES)
    write_map(root / "maps" / "deep" / "y.png", block_map(8, 32, 40), CLASSES)
    return root


def credit(name, creator="Ann"):
    return f"{name}.png,Lane {name},{creator},1901,CC BY 4.0,https://example.org/{name}\n"


def build(place, library, credits=None):
    maps = ("--labels", place / "labels", "--classes", place / "classes.csv")
    credits = place / "credits.csv" if credits is None else credits
    ktviz(
        "library", "build", library, place / "in", "-b", BANK, "--kind", "pictures", *maps, "--credits", credits, "-q"
    )
    return library


@pytest.fixture(scope="module")
def library(place):
    """Never written to again."""
    return build(place, place / "l.ktlib")


@pytest.fixture(scope="module")
def audited(place, library, networks):
    """The folder of an audit of a label map whose exemplar was chosen from the bank."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Networks, "shipped", classmethod(lambda cls: networks))
        ktviz("audit", place / "maps" / "x.png", *SYSTEM, "-l", library, "-b", BANK, "-o", place / "audit", "-q")
    return place / "audit"


@pytest.fixture
def folder(audited, tmp_path):
    """A copy to be tampered with."""
    return shutil.copytree(audited, tmp_path / "audit")


def test_label_maps_in_folders_become_pictures_beside_what_was_warped(place, library, tmp_path):
    out = tmp_path / "out"
    done = ktviz("translate", place / "maps", *SYSTEM, "-l", library, "-b", BANK, "-o", out, "--trace", "--json")
    found = json.loads(done.stdout)["translations"]
    files = sorted(path.relative_to(out).as_posix() for path in out.rglob("*.*"))
    assert files == [f"{name}{end}" for name in ("deep/y", "x") for end in ("-warped.png", ".parquet", ".png")]
    trace = kt.Trace.open(out / "x.parquet")
    assert np.array_equal(read_image(out / "x.png"), trace.picture.canvases["output"])
    assert np.array_equal(read_image(out / "x-warped.png"), trace.picture.canvases["output:warped"])
    assert [one["retrievals"] for one in found] == [8 * 10 + 1, 9 * 10 + 1]
    assert all(one["sources"][0]["creator"] == "Ann" for one in found)


def test_an_exemplar_has_a_name_or_is_a_file_with_its_map(place, library, tmp_path):
    bank, file = ("-l", library, "-b", BANK), place / "in" / "b.png"
    maps = ("--reference-labels", place / "labels" / "b.png")
    translate = ("translate", place / "maps" / "x.png", *SYSTEM, "-q")
    ktviz(*translate, *bank, "--exemplar", "b", "-o", tmp_path / "named.png")
    ktviz(*translate, "--reference", file, *maps, "-o", tmp_path / "file.png")
    ktviz(*translate, *bank, "--exemplar", "c", "-o", tmp_path / "other.png")
    named, same, other = (read_image(tmp_path / f"{name}.png") for name in ("named", "file", "other"))
    assert np.array_equal(named, same)
    assert not np.array_equal(named, other)


def test_a_label_map_comes_from_standard_input(place, library, tmp_path, monkeypatch):
    with (place / "maps" / "x.png").open("rb") as stream:
        monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=stream))
        ktviz("translate", "-", *SYSTEM, "-l", library, "-b", BANK, "-o", tmp_path / "dash.png", "-q")
    ktviz("translate", place / "maps" / "x.png", *SYSTEM, "-l", library, "-b", BANK, "-o", tmp_path / "x.png", "-q")
    assert np.array_equal(read_image(tmp_path / "dash.png"), read_image(tmp_path / "x.png"))


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["-b", BANK], 2, "no --library"),
        (["-l", "LIB"], 2, "no --bank"),
        (["-l", "LIB", "-b", BANK, "--exemplar", "z"], 3, "source 'z'"),
        (["-l", "LIB", "-b", BANK, "--exemplar", "a", "--without", "b"], 2, "--without beside --exemplar"),
        (["-l", "LIB", "-b", BANK, "--strength", "1"], 2, "--strength given to do: Leave it out: it is of kt"),
        (["-l", "LIB", "-b", BANK, "--side", "32"], 2, "--side given"),
        (["--reference", "PICTURE"], 2, "--reference without --reference-labels"),
        (["--reference", "PICTURE", "--exemplar", "a", "--reference-labels", "MAP"], 2, "beside --exemplar"),
        (["--reference", "PICTURE", "--reference-labels", "MAP", "-l", "LIB"], 2, "beside banks"),
        (["-l", "LIB", "-b", BANK, "--reference-labels", "MAP"], 2, "--reference-labels without --reference"),
        (["--reference", "PICTURE", "--reference-labels", "OTHER"], 4, "label map"),
    ],
)
def test_what_the_system_lacks_or_does_not_take_is_said_before_the_work(place, library, tmp_path, options, code, said):
    places = {
        "LIB": library,
        "PICTURE": place / "in" / "a.png",
        "MAP": place / "labels" / "a.png",
        "OTHER": place / "maps" / "x.png",
    }
    command = ("translate", place / "maps" / "x.png", *SYSTEM, *(places.get(one, one) for one in options))
    done = ktviz(*command, "-o", tmp_path / "out", check=False)
    assert (done.returncode, (tmp_path / "out").exists()) == (code, False)
    assert said in " ".join(done.stderr.split())


def test_one_map_that_cannot_be_read_does_not_cost_the_others(place, library, tmp_path):
    for name, value in (("good", 1), ("bad", 99)):
        (tmp_path / "maps").mkdir(exist_ok=True)
        Image.fromarray(np.full((32, 32), value, np.uint8)).save(tmp_path / "maps" / f"{name}.png")
    command = ("translate", tmp_path / "maps", *SYSTEM, "-l", library, "-b", BANK, "-o", tmp_path / "out", "-q")
    done = ktviz(*command, check=False)
    assert done.returncode == 4
    assert "99 at x 0, y 0" in done.stderr
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["good-warped.png", "good.png"]


def test_no_output_takes_the_place_of_a_map_of_the_reference(place, tmp_path):
    write_map(tmp_path / "x.png", block_map(9, 32, 40), CLASSES)
    write_map(tmp_path / "m.png", block_map(0, 32, 45), CLASSES)
    reference = ("--reference", place / "in" / "a.png", "--reference-labels", tmp_path / "m.png")
    done = ktviz("translate", tmp_path / "x.png", *SYSTEM, *reference, "-o", tmp_path / "m.png", check=False)
    assert (done.returncode, "it is a map of the reference" in done.stderr) == (2, True)


def test_an_audit_is_verified_with_its_library_and_not_without(audited, library):
    ktviz("verify", audited, "-l", library)
    assert ktviz("verify", audited, check=False).returncode == 1
    report = (audited / "report.html").read_text()
    assert all(text in report for text in ("Ann", "CC-BY-4.0", f"{BANK}/", "--library LIBRARY"))
    assert "There was one work to take from; " in " ".join(report.split())
    assert kt.Audit.open(audited).tables["sources"]["share"].tolist() == pytest.approx([1, 0, 0])


def test_an_audit_of_a_saved_trace_is_that_of_its_label_map(place, library, audited, tmp_path):
    command = ("translate", place / "maps" / "x.png", *SYSTEM, "-l", library, "-b", BANK, "--trace")
    ktviz(*command, "-o", tmp_path / "x.png", "-q")
    done = ktviz("audit", tmp_path / "x.parquet", "-l", library, "-o", tmp_path / "audit", "--json")
    assert json.loads(done.stdout)["trace"] == kt.Audit.open(audited).trace.digest
    ktviz("verify", tmp_path / "audit", "-l", library)
    refused = ktviz("audit", tmp_path / "x.parquet", "--exemplar", "a", "-o", tmp_path / "no", check=False)
    assert "--exemplar given" in refused.stderr


@pytest.mark.parametrize("name", ["weight", "similarity", "left_over", "entry"])
def test_a_changed_row_is_caught_though_all_else_was_made_to_fit(folder, library, networks, name):
    model = kt.CoCosNet.from_bank(kt.Library.open(library)[BANK], networks=networks)
    forge(folder, model, lambda evidence: change_cell(evidence, name, True))
    assert ktviz("verify", folder, "-l", library, check=False).returncode == 1


def test_a_picture_in_another_look_is_caught(place, folder, library, networks):
    model = kt.CoCosNet.from_bank(kt.Library.open(library)[BANK], networks=networks)

    def swapped(evidence):
        honest = evidence.recording
        other = model.traced(place / "maps" / "x.png", temperature=0.5).picture.canvases["output"]
        picture = replace(honest.picture, canvases={**honest.picture.canvases, "output": other})
        return replace(evidence, recording=kt.Trace(honest.table, honest.about, [picture]))

    forge(folder, model, swapped)
    done = ktviz("verify", folder, "-l", library, check=False)
    assert (done.returncode, "output" in done.stderr) == (1, True)


def test_a_library_with_another_credit_or_another_picture_is_not_the_one(
    place, audited, library, tmp_path, save, paint
):
    (tmp_path / "credits.csv").write_text(
        "file,title,creator,year,licence,url\n" + "".join(credit(name, "Eve") for name in NAMES)
    )
    other = build(place, tmp_path / "credits.ktlib", tmp_path / "credits.csv")
    assert ktviz("verify", audited, "-l", other, check=False).returncode == 1
    copied = shutil.copytree(place, tmp_path / "copy", ignore=shutil.ignore_patterns("*.ktlib", "audit"))
    save(copied / "in" / "c.png", paint(77, 32, 45))
    altered = build(copied, tmp_path / "altered.ktlib")
    assert ktviz("verify", audited, "-l", altered, check=False).returncode == 1


def test_a_removed_exemplar_is_provably_gone(place, audited, tmp_path):
    library = build(place, tmp_path / "own.ktlib")
    used = kt.Audit.open(audited).tables["sources"]["source"].iloc[0]
    noted = file_digest(audited / "manifest.json")
    proof = ("verify", audited, "-l", library, "--removed", used, "--sha256", noted)
    assert ktviz(*proof, check=False).returncode == 1
    ktviz("library", "remove", library, used, "-b", BANK, "-q")
    ktviz(*proof)


def test_the_demo_paints_every_room_after_every_exemplar(place, library, tmp_path, monkeypatch):
    banks = kt.Library.open(library)[BANK]
    scene = SimpleNamespace(labels=block_map(9, 32, 40))
    monkeypatch.setattr(demo.samples, "bank", lambda name, quiet: banks)
    monkeypatch.setattr(demo.samples, "scene", lambda name: scene)
    monkeypatch.setattr(demo, "EXEMPLARS", ("a", "b"))
    out = tmp_path / "out"
    ktviz("demo", *SYSTEM, "-o", out, "-q")
    rooms = [f"{room}{end}.png" for room in demo.ROOMS for end in ("", "_a", "_b", "_beside", "_backtracking")]
    assert {path.name for path in out.glob("*.png")} == {*rooms, "exemplars.png"}
    assert read_image(out / "exemplars.png").shape == (32 + 8 + 32 + 8 + 32, 40 + 8 + 45 + 8 + 45, 3)
    assert np.array_equal(read_image(out / "exemplars.png")[-32:, -50:-10], read_image(out / f"{demo.ROOMS[1]}_b.png"))
    assert (out / "explorer.html").stat().st_size > 100_000
    ktviz("verify", out / "audit", "-l", library)
