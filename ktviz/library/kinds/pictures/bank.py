"""A bank of pictures: references of one task, each kept to the pixel."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ktviz.library.banks import fitting
from ktviz.library.kinds.pictures.kept import KeptBank
from ktviz.library.layout import PICTURES


@dataclass(frozen=True, eq=False, repr=False)
class PictureBank(KeptBank):
    """One bank of pictures. Each source is one entry."""

    kind = PICTURES

    def __repr__(self) -> str:
        return f"PictureBank({self.name!r}, {len(self)} pictures, digest {self.digest[:12]})"


def load_pictures(name: str, folder: Path, digest: str) -> PictureBank:
    """Open a bank.

    Raises:
        LibraryError: Its files do not fit together.
    """
    with fitting(name):
        return PictureBank.opened(name, folder, digest)
