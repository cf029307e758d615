"""MUNIT on the command line: from folders of pictures to pictures and audits; forgeries are caught."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from command import ktviz

import ktviz as kt
from ktviz import samples
from ktviz.cli.demos import munit as demo
from ktviz.images import read_image
from ktviz.systems.munit.system import Munit
from ktviz.systems.munit.trained import Networks
from ktviz.testing.forging import change_cell, forge
from ktviz.training import munit as training

from .conftest import BANK, CREDITS, NAMES, write_pots

SYSTEM = ("--system", "munit")


@pytest.fixture(autouse=True)
def shipped(monkeypatch, networks):
    """The networks of these tests in place of those that come with the package."""
    monkeypatch.setattr(Networks, "shipped", classmethod(lambda cls: networks))


def build(root, library):
    options = ("-b", BANK, "--kind", "codes", *SYSTEM, "--credits", root / "credits.csv", "-q")
    ktviz("library", "build", library, root / "in", *options)
    return library


@pytest.fixture(scope="module")
def place(tmp_path_factory, save, paint):
    """in/NAME.png, credits.csv, and drawings to be translated in drawings/."""
    root = tmp_path_factory.mktemp("pots")
    write_pots(root, save, paint)
    save(root / "drawings" / "x.png", paint(9, 42, 53))
    save(root / "drawings" / "deep" / "y.png", paint(8, 80, 48))
    save(root / "cup.png", paint(21, 40, 52))
    return root


@pytest.fixture(scope="module")
def made(place, networks):
    """A library that is never written to again, and the folder of an audit."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Networks, "shipped", classmethod(lambda cls: networks))
        library = build(place, place / "l.ktlib")
        mix = ("--mix", "a=0.25", "--mix", "e.png=0.75")
        ktviz("audit", place / "drawings" / "x.png", *SYSTEM, "-l", library, "-b", BANK, *mix, "-o", place / "audit")
    return library, place / "audit"


@pytest.fixture
def shelf(made):
    return made[0]


@pytest.fixture
def folder(made, tmp_path):
    """A copy of the audit, to be tampered with."""
    return shutil.copytree(made[1], tmp_path / "audit")


@pytest.fixture
def model(shelf, networks):
    return Munit(kt.Library.open(shelf)[BANK], networks)


@pytest.fixture
def translate(place, shelf):
    """`translate(name, ...)`: drawings in styles of the bank."""
    return lambda name, *more, **given: ktviz(
        "translate", place / "drawings" / name, *SYSTEM, "-l", shelf, "-b", BANK, *more, **given
    )


def test_a_bank_of_styles_is_made_with_the_system_s_encoder_and_added_to(place, tmp_path, save, paint, system):
    library = build(place, tmp_path / "own.ktlib")
    (bank,) = json.loads(ktviz("library", "info", library, "--json").stdout)["banks"]
    assert (bank["kind"], bank["sources"]) == ("codes", 5)
    assert np.array_equal(kt.Library.open(library)[BANK].codes, system.banks.codes)
    save(tmp_path / "more" / "f.png", paint(30, 40, 40))
    add = ("library", "add", library, tmp_path / "more", "-b", BANK)
    assert "no coder" in ktviz(*add, check=False).stderr
    assert "1 new source" in ktviz(*add, *SYSTEM).stdout


def test_styles_are_drawn_or_come_from_a_file_or_a_bank(place, translate, model, wanted, tmp_path):
    code = ("--code", ",".join(map(str, wanted)))
    options = {
        "drawn": (("--seed", "4"), {"seed": 4}),
        "named": (("--reference", "c"), {"exemplar": "c"}),
        "nearest": (code, {"code": wanted}),
        "several": ((*code, "--nearest", "3"), {"code": wanted, "nearest": 3}),
        "mix": (("--mix", "a=0.5", "--mix", "b.png=0.5"), {"mix": {"a": 0.5, "b": 0.5}}),
        "without": ((*code, "--without", NAMES[0]), {"code": wanted, "without": NAMES[0]}),
    }
    picture = read_image(place / "drawings" / "x.png")
    for name, (given, settings) in options.items():
        translate("x.png", *given, "-o", tmp_path / f"{name}.png", "-q")
        assert np.array_equal(read_image(tmp_path / f"{name}.png"), model(picture, **settings).output)
    file = ("--reference", place / "cup.png")
    ktviz("translate", place / "drawings" / "x.png", *SYSTEM, *file, "-o", tmp_path / "file.png", "-q")
    alone = Munit(networks=model.networks)
    assert np.array_equal(read_image(tmp_path / "file.png"), alone(picture, exemplar=place / "cup.png").output)
    back = ("--to", "drawings", "--seed", "2", "-o", tmp_path / "back.png", "-q")
    ktviz("translate", place / "in" / "a.png", *SYSTEM, *back)
    other = Munit(networks=model.networks, to="drawings")
    assert np.array_equal(read_image(tmp_path / "back.png"), other(read_image(place / "in" / "a.png"), seed=2).output)


def test_folders_are_translated_and_large_pictures_shrunk(place, translate, tmp_path):
    out = tmp_path / "out"
    done = translate("", "--reference", "b", "--side", "32", "--trace", "--json", "-o", out)
    files = sorted(path.relative_to(out).as_posix() for path in out.rglob("*.*"))
    assert files == ["deep/y.parquet", "deep/y.png", "x.parquet", "x.png"]
    assert min(read_image(out / "deep" / "y.png").shape[:2]) == 32
    found = json.loads(done.stdout)["translations"]
    assert [one["sources"][0]["source"] for one in found] == [NAMES[1]] * 2
    assert [one["causal"] for one in found] == [True] * 2
    assert kt.Trace.open(out / "x.parquet").sites == ["style", "cells", "likeness"]


def test_a_drawn_style_is_said_to_be_only_like_those_of_the_bank(place, translate, tmp_path):
    said = "nearest explanation, not the cause"
    assert said in " ".join(translate("x.png", "-o", tmp_path / "x.png").stdout.split())
    (found,) = json.loads(translate("x.png", "--json", "-o", tmp_path / "x.png").stdout)["translations"]
    assert found["causal"] is False
    assert said not in translate("x.png", "--reference", "b", "-o", tmp_path / "x.png").stdout
    done = ktviz("translate", place / "drawings" / "x.png", *SYSTEM, "--json", "-o", tmp_path / "alone.png")
    (found,) = json.loads(done.stdout)["translations"]
    assert (found["sources"], found["retrievals"]) == ([], 0)


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--reference", "z"], 3, "source 'z'"),
        (["--mix", "a=0.5"], 2, "add up to 0.5"),
        (["--mix", "a"], 2, "no weight"),
        (["--mix", "a=1", "--reference", "b"], 2, "several ways"),
        (["--mix", "a=0.5", "--mix", "a.png=0.5"], 2, "named twice"),
        (["--mix", "a=0.5", "--mix", "a=1"], 2, "named twice"),
        (["--code", "1,2"], 2, "2 numbers, and styles have 4"),
        (["--code", "1,x"], 2, "no numbers"),
        (["--code", "1,nan,2,3"], 2, "not finite"),
        (["--nearest", "2"], 2, "no code"),
        (["--code", "1,2,3,4", "--nearest", "9"], 2, "there are 5 sources"),
        (["--to", "oil"], 2, "Choose one of drawings, photographs"),
        (["--to", "drawings"], 11, "made with another encoder"),
        (["--without", "z"], 3, "source 'z'"),
        (["--seed", "-1"], 2, "seed"),
        (["--exemplar", "a"], 2, "it is of cocosnet"),
        (["--choice", "drawn"], 2, "it is of pix2pixhd"),
    ],
)
def test_what_does_not_fit_is_said_before_the_work(translate, tmp_path, options, code, said):
    done = translate("x.png", *options, "-o", tmp_path / "out", check=False)
    assert (done.returncode, (tmp_path / "out").exists()) == (code, False)
    assert said in " ".join(done.stderr.split())


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["-b", BANK], 2, "no --library"),
        (["--reference", "nowhere.png"], 4, "nowhere.png"),
        (["--code", "1,2,3,4"], 2, "there is no bank"),
        (["--without", "a"], 3, "there is no bank"),
    ],
)
def test_what_lacks_a_bank_is_said(place, tmp_path, options, code, said):
    done = ktviz("translate", place / "drawings" / "x.png", *SYSTEM, *options, "-o", tmp_path / "x.png", check=False)
    assert (done.returncode, (tmp_path / "x.png").exists()) == (code, False)
    assert said in " ".join(done.stderr.split())


def test_an_audit_names_whose_styles_were_mixed_and_is_verified(made):
    library, audited = made
    ktviz("verify", audited, "-l", library)
    assert ktviz("verify", audited, check=False).returncode == 1
    report = (audited / "report.html").read_text()
    assert all(text in report for text in ("Ann", "CC-BY-4.0", *(NAMES[0], NAMES[4]), "--library LIBRARY"))
    assert "not the cause" not in report


@pytest.mark.parametrize("name", ["weight", "entry", "similarity", "source", "left_over", "munit.code"])
def test_a_changed_row_is_caught_though_all_else_was_made_to_fit(folder, shelf, model, name):
    forge(folder, model, lambda evidence: change_cell(evidence, name, True))
    assert ktviz("verify", folder, "-l", shelf, check=False).returncode == 1


@pytest.mark.parametrize("settings", [{"mix": {"a": 0.5, "e": 0.5}}, {"exemplar": "e"}, {"exemplar": None, "seed": 1}])
def test_a_picture_in_another_style_is_caught(folder, shelf, model, settings):
    def swapped(evidence):
        honest = evidence.recording
        other = model.rerun(honest, **settings).picture.canvases["output"]
        picture = replace(honest.picture, canvases={**honest.picture.canvases, "output": other})
        return replace(evidence, recording=kt.Trace(honest.table, honest.about, [picture]))

    forge(folder, model, swapped)
    done = ktviz("verify", folder, "-l", shelf, check=False)
    assert (done.returncode, "output" in done.stderr) == (1, True)


def test_another_credit_is_noticed(place, made, tmp_path):
    shutil.copytree(place / "in", tmp_path / "in")
    (tmp_path / "credits.csv").write_text(CREDITS.replace("Ann", "Eve"))
    other = build(tmp_path, tmp_path / "other.ktlib")
    assert ktviz("verify", made[1], "-l", other, check=False).returncode == 1


def test_a_training_is_of_two_folders(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(training, "train", lambda *given, **more: asked.append((given, more)) or {"scores": {"t": 1}})
    folders = [tmp_path / name for name in ("drawings", "photographs", "test")]
    for folder in folders:
        folder.mkdir()
    options = ("--steps", "7", "--seed", "2", "--eval", folders[2], "--device", "cpu")
    done = ktviz("train", "munit", *folders[:2], "-o", tmp_path / "run", *options)
    ((given, more),) = asked
    assert given == (tuple(folders[:2]), tmp_path / "run")
    assert (more["recipe"].steps, more["recipe"].seed) == (7, 2)
    assert more["evaluation"] == {"test": folders[2]}
    assert "t: 1" in done.stdout
    done = ktviz("train", "munit", folders[0], "-o", tmp_path / "run", check=False)
    assert (done.returncode, "Name two, one of each domain" in done.stderr) == (2, True)


def test_the_demo_swaps_styles_goes_between_them_and_draws_some(networks, tmp_path, monkeypatch):
    monkeypatch.setenv("KTVIZ_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(demo, "DRAWINGS", demo.DRAWINGS[:2])
    out = tmp_path / "out"
    ktviz("demo", *SYSTEM, "-o", out, "-q")
    ends = [*demo.EXEMPLARS, "path", "mix"]
    names = {f"{name}_{end}.png" for name in demo.DRAWINGS for end in ends} | {demo.SHEET}
    names |= {f"{demo.DRAWINGS[0]}_{end}.png" for end in ("backtracking", "cells", "drawn")}
    assert {path.name for path in out.glob("*.png")} == names
    bank = samples.bank(demo.BANK, quiet=True)
    assert bank.coder == Munit(networks=networks).coder.digest
    made = Munit(bank, networks)(samples.drawing(demo.DRAWINGS[1]), exemplar=demo.EXEMPLARS[2])
    assert np.array_equal(read_image(out / f"{demo.DRAWINGS[1]}_{demo.EXEMPLARS[2]}.png"), made.output)
    ktviz("verify", out / "audit", "-l", samples.pots(quiet=True).folder)
    assert (out / "explorer.html").stat().st_size > 100_000
    shares = (out / "sources.csv").read_text()
    assert "ktviz sample generator" in shares
    assert "drawn" not in shares
