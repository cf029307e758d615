"""What was asked for, scaled cell by cell, from the source's own code alone to all of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from ktviz.regions import Box
from ktviz.systems.bridge.codes import Mixture
from ktviz.systems.bridge.passage import Passage
from ktviz.systems.protocol import Ints


@dataclass(frozen=True, eq=False)
class CodeBlend:
    """See `ktviz.systems.protocol.Blend`. The generator looks at a picture as a whole, so every cell reaches the part.

    Attributes:
        passage: Of the run.
        mixture: Its codes.
        within: The part.
    """

    passage: Passage
    mixture: Mixture
    within: Box

    @property
    def retrievals(self) -> Ints:
        """All cells."""
        return np.arange(self.mixture.grid[0] * self.mixture.grid[1])

    def __call__(self, amount: Tensor, /) -> Tensor:
        """The part (3, h, w) for amounts (cells,)."""
        rows, columns = self.within.pixels
        return self.passage.painted(self.mixture, amount)[:, rows, columns]
