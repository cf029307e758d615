"""Images in and out: the one place that touches Pillow.

An image is a uint8 array (H, W, 3), sRGB. Everything a camera or a scanner writes is brought to that form on reading:
EXIF rotation applied, palettes and grey expanded, 16-bit scaled, transparency laid on white.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, ImageCms, ImageOps, UnidentifiedImageError

from ktviz.errors import ImageError, StorageError
from ktviz.files import listed, replacing

if TYPE_CHECKING:
    import torch

Pixels = npt.NDArray[np.uint8]
"""An image: (H, W, 3) uint8, sRGB."""

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".ppm", ".pgm"})
SRGB = ImageCms.createProfile("sRGB")
MIN_SIDE = 16
"""Shortest usable side in pixels: one 4x4 patch of stride-4 features."""
MAX_SIDE = 16_384
"""Longest usable side in pixels; above it a single feature map outgrows an ordinary machine."""


def read_image(path: str | os.PathLike[str]) -> Pixels:
    """Read any common image file as RGB.

    Args:
        path: JPEG, PNG, WebP, TIFF, BMP, GIF (first frame) or PNM; RGB, RGBA, grey, palette, CMYK, 16-bit.

    Returns:
        (H, W, 3) uint8, rotated as EXIF says, transparency on white.

    Raises:
        ImageError: Missing, not an image, truncated, or a side outside 16 to 16,384 px.
    """
    path = Path(path)
    asked = f"image {str(path)!r}"
    try:
        with Image.open(path) as opened:
            check_size(opened.width, opened.height, asked)
            opened.load()
            return to_rgb(to_srgb(ImageOps.exif_transpose(opened)))
    except FileNotFoundError:
        raise ImageError(asked, "no such file", "Check the path") from None
    except IsADirectoryError:
        raise ImageError(asked, "it is a folder", "Name an image file") from None
    except UnidentifiedImageError:
        raise ImageError(
            asked, "not an image that Pillow can read", "Convert it to PNG or JPEG, or leave it out"
        ) from None
    except Image.DecompressionBombError:
        raise ImageError(asked, "too many pixels", f"Shrink it to at most {MAX_SIDE} px a side") from None
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise ImageError(asked, f"damaged or cut short ({error})", "Fetch the file again") from None


def image_size(path: str | os.PathLike[str]) -> tuple[int, int]:
    """Height and width of an image file in px, from its header alone, rotated as EXIF says.

    Raises:
        ImageError: Missing, or not an image.
    """
    try:
        with Image.open(path) as opened:
            width, height = opened.size
            turned = opened.getexif().get(ExifTags.Base.Orientation, 1) > 4
            return (width, height) if turned else (height, width)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise ImageError(f"image {os.fspath(path)!r}", f"its size cannot be read ({error})", "Check the file") from None


def to_rgb(image: Image.Image) -> Pixels:
    """A Pillow image of any mode as (H, W, 3) uint8 RGB, transparency laid on white."""
    if image.mode.startswith("I") or image.mode == "F":
        grey = np.nan_to_num(np.asarray(image, dtype=np.float64))
        # 16-bit files come as I or I;16; Pillow's own convert() would clip them at 255. Floats do not say their range.
        top = grey.max(initial=0) if image.mode == "F" else 65_535.0
        full = next((full for full in (1.0, 255.0) if top <= full), 65_535.0)
        return np.repeat(np.clip(grey / full * 255 + 0.5, 0, 255).astype(np.uint8)[..., None], 3, axis=2)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return np.asarray(image.convert("RGB"))


def to_srgb(image: Image.Image) -> Image.Image:
    """An RGB image with an embedded colour profile (Display P3, Adobe RGB ...) converted to sRGB."""
    profile = image.info.get("icc_profile")
    if not profile or image.mode not in ("RGB", "RGBA"):
        return image
    try:
        return ImageCms.profileToProfile(image, ImageCms.ImageCmsProfile(BytesIO(profile)), SRGB) or image
    except (ImageCms.PyCMSError, OSError):
        return image  # a broken profile says nothing; the pixels are still there


def check_size(width: int, height: int, asked: str) -> None:
    """Refuse an image that is too small to hold a patch or too large to hold in memory.

    Raises:
        ImageError: A side is outside 16 to 16,384 px.
    """
    found = f"{width}x{height} px"
    if min(width, height) < MIN_SIDE:
        raise ImageError(asked, found, f"Each side must be at least {MIN_SIDE} px; use a larger image")
    if max(width, height) > MAX_SIDE:
        raise ImageError(asked, found, f"Each side must be at most {MAX_SIDE} px; shrink or crop it first")


def write_image(path: str | os.PathLike[str], pixels: Pixels) -> None:
    """Write an image; the suffix chooses the format. The file appears whole or not at all.

    Args:
        path: Where to write; parent folders are made.
        pixels: (H, W, 3) uint8.

    Raises:
        StorageError: The suffix is unknown or the disk refuses.
    """
    path = Path(path)
    if path.suffix.lower() not in Image.registered_extensions():
        raise StorageError(f"write {str(path)!r}", f"unknown suffix {path.suffix!r}", "Use one such as .png or .jpg")
    with replacing(path) as temporary:
        Image.fromarray(pixels).save(temporary, quality=92)


def resize_short_side(pixels: Pixels, side_px: int) -> Pixels:
    """Scale so that the shorter side is `side_px` (Lanczos), keeping the proportions.

    Raises:
        ImageError: The longer side would exceed 16,384 px.
    """
    height, width = pixels.shape[:2]
    scale = side_px / min(height, width)
    width, height = max(1, round(width * scale)), max(1, round(height * scale))
    check_size(width, height, f"image scaled to a shorter side of {side_px} px")
    return resize(pixels, width, height)


def resize(pixels: Pixels, width: int, height: int) -> Pixels:
    """Scale to exactly `width` x `height` px (Lanczos)."""
    if pixels.shape[:2] == (height, width):
        return pixels
    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.LANCZOS))


def find_images(paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> list[Path]:
    """Image files among files and folders (folders recursively), sorted by path.

    Hidden files and knowledge libraries are passed over; a file named outright is kept whatever its suffix.

    Raises:
        ImageError: A path is missing, or nothing was found at all.
    """
    found: list[Path] = []
    asked = [Path(p) for p in listed(paths)]
    for path in asked:
        if path.is_dir():
            found += sorted(
                file
                for file in path.rglob("*")
                if file.suffix.lower() in SUFFIXES
                and file.is_file()
                and not any(part.startswith(".") for part in file.relative_to(path).parts)
                and not any(part.endswith(".ktlib") for part in file.relative_to(path).parts[:-1])
            )
        elif path.is_file():
            found.append(path)
        else:
            raise ImageError(f"images in {str(path)!r}", "no such file or folder", "Check the path")
    if not found:
        names = ", ".join(repr(str(p)) for p in asked) or "no path at all"
        raise ImageError(f"images in {names}", "no image there", f"Supported: {' '.join(sorted(SUFFIXES))}")
    return list(dict.fromkeys(found))


def encode_image(pixels: Pixels, kind: Literal["webp", "png", "jpeg", "small"] = "webp") -> bytes:
    """An image as the bytes of a file: WebP and PNG without loss, JPEG, or "small", a lossy WebP."""
    options: dict[str, dict[str, Any]] = {
        "webp": {"format": "webp", "lossless": True, "method": 3},
        "png": {"format": "png"},
        "jpeg": {"format": "jpeg", "quality": 85},
        "small": {"format": "webp", "quality": 60},
    }
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, **options[kind])
    return buffer.getvalue()


def pixel_digest(pixels: Pixels) -> str:
    """SHA-256 of an image's size and pixels, as hex: the same whatever file it is in."""
    digest = hashlib.sha256(f"{pixels.shape[0]}x{pixels.shape[1]}".encode())
    digest.update(np.ascontiguousarray(pixels).tobytes())
    return digest.hexdigest()


def decode_image(data: bytes) -> Pixels:
    """A picture of our own making, already in memory: (H, W, 3) uint8."""
    with Image.open(BytesIO(data)) as opened:
        return np.asarray(opened.convert("RGB"))


def file_digest(path: str | os.PathLike[str]) -> str:
    """SHA-256 of a file's bytes, as hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def to_tensor(pixels: Pixels) -> torch.Tensor:
    """(H, W, 3) uint8 to (1, 3, H, W) float32 in [0, 1]."""
    import torch

    return torch.from_numpy(np.array(pixels, copy=True)).permute(2, 0, 1)[None].float() / 255


def to_pixels(image: torch.Tensor) -> Pixels:
    """(1, 3, H, W) or (3, H, W) float in [0, 1] (clamped) to (H, W, 3) uint8."""
    image = image.detach().reshape(image.shape[-3:]).clamp(0, 1)
    pixels: Pixels = (image.permute(1, 2, 0) * 255).round().byte().cpu().numpy()
    return pixels


def as_pixels(image: npt.ArrayLike) -> Pixels:
    """An array in any of the usual forms as (H, W, 3) uint8.

    Args:
        image: (H, W), (H, W, 1), (H, W, 3) or (H, W, 4, transparency laid on white); uint8, uint16, or float in [0, 1].

    Raises:
        ImageError: Another shape or type, values that are not finite, or an impossible size.
    """
    array = np.asarray(image)
    asked = f"image array {array.shape} {array.dtype}"
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4):
        raise ImageError(asked, "not (H, W), (H, W, 1), (H, W, 3) or (H, W, 4)", "Move the channels last")
    check_size(array.shape[1], array.shape[0], asked)
    if array.dtype == np.uint8 and array.shape[2] == 3:
        return array.copy()  # a large photo is pixels already, and floats of it would not fit
    if array.dtype == np.uint8:
        unit = array / np.float32(255)
    elif array.dtype == np.uint16:
        unit = array / np.float32(65_535)
    elif np.issubdtype(array.dtype, np.floating):
        unit = array.astype(np.float32)
    else:
        raise ImageError(asked, "not uint8, uint16 or float", "Convert it to uint8")
    if not np.isfinite(unit).all() or unit.min() < -1e-3 or unit.max() > 1.001:
        raise ImageError(asked, "values outside 0 to 1, or not finite", "Scale it to [0, 1], or convert it to uint8")
    if unit.shape[2] == 4:
        unit = unit[..., :3] * unit[..., 3:] + (1 - unit[..., 3:])
    pixels: Pixels = np.clip(np.broadcast_to(unit, (*unit.shape[:2], 3)) * 255 + 0.5, 0, 255).astype(np.uint8)
    return pixels
