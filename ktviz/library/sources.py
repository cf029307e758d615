"""Sources: the images behind a bank, and who made them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ktviz.names import without_suffix
from ktviz.retrieval.credit import Credit


@dataclass(frozen=True)
class SourceFile:
    """An image that is to enter a bank.

    Attributes:
        path: The file.
        name: Its name in the bank: the path below the folder it was found in.
        sha256: Digest of the file's bytes.
        credit: Who made it.
    """

    path: Path
    name: str
    sha256: str
    credit: Credit = Credit()  # noqa: RUF009 (frozen)


@dataclass(frozen=True)
class Source:
    """One image in a bank.

    Attributes:
        name: Unique in its bank.
        sha256: Digest of the original file's bytes.
        credit: Who made it.
        width: Original width in px.
        height: Original height in px.
        rows: Height of its feature map in cells.
        columns: Width of its feature map in cells.
        entries: Patches that survived de-duplication.
        positions: Patches before de-duplication.
    """

    name: str
    sha256: str
    credit: Credit
    width: int
    height: int
    rows: int
    columns: int
    entries: int
    positions: int

    @property
    def survivor_rate(self) -> float:
        """Share of the patches that survived de-duplication."""
        return self.entries / self.positions

    @property
    def stem(self) -> str:
        """The name without its suffix, for captions; two sources may have the same."""
        return without_suffix(self.name)
