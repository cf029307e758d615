"""Numbers as levels from 0 to 255: which number is white, also where neither a file nor a type says it."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

from ktviz.errors import ImageError, ImageWarning

Numbers = npt.NDArray[Any]
Levels = npt.NDArray[np.uint8]

DEPTHS = (8, 10, 12, 14, 16)
"""Bits that cameras, scanners and their programs use, whatever they store them in."""
HIGH_LIGHT = 16
"""Floats up to it that exceed 1 are light, four stops above white at most; beyond it they count as whole numbers do."""
CLOSE = 1e-3
"""What rounding and resampling may add beyond a range, as a share of it: clipped without a word."""
NEARLY_BLACK = 24
"""Levels; a picture without lighter ones, but for a few sparks, looks black."""
SPARKS = 1e-3
"""Share of its values."""


def to_levels(numbers: Numbers, asked: str, stated: float | None = None) -> tuple[Levels, float]:
    """Light in numbers of any kind as levels, and the number that is white.

    Args:
        numbers: Of any shape, not empty: bool, whole numbers or floats.
        asked: What they are, for messages.
        stated: The number that is white, as a file says.

    Raises:
        ImageError: Not numbers, not finite, or below 0.
    """
    check_numbers(numbers, asked)
    white = find_white(numbers, asked, stated)
    made = scaled(numbers, white)
    if numbers.dtype.kind != "b" and numbers.dtype != np.uint8 and numbers.max() > 0:
        tell_if_dark(made, asked, f" with {white:g} as white")
    return made, white


def to_opacity(numbers: Numbers, white: float, asked: str) -> Levels:
    """Opacity in numbers as levels from 0 to 255.

    Args:
        numbers: Of any shape, not empty.
        white: The number that is white in the colours beside them.
        asked: What they are, for messages.

    Raises:
        ImageError: Not numbers, not finite, below 0, or on another scale than the colours.
    """
    check_numbers(numbers, asked)
    made = scaled(numbers, find_opaque(numbers, white, asked))
    if numbers.max() > 0 and made.max() < NEARLY_BLACK:
        tell(asked, "nearly transparent; scale its opacity as its colours if that is not meant")
    return made


def find_opaque(numbers: Numbers, white: float, asked: str) -> float:
    """The number that is opaque: in floats to 1 it is 1; otherwise the colours' white, unless an end says another.

    Raises:
        ImageError: Numbers beyond the white that end at no usual depth.
    """
    high = numbers.max().item()
    if numbers.dtype.kind == "f" and high <= 1 + CLOSE:  # light may exceed 1, opacity does not
        return 1.0
    if high <= white:
        return white
    ends = {2**bits - 1 for bits in DEPTHS} | ({np.iinfo(numbers.dtype).max} if numbers.dtype.kind in "ui" else set())
    found = f"opacity up to {in_short(high)} beside colours to {white:g}"
    if high not in ends:
        raise ImageError(asked, found, "Scale its opacity as its colours")
    tell(asked, f"{found}: {in_short(high)} was taken for opaque")
    return float(high)


def tell_if_dark(made: Levels, asked: str, why: str) -> None:
    """Warn of levels that look black."""
    if (made >= NEARLY_BLACK).mean() < SPARKS:
        tell(asked, f"nearly black{why}; scale its values if that is not meant")


def check_numbers(numbers: Numbers, asked: str) -> None:
    """Refuse what cannot be light.

    Raises:
        ImageError: Not numbers, not finite, or below 0.
    """
    if numbers.dtype.kind not in "buif":
        raise ImageError(asked, "neither whole numbers nor floats", "Convert it to uint8, or to floats in [0, 1]")
    low, high = numbers.min().item(), numbers.max().item()
    if not np.isfinite((low, high)).all():
        count = int(numbers.size - np.isfinite(numbers).sum())
        values = "1 value is" if count == 1 else f"{count:,} values are"
        raise ImageError(asked, f"{values} not finite", "Replace NaN and infinity by numbers")
    if low < (-CLOSE if numbers.dtype.kind == "f" else 0):
        raise ImageError(asked, f"values below 0, down to {low:g}", "Scale it to [0, 1], or convert it to uint8")


def find_white(numbers: Numbers, asked: str, stated: float | None) -> float:
    """The number that is white; it is told in a warning unless it is stated or obvious.

    A stated white is believed if no number exceeds it. Otherwise it is the largest number of the smallest usual depth
    that holds all (8, 10, 12, 14 or 16 bits); for floats up to 1 it is 1. For floats from 1 to 16, and for numbers that
    no depth holds, it is the largest that there is.
    """
    kind, high = numbers.dtype.kind, numbers.max().item()
    if kind == "b":
        return 1.0
    if stated is not None and 0 < high <= stated:
        return stated
    if kind == "f":
        white, obvious = (1.0, True) if high <= 1 + CLOSE else (high if high <= HIGH_LIGHT else of_depth(high), False)
    else:
        own = int(np.iinfo(numbers.dtype).max)
        white = min(of_depth(high), own)
        obvious = white == own or high == 0 or (white == 255 and own != 65_535)
    if not obvious:
        tell(asked, f"no value above {in_short(high)}: {in_short(white)} was taken for white")
    return float(white)


def of_depth(high: float) -> float:
    """The largest number of the smallest depth that holds `high`; `high` itself where none does."""
    return next((2**bits - 1 for bits in DEPTHS if high < 2**bits), high)


def in_short(number: float) -> str:
    """A whole number as it is, a float to six digits."""
    return str(number) if isinstance(number, int) else f"{number:g}"


def scaled(numbers: Numbers, white: float) -> Levels:
    """Numbers from 0 to `white` as levels from 0 to 255, rounded; what lies outside is clipped."""
    if numbers.dtype == np.uint8 and white == 255:
        return np.array(numbers)
    exact = np.float64 if numbers.dtype.itemsize > 4 else np.float32
    product: npt.NDArray[np.floating[Any]] = np.multiply(numbers, 255 / white, dtype=exact)
    product += 0.5
    made: Levels = np.clip(product, 0, 255, out=product).astype(np.uint8)
    return made


def tell(asked: str, text: str) -> None:
    """Warn of what was decided about an image."""
    warnings.warn(f"{asked}: {text}", ImageWarning, stacklevel=2)
