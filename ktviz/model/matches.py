"""Matches: the one value that crosses from search to transfer."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Matches:
    """What a search found for N queries, k candidates each, best first.

    Attributes:
        entry: (N, k) int64 entry numbers in the searched bank; -1 where there were fewer candidates.
        similarity: (N, k) float32 bandpass cosine; -inf where there is no candidate.
        band_similarity: (N, k, 4) float32 cosine within LL, LH, HL, HH.
        path: (N, depth) int64 nodes from below the root to the winner's leaf; -1 beyond the leaf. In a union of banks
            the nodes are those of the winner's bank.
        chosen: (N,) int64 column of the winner; 0 unless a neighbour's continuation was accepted.
        coherent: (N,) bool, True where the winner was chosen because it continues a neighbour's.
    """

    entry: Tensor
    similarity: Tensor
    band_similarity: Tensor
    path: Tensor
    chosen: Tensor
    coherent: Tensor

    def __len__(self) -> int:
        return self.entry.shape[0]

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
