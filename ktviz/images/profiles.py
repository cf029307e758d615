"""Colour profiles: what an image's numbers mean, brought to sRGB."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from PIL import Image, ImageCms

from ktviz.images.levels import tell

SRGB = ImageCms.createProfile("sRGB")
SPACES = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK", "LAB": "Lab"}
"""The colour space of a profile that fits an image of a mode."""


def in_srgb(image: Image.Image, profile: Any, asked: str) -> Image.Image:
    """An image of mode L, RGB, CMYK or LAB as RGB, by its embedded profile; as is usual for its mode without one.

    A profile that is damaged, or for another colour space than the image's, is passed over with a warning: it says
    nothing about these numbers.

    Args:
        image: What was embedded lies in none of its other channels.
        profile: The bytes of an ICC profile, or None.
        asked: What the image is, for warnings.
    """
    if profile:
        try:
            embedded = ImageCms.ImageCmsProfile(BytesIO(profile))
            space = embedded.profile.xcolor_space.strip()
            if space == SPACES[image.mode]:
                return converted(image, embedded)
            tell(asked, f"its colour profile is for {space}, the picture is {SPACES[image.mode]}: profile passed over")
        except (ImageCms.PyCMSError, OSError, TypeError, ValueError) as error:
            tell(asked, f"its colour profile is damaged ({error}): profile passed over")
    if image.mode == "LAB":
        return converted(image, ImageCms.createProfile("LAB"))
    return image if image.mode == "RGB" else image.convert("RGB")


def converted(image: Image.Image, profile: Any) -> Image.Image:
    made = ImageCms.profileToProfile(image, profile, SRGB, outputMode="RGB")
    assert made is not None  # only in place it is
    return made
