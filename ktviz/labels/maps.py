"""Label maps from arrays and files: numbers, palettes and colours, each checked against the classes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from ktviz.errors import ImageError, LabelError
from ktviz.files import replacing
from ktviz.images import Pixels, check_size
from ktviz.images.guard import guarded
from ktviz.labels.classes import Classes
from ktviz.labels.reading import Palette, read_file, read_pillow, refused

Map = npt.NDArray[np.int64]
"""(H, W)."""
VOID = 255
"""In files of one byte a pixel, what many data sets write for pixels of no class."""
DEEPEST = (1 << 24) - 1
"""The largest number of an object that a file holds."""


def as_labels(labels: Any, classes: Classes) -> Map:
    """A label map: (H, W) int64, the number of a class at every pixel.

    Args:
        labels: An array or tensor of whole numbers (H, W), or of colours (H, W, 3) uint8; a Pillow image or the path of
            a file with numbers, with a palette, or with colours, in a format that keeps them. A palette whose colours
            are those of classes is read by its colours, any other by its numbers; one of which it cannot be told is
            refused. 255 stands for the class "unknown", where there is one. docs/pictures.md has the table.
        classes: What the numbers mean.

    Raises:
        LabelError: A number or a colour of no class, with its place; a file that does not hold the numbers as they were
            written; or something else than a map.

    Example:
        >>> classes = Classes(("sky", "road"), ((0, 0, 255), (90, 90, 90)))
        >>> as_labels(np.full((16, 16, 3), 90, np.uint8), classes)[0, 0]
        np.int64(1)
    """
    values, asked = as_numbers(labels, "label map", classes)
    if values.ndim == 3:
        return by_colour(values, classes, asked)
    values = void_as_unknown(values, classes)
    outside = (values < 0) | (values >= len(classes))
    if outside.any():
        y, x = np.argwhere(outside)[0]
        found = f"{values[y, x]} at x {x}, y {y}, and classes go from 0 to {len(classes) - 1}"
        raise LabelError(asked, found, "Give a map of these classes")
    return values


def as_numbers(given: Any, what: str, classes: Classes | None = None) -> tuple[npt.NDArray[Any], str]:
    """A map as whole numbers (H, W) int64 or as colours (H, W, 3) uint8, and its name in messages."""
    if isinstance(given, Image.Image):
        asked = f"{what} of mode {given.mode}"
        return decided(*read_pillow(given, asked), classes, asked), asked
    if isinstance(given, (str, os.PathLike)):
        asked = f"{what} {os.fspath(given)!r}"
        return decided(*read_file(Path(given), asked), classes, asked), asked
    try:
        array = np.asarray(given.detach().cpu() if hasattr(given, "detach") else given)
    except Exception as error:  # whatever an object's own conversion raises
        raise LabelError(what, f"no array of numbers ({error})", "Give an array (H, W) or a file") from None
    asked = f"{what} {array.shape} {array.dtype}"
    if np.ma.is_masked(given):
        raise LabelError(asked, "masked values", "Fill them with the number of a class")
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


def void_as_unknown(numbers: Map, classes: Classes) -> Map:
    """Numbers with 255 read as the class "unknown", where there is one and 255 is no class."""
    if classes.unknown is None or len(classes) > VOID:
        return numbers
    return np.where(numbers == VOID, classes.unknown, numbers)


def checked_size(array: npt.NDArray[Any], asked: str) -> npt.NDArray[Any]:
    """The same, of a size that pictures have."""
    with refused():
        check_size(array.shape[1], array.shape[0], asked)
    return array


def decided(values: npt.NDArray[Any], palette: Palette | None, classes: Classes | None, asked: str) -> npt.NDArray[Any]:
    """Numbers or colours as they are; of numbers with a palette of classes' colours, what the two say together."""
    return values if palette is None or classes is None else by_palette(values, palette, classes, asked)


def by_palette(numbers: Map, palette: Palette, classes: Classes, asked: str) -> Map:
    """The classes of numbers with colours: those of the colours, where these are all of classes; or the numbers.

    Raises:
        LabelError: Numbers and colours contradict each other, and one of the colours is of no class, or that of two
            numbers, or most of them are those of their numbers.
    """
    used = np.array(list(palette))
    said = np.array([classes.colours.index(one) if one in classes.colours else -1 for one in palette.values()])
    known, other = said >= 0, (said >= 0) & (said != void_as_unknown(used, classes))
    if not other.any():
        return numbers
    apart, most = len(np.unique(said)) == len(said), 2 * other.sum() >= len(said)
    if known.all() and apart and most:  # a palette in the classes' order, with one colour that is not, is a slip
        labels: Map = said[np.searchsorted(used, numbers)]
        return labels
    first, label = int(used[other][0]), int(said[other][0])
    odd = first if known.all() else int(used[~known][0])
    y, x = np.argwhere(numbers == odd)[0]
    where, colour = f"number {odd} at x {x}, y {y}", palette[odd]
    called = f"class {label}, {classes.names[label]}"
    found = f"{where} has the colour of {called}, and either may be meant"
    if odd != first:
        what = "no colour" if colour is None else f"the colour {colour}, of no class"
        found = f"{where} has {what}, and number {first} that of {called}"
    raise LabelError(asked, found, "Save the numbers in grey, or all of it in the colours of the classes")


def by_colour(colours: npt.NDArray[np.uint8], classes: Classes, asked: str) -> Map:
    """The classes of colours (H, W, 3)."""
    codes, known = coded(colours), coded(np.array(classes.colours))
    if (odd := ~np.isin(codes, known)).any():
        y, x = np.argwhere(odd)[0]
        near = np.abs(colours[y, x].astype(int) - classes.colours).sum(1).argmin()
        more = f", and {odd.sum() - 1:,} more pixels are of none" if odd.sum() > 1 else ""
        found = f"colour {tuple(map(int, colours[y, x]))} at x {x}, y {y} is of no class{more}"
        todo = f"The nearest is {classes.names[near]}, {classes.colours[near]}; scale maps to the nearest pixel"
        raise LabelError(asked, found, todo)
    order = known.argsort()
    found_labels: Map = order[np.searchsorted(known, codes, sorter=order)]
    return found_labels


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
        if opened.mode not in ("P", "I;16", "RGB"):
            raise ImageError(asked, f"an image of mode {opened.mode}", "Give what `write_map` writes")
        return coded(np.asarray(opened)) if opened.mode == "RGB" else np.asarray(opened).astype(np.int64)


def coloured(labels: Map, classes: Classes) -> Pixels:
    """A label map in the colours of its classes: (..., H, W) to (..., H, W, 3) uint8.

    Example:
        >>> coloured(np.array([[1, 0]]), Classes(("sky", "hill"), ((90, 140, 220), (40, 120, 60)))).tolist()
        [[[40, 120, 60], [90, 140, 220]]]
    """
    found: Pixels = np.array(classes.colours, dtype=np.uint8)[labels]
    return found
