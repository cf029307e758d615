"""Matches: the one value that crosses from search to use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from ktviz.printing import counted
from ktviz.retrieval.exact import leading

Kind = Literal["hard", "soft", "signed"]


@dataclass(frozen=True, repr=False)
class Matches:
    """What N queries chose, k candidates each.

    Retrieval is *hard* where `weight` is None: the winner alone is used. It is *soft* where `weight` says how much of
    each candidate went into the result, and *signed* where some of that was taken away instead of added; what the k
    candidates lack to 1 is left over.

    Attributes:
        entry: (N, k) int64 numbers of entries in a catalogue; -1 where there were fewer candidates.
        similarity: (N, k) float32 score by which the system chose; -inf where there is no candidate.
        chosen: (N,) int64 column of the winner; of soft retrieval the heaviest.
        weight: (N, k) float32 part of each candidate in its query's result, or None.
        extensions: What the system knows of its retrievals besides, by name: (N, ...) of queries or winners, or
            (N, k, ...) of candidates, as the site declares them (`Extension`).

    Example:
        >>> import torch
        >>> Matches.hard(torch.tensor([[4, 7]]), torch.tensor([[0.9, 0.5]])).winner
        tensor([4])
    """

    entry: Tensor
    similarity: Tensor
    chosen: Tensor
    weight: Tensor | None = None
    extensions: Mapping[str, Tensor] = field(default_factory=dict)

    @classmethod
    def hard(cls, entry: Tensor, similarity: Tensor, **extensions: Tensor) -> Matches:
        """Matches of a system that takes the best candidate.

        Args:
            entry: (N,) or (N, k) int64, best first.
            similarity: Scores of the same shape.
            **extensions: As in the class.
        """
        entry, similarity = (t.detach()[:, None] if t.ndim == 1 else t.detach() for t in (entry, similarity))
        chosen = torch.zeros(len(entry), dtype=torch.int64)
        return cls(entry.long(), similarity.float(), chosen, None, extensions)

    @classmethod
    def soft(cls, weights: Tensor, top: int = 8, similarity: Tensor | None = None, **extensions: Tensor) -> Matches:
        """Matches of a system that mixes candidates, such as attention: the heaviest are kept.

        Args:
            weights: (N, P) parts of all P candidates; a negative part was taken away. Rows of attention sum to 1.
            top: Candidates to keep per query; the others become the left-over mass.
            similarity: (N, P) scores; the weights themselves if None.
            **extensions: As in the class.

        Example:
            >>> mixed = Matches.soft(torch.tensor([[0.1, 0.7, 0.2]]), top=2)
            >>> mixed.entry, mixed.weight
            (tensor([[1, 2]]), tensor([[0.7000, 0.2000]]))
        """
        weights = weights.detach().float()
        entry = leading(weights.abs(), top)
        weight = weights.gather(1, entry)
        score = weight if similarity is None else similarity.detach().float().gather(1, entry)
        return cls(entry, score, torch.zeros(len(entry), dtype=torch.int64), weight, extensions)

    def __getitem__(self, extension: str) -> Tensor:
        return self.extensions[extension]

    def __len__(self) -> int:
        return self.entry.shape[0]

    def __repr__(self) -> str:
        similarity = f"median similarity {float(self.winner_similarity.median()):.3f}" if len(self) else "no query"
        retrievals, each = counted(len(self), f"{self.kind} retrieval"), counted(self.entry.shape[1], "candidate")
        return f"Matches({retrievals}, {each} each, {similarity})"

    @property
    def kind(self) -> Kind:
        """How the winner, or the mixture, was used."""
        if self.weight is None:
            return "hard"
        return "signed" if bool((self.weight < 0).any()) else "soft"

    @property
    def winner(self) -> Tensor:
        """(N,) entry that was taken."""
        return self.entry.gather(1, self.chosen[:, None])[:, 0]

    @property
    def winner_similarity(self) -> Tensor:
        """(N,) score of the winner."""
        return self.similarity.gather(1, self.chosen[:, None])[:, 0]

    @property
    def margin(self) -> Tensor:
        """(N,) best similarity minus second best: small where the choice was close; inf with one candidate."""
        if self.similarity.shape[1] < 2:
            return torch.full((len(self),), torch.inf)
        return self.similarity[:, 0] - self.similarity[:, 1]
