"""Codes on a map: the two directions in which stored codes differ most, and the way back from a place to a code."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ktviz.systems.code_space import Codes

Places = npt.NDArray[np.float64]
"""(2,) or (n, 2): to the right, up; in units of the codes."""


@dataclass(frozen=True, eq=False)
class Projection:
    """The plane of most variance (principal components) of some codes.

    Attributes:
        mean: (C,), which is at the place (0, 0).
        axes: (2, C) of length 1, at right angles; the second is 0 where codes are a single number.
        explained: (2,) part of the codes' variance that is along each; 0 where all codes are equal.

    Example:
        >>> found = Projection.of(np.array([[0.0, 0, 1], [4, 0, 1], [0, 2, 1], [4, 2, 1]]))
        >>> found.explained.tolist(), found.places(np.array([4.0, 2, 7])).tolist()
        ([0.8, 0.2], [2.0, 1.0])
    """

    mean: Codes
    axes: npt.NDArray[np.float64]
    explained: npt.NDArray[np.float64]

    @classmethod
    def of(cls, codes: Codes) -> Projection:
        """The plane of codes (n, C), n at least 1. An axis points to where its largest number is positive."""
        mean = codes.mean(0)
        away = codes - mean
        values, vectors = np.linalg.eigh(away.T @ away)
        most = min(2, len(values))
        axes = np.zeros((2, len(values)))
        axes[:most] = vectors.T[::-1][:most]
        largest = np.take_along_axis(axes, np.abs(axes).argmax(1)[:, None], 1)
        axes[largest[:, 0] < 0] *= -1
        total, explained = np.square(away).sum(), np.zeros(2)
        if total > 0:
            explained[:most] = np.clip(values[::-1][:most], 0, None) / total
        return cls(mean, axes, explained)

    def places(self, codes: Codes) -> Places:
        """Where codes (C,) or (n, C) lie."""
        found: Places = (codes - self.mean) @ self.axes.T
        return found

    def moved(self, code: Codes, by: Places) -> Codes:
        """A code (C,), moved along the map by (2,): what the map does not show of it stays.

        Moved by (0, 0) it is the same, bit for bit.
        """
        found: Codes = code + by @ self.axes
        return found


def apart(codes: Codes, code: Codes) -> npt.NDArray[np.float64]:
    """Euclidean distance of codes (n, C) from one, in all their numbers: (n,)."""
    found: npt.NDArray[np.float64] = np.sqrt(np.square(codes - code).sum(1))
    return found


def spread(places: Places, first: int, count: int) -> list[int]:
    """Some of the places on a map, as far from each other as can be: each is the farthest from those before it.

    Args:
        places: (n, 2).
        first: With which to begin.
        count: How many, at most.
    """
    found, room = [first], np.square(places - places[first]).sum(1)
    while len(found) < min(count, len(places)):
        found.append(int(room.argmax()))
        room = np.minimum(room, np.square(places - places[found[-1]]).sum(1))
    return found
