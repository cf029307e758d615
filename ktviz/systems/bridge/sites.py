"""The retrieval sites of bridging: which reference was taken out of a bank, and what every cell of the code is of."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import torch

from ktviz.retrieval.extension import Extension
from ktviz.retrieval.matches import Matches
from ktviz.retrieval.queries import Queries
from ktviz.retrieval.site import Reading, RetrievalSite
from ktviz.systems.bridge.codes import LABELS, OWN, THEIRS, Mixture, norm
from ktviz.systems.bridge.entries import Entries
from ktviz.systems.bridge.noise import Noise
from ktviz.systems.bridge.shape import CODE_PX
from ktviz.systems.choice import Choice

NAME = "bridge"
EXTENSIONS = (
    Extension("norm", pa.float32(), "sum of the numbers that a part adds to the cell's code"),
    Extension("alpha", pa.float32(), "part of the labels' code where there are both, null elsewhere", "query"),
    Extension("row", pa.int32(), "of the table of noise, -1 for none", "query"),
)


class ReferenceSite(RetrievalSite):
    """A reference is chosen out of banks: hard, of those that have what is wanted."""

    prefix = NAME
    paints = False
    searched = False

    def forward(self, choice: Choice, size: tuple[int, int]) -> Choice:
        """What was chosen goes on as it is."""
        return choice

    def read(self, inputs: tuple[Any, ...], output: Choice) -> list[Reading]:
        """All pictures that could be taken, the most similar first."""
        matches = Matches.hard(output.entry[None], output.similarity[None])
        return [Reading(matches, Queries.whole(*inputs[1]), output.pictures)]


class CodeSite(RetrievalSite):
    """Every cell of the code is a sum: of the source's own cell, and of what was asked for."""

    prefix = NAME
    extensions = EXTENSIONS
    searched = False
    scale_px = float(CODE_PX)

    def forward(self, mixture: Mixture, entries: Entries, alpha: float | None, noise: Noise | None) -> Mixture:
        """The codes go on as they are."""
        return mixture

    def read(self, inputs: tuple[Any, ...], output: Mixture) -> list[Reading]:
        """Soft retrieval: weight and similarity are the part of each in the cell's code, the largest first."""
        entries: Entries = inputs[1]
        alpha, noise, parts, shares = inputs[2], inputs[3], output.parts, output.shares()
        names = [name for name in (THEIRS, OWN, LABELS) if name in parts]  # as entries are numbered
        weight = torch.stack([shares[name] for name in names], 1)
        weight, order = weight.sort(dim=1, descending=True, stable=True)
        count = len(weight)
        told = {
            "norm": torch.stack([norm(parts[name]) for name in names], 1).gather(1, order),
            "alpha": torch.full((count,), torch.nan if alpha is None else alpha),
            "row": torch.full((count,), -1 if noise is None else noise.row),
        }
        entry = torch.stack([entries.entries(name) for name in names], 1).gather(1, order)
        matches = Matches(entry, weight, torch.zeros(count, dtype=torch.int64), weight, told)
        return [Reading(matches, Queries.grid(*output.grid, float(CODE_PX)), entries)]
