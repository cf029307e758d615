"""The retrieval sites of MUNIT: which pictures a style is of, which of their cells, and what a drawn style is like."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from ktviz.retrieval.extension import Extension
from ktviz.retrieval.matches import Matches
from ktviz.retrieval.queries import Queries
from ktviz.retrieval.site import Reading, RetrievalSite
from ktviz.systems.munit.exemplar import cells_together
from ktviz.systems.munit.settings import MODES
from ktviz.systems.munit.style import Candidates, Style

NAME, PREFIX = "munit", "munit"
STYLE = (
    Extension("mode", pa.int32(), "0: of an exemplar, 1: of a bank, 2: drawn", "query"),
    Extension("code", pa.list_(pa.float32()), "numbers of the style that was used", "query"),
)
DISTANCE = Extension("distance", pa.float32(), "Euclidean, from the wanted code; without one from the used one")
Size = tuple[int, int]


class StyleSite(RetrievalSite):
    """A style is that of a picture, or of several."""

    prefix = PREFIX
    extensions = (*STYLE, DISTANCE)
    paints = False
    searched = False

    def forward(self, style: Style, size: Size) -> Style:
        """The style goes on as it is."""
        return style

    def read(self, inputs: tuple[Any, ...], output: Style) -> list[Reading]:
        """Similarity is minus the distance; hard where one picture was taken, else soft."""
        candidates = output.candidates
        assert candidates is not None
        weight = None if candidates.weight[0] == 1 else torch.from_numpy(candidates.weight)[None].float()
        return [Reading(ranked(output, candidates, weight), Queries.whole(*inputs[1]), candidates.knowledge)]


class LikenessSite(RetrievalSite):
    """A drawn style is like some in a bank, of which nothing was used."""

    prefix = PREFIX
    extensions = (*STYLE, DISTANCE)
    searched = False
    causal = False

    def forward(self, style: Style, size: Size) -> Style:
        """The style goes on as it is."""
        return style

    def read(self, inputs: tuple[Any, ...], output: Style) -> list[Reading]:
        """The nearest, as hard retrieval; similarity is minus the distance."""
        candidates = output.candidates
        assert candidates is not None
        return [Reading(ranked(output, candidates, None), Queries.whole(*inputs[1]), candidates.knowledge)]


class CellSite(RetrievalSite):
    """A style is a sum over cells of pictures."""

    prefix = PREFIX
    extensions = STYLE
    searched = False

    def forward(self, style: Style, size: Size) -> Style:
        """The style goes on as it is."""
        return style

    def read(self, inputs: tuple[Any, ...], output: Style) -> list[Reading]:
        """Signed retrieval: weight, and similarity, is the part of each cell in the style; see `Style.cell_weights`."""
        weights = torch.cat(output.cell_weights())[None]
        matches = Matches.soft(weights, weights.shape[1], **told(output))
        known = cells_together([part.exemplar for part in output.parts])
        return [Reading(matches, Queries.whole(*inputs[1]), known)]


def ranked(style: Style, candidates: Candidates, weight: Tensor | None) -> Matches:
    """Candidates, the best first; the first is the heaviest."""
    entry, apart = (
        torch.from_numpy(np.ascontiguousarray(values))[None] for values in (candidates.entry, candidates.apart)
    )
    chosen = torch.zeros(1, dtype=torch.int64)
    return Matches(entry, (0.0 - apart).float(), chosen, weight, {**told(style), "distance": apart.float()})


def told(style: Style) -> dict[str, Tensor]:
    """How a style was chosen, and its code."""
    return {"mode": torch.tensor([MODES.index(style.mode)], dtype=torch.int32), "code": style.code[None]}
