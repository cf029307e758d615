"""What cells may weigh that a trace of another processor does not record: bounds, from the cosines found here.

See `ktviz.systems.cocosnet.rounding` for where they come from.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ktviz.systems.cocosnet.blockwise import all_cosines
from ktviz.systems.cocosnet.live import Live

SIMILARITY = 1e-5
"""What a cosine may differ by (docs/exactness.md)."""
GRAIN = 2.0**-24
"""What the difference of two cosines may be off by, each rounded to single precision."""
Floats = npt.NDArray[np.float64]
Range = tuple[Floats, Floats]
"""Smallest and largest."""


@dataclass(frozen=True, eq=False)
class Recorded:
    """What a trace names of the softmax.

    Attributes:
        entry: (N, m) int64 cells, the best first.
        similarity: (N, m) float64 cosines.
        weight: (N, m) float64.
        temperature: Of the softmax.
    """

    entry: Tensor
    similarity: Tensor
    weight: Tensor
    temperature: float

    def relative(self, cosine: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Smallest and largest weight of cells as parts of the first one's, if they are not recorded; cosines as found
        here, (n, M)."""
        first, last = self.similarity[rows, :1], self.similarity[rows, -1:]
        low, high = cosine - (SIMILARITY + GRAIN), torch.minimum(cosine + (SIMILARITY + GRAIN), last + GRAIN)
        return torch.exp((low - first) / self.temperature), torch.exp((high - first) / self.temperature)

    def fed(self, part: Tensor, rows: Tensor) -> Tensor:
        """What cells are fed by some rows, (M,), given the parts of those that are not recorded, (n, M)."""
        return (part * self.weight[rows, :1]).scatter_(1, self.entry[rows], self.weight[rows]).sum(0)


@dataclass(frozen=True, eq=False)
class Bounds:
    """Smallest and largest sums.

    Attributes:
        kept: (N,) of the weights of cells that were kept and are not recorded, as parts of the first one's.
        left: (N,) of those that were not kept.
        fed: (M,) of what each cell of the exemplar gives in all.
    """

    kept: Range
    left: Range
    fed: Range


def bounds(recorded: Recorded, live: Live) -> Bounds:
    """What may be, given what is recorded and the run as it is worked out here."""
    kept, named = live.mixture.entry, recorded.entry.shape[1]
    fed = torch.zeros(2, len(live.passage.source), dtype=torch.float64)
    sums: list[list[Tensor]] = [[], [], [], []]
    for rows, cosine in all_cosines(live.passage.target, live.passage.source):
        if live.forbidden is not None:
            cosine[:, live.forbidden] = -torch.inf
        for end, part in enumerate(recorded.relative(cosine, rows)):
            mine = part.gather(1, kept[rows])
            sums[end].append(mine[:, named:].sum(1))
            sums[2 + end].append(part.sum(1) - mine.sum(1))
            fed[end] += recorded.fed(part, rows)
    low_kept, high_kept, low, high = (torch.cat(parts).numpy() for parts in sums)
    return Bounds((low_kept, high_kept), (low, high), (fed[0].numpy(), fed[1].numpy()))
