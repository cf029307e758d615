"""What TIFF files say that Pillow does not use, and what it reads wrongly. Nothing here touches other formats."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

from ktviz.errors import ImageError
from ktviz.images.levels import Numbers

BITS_PER_SAMPLE, PHOTOMETRIC, PLANAR, MAX_VALUE, SAMPLE_FORMAT, S_MAX_VALUE = 258, 262, 284, 281, 339, 341
"""Numbers of tags, as the specification (TIFF 6.0) has them."""
UNSIGNED, SIGNED = 1, 2
"""Sample formats."""
NATIVE = {"I;16BS": "I;16S", "I;32BS": "I;32S", "F;32BF": "F;32F"}
"""Raw modes of compressed big-endian files: libtiff has swapped the bytes already."""
LOST = 64
"""Levels; colours of 16 bits below it have been scaled to 14 bits or fewer, and lost what Pillow leaves out."""


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
