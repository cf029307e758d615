"""Label maps from arrays and files: numbers, palettes and colours, each checked against the classes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from ktviz.errors import ImageError, LabelError, MissingLabelError
from ktviz.files import replacing
from ktviz.images import check_size
from ktviz.images.guard import guarded
from ktviz.labels.classes import Classes

Map = npt.NDArray[np.int64]
"""(H, W)."""
VOID = 255
"""In files of one byte a pixel, what many data sets write for pixels of no class."""
DEEPEST = (1 << 24) - 1
"""The largest number of an object that a file holds."""
EXACT = ("PNG", "TIFF", "BMP", "GIF", "WEBP", "PPM")
"""Formats that keep numbers as they are."""
NUMBERS = ("1", "L", "I", "I;16", "I;16B", "I;16L")
"""Pillow's modes of numbers."""


def as_labels(labels: Any, classes: Classes) -> Map:
    """A label map: (H, W) int64, the number of a class at every pixel.

    Args:
        labels: An array or tensor of whole numbers (H, W), or of colours (H, W, 3) uint8; a Pillow image or the path of
            a file with numbers, with a palette, or with colours. A palette whose colours are those of classes is read
            by its colours, any other by its numbers. 255 stands for the class "unknown", where there is one.
        classes: What the numbers mean.

    Raises:
        LabelError: A number or a colour of no class, with its place; or something else than a map.

    Example:
        >>> classes = Classes(("sky", "road"), ((0, 0, 255), (90, 90, 90)))
        >>> as_labels(np.full((16, 16, 3), 90, np.uint8), classes)[0, 0]
        np.int64(1)
    """
    values, asked = as_numbers(labels, "label map", classes)
    if values.ndim == 3:
        return by_colour(values, classes, asked)
    if classes.unknown is not None and len(classes) <= VOID:
        values = np.where(values == VOID, classes.unknown, values)
    outside = (values < 0) | (values >= len(classes))
    if outside.any():
        y, x = np.argwhere(outside)[0]
        found = f"{values[y, x]} at x {x}, y {y}, and classes go from 0 to {len(classes) - 1}"
        raise LabelError(asked, found, "Give a map of these classes")
    return values


def as_numbers(given: Any, what: str, classes: Classes | None = None) -> tuple[npt.NDArray[Any], str]:
    """A map as whole numbers (H, W) int64 or as colours (H, W, 3) uint8, and its name in messages."""
    if isinstance(given, (str, os.PathLike)):
        return from_file(Path(given), what, classes)
    if isinstance(given, Image.Image):
        asked = f"{what} of mode {given.mode}"
        with refused(), guarded(asked):
            return from_pillow(given, asked, classes), asked
    try:
        array = np.asarray(given.detach().cpu() if hasattr(given, "detach") else given)
    except Exception as error:  # whatever an object's own conversion raises
        raise LabelError(what, f"no array of numbers ({error})", "Give an array (H, W) or a file") from None
    asked = f"{what} {array.shape} {array.dtype}"
    while array.ndim > 2 and array.shape[0] == 1:
        array = array[0]
    if array.ndim == 3 and array.shape[2] == 3 and array.dtype == np.uint8:
        return checked_size(array, asked), asked
    if array.ndim != 2:
        raise LabelError(asked, "neither (H, W) nor (H, W, 3) uint8", "Give one number a pixel")
    return checked_size(whole(array, asked), asked), asked


def whole(array: npt.NDArray[Any], asked: str) -> Map:
    """Numbers as int64; floats only where nothing is lost."""
    if array.dtype.kind not in "biuf":
        raise LabelError(asked, "no numbers", "Give the number of a class at every pixel")
    if array.dtype.kind == "f":
        odd = ~np.isfinite(array) | (array != np.round(array)) | (np.abs(array) > 2**31)
        if odd.any():
            y, x = np.argwhere(odd)[0]
            raise LabelError(asked, f"{array[y, x]} at x {x}, y {y}", "Give whole numbers")
    if array.dtype.kind == "u" and array.size and int(array.max()) > 2**62:
        raise LabelError(asked, f"a number of {int(array.max())}", "Give the number of a class at every pixel")
    return array.astype(np.int64)


def checked_size(array: npt.NDArray[Any], asked: str) -> npt.NDArray[Any]:
    with refused():
        check_size(array.shape[1], array.shape[0], asked)
    return array


@contextmanager
def refused(todo: str = "") -> Iterator[None]:
    """What is wrong with an image is wrong with a map."""
    try:
        yield
    except ImageError as error:
        raise LabelError(error.asked, error.found, todo or error.todo) from None


def from_file(path: Path, what: str, classes: Classes | None) -> tuple[npt.NDArray[Any], str]:
    asked = f"{what} {str(path)!r}"
    if not path.exists():
        raise MissingLabelError(asked, "there is no such file", "Check the path")
    if not path.is_file():
        raise LabelError(asked, "not a plain file", "Name a PNG file")
    todo = "Give a map as PNG; JPEG changes its numbers"
    with refused(todo), guarded(asked), Image.open(path, formats=EXACT) as opened:
        return from_pillow(opened, asked, classes), asked


def from_pillow(image: Image.Image, asked: str, classes: Classes | None) -> npt.NDArray[Any]:
    """Numbers or colours of an image, depending on its mode."""
    check_size(image.width, image.height, asked)
    if image.mode == "P":
        numbers = np.asarray(image).astype(np.int64)
        colours = np.asarray(image.convert("RGB"))
        used = colours.reshape(-1, 3)[np.unique(np.asarray(image), return_index=True)[1]]
        known = classes is not None and {tuple(colour) for colour in used.tolist()} <= set(classes.colours)
        return colours if known else numbers
    if image.mode in NUMBERS:
        return np.asarray(image).astype(np.int64)
    if image.mode in ("RGB", "RGBA"):
        return np.asarray(image.convert("RGB"))
    raise ImageError(asked, f"an image of mode {image.mode}", "Give numbers, a palette, or colours")


def by_colour(colours: npt.NDArray[np.uint8], classes: Classes, asked: str) -> Map:
    """The classes of colours (H, W, 3)."""
    codes = coded(colours)
    known = {int(coded(np.array(colour))): number for number, colour in enumerate(classes.colours)}
    values, places = np.unique(codes, return_inverse=True)
    for value in values:
        if int(value) not in known:
            y, x = np.argwhere(codes == value)[0]
            near = min(
                range(len(classes)), key=lambda n: int(np.abs(colours[y, x].astype(int) - classes.colours[n]).sum())
            )
            found = f"colour {tuple(map(int, colours[y, x]))} at x {x}, y {y} is of no class"
            raise LabelError(asked, found, f"The nearest is {classes.names[near]}, {classes.colours[near]}")
    numbers = np.array([known[int(value)] for value in values], np.int64)
    return numbers[places.reshape(codes.shape)]


def coded(colours: npt.NDArray[Any]) -> Map:
    """Colours (..., 3) as one number each."""
    parts = colours.astype(np.int64)
    found: Map = parts[..., 0] << 16 | parts[..., 1] << 8 | parts[..., 2]
    return found


def write_map(path: str | os.PathLike[str], numbers: Map, classes: Classes | None = None) -> None:
    """Write a label map, in a palette of the classes' colours, or an instance map, in 16 bits or in colours, as PNG.

    Raises:
        LabelError: A number that does not fit.
    """
    numbers = np.asarray(numbers)
    most = len(classes) - 1 if classes is not None else DEEPEST
    if numbers.size and not 0 <= int(numbers.min()) <= int(numbers.max()) <= most:
        raise LabelError(f"write {os.fspath(path)!r}", f"numbers beyond 0 to {most}", "Number them anew")
    with replacing(Path(path)) as temporary:
        if classes is None:
            wide = numbers.size and int(numbers.max()) >= 1 << 16
            made = np.stack([numbers >> shift & 255 for shift in (16, 8, 0)], -1).astype(np.uint8) if wide else None
            Image.fromarray(numbers.astype(np.uint16) if made is None else made).save(temporary, format="PNG")
            return
        image = Image.fromarray(numbers.astype(np.uint8), mode="L")
        image.putpalette([part for colour in classes.colours for part in colour])
        image.save(temporary, format="PNG")


def read_map(path: str | os.PathLike[str]) -> Map:
    """The numbers of a map as `write_map` writes it: (H, W) int64, whatever the palette.

    Raises:
        LabelError: Missing, damaged, or something else.
    """
    asked = f"map {os.fspath(path)!r}"
    with refused(), guarded(asked), Image.open(path, formats=("PNG",)) as opened:
        check_size(opened.width, opened.height, asked)
        if opened.mode not in ("P", "I;16"):
            raise ImageError(asked, f"an image of mode {opened.mode}", "Give what `write_map` writes")
        return np.asarray(opened).astype(np.int64)
