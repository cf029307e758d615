"""Bridging on the command line: portraits and their attributes to pictures and audits; and its training."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from command import ktviz

import ktviz as kt
from ktviz import samples
from ktviz.cli.demos import bridge as demo
from ktviz.images import read_image
from ktviz.networks.weights import Packaged
from ktviz.systems.bridge import shape as shapes
from ktviz.systems.bridge.trained import Networks

from .conftest import BANK, EXCLUSIVE, NAMES, ROWS, SHAPE, SIDE

SYSTEM = ("--system", "bridge")
WANT = ("--want", "Blond", "--want", "Hat")


@pytest.fixture(autouse=True)
def shipped(monkeypatch, networks):
    """The networks of these tests in place of those that come with the package."""
    monkeypatch.setattr(Networks, "shipped", classmethod(lambda cls: networks))


@pytest.fixture(scope="module")
def place(tmp_path_factory, save, paint):
    """two/x.png and two/deep/y.png, who lie in two.csv."""
    root = tmp_path_factory.mktemp("portraits")
    for number, name in enumerate(("x", "deep/y")):
        save(root / "two" / f"{name}.png", paint(50 + number, SIDE, SIDE))
    (root / "two.csv").write_text("file,Smile,Hat,Blond,Dark,Old\nx.png,1,0,0,1,1\ndeep/y.png,0,0,0,1,0\n")
    return root


def test_portraits_in_folders_are_changed_by_a_reference_out_of_a_bank(place, library, banked, tmp_path):
    out, bank = tmp_path / "out", ("-l", library.folder, "-b", BANK)
    table = ("--attributes", place / "two.csv")
    done = ktviz("translate", place / "two", *SYSTEM, *bank, *table, *WANT, "-o", out, "--trace", "--json")
    found = json.loads(done.stdout)["translations"]
    files = sorted(path.relative_to(out).as_posix() for path in out.rglob("*.*"))
    assert files == ["deep/y.parquet", "deep/y.png", "x.parquet", "x.png"]
    assert [one["sources"][0]["source"] for one in found]
    expected = banked(place / "two" / "x.png", ["Dark", "Smile"], ["Blond", "Hat"])
    assert np.array_equal(read_image(out / "x.png"), expected.output)
    assert kt.Trace.open(out / "deep" / "y.parquet").picture.settings["has"] == ["Dark"]


def test_settings_and_references_are_handed_on(place, library, system, banked, folder, tmp_path):
    photo, has = place / "two" / "x.png", ("--has", "Dark", "--has", "Smile")
    translate = ("translate", photo, *SYSTEM, "-q", *has)
    ktviz(*translate, *WANT, "--mode", "labels", "--row", "3", "--amount", "1", "-o", tmp_path / "row.png")
    made = system(photo, ["Dark", "Smile"], ["Blond", "Hat"], mode="labels", row=3, amount=1)
    assert np.array_equal(read_image(tmp_path / "row.png"), made.output)
    reference = ("--reference", folder / "in" / "b.png", "--attributes", folder / "attributes.csv")
    ktviz(*translate, *WANT, *reference, "--mode", "between", "--alpha", "0.2", "-o", tmp_path / "file.png")
    b = (folder / "in" / "b.png", ["Blond", "Hat"])
    made = system(photo, ["Dark", "Smile"], ["Blond", "Hat"], mode="between", alpha=0.2, reference=b)
    assert np.array_equal(read_image(tmp_path / "file.png"), made.output)
    bank = ("-l", library.folder, "-b", BANK, "--reference", "c")
    ktviz(*translate, "--want", "Blond", *bank, "-o", tmp_path / "named.png")
    made = banked(photo, ["Dark", "Smile"], ["Blond"], reference="c")
    assert np.array_equal(read_image(tmp_path / "named.png"), made.output)
    ktviz(*translate, "--want", "Smile=no", *bank[:4], "--without", "b.png", "-o", tmp_path / "less.png")
    made = banked(photo, ["Dark", "Smile"], {"Smile": False}, without="b.png")
    assert np.array_equal(read_image(tmp_path / "less.png"), made.output)


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--has", "Dark"], 2, "no --want"),
        (["--want", "Hat"], 2, "neither --has nor --attributes"),
        (["--has", "Dark", "--want", "Hatt"], 3, "Did you mean Hat"),
        (["--has", "Dark", "--want", "Hat=maybe"], 3, "attribute 'Hat=maybe'"),
        (["--has", "Dark", "--want", "Dark", "--want", "Blond"], 2, "a picture has one of"),
        (["--has", "Dark", "--want", "Hat", "--want", "Hat=no", "--mode", "labels"], 2, "named twice"),
        (["--has", "Dark", "--want", "Hat"], 2, "no reference, and no bank to choose one from"),
        (["--has", "Dark", "--want", "Hat", "--reference", "PICTURE"], 2, "--reference without --attributes"),
        (["--has", "Dark", "--want", "Hat", "-b", BANK], 2, "no --library"),
        (["--has", "Dark", "--want", "Hat", "--mode", "labels", "--alpha", "1"], 2, "alpha with mode 'labels'"),
        (["--has", "Dark", "--want", "Hat", "--mode", "labels", "--strength", "1"], 2, "--strength given"),
        (["--attributes", "TABLE", "--want", "Hat", "--mode", "labels"], 4, "no row in"),
        (["--attributes", "SHORT", "--want", "Hat", "--mode", "labels"], 4, "there is no column 'Dark'"),
    ],
)
def test_what_is_missing_or_wrong_is_said_before_the_work(place, folder, tmp_path, options, code, said):
    (tmp_path / "short.csv").write_text("file,Hat\nx.png,0\n")
    places = {
        "PICTURE": folder / "in" / "b.png",
        "TABLE": folder / "attributes.csv",
        "SHORT": tmp_path / "short.csv",
    }
    given = [places.get(one, one) for one in options]
    done = ktviz("translate", place / "two" / "x.png", *SYSTEM, *given, "-o", tmp_path / "out", check=False)
    assert (done.returncode, (tmp_path / "out").exists()) == (code, False), done.stderr
    assert said in " ".join(done.stderr.split())


def test_a_portrait_of_another_size_does_not_cost_the_others(place, save, paint, tmp_path):
    save(tmp_path / "in" / "good.png", paint(1, SIDE, SIDE))
    save(tmp_path / "in" / "wide.png", paint(1, SIDE, 2 * SIDE))
    given = ("--has", "Dark", "--want", "Hat", "--mode", "labels", "-q")
    done = ktviz("translate", tmp_path / "in", *SYSTEM, *given, "-o", tmp_path / "out", check=False)
    assert done.returncode == 4
    assert "64x32 px" in done.stderr
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["good.png"]


def test_options_of_bridging_are_of_bridging_alone(place, tmp_path):
    given = ("--system", "image-analogy", "--reference", place / "two" / "x.png", "--want", "Hat")
    done = ktviz("translate", place / "two" / "x.png", *given, "-o", tmp_path / "out.png", check=False)
    assert (done.returncode, "it is of bridge" in " ".join(done.stderr.split())) == (2, True)


def test_an_audit_is_made_and_verified_with_its_library_and_not_without(place, library, tmp_path):
    given = ("-l", library.folder, "-b", BANK, "--has", "Dark", *WANT)
    ktviz("audit", place / "two" / "x.png", *SYSTEM, *given, "-o", tmp_path / "audit", "-q")
    ktviz("verify", tmp_path / "audit", "-l", library.folder)
    assert ktviz("verify", tmp_path / "audit", check=False).returncode == 1
    report = (tmp_path / "audit" / "report.html").read_text()
    assert all(text in report for text in ("Ann", "CC-BY-4.0", f"{BANK}/"))
    # Three pictures have what is wanted; what goes in is none that was searched, and was not excluded, either.
    assert "<dd>1 of 3</dd>" in report
    assert f"Excluded from the search: {BANK}/a.png, {BANK}/d.png, {BANK}/e.png." in report
    assert kt.Audit.open(tmp_path / "audit").title == f"x, {BANK}"
    forged = shutil.copytree(tmp_path / "audit", tmp_path / "forged")
    (forged / "pictures" / "reference-0.png").write_bytes((forged / "pictures" / "input.png").read_bytes())
    assert ktviz("verify", forged, "-l", library.folder, check=False).returncode == 1


def test_it_is_listed_with_what_it_can_be_asked():
    (found,) = (one for one in json.loads(ktviz("systems", "--json").stdout)["systems"] if one["name"] == "bridge")
    assert found["abilities"] == ["attributes", "bench", "blend", "exclude", "rerun"]
    assert found["baseline"] == "the source's own code"


# Training


@pytest.fixture
def portraits(folder, tmp_path, monkeypatch):
    """A folder as the recipe reads it, with a column that is no attribute; and tiny networks."""
    shutil.copytree(folder / "in", tmp_path / "data" / "pictures")
    rows = [f"{name}.png,{','.join(map(str, row))},0.25" for name, row in ROWS.items()]
    (tmp_path / "data" / "attributes.csv").write_text("\n".join([f"file,{','.join(NAMES)},shade", *rows]) + "\n")
    monkeypatch.setattr(shapes, "SMALL", SHAPE)
    return tmp_path / "data"


def test_a_training_ends_with_networks_that_know_their_attributes(portraits, tmp_path, picture):
    groups = ("--exclusive", "Dark,Blond")
    ktviz("train", "bridge", portraits, "-o", tmp_path / "run", "--steps", "2", *groups, "--eval", portraits, "-q")
    networks = Networks.load(tmp_path / "run")
    assert (networks.attributes, networks.exclusive) == (NAMES, EXCLUSIVE)
    assert len(networks.table) == len(ROWS)
    log = json.loads((tmp_path / "run" / "log.json").read_text())
    assert log["scores"]["data"]["pictures"] == len(ROWS)
    made = kt.Bridge(networks=networks)(picture, ["Dark"], ["Hat"], mode="labels", row=len(ROWS) - 1)
    assert made.output.shape == (SIDE, SIDE, 3)


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--exclusive", "Dark,Red"], 2, "exclusive 'Red' found: no attribute"),
        (["--classes", "classes.csv"], 2, "--classes given"),
        (["--teacher", "vgg.pth"], 2, "--teacher given"),
    ],
)
def test_a_training_refuses_what_it_does_not_know(portraits, tmp_path, options, code, said):
    done = ktviz("train", "bridge", portraits, "-o", tmp_path / "run", "--steps", "2", *options, "-q", check=False)
    assert (done.returncode, (tmp_path / "run").exists()) == (code, False), done.stderr
    assert said in " ".join(done.stderr.split())


def test_other_trainings_take_no_exclusive_attributes(tmp_path):
    given = ("--exclusive", "a,b", "-o", tmp_path / "run")
    done = ktviz("train", "cocosnet", tmp_path, *given, check=False)
    assert (done.returncode, "it is of bridge" in " ".join(done.stderr.split())) == (2, True)


SAMPLES = ("Dark_Hair", "Blond_Hair", "Red_Hair", "Fringe", "Smile", "Glasses", "Hat", "Beard", "Old")
"""Attributes of the sample portraits."""


def test_the_demo_switches_attributes_after_references_by_labels_and_between(tmp_path, monkeypatch):
    torch.manual_seed(0)
    networks = Networks(replace(SHAPE, side=96, attributes=len(SAMPLES)), SAMPLES, (SAMPLES[:3],))
    monkeypatch.setattr(Networks, "shipped", classmethod(lambda cls: networks))
    monkeypatch.setenv("KTVIZ_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(demo, "PORTRAITS", demo.PORTRAITS[:2])
    out = tmp_path / "out"
    ktviz("demo", *SYSTEM, "-o", out, "-q")
    wishes = ["hair", "smile", "glasses", "hat", "beard", "old", "several"]
    ends = [*wishes, "changes", "between", "share"]
    names = {f"{name}_{end}.png" for name in demo.PORTRAITS for end in ends}
    assert {path.name for path in out.glob("*.png")} == names | {f"{demo.PORTRAITS[0]}_backtracking.png"}
    name, portrait = demo.PORTRAITS[1], samples.portrait(demo.PORTRAITS[1])
    system = kt.Bridge(samples.bank(demo.BANK, quiet=True), networks)
    assert portrait.has["Smile"]
    after = system(portrait.pixels, portrait.has, {"Smile": False}).output
    assert np.array_equal(read_image(out / f"{name}_smile.png"), after)
    way = read_image(out / f"{name}_between.png")
    wanted = {"Hat": True, "Glasses": True}
    by_labels, after = (system(portrait.pixels, portrait.has, wanted, mode=m).output for m in ("labels", "reference"))
    assert np.array_equal(way[:, :96], by_labels)
    assert np.array_equal(way[:, -96:], after)
    ktviz("verify", out / "audit", "-l", samples.portraits(quiet=True).folder)
    assert (out / "explorer.html").stat().st_size > 100_000
    assert "ktviz sample generator" in (out / "sources.csv").read_text()


def test_without_weights_the_demo_says_what_to_do(monkeypatch, tmp_path):
    none = Packaged(tmp_path, {})
    monkeypatch.setattr(Networks, "shipped", classmethod(lambda cls: none.checked("bridge")))
    done = ktviz("demo", *SYSTEM, "-o", tmp_path / "out", "-q", check=False)
    assert (done.returncode, (tmp_path / "out").exists()) == (7, False)
    assert "ktviz train bridge" in " ".join(done.stderr.split())
