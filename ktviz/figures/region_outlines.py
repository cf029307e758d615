"""Outlines of label regions, which queries may be instead of boxes: the edges between pixels where a number changes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Segments = npt.NDArray[np.float64]
"""(n, 2, 2) both ends of each line, x and y in px of the label map."""


def outline(labels: npt.NDArray[np.integer], number: int) -> Segments:
    """Around all parts of a region of a label map (H, W), and around its holes.

    Example:
        >>> len(outline(np.array([[3, 3, 5]]), 3))
        4
    """
    return borders(np.where(labels == number, number, number - 1), outside=number - 1)


def borders(labels: npt.NDArray[np.integer], outside: int = -1) -> Segments:
    """Where regions of a label map (H, W) meet, and where they end with it: beyond it all is `outside`.

    Example:
        >>> len(borders(np.array([[3, 3, 5]])))
        5
    """
    framed = np.pad(labels, 1, constant_values=outside)
    level = runs(framed[1:] != framed[:-1]) - (1, 0)
    upright = runs((framed[:, 1:] != framed[:, :-1]).T)[..., ::-1] - (0, 1)
    return np.concatenate((level, upright))


def runs(there: npt.NDArray[np.bool_]) -> Segments:
    """Unbroken runs within the rows of a mask, as lines from (column, row) to (column, row): (n, 2, 2)."""
    steps = np.diff(np.pad(there, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    row, start = (steps == 1).nonzero()
    end = (steps == -1).nonzero()[1]
    return np.stack((start, row, end, row), axis=1).reshape(-1, 2, 2).astype(np.float64)
