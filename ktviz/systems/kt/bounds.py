"""What a search can find where rounding is another: the bounds of what is found at each place.

A beam visits the leaves that look best and compares the entries that do; greedy descent follows the node that is
nearest. Each ends somewhere, and where two are nearly equal at that edge, the last digits of features decide what is
compared at all. So a query in doubt is asked again and again, moved by as much as rounding moves it, and by more.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log10

import torch
from torch import Tensor

from ktviz.library.kinds.patches.bands import to_vectors
from ktviz.library.kinds.patches.compare import compare
from ktviz.library.kinds.patches.grid import PatchGrid
from ktviz.library.kinds.patches.union import BankUnion
from ktviz.retrieval.matches import Matches
from ktviz.systems.kt.settings import Settings

LEAST_MOVED, MOST_MOVED = 1e-6, 2e-4
"""By how much, relative to the features of the photograph. Processors differ by 1e-6 to 1.5e-6 (root mean square); what
this does to one query in thousands, a larger step does to that query more often."""
TIMES = 64
"""How often."""


@dataclass(frozen=True)
class Asked:
    """What was searched for, and how.

    Attributes:
        features: (C, h, w).
        grid: Its queries.
        banks: What was searched.
        settings: How.
        excluded: (entries,) bool of those that might not be taken.
    """

    features: Tensor
    grid: PatchGrid
    banks: BankUnion
    settings: Settings
    excluded: Tensor | None

    def near(self, query: Tensor) -> tuple[Tensor, Tensor]:
        """What might be found for some queries (n,): entries and what they are worth, (n, `TIMES`, k), best first."""
        random, asked = torch.Generator().manual_seed(0), self.grid.unfold(self.features, query)
        sizes = torch.logspace(log10(LEAST_MOVED), log10(MOST_MOVED), TIMES) * self.features.square().mean().sqrt()
        moved = asked.repeat_interleave(TIMES, 0)
        moved += sizes.repeat(len(query))[:, None, None, None] * torch.randn(moved.shape, generator=random)
        search = self.settings.search
        entry = self.banks.search(moved, search, self.excluded).entry.reshape(len(query), -1)
        similarity = compare(to_vectors(asked), entry, self.banks, torch.tensor(search.band_weights))[0]
        shape = len(query), TIMES, search.candidates
        best, order = similarity.reshape(shape).sort(dim=2, descending=True, stable=True)
        return entry.reshape(shape).gather(2, order), best


@dataclass(frozen=True)
class Bounds:
    """The least and the most that is found, place by place; without the coherence of neighbours.

    Attributes:
        low: (N, k) similarities, -inf where there may be no candidate.
        high: (N, k)
        margin: (2, N) the least and the largest margin, inf without a second candidate.
        first: (N,) the best entry, -1 where it is not always the same.
        best: (N, `TIMES` + 1) similarities of the best that were found; often the same one.
    """

    low: Tensor
    high: Tensor
    margin: Tensor
    first: Tensor
    best: Tensor

    @classmethod
    def of(cls, found: Matches) -> Bounds:
        """Of what one search found."""
        margin, best = torch.stack((found.margin, found.margin)), found.similarity[:, :1].repeat(1, TIMES + 1)
        return cls(found.similarity, found.similarity, margin, found.entry[:, 0], best)

    def seen(self, similarity: Tensor, room: float) -> Tensor:
        """Whether similarities (N,) are near one of a best entry that was found: between two of them, there need be
        none. (N,) bool."""
        return ((similarity[:, None] - self.best).abs() <= room).any(1)

    def widened(self, query: Tensor, asked: Asked) -> Bounds:
        """Bounds that hold, for some queries (n,), what is found where rounding moves these."""
        entry, similarity = asked.near(query)
        low, high, margin, first, best = (
            values.clone() for values in (self.low, self.high, self.margin, self.first, self.best)
        )
        low[query] = low[query].minimum(similarity.amin(1))
        high[query] = high[query].maximum(similarity.amax(1))
        if similarity.shape[2] > 1:
            margins = similarity[..., 0] - similarity[..., 1]
            margin[0, query] = margin[0, query].minimum(margins.amin(1))
            margin[1, query] = margin[1, query].maximum(margins.amax(1))
        first[query] = torch.where((entry[..., 0] == first[query, None]).all(1), first[query], -1)
        best[query, 1:] = similarity[..., 0]
        return Bounds(low, high, margin, first, best)
