"""Images of maps as they were written: their numbers or their colours. What changes them on the way is refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from ktviz.errors import ImageError, LabelError, MissingLabelError
from ktviz.images import check_size, tiff
from ktviz.images.guard import guarded
from ktviz.images.modes import is_transparent
from ktviz.labels.classes import Colour

Palette = Mapping[int, Colour | None]
"""The colours of the numbers that occur; None for one that has none, or that can be seen through."""

EXACT = ("PNG", "TIFF", "BMP", "GIF", "PPM")
"""Formats that keep numbers as they are."""
CHANGING = ("JPEG", "JPEG2000", "WEBP")
"""Formats that may change them; opened, so that they can be named."""
LOSSY = ("jpeg", "tiff_jpeg", "webp")
"""Compressions of TIFF that change them."""
NUMBERS = ("1", "L", "I", "I;16", "I;16B", "I;16L")
"""Pillow's modes of numbers."""
TODO = "Save the map as PNG of 8 bits, or of 16 bits grey, from what it was made of"


def read_file(path: Path, what: str) -> tuple[npt.NDArray[Any], Palette | None]:
    """What `read_pillow` reads, of a file; `what` is its name in messages."""
    if not path.exists():
        raise MissingLabelError(what, "there is no such file", "Check the path")
    if not path.is_file():
        raise LabelError(what, "not a plain file", "Name a PNG file")
    with refused("Give a map as PNG"), guarded(what):
        image = Image.open(path, formats=(*EXACT, *CHANGING))
    with image:
        return read_pillow(image, what)


def read_pillow(image: Image.Image, what: str) -> tuple[npt.NDArray[Any], Palette | None]:
    """The numbers of an image (H, W) int64, with their palette where it has one, or its colours (H, W, 3) uint8.

    Raises:
        LabelError: Damaged, or something that has changed numbers, with what it is.
    """
    with refused(), guarded(what):
        check_size(image.width, image.height, what)
        tiff.mend(image, what)
        check_kept(image, what)
        upright = ImageOps.exif_transpose(image)  # as the photograph is turned that it was drawn on
        if image.mode == "P":
            numbers = np.asarray(upright).astype(np.int64)
            return numbers, palette_of(upright, numbers)
        if image.mode in NUMBERS:
            return np.asarray(upright).astype(np.int64), None
        if image.mode in ("RGB", "RGBA"):
            check_opaque(upright, what)
            return np.asarray(upright.convert("RGB")), None
        raise ImageError(what, f"an image of mode {image.mode}", "Give numbers, a palette, or colours")


def check_kept(image: Image.Image, what: str) -> None:
    """Raise ImageError if what Pillow gives is not what was written, as grey of 2 and 4 bits, stretched to 255."""
    if image.format not in (None, *EXACT):
        raise ImageError(what, f"a {image.format}, which may have changed its numbers", TODO)
    if image.info.get("compression") in LOSSY:
        raise ImageError(what, "compressed as JPEG or WebP, which changes its numbers", TODO)
    for tile in getattr(image, "tile", ()):  # of an image that is not loaded
        written, *more = tile.args if isinstance(tile.args, tuple) else (tile.args,)
        stretched = tile.codec_name.startswith("ppm") and more != [65_535 if image.mode == "I" else 255]
        if stretched or (";" in str(written) and image.mode in ("1", "L", "RGB", "RGBA")):
            kind = " ".join(map(str, (written, *more) if stretched else (written,)))
            raise ImageError(what, f"a {image.format} of a kind whose numbers are not read as written ({kind})", TODO)


def palette_of(image: Image.Image, numbers: npt.NDArray[np.int64]) -> Palette:
    """The colours of the numbers of an image of mode P that occur."""
    used, first = np.unique(numbers, return_index=True)
    colours = np.asarray(image.convert("RGBA")).reshape(-1, 4)[first].tolist()
    count = len(image.getpalette() or ()) // 3  # Pillow shows numbers from there on as black
    return {
        number: (red, green, blue) if opacity == 255 and number < count else None
        for number, (red, green, blue, opacity) in zip(used.tolist(), colours, strict=True)
    }


def check_opaque(image: Image.Image, what: str) -> None:
    """Raise ImageError, with the first pixel, if one can be seen through: what colour it has nobody has seen."""
    if not is_transparent(image):
        return
    opacity = np.asarray(image.convert("RGBA").getchannel("A"))
    if (clear := opacity < 255).any():
        y, x = np.argwhere(clear)[0]
        found = f"transparent at x {x}, y {y}: opacity {opacity[y, x]} of 255"
        raise ImageError(what, found, "Give every pixel an opaque colour")


@contextmanager
def refused(todo: str = "") -> Iterator[None]:
    """What is wrong with an image is wrong with a map."""
    try:
        yield
    except ImageError as error:
        raise LabelError(error.asked, error.found, todo or error.todo) from None
