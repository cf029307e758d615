"""Pillow at work: whatever it raises becomes an ImageError, whatever it warns of carries the picture's name."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from PIL import Image, UnidentifiedImageError

from ktviz.errors import ImageError, ImageWarning, MissingImageError
from ktviz.images.pixels import MAX_SIDE

AT_WORK = Lock()
"""Warnings are caught, and Pillow's limit is set, for the whole process: one picture at a time."""


@contextmanager
def guarded(asked: str) -> Iterator[list[str]]:
    """Let Pillow work; the list holds, afterwards, what there is to warn of.

    Raises:
        ImageError: For anything that was raised, short of an interrupt: readers of damaged files raise what they like.
    """
    notes: list[str] = []
    with AT_WORK, own_limit(), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            yield notes
        except ImageError:
            raise
        except FileNotFoundError:
            raise MissingImageError(asked, "no such file", "Check the path") from None
        except UnidentifiedImageError:
            raise ImageError(
                asked,
                "not an image, or of a kind that Pillow cannot read",
                "Convert it to PNG or JPEG, or leave it out",
            ) from None
        except Image.DecompressionBombError:
            raise ImageError(asked, "too many pixels", f"Shrink it to at most {MAX_SIDE} px a side") from None
        except MemoryError:
            raise ImageError(asked, "not enough memory for it", "Shrink it, or free memory") from None
        except Exception as error:
            raise ImageError(
                asked, f"damaged, cut short or unusual ({reason(error)})", "Fetch it again, or convert it to PNG"
            ) from None
    for warning in caught:
        if not issubclass(warning.category, DeprecationWarning):  # a word to programmers
            ours = issubclass(warning.category, ImageWarning)
            notes.append(str(warning.message) if ours else f"{asked}: {warning.message}")


@contextmanager
def own_limit() -> Iterator[None]:
    """Let Pillow open whatever `check_size` takes: from 90 million pixels it would warn, from 179 million refuse."""
    before = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = MAX_SIDE**2
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = before


def reason(error: Exception) -> str:
    """An exception in one line."""
    text = " ".join(str(error).split())
    return text if isinstance(error, OSError) and text else f"{type(error).__name__}: {text}".removesuffix(": ")


def give(notes: list[str]) -> None:
    """Warn, in the name of who asked for the image."""
    for note in notes:
        warnings.warn(note, ImageWarning, stacklevel=3)
