"""What a file says of a label map is read as it was written, or refused with what was found and where."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from ktviz.errors import LabelError
from ktviz.labels import Classes, as_instances, as_labels

COLOURS = ((0, 0, 0), (70, 130, 180), (200, 30, 30), (120, 90, 60))
CLASSES = Classes(("unknown", "sky", "car", "road"), COLOURS)
SHUFFLED = (2, 0, 3, 1)
"""Numbers of a palette whose colours are those of other classes."""


FILLED = (*COLOURS, *[(0, 0, 0)] * 252)


@pytest.fixture
def labels():
    found = np.ones((20, 24), np.int64)
    found[10:], found[15:, 4:], found[0, :2] = 2, 3, 0
    return found


def coloured(labels):
    return np.array(COLOURS, np.uint8)[labels]


def with_palette(numbers, colours):
    image = Image.fromarray(numbers.astype(np.uint8), mode="L")
    image.putpalette([part for colour in colours for part in colour])
    return image


def saved(image, path, **options):
    image.save(path, **options)
    return path


def shuffled(labels, more=()):
    """A palette image of the same picture whose numbers are not those of the classes."""
    return with_palette(np.argsort(SHUFFLED)[labels], [*(COLOURS[label] for label in SHUFFLED), *more])


def changed(image, number):
    """The same with one pixel of another number, at x 5, y 3."""
    image.putpixel((5, 3), number)
    return image


def png(bits, colours, row, *chunks):
    """A PNG of 20 rows of 24 pixels, from its bytes."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", 24, 20, bits, colours, 0, 0, 0)
    parts = [("IHDR", head), *chunks, ("IDAT", zlib.compress((b"\0" + row) * 20)), ("IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(name.encode(), data) for name, data in parts)


def written(path, data):
    path.write_bytes(data)
    return path


READ = {
    "a palette of the classes": lambda m, _: with_palette(m, COLOURS),
    "a palette of the classes and more that does not occur": lambda m, _: with_palette(m, [*COLOURS, (1, 2, 3)]),
    "a palette of other classes' colours": lambda m, _: shuffled(m),
    "the same, and colours that do not occur": lambda m, _: shuffled(m, [(1, 2, 3), COLOURS[0]]),
    "the same as PNG": lambda m, path: saved(shuffled(m), path / "a.png"),
    "the same as GIF": lambda m, path: saved(shuffled(m), path / "a.gif"),
    "255 in a palette of the classes": lambda m, _: with_palette(np.where(m == 0, 255, m), COLOURS),
    "255 in a palette that is filled up with black": lambda m, path: saved(
        with_palette(np.where(m == 0, 255, m), FILLED), path / "a.png"
    ),
    "the number of unknown as well as 255": lambda m, path: saved(
        with_palette(np.where(np.arange(24) > 0, m, 255 * (m == 0) + m), FILLED), path / "a.png"
    ),
    "16 bits": lambda m, path: saved(Image.fromarray(m.astype(np.uint16)), path / "a.png"),
    "RGBA without a hole": lambda m, path: saved(Image.fromarray(coloured(m)).convert("RGBA"), path / "a.png"),
    "TIFF, compressed without loss": lambda m, path: saved(
        Image.fromarray(m.astype(np.uint8)), path / "a.tif", compression="tiff_lzw"
    ),
    "BMP": lambda m, path: saved(Image.fromarray(coloured(m)), path / "a.bmp"),
    "TIFF of 32 bits": lambda m, path: saved(Image.fromarray(m.astype(np.int32)), path / "a.tif"),
    "PGM": lambda m, path: saved(Image.fromarray(m.astype(np.uint8)), path / "a.pgm"),
}


@pytest.mark.parametrize("form", READ)
def test_a_file_is_read_as_it_was_written(form, labels, tmp_path):
    assert np.array_equal(as_labels(READ[form](labels, tmp_path), CLASSES), labels)


def test_grey_of_one_bit_is_read_as_0_and_1(labels, tmp_path):
    path = saved(Image.fromarray(labels == 1), tmp_path / "a.png")
    assert np.array_equal(as_labels(path, CLASSES), labels == 1)


def test_a_map_that_lies_on_its_side_is_turned_as_its_photograph_is(labels, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    path = saved(with_palette(np.rot90(labels), COLOURS), tmp_path / "a.png", exif=exif)
    assert np.array_equal(as_labels(path, CLASSES), labels)


PALETTE = b"".join(map(bytes, COLOURS[:3]))
REFUSED = {
    "one foreign colour among those of the classes": (
        lambda m, _: changed(shuffled(m, [(1, 2, 3)]), 4),
        r"number 4 at x 5, y 3 has the colour \(1, 2, 3\), of no class, and number 0 that of class 2, car",
    ),
    "one foreign colour, by a number that a class has": (
        lambda m, _: changed(with_palette(np.where(m == 3, 2, m), (COLOURS[0], COLOURS[2], COLOURS[1], (1, 2, 3))), 3),
        r"number 3 at x 5, y 3 has the colour \(1, 2, 3\), of no class, and number 1 that of class 2, car",
    ),
    "a palette that is too short for its numbers": (
        lambda m, path: written(path / "a.png", png(8, 3, bytes([1, 2, 3] * 8), ("PLTE", PALETTE[3:]))),
        "number 2 at x 1, y 0 has no colour, and number 1 that of class 2, car",
    ),
    "a colour of the palette that can be seen through": (
        lambda m, path: saved(shuffled(m), path / "a.png", transparency=3),
        "number 3 at x 2, y 0 has no colour, and number 0 that of class 2, car",
    ),
    "two numbers of one colour": (
        lambda m, _: with_palette(m, (*COLOURS[:3], COLOURS[0])),
        "number 3 at x 4, y 15 has the colour of class 0, unknown, and either may be meant",
    ),
    "one number of another class's colour": (
        lambda m, _: with_palette(np.where(m == 0, 4, m), (*COLOURS[3:], *COLOURS[1:], COLOURS[0])),
        "number 4 at x 0, y 0 has the colour of class 0, unknown, and either may be meant",
    ),
    "colours mixed by scaling": (
        lambda m, _: Image.fromarray(coloured(m)).resize((48, 40), Image.Resampling.BILINEAR),
        r"colour \(.*\) at x \d+, y \d+ is of no class, and [\d,]+ more pixels are of none. The nearest is .*; scale",
    ),
    "a hole": (
        lambda m, _: Image.fromarray(np.dstack([coloured(m), np.where(m == 2, 9, 255).astype(np.uint8)])),
        "transparent at x 0, y 10: opacity 9 of 255",
    ),
    "a colour that stands for a hole": (
        lambda m, path: saved(Image.fromarray(coloured(m)), path / "a.png", transparency=COLOURS[2]),
        "transparent at x 0, y 10: opacity 0 of 255",
    ),
    "grey of 4 bits, which Pillow stretches": (
        lambda m, path: written(path / "a.png", png(4, 0, bytes([0x12] * 12))),
        r"PNG of a kind whose numbers are not read as written \(L;4\)",
    ),
    "grey of 2 bits, which it stretches, too": (
        lambda m, path: written(path / "a.png", png(2, 0, bytes([0x1B] * 6))),
        r"not read as written \(L;2\)",
    ),
    "PBM, whose 1 is black": (
        lambda m, path: saved(Image.fromarray(m == 1), path / "a.pbm"),
        r"not read as written \(1;I\)",
    ),
    "a PPM of 16 bits": (
        lambda m, path: written(path / "a.ppm", b"P6 24 20 65535\n" + bytes(24 * 20 * 6)),
        r"not read as written \(RGB 65535\)",
    ),
    "JPEG 2000": (
        lambda m, path: saved(Image.fromarray(m.astype(np.uint8)), path / "a.jp2"),
        "a JPEG2000, which may have changed",
    ),
    "colours of 16 bits, of which Pillow reads 8": (
        lambda m, path: written(path / "a.png", png(16, 2, bytes(6) * 24)),
        r"not read as written \(RGB;16B\)",
    ),
    "a PGM that says what is white": (
        lambda m, path: written(path / "a.pgm", b"P5 24 20 3\n" + m.astype(np.uint8).tobytes()),
        r"PPM of a kind whose numbers are not read as written \(L 3\)",
    ),
    "a TIFF whose 0 is white": (
        lambda m, path: saved(Image.fromarray(m.astype(np.uint8)), path / "a.tif", tiffinfo={262: 0}),
        r"not read as written \(L;I\)",
    ),
    "a TIFF compressed as JPEG": (
        lambda m, path: saved(Image.fromarray(m.astype(np.uint8)), path / "a.tif", compression="jpeg"),
        "compressed as JPEG or WebP, which changes its numbers",
    ),
    "JPEG": (
        lambda m, path: saved(Image.fromarray(m.astype(np.uint8)), path / "a.jpg", quality=100),
        "a JPEG, which may have changed its numbers. Save the map as PNG",
    ),
    "a JPEG that somebody opened": (
        lambda m, path: Image.open(saved(Image.fromarray(coloured(m)), path / "a.jpg", quality=100)),
        "a JPEG, which may have changed",
    ),
    "WebP": (lambda m, path: saved(Image.fromarray(coloured(m)), path / "a.webp"), "a WEBP, which may have changed"),
    "no image": (lambda m, path: written(path / "a.png", b"a text"), "not an image.*Give a map as PNG"),
    "a number above all classes, of 16 bits": (
        lambda m, path: saved(Image.fromarray(np.where(m == 2, 300, m).astype(np.uint16)), path / "a.png"),
        "300 at x 0, y 10, and classes go from 0 to 3",
    ),
}


@pytest.mark.parametrize("form", REFUSED)
def test_a_file_that_may_be_read_wrongly_is_refused(form, labels, tmp_path):
    make, told = REFUSED[form]
    with pytest.raises(LabelError, match=told):
        as_labels(make(labels, tmp_path), CLASSES)


@pytest.mark.parametrize("form", ["JPEG", "colours of 16 bits, of which Pillow reads 8", "a hole"])
def test_what_changes_label_maps_is_refused_of_instance_maps_too(form, labels, tmp_path):
    make, told = REFUSED[form]
    with pytest.raises(LabelError, match=told):
        as_instances(make(labels, tmp_path), labels, CLASSES)


def test_the_palette_of_an_instance_map_means_nothing(labels):
    numbers = np.where(labels == 2, 7, labels)
    for colours in (COLOURS, [COLOURS[label] for label in SHUFFLED]):
        found = as_instances(with_palette(numbers, colours), labels, CLASSES)
        assert np.unique(found).tolist() == [0, 1000, 2000, 3000]
