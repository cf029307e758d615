"""Pillow's images as pixels: by mode, range, transparency, colour profile and orientation."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, ImageOps

from ktviz.errors import ImageError
from ktviz.images import tiff
from ktviz.images.finding import NO_PICTURES
from ktviz.images.levels import tell, tell_if_dark, to_levels
from ktviz.images.pixels import Pixels, check_size
from ktviz.images.profiles import in_srgb

Opacity = npt.NDArray[np.uint8]

GREY = ("1", "L", "LA", "La")
TRANSPARENT: dict[str, type | tuple[type, ...]] = {"1": int, "L": int, "P": (int, bytes), "RGB": tuple}
"""What a transparent colour is, in the modes that may have one; a palette's may have opacities instead."""
STATED = {"PNG": 65_535.0, "PPM": 65_535.0, "JPEG2000": 65_535.0}
"""Formats that say what is white; Pillow scales their deep greys to 16 bits."""


def from_pillow(image: Image.Image, asked: str) -> Pixels:
    """Pixels of an image of any mode.

    Args:
        image: Loaded or not.
        asked: What it is, for messages.

    Raises:
        ImageError: Of an impossible size, of numbers that are no picture, or of a format that is none.
    """
    if image.format in NO_PICTURES:  # Pillow would hand some of them to another program
        raise ImageError(asked, f"{image.format}, a format that is no picture", "Convert it to PNG first")
    check_size(image.width, image.height, asked)
    tiff.mend(image, asked)
    deep = loses_bits(image)
    image.load()
    colours, opacity = taken_apart(image, asked)
    tiff.check_depth(image, colours, asked)
    if deep and any(high for _, high in bands(colours)):
        tell_if_dark(np.asarray(colours), asked, ", of which the upper 8 of 16 bits are read")
    pixels = np.array(in_srgb(colours, image.info.get("icc_profile"), asked))
    return upright(pixels if opacity is None else on_white(pixels, opacity), image, asked)


def loses_bits(image: Image.Image) -> bool:
    """Whether an image that is not loaded has, or may have, colours of more than the 8 bits that Pillow reads."""
    if image.mode.startswith(("I", "F")):
        return False
    tiles = getattr(image, "tile", ())
    deep = any(";16" in str(tile.args) or tile.codec_name == "SGI16" for tile in tiles)
    ppm = image.format == "PPM" and any(tile.codec_name.startswith("ppm") and tile.args[1] > 255 for tile in tiles)
    return deep or ppm or image.format == "JPEG2000"


def bands(image: Image.Image) -> list[tuple[int, int]]:
    """Lowest and highest level of each channel."""
    found: Any = image.getextrema()
    return list(found) if isinstance(found[0], tuple) else [found]


def taken_apart(image: Image.Image, asked: str) -> tuple[Image.Image, Opacity | None]:
    """Colours, of mode L, RGB, CMYK or LAB, and opacity (H, W), None where all is opaque."""
    if image.mode.startswith("I") or image.mode == "F":
        return numbers_apart(image, asked)
    if image.mode in ("CMYK", "LAB"):
        return image, None
    grey = image.mode in GREY
    if not is_transparent(image):
        return in_mode(image, "L" if grey else "RGB"), None
    if image.mode in ("1", "La"):
        image = image.convert("LA" if image.mode == "La" else "L")
    if image.mode == "RGB" and max(image.info["transparency"]) > 255:  # 16 bits, of which Pillow reads the upper 8
        image = image.copy()
        image.info["transparency"] = tuple(value >> 8 for value in image.info["transparency"])
    image = image.convert("LA" if grey else "RGBA")
    return image.convert("L" if grey else "RGB"), np.asarray(image.getchannel("A"))


def in_mode(image: Image.Image, mode: str) -> Image.Image:
    """An image of another mode; itself, and not a copy, if it has that mode: large ones count."""
    return image if image.mode == mode else image.convert(mode)


def is_transparent(image: Image.Image) -> bool:
    """Whether an image has an alpha channel, or names a transparent colour of its own mode's kind."""
    if isinstance(image.info.get("transparency"), TRANSPARENT.get(image.mode, ())):
        return True
    palette_alpha = image.mode == "P" and image.palette is not None and image.palette.mode.endswith("A")
    return palette_alpha or image.mode in ("LA", "La", "PA", "RGBA", "RGBa")


def numbers_apart(image: Image.Image, asked: str) -> tuple[Image.Image, Opacity | None]:
    """Grey of 16 or 32 bits, or of floats, as mode L; opaque but for a transparent number."""
    numbers = tiff.as_declared(image, np.asarray(image))
    stated = None if image.mode == "F" else STATED.get(image.format or "")
    made, _ = to_levels(numbers, asked, tiff.stated_white(image) if stated is None else stated)
    if tiff.is_inverted(image):
        made = 255 - made
    transparent = image.info.get("transparency")
    opacity = None if not isinstance(transparent, int) else np.where(numbers == transparent, 0, 255).astype(np.uint8)
    return Image.fromarray(made), opacity


def on_white(pixels: Pixels, opacity: Opacity) -> Pixels:
    """Pixels (H, W, 3) of an opacity (H, W) laid on white."""
    if opacity.min() == 255:
        return pixels
    part = opacity[..., None].astype(np.uint16)
    laid: Pixels = ((pixels * part + 255 * (255 - part) + 127) // 255).astype(np.uint8)
    return laid


def upright(pixels: Pixels, image: Image.Image, asked: str) -> Pixels:
    """Pixels turned as the image's EXIF data say."""
    try:
        orientation: Any = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception as error:  # a reader of metadata may raise anything, too
        tell(asked, f"its EXIF data are damaged ({type(error).__name__}): taken as it lies")
        return pixels
    if orientation == 1:
        return pixels
    turned = Image.fromarray(pixels)
    turned.getexif()[ExifTags.Base.Orientation] = orientation
    return np.array(ImageOps.exif_transpose(turned))
