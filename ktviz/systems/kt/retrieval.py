"""The retrieval site of KT: features in, `Matches` out, and what a trace keeps of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa
import torch
from torch import Tensor

from ktviz.library.kinds.patches.carried import CPU
from ktviz.library.kinds.patches.features import STRIDE
from ktviz.library.kinds.patches.grid import QUERY_STEP, SIZE, PatchGrid
from ktviz.library.kinds.patches.union import BankUnion
from ktviz.retrieval.extension import Extension
from ktviz.retrieval.matches import Matches
from ktviz.retrieval.queries import Queries
from ktviz.retrieval.site import Reading, RetrievalSite
from ktviz.systems.kt.coherence import continue_neighbours
from ktviz.systems.kt.settings import Settings

NAME = "kt"
QUERIES_AT_ONCE = 6144
"""Queries searched at a time, 8 KB each for C = 128."""
PART_NAMES = ("ll", "lh", "hl", "hh")
PARTS = pa.list_(pa.float16(), 4)
NORM = "part of the norm in LL, LH, HL, HH, squares summing to 1"
# Half precision: three digits are enough to rank candidates by other weights; whole, these fill half of a file.
EXTENSIONS = (
    Extension("coherent", pa.bool_(), "chosen because it continues a neighbour's source"),
    *(Extension(f"similarity_{band}", pa.float16(), "cosine within the band") for band in PART_NAMES),
    Extension("query_bands", PARTS, NORM, "query", PART_NAMES),
    Extension("entry_bands", PARTS, NORM, "candidate", PART_NAMES),
    Extension("path", pa.list_(pa.int32()), "nodes from below the root to the leaf", "winner"),
    Extension("path_similarity", pa.list_(pa.float32()), "cosine of the query to each node of the path", "winner"),
)
"""Columns of a trace, as kt.coherent and so on."""


class Retrieval(RetrievalSite):
    """The retrieval site: features in, `Matches` out.

    Args:
        banks: What to search.
        paints: Whether the picture is painted with what is found; else only its tone follows from that.
    """

    prefix = NAME
    extensions = EXTENSIONS
    scale_px = float(STRIDE * QUERY_STEP)

    def __init__(self, banks: BankUnion, paints: bool = True) -> None:
        super().__init__()
        self.banks, self.paints, self.optional = banks, paints, not paints

    def forward(
        self,
        features: Tensor,
        grid: PatchGrid,
        settings: Settings,
        above: Tensor | None = None,
        device: torch.device = CPU,
    ) -> Matches:
        """Find the winners of all queries of one feature map (C, h, w), or of a strip.

        Args:
            features: Of the map, or of the rows that the strip covers.
            grid: Its queries.
            settings: How.
            above: (columns,) winners of the row of queries above a strip.
            device: Where to compare with all entries, if that is asked.
        """
        search = settings.search
        excluded = self.banks.excluded(settings.without)
        found = [
            self.banks.search(grid.unfold(features, index), search, excluded, device)
            for index in parts(grid, QUERIES_AT_ONCE)
        ]
        weights = torch.tensor(search.band_weights)
        matches = concatenate(found)
        tolerance = float(settings.coherence or 0)
        return continue_neighbours(matches, features, grid, self.banks, weights, tolerance, excluded, above)

    def read(self, inputs: tuple[Any, ...], output: Matches) -> list[Reading]:
        """One image or strip per call; boxes in px of the input, source boxes in px of the original sources."""
        features, grid, *_ = inputs
        y, x = grid.corners().unbind(1)
        y = y + grid.top
        side = torch.full_like(y, SIZE)
        queries = Queries(y, x, STRIDE * torch.stack((x, y, side, side), dim=1).float())
        path_similarity, query_bands, entry_bands = self.banks.look_back(features, grid, output)
        bands = {f"similarity_{band}": output["bands"][..., n] for n, band in enumerate(PART_NAMES)}
        extensions = {
            **bands,
            "coherent": (torch.arange(output.entry.shape[1]) == output.chosen[:, None]) & output["coherent"][:, None],
            "query_bands": query_bands,
            "entry_bands": entry_bands,
            "path": output["path"],
            "path_similarity": path_similarity.masked_fill(output["path"] < 0, -torch.inf),
        }
        return [Reading(replace(output, extensions=extensions), queries, self.banks)]


def parts(grid: PatchGrid, at_once: int) -> tuple[Tensor, ...]:
    """The queries of a grid, so many at a time."""
    found: tuple[Tensor, ...] = torch.arange(len(grid)).split(at_once)
    return found


def concatenate(found: Sequence[Matches]) -> Matches:
    """Matches of consecutive queries as one."""
    if len(found) == 1:
        return found[0]
    entry, similarity, chosen = (
        torch.cat([getattr(m, name) for m in found]) for name in ("entry", "similarity", "chosen")
    )
    extensions = {name: torch.cat([m[name] for m in found]) for name in found[0].extensions}
    return Matches(entry, similarity, chosen, extensions=extensions)
