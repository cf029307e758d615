"""The retrieval sites of CoCosNet: which exemplar was taken out of a bank, and which of its cells every cell takes."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import torch

from ktviz.retrieval.extension import Extension
from ktviz.retrieval.matches import Matches
from ktviz.retrieval.queries import Queries
from ktviz.retrieval.site import Reading, RetrievalSite
from ktviz.systems.choice import Choice
from ktviz.systems.cocosnet.blockwise import Mixture
from ktviz.systems.cocosnet.correspondence import CELL_PX
from ktviz.systems.cocosnet.passage import Passage

NAME, PREFIX = "cocosnet", "cocosnet"
REFERENCE_LABELS, WARPED = "reference:labels", "output:warped"
EXTENSIONS = (
    Extension("entropy", pa.float32(), "nats: of all parts of the exemplar's cells", "query"),
    Extension("target_class", pa.int32(), "number of the cell's class", "query"),
    Extension("entry_class", pa.int32(), "number of the exemplar cell's class, -1 without a label map", "candidate"),
)


class CorrespondenceSite(RetrievalSite):
    """Every cell of the target mixes the cells of the exemplar."""

    prefix = PREFIX
    extensions = EXTENSIONS
    scale_px = float(CELL_PX)

    def forward(self, mixture: Mixture, passage: Passage) -> Mixture:
        """The mixture goes on as it is."""
        return mixture

    def read(self, inputs: tuple[Any, ...], output: Mixture) -> list[Reading]:
        """Soft retrieval: similarity is the cosine of descriptors, weight the part in the mixture."""
        passage: Passage = inputs[1]
        rows, columns = passage.grid
        matches = Matches(
            output.entry,
            output.similarity,
            torch.zeros(len(output.entry), dtype=torch.int64),
            output.weight,
            {
                "entropy": output.entropy,
                "target_class": torch.from_numpy(passage.labels[::CELL_PX, ::CELL_PX].copy()).flatten().int(),
                "entry_class": passage.exemplar.cell_labels()[output.entry].int(),
            },
        )
        return [Reading(matches, Queries.grid(rows, columns, float(CELL_PX)), passage.exemplar.catalogue)]


class ExemplarSite(RetrievalSite):
    """The exemplar is chosen out of banks: hard, by the similarity of the whole."""

    prefix = PREFIX
    paints = False
    searched = False

    def forward(self, choice: Choice, size: tuple[int, int]) -> Choice:
        """What was chosen goes on as it is."""
        return choice

    def read(self, inputs: tuple[Any, ...], output: Choice) -> list[Reading]:
        """All pictures that could be taken, the most similar first."""
        matches = Matches.hard(output.entry[None], output.similarity[None])
        return [Reading(matches, Queries.whole(*inputs[1]), output.pictures)]
