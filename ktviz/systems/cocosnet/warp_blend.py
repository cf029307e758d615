"""The warp scaled between the exemplar's mean colour and what was mixed, and carried on by the generator."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from ktviz.regions import Box
from ktviz.systems.cocosnet.passage import Passage
from ktviz.systems.protocol import Ints


@dataclass(frozen=True, eq=False)
class WarpBlend:
    """See `ktviz.systems.protocol.Blend`. The generator looks at a picture as a whole, so every cell reaches the part.

    Attributes:
        passage: Of the run.
        cells: (N, V) what was mixed.
        mean: (1, V) the exemplar's mean colour.
        within: The part.
    """

    passage: Passage
    cells: Tensor
    mean: Tensor
    within: Box

    @property
    def retrievals(self) -> Ints:
        """All cells."""
        return np.arange(len(self.cells))

    def __call__(self, amount: Tensor, /) -> Tensor:
        """The part (3, h, w) for amounts (N,)."""
        amount = amount[:, None]
        made = self.passage.painted(self.cells * amount + self.mean * (1 - amount))
        rows, columns = self.within.pixels
        return made[:, rows, columns]
