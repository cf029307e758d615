"""A run that is asked about: what it worked out, once more, and what follows from it exactly."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from ktviz.regions import Box
from ktviz.retrieval.exact import leading, paired_cosines
from ktviz.retrieval.matches import Matches
from ktviz.systems.cocosnet.blockwise import Mixture, all_cosines
from ktviz.systems.cocosnet.correspondence import CELL_PX
from ktviz.systems.cocosnet.passage import Passage
from ktviz.systems.cocosnet.warp_blend import WarpBlend
from ktviz.systems.energy import Energy
from ktviz.systems.protocol import Floats, Ints


@dataclass(frozen=True, eq=False)
class Live:
    """A run, worked out again as far as questions need it.

    Attributes:
        passage: Label map and exemplar.
        mixture: What every cell took.
        forbidden: (M,) bool, cells of the exemplar that were left out; None for none.
    """

    passage: Passage
    mixture: Mixture
    forbidden: Tensor | None

    def blend(self, within: Box) -> WarpBlend:
        """A part of the picture, blended from the exemplar's mean colour, of what may be used of it."""
        return WarpBlend(self.passage, self.mixture.cells, self.passage.mean(self.forbidden), within)

    @cached_property
    def energy(self) -> Energy:
        """How much a region depends on each cell of the target."""
        passage = self.passage
        return Energy(passage.painted, self.mixture.cells, passage.grid[1], CELL_PX, passage.size)

    @property
    def fed(self) -> Floats:
        """What each cell of the exemplar gives in all: (rows, columns)."""
        catalogue = self.passage.exemplar.catalogue
        return self.mixture.fed.double().numpy().reshape(catalogue.rows, catalogue.columns)

    def best(self, places: Ints) -> Matches:
        """The exact best cell for some cells of the target (n,)."""
        entries, values = [], []
        for _, found in all_cosines(self.passage.target[torch.from_numpy(places)], self.passage.source):
            if self.forbidden is not None:
                found[:, self.forbidden] = -torch.inf
            similarity = found.float()
            entries.append(leading(similarity, 1))
            values.append(similarity.gather(1, entries[-1]))
        return Matches.hard(torch.cat(entries), torch.cat(values))

    def similarity(self, places: Ints, entries: Ints) -> Tensor:
        """Exact cosine of some cells of the target (n,) with some of the exemplar (n,); -inf with none, or one left
        out."""
        count = len(self.passage.source)
        inside = torch.from_numpy((entries >= 0) & (entries < count))
        known = torch.from_numpy(np.where(inside, entries, 0))
        if self.forbidden is not None:
            inside &= ~self.forbidden[known]
        found = paired_cosines(self.passage.target[torch.from_numpy(places)], self.passage.source[known])
        return torch.where(inside, found, -torch.inf)
