"""Drift: how far a bank has moved away from the entries that its frame was made from."""

from __future__ import annotations

from dataclasses import dataclass

LEAST = 0.9
"""Part of the fit that is left where a frame should be made anew; see docs/library-format.md."""
MOST = 40.0
"""The largest leaf over the mean of all where it should."""


@dataclass(frozen=True)
class Drift:
    """How well a frame fits the entries that are in it.

    Attributes:
        before: Mean cosine of the keys that it was made from to the centres of their leaves.
        now: The same of the keys that are there.
        largest: Entries of the largest leaf over the mean of all leaves that hold some.
    """

    before: float
    now: float
    largest: float

    @property
    def matters(self) -> bool:
        """Whether searches may find noticeably less than they could."""
        return self.now < LEAST * self.before or self.largest > MOST

    def __str__(self) -> str:
        return (
            f"entries are {self.now:.3f} near to the centres of their leaves, and were {self.before:.3f} when its tree "
            f"was made; the largest leaf holds {self.largest:.1f} times the mean"
        )
