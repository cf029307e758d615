"""Retrieval sites: the modules through which `Matches` pass, and what is needed to read them in any system.

A recorder listens at sites and nowhere else. It needs three things that a tensor of entry numbers does not say: where
the queries lie in the image, what the entries are, and, in a tree, how near the query was to the nodes on its way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from ktviz.retrieval.catalogue import Knowledge
from ktviz.retrieval.matches import Matches
from ktviz.retrieval.queries import Queries


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
