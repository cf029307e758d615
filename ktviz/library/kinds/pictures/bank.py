"""A bank of pictures: references of one task, each kept to the pixel."""

from __future__ import annotations

from dataclasses import dataclass

from ktviz.library.banks import expect, fitting
from ktviz.library.kinds.pictures.kept import KeptBank
from ktviz.library.layout import PICTURES
from ktviz.library.place import Place
from ktviz.printing import counted


@dataclass(frozen=True, eq=False, repr=False)
class PictureBank(KeptBank):
    """One bank of pictures. Each source is one entry."""

    kind = PICTURES

    @property
    def attribute_names(self) -> tuple[str, ...]:
        """Names of the attributes that are known of its pictures."""
        return tuple(self.sources[0].attributes or ())

    def __repr__(self) -> str:
        return f"PictureBank({self.name!r}, {counted(len(self), 'picture')}, digest {self.digest[:12]})"

    def check(self) -> None:
        """Raise ValueError unless pictures, maps and attributes are those of the sources."""
        super().check()
        check_attributes(self)


def load_pictures(place: Place) -> PictureBank:
    """Open a bank.

    Raises:
        LibraryError: Its files do not fit together.
    """
    with fitting(place.name):
        return PictureBank.opened(place)


def check_attributes(bank: PictureBank) -> None:
    """Raise ValueError unless all sources have the same attributes."""
    for source in bank.sources:
        known = source.attributes or {}
        alike = tuple(known) == bank.attribute_names and all(isinstance(has, bool) for has in known.values())
        expect(alike, "the same attributes of all sources")
