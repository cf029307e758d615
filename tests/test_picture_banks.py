"""Banks of pictures: kept to the pixel beside banks of patches, with the same intake, credits, removal and digests."""

import json
import re
import shutil
from dataclasses import replace

import numpy as np
import pytest
from mapped import CLASSES, ROAD, SKY, maps, save_maps
from PIL import ExifTags, Image
from stored import file_of, older, resealed

import ktviz as kt
from ktviz.audit.fingerprint import find_runs, fingerprints
from ktviz.audit.removal import check_no_bytes
from ktviz.errors import (
    CreditsError,
    ImageError,
    ImageWarning,
    LabelError,
    LibraryError,
    SettingError,
    SourceWarning,
    UnknownNameError,
)
from ktviz.labels import Classes, write_map
from ktviz.library.format import FORMAT_VERSION, body_digest
from ktviz.library.kinds.pictures.kept import THUMB_PX
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


def open_maps(library):
    """Touch all that a bank of pictures holds."""
    bank = library[NAME]
    for number in range(len(bank)):
        bank.picture(number), bank.thumb(number), bank.labels(number), bank.instances(number)


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
    size = library.bank(NAME).place.stated(0)[0][0]
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
    stored, thumb = bank.banks[0].stored(1), bank.banks[0].thumb(1)
    needles = (stored[500:700], thumb[700:800], bank.sources[1].sha256.encode(), b"b.png")
    assert all(needle in all_bytes(library.folder) for needle in needles)
    library.remove(NAME, "b", quiet=True)
    assert not any(needle in all_bytes(library.folder) for needle in needles)
    with pytest.raises(LibraryError, match=r"refs/test.*it was changed since it was opened.*Open it again"):
        bank.thumb(1)  # of the bank before
    assert np.array_equal(bank.picture(2), library[NAME].picture(1))
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
    module, calls = "ktviz.library.kinds.pictures.kept", []
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


@pytest.mark.parametrize("file", ["1.png", "0.jpg", "sources.parquet"])
@pytest.mark.parametrize("how", ["cut", "gone"])
def test_a_damaged_file_is_named(library, bank, file, how):
    path = file_of(bank.banks[0], file)
    data = path.read_bytes()
    path.unlink()
    if how == "cut":
        path.write_bytes(data[:-1])
    for asked in (Library.check, open_maps):
        with pytest.raises(LibraryError, match=path.name):
            asked(Library.open(library.folder))


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


@pytest.mark.parametrize("kind", ["tiles", None, 3])
def test_a_manifest_with_another_kind_is_refused(library, bank, kind):
    change(library, lambda data: data["banks"][NAME].update(kind=kind))
    with pytest.raises(LibraryError, match=rf"of the kind {kind!r}, not one of patches, pictures, codes"):
        Library.open(library.folder)


def test_a_library_of_an_older_format_opens_and_is_written_on_when_it_was_converted(
    library, bank, pictures, mapped, tmp_path
):
    library.build("refs/mapped", pictures / "warm", kind="pictures", **both(mapped), quiet=True)
    folder = older(library, tmp_path / "old.ktlib", 2)
    opened = Library.open(folder)
    opened.check()
    assert np.array_equal(opened[NAME].picture(1), bank.picture(1))
    assert np.array_equal(opened["refs/mapped"].instances(2), maps(2)[1])
    opened.rebuild(quiet=True)
    assert Library.open(folder).digest == library.digest


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


@pytest.fixture
def mapped(tmp_path, pictures):
    """Maps of all toy pictures: `labels/`, `instances/` and `classes.csv`."""
    return save_maps(tmp_path / "maps", ["a", "b", "c", "d", "e"])


def both(folder):
    return {"labels": folder / "labels", "instances": folder / "instances"}


def test_maps_are_kept_to_the_number_and_outlive_their_files_and_a_move(library, pictures, mapped, tmp_path):
    bank = library.build(NAME, pictures / "warm", kind="pictures", **both(mapped), quiet=True)
    shutil.rmtree(mapped)
    library.folder.rename(tmp_path / "moved.ktlib")
    opened = Library.open(tmp_path / "moved.ktlib")[NAME]
    for number in range(3):
        labels, instances = maps(number)
        assert np.array_equal(opened.labels(number), labels)
        assert np.array_equal(opened.instances(number), instances)
    assert opened.labels(0).dtype == np.int64
    assert opened.classes.names == CLASSES.names == bank.classes.names
    files = [file_of(opened.banks[0], f"0.{name}.png") for name in ("labels", "instances")]
    with Image.open(files[0]) as one, Image.open(files[1]) as other:
        assert (one.mode, other.mode) == ("P", "I;16")


def test_objects_of_many_classes_are_read_back(library, pictures, tmp_path):
    """From class 66 on their numbers take more than 16 bits."""
    classes, objects = Classes.numbered(100), np.full((64, 64), 99_000)
    objects[:, 20:] = 99_001
    for folder, numbers, palette in (("labels", np.full_like(objects, 99), classes), ("instances", objects, None)):
        write_map(tmp_path / folder / "a.png", numbers, palette)
    bank = library.build(
        NAME, [pictures / "warm" / "a.png"], kind="pictures", classes=classes, quiet=True, **both(tmp_path)
    )
    assert np.array_equal(bank.instances(0), objects)


def test_maps_are_found_below_folders_and_for_every_suffix(library, tmp_path, save, paint):
    save(tmp_path / "in" / "town" / "one.jpg", paint(0))
    save(tmp_path / "in" / "two.webp", paint(1))
    labels = save_maps(tmp_path / "maps", ["town/one", "two"]) / "labels"
    bank = library.build(NAME, tmp_path / "in", kind="pictures", labels=labels, quiet=True)
    assert np.array_equal(bank.labels(1), maps(1)[0])
    assert bank.instances(0) is None


def test_a_bank_without_maps_is_what_it_was(library, bank):
    assert set(library.record(NAME).tables) == {"sources.parquet"}
    assert library.record(NAME).of_source == (".png", ".jpg")
    assert bank.labels(0) is None
    assert bank.classes is None


def spoil(folder, what):
    """Make one map one that cannot be used."""
    labels, instances = maps(1)
    if what == "missing":
        (folder / "labels" / "b.png").unlink()
    elif what == "no instances":
        (folder / "instances" / "b.png").unlink()
    elif what == "size":
        write_map(folder / "labels" / "b.png", labels[:-1], CLASSES)
    elif what == "range":
        write_map(folder / "labels" / "b.png", labels + 4)
    elif what == "disagree":
        write_map(folder / "instances" / "b.png", np.where(instances == SKY, ROAD, instances))
    elif what == "cut":
        data = (folder / "labels" / "b.png").read_bytes()
        (folder / "labels" / "b.png").write_bytes(data[: len(data) // 2])


BAD = {
    "missing": r"label map .*b\.png': there is no such file",
    "no instances": r"instance map .*b\.png': there is no such file",
    "size": r"label map .*b\.png': 64x63 px, and its picture 64x64",
    "range": r"label map .*b\.png': 4 at x 0, y 0",
    "disagree": r"instance map .*b\.png': object 1 at x 0, y 0",
    "cut": r"label map .*b\.png': damaged",
}


@pytest.mark.parametrize("what", BAD)
def test_every_map_that_cannot_be_used_is_named_before_the_work_starts(library, pictures, mapped, what, monkeypatch):
    spoil(mapped, what)
    (mapped / "labels" / "c.png").unlink()
    monkeypatch.setattr("ktviz.library.kinds.pictures.kept.write_image", lambda *_: pytest.fail("the work has started"))
    with pytest.raises(ImageError, match=r"2 of 3 images") as caught:
        library.build(NAME, pictures / "warm", kind="pictures", **both(mapped), quiet=True)
    assert re.search(BAD[what], caught.value.found)
    assert "c.png" in caught.value.found
    assert NAME not in library
    assert not (library.folder / "building").exists()


def test_pictures_whose_maps_cannot_be_used_are_left_out_when_that_is_asked_for(library, pictures, mapped):
    spoil(mapped, "size")
    with pytest.warns(ImageWarning, match="64x63 px"):
        bank = library.build(NAME, pictures / "warm", kind="pictures", **both(mapped), skip_bad=True, quiet=True)
    assert [source.name for source in bank.sources] == ["a.png", "c.png"]
    assert np.array_equal(bank.labels(1), maps(2)[0])


def test_adding_and_removing_pictures_with_maps_is_building_from_what_remains(library, pictures, mapped):
    whole = library.build("refs/whole", pictures, kind="pictures", labels=nested(mapped, "labels"), quiet=True)
    library.build(NAME, pictures / "warm", kind="pictures", **both(mapped), quiet=True)
    before = library.record(NAME).digest
    library.add(NAME, pictures / "cool", **both(mapped), quiet=True)
    assert np.array_equal(library[NAME].labels(4), maps(4)[0])
    library.remove(NAME, ["d", "e"], quiet=True)
    assert library.record(NAME).digest == before
    assert np.array_equal(whole.labels(whole.source_numbers["refs/whole/cool/e.png"]), maps(4)[0])


def nested(folder, what):
    """The same maps as for pictures in two folders."""
    for name in ("warm/a", "warm/b", "warm/c", "cool/d", "cool/e"):
        place = folder / "nested" / what / f"{name}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / what / f"{name[-1]}.png", place)
    shutil.copyfile(folder / "classes.csv", folder / "nested" / "classes.csv")
    return folder / "nested" / what


def test_a_bank_takes_only_the_maps_that_it_has(library, pictures, mapped, tmp_path):
    library.build(NAME, pictures / "warm", kind="pictures", **both(mapped), quiet=True)
    library.build("refs/plain", pictures / "warm", kind="pictures", quiet=True)
    before = library.digest
    cool = pictures / "cool"
    with pytest.raises(LibraryError, match="its pictures have label maps and instance maps, these no maps"):
        library.add(NAME, cool, quiet=True)
    with pytest.raises(LibraryError, match="its pictures have label maps and instance maps, these label maps"):
        library.add(NAME, cool, labels=mapped / "labels", quiet=True)
    with pytest.raises(LibraryError, match="its pictures have no maps, these label maps"):
        library.add("refs/plain", cool, labels=mapped / "labels", quiet=True)
    others = Classes(("sky", "street", "car", "pole"), CLASSES.colours)
    with pytest.raises(LibraryError, match="class 1 is 'street', not 'road'"):
        library.add(NAME, cool, **both(mapped), classes=others, quiet=True)
    assert library.digest == before


def test_classes_are_found_beside_the_maps_or_above_or_are_those_of_the_bank(library, pictures, mapped):
    (mapped / "classes.csv").rename(mapped / "list.csv")
    for about in ({}, {"classes": mapped / "list.csv"}, {"instances": mapped / "instances"}):
        wanted = {"labels": mapped / "labels"} if "classes" not in about else {}
        with pytest.raises(SettingError, match=r"no classes\.csv|no label maps"):
            library.build(NAME, pictures / "warm", kind="pictures", **wanted, **about, quiet=True)
    library.build(NAME, pictures / "warm", kind="pictures", **both(mapped), classes=mapped / "list.csv", quiet=True)
    assert len(library.add(NAME, pictures / "cool", **both(mapped), quiet=True)) == 5
    shutil.copyfile(mapped / "list.csv", mapped / "labels" / "classes.csv")
    library.build("refs/more", pictures / "warm", kind="pictures", labels=mapped / "labels", quiet=True)
    with pytest.raises(LabelError, match="nowhere': there is no such folder"):
        library.build("refs/none", pictures / "warm", kind="pictures", labels=mapped / "nowhere", quiet=True)
    with pytest.raises(SettingError, match="a bank of patches with maps"):
        library.build("art/none", pictures / "warm", labels=mapped / "labels", quiet=True)


def test_a_picture_with_other_maps_is_another_part_of_an_interrupted_build(library, pictures, mapped, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("ktviz.library.writer.write_bank", stop)
        with pytest.raises(KeyboardInterrupt):
            library.build(NAME, pictures / "warm", kind="pictures", **both(mapped), quiet=True)
    labels, instances = maps(7)
    write_map(mapped / "labels" / "a.png", labels, CLASSES)
    write_map(mapped / "instances" / "a.png", instances)
    made = []
    with monkeypatch.context() as patch:
        decode = "ktviz.library.kinds.pictures.kept.decode"
        patch.setattr(decode, lambda path: made.append(path) or (kt.read_image(path), []))
        bank = library.build(NAME, pictures / "warm", kind="pictures", **both(mapped), quiet=True)
    assert [path.name for path in made] == ["a.png"]
    assert np.array_equal(bank.labels(0), labels)
    assert not (library.folder / "building").exists()


def test_a_picture_that_the_bank_holds_with_other_maps_is_told(library, pictures, mapped):
    library.build(NAME, pictures / "warm", kind="pictures", **both(mapped), quiet=True)
    write_map(mapped / "labels" / "b.png", maps(1)[0])  # other bytes
    with pytest.warns(SourceWarning, match=r"b\.png keeps its maps in the bank"):
        library.add(NAME, pictures / "warm", **both(mapped), quiet=True)


def test_removed_maps_leave_no_byte_behind_and_their_fingerprint_shows_it(library, pictures, mapped):
    bank = library.build(NAME, pictures / "warm", kind="pictures", **both(mapped), quiet=True)
    gone = next(one for one in fingerprints(bank) if one.source.endswith("b.png"))
    assert {"picture", "labels", "instances"} <= set(gone.runs)
    for kind in ("labels", "instances"):
        only = replace(gone, runs={kind: gone.runs[kind]})
        found = [path for path in library.folder.rglob("*.png") if find_runs(path, [only])]
        assert found == [file_of(bank.banks[0], f"1.{kind}.png")]
    library.remove(NAME, "b", quiet=True)
    assert "searched at every offset" in check_no_bytes(library, gone)


@pytest.mark.parametrize("file", ["1.labels.png", "0.instances.png", "classes.csv"])
@pytest.mark.parametrize("how", ["cut", "gone"])
def test_a_damaged_map_is_named(library, pictures, mapped, file, how):
    bank = library.build(NAME, pictures / "warm", kind="pictures", **both(mapped), quiet=True)
    path = file_of(bank.banks[0], file)
    data = path.read_bytes()
    path.unlink()
    if how == "cut":
        path.write_bytes(data[:-1])
    for asked in (Library.check, open_maps):
        with pytest.raises(LibraryError, match=path.name):
            asked(Library.open(library.folder))


@pytest.mark.parametrize("what", ["unlisted", "without labels", "of patches"])
def test_a_manifest_that_lists_maps_which_cannot_be_is_refused(library, pictures, mapped, toy, what):
    library.build(NAME, pictures / "warm", kind="pictures", **both(mapped), quiet=True)
    library.build("art/test", pictures / "cool", encoder=toy, quiet=True)

    def edit(data):
        if what == "unlisted":
            del data["banks"][NAME]["tables"]["classes.csv"]
        elif what == "without labels":
            data["banks"][NAME]["of_source"].remove(".labels.png")
        else:
            data["banks"]["art/test"]["of_source"].append(".labels.png")

    change(library, edit)
    with pytest.raises(LibraryError, match=r"does not list its file classes|which are not those of its kind"):
        Library.open(library.folder)


def test_maps_that_were_written_wrong_are_refused_when_they_are_read(library, pictures, mapped):
    bank = library.build(NAME, pictures / "warm", kind="pictures", **both(mapped), quiet=True)
    labels, instances = maps(0)
    files = {name: file_of(bank.banks[0], f"0.{name}.png") for name in ("labels", "instances")}
    write_map(files["instances"], np.where(instances == SKY, ROAD, instances))
    with pytest.raises(LibraryError, match=r"instances of refs/test/a\.png: object 1"):
        resealed(library, NAME)[NAME].instances(0)
    write_map(files["labels"], labels + 9)
    with pytest.raises(LibraryError, match=r"labels of refs/test/a\.png"):
        resealed(library, NAME)[NAME].labels(0)


def test_banks_of_other_classes_stand_together_until_their_classes_are_asked(library, pictures, mapped):
    library.build(NAME, pictures / "warm", kind="pictures", labels=mapped / "labels", quiet=True)
    others = Classes(("sky", "road", "van", "pole"), CLASSES.colours)
    library.build("refs/vans", pictures / "cool", kind="pictures", labels=mapped / "labels", classes=others, quiet=True)
    union = library["refs"]
    assert np.array_equal(union.labels(3), maps(3)[0])
    with pytest.raises(LibraryError, match="class 2 is 'van', not 'car'"):
        union.classes  # noqa: B018
