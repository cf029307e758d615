"""Exemplars: pictures whose style is taken on, and their cells as a catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor

from ktviz.errors import TraceError, UnknownNameError
from ktviz.images import ImageLike, as_pixels
from ktviz.regions import Box, SourceRegion
from ktviz.systems.cells import Cells, cells
from ktviz.systems.munit.direction import CELL_PX
from ktviz.systems.opening import named_source
from ktviz.systems.reference import Reference, described
from ktviz.trace.pictures import REFERENCE
from ktviz.trace.trace import Trace


class Exemplar(Reference):
    """A picture whose style is taken on. Its entries are the cells of the style encoder."""

    @property
    def catalogue(self) -> Cells:
        """Its cells of 16x16 px; the last ones are cut off where it ends."""
        rows, columns = (-(-side // CELL_PX) for side in self.size)
        return cells(tuple(sorted(self.source.items())), "cells", rows, columns, float(CELL_PX), float(CELL_PX))

    @property
    def whole(self) -> Cells:
        """All of it as one entry."""
        height, width = self.size
        return cells(tuple(sorted(self.source.items())), "picture", 1, 1, float(height), float(width))

    def entry(self, number: int) -> SourceRegion:
        """A cell."""
        if not 0 <= number < len(self.catalogue):
            raise UnknownNameError(f"entry {number}", f"{self.name} has {len(self.catalogue):,} cells", "Count from 0")
        return SourceRegion(self.name, Box(*self.catalogue.boxes(torch.tensor([number]))[0].tolist()))


def given(exemplar: ImageLike | Exemplar) -> Exemplar:
    """An exemplar that comes with a run, of anything that `as_pixels` takes.

    Raises:
        ImageError: It cannot be used.
    """
    if isinstance(exemplar, Exemplar):
        return exemplar
    pixels = as_pixels(exemplar)
    return Exemplar(pixels, described(exemplar, pixels))


def brought(trace: Trace) -> Exemplar:
    """The exemplar that came with the run of a trace, and what that says of it.

    Raises:
        TraceError: The trace was saved without it, or does not say what it is.
    """
    pixels, digest = trace.picture.canvases.get(REFERENCE), trace.picture.sha256(REFERENCE)
    if pixels is None:
        raise TraceError("a question to the model", "the trace was saved without its exemplar", "Save its pictures")
    source = named_source(trace, lambda source: source.get("pixels") == digest)
    return Exemplar(pixels, described(pixels, pixels, source))


@dataclass(frozen=True)
class Together:
    """A catalogue: entries of several pictures, numbered through; see `ktviz.retrieval.catalogue.Knowledge`.

    Attributes:
        parts: Those of each picture.
    """

    parts: tuple[Cells, ...]

    def __len__(self) -> int:
        return sum(map(len, self.parts))

    @property
    def name(self) -> str:
        """Of the only picture, or of how many."""
        layer = self.parts[0].layer
        return self.parts[0].name if len(self.parts) == 1 else f"{layer} of {len(self.parts)} pictures"

    @property
    def source_names(self) -> list[str]:
        """The pictures."""
        return [name for part in self.parts for name in part.source_names]

    @property
    def first(self) -> Tensor:
        """Number of the first entry of each picture."""
        return torch.tensor([0, *accumulate(map(len, self.parts[:-1]))])

    def source_of(self, entries: Tensor) -> Tensor:
        """The picture that entries are of."""
        return torch.searchsorted(self.first, entries.contiguous(), right=True) - 1

    def boxes(self, entries: Tensor) -> Tensor:
        """Where entries (n,) lie in their pictures: (n, 4) float32 px."""
        source, first, found = self.source_of(entries), self.first, torch.zeros(len(entries), 4)
        for number, part in enumerate(self.parts):
            mine = source == number
            found[mine] = part.boxes(entries[mine] - first[number])
        return found

    def describe_sources(self) -> list[dict[str, Any]]:
        """What is known of the pictures."""
        return [part.about for part in self.parts]

    def digests(self) -> dict[str, str]:
        """None: they are an input of the run, or of banks, whose digests the system states."""
        return {}


together = lru_cache(maxsize=64)(Together)
"""The same catalogue for the same pictures: a recording tells catalogues apart by identity."""


def cells_together(exemplars: Sequence[Exemplar]) -> Together:
    """The cells of some exemplars."""
    return together(tuple(exemplar.catalogue for exemplar in exemplars))
