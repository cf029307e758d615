"""Regions of an image: boxes, masks, polygons and single pixels, in px with y downwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from ktviz.errors import RegionError

Mask = npt.NDArray[np.bool_]
"""(H, W) bool."""
Value = TypeVar("Value", bound=np.generic)


@dataclass(frozen=True)
class Box:
    """A rectangle: top-left corner and size.

    Example:
        >>> box = kt.Box(x=8, y=16, width=32, height=24)
        >>> box.right, box.bottom, box.centre
        (40, 40, (24.0, 28.0))
    """

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height

    @property
    def pixels(self) -> tuple[slice, slice]:
        """Rows and columns of a box in whole px."""
        return slice(int(self.y), int(self.bottom)), slice(int(self.x), int(self.right))

    @property
    def centre(self) -> tuple[float, float]:
        return self.x + self.width / 2, self.y + self.height / 2


Region = Box | Mask | Sequence[tuple[float, float]] | tuple[int, int] | None
"""A box; a mask (H, W); a polygon of three or more corners (x, y); one pixel (x, y); None for the whole image."""


@dataclass(frozen=True)
class SourceRegion:
    """A part of a source, such as one that a run is to do without.

    Attributes:
        source: Its name.
        box: In px of the source.

    Example:
        >>> SourceRegion("reference", Box(0, 0, 40, 30)).box.right
        40
    """

    source: str
    box: Box


def region_mask(region: Region, height: int, width: int) -> Mask:
    """The pixels of a region: (H, W) bool.

    Raises:
        RegionError: Empty, malformed, or not wholly inside the image.
    """
    if region is None:
        return np.ones((height, width), dtype=bool)
    if isinstance(region, Box):
        return box_mask(region, height, width)
    array = as_array(region)
    numeric = array.dtype.kind in "iuf"
    if numeric and not np.isfinite(array).all():
        raise RegionError(f"region {describe(array)}", "numbers that are not finite", "Check x and y")
    if numeric and array.shape == (2,):
        x, y = np.floor(array).tolist()
        return box_mask(Box(x, y, 1, 1), height, width)
    if numeric and array.ndim == 2 and array.shape[1] == 2 and len(array) >= 3:
        return polygon_mask(array.astype(np.float64), height, width)
    return checked_mask(array, height, width)


def as_array(region: object) -> npt.NDArray[np.generic]:
    try:
        return np.asarray(region)
    except ValueError:  # rows of different lengths
        asked = f"region {str(region)[:60]}"
        raise RegionError(asked, "corners that are not pairs", "Give every corner x and y") from None


def checked_mask(mask: npt.NDArray[np.generic], height: int, width: int) -> Mask:
    if mask.shape == (height, width) and mask.dtype != bool:
        raise RegionError(f"region {describe(mask)}", "numbers, not a mask", "Say which pixels: for example mask > 0")
    if mask.shape != (height, width) or mask.dtype != bool:
        raise RegionError(
            f"region {describe(mask)}",
            f"the image has {width}x{height} px",
            f"Give a Box, a bool mask of shape ({height}, {width}), corners (x, y) of a polygon, or one pixel (x, y)",
        )
    if not mask.any():
        raise RegionError(f"region {describe(mask)}", "an empty mask", "Set at least one pixel")
    return mask.astype(bool, copy=False)


def stretched(values: npt.NDArray[Value], height: int, width: int) -> npt.NDArray[Value]:
    """A mask or a map (H, W) laid over a picture of another size: the nearest pixel of each."""
    rows, columns = (np.arange(n) * known // n for n, known in zip((height, width), values.shape, strict=True))
    found: npt.NDArray[Value] = values[rows[:, None], columns]
    return found


def box_mask(box: Box, height: int, width: int) -> Mask:
    edges = (box.x, box.y, box.width, box.height)
    if not all(isinstance(edge, Real) for edge in edges) or not np.isfinite(edges).all():
        raise RegionError(f"region {box}", "edges that are not finite numbers", "Check x, y, width and height")
    if not (box.width > 0 and box.height > 0):
        raise RegionError(f"region {box}", "it is empty", "Give it a width and a height")
    left, top = int(np.floor(box.x)), int(np.floor(box.y))
    right, bottom = int(np.ceil(box.right)), int(np.ceil(box.bottom))
    check_inside(str(box), left, top, right, bottom, height, width)
    mask = np.zeros((height, width), dtype=bool)
    mask[top:bottom, left:right] = True
    return mask


def polygon_mask(corners: npt.NDArray[np.float64], height: int, width: int) -> Mask:
    """Pixels whose centre is inside, by the even-odd rule."""
    (left, top), (right, bottom) = corners.min(0), corners.max(0)
    asked = f"polygon of {len(corners)} corners"
    check_inside(asked, left, top, right, bottom, height, width)
    y, x = np.mgrid[:height, :width] + 0.5
    inside = np.zeros((height, width), dtype=bool)
    for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if y0 != y1:
            crosses = (y0 <= y) != (y1 <= y)
            inside ^= crosses & (x < x0 + (y - y0) * (x1 - x0) / (y1 - y0))
    if not inside.any():
        raise RegionError(asked, "no pixel's centre is inside it", "Make it larger, or name one pixel (x, y)")
    return inside


def check_inside(asked: str, left: float, top: float, right: float, bottom: float, height: int, width: int) -> None:
    """Raise RegionError unless left to right and top to bottom are a part of the image."""
    if not (right > left and bottom > top):
        raise RegionError(f"region {asked}", "it is empty", "Give it a width and a height")
    if left < 0 or top < 0 or right > width or bottom > height:
        raise RegionError(
            f"region {asked}", f"not inside the image of {width}x{height} px", "Clip it, or check x and y"
        )


def bounding_box(mask: Mask) -> Box:
    """The smallest box around the pixels of a mask that is not empty."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    left, top = int(columns[0]), int(rows[0])
    return Box(left, top, int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top)


def describe(array: npt.NDArray[np.generic]) -> str:
    return f"array {array.shape} {array.dtype}"
