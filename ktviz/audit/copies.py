"""Copies: parts of a picture whose pixels agree with those of a work, as it is, mirrored, turned or scaled.

The pictures are asked, not the retrievals. Local features (SIFT, Lowe 2004) that both have propose how the work could
lie in the picture: moved, turned and scaled, found by RANSAC; of the mirrored work, too. Then the work is laid there,
and a copy is only where lightness agrees: a correlation of `AGREES` or more within windows of `WINDOW` px, wherever
there is anything to see, over at least `LEAST_PX`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from ktviz.explain.case import Case
from ktviz.images import Pixels
from ktviz.regions import Mask
from ktviz.trace.shares import own_sources

AGREES = 0.9
WINDOW = 15
"""Side of the windows in which pictures are correlated, in px."""
VISIBLE = 4.0
"""Standard deviation of lightness in levels below which a window shows nothing that could agree."""
LEAST_PX = 1024
"""Pixels of the smallest copy: 32x32."""
LEAST_WORK_PX = 256
"""Pixels of the work in it: 16x16. A speck that is enlarged shows too little to agree by more than chance."""
LEAST_POINTS = 4
"""Local features that must agree on how a work lies in a picture, where two determine it: then pixels decide."""
CONTRAST = 0.02
"""Least contrast of a local feature, half of what is usual: brush strokes are soft."""
DISTINCT = 0.8
"""Ratio of the distances to the nearest and the next feature up to which a pair is used (Lowe 2004, section 7.1)."""
AT_ONCE = 256
"""Local features that are compared with all others at a time: 5 MB with 5,000 of these."""
MOST_SCALE = 8.0
"""By which a work is made larger or smaller at most."""
TINY = 1e-2
"""Scaling that loses nothing."""
MOST_PLACES = 8
"""Places of one work in a picture that are looked at."""
LONGEST_PX = 2048
"""Larger pictures are shrunk to this longer side before they are compared."""
Floats = npt.NDArray[np.float32]
Matrix = npt.NDArray[np.float64]
Values = npt.NDArray[np.float64]
BOXES = ["x", "y", "width", "height", "source_x", "source_y", "source_width", "source_height"]
COLUMNS: Mapping[str, type] = {
    "picture": object,
    "source": object,
    "area": float,
    "correlation": float,
    **dict.fromkeys(BOXES, int),
    "scale": float,
    "turned": float,
    "mirrored": bool,
}


@dataclass(frozen=True, eq=False)
class Seen:
    """A picture as it is compared.

    Attributes:
        light: (H, W) float32, lightness.
        points: (n, 2) x and y of its local features.
        descriptors: (n, 128) of them.
    """

    light: Floats
    points: Floats
    descriptors: Floats

    @classmethod
    def create(cls, pixels: Pixels) -> Seen:
        """The local features of a picture."""
        grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
        keys, descriptors = cv2.SIFT.create(contrastThreshold=CONTRAST).detectAndCompute(grey, None)
        points = np.array([key.pt for key in keys], dtype=np.float32).reshape(-1, 2)
        described = np.zeros((0, 128), np.float32) if descriptors is None else descriptors
        return cls(as_floats(grey), points, as_floats(described))


@dataclass(frozen=True, eq=False)
class Work:
    """A work as it is looked for.

    Attributes:
        name: Of the source.
        px: Pixels of its picture per pixel of the original.
        forms: As it is, and mirrored.
    """

    name: str
    px: float
    forms: tuple[Seen, Seen]

    @classmethod
    def create(cls, about: Mapping[str, Any], picture: Pixels) -> Work:
        """A source, from what a trace says of it, and its picture."""
        height, width = picture.shape[:2]
        px = min(height / about.get("height", height), width / about.get("width", width))
        return cls(about["source"], px, (Seen.create(picture), Seen.create(np.ascontiguousarray(picture[:, ::-1]))))


def copies(case: Case) -> pd.DataFrame:
    """Parts of the photo and of the output whose pixels agree with those of a work that was used, largest first.

    Args:
        case: A trace of one image, with its pictures, and its system, which has those of the works.

    Returns:
        picture ("output" or "input"), source, area (part of that picture), correlation (mean), the box in the picture
        (x, y, width, height in px), the box in the work (source_x ... in px of the original), scale (px of the picture
        per px of the original), turned (degrees, clockwise) and mirrored.
    """
    trace = case.trace
    sources = zip(trace.about["sources"], own_sources(trace), strict=True)
    about = {source["source"]: source for source, own in sources if not own}  # a picture is no work of its own
    works = [
        Work.create(about[name], thumb)
        for name in trace.sources().query("share != 0")["source"]
        if name in about and (thumb := case.system.source_picture(case.trace, name)) is not None
    ]
    rows: list[dict[str, Any]] = []
    for picture, pixels in (("output", trace.output), ("input", trace.input)):
        if pixels is None:
            continue
        shrunk, by = shrunk_to(pixels, LONGEST_PX)
        seen = Seen.create(shrunk)
        for work in works:
            rows += [{"picture": picture, "source": work.name, **row} for row in found_in(seen, work, by)]
    table = pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)
    order = ["picture", "area", "source", "y", "x"]
    return table.sort_values(order, ascending=[False, False, True, True, True], kind="stable", ignore_index=True)


def shrunk_to(pixels: Pixels, longest: int) -> tuple[Pixels, float]:
    """A picture of at most so many px a side, and by what it was scaled."""
    scale = min(1.0, longest / max(pixels.shape[:2]))
    if scale == 1:
        return pixels, scale
    return np.asarray(cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), dtype=np.uint8), scale


def found_in(seen: Seen, work: Work, by: float) -> Iterator[Mapping[str, Any]]:
    """The copies of a work in a picture that was scaled by `by`."""
    taken = np.zeros(seen.light.shape, dtype=bool)
    for mirrored, form in enumerate(work.forms):
        for matrix in placements(form, seen):
            agree, correlation = agreeing(form.light, seen.light, matrix)
            scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
            for part in parts(agree & ~taken, max(LEAST_PX, LEAST_WORK_PX * scale**2)):
                taken |= part
                mean = float(correlation[part & agree].mean())
                place = box_in(part, matrix, form.light.shape[1] if mirrored else None)
                yield described(part, mean, place, matrix, by, work.px) | {"mirrored": bool(mirrored)}


def placements(work: Seen, seen: Seen) -> Iterator[Matrix]:
    """The ways (2, 3) in which a work may lie in a picture."""
    start, end = paired(work, seen)
    for _ in range(MOST_PLACES):
        if len(start) < LEAST_POINTS:
            return
        matrix, inside = cv2.estimateAffinePartial2D(start, end, ransacReprojThreshold=2.0)
        if matrix is None or inside.sum() < LEAST_POINTS:
            return
        if 1 / MOST_SCALE <= np.hypot(matrix[0, 0], matrix[1, 0]) <= MOST_SCALE:
            yield np.asarray(matrix, dtype=np.float64)
        left = inside[:, 0] == 0
        start, end = start[left], end[left]


def paired(work: Seen, seen: Seen) -> tuple[Floats, Floats]:
    """Places (n, 2) of a work and of a picture that look alike, more so than any other."""
    if min(len(work.points), len(seen.points)) < LEAST_POINTS:
        return work.points[:0], seen.points[:0]
    first, second, nearest = two_nearest(work.descriptors, seen.descriptors)
    here = np.flatnonzero(first < DISTINCT * second)
    pairs = zip(first[here].tolist(), here.tolist(), nearest[here].tolist(), strict=True)
    best = {there: here for _, here, there in sorted(pairs, reverse=True)}  # a place has one partner: the nearest
    return work.points[list(best.values())], seen.points[list(best)]


def two_nearest(ones: Floats, others: Floats) -> tuple[Values, Values, npt.NDArray[np.int64]]:
    """The distances from descriptors (n, 128) to the nearest of others (m, 128) and to the next, and the nearest: (n,).

    Their numbers are whole and below 256, so that squares of distances are exact in single precision, in any order.
    """
    other = torch.from_numpy(others)
    size = other.square().sum(1)
    squares, nearest = np.empty((2, len(ones)), dtype=np.float32), np.empty(len(ones), dtype=np.int64)
    for start in range(0, len(ones), AT_ONCE):
        rows = slice(start, start + AT_ONCE)
        less = torch.addmm(size, torch.from_numpy(ones[rows]), other.T, alpha=-2).numpy()  # by the size of the first
        number, best = np.arange(len(less)), less.argmin(1)
        squares[0, rows], nearest[rows] = less[number, best], best
        less[number, best] = np.inf
        squares[1, rows] = less.min(1)
    first, second = np.sqrt(squares + np.square(ones).sum(1)).astype(np.float64)
    return first, second, nearest


def agreeing(work: Floats, picture: Floats, matrix: Matrix) -> tuple[Mask, Floats]:
    """Where a work, laid upon a picture, agrees with it, and how well: (H, W) and (H, W)."""
    height, width = picture.shape
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    # Both are seen at the coarser resolution of the two.
    if scale < 1:
        work = blurred(work, 1 / scale)
    else:
        picture = blurred(picture, scale)
    laid = as_floats(cv2.warpAffine(work, matrix, (width, height), flags=cv2.INTER_LINEAR, borderValue=0))
    inside = cv2.warpAffine(np.ones_like(work), matrix, (width, height), flags=cv2.INTER_NEAREST, borderValue=0)
    covered = np.asarray(cv2.erode(inside, np.ones((WINDOW, WINDOW)), borderValue=1) > 0, dtype=bool)
    mine, other = spread(laid, laid), spread(picture, picture)
    correlation = spread(laid, picture) / np.sqrt(np.maximum(mine * other, 1e-6))
    visible = (mine > VISIBLE**2) & (other > VISIBLE**2)
    return covered & visible & (correlation >= AGREES), correlation


def as_floats(light: Any) -> Floats:
    return np.asarray(light, dtype=np.float32)


def blurred(light: Floats, by: float) -> Floats:
    """A picture without what is lost where it is shrunk by a factor from 1."""
    return as_floats(cv2.GaussianBlur(light, (0, 0), 0.5 * (by - 1))) if by > 1 + TINY else light


def spread(one: Floats, other: Floats) -> Floats:
    """Covariance of two pictures within windows: (H, W)."""
    size = (WINDOW, WINDOW)
    one, other = one - float(one.mean()), other - float(other.mean())  # small numbers lose less
    return as_floats(cv2.blur(one * other, size) - cv2.blur(one, size) * cv2.blur(other, size))


def parts(agree: Mask, least: float) -> Iterator[Mask]:
    """The connected parts of at least so many pixels, with the windows that agree."""
    windows = cv2.dilate(agree.astype(np.uint8), np.ones((WINDOW, WINDOW)))
    count, label, stats, _ = cv2.connectedComponentsWithStats(windows, connectivity=4)
    for number in range(1, count):
        if stats[number, cv2.CC_STAT_AREA] >= least:
            yield label == number


def box_in(part: Mask, matrix: Matrix, mirror: int | None) -> tuple[Floats, Floats]:
    """The boxes (4,) around a part of a picture, and around where it lies in a work, `mirror` px wide if mirrored."""
    y, x = np.nonzero(part)
    here = np.array([x.min(), y.min(), x.max() + 1, y.max() + 1], dtype=np.float32)
    back = cv2.invertAffineTransform(matrix)
    there = np.array([back[:, :2] @ here[[i, j]] + back[:, 2] for i in (0, 2) for j in (1, 3)], dtype=np.float32)
    if mirror is not None:
        there[:, 0] = mirror - there[:, 0]
    return here, np.concatenate((there.min(0), there.max(0)))


def described(
    part: Mask, correlation: float, boxes: tuple[Floats, Floats], matrix: Matrix, by: float, px: float
) -> dict[str, Any]:
    """A copy as a row, whole pixels of the picture and of the original; see `copies`."""
    (left, top, right, bottom), there = boxes[0] / by, boxes[1] / px
    places = (left, top, right - left, bottom - top, *there[:2], *(there[2:] - there[:2]))
    return {
        "area": float(part.mean()),
        "correlation": round(correlation, 3),
        **{name: round(float(value)) for name, value in zip(BOXES, places, strict=True)},
        "scale": round(float(np.hypot(matrix[0, 0], matrix[1, 0])) * px / by, 3),
        "turned": round(float(np.degrees(np.arctan2(matrix[1, 0], matrix[0, 0]))), 1) + 0.0,
    }
