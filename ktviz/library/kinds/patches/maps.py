"""Feature maps of the sources of a bank on disk, opened one by one when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import overload

import torch
from safetensors.torch import load_file
from torch import Tensor

from ktviz.library.banks import expect, fitting
from ktviz.library.kinds.patches.grid import SIZE
from ktviz.library.layout import FEATURES
from ktviz.library.place import Place

STEP = torch.arange(SIZE)
MOST_MAPPED = 30_000
"""Maps of a bank that are mapped from disk: Linux allows a process 65,530 in all. Further ones are held in memory."""


class Maps(Sequence[Tensor]):
    """The feature maps of a bank, (h, w, C) half each, mapped from disk; compared with their digests when opened.

    Args:
        place: Where the bank lies.
        count: Of sources.
        channels: C.
    """

    def __init__(self, place: Place, count: int, channels: int) -> None:
        self.place, self.size, self.channels = place, count, channels
        self.opened: dict[int, Tensor] = {}

    def __len__(self) -> int:
        return self.size

    @overload
    def __getitem__(self, number: int) -> Tensor: ...

    @overload
    def __getitem__(self, number: slice) -> list[Tensor]: ...

    def __getitem__(self, number: int | slice) -> Tensor | list[Tensor]:
        if isinstance(number, slice):
            return [self[one] for one in range(self.size)[number]]
        if not 0 <= number < self.size:
            raise IndexError(number)
        if number in self.opened:
            return self.opened[number]
        features = self.read(number)
        # One for all threads: whoever has its address must not see it go.
        return self.opened.setdefault(number, features if len(self.opened) < MOST_MAPPED else features.clone())

    def __iter__(self) -> Iterator[Tensor]:
        """All of them, none of which stays open for it."""
        return map(self.once, range(self.size))

    def once(self, number: int) -> Tensor:
        """The map of a source, which does not stay open for it."""
        return self.opened[number] if number in self.opened else self.read(number)

    def read(self, number: int) -> Tensor:
        """The map of a source as it lies on disk."""
        path = self.place.file(number, FEATURES)
        with fitting(self.place.name):
            features, _ = read_features(path)
            source = self.place.sources[number]
            shape = (source.rows, source.columns, self.channels)
            expect(tuple(features.shape) == shape, f"features of the size of {source.name!r}")
        return features


def read_features(path: Path) -> tuple[Tensor, Tensor]:
    """The features of a source, (h, w, C) half, and the places of its entries as y * w + x, (entries,) int32; mapped.

    Raises ValueError, and what readers raise, on something else.
    """
    held = load_file(path)
    expect({"features", "kept"} <= set(held), "features, and the places of the entries")
    expect(held["features"].dtype == torch.float16 and held["features"].ndim == 3, "features in half precision")
    return held["features"], held["kept"]


def patch_vectors(cells: Tensor, positions: Tensor) -> Tensor:
    """Patches of a map (h, w, C) at some positions: (n, 16 C) float32."""
    window = (STEP[:, None] * cells.shape[1] + STEP).flatten()
    place = (positions[:, None] + window).flatten()
    return cells.flatten(0, 1).index_select(0, place).view(len(positions), -1).float()
