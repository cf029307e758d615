"""A source of a bank of patches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ktviz.library.sources import Source, Sources


@dataclass(frozen=True)
class PatchSource(Source):
    """One image in a bank of patches.

    Attributes:
        rows: Height of its feature map in cells.
        columns: Width of its feature map in cells.
        entries: Patches that survived de-duplication.
        positions: Patches before de-duplication.
    """

    rows: int
    columns: int
    entries: int
    positions: int

    @property
    def survivor_rate(self) -> float:
        """Share of the patches that survived de-duplication."""
        return self.entries / self.positions


def px_per_cell(sources: Sequence[PatchSource]) -> Tensor:
    """Original px per feature cell of each of some sources: (sources,) float32.

    Both sides are scaled alike, and then less than a cell is cut off: the side that lost less tells the scale.
    """
    known = ("height", "rows", "width", "columns")
    if isinstance(sources, Sources):
        sides = torch.tensor(np.stack([sources.table[name].to_numpy() for name in known]), dtype=torch.float64)
    else:
        sides = torch.tensor([[getattr(source, name) for source in sources] for name in known], dtype=torch.float64)
    height, rows, width, columns = sides
    return torch.minimum(height / rows, width / columns).float()
