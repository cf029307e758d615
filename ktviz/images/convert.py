"""Any Pillow image, array or tensor as pixels."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Union

import numpy as np
import numpy.typing as npt
from PIL import Image

from ktviz.errors import ImageError
from ktviz.images.files import read_image
from ktviz.images.guard import give, guarded
from ktviz.images.levels import Numbers, to_levels, to_opacity
from ktviz.images.modes import from_pillow, on_white
from ktviz.images.pixels import Pixels, check_size

if TYPE_CHECKING:
    import torch

ImageLike = Union[Image.Image, "torch.Tensor", npt.ArrayLike, os.PathLike[str]]
"""What can be made an image: the path of a file, a Pillow image, an array or a tensor."""
CHANNELS = (1, 2, 3, 4)
"""Grey, grey with opacity, RGB, RGB with opacity."""


def as_pixels(image: ImageLike) -> Pixels:
    """An image in any form as (H, W, 3) uint8 sRGB; docs/pictures.md says what becomes of what.

    Args:
        image: The path of a file; a Pillow image of any mode; or an array or a tensor (on any device) of shape (H, W),
            (H, W, C) or (C, H, W), C being 1 (grey), 2 (grey, opacity), 3 (RGB) or 4 (RGB, opacity), also as a batch
            of one: bool, whole numbers, or floats.

    Returns:
        (H, W, 3) uint8, a copy; EXIF rotation and colour profile applied, transparency laid on white.

    Raises:
        ImageError: Another shape or type, values below 0 or not finite, a damaged image, or an impossible size.

    Example:
        >>> import numpy as np
        >>> as_pixels(np.full((16, 16), 0.5))[0, 0].tolist()
        [128, 128, 128]
    """
    if isinstance(image, Image.Image):
        name = getattr(image, "filename", "")
        asked = f"Pillow image{f' {name!r}' if name else ''} of mode {image.mode}"
        with guarded(asked) as notes:
            pixels = from_pillow(image, asked)
        give(notes)
        return pixels
    if isinstance(image, (str, os.PathLike)):
        return read_image(image)
    array, asked = as_array(image)
    return from_array(array, asked)


def as_array(image: Any) -> tuple[Numbers, str]:
    """An array of what has numbers, and its name in messages."""
    asked = f"image {type(image).__name__}"
    try:
        if "torch" in sys.modules and isinstance(image, sys.modules["torch"].Tensor):
            asked = f"image tensor {tuple(image.shape)} {str(image.dtype).removeprefix('torch.')}"
            image = image.detach().cpu()
            array = (image.float() if image.is_floating_point() else image).numpy()
        else:
            array = np.asarray(image)
            asked = f"image array {array.shape} {array.dtype}"
    except Exception as error:  # whatever an object's own conversion raises
        raise ImageError(asked, f"no array of numbers ({error})", "Give a Pillow image or an array") from None
    if np.ma.is_masked(image):
        raise ImageError(asked, "some of its values are masked", "Fill them: image.filled(...)")
    return array, asked


def from_array(array: Numbers, asked: str) -> Pixels:
    """Pixels of an array of any usual form."""
    array = channels_last(array, asked)
    check_size(array.shape[1], array.shape[0], asked)
    colours, opacity = np.split(array, [array.shape[2] - (array.shape[2] in (2, 4))], axis=2)
    made, white = to_levels(colours, asked)
    pixels = np.repeat(made, 3, axis=2) if made.shape[2] == 1 else np.ascontiguousarray(made)
    if not opacity.size:
        return pixels
    return on_white(pixels, to_opacity(opacity[..., 0], white, asked))


def channels_last(array: Numbers, asked: str) -> Numbers:
    """(H, W, C) of an array whose channels lie first, last or nowhere; sides of 16 px and more tell which."""
    while array.ndim > 3 and array.shape[0] == 1:
        array = array[0]
    if array.ndim == 2:
        return array[..., None]
    if array.ndim == 3 and array.shape[2] in CHANNELS:
        return array
    if array.ndim == 3 and array.shape[0] in CHANNELS:
        return np.moveaxis(array, 0, 2)
    raise ImageError(asked, "not (H, W), (H, W, C) or (C, H, W) with 1 to 4 channels", "Give one image at a time")
