"""Sources: the images behind a bank, and who made them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from ktviz.library.licences import UNKNOWN, spdx
from ktviz.names import without_suffix


@dataclass(frozen=True)
class Credit:
    """Who made a source; "unknown" is a value, never a gap.

    Attributes:
        title: Of the work.
        creator: Who made it.
        year: When.
        licence: As it was written.
        url: Where it is from.
    """

    title: str = UNKNOWN
    creator: str = UNKNOWN
    year: str = UNKNOWN
    licence: str = UNKNOWN
    url: str = UNKNOWN

    @property
    def spdx(self) -> str:
        """The licence's SPDX identifier; "unknown" where it is not certain."""
        return spdx(self.licence)

    def described(self) -> dict[str, str]:
        """All of it by name, the SPDX identifier beside the licence."""
        said = {**asdict(self), "spdx": self.spdx}
        return {name: said[name] for name in ("title", "creator", "year", "licence", "spdx", "url")}


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
    credit: Credit = Credit()


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
