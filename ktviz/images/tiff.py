"""What TIFF files say that Pillow does not use, and what it reads wrongly. Nothing here touches other formats."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from PIL import Image, TiffImagePlugin

from ktviz.errors import ImageError
from ktviz.images.levels import Numbers

BITS_PER_SAMPLE, COMPRESSION, PHOTOMETRIC, PLANAR, MAX_VALUE, SAMPLE_FORMAT, S_MAX_VALUE = (
    258,
    259,
    262,
    284,
    281,
    339,
    341,
)
"""Numbers of tags, as the specification (TIFF 6.0) has them."""
UNSIGNED, SIGNED, FLOATS = 1, 2, 3
"""Sample formats."""
SAMPLE_FORMATS = {1: "whole numbers", 2: "signed whole numbers", 3: "floats", 5: "complex whole numbers", 6: "complex"}
INTERPRETATIONS = {0: "grey, 0 white", 1: "grey", 2: "RGB", 3: "palette", 4: "mask", 5: "CMYK", 6: "YCbCr", 8: "Lab"}
"""Values of these tags, in words."""
BIG = 43
"""The number of BigTIFF, in the third byte of a little-endian file."""
MOST_CHANNELS = 5
"""Whose bits are named."""
MORE_KINDS = {
    ("MM", 0, UNSIGNED, 16): ("I;16B", "I;16B"),
    ("II", 0, SIGNED, 16): ("I", "I;16S"),
    ("MM", 0, SIGNED, 16): ("I", "I;16BS"),
    ("MM", 1, UNSIGNED, 32): ("I", "I;32B"),
    ("II", 0, UNSIGNED, 32): ("I", "I;32N"),
    ("MM", 0, UNSIGNED, 32): ("I", "I;32B"),
    ("II", 0, SIGNED, 32): ("I", "I;32S"),
    ("MM", 0, SIGNED, 32): ("I", "I;32BS"),
    **{("II", white, FLOATS, 64): ("F", "F;64F") for white in (0, 1)},
    **{("MM", white, FLOATS, 64): ("F", "F;64BF") for white in (0, 1)},
}
"""Kinds of grey that Pillow can unpack and has not listed: byte order, interpretation, sample format and bits, to its
mode and raw mode."""
NATIVE = {"I;16BS": "I;16S", "I;32BS": "I;32S", "I;32B": "I;32N", "F;32BF": "F;32F", "F;64BF": "F;64F"}
"""Raw modes of compressed big-endian files: libtiff has swapped the bytes already."""
LOST = 64
"""Levels; colours of 16 bits below it have been scaled to 14 bits or fewer, and lost what Pillow leaves out."""


for (order, white, kind, bits), modes in MORE_KINDS.items():
    TiffImagePlugin.OPEN_INFO.setdefault((order.encode(), white, (kind,), 1, (bits,), ()), modes)


def kind_of(path: str | os.PathLike[str]) -> str:
    """What a TIFF that Pillow does not know holds, in words; empty for other files, and for damaged ones."""
    with open(path, "rb") as file:
        head = file.read(16)
        if head[:4] == b"MM\0+":
            return "a BigTIFF of big-endian order"
        if head[:4] not in (b"II*\0", b"MM\0*", b"II+\0"):
            return ""
        try:
            tags = TiffImagePlugin.ImageFileDirectory_v2(head if head[2] == BIG else head[:8])
            file.seek(tags.next)
            tags.load(file)
            bits, formats = np.atleast_1d(tags[BITS_PER_SAMPLE]), np.atleast_1d(tags.get(SAMPLE_FORMAT, UNSIGNED))
            compression = TiffImagePlugin.COMPRESSION_INFO.get(tags.get(COMPRESSION, 1), "of an unknown kind")
        except Exception:  # a damaged file: there is nothing to say of its kind
            return ""
    depth = "-".join(map(str, bits[:MOST_CHANNELS]))
    numbers = SAMPLE_FORMATS.get(int(formats[0]), "numbers of an unknown format")
    meaning = INTERPRETATIONS.get(tags.get(PHOTOMETRIC, -1), "other colours")
    return f"a TIFF of {depth} bits, {numbers}, {meaning}, compression {compression}"


def tag(image: Image.Image, number: int, default: Any = None) -> Any:
    """A tag's value, the first if it has several; the default for other formats."""
    value = getattr(image, "tag_v2", {}).get(number, default) if image.format == "TIFF" else default
    return value[0] if isinstance(value, tuple) and value else value


def mend(image: Image.Image, asked: str) -> None:
    """Correct, before it is loaded, how Pillow will unpack planes of 16 bits and compressed big-endian numbers.

    Raises:
        ImageError: Planes that Pillow cannot unpack.
    """
    if image.format != "TIFF":
        return
    deep_planes = tag(image, PLANAR) == 2 and tag(image, BITS_PER_SAMPLE) == 16
    order = ";16B" if image.tag_v2.prefix == b"MM" else ";16L"  # type: ignore[attr-defined]
    for number, tile in enumerate(image.tile):  # type: ignore[attr-defined]
        raw, *rest = tile.args
        if tile.codec_name == "libtiff":
            raw = NATIVE.get(raw, raw)
        elif deep_planes and len(raw) == 1:
            if image.mode == "CMYK":
                raise ImageError(asked, "CMYK of 16 bits in planes", "Save it with interleaved channels, or as 8 bits")
            raw += order
        image.tile[number] = tile._replace(args=(raw, *rest))  # type: ignore[attr-defined]


def as_declared(image: Image.Image, numbers: Numbers) -> Numbers:
    """Whole numbers in the type that the file declares, where Pillow has put them into signed ones of 32 bits."""
    declared = (tag(image, BITS_PER_SAMPLE), tag(image, SAMPLE_FORMAT, UNSIGNED))
    if image.format != "TIFF" or image.mode != "I":
        return numbers
    if declared == (32, UNSIGNED):
        return numbers.view(np.uint32)
    return numbers.astype(np.int16) if declared == (16, SIGNED) else numbers


def stated_white(image: Image.Image) -> float | None:
    """The number that the file says is white, or None."""
    stated = tag(image, S_MAX_VALUE) or tag(image, MAX_VALUE)
    if stated is None and tag(image, BITS_PER_SAMPLE) == 12:
        return 4095.0
    return None if stated is None else float(stated)


def is_inverted(image: Image.Image) -> bool:
    """Whether 0 is white in grey that Pillow leaves as it is."""
    return bool(tag(image, PHOTOMETRIC) == 0)


def check_depth(image: Image.Image, colours: Image.Image, asked: str) -> None:
    """Refuse colours of 16 bits that use too few of them: Pillow reads the upper 8 alone.

    Raises:
        ImageError: 14 bits or fewer in 16.
    """
    if colours.mode == "RGB" and tag(image, BITS_PER_SAMPLE) == 16:
        high = max(top for _, top in colours.getextrema())  # type: ignore[misc]
        if 0 < high < LOST:
            raise ImageError(
                asked,
                f"colours of 16 bits, none above {high * 257 / 65_535:.0%} of white: 14 bits or fewer in 16",
                "Scale it to all 16 bits, or save it as 8 bits",
            )
