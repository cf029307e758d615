"""The style scaled between the bank's mean and the one that was taken: the whole picture follows. A draw stays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from ktviz.regions import Box
from ktviz.systems.munit.direction import Direction
from ktviz.systems.protocol import Ints


@dataclass(frozen=True, eq=False)
class StyleBlend:
    """See `ktviz.systems.protocol.Blend`.

    Attributes:
        direction: Whose decoder paints.
        content: (1, C, h, w) of the picture.
        size: Of the picture in px: height, width.
        base: (codes,) the style at 0.
        code: (codes,) the style at 1.
        count: Retrievals that gave the style: one, or none where it was drawn.
        within: The part that is shown.
    """

    direction: Direction
    content: Tensor
    size: tuple[int, int]
    base: Tensor
    code: Tensor
    count: int
    within: Box

    @property
    def retrievals(self) -> Ints:
        """All: a style acts everywhere."""
        return np.arange(self.count)

    def __call__(self, amount: Tensor, /) -> Tensor:
        """The part (3, h, w) for amounts (n,)."""
        part = amount.float().sum() if self.count else 1.0  # what no retrieval gave, none takes away
        made = self.direction.paint(self.content, part * self.code + (1 - part) * self.base, self.size)
        rows, columns = self.within.pixels
        return made[:, rows, columns]
