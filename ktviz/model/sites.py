"""Retrieval sites: the modules through which `Matches` pass, and what is needed to read them in any system.

A recorder listens at sites and nowhere else. It needs three things that a tensor of entry numbers does not say: where
the queries lie in the image, what the entries are, and, in a tree, how near the query was to the nodes on its way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from ktviz.model.matches import Matches


@dataclass(frozen=True, repr=False)
class Queries:
    """Where the N queries of one image lie.

    Attributes:
        y: (N,) int64 row in the site's grid.
        x: (N,) int64 column.
        box: (N, 4) float32 x, y, width, height in px of the input.
    """

    y: Tensor
    x: Tensor
    box: Tensor

    @classmethod
    def grid(cls, rows: int, columns: int, step_px: float, size_px: float | None = None) -> Queries:
        """Queries on a regular grid, row by row.

        Args:
            rows: Rows of queries.
            columns: Queries in a row.
            step_px: Distance of neighbours in px of the input.
            size_px: Side of a query's box; `step_px` if None.
        """
        y, x = (t.flatten() for t in torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij"))
        size = torch.full((rows * columns,), step_px if size_px is None else size_px)
        return cls(y, x, torch.stack((x * step_px, y * step_px, size, size), dim=1).float())

    def __len__(self) -> int:
        return len(self.y)

    def __repr__(self) -> str:
        rows, columns = len(self.y.unique()), len(self.x.unique())
        return f"Queries({len(self):,} in {rows} rows and {columns} columns)"


class Knowledge(Protocol):
    """What entry numbers mean: patches of images, whole images, clusters or codes.

    `source_names` are unique; `describe_sources` gives one dictionary per source with at least `source`, `bank`,
    `title`, `creator`, `year`, `licence`, `url`, `sha256`, and `width` and `height` in px where they are known; `boxes`
    gives entries (n,) their place in the original source as (n, 4) float32 x, y, width, height in px, NaN where an
    entry is the source as a whole.
    """

    @property
    def source_names(self) -> Sequence[str]: ...

    def source_of(self, entries: Tensor, /) -> Tensor: ...

    def boxes(self, entries: Tensor, /) -> Tensor: ...

    def describe_sources(self) -> Sequence[Mapping[str, Any]]: ...

    def digests(self) -> dict[str, str]: ...


@dataclass(frozen=True, repr=False)
class Reading:
    """The retrievals of one image at one site.

    Attributes:
        matches: Of N queries.
        queries: Where they lie.
        knowledge: What the entries are.
        path_similarity: (N, depth) float32 cosine of the query to the nodes of `matches.path`, NaN beyond the leaf;
            None in a system without a tree.
        query_bands: (N, 4) float32 part of each query's norm in LL, LH, HL, HH, squares summing to 1; None in a system
            without bands.
        entry_bands: (N, k, 4) float32, the same of the candidates.
    """

    matches: Matches
    queries: Queries
    knowledge: Knowledge
    path_similarity: Tensor | None = None
    query_bands: Tensor | None = None
    entry_bands: Tensor | None = None

    def __repr__(self) -> str:
        return f"Reading({self.matches!r}, {self.queries!r}, {len(self.knowledge.source_names)} sources)"


class RetrievalSite(nn.Module):
    """A module whose forward returns `Matches`; subclasses say how a call is read.

    Attributes:
        causal: Whether the recorded candidates really fed the output, or are only its nearest explanation.
    """

    causal: bool = True

    def read(self, inputs: tuple[Any, ...], output: Any) -> list[Reading]:
        """The retrievals of one call, one `Reading` per image."""
        raise NotImplementedError
