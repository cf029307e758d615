"""The pictures of a recording: what went in and what came out, with sizes and digests.

A picture in which queries lie, or which retrievals paint, is a *canvas*: "input", "output", "reference:0",
"output:back". A label map belongs to a canvas, and stands beside it as "labels:CANVAS".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ktviz.errors import TraceError
from ktviz.images import Pixels

INPUT, OUTPUT, REFERENCE, LABELS = "input", "output", "reference:0", "labels:"
UNCOVERED = "uncovered"
"""Under which name systems say for what nothing was taken."""


class Stated(dict[str, Any]):
    """The settings of a run; one that is asked for and missing is a TraceError."""

    def __missing__(self, name: str) -> Any:
        raise TraceError("the run of the trace", f"its settings have no {name}", "Take the trace as it was made")


@dataclass(frozen=True, repr=False)
class Picture:
    """One image of a recording, with all its canvases.

    Attributes:
        canvases: (H, W, 3) uint8 by name, those that were kept.
        about: `settings`; `measures`, how it came to be in numbers, by site or by what else they are of, and by class
            under `uncovered`; and under `canvases` the size and the digest of each, kept or not, the digest None where
            a model's input was no image.
    """

    canvases: Mapping[str, Pixels]
    about: Mapping[str, Any]

    def __repr__(self) -> str:
        height, width = self.size
        return f"Picture({width}x{height} px, {' and '.join(self.canvases) or 'pixels not'} kept)"

    @property
    def input(self) -> Pixels | None:
        """(H, W, 3) uint8; None where the model's input was no image, or was not kept."""
        return self.canvases.get(INPUT)

    @property
    def output(self) -> Pixels | None:
        """(H, W, 3) uint8, or None."""
        return self.canvases.get(OUTPUT)

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the input in px."""
        return self.size_of(INPUT)

    @property
    def settings(self) -> Mapping[str, Any]:
        """How it was made."""
        return Stated(self.about["settings"])

    @property
    def measures(self) -> Mapping[str, Mapping[str, float]]:
        """What its system says of how it came to be: by name of the site, or of what else they are of,
        numbers by their names."""
        return dict(self.about.get("measures", {}))

    @property
    def uncovered(self) -> Mapping[str, float]:
        """By class, the part of the picture for which nothing was taken, as its system says."""
        return dict(self.measures.get(UNCOVERED, {}))

    @property
    def nbytes(self) -> int:
        """Memory of the pixels."""
        return sum(pixels.nbytes for pixels in self.canvases.values())

    def size_of(self, canvas: str) -> tuple[int, int]:
        """(height, width) of a canvas in px."""
        known = self.about["canvases"][canvas]
        return int(known["height"]), int(known["width"])

    def sha256(self, canvas: str) -> str | None:
        """Digest of a canvas; None where there is none."""
        digest: str | None = self.about["canvases"].get(canvas, {}).get("sha256")
        return digest

    def labels(self, canvas: str) -> npt.NDArray[np.int64] | None:
        """(H, W) label map of a canvas, or None."""
        coded = self.canvases.get(LABELS + canvas)
        return None if coded is None else decoded(coded)


def in_words(canvas: str) -> str:
    """What a person calls a canvas.

    Example:
        >>> [in_words(name) for name in ("input", "reference:0", "reference:1", "output:back")]
        ['Input', 'Reference', 'Reference 2', 'Output, back']
    """
    kind, _, which = canvas.partition(":")
    number = f" {int(which) + 1}" if which.isdecimal() and int(which) else ""
    return kind.capitalize() + (number if which.isdecimal() or not which else f", {which}")


def coded(labels: npt.NDArray[np.integer]) -> Pixels:
    """A label map (H, W) as a picture: a number's three bytes are its colours."""
    return np.stack([labels >> shift & 255 for shift in (16, 8, 0)], axis=2).astype(np.uint8)


def decoded(picture: Pixels) -> npt.NDArray[np.int64]:
    """The label map (H, W) that a picture codes."""
    red, green, blue = picture.astype(np.int64).transpose(2, 0, 1)
    labels: npt.NDArray[np.int64] = red << 16 | green << 8 | blue
    return labels
