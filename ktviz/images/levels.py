"""Numbers as levels from 0 to 255: which number is white, also where neither a file nor a type says it."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

from ktviz.errors import ImageError, ImageWarning

Numbers = npt.NDArray[Any]
Levels = npt.NDArray[np.uint8]

DEPTHS = (8, 10, 12, 14, 16, 24)
"""Bits that cameras, scanners and their programs use, whatever they store them in."""
CLOSE = 1e-3
"""What rounding and resampling may add beyond a range, as a share of it: clipped without a word."""
NEARLY_BLACK = 16
"""Levels; a picture without a lighter one looks black."""


def levels(numbers: Numbers, white: float) -> Levels:
    """Numbers from 0 to `white` as levels from 0 to 255, rounded; what lies outside is clipped."""
    if numbers.dtype == np.uint8 and white == 255:
        return np.array(numbers)
    exact = np.float64 if numbers.dtype.itemsize > 4 else np.float32
    scaled = np.multiply(numbers, 255 / white, dtype=exact)
    rounded: Levels = np.clip(scaled + 0.5, 0, 255).astype(np.uint8)
    return rounded


def check_numbers(numbers: Numbers, asked: str) -> None:
    """Refuse what cannot be light.

    Raises:
        ImageError: Not numbers, not finite, or below 0.
    """
    if numbers.dtype.kind not in "buif":
        raise ImageError(asked, "neither whole numbers nor floats", "Convert it to uint8, or to floats in [0, 1]")
    if numbers.dtype.kind == "f" and not np.isfinite(numbers).all():
        count = int(numbers.size - np.isfinite(numbers).sum())
        values = "1 value is" if count == 1 else f"{count:,} values are"
        raise ImageError(asked, f"{values} not finite", "Replace NaN and infinity by numbers")
    low, high = numbers.min().item(), numbers.max().item()
    if low < -CLOSE * max(1, high):
        raise ImageError(asked, f"values below 0, down to {low:g}", "Scale it to [0, 1], or convert it to uint8")


def find_white(numbers: Numbers, asked: str, stated: float | None = None) -> float:
    """The number that is white.

    A stated white is believed if no number exceeds it. Otherwise floats up to 1 have 1; whole numbers have the end of
    the smallest usual depth that holds them (8, 10, 12, 14, 16, 24 bits, or all of their type); other floats their
    largest. A white that is neither stated nor obvious is told in a warning.

    Args:
        numbers: Of any shape, as `check_numbers` lets them pass.
        asked: What they are, for messages.
        stated: What the file says.
    """
    kind, high = numbers.dtype.kind, numbers.max().item()
    if kind == "b":
        return 1.0
    if numbers.dtype == np.uint8:
        return 255.0
    if stated is not None and max(high, 1 / 255) <= stated:
        return float(stated)
    if kind == "f" and high <= 1 + CLOSE:
        return 1.0
    if kind == "f" and (high >= 2.0 ** DEPTHS[-1] or (numbers != np.floor(numbers)).any()):
        tell(asked, f"floats up to {high:g}, so {high:g} was taken for white")
        return float(high)
    return white_of_whole(numbers, high, asked)


def white_of_whole(numbers: Numbers, high: float, asked: str) -> float:
    """The largest number of the smallest usual depth that holds whole numbers up to `high`."""
    kind = numbers.dtype.kind
    own = 64 if kind == "f" else np.iinfo(numbers.dtype).bits - (kind == "i")
    bits = next(bits for bits in (*(depth for depth in DEPTHS if depth < own), own) if high < 2.0**bits)
    if bits < own and (bits > 8 or own == 16) and high > 0:
        tell(asked, f"no number above {high:g}, so it was taken for {bits} bits, {2**bits - 1} being white")
    return float(2**bits - 1)


def warn_if_nearly_black(made: Levels, asked: str) -> None:
    """Say it where a picture of more than 8 bits comes out too dark to be seen."""
    if 0 < made.max() < NEARLY_BLACK:
        tell(asked, f"nearly black, no level above {made.max()} of 255; scale its values if that is not meant")


def tell(asked: str, text: str) -> None:
    """Warn of what was decided about an image."""
    warnings.warn(f"{asked}: {text}", ImageWarning, stacklevel=2)
