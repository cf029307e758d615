"""Material: each system takes what it needs of a picture, in one size, or says what is missing."""

import numpy as np
import pytest

import ktviz as kt
from ktviz.errors import ImageError, LabelError, MissingLabelError, SettingError, UnknownNameError
from ktviz.labels import Classes, write_map
from ktviz.retrieval.credit import Credit
from ktviz.systems.material import Material
from ktviz.systems.prepared import BANK, FILE, bank_of

CLASSES = Classes(("wall", "bed", "lamp"), ((200, 200, 200), (90, 40, 120), (250, 240, 90)))
OTHERS = Classes(("sky", "bed", "lamp"), ((0, 0, 200), (90, 40, 120), (250, 240, 90)))


def maps(height, width):
    labels = np.zeros((height, width), int)
    labels[height // 2 :], labels[: height // 4, : width // 2] = 1, 2
    return labels, np.where(labels == 1, 1000, labels)


@pytest.fixture
def place(tmp_path, save, paint):
    """photo/a.png, label/a.png in another order than the palette of the classes, inst/a.png, classes.csv above."""
    labels, instances = maps(60, 80)
    save(tmp_path / "photo" / "a.png", paint(1, 60, 80))
    write_map(tmp_path / "label" / "a.png", labels, CLASSES)
    write_map(tmp_path / "inst" / "a.png", instances)
    CLASSES.write(tmp_path / "classes.csv")
    return tmp_path


def test_photograph_and_maps_of_files_come_in_one_size(place):
    found = Material(place / "photo" / "a.png", place / "label" / "a.png", place / "inst" / "a.png", side=30)
    labels, instances = maps(60, 80)
    assert found.name == "a.png"
    assert found.pixels("x").shape == (30, 40, 3)
    assert np.array_equal(found.label_map(CLASSES, "x"), labels[::2, ::2])
    assert np.array_equal(found.instance_map(CLASSES, "x"), instances[::2, ::2])
    assert found.known_classes == CLASSES  # of the file above


def test_what_is_small_already_stays_as_it_is(paint):
    photo, (labels, _) = paint(1, 24, 40), maps(24, 40)
    found = Material(photo, labels, side=30)
    assert np.array_equal(found.pixels("x"), photo)
    assert np.array_equal(found.label_map(CLASSES, "x"), labels)
    assert found.instance_map(CLASSES, "x") is None
    assert found.known_classes is None


@pytest.mark.parametrize("name", [5, ["a"], "a" * 1001, None])
def test_a_name_that_is_no_text_is_refused(name):
    with pytest.raises(SettingError, match="material called"):
        Material(np.zeros((32, 32, 3), np.uint8), name=name)


def test_a_label_map_needs_no_photograph():
    found = Material(labels=maps(64, 32)[0], side=16)
    assert found.label_map(CLASSES, "x").shape == (32, 16)
    with pytest.raises(SettingError, match=r"kt with picture: there is no photograph of it\. Give one: photo="):
        found.pixels("kt")


@pytest.mark.parametrize(
    ("given", "asked", "said"),
    [
        ({}, lambda m: m.label_map(CLASSES, "cocosnet"), "cocosnet with b: there is no label map.*--reference-labels"),
        ({}, lambda m: m.said(["Hat"], "bridge"), "bridge with b: there is no attributes.*--attributes"),
        (
            {"labels": maps(32, 40)[0]},
            lambda m: m.label_map(CLASSES, "x"),
            "a label map of 40x32 px, and a photograph of 32x32 px",
        ),
        (
            {"labels": maps(32, 32)[0], "classes": OTHERS},
            lambda m: m.label_map(CLASSES, "x"),
            "x with the label map of b: class 0 is 'sky', not 'wall'",
        ),
        ({"labels": maps(32, 32)[0] + 1}, lambda m: m.label_map(CLASSES, "x"), "3 at x 0, y 0"),
        ({"attributes": {"Hat": True}}, lambda m: m.said(["Hat", "Old"], "x"), "nobody says whether it has 'Old'"),
    ],
)
def test_what_is_missing_or_does_not_fit_is_said(paint, given, asked, said):
    with pytest.raises((SettingError, LabelError), match=said):
        asked(Material(paint(1, 32, 32), name="b", **given))


def test_what_is_said_of_attributes_is_handed_on_as_it_was_said(paint):
    photo = paint(1, 32, 32)
    for given in (["Hut"], "Hat", 3):
        assert Material(photo, attributes=given).said(["Hat", "Old"], "x") == given
    assert Material(photo, attributes={"Hat": "no", "Old": 1, "Tall": 0}).said(["Old", "Hat"], "x") == {
        "Old": 1,
        "Hat": "no",
    }


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({}, SettingError),
        ({"photo": "nowhere.png"}, ImageError),
        ({"photo": np.zeros((4, 4, 3), np.uint8)}, ImageError),
        ({"photo": np.full((32, 32, 3), np.nan)}, ImageError),
        ({"labels": "nowhere.png"}, MissingLabelError),
        ({"labels": maps(32, 32)[0], "instances": "nowhere.png"}, MissingLabelError),
        ({"labels": maps(32, 32)[0], "classes": "nowhere.csv"}, MissingLabelError),
        ({"labels": maps(32, 32)[0], "side": 8}, SettingError),
        ({"labels": maps(32, 32)[0], "side": 32.5}, SettingError),
    ],
)
def test_what_is_not_there_is_refused_at_once(given, error):
    with pytest.raises(error):
        Material(**given)


def test_a_picture_of_a_bank_comes_with_all_that_the_bank_knows(place, toy, settings, world):
    (place / "credits.csv").write_text("file,title,creator,licence\na.png,Bed,Ann,CC0-1.0\n")
    (place / "has.csv").write_text("file,Hat\na.png,1\n")
    library = kt.Library.ensure(place / "l.ktlib", toy, settings)
    told = {"labels": place / "label", "instances": place / "inst", "credits": place / "credits.csv"}
    library.build("refs/beds", place / "photo", kind="pictures", attributes=place / "has.csv", quiet=True, **told)
    found = Material.of_bank(library["refs/beds"], "a.png", side=30)
    assert found.name == "refs/beds/a.png"
    assert found.credit == Credit("Bed", "Ann", "unknown", "CC0-1.0")
    assert np.array_equal(found.label_map(CLASSES, "x"), maps(60, 80)[0][::2, ::2])
    assert found.said(["Hat"], "x") == {"Hat": True}
    assert found.source["creator"] == "Ann"
    assert Material.of_bank(world.banks, "d.png").pixels("kt").shape == (64, 64, 3)
    with pytest.raises(UnknownNameError, match=r"Did you mean refs/beds/a\.png"):
        Material.of_bank(library["refs/beds"], "aa.png")


def test_a_bank_of_one_reference_goes_with_the_last_that_uses_it(paint, toy):
    reference = Material(paint(1, 40, 56), credit=Credit("Bed", "Ann"))
    bank = bank_of(reference, reference.pixels("kt"), kt.LibrarySettings(side_px=40), encoder=toy)
    folder = bank.banks[0].place.library
    assert bank.source_names == [f"{BANK}/{FILE}"]
    assert bank.describe_sources()[0]["creator"] == "Ann"
    assert folder.is_dir()
    del bank
    assert not folder.exists()
