"""The style of a run: its code, what that was chosen from, and which cells of which pictures it is the sum of.

A code is linear in the cells of its pictures: code = bias + sum over pictures i of weight_i x mean over cells p of
W f_i(p). So what each cell gives to it is exact, and so is what is left without some.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ktviz.errors import UnknownNameError
from ktviz.regions import SourceRegion
from ktviz.retrieval.catalogue import Knowledge
from ktviz.systems.munit.direction import Direction
from ktviz.systems.munit.exemplar import Exemplar
from ktviz.systems.munit.settings import Mode

Numbers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Candidates:
    """What a style was chosen from.

    Attributes:
        knowledge: In which entries are numbered.
        entry: (K,) candidates, the best first.
        apart: (K,) how far the code of each is from the one that was wanted, or used: Euclidean.
        weight: (K,) part of each in the style.
    """

    knowledge: Knowledge
    entry: Numbers
    apart: Floats
    weight: Floats


@dataclass(frozen=True, eq=False)
class Part:
    """A picture that a style is made of.

    Attributes:
        exemplar: The picture.
        weight: Its part in the style.
        cells: (cells, codes) float64: what each adds to the picture's code; 0 where it is left out.
    """

    exemplar: Exemplar
    weight: float
    cells: Tensor = field(repr=False)

    @classmethod
    def of(cls, exemplar: Exemplar, weight: float, direction: Direction, forbidden: Tensor | None = None) -> Part:
        """The mean over the cells that may be used, cell by cell."""
        found = direction.cells(exemplar.pixels)
        if forbidden is not None:
            found = found * ~forbidden[:, None]
        kept = len(found) if forbidden is None else int((~forbidden).sum())
        return cls(exemplar, weight, found / kept)


@dataclass(frozen=True, eq=False)
class Style:
    """The style of a run.

    Attributes:
        mode: How it was chosen.
        code: (codes,) float32, with which the decoder works.
        bias: (codes,) float64, what a code is without any cell.
        parts: The pictures that it is made of, the heaviest first; none of a draw.
        candidates: What it was chosen from; of a draw what is nearest to it in a bank, or None without one.
    """

    mode: Mode
    code: Tensor
    bias: Tensor
    parts: tuple[Part, ...] = ()
    candidates: Candidates | None = None

    def cell_weights(self) -> list[Tensor]:
        """Part of each cell of each picture in what all of them add to the bias: (cells,) float64 each, adding up to 1.

        A cell's part is its share of the way from the bias to the code, and negative where it leads back. Where all
        cells together lead nowhere, each picture's have equal parts.
        """
        if not self.parts:
            return []
        way = added(self.parts)
        length = float(way.square().sum())
        if not length > 0:
            return [torch.full((len(p.cells),), p.weight / len(p.cells)).double() for p in self.parts]
        return [part.weight * (part.cells * way).sum(1) / length for part in self.parts]

    def cell(self, entry: int) -> SourceRegion:
        """A cell of its pictures, by its number among all of them.

        Raises:
            UnknownNameError: There is no such cell.
        """
        first = 0
        for part in self.parts:
            end = first + len(part.exemplar.catalogue)
            if first <= entry < end:
                return part.exemplar.entry(entry - first)
            first = end
        raise UnknownNameError(f"entry {entry}", f"its pictures have {first:,} cells", "Take one that the trace names")


def code_of(parts: Sequence[Part], bias: Tensor) -> Tensor:
    """The code that some pictures make together, their weights adding up to 1: (codes,) float32."""
    return (bias + added(parts)).float()


def added(parts: Sequence[Part]) -> Tensor:
    """What the cells of some pictures add to the bias, all together: (codes,) float64."""
    return torch.stack([part.weight * part.cells.sum(0) for part in parts]).sum(0)
