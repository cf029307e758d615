"""Label maps and instance maps are read in every form they come in, or refused with the place that is wrong."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from ktviz.errors import LabelError, MissingLabelError
from ktviz.labels import Classes, as_instances, as_labels, class_of, read_map, write_map

CLASSES = Classes(("unknown", "sky", "car"), ((0, 0, 0), (70, 130, 180), (200, 30, 30)))


@pytest.fixture
def labels():
    found = np.ones((20, 24), np.int64)
    found[10:] = 2
    found[0, 0] = 0
    return found


def coloured(labels):
    return np.array(CLASSES.colours, np.uint8)[labels]


def shuffled_palette(labels):
    """The same picture as a palette image whose indices are not the classes' numbers."""
    image = Image.fromarray((2 - labels).astype(np.uint8), mode="L")
    image.putpalette([part for colour in CLASSES.colours[::-1] for part in colour])
    return image


FORMS = {
    "int64": lambda m: m,
    "uint8": lambda m: m.astype(np.uint8),
    "floats that are whole": lambda m: m.astype(np.float32),
    "halves that are whole": lambda m: torch.from_numpy(m).half(),
    "a batch of one": lambda m: m[None],
    "colours": coloured,
    "Pillow, numbers": lambda m: Image.fromarray(m.astype(np.uint8)),
    "Pillow, colours": lambda m: Image.fromarray(coloured(m)),
    "Pillow, a palette in another order": shuffled_palette,
    "255 for unknown": lambda m: np.where(m == 0, 255, m).astype(np.uint8),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_label_map_is_the_same_map(form, labels):
    assert np.array_equal(as_labels(FORMS[form](labels), CLASSES), labels)


def test_a_written_label_map_is_read_again_and_shows_the_colours_of_its_classes(tmp_path, labels):
    write_map(tmp_path / "map.png", labels, CLASSES)
    assert np.array_equal(as_labels(tmp_path / "map.png", CLASSES), labels)
    assert np.array_equal(np.asarray(Image.open(tmp_path / "map.png").convert("RGB")), coloured(labels))


def test_a_written_instance_map_keeps_numbers_of_16_bits(tmp_path, labels):
    numbers = np.where(labels == 2, 2017, labels)
    write_map(tmp_path / "map.png", numbers)
    assert np.array_equal(as_instances(tmp_path / "map.png", labels, CLASSES), numbers)


def test_a_written_instance_map_keeps_numbers_beyond_16_bits(tmp_path, labels):
    classes = Classes.numbered(256)
    numbers = np.where(labels == 2, 255_017, labels)
    write_map(tmp_path / "map.png", numbers)
    assert np.array_equal(as_instances(tmp_path / "map.png", np.where(labels == 2, 255, labels), classes), numbers)
    assert np.array_equal(read_map(tmp_path / "map.png"), numbers)


def test_classes_without_names_are_told_apart_by_their_colours():
    assert len(set(Classes.numbered(256).colours)) == 256


def test_a_palette_of_other_colours_is_read_by_its_numbers(labels):
    image = Image.fromarray(labels.astype(np.uint8), mode="L")
    image.putpalette([1, 2, 3, 4, 5, 6, 7, 8, 9])
    assert np.array_equal(as_labels(image, CLASSES), labels)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (np.full((20, 20), 3), "3 at x 0, y 0, and classes go from 0 to 2"),
        (np.full((20, 20), -1), "-1 at x 0, y 0"),
        (np.full((20, 20), 0.5), "0.5 at x 0, y 0"),
        (np.full((20, 20), np.nan), "nan at x 0, y 0"),
        (np.full((20, 20, 3), 9, np.uint8), "The nearest is unknown"),
        (np.zeros((20, 20, 2)), "neither"),
        (np.zeros(20), "neither"),
        (np.zeros((4, 4), np.int64), "4x4"),
        (np.full((20, 20), "sky"), "no numbers"),
        (np.ma.masked_equal(np.eye(20), 1), "masked values"),
        (None, "neither"),
        ("nowhere.png", "no such file"),
        (Image.new("CMYK", (20, 20)), "CMYK"),
    ],
)
def test_what_is_no_label_map_is_refused_with_the_place_that_is_wrong(given, told):
    with pytest.raises(LabelError, match=told):
        as_labels(given, CLASSES)


def test_a_jpeg_is_refused_because_its_numbers_are_changed(tmp_path, labels):
    Image.fromarray(labels.astype(np.uint8)).save(tmp_path / "map.jpg")
    with pytest.raises(LabelError, match="PNG"):
        as_labels(tmp_path / "map.jpg", CLASSES)


def test_objects_that_are_only_counted_are_numbered_by_class(labels):
    counts = np.arange(24) // 12 + 2 * (labels == 2) + 40
    found = as_instances(np.broadcast_to(counts, labels.shape) + (labels == 0) * 100, labels, CLASSES)
    assert sorted(np.unique(found)) == [0, 1000, 1001, 2000, 2001]
    assert all(class_of(int(number)) == label for number, label in zip(found.flat, labels.flat, strict=True))


@pytest.mark.parametrize("make", [int, np.int64, lambda n: np.array([[n]]), lambda n: torch.tensor([n])])
@pytest.mark.parametrize(("number", "label"), [(-1, -1), (0, 0), (999, 999), (1000, 1), (1999, 1), (255_999, 255)])
def test_the_class_of_an_object_is_the_same_of_numbers_arrays_and_tensors(make, number, label):
    found = class_of(make(number))
    assert type(found) is type(make(label))
    assert found == make(label)


def two_of_the_first_class(shape):
    return np.broadcast_to(40 + np.arange(shape[1]) // 12, shape)


def test_several_counted_objects_of_class_0_are_refused(labels):
    """Their numbers, 0 and 1, would be those of classes 0 and 1."""
    classes, first = Classes(("car", "sky"), CLASSES.colours[:2]), np.zeros_like(labels)
    with pytest.raises(LabelError, match="2 objects of class 0, car, the second at x 12, y 0"):
        as_instances(two_of_the_first_class(labels.shape), first, classes)
    assert np.array_equal(as_instances(first + 40, first, classes), first)


@pytest.mark.parametrize("place", [0, 2])
def test_counted_pixels_of_no_class_are_one_region(labels, place):
    names = ("sky", "car")
    classes = Classes((*names[:place], "unknown", *names[place:]), CLASSES.colours)
    found = as_instances(two_of_the_first_class(labels.shape), np.full_like(labels, place), classes)
    assert np.unique(found).tolist() == [place]


VOID = {
    "that say their class": lambda m: np.where(m == 0, 255, np.where(m == 2, 2017, m)),
    "that repeat the classes": lambda m: np.where(m == 0, 255, m),
}


@pytest.mark.parametrize("form", VOID)
def test_255_among_objects_is_unknown_where_the_label_map_says_so(form, labels):
    void = VOID[form](labels)
    found = as_instances(void, as_labels(np.where(labels == 0, 255, labels), CLASSES), CLASSES)
    assert np.array_equal(found, np.where(labels == 0, 0, void))
    with pytest.raises(LabelError, match=r"object 255 .* sky"):
        as_instances(np.where(np.arange(24) > 20, 255, void), labels, CLASSES)


def test_255_is_an_object_of_its_class_where_there_are_as_many():
    names = ["unknown", *(f"class {n}" for n in range(1, 256))]
    classes, labels = Classes(names, Classes.numbered(256).colours), np.full((16, 16), 255)
    assert np.array_equal(as_instances(labels, labels, classes), labels)


def test_colours_of_an_instance_map_tell_objects_apart(labels):
    colours = np.zeros((*labels.shape, 3), np.uint8)
    colours[..., 0], colours[..., 2] = 80 * labels, np.arange(24) // 12
    found = as_instances(colours, labels, CLASSES)
    assert sorted(np.unique(found)) == [0, 1000, 1001, 2000, 2001]
    assert np.array_equal(class_of(found), labels)
    for number in np.unique(found):
        assert len(np.unique(colours[found == number], axis=0)) == 1
    with pytest.raises(LabelError, match=r"object of colour \(9, 0, 0\) is unknown and sky, the latter at x 1, y 0"):
        as_instances(np.full_like(colours, 0) + np.array([9, 0, 0], np.uint8), labels, CLASSES)


def test_numbers_from_1000_on_that_only_count_are_refused_with_what_to_do(labels):
    counts = np.where(labels == 2, 5000, 4000)
    told = r"object 4000 at x 0, y 0 is of class 4, .*; objects that are only counted, below 1000 or in colours"
    with pytest.raises(LabelError, match=told):
        as_instances(counts, labels, CLASSES)


def test_without_an_instance_map_every_class_is_one_object(labels):
    assert np.array_equal(as_instances(None, labels, CLASSES), labels)


def test_an_object_of_another_class_than_the_label_map_says_is_named(labels):
    numbers = np.where(labels == 2, 2000, labels)
    numbers[3, 5] = 2001
    with pytest.raises(LabelError, match="object 2001 at x 5, y 3 is of class 2, and the label map says sky"):
        as_instances(numbers, labels, CLASSES)


def test_an_object_of_two_classes_is_named(labels):
    with pytest.raises(LabelError, match="object 7 is unknown and sky"):
        as_instances(np.full(labels.shape, 7), labels, CLASSES)


def test_an_instance_map_of_another_size_is_refused(labels):
    with pytest.raises(LabelError, match="24x19 px, and its label map 24x20"):
        as_instances(labels[1:], labels, CLASSES)


def test_classes_are_read_as_they_were_written(tmp_path):
    CLASSES.write(tmp_path / "classes.csv")
    assert Classes.read(tmp_path / "classes.csv") == CLASSES


def test_the_first_line_of_classes_that_is_wrong_is_named(tmp_path):
    path = tmp_path / "classes.csv"
    path.write_text("number,name,red,green,blue\n0,sky,1,2,3\n2,road,4,5,6\n")
    with pytest.raises(LabelError, match="line 3"):
        Classes.read(path)
    with pytest.raises(MissingLabelError):
        Classes.read(tmp_path / "none.csv")


def test_the_first_class_that_another_list_has_otherwise_is_named():
    with pytest.raises(LabelError, match="class 2 is 'bus', not 'car'"):
        CLASSES.check_same(Classes(("unknown", "sky", "bus"), CLASSES.colours), "exemplar")
    with pytest.raises(LabelError, match="class 2 is nothing, not 'car'"):
        CLASSES.check_same(Classes(("unknown", "sky"), CLASSES.colours[:2]), "exemplar")


@pytest.mark.parametrize(
    ("names", "colours"),
    [
        ((), ()),
        (("a",), ()),
        (("a", "a"), ((0, 0, 0), (1, 1, 1))),
        (("a", "b"), ((0, 0, 0), (0, 0, 0))),
        (("a",), ((0, 0, 256),)),
        (("a",), ((0, 0),)),
    ],
)
def test_a_list_of_classes_that_cannot_be_drawn_is_refused(names, colours):
    with pytest.raises(LabelError):
        Classes(names, colours)
