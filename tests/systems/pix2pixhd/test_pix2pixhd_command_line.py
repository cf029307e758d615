"""pix2pixHD on the command line: from folders of pictures and maps to pictures and audits; forgeries are caught."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from command import ktviz

import ktviz as kt
from ktviz.cli.demos import pix2pixhd as demo
from ktviz.images import file_digest, read_image, write_image
from ktviz.labels import write_map
from ktviz.samples import Scene
from ktviz.systems.pix2pixhd.system import Pix2PixHD
from ktviz.systems.pix2pixhd.trained import Networks
from ktviz.testing.forging import change_cell, forge

from .conftest import CLASSES, world

BANK, SOURCES = "scenes/toy", 4
SYSTEM = ("--system", "pix2pixhd")


@pytest.fixture(autouse=True)
def shipped(monkeypatch, networks):
    """The networks of these tests in place of those that come with the package."""
    monkeypatch.setattr(Networks, "shipped", classmethod(lambda cls: networks))


def write_world(root, name, seed, photos="in"):
    """A picture and its maps."""
    photo, labels, instances = world(seed)
    write_image(root / photos / f"{name}.png", photo)
    write_map(root / "labels" / f"{name}.png", labels, CLASSES)
    write_map(root / "inst" / f"{name}.png", instances)


def credits(root, creator="Ann"):
    rows = (f"{n}.png,Corner {n},{creator},1901,CC BY 4.0,https://example.org/{n}\n" for n in range(SOURCES))
    root.mkdir(exist_ok=True)
    (root / "credits.csv").write_text("file,title,creator,year,licence,url\n" + "".join(rows))
    return root / "credits.csv"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """in/N.png, labels/N.png, inst/N.png, classes.csv, credits.csv; maps to be painted in maps/labels and maps/inst."""
    root = tmp_path_factory.mktemp("corners")
    for number in range(SOURCES):
        write_world(root, number, number)
    for name, seed in (("x", 100), ("deep/y", 101)):
        write_world(root / "maps", name, seed)
    CLASSES.write(root / "classes.csv")
    credits(root)
    return root


def build(place, library, table=None):
    maps = ("--labels", place / "labels", "--instances", place / "inst", "--classes", place / "classes.csv")
    kind = ("-b", BANK, "--kind", "codes", *SYSTEM, "--credits", table or place / "credits.csv")
    ktviz("library", "build", library, place / "in", *kind, *maps, "-q")
    return library


@pytest.fixture(scope="module")
def made(place, networks):
    """A library that is never written to again, and the folder of an audit."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Networks, "shipped", classmethod(lambda cls: networks))
        library = build(place, place / "l.ktlib")
        maps = (place / "maps" / "labels" / "x.png", "--instances", place / "maps" / "inst" / "x.png")
        ktviz("audit", *maps, *SYSTEM, "-l", library, "-b", BANK, "--seed", "3", "-o", place / "audit", "-q")
    return library, place / "audit"


@pytest.fixture
def library(made):
    return made[0]


@pytest.fixture
def audited(made):
    return made[1]


@pytest.fixture
def folder(audited, tmp_path):
    """A copy to be tampered with."""
    return shutil.copytree(audited, tmp_path / "audit")


@pytest.fixture
def model(library, networks):
    return Pix2PixHD(kt.Library.open(library)[BANK], networks)


@pytest.fixture
def translate(place, library):
    """`translate(name, ...)`: label maps with their instance maps."""
    start = ("--instances", place / "maps" / "inst", *SYSTEM, "-l", library, "-b", BANK, "-q")
    return lambda name, *more, **given: ktviz("translate", place / "maps" / "labels" / name, *start, *more, **given)


def test_a_bank_of_codes_is_made_with_the_system_s_encoder_and_added_to(place, tmp_path):
    library = build(place, tmp_path / "own.ktlib")
    (bank,) = json.loads(ktviz("library", "info", library, "--json").stdout)["banks"]
    assert (bank["kind"], bank["sources"], bank["with_maps"]) == ("codes", 4, {"labels": 4, "instances": 4})
    assert {one["name"] for one in bank["by_class"]} == {"sky", "road", "car", "tree"}
    maps = ("--labels", place / "maps" / "labels", "--instances", place / "maps" / "inst")
    add = ("library", "add", library, place / "maps" / "in", "-b", BANK, *maps)
    assert "no coder" in ktviz(*add, check=False).stderr
    assert "2 new sources" in ktviz(*add, *SYSTEM).stdout


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        ([], 2, "no coder to do: Give what makes its codes: coder=, --system"),
        (["--system", "cocosnet"], 2, "codes of --system cocosnet found: it makes none"),
        (["--system", "pix2pix"], 3, "Did you mean pix2pixhd"),
        ([*SYSTEM], 2, "no label maps"),
    ],
)
def test_what_a_bank_of_codes_lacks_is_said_and_no_library_left(place, tmp_path, options, code, said):
    command = ("library", "build", tmp_path / "new.ktlib", place / "in", "-b", BANK, "--kind", "codes", *options)
    done = ktviz(*command, check=False)
    assert (done.returncode, (tmp_path / "new.ktlib").exists()) == (code, False)
    assert said in " ".join(done.stderr.split())


def test_label_maps_in_folders_find_their_instance_maps(place, translate, model, tmp_path):
    translate("", "--seed", "3", "--trace", "-o", tmp_path / "out")
    files = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.*"))
    assert files == ["deep/y.parquet", "deep/y.png", "x.parquet", "x.png"]
    _, labels, instances = world(101)
    assert np.array_equal(read_image(tmp_path / "out/deep/y.png"), model(labels, instances, seed=3).output)
    assert kt.Trace.open(tmp_path / "out/x.parquet").sites == ["style", "members"]


def test_a_class_for_which_nothing_was_taken_is_named(place, library, tmp_path):
    labels = np.zeros((48, 64), np.int64)
    labels[:, :16] = 1
    write_map(tmp_path / "bare.png", labels, CLASSES)
    given = (tmp_path / "bare.png", *SYSTEM, "-l", library, "-b", BANK)
    for command in ("translate", "audit"):
        told = ktviz(command, *given, "-o", tmp_path / command).stdout
        assert "75.0%  nothing taken for class unknown" in told
        assert "not recorded" not in told
        found = json.loads(ktviz(command, *given, "-o", tmp_path / f"{command}-json", "--json").stdout)
        (one,) = found["translations"] if command == "translate" else [found]
        assert one["lacking"] == {"nothing taken for class unknown": 0.75}


def test_looks_are_drawn_or_come_from_a_source_or_from_a_file_with_its_maps(place, translate, model, tmp_path):
    file = ("--reference", place / "in" / "2.png", "--reference-labels", place / "labels" / "2.png")
    photo, labels, instances = (place / "maps" / folder / "x.png" for folder in ("in", "labels", "inst"))
    other = ("--reference", photo, "--reference-labels", labels, "--reference-instances", instances)
    ways = {
        "source": ("--choice", "encoded", "--reference", "2.png"),
        "file": ("--choice", "encoded", *file, "--reference-instances", place / "inst" / "2.png"),
        "whole": ("--choice", "encoded", *file),
        "drawn": (),
        "nearest": ("--choice", "nearest", *other),
        "without": ("--without", "1.png"),
    }
    for name, options in ways.items():
        translate("x.png", *options, "-o", tmp_path / f"{name}.png")
    found = {name: read_image(tmp_path / f"{name}.png") for name in ways}
    assert np.array_equal(found["source"], found["file"])
    assert len({found[name].tobytes() for name in ways}) == len(ways) - 1
    _, labels, instances = world(100)
    assert np.array_equal(found["without"], model(labels, instances, without="1.png").output)


@pytest.mark.parametrize("again", [False, True])
def test_how_a_source_is_left_out_is_said_in_the_trace(place, translate, tmp_path, again):
    translate("x.png", "--without", "1.png", *["--again"] * again, "--trace", "-o", tmp_path / "x.png")
    settings = kt.Trace.open(tmp_path / "x.parquet").picture.settings
    assert (settings["again"], settings["without"]) == (again, [f"{BANK}/1.png"])


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--choice", "nearest"], 2, "--choice nearest without --reference to do: Name a picture of the banks"),
        (["--choice", "encoded"], 2, "--choice encoded without --reference"),
        (["--choice", "best"], 2, "choice 'best'"),
        (["--exemplar", "1"], 2, "--exemplar given to do: Leave it out: it is of cocosnet"),
        (["--memory", "1GB"], 2, "it is of kt"),
        (["--reference", "9.png"], 3, "9.png"),
        (["--reference-labels", "MAP"], 2, "no --reference"),
        (["--reference", "1.png", "--reference-instances", "MAP"], 2, "without --reference-labels"),
        (["--instances", "NOWHERE"], 4, "there is no such file"),
        (["--seed", "-1"], 2, "seed"),
    ],
)
def test_what_does_not_fit_is_said_before_the_work(place, translate, tmp_path, options, code, said):
    places = {"MAP": place / "labels" / "1.png", "NOWHERE": place / "nowhere"}
    done = translate("x.png", *(places.get(one, one) for one in options), "-o", tmp_path / "out", check=False)
    assert (done.returncode, (tmp_path / "out").exists()) == (code, False)
    assert said in " ".join(done.stderr.split())


def test_no_output_takes_the_place_of_an_instance_map(place, library, tmp_path):
    write_world(tmp_path, "x", 100)
    maps = (tmp_path / "labels" / "x.png", "--instances", tmp_path / "inst" / "x.png")
    output = ("-o", tmp_path / "inst" / "x.png")
    done = ktviz("translate", *maps, *SYSTEM, "-l", library, "-b", BANK, *output, check=False)
    assert (done.returncode, "it is the instance map" in done.stderr) == (2, True)


def test_an_audit_names_whose_objects_lent_their_looks_and_is_verified(audited, library):
    ktviz("verify", audited, "-l", library)
    assert ktviz("verify", audited, check=False).returncode == 1
    report = (audited / "report.html").read_text()
    assert all(text in report for text in ("Ann", "CC-BY-4.0", f"{BANK}/", "--library LIBRARY"))


@pytest.mark.parametrize("name", ["weight", "entry", "similarity", "source"])
def test_a_changed_row_is_caught_though_all_else_was_made_to_fit(folder, library, model, name):
    forge(folder, model, lambda evidence: change_cell(evidence, name, True))
    assert ktviz("verify", folder, "-l", library, check=False).returncode == 1


def test_a_picture_of_another_seed_is_caught(folder, library, model):
    def swapped(evidence):
        honest = evidence.recording
        other = model.rerun(honest, seed=4).picture.canvases["output"]
        picture = replace(honest.picture, canvases={**honest.picture.canvases, "output": other})
        return replace(evidence, recording=kt.Trace(honest.table, honest.about, [picture]))

    forge(folder, model, swapped)
    done = ktviz("verify", folder, "-l", library, check=False)
    assert (done.returncode, "output" in done.stderr) == (1, True)


def test_another_credit_of_a_member_is_noticed(place, audited, tmp_path):
    other = build(place, tmp_path / "other.ktlib", credits(tmp_path / "table", "Eve"))
    done = ktviz("verify", audited, "-l", other, check=False)
    assert done.returncode == 1


def test_a_member_that_was_removed_is_provably_gone(place, audited, tmp_path):
    library = build(place, tmp_path / "own.ktlib")
    used = kt.Audit.open(audited).tables["sources"]["source"].iloc[0]
    proof = ("verify", audited, "-l", library, "--removed", used, "--sha256", file_digest(audited / "manifest.json"))
    assert ktviz(*proof, check=False).returncode == 1
    ktviz("library", "remove", library, used, "-b", BANK, "-q")
    ktviz(*proof)


def test_the_demo_draws_restyles_and_takes_after_a_reference(library, model, tmp_path, monkeypatch):
    scenes = {name: Scene(name, *world(number), CLASSES) for number, name in enumerate(demo.STREETS, 100)}
    monkeypatch.setattr(demo.samples, "bank", lambda name, quiet: kt.Library.open(library)[BANK])
    monkeypatch.setattr(demo.samples, "scene", scenes.__getitem__)
    out = tmp_path / "out"
    ktviz("demo", *SYSTEM, "-o", out, "-q")
    drawn = [f"seed-{seed}" for seed in demo.SEEDS]
    names = {f"{a}_{end}.png" for a in scenes for end in (*drawn, "beside", "backtracking", "car", "reference")}
    first, second = scenes
    assert {path.name for path in out.glob("*.png")} == names | {
        f"{first}_like-{second}.png",
        f"{second}_like-{first}.png",
    }
    for seed in demo.SEEDS:
        expected = model(scenes[first].labels, scenes[first].instances, seed=seed).output
        assert np.array_equal(read_image(out / f"{first}_seed-{seed}.png"), expected)
    ktviz("verify", out / "audit", "-l", library)
    assert (out / "explorer.html").stat().st_size > 100_000
