"""Whatever form a picture comes in, it becomes the right pixels or is refused with a reason: docs/pictures.md."""

from __future__ import annotations

import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms

from ktviz.errors import ImageError, ImageWarning
from ktviz.explain.case import case_of
from ktviz.images import as_pixels, read_image

TABLE = Path(__file__).parent.parent / "docs" / "pictures.md"
COLOUR = (200, 40, 90)
GREY, HALF = 90, 51
WHITE = (255, 255, 255)
RAMP = np.linspace(0, 1, 20 * 24).reshape(20, 24)


def of(mode, value):
    return Image.new(mode, (24, 20), value)


def over_white(value, opacity=HALF):
    return tuple(round((v * opacity + 255 * (255 - opacity)) / 255) for v in value)


def palette(transparency=None, colours=(COLOUR,), mode="RGB"):
    image = of("P", 0)
    image.putpalette([part for colour in colours for part in colour], mode)
    if transparency is not None:
        image.info["transparency"] = transparency
    return image


def with_info(image, **info):
    image.info.update(info)
    return image


def opened(image, tmp_path, suffix, **options):
    """The image as Pillow opens it from a file."""
    return Image.open(saved(image, tmp_path, suffix, **options))


def saved(image, tmp_path, suffix, **options):
    image.save(tmp_path / f"image{suffix}", **options)
    return tmp_path / f"image{suffix}"


def ramp(top, dtype):
    return (RAMP * top).astype(dtype)


def beside(grey, opacity, dtype=float):
    """(H, W, 2): one grey, and an opacity."""
    return np.dstack([np.full(RAMP.shape, grey), opacity]).astype(dtype)


def laid(grey, opacity):
    """A grey on white."""
    return (grey * opacity + 255 * (1 - opacity))[..., None]


def expected_ramp(top=1.0, white=1.0):
    return np.round(RAMP * top / white * 255)[..., None]


def png(channels, values, transparent=None):
    """A 16-bit PNG, which Pillow cannot write."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    height, width = values.shape[:2]
    header = struct.pack(">IIBBBBB", width, height, 16, {1: 0, 3: 2, 4: 6}[channels], 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    clear = b"" if transparent is None else chunk(b"tRNS", struct.pack(f">{len(transparent)}H", *transparent))
    body = chunk(b"IHDR", header) + clear + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def tiff(values, order="<", planar=False, compressed=False, tags=()):
    """A TIFF of one strip per plane; `tags` on top of those that follow from the values."""
    kind, bits = values.dtype.kind, 8 * values.dtype.itemsize
    channels = 1 if values.ndim == 2 else values.shape[2]
    planes = np.moveaxis(values, 2, 0) if planar else values[None]
    strips = [np.ascontiguousarray(plane.astype(plane.dtype.newbyteorder(order))).tobytes() for plane in planes]
    strips = [zlib.compress(strip) for strip in strips] if compressed else strips
    ends = np.cumsum([8] + [len(strip) + len(strip) % 2 for strip in strips])
    fields = {256: values.shape[1], 257: values.shape[0], 258: [bits] * channels, 259: 8 if compressed else 1}
    fields |= {262: {1: 1, 3: 2, 4: 5}[channels], 273: list(ends[:-1]), 277: channels, 278: values.shape[0]}
    fields |= {279: [len(strip) for strip in strips], 284: 2 if planar else 1}
    fields |= {339: [{"u": 1, "i": 2, "f": 3}[kind]] * channels, **dict(tags)}
    entries, more = b"", b""
    start = ends[-1] + 2 + 12 * len(fields) + 4
    for number, value in sorted(fields.items()):
        numbers = value if isinstance(value, list) else [value]
        data = struct.pack(f"{order}{len(numbers)}I", *numbers)
        place = data if len(data) == 4 else struct.pack(f"{order}I", start + len(more))
        more += data if len(data) > 4 else b""
        entries += struct.pack(f"{order}HHI", number, 4, len(numbers)) + place
    head = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, ends[-1])
    body = b"".join(strip + b"\0" * (len(strip) % 2) for strip in strips)
    return head + body + struct.pack(f"{order}H", len(fields)) + entries + b"\0\0\0\0" + more


def stored(data, suffix):
    """A case made from the bytes of a file."""

    def make(tmp_path):
        (tmp_path / f"image{suffix}").write_bytes(data)
        return tmp_path / f"image{suffix}"

    return make


def profile(space, tags, kind=b"mntr", connection=b"XYZ "):
    """An ICC profile of a few tags (version 2)."""
    offset, table, data = 128 + 4 + 12 * len(tags), b"", b""
    for name, value in tags.items():
        table += name + struct.pack(">II", offset + len(data), len(value))
        data += value + b"\0" * (-len(value) % 4)
    d50 = struct.pack(">3i", 63190, 65536, 54061)
    head = struct.pack(">I4sI4s4s4s", offset + len(data), b"\0" * 4, 0x02400000, kind, space, connection)
    head += b"\0" * 12 + b"acsp" + b"\0" * 28 + d50 + b"\0" * 48
    return head + struct.pack(">I", len(tags)) + table + data


def grey_profile():
    """Grey in proportion to light: a level of 90 is lighter than in sRGB."""
    d50 = b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061)
    return profile(b"GRAY", {b"wtpt": d50, b"kTRC": b"curv" + b"\0" * 8})


def ink_profile():
    """Inks of which the first is red; the formula would make cyan of it."""
    red, white, black = (138, 209, 198), (255, 128, 128), (0, 128, 128)
    corners = [black if index & 7 else red if index & 8 else white for index in range(16)]
    lut = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + struct.pack(">9i", *np.eye(3, dtype=int).ravel() * 65536)
    lut += bytes(range(256)) * 4 + bytes(np.array(corners, np.uint8)) + bytes(range(256)) * 3
    return profile(b"CMYK", {b"A2B0": lut}, b"prtr", b"Lab ")


def swapped_profile():
    """sRGB with the primaries of red and green exchanged."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    places = {bytes(data[at : at + 4]): at for at in range(132, 132 + 12 * data[131], 12)}
    red, green = places[b"rXYZ"] + 4, places[b"gXYZ"] + 4
    data[red : red + 8], data[green : green + 8] = data[green : green + 8], data[red : red + 8]
    return bytes(data)


def linear_of(level):
    """A level of sRGB whose light is in proportion to `level`."""
    return 255 * (1.055 * (level / 255) ** (1 / 2.4) - 0.055)


LAB_COLOUR = (116, 191, 141)
"""`COLOUR` as L 45.6, a 63.4, b 13.2, worked out by hand."""
SWAPPED = {"icc_profile": swapped_profile()}
EXCHANGED = (40, 200, 90)
DEEP_RAMP = ramp(65_535, "<u2").tobytes()
TWELVE = ramp(4095, np.uint16)
DEEP = np.random.default_rng(0).integers(0, 65_536, (20, 24, 4), dtype=np.uint16)
DEEP[0, 0] = 65_535
RGB = DEEP[..., :3]
DARK = Image.fromarray((RGB >> 12).astype(np.uint8))

NUMBERS = {
    "bool": [(np.eye(24, dtype=bool), np.eye(24)[..., None] * 255, "")],
    "uint8": [(ramp(255, np.uint8), ramp(255, np.uint8)[..., None], "")],
    "uint16, to 65,535": [
        (ramp(65_535, np.uint16), expected_ramp(), ""),
        (ramp(65_535, ">u2"), expected_ramp(), ""),
        (Image.fromarray(ramp(65_535, np.uint16)), expected_ramp(), ""),
        *[
            (Image.frombytes(m, (24, 20), ramp(65_535, "<u2").tobytes()), expected_ramp(), "")
            for m in ("I;16L", "I;16")
        ],
        (Image.frombytes("I;16B", (24, 20), ramp(65_535, ">u2").tobytes()), expected_ramp(), ""),
    ],
    "whole numbers of a smaller depth": [
        (TWELVE, expected_ramp(), "4095 was taken for white"),
        (Image.fromarray(TWELVE), expected_ramp(), "4095 was taken for white"),
        (stored(tiff(TWELVE), ".tif"), expected_ramp(), "4095 was taken for white"),
        (ramp(1023, np.uint16), expected_ramp(), "1023 was taken for white"),
        (ramp(16_000, np.int32), expected_ramp(16_000, 16_383), "16383 was taken for white"),
        (ramp(250, np.int64), expected_ramp(250, 255), ""),
        (ramp(32_767, np.int16), expected_ramp(), ""),
    ],
    "whole numbers above 16 bits": [
        (Image.fromarray(ramp(2**31 - 1, np.int32)), expected_ramp(), ""),
        (stored(tiff(ramp(2**31 - 1, np.int32)), ".tif"), expected_ramp(), ""),
        (stored(tiff(ramp(2**32 - 1, np.uint32)), ".tif"), expected_ramp(), ""),
        (ramp(1e6, np.int64), expected_ramp(), "1000000 was taken for white"),
    ],
    "a depth that the file states": [
        (stored(tiff(ramp(2000, np.uint16), tags={281: 4095}), ".tif"), expected_ramp(2000, 4095), ""),
        (stored(tiff(ramp(2000, np.uint16), tags={341: 2000}), ".tif"), expected_ramp(), ""),
        (stored(tiff(ramp(0.5, np.float32), tags={341: 2}), ".tif"), expected_ramp(0.5, 2), ""),
        (stored(png(1, ramp(9000, np.uint16)), ".png"), expected_ramp(9000, 65_535), ""),
        (stored(b"P5 24 20 4095\n" + ramp(4095, ">u2").tobytes(), ".pgm"), expected_ramp(), ""),
    ],
    "floats to 1": [
        *[(RAMP.astype(kind), expected_ramp(), "") for kind in (np.float16, np.float32, np.float64, np.longdouble)],
        (RAMP * 1.0005 - 0.0002, expected_ramp(), ""),
        (Image.fromarray(ramp(1, np.float32)), expected_ramp(), ""),
        (stored(tiff(ramp(1, np.float32)), ".tif"), expected_ramp(), ""),
    ],
    "floats to 16": [
        (stored(tiff(ramp(1.2, np.float32)), ".tif"), expected_ramp(), "1.2 was taken for white"),
        (Image.fromarray(ramp(4, np.float32)), expected_ramp(), "4 was taken for white"),
        (RAMP * 16, expected_ramp(), "16 was taken for white"),
    ],
    "floats above 16": [
        (Image.fromarray(ramp(243.5, np.float32)), expected_ramp(243.5, 255), "255 was taken for white"),
        (RAMP * 65_535, expected_ramp(), "65535 was taken for white"),
        (RAMP * 1e6, expected_ramp(), "1e\\+06 was taken for white"),
    ],
    "0 is white": [
        (stored(tiff(ramp(65_535, np.uint16), tags={262: 0}), ".tif"), 255 - expected_ramp(), ""),
        (stored(tiff(ramp(65_535, np.uint16), compressed=True, tags={262: 0}), ".tif"), 255 - expected_ramp(), ""),
        (stored(tiff(TWELVE, tags={262: 0}), ".tif"), 255 - expected_ramp(), "4095 was taken for white"),
        (stored(tiff(ramp(1, np.float32), tags={262: 0}), ".tif"), 255 - expected_ramp(), ""),
        (stored(tiff(ramp(255, np.uint8), tags={262: 0}), ".tif"), 255 - ramp(255, np.uint8)[..., None], ""),
    ],
    "a nearly black picture": [
        (stored(png(1, TWELVE), ".png"), expected_ramp(4095, 65_535), "nearly black"),
        (stored(png(3, RGB >> 4), ".png"), RGB >> 12, "nearly black"),
        (stored(png(4, np.dstack([RGB >> 4, RGB[..., :1] | 65_280])), ".png"), None, "nearly black"),
        (stored(b"P6 24 20 65535\n" + (RGB >> 4).astype(">u2").tobytes(), ".ppm"), RGB >> 12, "nearly black"),
        (stored(b"P3 24 20 65535\n" + b" ".join(b"%d" % v for v in (RGB >> 4).ravel()), ".ppm"), None, "nearly black"),
        (lambda folder: saved(DARK, folder, ".jp2"), None, "nearly black"),
        (
            lambda folder: saved(DARK, folder, ".sgi", bpc=2),
            None,
            "nearly black",
        ),
        (stored(png(3, RGB * 0), ".png"), (0, 0, 0), ""),
        (stored(png(3, RGB), ".png"), RGB >> 8, ""),
        (lambda folder: saved(DARK, folder, ".png"), RGB >> 12, ""),
        (np.where(np.arange(3600).reshape(60, 60) == 7, 65_535, 100).astype(np.uint16), None, "nearly black"),
        (np.ones((20, 24), np.int64), (1, 1, 1), "nearly black"),
    ],
    "NaN, infinity": [
        (np.where(RAMP == 0, np.inf, RAMP), "1 value is not finite", ""),
        (Image.fromarray(np.where(RAMP == 0, np.nan, RAMP).astype(np.float32)), "1 value is not finite", ""),
        (stored(tiff(np.where(RAMP > 0.5, np.inf, RAMP).astype(np.float32)), ".tif"), "240 values are not finite", ""),
    ],
    "numbers below 0": [
        (RAMP * 2 - 1, "values below 0, down to -1", ""),
        (np.where(RAMP == 0, -1, RAMP * 255).astype(np.int16), "values below 0, down to -1", ""),
        (np.where(RAMP == 0, -60, RAMP * 65_535).astype(np.int32), "values below 0, down to -60", ""),
        (np.where(RAMP == 0, -999, RAMP * 1e6).astype(np.int64), "values below 0, down to -999", ""),
        (np.where(RAMP == 0, -0.2, RAMP * 255), r"values below 0, down to -0\.2", ""),
        (np.where(RAMP == 0, -0.001, RAMP), expected_ramp(), ""),
        (Image.fromarray(np.where(RAMP == 0, -60, RAMP * 65_535).astype(np.int32)), "values below 0, down to -60", ""),
        (stored(tiff(ramp(-9, np.int16)), ".tif"), "values below 0, down to -9", ""),
    ],
    "complex numbers, text, dates": [
        (RAMP * 1j, "neither whole numbers nor floats", ""),
        (np.full((20, 24), "a"), "neither whole numbers nor floats", ""),
        ("image.png", "no such file", ""),
    ],
}
MODES = {
    "`1`": [(of("1", 1), WHITE, ""), (of("1", 0), (0, 0, 0), "")],
    "`L`": [(of("L", GREY), (GREY,) * 3, "")],
    "`LA`, `La`": [
        (of("LA", (GREY, HALF)), over_white((GREY,) * 3), ""),
        (of("LA", (GREY, HALF)).convert("La"), over_white((GREY,) * 3), ""),
    ],
    "`P`, `PA`": [
        (palette(), COLOUR, ""),
        (palette(0), WHITE, ""),
        (palette(bytes([HALF])), over_white(COLOUR), ""),
        (palette(colours=((*COLOUR, HALF),), mode="RGBA"), over_white(COLOUR), ""),
        (palette(bytes([HALF])).convert("PA"), over_white(COLOUR), ""),
        (lambda folder: opened(palette(), folder, ".gif", transparency=0), WHITE, ""),
        (lambda folder: opened(palette(), folder, ".png", transparency=bytes([HALF])), over_white(COLOUR), ""),
    ],
    "`RGB`, `RGBX`": [(of("RGB", COLOUR), COLOUR, ""), (of("RGBX", (*COLOUR, 0)), COLOUR, "")],
    "`RGBA`, `RGBa`": [
        (of("RGBA", (*COLOUR, HALF)), over_white(COLOUR), ""),
        (of("RGBA", (*COLOUR, HALF)).convert("RGBa"), over_white(COLOUR), ""),
    ],
    "a transparent colour": [
        (with_info(of("1", 1), transparency=255), WHITE, ""),
        (with_info(of("L", GREY), transparency=GREY), WHITE, ""),
        (with_info(of("L", GREY), transparency=GREY + 1), (GREY,) * 3, ""),
        (with_info(of("RGB", COLOUR), transparency=COLOUR), WHITE, ""),
        (with_info(of("RGB", COLOUR), transparency=b"of another mode"), COLOUR, ""),
        (stored(png(1, np.full((20, 24), 20_000), [20_000]), ".png"), WHITE, ""),
        (stored(png(1, np.full((20, 24), 20_000), [20_001]), ".png"), (78, 78, 78), ""),
        (stored(png(3, np.full((20, 24, 3), 20_000), [20_000] * 3), ".png"), WHITE, ""),
    ],
    "`CMYK`": [
        (of("CMYK", (0, 255, 255, 0)), (255, 0, 0), ""),
        (of("CMYK", (51, 102, 0, 51)), (163, 122, 204), ""),
        (lambda folder: opened(of("CMYK", (51, 102, 0, 51)), folder, ".tif"), (163, 122, 204), ""),
        (lambda folder: opened(of("CMYK", (51, 102, 0, 51)), folder, ".jpg", quality=100), (163, 122, 204), ""),
    ],
    "`YCbCr`": [(of("YCbCr", (76, 85, 255)), (254, 0, 0), "")],
    "`HSV`": [(of("HSV", (170, 255, 255)), (0, 0, 255), "")],
    "`LAB`": [(of("LAB", LAB_COLOUR), COLOUR, ""), (of("LAB", (255, 128, 128)), WHITE, "")],
    "RGB profile": [
        (with_info(of("RGB", COLOUR), **SWAPPED), EXCHANGED, ""),
        (with_info(palette(), **SWAPPED), EXCHANGED, ""),
        (with_info(palette(bytes([HALF])), **SWAPPED), over_white(EXCHANGED), ""),
        (with_info(of("RGBA", (*COLOUR, HALF)), **SWAPPED), over_white(EXCHANGED), ""),
        (with_info(of("RGB", COLOUR).convert("YCbCr"), **SWAPPED), EXCHANGED, ""),
        (lambda folder: opened(of("RGB", COLOUR), folder, ".png", **SWAPPED), EXCHANGED, ""),
        (lambda folder: opened(palette(), folder, ".png", **SWAPPED), EXCHANGED, ""),
    ],
    "grey profile": [
        (with_info(of("L", GREY), icc_profile=grey_profile()), (linear_of(GREY),) * 3, ""),
        (with_info(of("LA", (GREY, HALF)), icc_profile=grey_profile()), over_white((linear_of(GREY),) * 3), ""),
        (with_info(of("I;16", GREY * 257), icc_profile=grey_profile()), (linear_of(GREY),) * 3, ""),
        (lambda folder: opened(of("L", GREY), folder, ".png", icc_profile=grey_profile()), (linear_of(GREY),) * 3, ""),
    ],
    "CMYK profile": [
        (with_info(of("CMYK", (255, 0, 0, 0)), icc_profile=ink_profile()), (255, 0, 0), ""),
        (lambda folder: opened(of("CMYK", (255, 0, 0, 0)), folder, ".jpg", icc_profile=ink_profile()), (255, 0, 0), ""),
        (lambda folder: opened(of("CMYK", (255, 0, 0, 0)), folder, ".tif", icc_profile=ink_profile()), (255, 0, 0), ""),
    ],
    "a profile for other colours": [
        (with_info(of("RGB", COLOUR), icc_profile=ink_profile()), COLOUR, "for CMYK, the picture is RGB"),
        (with_info(of("L", GREY), **SWAPPED), (GREY,) * 3, "for RGB, the picture is GRAY"),
        (with_info(of("CMYK", (0, 255, 255, 0)), **SWAPPED), (255, 0, 0), "for RGB, the picture is CMYK"),
    ],
    "a damaged profile": [
        (with_info(of("RGB", COLOUR), icc_profile=b"no profile"), COLOUR, "profile is damaged"),
        (with_info(of("RGB", COLOUR), icc_profile=swapped_profile()[:300]), COLOUR, "profile is damaged"),
    ],
    "16 bits in planes, or compressed": [
        *[
            (stored(tiff(DEEP[..., :3], order, planar, compressed), ".tif"), DEEP[..., :3] >> 8, "")
            for order in "<>"
            for planar in (False, True)
            for compressed in (False, True)
        ],
        *[
            (stored(tiff(ramp(top, kind), ">", compressed=True), ".tif"), expected_ramp(), "")
            for top, kind in ((32_767, np.int16), (2**31 - 1, np.int32), (1, np.float32), (65_535, np.uint16))
        ],
    ],
    "TIFF of other kinds": [
        *[
            (stored(tiff(ramp(top, kind), order, compressed=compressed, tags={262: white}), ".tif"), pixels, "")
            for top, kind in (
                (65_535, np.uint16),
                (32_767, np.int16),
                (2**32 - 1, np.uint32),
                (2**31 - 1, np.int32),
                (1, np.float32),
                (1, np.float64),
            )
            for white, pixels in ((0, 255 - expected_ramp()), (1, expected_ramp()))
            for order in "<>"
            for compressed in (False, True)
        ],
        (stored(tiff(ramp(1, np.float16)), ".tif"), "a TIFF of 16 bits, floats, grey, compression raw", ""),
        (stored(tiff(RGB / 65_535), ".tif"), "a TIFF of 64-64-64 bits, floats, RGB", ""),
        (stored(tiff(RGB.astype(np.uint32)), ".tif"), "a TIFF of 32-32-32 bits, whole numbers, RGB", ""),
        (stored(b"MM\0+\0\x08\0\0" + bytes(90), ".tif"), "a BigTIFF of big-endian order", ""),
        (stored(b"MM\0*\xff\xff\xff\xff" + bytes(90), ".tif"), "not an image", ""),
    ],
    "CMYK of 16 bits in planes": [(stored(tiff(DEEP, planar=True), ".tif"), "CMYK of 16 bits in planes", "")],
    "RGB of few of its 16 bits": [(stored(tiff(DEEP[..., :3] >> 4), ".tif"), "14 bits or fewer in 16", "")],
}
SHAPES = {
    "(H, W)": [(RAMP, expected_ramp(), "")],
    "(H, W, C)": [
        (RAMP[..., None], expected_ramp(), ""),
        (np.full((20, 24, 2), (GREY, HALF), np.uint8), over_white((GREY,) * 3), ""),
        (np.full((20, 24, 3), COLOUR, np.uint8), COLOUR, ""),
        (np.full((20, 24, 4), (*COLOUR, HALF), np.uint8), over_white(COLOUR), ""),
        (np.full((20, 24, 4), (*COLOUR, HALF)) / 255, over_white(COLOUR), ""),
        (np.full((20, 24, 4), (*COLOUR, HALF), np.uint16) * np.uint16(257), over_white(COLOUR), ""),
        (np.full((20, 24, 4), (2, 4, 0, 0.2)), over_white((127.5, 255, 0)), "4 was taken for white"),
        (beside(0.5, RAMP * 255), laid(127.5, RAMP), "255 was taken for opaque"),
        (beside(0.5, np.full(RAMP.shape, 128)), "opacity up to 128 beside colours to 1", ""),
        (beside(0.5, RAMP * 1.0005), laid(127.5, RAMP), ""),
        (beside(200.0, RAMP), laid(200, RAMP), "255 was taken for white"),
        (beside(65_535, np.where(RAMP > 0, 6553, 0), np.uint16), laid(255, (RAMP > 0) * 0.1), ""),
        (beside(128, np.full(RAMP.shape, 32_768), np.int64), "opacity up to 32768 beside colours to 255", ""),
        (beside(128, RAMP * 32_767, np.int16), laid(128, RAMP), "32767 was taken for opaque"),
        (beside(128, RAMP > 0, np.int64), None, "nearly transparent"),
        (beside(128, RAMP * 0, np.int64), WHITE, ""),
        (np.asfortranarray(np.full((20, 24, 3), COLOUR, np.uint8)), COLOUR, ""),
    ],
    "(C, H, W), a batch of one": [
        (np.full((3, 20, 24), 0.5), (128, 128, 128), ""),
        (torch.tensor(COLOUR).view(3, 1, 1).expand(3, 20, 24) / 255, COLOUR, ""),
        (torch.tensor(COLOUR, dtype=torch.uint8).view(1, 3, 1, 1).expand(1, 3, 20, 24), COLOUR, ""),
        (torch.full((1, 20, 24), 0.5, dtype=torch.bfloat16), (128, 128, 128), ""),
        (torch.full((3, 20, 24), 0.5, requires_grad=True), (128, 128, 128), ""),
        (torch.full((4, 20, 24), True), WHITE, ""),
    ],
    "other shapes": [
        (np.zeros((2, 3, 20, 24)), "not \\(H, W\\)", ""),
        (np.zeros((20, 24, 5)), "not \\(H, W\\)", ""),
        (np.zeros(20), "not \\(H, W\\)", ""),
        (None, "not \\(H, W\\)", ""),
        (np.zeros((0, 0, 3), np.uint8), "0x0 px", ""),
        ([[1, 2], [3]], "no array of numbers", ""),
        (torch.zeros(3, 20, 24, device="meta"), "no array of numbers", ""),
    ],
    "masked values": [
        (np.ma.masked_equal(np.eye(24), 1), "some of its values are masked", ""),
        (np.ma.array(RAMP), expected_ramp(), ""),
    ],
}
ROWS = {**NUMBERS, **MODES, **SHAPES}
CASES = [
    pytest.param(*case, id=f"{row} {number}") for row, cases in ROWS.items() for number, case in enumerate(cases, 1)
]


@pytest.mark.parametrize(("made", "expected", "told"), CASES)
def test_every_row_of_the_table_gives_these_pixels_or_this_reason(tmp_path, made, expected, told):
    picture = made(tmp_path) if callable(made) else made
    read = read_image if isinstance(picture, Path) else as_pixels
    if isinstance(expected, str):
        with pytest.raises(ImageError, match=expected):
            read(picture)
        return
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        pixels = read(picture)
    assert pixels.dtype == np.uint8
    assert pixels.ndim == 3
    assert pixels.shape[2] == 3
    assert pixels.flags.writeable
    if expected is not None:
        assert np.abs(pixels - np.asarray(expected, float)).max() <= 2
    assert [w.category for w in caught] == [ImageWarning] * bool(told)
    if told:
        with pytest.warns(ImageWarning, match=told):
            read(picture)


def test_the_table_in_the_docs_has_these_rows():
    of_pictures = TABLE.read_text(encoding="utf-8").split("## Label maps")[0]
    lines = [line for line in of_pictures.splitlines() if line.startswith("| ")]
    first = [line.split(" | ")[0].removeprefix("| ") for line in lines]
    assert [cell for cell in first if cell not in ("what", "---")] == list(ROWS)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg", ".webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation_is_applied_to_files_and_to_pillow_images(tmp_path, orientation, suffix):
    upright = np.zeros((32, 48, 3), np.uint8)
    upright[:16, :16] = (255, 0, 0)  # red in the top left
    methods = (None, "FLIP_LEFT_RIGHT", "ROTATE_180", "FLIP_TOP_BOTTOM", "TRANSPOSE", "ROTATE_90", "TRANSVERSE")
    method = (*methods, "ROTATE_270")[orientation - 1]
    image = Image.fromarray(upright)
    image = image.transpose(Image.Transpose[method]) if method else image
    exif = Image.Exif()
    exif[0x0112] = orientation
    lossy = {".jpg": {"quality": 100, "subsampling": 0}, ".webp": {"lossless": True}}
    image.save(tmp_path / f"image{suffix}", exif=exif, **lossy.get(suffix, {}))
    for pixels in (read_image(tmp_path / f"image{suffix}"), as_pixels(Image.open(tmp_path / f"image{suffix}"))):
        assert pixels.shape == upright.shape
        assert np.abs(pixels.astype(int) - upright).max() <= 2


@pytest.mark.parametrize(
    ("exif", "told"),
    [(b"Exif\0\0nonsense", "EXIF data are damaged"), (b"Exif\0\0MM\0*\xff\xff\xff\xff", "Corrupt EXIF")],
)
def test_damaged_exif_data_do_not_cost_the_picture_and_are_told_with_its_name(tmp_path, exif, told):
    of("RGB", COLOUR).save(tmp_path / "image.png", exif=exif)
    with pytest.warns(ImageWarning, match=rf"image\.png.*{told}"):
        assert (read_image(tmp_path / "image.png") == COLOUR).all()


def test_opacity_on_another_scale_than_its_colours_is_refused_though_these_are_scaled():
    told = pytest.warns(ImageWarning, match="4095 was taken for white")
    with told, pytest.raises(ImageError, match="opacity up to 6553 beside colours to 4095"):
        as_pixels(beside(4095, np.full(RAMP.shape, 6553), np.uint16))


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
def test_a_nested_tensor_is_refused():
    with pytest.raises(ImageError, match="image Tensor: no array of numbers"):
        as_pixels(torch.nested.nested_tensor([torch.zeros(3, 20), torch.zeros(2, 20)]))


def test_an_array_is_copied():
    array = np.full((20, 24, 3), COLOUR, np.uint8)
    as_pixels(array)[:] = 0
    assert (array == COLOUR).all()


def test_the_translator_takes_what_as_pixels_takes(world):
    picture = Image.open(world.pictures / "warm" / "a.png")
    expected = world.translator(np.asarray(picture)).image
    tensor = torch.from_numpy(np.array(picture)).permute(2, 0, 1) / 255
    for form in (picture, picture.convert("RGBA"), tensor, tensor[None].double()):
        assert np.array_equal(world.translator(form).image, expected)
    trace = world.translator.traced(picture)
    assert np.array_equal(case_of(trace, photo=picture).trace.input, np.asarray(picture))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_a_tensor_on_a_gpu_is_fetched():
    assert (as_pixels(torch.full((3, 20, 24), 0.5, device="cuda")) == 128).all()
