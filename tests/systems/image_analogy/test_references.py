"""References out of a bank of pictures: named, credited, noticed when changed, proven gone when removed."""

import hashlib
import json

import numpy as np
import pytest
from command import ktviz
from views.wire import unpack

import ktviz as kt
from ktviz.audit.removal import verify_removal
from ktviz.errors import LibraryError, MismatchError, SettingError, SourceWarning, UnknownNameError
from ktviz.systems.image_analogy.levels import Passage
from ktviz.systems.registry import opened
from ktviz.testing.forging import forge, with_other_pixels

from .conftest import BANK, CREDITS, library_of, write_animals

FAST = {"iterations": 1}
NAME = f"{BANK}/tiger.png"
BOX = kt.Box(8, 8, 16, 12)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, save, paint):
    root = tmp_path_factory.mktemp("references")
    write_animals(root, save, paint)
    return root


@pytest.fixture(scope="module")
def library(folder):
    """Never written to again."""
    return library_of(folder, folder / "l.ktlib")


@pytest.fixture
def own(folder, tmp_path):
    """The same, to be edited."""
    return library_of(folder, tmp_path / "own.ktlib")


@pytest.fixture(scope="module")
def system(library, model):
    return kt.ImageAnalogy.from_bank(library[BANK], "tiger.png", model)


@pytest.fixture(scope="module")
def trace(system, paint):
    return system.traced(paint(5, 32, 40), **FAST)


@pytest.fixture
def saved(trace, tmp_path):
    """The folder of an audit, and the SHA-256 of its manifest."""
    kt.Audit.create(trace).save(tmp_path / "audit")
    return tmp_path / "audit", hashlib.sha256((tmp_path / "audit/manifest.json").read_bytes()).hexdigest()


def test_a_reference_out_of_a_bank_makes_what_its_file_makes(system, model, folder, paint):
    photo = paint(5, 32, 40)
    file = kt.ImageAnalogy(folder / "in" / "tiger.png", model)
    assert np.array_equal(system(photo, **FAST).a_prime, file(photo, **FAST).a_prime)
    assert repr(system) == f"ImageAnalogy({NAME}, 48x40 px)"


def test_the_credit_stands_in_the_trace(trace, folder):
    source = next(source for source in trace.about["sources"] if source["source"] == NAME)
    known = {"bank": BANK, "title": "Tiger", "creator": "Ann", "year": "1901", "spdx": "CC-BY-4.0"}
    known |= {"url": "https://example.org/tiger", "width": 48, "height": 40}
    known["sha256"] = hashlib.sha256((folder / "in" / "tiger.png").read_bytes()).hexdigest()
    assert known.items() <= source.items()
    assert f"library source {NAME}" in trace.about["digests"]
    assert trace.site("ab.vote").sources().set_index("source").loc[NAME, "creator"] == "Ann"


def test_the_credit_stands_in_the_audit_and_its_report(saved):
    folder, _ = saved
    audit = kt.Audit.open(folder)
    assert "CC-BY-4.0" in audit.tables["licences"]["licence"].iloc[0]
    assert audit.tables["creators"]["creator"].iloc[0] == "Ann"
    report = (folder / "report.html").read_text()
    assert all(text in report for text in (NAME, "Tiger", "Ann", "https://example.org/tiger", "--library LIBRARY"))


def test_the_credit_and_the_picture_stand_in_the_explorer(trace):
    with kt.Explorer(trace) as view:
        values, parts = unpack(view._scene)
    number, card = next((n, card) for n, card in enumerate(values["sources"]) if card["name"] == NAME)
    shown = {"bank": BANK, "title": "Tiger", "creator": "Ann", "url": "https://example.org/tiger", "width": 48}
    assert shown.items() <= card.items()
    assert "CC-BY-4.0" in card["licence"]
    assert f"thumb/{number}" in parts
    assert "Tiger · Ann · CC-BY-4.0" in trace.site("ab.vote")._repr_html_()


def test_names_are_ends_and_one_picture_needs_none(library, own, model):
    assert kt.ImageAnalogy.from_bank(library["refs"], "lion", model).reference.name == "refs/animals/lion.png"
    with pytest.raises(UnknownNameError, match=rf"Did you mean {NAME}"):
        kt.ImageAnalogy.from_bank(library[BANK], "tigre.png", model)
    with pytest.raises(UnknownNameError, match=r"none is named, and there are 2: refs/animals/lion\.png"):
        kt.ImageAnalogy.from_bank(library[BANK], method=model)
    own.remove(BANK, "lion", quiet=True)
    assert kt.ImageAnalogy.from_bank(own[BANK], method=model).reference.name == NAME


def test_a_name_that_several_banks_have_is_refused_with_all_of_them(own, folder, model):
    own.build("refs/cats", folder / "in" / "tiger.png", kind="pictures", quiet=True)
    with pytest.raises(UnknownNameError, match=r"refs/animals/tiger\.png or refs/cats/tiger\.png"):
        kt.ImageAnalogy.from_bank(own["refs"], "tiger.png", model)
    assert kt.ImageAnalogy.from_bank(own["refs"], "cats/tiger.png", model).reference.source["bank"] == "refs/cats"


def test_banks_of_patches_and_what_is_no_bank_are_refused(world, model):
    with pytest.raises(LibraryError, match="it holds patches, and pictures are needed"):
        kt.ImageAnalogy.from_bank(world.banks, "a.png", model)
    with pytest.raises(SettingError, match="no banks of a library"):
        kt.ImageAnalogy.from_bank("refs/animals", "tiger.png", model)


def test_a_part_of_the_reference_is_left_out_by_its_short_name(system, trace):
    left = kt.SourceRegion("tiger.png", kt.Box(0, 0, 20, 40))
    without = kt.without(trace, left)
    assert without.picture.settings["without"][0]["source"] == NAME
    assert without.site("ab.vote").column("source_box", winners=False)[:, 0].min() >= 20


def test_a_trace_without_pictures_finds_its_reference_in_the_library(trace, library, system, paint, tmp_path):
    trace.save(tmp_path / "t.parquet", pictures="none")
    back = kt.Trace.open(tmp_path / "t.parquet")
    found = kt.ImageAnalogy.opened(back, kt.Library.open(library.folder), system)
    photo = paint(5, 32, 40)
    assert kt.without(back, kt.Box(0, 0, 20, 40), model=found, photo=photo).about["digests"] == back.about["digests"]
    shares = kt.attribute(back.site("ab.vote"), BOX, through="gradient", model=found, photo=photo)
    assert shares.frame["share"].sum() == pytest.approx(1, abs=1e-3)


def test_without_the_library_or_the_picture_in_it_a_trace_is_not_made_again(trace, own, system):
    with pytest.raises(MismatchError, match="no library was given"):
        opened(trace, None, system)
    own.remove(BANK, "tiger", quiet=True)
    with pytest.raises(MismatchError, match="bank refs/animals does not hold it"):
        opened(trace, own, system)
    own.remove(BANK, quiet=True)
    with pytest.raises(MismatchError, match="the library has no bank refs/animals"):
        opened(trace, own, system)


def test_an_audit_is_verified_with_the_library(saved, library, folder, system):
    audit, _ = saved
    assert kt.verify(audit, library.folder, sources=folder / "in", model=system).ok
    assert "no library was given" in kt.verify(audit, model=system).difference


@pytest.mark.parametrize("canvas", ["input", "reference:0", "output"])
def test_another_picture_in_the_folder_is_caught(saved, library, system, canvas):
    forge(saved[0], system, with_other_pixels(canvas))
    assert "another picture than the one beside it" in kt.verify(saved[0], library, model=system).difference


def test_another_picture_in_the_bank_changes_nothing(saved, own, save, paint, tmp_path, system):
    own.add(BANK, save(tmp_path / "bear.png", paint(7)), quiet=True)
    assert kt.verify(saved[0], own, model=system).ok


@pytest.mark.parametrize("what", ["pixels", "credit"])
def test_a_changed_reference_or_credit_is_noticed(saved, own, folder, save, paint, tmp_path, system, what):
    own.remove(BANK, "tiger", quiet=True)
    pixels = paint(1, 40, 48)
    pixels[0, 0] ^= 255 if what == "pixels" else 0
    changed = save(tmp_path / "new" / "tiger.png", pixels)
    (tmp_path / "credits.csv").write_text(CREDITS if what == "pixels" else CREDITS.replace("Ann", "Eve"))
    with pytest.warns(SourceWarning, match="lion"):
        own.add(BANK, changed, credits=tmp_path / "credits.csv", quiet=True)
    difference = kt.verify(saved[0], own, model=system).difference
    assert (f"library source {NAME}" if what == "pixels" else "sources") in difference


def test_a_reference_that_was_removed_is_proven_gone(saved, own, system):
    audit, sha256 = saved
    kept = own.bank(BANK).stored(1)
    assert "still holds tiger.png" in verify_removal(audit, own, "tiger.png", model=system, sha256=sha256).difference
    own.remove(BANK, "tiger", quiet=True)
    assert verify_removal(audit, own, "tiger.png", model=system, sha256=sha256).ok
    (own.folder / "left").write_bytes(b"x" * 7 + kept[300:900])
    verdict = verify_removal(audit, own, "tiger.png", model=system, sha256=sha256)
    assert f"left still holds picture of {NAME}" in verdict.difference


def test_even_a_plain_and_tiny_reference_has_a_fingerprint(library, own, save, tmp_path, model, paint):
    plain = np.full((16, 16, 3), 90, np.uint8)
    own.build("refs/plain", save(tmp_path / "grey.png", plain), kind="pictures", quiet=True)
    system = kt.ImageAnalogy.from_bank(own["refs/plain"], method=model)
    audit = kt.Audit.create(system.traced(paint(5, 32, 40), **FAST))
    audit.save(tmp_path / "audit")
    sha256 = hashlib.sha256((tmp_path / "audit/manifest.json").read_bytes()).hexdigest()
    stored = own.bank("refs/plain").stored(0)
    own.remove("refs/plain", quiet=True)
    assert verify_removal(tmp_path / "audit", own, "grey", model=system, sha256=sha256).ok
    (own.folder / "left").write_bytes(stored)
    assert not verify_removal(tmp_path / "audit", own, "grey", model=system, sha256=sha256).ok


def test_a_manifest_of_an_audit_names_no_path(saved, library):
    assert str(library.folder) not in json.dumps(json.loads((saved[0] / "manifest.json").read_text()))


def test_the_command_line_goes_from_a_folder_to_a_verified_audit(folder, tmp_path, save, paint):
    photo, library = save(tmp_path / "cat.png", paint(5, 16, 20)), tmp_path / "l.ktlib"
    bank = ("--library", library, "--bank", BANK)
    built = ktviz("library", "build", library, "--kind", "pictures", "-b", BANK, folder / "in", "--quiet")
    assert not built.stdout
    ktviz("library", "add", library, photo, "-b", BANK, "-q")
    assert "3 pictures" in ktviz("library", "info", library).stdout
    assert [row["kind"] for row in json.loads(ktviz("library", "list", library, "--json").stdout)] == ["pictures"]
    assert "2 sources left" in ktviz("library", "remove", library, "cat", "-b", BANK).stdout
    system = ("--system", "image-analogy")
    ktviz("translate", photo, *system, *bank, "--reference", "lion", "-o", tmp_path / "bank", "-q")
    assert sorted(path.name for path in (tmp_path / "bank").iterdir()) == ["cat-back.png", "cat.png"]
    audit = ktviz("audit", photo, *system, *bank, "--reference", "lion", "-o", tmp_path / "audit", "--json")
    assert json.loads(audit.stdout)["sources"][0]["bank"] == BANK
    ktviz("verify", tmp_path / "audit", "--library", library, "--sources", folder / "in")
    assert ktviz("verify", tmp_path / "audit", check=False).returncode == 1


@pytest.mark.parametrize("command", ["translate", "audit"])
@pytest.mark.parametrize("step", ["match", "vote"])
def test_after_ctrl_c_nothing_is_half_written(folder, tmp_path, monkeypatch, command, step):
    def interrupt(self, way, *_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Passage, {"match": "match", "vote": "votes"}[step], interrupt)
    photo, output = folder / "in" / "lion.png", tmp_path / "out"
    system = ("--system", "image-analogy", "--reference", folder / "in" / "tiger.png")
    done = ktviz(command, photo, *system, "-o", output, check=False)
    assert (done.returncode, list(tmp_path.iterdir())) == (130, [])


def test_the_progress_bar_comes_to_its_end(folder, tmp_path):
    reference = folder / "in" / "tiger.png"
    photo, output = folder / "in" / "lion.png", tmp_path / "out"
    system = ("--system", "image-analogy", "--reference", reference, "--preset", "photo-to-photo")
    shown = ktviz("translate", photo, *system, "-o", output).stderr
    assert "conv5_1" in shown
    assert "100%" in shown
    assert "32/32" in shown


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--bank", BANK], 3, "none is named, and there are 2"),
        (["--bank", BANK, "--reference", "tigre"], 3, "Did you mean"),
        (["--bank", "refs/animal", "--reference", "tiger"], 3, "Did you mean refs/animals"),
        ([], 2, "--library without --bank"),
        (["--bank", BANK, "--reference", "tiger", "--memory", "1 GB"], 2, "--memory given"),
    ],
)
def test_what_a_command_was_not_given_ends_it_before_its_work(library, folder, tmp_path, options, code, said):
    photo, output = folder / "in" / "lion.png", tmp_path / "out"
    command = ("translate", photo, "--system", "image-analogy", "--library", library.folder, *options, "-o", output)
    done = ktviz(*command, check=False)
    assert (done.returncode, output.exists()) == (code, False)
    assert said in " ".join(done.stderr.split())


@pytest.mark.parametrize(
    ("photos", "output", "said"),
    [
        (["cat.png"], "tiger.png", "it is the reference"),
        (["cat.png"], "cat.jpg", "it is a photograph"),
        (["x-back.png"], "x.png", "it is a photograph"),
        (["x.png", "x-back.png"], "out", "would both become it"),
        (["cat.png"], "tig.png", "it is the reference"),
    ],
)
def test_no_output_takes_the_place_of_a_picture_or_of_another_output(tmp_path, save, paint, photos, output, said):
    for name in ("cat.png", "x.png", "x-back.png", "tiger.png", "tig-back.png"):
        save(tmp_path / name, paint(5, 16, 20))
    if output == "cat.jpg":
        (tmp_path / "cat.jpg").symlink_to(tmp_path / "cat.png")
    reference = "tig-back.png" if output == "tig.png" else "tiger.png"
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    command = ("translate", *photos, "--system", "image-analogy", "--reference", reference, "-o", output)
    done = ktviz(*command, cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert said in " ".join(done.stderr.split())
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_side_shrinks_the_reference_file_with_the_photo(tmp_path, save, paint):
    for name, height, width in (("cat.png", 40, 60), ("tiger.png", 90, 70)):
        save(tmp_path / name, paint(5, height, width))
    command = ("translate", "cat.png", "--system", "image-analogy", "--reference", "tiger.png", "-o", "out.png")
    ktviz(*command, "--side", "32", "--trace", "-q", cwd=tmp_path)
    trace = kt.Trace.open(tmp_path / "out.parquet")
    sizes = {name: pixels.shape[:2] for name, pixels in trace.picture.canvases.items()}
    assert sizes == {"input": (32, 48), "output": (32, 48), "reference:0": (41, 32), "output:back": (41, 32)}
    assert {"tiger.png"} <= {source["source"] for source in trace.about["sources"]}
    assert kt.read_image(tmp_path / "out-back.png").shape == (41, 32, 3)


def test_kt_says_that_it_needs_patches(library, folder, tmp_path):
    photo = folder / "in" / "lion.png"
    done = ktviz("translate", photo, "-l", library.folder, "-b", BANK, "-o", tmp_path / "out", check=False)
    assert done.returncode == 5
    assert "it holds pictures, and patches are needed" in " ".join(done.stderr.split())
