"""Cells of a picture as a catalogue, and crops of pictures around them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ktviz.images import Pixels
from ktviz.retrieval.catalogue import LIBRARY_SOURCE

PATCH_PX = 24
"""Side of the pictures of a retrieval."""


@dataclass(frozen=True)
class Cells:
    """A catalogue: the cells of a grid on one picture; see `ktviz.retrieval.catalogue.Knowledge`.

    Attributes:
        source: What is known of the picture, as pairs of names and values.
        layer: What the cells are of: "conv5_1", "pixels", "cells".
        rows: Of the grid.
        columns: Of the grid.
        down: Height of a cell in px of the picture.
        across: Width of a cell.
    """

    source: tuple[tuple[str, Any], ...]
    layer: str
    rows: int
    columns: int
    down: float
    across: float

    def __len__(self) -> int:
        return self.rows * self.columns

    @property
    def about(self) -> dict[str, Any]:
        """What is known of the picture."""
        return dict(self.source)

    @property
    def name(self) -> str:
        """The picture and the layer."""
        return f"{self.about['source']} {self.layer}"

    @property
    def source_names(self) -> list[str]:
        """The picture alone."""
        return [str(self.about["source"])]

    def source_of(self, entries: Tensor) -> Tensor:
        """Always the picture."""
        return torch.zeros_like(entries)

    def boxes(self, entries: Tensor) -> Tensor:
        """Where entries (n,) lie in the picture: (n, 4) float32 px, cut off where it ends."""
        about, y, x = self.about, entries // self.columns, entries % self.columns
        top, left = y * self.down, x * self.across
        bottom = ((y + 1) * self.down).clamp(max=about["height"])
        right = ((x + 1) * self.across).clamp(max=about["width"])
        return torch.stack((left, top, right - left, bottom - top), dim=1).float()

    def describe_sources(self) -> list[dict[str, Any]]:
        """What is known of the picture."""
        return [self.about]

    def digests(self) -> dict[str, str]:
        """Of a reference; an input is no knowledge of the system."""
        about = self.about
        return {LIBRARY_SOURCE + str(about["source"]): str(about["pixels"])} if "pixels" in about else {}


cells = lru_cache(maxsize=64)(Cells)
"""The same catalogue for the same picture: a recording tells catalogues apart by identity."""


def around(picture: Pixels, box: npt.NDArray[np.floating[Any]]) -> Pixels:
    """A crop of a picture around a box, `PATCH_PX` a side or as large as the box."""
    height, width = picture.shape[:2]
    parts = []
    for start, size, side in ((box[1], box[3], height), (box[0], box[2], width)):
        length = min(side, max(PATCH_PX, round(float(size))))
        first = int(np.clip(round(float(start + size / 2 - length / 2)), 0, side - length))
        parts.append(slice(first, first + length))
    return picture[parts[0], parts[1]]
