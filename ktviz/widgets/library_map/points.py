"""What the points of a map are: entries of banks of patches, codes, pictures, or sources; and what is told of one."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch

from ktviz.images import Pixels, resize, resize_short_side
from ktviz.library.banks import Banks
from ktviz.library.kinds.codes.union import CodeUnion
from ktviz.library.kinds.patches.grid import SIZE
from ktviz.library.kinds.patches.search import SearchSettings
from ktviz.library.kinds.patches.union import BankUnion
from ktviz.regions import Box
from ktviz.widgets.library_map import plane
from ktviz.widgets.library_map.plane import Plane

CELL_PX = 4
"""Of the picture of a source, as its bank saw it, per cell of its features."""
NEIGHBOURS = 8
MOST_HELD = 64
"""Pictures of sources that are kept."""
SMALL_PX = 16
"""Side of the pictures by which whole pictures are compared."""


class SourcePictures:
    """Pictures of sources as their banks saw them, the latest kept."""

    def __init__(self, banks: Banks[Any]) -> None:
        self.banks, self._held = banks, OrderedDict[int, Pixels]()

    def __getitem__(self, source: int) -> Pixels:
        if source not in self._held:
            self._held[source] = self.banks.picture(source)
            if len(self._held) > MOST_HELD:
                self._held.popitem(last=False)
        self._held.move_to_end(source)
        return self._held[source]


class Points(Protocol):
    """What is drawn."""

    what: str
    pictures: SourcePictures

    def __len__(self) -> int: ...

    def places(self) -> Plane: ...

    def source_of(self, numbers: Sequence[int]) -> list[int]: ...

    def all_sources(self) -> npt.NDArray[np.int64]: ...

    def picture(self, number: int) -> Pixels: ...

    def box(self, number: int) -> Box | None: ...

    def path(self, number: int) -> list[tuple[str, int]]: ...

    def neighbours(self, number: int) -> list[tuple[int, float]]: ...


class Entries:
    """The entries of banks of patches."""

    what = "entries"

    def __init__(self, union: BankUnion) -> None:
        self.union, self.pictures = union, SourcePictures(union)

    def __len__(self) -> int:
        return len(self.union)

    def places(self) -> Plane:
        """On the plane."""
        return plane.of_entries(self.union)

    def all_sources(self) -> npt.NDArray[np.int64]:
        """The source of every entry."""
        found = [
            bank.entries.source.numpy().astype(np.int64) + int(self.union.source_offset[number])
            for number, bank in enumerate(self.union.banks)
        ]
        return np.concatenate(found)

    def source_of(self, numbers: Sequence[int]) -> list[int]:
        """The sources of some."""
        return [int(one) for one in self.union.source_of(torch.tensor(numbers, dtype=torch.int64))]

    def picture(self, number: int) -> Pixels:
        """The patch, as its bank saw it."""
        source, y, x = (int(one) for one in self.union.locate(torch.tensor([number])))
        rows, columns = (slice(CELL_PX * one, CELL_PX * (one + SIZE)) for one in (y, x))
        return self.pictures[source][rows, columns]

    def box(self, number: int) -> Box | None:
        """Where it lies in the picture of its source."""
        _, y, x = (int(one) for one in self.union.locate(torch.tensor([number])))
        return Box(CELL_PX * x, CELL_PX * y, CELL_PX * SIZE, CELL_PX * SIZE)

    def path(self, number: int) -> list[tuple[str, int]]:
        """The nodes of the cluster tree down to its leaf, each with its bank."""
        entry = torch.tensor([number])
        bank, _ = self.union.bank_of_source(self.source_of([number])[0])
        return [(bank.name, int(node)) for node in self.union.paths(entry)[0] if node >= 0]

    def neighbours(self, number: int) -> list[tuple[int, float]]:
        """The most alike entries by bandpass cosine, with it."""
        return self.found(self.union.patches(torch.tensor([number])), number)

    def found(self, patches: torch.Tensor, without: int = -1) -> list[tuple[int, float]]:
        """What a search finds for a patch (1, C, 4, 4)."""
        matches = self.union.search(patches, SearchSettings(candidates=NEIGHBOURS + 1))
        pairs = zip(matches.entry[0].tolist(), matches.similarity[0].tolist(), strict=True)
        return [(entry, similarity) for entry, similarity in pairs if entry not in (-1, without)][:NEIGHBOURS]


class ByVectors:
    """Points whose likeness is that of vectors: a few thousand at most."""

    what = "entries"

    def __init__(self, banks: Banks[Any], vectors: npt.NDArray[np.floating]) -> None:
        self.banks, self.pictures = banks, SourcePictures(banks)
        norm = np.linalg.norm(vectors, axis=1, keepdims=True)
        self.unit = (vectors / np.maximum(norm, 1e-12)).astype(np.float32)

    def __len__(self) -> int:
        return len(self.unit)

    def places(self) -> Plane:
        """On the plane."""
        return plane.spread_out(self.unit)

    def all_sources(self) -> npt.NDArray[np.int64]:
        """The source of every point."""
        return np.array(self.source_of(range(len(self))), dtype=np.int64)

    def source_of(self, numbers: Sequence[int]) -> list[int]:
        """The sources of some."""
        return [int(one) for one in self.banks.source_of(torch.tensor([*numbers], dtype=torch.int64))]

    def picture(self, number: int) -> Pixels:
        """The part of its source, or all of it."""
        picture, box = self.pictures[self.source_of([number])[0]], self.box(number)
        return picture if box is None else picture[box.pixels]

    def box(self, number: int) -> Box | None:
        """All of its source."""
        return None

    def path(self, number: int) -> list[tuple[str, int]]:
        """In no tree."""
        return []

    def neighbours(self, number: int) -> list[tuple[int, float]]:
        """The most alike ones, by the cosine of their vectors."""
        likeness = self.unit @ self.unit[number]
        order = np.argsort(-likeness, kind="stable")
        return [(int(one), float(likeness[one])) for one in order if one != number][:NEIGHBOURS]


class Codes(ByVectors):
    """The codes of banks of codes: objects of pictures, or whole pictures."""

    def __init__(self, union: CodeUnion) -> None:
        super().__init__(union, np.asarray(union.codes, dtype=np.float64))
        self.union = union

    def box(self, number: int) -> Box | None:
        """The object in the picture of its source."""
        x, y, width, height = (float(one) for one in self.union.boxes(torch.tensor([number]))[0])
        source = self.union.sources[self.source_of([number])[0]]
        tall, wide = self.pictures[self.source_of([number])[0]].shape[:2]
        across, down = wide / source.width, tall / source.height
        left, top = int(x * across), int(y * down)
        return Box(left, top, max(1, round(width * across)), max(1, round(height * down)))


class Wholes(ByVectors):
    """Whole sources: of banks of pictures by how they look when they are small."""

    what = "sources"

    def __init__(self, banks: Banks[Any]) -> None:
        small = [resize(banks.picture(source), SMALL_PX, SMALL_PX) for source in range(len(banks.sources))]
        vectors = np.stack(small).reshape(len(small), -1).astype(np.float64)
        super().__init__(banks, vectors - vectors.mean(0))

    def source_of(self, numbers: Sequence[int]) -> list[int]:
        """Themselves."""
        return [int(one) for one in numbers]


class SourcesOfPatches(Wholes):
    """Sources of banks of patches, by the leaves in which their entries lie."""

    def __init__(self, union: BankUnion) -> None:
        ByVectors.__init__(self, union, plane.source_vectors(union))


def points_of(banks: Banks[Any], sources: bool) -> Points:
    """The points of banks of any kind."""
    if isinstance(banks, BankUnion):
        return SourcesOfPatches(banks) if sources else Entries(banks)
    return Codes(banks) if isinstance(banks, CodeUnion) and not sources else Wholes(banks)


def sheet(pictures: Sequence[Pixels], side: int) -> Pixels:
    """Pictures of equal size one below the other: (n side, side, 3)."""
    small = [np.asarray(resize(square(one), side, side)) for one in pictures]
    return np.concatenate(small) if small else np.zeros((0, side, 3), np.uint8)


def square(pixels: Pixels) -> Pixels:
    """The middle of a picture, as wide as it is high."""
    height, width = pixels.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return pixels[top : top + side, left : left + side]


def shown(pixels: Pixels, side: int) -> Pixels:
    """A picture of a source, no larger than it is shown."""
    return resize_short_side(pixels, side) if min(pixels.shape[:2]) > side else pixels
