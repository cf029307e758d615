"""A source of a bank of patches."""

from __future__ import annotations

from dataclasses import dataclass

from ktviz.library.sources import Source


@dataclass(frozen=True)
class PatchSource(Source):
    """One image in a bank of patches.

    Attributes:
        rows: Height of its feature map in cells.
        columns: Width of its feature map in cells.
        entries: Patches that survived de-duplication.
        positions: Patches before de-duplication.
    """

    rows: int
    columns: int
    entries: int
    positions: int

    @property
    def survivor_rate(self) -> float:
        """Share of the patches that survived de-duplication."""
        return self.entries / self.positions
