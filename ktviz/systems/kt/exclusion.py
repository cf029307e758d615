"""A part of a translation made again without some of the knowledge.

A run makes only what the part needs. A query asks its neighbours above and to the left (coherence) and no others, so
nothing below and to the right of the queries that reach the part is searched; without coherence, nothing above and to
the left either. The pixels are those of a whole translation; where a decoder gives other ones for a part of its
features than for all, whole translations are made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ktviz.images import Pixels
from ktviz.library.kinds.patches.features import STRIDE
from ktviz.library.kinds.patches.grid import QUERY_STEP, SIZE, PatchGrid
from ktviz.regions import Box, Mask
from ktviz.systems.kt.live import Live
from ktviz.systems.kt.receptive import receptive_field
from ktviz.systems.kt.settings import Settings


@dataclass(frozen=True)
class PartAgain:
    """Makes a part of a translation again.

    Attributes:
        case: A trace and its translator.
        seen: Rows and columns of the part.
    """

    case: Live
    seen: tuple[slice, slice]

    @classmethod
    def create(cls, case: Live, within: Box) -> PartAgain:
        """For a part in whole px."""
        return cls(case, within.pixels)

    def __call__(self, without: Sequence[Any] = (), /, **settings: Any) -> Pixels:
        """The part, without some sources, banks or entries, or with other settings."""
        return self.image(self.case.changed(without, settings))

    @torch.no_grad()
    def image(self, settings: Settings) -> Pixels:
        """The part of a translation with other settings, equal to that part of a whole translation."""
        if self.whole:
            return self.case.translate(settings).image[self.seen]
        features, grid = self.part
        return self.decode(self.case.model.retrieval(features, grid, settings).winner, settings)

    @torch.no_grad()
    def decode(self, winner: Tensor, settings: Settings) -> Pixels:
        """The part of the picture, from the winners of the queries in `part`."""
        features, grid = self.part
        cells = self.case.model.transfer_map(features, grid, winner, settings)
        inside = tuple(
            slice(n.start - s.start, n.stop - s.start) for n, s in zip(self.needed, self.searched, strict=True)
        )
        around = tuple(slice(STRIDE * n.start, STRIDE * n.stop) for n in self.needed)
        shown = tuple(slice(s.start - a.start, s.stop - a.start) for s, a in zip(self.seen, around, strict=True))
        return self.case.model.decode(cells[:, inside[0], inside[1]])[shown]

    @cached_property
    def needed(self) -> tuple[slice, slice]:
        """The cells that decide the seen part."""
        radius, grid = receptive_field(self.case.model).radius, self.case.grid
        reach = max(grid.height, grid.width) if radius is None else radius
        rows, columns = (
            slice(max(0, s.start // STRIDE - reach), min(side, -(-s.stop // STRIDE) + reach))
            for s, side in zip(self.seen, (grid.height, grid.width), strict=True)
        )
        return rows, columns

    @cached_property
    def searched(self) -> tuple[slice, slice]:
        """The cells of the queries that decide those: all that cover them, and with coherence all before these."""
        coherent, found = bool(self.case.settings.coherence), []
        for cells, side in zip(self.needed, (self.case.grid.height, self.case.grid.width), strict=True):
            first = max(0, -(-(cells.start - SIZE + 1) // QUERY_STEP) * QUERY_STEP)
            last = min(side - SIZE, (cells.stop - 1) // QUERY_STEP * QUERY_STEP)
            found.append(slice(0 if coherent else min(first, last), last + SIZE))
        return found[0], found[1]

    @cached_property
    def part(self) -> tuple[Tensor, PatchGrid]:
        """The features that are searched for, (C, h, w), and their queries."""
        rows, columns = self.searched
        cells = self.case.features.permute(1, 2, 0)[rows, columns].contiguous()
        return cells.permute(2, 0, 1), PatchGrid(cells.shape[0], cells.shape[1])

    @cached_property
    def recorded(self) -> Tensor:
        """Recorded winners of the queries in `part`."""
        whole, (_, grid) = self.case.grid, self.part
        row, column = (s.start // QUERY_STEP for s in self.searched)
        return self.case.winner.view(whole.rows, whole.columns)[row:, column:][: grid.rows, : grid.columns].flatten()

    @cached_property
    def whole(self) -> bool:
        """Whether whole translations are made: a part, decoded alone, has other pixels than were recorded."""
        if self.case.settings.align:
            return True
        return not np.array_equal(self.decode(self.recorded, self.case.settings), self.case.output[self.seen])


def queries_behind(case: Live, mask: Mask) -> Tensor:
    """Numbers of the queries that reach into a region, through the decoder: (n,); all where they share a tone."""
    if case.settings.align:
        return torch.arange(len(case.grid))
    return case.grid.unfold(cells_behind(case, mask)[None]).sum((1, 2, 3)).nonzero()[:, 0]


def cells_behind(case: Live, mask: Mask) -> Tensor:
    """The cells that decide the pixels of a region: (h, w), 1 for these and 0 for the others."""
    radius, grid = receptive_field(case.model).radius, case.grid
    if radius is None:
        return torch.ones(grid.height, grid.width)
    pixels = torch.zeros(1, STRIDE * grid.height, STRIDE * grid.width)
    pixels[0, : mask.shape[0], : mask.shape[1]] = torch.from_numpy(mask)
    cells = F.max_pool2d(pixels, STRIDE)
    return F.max_pool2d(cells, 2 * radius + 1, stride=1, padding=radius)[0]
