"""What a picture is made with: the source's own code, and those that were asked for, cell by cell.

Codes are maps of non-negative numbers that are added up, so that the sum of a cell's numbers is divided among its parts
without a rest: the share of each is exact.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

OWN, LABELS, THEIRS = "own", "labels", "reference"
"""Whose a part of a code is."""


@dataclass(frozen=True, eq=False)
class Branch:
    """Codes that are added up.

    Attributes:
        weight: Of their sum in what the norms make of it; 1 where there is one branch.
        parts: (1, C, h, w) each, by whose it is.
    """

    weight: float
    parts: Mapping[str, Tensor]

    def shares(self) -> dict[str, Tensor]:
        """The part of each in every cell: (cells,) float32, adding up to the weight; 0 where all of them are 0."""
        norms = {name: norm(part).double() for name, part in self.parts.items()}
        total = torch.stack(list(norms.values())).sum(0)
        return {name: torch.where(total > 0, self.weight * one / total, 0.0).float() for name, one in norms.items()}


@dataclass(frozen=True, eq=False)
class Mixture:
    """The codes of a run.

    Attributes:
        own: (1, C, h, w) that of the source, with which a picture begins.
        branches: One; or where the norms mix, that of the labels and that of the reference.
    """

    own: Tensor
    branches: tuple[Branch, ...]

    @classmethod
    def of(
        cls, own: Tensor, labels: Tensor | None, reference: Tensor | None, alpha: float | None, spade: bool
    ) -> Mixture:
        """From the codes of source, labels and reference.

        Args:
            own: (1, C, h, w).
            labels: The same, or None.
            reference: The same, or None.
            alpha: Part of the labels' code, where there are both.
            spade: Whether the norms mix what they make of both; then the labels' code lacks the source's, as published.
        """
        if labels is None or reference is None or alpha is None:
            asked = {LABELS: labels, THEIRS: reference}
            return cls(own, (Branch(1.0, {OWN: own, **{n: code for n, code in asked.items() if code is not None}}),))
        if spade:
            return cls(own, (Branch(alpha, {LABELS: labels}), Branch(1 - alpha, {OWN: own, THEIRS: reference})))
        return cls(own, (Branch(1.0, {OWN: own, LABELS: alpha * labels, THEIRS: (1 - alpha) * reference}),))

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of cells."""
        return self.own.shape[2], self.own.shape[3]

    @property
    def parts(self) -> dict[str, Tensor]:
        """All parts, by whose they are."""
        return {name: part for branch in self.branches for name, part in branch.parts.items()}

    def shares(self) -> dict[str, Tensor]:
        """The part of each in every cell: (cells,) float32."""
        return {name: share for branch in self.branches for name, share in branch.shares().items()}

    def codes(self, amount: Tensor | None = None) -> list[Tensor]:
        """Of every branch, (1, C, h, w).

        Args:
            amount: (cells,) by which what was asked for is scaled, from the source's own code at 0; 1 if None.
        """
        amount = torch.ones(self.grid) if amount is None else amount.view(self.grid)
        found = []
        for branch in self.branches:
            code = branch.parts[OWN] if OWN in branch.parts else (1 - amount) * self.own
            for name, part in branch.parts.items():
                code = code if name == OWN else code + amount * part
            found.append(code)
        return found


def norm(part: Tensor) -> Tensor:
    """Sum of the absolute numbers of every cell: (1, C, h, w) to (cells,)."""
    return part.abs().sum(1).flatten()
