"""Matches: the one value that crosses from search to transfer."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ktviz.retrieval.exact import leading


@dataclass(frozen=True, repr=False)
class Matches:
    """What a search found for N queries, k candidates each, best first.

    Retrieval is *hard* where `weight` is None: the winner alone is used. It is *soft* where `weight` says how much of
    each candidate went into the result; what the k candidates lack to 1 is left over.

    Attributes:
        entry: (N, k) int64 entry numbers in the searched bank; -1 where there were fewer candidates.
        similarity: (N, k) float32 bandpass cosine (or the system's own score); -inf where there is no candidate.
        band_similarity: (N, k, 4) float32 cosine within LL, LH, HL, HH; (N, k, 0) in a system without bands.
        path: (N, depth) int64 nodes from below the root to the winner's leaf; -1 beyond the leaf. In a union of banks
            the nodes are those of the winner's bank. (N, 0) in a system without a tree.
        chosen: (N,) int64 column of the winner; 0 unless a neighbour's continuation was accepted.
        coherent: (N,) bool, True where the winner was chosen because it continues a neighbour's.
        weight: (N, k) float32 weights of soft retrieval, or None.
    """

    entry: Tensor
    similarity: Tensor
    band_similarity: Tensor
    path: Tensor
    chosen: Tensor
    coherent: Tensor
    weight: Tensor | None = None

    @classmethod
    def hard(cls, entry: Tensor, similarity: Tensor) -> Matches:
        """Matches of a system that takes the best candidate, without bands and tree.

        Args:
            entry: (N,) or (N, k) int64, best first.
            similarity: Scores of the same shape.
        """
        entry, similarity = (t.detach().reshape(len(t), -1) for t in (entry, similarity))
        count, width = entry.shape
        return cls(
            entry=entry.long(),
            similarity=similarity.float(),
            band_similarity=torch.empty(count, width, 0),
            path=torch.empty(count, 0, dtype=torch.int64),
            chosen=torch.zeros(count, dtype=torch.int64),
            coherent=torch.zeros(count, dtype=torch.bool),
        )

    @classmethod
    def soft(cls, weights: Tensor, top: int = 8, similarity: Tensor | None = None) -> Matches:
        """Matches of a system that mixes candidates, such as attention: the heaviest are kept.

        Args:
            weights: (N, P) weights over all P candidates, rows summing to 1.
            top: Candidates to keep per query; the others become the left-over mass.
            similarity: (N, P) scores; the weights themselves if None.
        """
        weights = weights.detach().float()
        entry = leading(weights, top)
        weight = weights.gather(1, entry)
        score = weight if similarity is None else similarity.detach().float().gather(1, entry)
        hard = cls.hard(entry, score)
        return cls(entry, hard.similarity, hard.band_similarity, hard.path, hard.chosen, hard.coherent, weight)

    def __len__(self) -> int:
        return self.entry.shape[0]

    def __repr__(self) -> str:
        kind = "hard" if self.weight is None else "soft"
        similarity = f"median similarity {float(self.winner_similarity.median()):.3f}" if len(self) else "no query"
        return f"Matches({len(self):,} {kind} retrievals, {self.entry.shape[1]} candidates each, {similarity})"

    @property
    def winner(self) -> Tensor:
        """(N,) entry that was taken."""
        return self.entry.gather(1, self.chosen[:, None])[:, 0]

    @property
    def winner_similarity(self) -> Tensor:
        """(N,) bandpass cosine of the winner."""
        return self.similarity.gather(1, self.chosen[:, None])[:, 0]

    @property
    def margin(self) -> Tensor:
        """(N,) best similarity minus second best: small where the choice was close; inf with one candidate."""
        if self.similarity.shape[1] < 2:
            return torch.full((len(self),), torch.inf)
        return self.similarity[:, 0] - self.similarity[:, 1]
