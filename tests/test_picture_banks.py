"""Banks of pictures: kept to the pixel beside banks of patches, with the same intake, credits, removal and digests."""

import json
import shutil

import numpy as np
import pytest
from PIL import ExifTags, Image

import ktviz as kt
from ktviz.errors import (
    CreditsError,
    ImageError,
    ImageWarning,
    LibraryError,
    SettingError,
    SourceWarning,
    UnknownNameError,
)
from ktviz.library.format import FORMAT_VERSION, body_digest
from ktviz.library.kinds.pictures.build import THUMB_PX
from ktviz.library.library import Library

NAME = "refs/test"


@pytest.fixture
def library(tmp_path, toy, settings):
    """A library with a bank of patches."""
    return Library.ensure(tmp_path / "l.ktlib", toy, settings)


@pytest.fixture
def bank(library, pictures):
    """a, b and c as pictures."""
    return library.build(NAME, [pictures / "warm"], kind="pictures", quiet=True)


def all_bytes(folder):
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def test_both_kinds_stand_side_by_side_and_the_manifest_says_which(library, bank, pictures, toy):
    library.build("art/test", [pictures / "cool"], encoder=toy, quiet=True)
    data = json.loads((library.folder / "library.json").read_text())
    assert data["format"] == FORMAT_VERSION
    assert {name: about["kind"] for name, about in data["banks"].items()} == {NAME: "pictures", "art/test": "patches"}
    opened = Library.open(library.folder)
    assert isinstance(opened["art/test"], kt.BankUnion)
    assert opened[NAME].kind == "pictures"
    assert opened.digest == library.digest
    assert set(opened.sources["bank"].to_pylist()) == {NAME, "art/test"}
    assert (opened.record(NAME).sources, opened.record(NAME).entries, len(bank)) == (3, 3, 3)


def test_a_picture_is_kept_to_the_pixel_and_outlives_its_file_and_a_move(library, tmp_path, save, paint):
    folder = tmp_path / "in"
    save(folder / "large.png", paint(1, 300, 401))
    save(folder / "thin.png", paint(2, 16, 900))  # too long to be scaled to the side of a bank of patches
    library.build(NAME, [folder], kind="pictures", quiet=True)
    shutil.rmtree(folder)
    library.folder.rename(tmp_path / "moved.ktlib")
    opened = Library.open(tmp_path / "moved.ktlib")[NAME]
    assert [(s.name, s.width, s.height) for s in opened.sources] == [("large.png", 401, 300), ("thin.png", 900, 16)]
    assert np.array_equal(opened.picture(0), paint(1, 300, 401))
    assert np.array_equal(opened.picture(1), paint(2, 16, 900))
    assert min(opened.thumb(0).shape[:2]) == THUMB_PX
    assert opened.thumb(1).shape == (16, 900, 3)


def test_a_picture_takes_at_most_the_bytes_that_are_stated(library, tmp_path, save):
    noise = np.random.default_rng(0).integers(0, 256, (200, 300, 3), dtype=np.uint8)  # nothing to be gained
    save(tmp_path / "noise.png", noise)
    library.build(NAME, tmp_path / "noise.png", kind="pictures", quiet=True)
    size = library.record(NAME).files["pictures/0000.png"][0]
    assert noise.size < size <= 1.001 * noise.size + 200 + 1000


def test_exif_turns_a_picture_before_it_is_kept(library, tmp_path, paint):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    Image.fromarray(paint(3, 40, 60)).save(tmp_path / "turned.png", exif=exif)
    bank = library.build(NAME, tmp_path / "turned.png", kind="pictures", quiet=True)
    assert (bank.sources[0].width, bank.sources[0].height) == (40, 60)
    assert np.array_equal(bank.picture(0), np.rot90(paint(3, 40, 60), -1))


def test_the_intake_is_that_of_patches(library, tmp_path, save, paint):
    folder = tmp_path / "in"
    for name in ("one.png", "again.png"):
        save(folder / name, paint(0))
    save(folder / "other.png", paint(1))
    (folder / "text.png").write_text("no picture")
    table = tmp_path / "credits.csv"
    table.write_text("file,title,creator,licence\nother.png,Other,Ann,CC BY 4.0\ngone.png,Gone,Bob,CC0-1.0\n")
    with pytest.raises(ImageError, match=r"1 of 3 images[\s\S]*text\.png"), pytest.warns(SourceWarning):
        library.build(NAME, folder, kind="pictures", credits=table, quiet=True)
    assert NAME not in library
    with pytest.warns() as caught:
        bank = library.build(NAME, folder, kind="pictures", credits=table, skip_bad=True, quiet=True)
    said = "\n".join(str(warning.message) for warning in caught)
    for remark in ("gone.png", "the same file as again.png", "without a row in credits.csv", "text.png"):
        assert remark in said
    assert {warning.category for warning in caught} == {SourceWarning, ImageWarning}
    assert [source.name for source in bank.sources] == ["again.png", "other.png"]
    assert bank.describe_sources()[1]["creator"] == "Ann"
    assert bank.describe_sources()[1]["spdx"] == "CC-BY-4.0"
    assert bank.describe_sources()[0]["creator"] == "unknown"


def test_credits_that_say_two_things_are_refused(library, pictures, tmp_path):
    table = tmp_path / "credits.csv"
    table.write_text("file,creator\na.png,Ann\na.png,Bob\n")
    with pytest.raises(CreditsError, match="lines 2 and 3"):
        library.build(NAME, pictures / "warm", kind="pictures", credits=table, quiet=True)
    assert not len(library)


def test_adding_and_removing_again_restores_the_digest(library, bank, pictures):
    before = library.digest
    library.add(NAME, [pictures / "cool", pictures / "warm" / "a.png"], quiet=True)
    assert [source.name for source in library[NAME].sources] == ["a.png", "b.png", "c.png", "d.png", "e.png"]
    assert library.remove(NAME, ["d", "e.png"], quiet=True) == [f"{NAME}/d.png", f"{NAME}/e.png"]
    assert library.digest == before


def test_a_removed_picture_leaves_no_byte_behind(library, bank):
    stored = (bank.banks[0].folder / "pictures" / "0001.png").read_bytes()
    thumb = (bank.banks[0].folder / "thumbs" / "0001.jpg").read_bytes()
    needles = (stored[500:700], thumb[700:800], bank.sources[1].sha256.encode(), b"b.png")
    assert all(needle in all_bytes(library.folder) for needle in needles)
    library.remove(NAME, "b", quiet=True)
    assert not any(needle in all_bytes(library.folder) for needle in needles)
    with pytest.raises(LibraryError, match=r"refs/test/a\.png: it cannot be read.*Open the library again"):
        bank.picture(0)  # of the bank before
    library.remove(NAME, quiet=True)
    assert NAME not in library
    assert not list((library.folder / "banks").glob("*"))


def test_removing_one_of_two_files_of_one_picture_is_told(library, tmp_path, save, paint):
    save(tmp_path / "in" / "a.png", paint(0))
    save(tmp_path / "in" / "b.bmp", paint(0))
    library.build(NAME, tmp_path / "in", kind="pictures", quiet=True)
    with pytest.warns(SourceWarning, match=r"b\.bmp stays, and is the same picture as refs/test/a\.png"):
        library.remove(NAME, "a", quiet=True)


@pytest.mark.parametrize("point", ["write_image", "stored_size"])
def test_an_interrupted_build_goes_on(library, pictures, monkeypatch, point):
    whole = library.build("refs/whole", pictures / "warm", kind="pictures", quiet=True).banks[0].digest
    module, calls = "ktviz.library.kinds.pictures.build", []
    original = getattr(__import__(module, fromlist=[point]), point)

    def interrupted(*arguments):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return original(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(f"{module}.{point}", interrupted)
        with pytest.raises(KeyboardInterrupt):
            library.build(NAME, pictures / "warm", kind="pictures", quiet=True)
    opened = Library.open(library.folder)
    assert list(opened) == ["refs/whole"]
    done = len(list(library.folder.glob("building/*/*.json")))
    assert done
    with monkeypatch.context() as patch:
        made = []
        patch.setattr(f"{module}.decode", lambda path: made.append(path) or (kt.read_image(path), []))
        assert opened.build(NAME, pictures / "warm", kind="pictures", quiet=True).banks[0].digest == whole
    assert len(made) == 3 - done
    assert not (library.folder / "building").exists()


@pytest.mark.parametrize("file", ["pictures/0001.png", "thumbs/0000.jpg", "sources.parquet"])
@pytest.mark.parametrize("how", ["cut", "gone"])
def test_a_damaged_file_is_named(library, bank, file, how):
    path = bank.banks[0].folder / file
    data = path.read_bytes()
    path.unlink()
    if how == "cut":
        path.write_bytes(data[:-1])
    with pytest.raises(LibraryError, match=file):
        Library.open(library.folder)[NAME]


def test_a_bank_of_pictures_is_no_bank_of_patches(library, bank, pictures, toy, toy_decoder):
    library.build("art/test", [pictures / "cool"], encoder=toy, quiet=True)
    library.build("refs/cells", [pictures / "cool"], encoder=toy, quiet=True)
    with pytest.raises(LibraryError, match="bank refs/test: it holds pictures, and patches are needed"):
        kt.Translator(bank, toy, toy_decoder)
    with pytest.raises(LibraryError, match="show the tree of bank refs/test: it holds pictures"):
        kt.TreeView(bank)
    with pytest.raises(LibraryError, match="refs/cells holds patches, refs/test pictures"):
        library["refs"]
    with pytest.raises(UnknownNameError, match="Did you mean pictures"):
        library.build("refs/new", pictures, kind="picture", quiet=True)
    with pytest.raises(SettingError, match="Leave it out"):
        library.build("refs/new", pictures, kind="pictures", encoder=toy, quiet=True)


@pytest.mark.parametrize("kind", ["codes", None, 3])
def test_a_manifest_with_another_kind_is_refused(library, bank, kind):
    change(library, lambda data: data["banks"][NAME].update(kind=kind))
    with pytest.raises(LibraryError, match=rf"of the kind {kind!r}, not one of patches, pictures"):
        Library.open(library.folder)


def test_a_library_of_the_first_format_opens_and_is_written_on(library, pictures, toy):
    library.build("art/test", [pictures / "cool"], encoder=toy, quiet=True)

    def first(data):
        data["format"] = 1
        del data["banks"]["art/test"]["kind"]

    change(library, first)
    opened = Library.open(library.folder)
    assert opened.digest == library.digest
    assert len(opened["art/test"]) == len(library["art/test"])
    opened.build(NAME, pictures / "warm", kind="pictures", quiet=True)
    assert list(Library.open(library.folder)) == ["art/test", NAME]


def change(library, how):
    """Change a manifest and seal it again."""
    path = library.folder / "library.json"
    data = json.loads(path.read_text())
    how(data)
    path.write_text(json.dumps({**data, "sha256": body_digest(data)}))


def test_a_notebook_shows_the_pictures_with_their_credits(library, bank):
    for shown in (bank, bank.banks[0], library):
        assert shown._repr_html_().count("data:image/") == 3
    assert "PictureUnion(refs/test; 3 sources, 3 entries)" in repr(bank)
