"""`-`: a picture or a label map from standard input, a picture to standard output."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ktviz.errors import ImageError, LabelError, SettingError, StorageError
from ktviz.images import Pixels, encode_image, read_image, write_image
from ktviz.labels import Classes, as_labels
from ktviz.labels.maps import Map

DASH = Path("-")
STDIN = "standard input"
MOST_BYTES = 2 << 30
"""Of a photograph: 16,384 px a side in 16 bits, not compressed, are less."""
PIECE = 1 << 20
"""Bytes that are read at once."""


def from_stdin(paths: Sequence[Path]) -> bool:
    """Whether `-` is asked for: the one photograph on standard input."""
    if DASH in paths and len(paths) > 1:
        raise SettingError("- beside other photographs", "standard input holds one", "Give - alone, or files")
    return DASH in paths


def name_of(photo: Path) -> str:
    """What to call a photograph: its stem."""
    return STDIN if photo == DASH else photo.stem


def read_photo(photo: Path) -> Pixels:
    """A photograph from its file, or from standard input.

    Raises:
        ImageError: As in `read_image`.
    """
    if photo != DASH:
        return read_image(photo)
    with stored() as file:
        try:
            return read_image(file)
        except ImageError as error:
            raise ImageError(f"image from {STDIN}", error.found, error.todo) from None


def read_labels(path: Path, classes: Classes) -> Map:
    """A label map from its file, or from standard input.

    Raises:
        LabelError: As in `as_labels`.
        ImageError: What standard input holds is longer than any picture.
    """
    if path != DASH:
        return as_labels(path, classes)
    with stored() as file:
        try:
            return as_labels(file, classes)
        except LabelError as error:
            raise LabelError(f"label map from {STDIN}", error.found, error.todo) from None


@contextmanager
def stored() -> Iterator[Path]:
    """What standard input holds, as a file for a while; errors as in `store`."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "photo"
        store(sys.stdin.buffer, file)
        yield file


def store(stream: BinaryIO, file: Path) -> None:
    """What a stream holds as a file, piece by piece: it may never end.

    Raises:
        ImageError: It is longer than any photograph.
        StorageError: The disk refuses.
    """
    asked, left = f"image from {STDIN}", MOST_BYTES
    try:
        with file.open("wb") as kept:
            while piece := stream.read(min(PIECE, left + 1)):
                left -= len(piece)
                if left < 0:
                    raise ImageError(asked, f"more than {MOST_BYTES >> 20:,} MB", "Give one photograph")
                kept.write(piece)
    except OSError as error:
        raise StorageError(asked, error.strerror or str(error), "Free space, or name a file") from None


def write_photo(target: Path, pixels: Pixels) -> None:
    """A picture to its file, or as PNG to standard output."""
    if target != DASH:
        write_image(target, pixels)
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(encode_image(pixels, "png"))
    sys.stdout.buffer.flush()
