"""The command line, as a person uses it: small photographs, real weights, real exit codes."""

import json
import re
import shutil
import signal
import subprocess
import sys
import time
from html import unescape
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from command import ktviz

from ktviz import samples
from ktviz.cli.demos import cocosnet, image_analogy, kt, pix2pixhd
from ktviz.cli.demos.registry import Demo
from ktviz.errors import MissingWeightsError
from ktviz.images import file_digest, read_image, resize_short_side, write_image
from ktviz.library.format import writing
from ktviz.systems.registry import OURS

SAMPLES = Path(__file__).parent.parent / "sample_data"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cli")
    for name, source in {
        "ink/cat.png": "comic/ink/after-chelsea.jpg",
        "ink/hat.png": "comic/ink/straw-hat.jpg",
        "vivid/lake.png": "hdr/vivid/alpine-lake.jpg",
        "photos/coffee.png": "photos/coffee.jpg",
        "photos/rocket.png": "photos/rocket.jpg",
    }.items():
        write_image(folder / name, resize_short_side(read_image(SAMPLES / source), 96))
    (folder / "credits.csv").write_text("file,title,creator,year,licence,url\ncat.png,A cat,Ann,1999,CC-BY-4.0,\n")
    return folder


@pytest.fixture(scope="module")
def library(folder):
    path = folder / "small.ktlib"
    ktviz(
        "library",
        "build",
        path,
        "--bank",
        "comic/ink",
        folder / "ink",
        "--credits",
        folder / "credits.csv",
        "--side",
        96,
    )
    ktviz("library", "build", path, "--bank", "hdr/vivid", folder / "vivid", "--quiet")
    return path


def test_list_and_info_as_json_name_the_banks_and_their_sizes(library):
    banks = json.loads(ktviz("library", "list", library, "--json").stdout)
    assert [b["name"] for b in banks] == ["comic/ink", "hdr/vivid"]
    assert [b["sources"] for b in banks] == [2, 1]
    assert all(b["entries"] > 100 and b["bytes"] > 1000 for b in banks)
    info = json.loads(ktviz("library", "info", library, "--json").stdout)
    cat = info["banks"][0]["source_list"][0]
    assert (cat["name"], cat["creator"], cat["url"]) == ("cat.png", "Ann", "unknown")
    assert info["settings"]["side_px"] == 96


def test_a_library_is_checked_and_rebuilt_and_tells_its_drift(library, tmp_path):
    copy = shutil.copytree(library, tmp_path / "copy.ktlib")
    said = ktviz("library", "check", copy).stdout
    assert "comic/ink: all files as they were written" in said
    assert "near to the centres of leaves" in said
    added = ktviz("library", "add", copy, SAMPLES / "comic/ink/straw-hat.jpg", "-b", "hdr/vivid").stdout
    assert "hdr/vivid: keys are" in added
    assert "made anew: hdr/vivid" in ktviz("library", "rebuild", copy, "-b", "hdr/vivid").stdout
    drift = json.loads(ktviz("library", "info", copy, "--json").stdout)["banks"][1]["drift"]
    assert (drift["before"]["nearness"], drift["matters"]) == (pytest.approx(drift["now"]["nearness"]), False)
    path = next((copy / "banks/comic/ink").glob("*.jpg"))
    path.write_bytes(path.read_bytes()[:-1])
    damaged = ktviz("library", "check", copy, check=False)
    assert damaged.returncode == 5
    assert path.name in damaged.stderr
    assert ktviz("library", "check", copy, "-b", "hdr/vivid", "--quiet").stdout == ""


def test_translating_one_photo_writes_that_file_and_prints_the_shares(library, folder, tmp_path):
    out = tmp_path / "new" / "coffee.png"
    done = ktviz("translate", folder / "photos/coffee.png", "-l", library, "-b", "comic/ink", "-o", out)
    photo, result = read_image(folder / "photos/coffee.png"), read_image(out)
    assert result.shape == photo.shape
    assert np.abs(result.astype(int) - photo).mean() > 5
    assert "Ann" in done.stdout
    assert "%" in done.stdout


def test_translating_a_folder_with_every_option_writes_a_folder(library, folder, tmp_path):
    arguments = ["--preset", "paper", "--transfer", "swap", "--strength", 0.5, "--without", "cat", "--quiet"]
    done = ktviz("translate", folder / "photos", "-l", library, "-b", "comic", "-b", "hdr", *arguments, "-o", tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["coffee.png", "rocket.png"]
    assert done.stdout == ""


def test_strength_zero_differs_from_full_strength(library, folder, tmp_path):
    photo = folder / "photos/coffee.png"
    for strength in (0, 1):
        ktviz(
            "translate", photo, "-l", library, "-b", "comic", "--strength", strength, "-o", tmp_path / f"{strength}.png"
        )
    assert not np.array_equal(read_image(tmp_path / "0.png"), read_image(tmp_path / "1.png"))


@pytest.fixture(scope="module")
def audit(library, folder):
    ktviz("audit", folder / "photos/coffee.png", "-l", library, "-b", "comic", "-o", folder / "audit", "--top", 1, "-q")
    return folder / "audit"


def test_an_audit_is_written_and_verified(audit, library, folder):
    assert (audit / "report.html").exists()
    done = ktviz("verify", audit, "-l", library, "--sources", folder / "ink")
    assert "output identical" in done.stdout
    found = json.loads(ktviz("verify", audit, "-l", library, "--json").stdout)
    assert found["ok"]
    assert found["difference"] == ""


def test_a_tampered_audit_fails_with_the_first_difference_and_code_1(audit, library, tmp_path):
    shutil.copytree(audit, tmp_path / "audit")
    table = tmp_path / "audit" / "tables" / "sources.csv"
    table.write_text(table.read_text().replace("Ann", "Bob"))
    done = ktviz("verify", tmp_path / "audit", "-l", library, check=False)
    assert done.returncode == 1
    assert "tables/sources.csv was changed" in done.stderr


def test_removal_from_the_library_is_proven(audit, library, tmp_path):
    shutil.copytree(library, tmp_path / "l.ktlib")
    proof = ("verify", audit, "-l", tmp_path / "l.ktlib", "--removed", "cat")
    assert "this proves nothing" in ktviz(*proof, check=False).stderr
    proof += ("--sha256", file_digest(audit / "manifest.json"))
    done = ktviz(*proof, check=False)
    assert done.returncode == 1
    assert "still holds cat.png" in done.stderr
    ktviz("library", "remove", tmp_path / "l.ktlib", "-b", "comic/ink", "cat", "-q")
    done = ktviz(*proof)
    assert "no run of its bytes in the library" in done.stdout
    assert ktviz("verify", audit, "-l", tmp_path / "l.ktlib", check=False).returncode == 1


def test_a_trace_that_translate_kept_can_be_audited(library, folder, tmp_path):
    photo = folder / "photos/rocket.png"
    ktviz("translate", photo, "-l", library, "-b", "comic", "-o", tmp_path / "rocket.png", "--trace", "-q")
    ktviz("audit", tmp_path / "rocket.parquet", "-l", library, "-o", tmp_path / "audit", "--top", 0, "-q")
    kept = read_image(tmp_path / "audit" / "pictures" / "output.png")
    assert np.array_equal(kept, read_image(tmp_path / "rocket.png"))


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["audit", "PHOTO", "-l", "LIB", "-o", "NEW"], 2, "Name a library, and a bank in it"),
        (["audit", "PHOTO", "-l", "LIB", "-b", "comic", "-o", "FULL"], 8, "say overwrite=True (--overwrite)"),
        (["audit", "PHOTO", "-l", "LIB", "-b", "komic", "-o", "NEW"], 3, "Did you mean comic"),
        (["audit", "none.parquet", "-l", "LIB", "-o", "NEW"], 10, "no such file"),
        (["verify", "FULL", "-l", "LIB"], 12, "there is no manifest.json"),
        (["verify", "AUDIT", "-l", "LIB", "--removed", "nobody", "--sha256", "SHA"], 3, "nobody"),
    ],
)
def test_bad_input_to_audit_and_verify_is_named(audit, library, folder, tmp_path, arguments, code, message):
    places = {
        "PHOTO": folder / "photos/coffee.png",
        "SHA": file_digest(audit / "manifest.json"),
        "LIB": library,
        "NEW": tmp_path / "new",
        "FULL": folder / "photos",
        "AUDIT": audit,
    }
    done = ktviz(*(places.get(a, a) for a in arguments), check=False)
    assert done.returncode == code
    assert message in " ".join(done.stderr.split())
    assert not (tmp_path / "new").exists()


def test_the_example_asks_every_question_of_any_photo_and_library(library, folder, tmp_path):
    script = SAMPLES.parent / "examples" / "which_knowledge.py"
    command = [sys.executable, script, folder / "photos/coffee.png", library, "comic", tmp_path]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    written = {path.name for path in tmp_path.iterdir()}
    figures = {f"attribution-{name}.png" for name in ("overlap", "footprint", "gradient", "ablation", "datamodel")}
    figures |= {"trace.png", "backtrack.png", "comparison.png", "faithfulness.png"}
    assert written == figures | {"trace.parquet", "store", "audit"}
    assert "retrievals identical" in done.stdout


def test_sources_are_added_and_removed(library, folder, tmp_path):
    path = tmp_path / "edit.ktlib"
    ktviz("library", "build", path, "-b", "comic/ink", folder / "ink/cat.png", "--side", 96, "-q")
    ktviz("library", "add", path, "-b", "comic/ink", folder / "ink/hat.png", "-q")
    assert json.loads(ktviz("library", "list", path, "--json").stdout)[0]["sources"] == 2
    ktviz("library", "remove", path, "-b", "comic/ink", "cat")
    assert json.loads(ktviz("library", "list", path, "--json").stdout)[0]["sources"] == 1
    ktviz("library", "remove", path, "-b", "comic/ink", "--all", "-q")
    assert json.loads(ktviz("library", "list", path, "--json").stdout) == []


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ("translate {photo} -l {lib} -b comic/inc -o x.png", 3, "Did you mean comic/ink"),
        ("translate {photo} -l {lib} -b comic/inc -o x.png", 3, "known: comic/ink, hdr/vivid"),
        ("translate {photo} -l {lib} -b comic --without kat -o x.png", 3, "known: comic/ink/cat.png"),
        ("translate {photo} -l {lib} -b comic --strength 2 -o x.png", 2, "strength 2"),
        ("translate {photo} -l {lib} -b comic --preset best -o x.png", 2, "paper, beam, exact"),
        ("translate {lib}/library.json -l {lib} -b comic -o x.png", 4, "not an image"),
        ("translate gone.jpg -l {lib} -b comic -o x.png", 4, "no such file"),
        ("translate {photo} -l nowhere.ktlib -b comic -o x.png", 5, "there is no library.json"),
        ("library build {lib} -b comic/ink {photo}", 5, "exists already"),
        ("library build {lib} -b Comic/Ink {photo}", 5, "task/style"),
        ("library build {lib} -b comic/new .", 4, "no image there"),
        ("library build new.ktlib -b a/b {photo} --branching ten", 2, "10,10"),
        ("library remove {lib} -b comic/ink dog", 3, "dog"),
        ("translate {photo} -b comic -o x.png", 2, "--library"),
        ("train {photo} -o run", 2, "--teacher"),
    ],
)
def test_bad_input_ends_in_a_message_and_an_exit_code(library, folder, tmp_path, arguments, code, words):
    names = {"photo": folder / "photos/coffee.png", "lib": library}
    done = ktviz(*arguments.format(**names).split(), cwd=tmp_path, check=False)
    assert done.returncode == code, done.stderr
    assert words in " ".join(done.stderr.split()), done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "x.png").exists()


def test_one_bad_photo_does_not_cost_the_others(library, folder, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/bad.png").write_bytes(b"not a picture")
    write_image(tmp_path / "in/good.png", read_image(folder / "photos/coffee.png"))
    done = ktviz("translate", tmp_path / "in", "-l", library, "-b", "comic", "-q", "-o", tmp_path / "out", check=False)
    assert done.returncode == 4
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["good.png"]


def test_interrupting_a_build_leaves_the_library_as_it_was(library, folder, tmp_path):
    before = (library / "library.json").read_bytes()
    command = ["library", "build", library, "-b", "art/all", SAMPLES / "art"]
    process = subprocess.Popen(
        [sys.executable, "-c", "from ktviz.cli.main import main; main()", *map(str, command)],
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not list((library / "building").rglob("*.safetensors")) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert "Traceback" not in stderr
    assert (library / "library.json").read_bytes() == before
    ktviz("library", "info", library, "--quiet")


def test_a_second_ctrl_c_stops_at_once(library, folder, tmp_path):
    """The first one waits for the pictures that are under way."""
    code = (
        "import os, signal, time, ktviz.cli.main as m, ktviz.library.kinds.patches.build as b\n"
        "def slow(*_):\n    os.kill(os.getpid(), signal.SIGINT); time.sleep(600)\n"
        "b.survivors = slow; m.main()"
    )
    command = ["library", "add", library, "--bank", "comic/ink", folder / "vivid"]
    process = subprocess.Popen([sys.executable, "-c", code, *map(str, command)], stderr=subprocess.PIPE, text=True)
    while "Interrupted" not in (line := process.stderr.readline()):
        assert line, "it ended without a word"
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert "Traceback" not in stderr
    ktviz("library", "info", library, "--quiet")


def test_an_unknown_kind_of_output_is_refused(library, folder, tmp_path):
    photo = folder / "photos/coffee.png"
    done = ktviz("translate", photo, "-l", library, "-b", "comic/ink", "-o", tmp_path / "out.gif", check=False)
    assert done.returncode == 2
    assert list(tmp_path.iterdir()) == []


def test_building_and_adding_tell_what_is_new_and_what_has_no_credit(folder, tmp_path):
    path, credits = tmp_path / "told.ktlib", folder / "credits.csv"
    built = ktviz("library", "build", path, "-b", "comic/ink", folder / "ink", "--credits", credits, "--side", 96)
    assert "hat.png" in built.stderr
    assert "cat.png" not in built.stderr
    assert "0 new sources" in ktviz("library", "add", path, "-b", "comic/ink", folder / "ink/cat.png").stdout
    assert "1 new source\n" in ktviz("library", "add", path, "-b", "comic/ink", folder / "vivid").stdout


def test_doctor_finds_everything_in_a_working_installation(tmp_path):
    findings = json.loads(ktviz("doctor", "--json", cwd=tmp_path).stdout)
    weights = {f"weights of {system}" for system in OURS}
    assert {f["what"] for f in findings} >= {"torch", "cache folder", *weights}
    assert all(f["ok"] for f in findings)


def test_demo_writes_pictures_figures_and_shares_that_sum_to_one(tmp_path, monkeypatch):
    """With one job of each task, of all that `make demo` does."""
    monkeypatch.setenv("KTVIZ_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(kt, "JOBS", [kt.JOBS[0], *kt.JOBS[4:6]])
    outdated = tmp_path / "cache/samples-0123456789ab.ktlib"
    outdated.mkdir(parents=True)
    ktviz("demo", "-o", tmp_path / "out")
    shares = pd.read_csv(tmp_path / "out/sources.csv")
    assert np.allclose(shares.groupby("output").share.sum(), 1, atol=1e-4)
    assert {bank.split("/")[0] for bank in shares.bank} == {"art", "hdr", "comic"}
    for output in shares.output.unique():
        for name in (output, output.replace(".png", "_beside.png"), output.replace(".png", "_backtracking.png")):
            assert (tmp_path / "out" / name).stat().st_size > 10_000
    pairs = zip(shares.output, shares.source, strict=True)
    own = np.array([f"after-{output.split('_')[0]}" in source for output, source in pairs])
    assert own.any()
    assert shares.share[own].sum() == 0
    assert not outdated.exists()


def test_the_demo_of_analogies_writes_both_outputs_figures_a_page_and_an_audit_that_agrees(tmp_path, monkeypatch):
    """With two small pairs."""
    monkeypatch.setattr(image_analogy, "PAIRS", image_analogy.PAIRS[:1] + image_analogy.PAIRS[3:])
    monkeypatch.setattr(image_analogy, "SIDE_PX", 48)
    out = tmp_path / "out"
    done = ktviz("demo", "--system", "image-analogy", "-o", out)
    shares = pd.read_csv(out / "sources.csv")
    names = [
        f"{name}{back}.png" for name in ("sailing_harbour-sails", "chelsea_after-chelsea") for back in ("", "-back")
    ]
    assert shares["output"].tolist() == names
    assert np.allclose(shares["share"], 1, atol=1e-4)
    assert shares["source"].tolist() == ["harbour-sails.jpg", "sailing.jpg", "after-chelsea.jpg", "chelsea.jpg"]
    assert shares["creator"].tolist() == ["ktviz sample generator"] * 3 + ["Stéfan van der Walt"]
    for name, back in zip(names[::2], names[1::2], strict=True):
        made, other = read_image(out / name), read_image(out / back)
        assert shares.set_index("output")["retrievals"][[name, back]].tolist() == [
            one[..., 0].size for one in (made, other)
        ]
        row = read_image(out / name.replace(".png", "_beside.png"))
        right = round(other.shape[1] * made.shape[0] / other.shape[0])
        assert row.shape[:2] == (made.shape[0], 2 * made.shape[1] + 2 * right + 3 * 8)
        assert np.array_equal(row[:, -right - 8 - made.shape[1] : -right - 8], made)
        assert (out / name.replace(".png", "_backtracking.png")).stat().st_size > 10_000
    assert (out / "explorer.html").stat().st_size > 100_000
    assert "analogies" in done.stderr
    assert ktviz("verify", out / "audit").returncode == 0


@pytest.mark.parametrize(("system", "kind"), [("cocosnet", "rooms"), ("pix2pixhd", "streets")])
def test_demos_after_label_maps_write_pictures_a_page_and_an_audit_that_agrees(tmp_path, monkeypatch, system, kind):
    """With one map each."""
    monkeypatch.setattr(cocosnet, "ROOMS", cocosnet.ROOMS[:1])
    monkeypatch.setattr(cocosnet, "EXEMPLARS", cocosnet.EXEMPLARS[:1])
    monkeypatch.setattr(pix2pixhd, "STREETS", pix2pixhd.STREETS[:1])
    monkeypatch.setattr(pix2pixhd, "SEEDS", pix2pixhd.SEEDS[:1])
    out = tmp_path / "out"
    ktviz("demo", "--system", system, "-o", out)
    shares = pd.read_csv(out / "sources.csv")
    assert all(read_image(out / file).std() > 20 for file in shares["output"].unique())
    assert (out / "explorer.html").stat().st_size > 100_000
    library = samples.scenes(kind, quiet=True).folder
    assert ktviz("verify", out / "audit", "-l", library).returncode == 0


def test_all_demos_are_one_page_that_names_what_is_left_out(tmp_path, monkeypatch):
    """With two small ones, and one whose weights are not there."""
    monkeypatch.setenv("KTVIZ_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(kt, "JOBS", kt.JOBS[:1])
    monkeypatch.setattr(pix2pixhd, "STREETS", pix2pixhd.STREETS[:1])
    monkeypatch.setattr(pix2pixhd, "SEEDS", pix2pixhd.SEEDS[:1])

    def without_weights(output, quiet):
        raise MissingWeightsError("weights of munit", "none come with this version", "Train some, or load others")

    first = dict(list(kt.SHOWN.items())[:1])
    demos = {"kt": Demo(kt.run, first), "pix2pixhd": Demo.of(pix2pixhd), "munit": Demo(without_weights, {})}
    for module in ("ktviz.cli.demo", "ktviz.cli.demos.page"):
        monkeypatch.setattr(f"{module}.DEMOS", demos)
    out = tmp_path / "out"
    done = ktviz("demo", "--all", "-o", out)
    assert "munit is left out: none come with this version" in done.stdout
    page = (out / "index.html").read_text()
    assert page.count("<img ") == page.count("data:image/jpeg") == 1 + len(pix2pixhd.SHOWN)
    assert 'src="http' not in page
    for link in re.findall(r'href="([^#"]+)"', page):
        assert (out / link).is_file()
    sections = re.findall(r'<section id="([a-z0-9]+)">(.*?)</section>', page, re.DOTALL)
    assert [name for name, _ in sections] == ["kt", "pix2pixhd"]
    for name, section in sections:
        shares = pd.read_csv(out / name / "sources.csv")
        largest = shares[shares["output"] == shares["output"][0]].iloc[0]
        assert largest["title"] in unescape(section)
        assert "explorer.html" in section


def test_a_demo_is_of_one_system_or_of_all(tmp_path):
    done = ktviz("demo", "--all", "--system", "kt", "-o", tmp_path / "out", check=False)
    assert (done.returncode, "Give one of both" in done.stderr) == (2, True)


@pytest.mark.parametrize(("name", "code", "said"), [("image-analgy", 3, "image-analogy"), ("kd", 3, "kt")])
def test_a_demo_of_an_unknown_system_is_refused_by_the_nearest_name(tmp_path, name, code, said):
    done = ktviz("demo", "--system", name, "-o", tmp_path / "out", check=False)
    assert (done.returncode, said in done.stderr) == (code, True)
    assert not (tmp_path / "out").exists()


def test_a_damaged_sample_library_is_built_again_and_a_busy_one_is_left_alone(tmp_path, monkeypatch):
    rows = ["file,title,creator,year,licence,url\n"]
    for task in ("art", "hdr", "comic"):
        write_image(
            tmp_path / f"in/{task}/plain/a.png", resize_short_side(read_image(SAMPLES / "photos/coffee.jpg"), 64)
        )
        rows.append(f"{task}/plain/a.png,A,Ann,1999,CC0-1.0,\n")
    (tmp_path / "in/credits.csv").write_text("".join(rows))
    monkeypatch.setenv("KTVIZ_CACHE", str(tmp_path / "cache"))
    built = samples.library(pictures=tmp_path / "in", quiet=True)
    next(built.folder.rglob("keys.safetensors")).write_bytes(b"cut short")
    busy = tmp_path / "cache/samples-busy.ktlib"
    with writing(busy):
        again = samples.library(pictures=tmp_path / "in", quiet=True)
    assert busy.exists()
    assert again.digest == built.digest
    assert len(again["comic/plain"]) > 0


@pytest.mark.parametrize("out", ["coffee.png", "."])
def test_a_photograph_is_never_overwritten_by_its_translation(library, folder, tmp_path, out):
    write_image(tmp_path / "coffee.png", read_image(folder / "photos/coffee.png"))
    before = (tmp_path / "coffee.png").read_bytes()
    done = ktviz("translate", "coffee.png", "-l", library, "-b", "comic", "-o", out, cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert "it is a photograph to translate" in done.stderr
    assert (tmp_path / "coffee.png").read_bytes() == before


def test_removing_a_whole_bank_has_to_be_said(library):
    before = (library / "library.json").read_bytes()
    assert ktviz("library", "remove", library, "-b", "comic/ink", check=False).returncode == 2
    assert (library / "library.json").read_bytes() == before


def test_a_misspelt_folder_leaves_no_library_behind(tmp_path):
    done = ktviz("library", "build", tmp_path / "new.ktlib", "-b", "a/b", tmp_path / "missing", check=False)
    assert done.returncode == 4
    assert not (tmp_path / "new.ktlib").exists()


def test_the_paper_s_branching_has_a_name(folder, tmp_path):
    path = tmp_path / "paper.ktlib"
    ktviz("library", "build", path, "-b", "a/b", folder / "ink", "--side", 64, "--branching", "paper", "-q")
    assert json.loads(ktviz("library", "info", path, "--json").stdout)["settings"]["branching"] == [10, 10]
