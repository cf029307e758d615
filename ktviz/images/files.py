"""Image files: reading any, writing some, and what makes two of them the same."""

from __future__ import annotations

import hashlib
import os
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from ktviz.errors import ImageError, StorageError
from ktviz.files import replacing
from ktviz.images.finding import formats
from ktviz.images.guard import give, guarded
from ktviz.images.modes import from_pillow
from ktviz.images.pixels import Pixels, check_size
from ktviz.images.tiff import kind_of

LAST_UPRIGHT = 4
"""EXIF orientations above it lay a picture on its side."""
STORED = ("WEBP", "PNG", "JPEG")
"""Formats of `encode_image`: no other reader touches what comes with a trace, an audit or a library."""


def read_image(path: str | os.PathLike[str]) -> Pixels:
    """Read an image file as RGB. What becomes of what: docs/pictures.md.

    Args:
        path: Of any format that Pillow reads as pixels: JPEG, PNG, WebP, AVIF, TIFF, JPEG 2000, GIF (first frame) ...

    Returns:
        (H, W, 3) uint8 sRGB, rotated as EXIF says, colour profile applied, transparency on white.

    Raises:
        ImageError: Missing, not an image, damaged, its numbers no picture, or a side outside 16 to 16,384 px.

    Warns:
        ImageWarning: The file leaves open what its numbers mean; the warning says what was decided.

    Example:
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "stripes.png"
        >>> kt.write_image(path, photo)
        >>> kt.read_image(path).shape
        (64, 64, 3)
    """
    pixels, notes = decode(path)
    give(notes)
    return pixels


def decode(path: str | os.PathLike[str]) -> tuple[Pixels, list[str]]:
    """`read_image`, with what there is to warn of instead of warnings."""
    asked = f"image {str(path)!r}"
    with guarded(asked) as notes, opened_image(path, asked) as opened:
        pixels = from_pillow(opened, asked)
    return pixels, notes


def opened_image(path: str | os.PathLike[str], asked: str) -> Image.Image:
    """An image file, opened.

    Raises:
        ImageError: It is no plain file, or a TIFF of a kind that cannot be read.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise ImageError(f"image {type(path).__name__}", "no path of a file", "Name a file, or use as_pixels")
    path = Path(path)
    if path.exists() and not path.is_file():  # a pipe would be waited for
        found = "it is a folder" if path.is_dir() else "not a plain file"
        raise ImageError(asked, found, "Name an image file")
    try:
        return Image.open(path, formats=formats())
    except UnidentifiedImageError:
        if found := kind_of(path):
            raise ImageError(asked, f"{found}, which Pillow cannot read", "Save it as PNG, or as 8 bits") from None
        raise


def image_size(path: str | os.PathLike[str]) -> tuple[int, int]:
    """Height and width of an image file in px, rotated as EXIF says.

    They stand in its header; a PNG is read whole where its EXIF data may stand behind the picture.

    Raises:
        ImageError: Missing, or not an image.
    """
    asked = f"size of image {os.fspath(path)!r}"
    with guarded(asked), opened_image(path, asked) as opened:
        width, height = opened.size
        turned = opened.getexif().get(ExifTags.Base.Orientation, 1) > LAST_UPRIGHT
    return (width, height) if turned else (height, width)


def write_image(path: str | os.PathLike[str], pixels: Pixels) -> None:
    """Write an image; the suffix chooses the format. The file appears whole or not at all.

    Args:
        path: Where to write; parent folders are made.
        pixels: (H, W, 3) uint8.

    Raises:
        StorageError: The suffix is unknown or the disk refuses.
        ImageError: Not pixels.

    Example:
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "stripes.png"
        >>> kt.write_image(path, photo)
        >>> path.stat().st_size > 0
        True
    """
    path = Path(path)
    if path.suffix.lower() not in Image.registered_extensions():
        raise StorageError(f"write {str(path)!r}", f"unknown suffix {path.suffix!r}", "Use one such as .png or .jpg")
    if not isinstance(pixels, np.ndarray) or pixels.dtype != np.uint8 or pixels.ndim not in (2, 3):
        asked = f"write {str(path)!r}"
        raise ImageError(asked, f"{type(pixels).__name__}, not (H, W, 3) uint8", "Make pixels of it: as_pixels(image)")
    with replacing(path) as temporary:
        Image.fromarray(pixels).save(temporary, quality=92)


def encode_image(pixels: Pixels, kind: Literal["webp", "png", "jpeg", "small"] = "webp") -> bytes:
    """An image as the bytes of a file: WebP and PNG without loss, JPEG, or "small", a lossy WebP."""
    options: dict[str, dict[str, Any]] = {
        "webp": {"format": "webp", "lossless": True, "method": 1, "quality": 20},
        "png": {"format": "png"},
        "jpeg": {"format": "jpeg", "quality": 85},
        "small": {"format": "webp", "quality": 60},
    }
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, **options[kind])
    return buffer.getvalue()


def decode_image(data: bytes, asked: str = "a stored picture") -> Pixels:
    """A picture as `encode_image` makes them, already in memory: (H, W, 3) uint8.

    Args:
        data: Of a file. It may have come with somebody else's trace, audit or library.
        asked: What it is, for messages.

    Raises:
        ImageError: Of another format, damaged, or a side above 16,384 px.
    """
    with guarded(asked), opened_data(data) as opened:
        check_size(*opened.size, asked, least=1)
        return np.asarray(opened.convert("RGB"))


def stored_size(data: bytes, asked: str) -> tuple[int, int]:
    """Height and width of a picture in memory, from its header alone.

    Raises:
        ImageError: As in `decode_image`.
    """
    with guarded(asked), opened_data(data) as opened:
        check_size(*opened.size, asked, least=1)
        return opened.height, opened.width


def opened_data(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data), formats=STORED)


def file_digest(path: str | os.PathLike[str]) -> str:
    """SHA-256 of a file's bytes, as hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
