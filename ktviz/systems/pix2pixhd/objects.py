"""Objects with codes: those of a bank, or of one photograph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ktviz.images import Pixels, pixel_digest
from ktviz.labels import class_of
from ktviz.labels.maps import Map
from ktviz.licences import UNKNOWN
from ktviz.retrieval.catalogue import Knowledge
from ktviz.retrieval.credit import Credit
from ktviz.systems.reference import said

Numbers = npt.NDArray[np.int64]
Vectors = npt.NDArray[np.float64]
REFERENCE_BANK = "reference"
LARGE = 1 << 20
"""From this number on, objects are sorted instead of counted."""


class Objects(Knowledge, Protocol):
    """Objects as entries.

    `codes` (n, C), `label` (n,) their classes, `number` (n,) what the instance map of its picture calls each, and
    `box` (n, 4) around it in px of that picture; `object_map` of a source is that map.
    """

    @property
    def codes(self) -> npt.NDArray[Any]: ...

    @property
    def label(self) -> Numbers: ...

    @property
    def number(self) -> Numbers: ...

    @property
    def box(self) -> npt.NDArray[Any]: ...

    def picture(self, source: int, /) -> Pixels: ...

    def object_map(self, source: int, /) -> Map: ...


def told_apart(instances: Map) -> tuple[Numbers, Map, Numbers]:
    """The objects of a map by number: numbers (n,), the place among them of every pixel's (H, W), and sizes (n,) in px.

    Example:
        >>> numbers, place, size = told_apart(np.array([[7, 7, 2]]))
        >>> numbers.tolist(), place.tolist(), size.tolist()
        ([2, 7], [[1, 1, 0]], [1, 2])
    """
    if instances.max() >= LARGE:
        numbers, place, size = np.unique(instances, return_inverse=True, return_counts=True)
        return numbers, place.reshape(instances.shape), size.astype(np.int64)
    counts = np.bincount(instances.ravel())
    numbers = np.flatnonzero(counts)
    rank = np.zeros(len(counts), dtype=np.int64)
    rank[numbers] = np.arange(len(numbers))
    return numbers, rank[instances], counts[numbers].astype(np.int64)


def boxes_of(instances: Map) -> tuple[Numbers, npt.NDArray[np.float64], Numbers]:
    """The objects of a map by number: numbers (n,), boxes around them (n, 4) in px, and sizes (n,) in px."""
    from scipy import ndimage  # see `library.kinds.codes.rows`

    numbers, place, size = told_apart(instances)
    boxes = [
        (across.start, down.start, across.stop - across.start, down.stop - down.start)
        for down, across in ndimage.find_objects(place + 1)
    ]
    return numbers, np.array(boxes, dtype=np.float64), size


@dataclass(frozen=True)
class File:
    """The name of a photograph's file, and its SHA-256, where it comes from one."""

    source: str = REFERENCE_BANK
    sha256: str = UNKNOWN

    @classmethod
    def stated(cls, about: object) -> File:
        """As a trace states it; errors as in `ktviz.systems.reference.said`."""
        return cls(**{name: text for name, text in said(about).items() if name in ("source", "sha256")})


@dataclass(frozen=True, eq=False)
class PhotoObjects:
    """The objects of one photograph; see `Objects` and `ktviz.retrieval.catalogue.Knowledge`.

    Attributes:
        pixels: (H, W, 3) uint8.
        map: (H, W), the number of an object at every pixel.
        codes: (n, C), by number.
        file: Of the photograph.
    """

    pixels: Pixels
    map: Map
    codes: Vectors
    file: File = File()

    @classmethod
    def of(cls, pixels: Pixels, instances: Map, coded: Tensor, file: File) -> PhotoObjects:
        """From codes (C, H, W) that are the same within an object."""
        _, first = np.unique(instances, return_index=True)
        return cls(pixels, instances, coded.flatten(1).T.double().numpy()[first], file)

    @cached_property
    def _found(self) -> tuple[Numbers, npt.NDArray[np.float64], Numbers]:
        return boxes_of(self.map)

    @property
    def number(self) -> Numbers:
        return self._found[0]

    @property
    def label(self) -> Numbers:
        return class_of(self.number)

    @property
    def box(self) -> npt.NDArray[np.float64]:
        return self._found[1]

    @property
    def ranks(self) -> Numbers:
        """(n,) place of each object where they are ordered by class, then by number."""
        return np.lexsort((self.number, self.label)).argsort()

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def name(self) -> str:
        return REFERENCE_BANK

    @property
    def source_names(self) -> Sequence[str]:
        return [self.file.source]

    def source_of(self, entries: Tensor) -> Tensor:
        """Always the photograph."""
        return torch.zeros_like(entries)

    def boxes(self, entries: Tensor) -> Tensor:
        """Where entries (n,) lie: (n, 4) float32 px."""
        return torch.from_numpy(self.box[entries.numpy()]).float()

    def describe_sources(self) -> list[dict[str, Any]]:
        """The photograph, by its file and its digest."""
        height, width = self.map.shape
        about = {"source": self.file.source, "bank": REFERENCE_BANK, **Credit().described(), "sha256": self.file.sha256}
        return [{**about, "width": width, "height": height, "pixels": pixel_digest(self.pixels)}]

    def digests(self) -> dict[str, str]:
        """None: it is an input of the run."""
        return {}

    def picture(self, source: int) -> Pixels:
        return self.pixels

    def object_map(self, source: int) -> Map:
        return self.map
