"""Drift: how far a bank has moved away from the entries that its frame was made from."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

LEAST, MOST = 0.95, 3.0
"""The part of the nearness that is left, and how many times as large the largest leaf may be, before searches find
noticeably less than they could: measured by `benchmarks/drift.py`."""


@dataclass(frozen=True)
class Fit:
    """How well entries fit the leaves that they are in.

    Attributes:
        nearness: Mean cosine of their keys to the centres of their leaves.
        largest: Entries of the largest leaf over the mean of all that hold some.
    """

    nearness: float
    largest: float

    @classmethod
    def of(cls, cosines: float, sizes: Tensor) -> Fit:
        """Of so many entries in each leaf, (leaves,), from the sum of their cosines."""
        held = sizes[sizes > 0].double()
        return cls(cosines / float(held.sum()), float(held.max() / held.mean()))


@dataclass(frozen=True)
class Drift:
    """How well entries fit a frame.

    Attributes:
        before: Those that it was made from.
        now: Those that are there.
    """

    before: Fit
    now: Fit

    @property
    def matters(self) -> bool:
        """Whether searches may find noticeably less than they could."""
        return self.now.nearness < LEAST * self.before.nearness or self.now.largest > MOST * self.before.largest

    def __str__(self) -> str:
        return (
            f"keys are {self.now.nearness:.3f} near to the centres of leaves ({self.before.nearness:.3f} when the "
            f"tree was made), the largest leaf is {self.now.largest:.1f} times the mean ({self.before.largest:.1f})"
        )
