"""A run that is asked about: what it worked out, once more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from ktviz.regions import Box
from ktviz.systems.bridge.blend import CodeBlend
from ktviz.systems.bridge.codes import Mixture
from ktviz.systems.bridge.entries import Entries
from ktviz.systems.bridge.passage import Passage
from ktviz.systems.bridge.shape import CODE_PX
from ktviz.systems.energy import Energy


@dataclass(frozen=True, eq=False)
class Live:
    """A run, worked out again as far as questions need it.

    Attributes:
        passage: The picture.
        mixture: Its codes.
        entries: Of what they are made.
        references: The pictures out of which the reference was chosen, by number; none where there was no choice.
    """

    passage: Passage
    mixture: Mixture
    entries: Entries
    references: Sequence[int]

    def blend(self, within: Box) -> CodeBlend:
        """A part of the picture, blended from the source's own code."""
        return CodeBlend(self.passage, self.mixture, within)

    @cached_property
    def energy(self) -> Energy:
        """How much a region depends on the code of each cell."""
        codes = self.mixture.codes()
        cells = torch.cat(codes, 1)[0].flatten(1).T.contiguous()
        side = self.passage.networks.shape.side
        return Energy(self.painted, cells, self.mixture.grid[1], CODE_PX, (side, side))

    def painted(self, cells: Tensor) -> Tensor:
        """The picture (3, side, side) of the codes of its cells, (cells, C) or those of two branches side by side."""
        maps = cells.T.unflatten(1, self.mixture.grid)[None]
        branches = self.mixture.branches
        return self.passage.of_codes(maps.chunk(len(branches), 1), [branch.weight for branch in branches])
