"""Sources that are kept to the pixel, with their maps: how they are written, and how a bank of them is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Generic, Self, TypeVar

import numpy as np

from ktviz.errors import LabelError, LibraryError
from ktviz.images import Pixels, decode, decode_image, resize_short_side, stored_size, write_image
from ktviz.labels import Classes, as_instances, read_map, write_map
from ktviz.labels.maps import Map
from ktviz.library.banks import Banks, expect
from ktviz.library.layout import CLASSES, MAPS, PICTURE
from ktviz.library.maps import MapFolders, check_classes, check_fitting
from ktviz.library.place import Place
from ktviz.library.sources import Source, SourceFile, Sources, source_of

THUMB_PX = 192
"""Shorter side of the small pictures."""
TODO = "Open the library again"


@dataclass(frozen=True, eq=False, repr=False)
class KeptBank:
    """What banks that keep their sources have in common. Pictures and maps are read from disk when they are asked for.

    Attributes:
        place: Where it lies on disk.
        sources: Its sources.
        classes: Of its label maps; None if it has none.
        maps: Which maps stand beside each picture: none, "labels", or "labels" and "instances".
    """

    kind: ClassVar[str]

    place: Place
    sources: Sources[Source]
    classes: Classes | None
    maps: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.sources)

    @property
    def name(self) -> str:
        """ "task/style"."""
        return self.place.name

    @property
    def digest(self) -> str:
        """Digest of its files."""
        return self.place.record.digest

    def _repr_html_(self) -> str | None:
        """What a notebook shows."""
        from ktviz.figures.cards import banks_card, unless_refused

        return unless_refused(banks_card, self)

    def picture(self, source: int) -> Pixels:
        """A source as it was given, upright: (H, W, 3) uint8; errors as in `stored`."""
        return decode_image(self.stored(source), asked=f"picture {self._called(source)}")

    def thumb(self, source: int) -> bytes:
        """The small JPEG of a source; errors as in `stored`."""
        return self.place.thumb(source)

    def stored(self, source: int, ending: str = PICTURE) -> bytes:
        """A file of a source, by default its picture; see `Layout.of_source`.

        Raises:
            LibraryError: It was changed, or is gone: the bank was edited since it was opened.
        """
        return self.place.read(source, ending)

    def labels(self, source: int) -> Map | None:
        """The class of every pixel of a source: (H, W) int64; None if the bank has no maps.

        Raises:
            LibraryError: It is gone, or holds something else.
        """
        return self._map(source, "labels") if "labels" in self.maps else None

    def instances(self, source: int) -> Map | None:
        """The object of every pixel of a source: (H, W) int64; None if the bank has no instance maps.

        Raises:
            LibraryError: It is gone, or does not agree with the label map.
        """
        labels = self.labels(source)
        if labels is None or self.classes is None or "instances" not in self.maps:
            return None
        found = self._map(source, "instances")
        try:
            agree = np.array_equal(found, as_instances(found, labels, self.classes))
        except LabelError as error:
            raise LibraryError(f"instances of {self._called(source)}", error.found, TODO) from None
        if not agree:
            raise LibraryError(f"instances of {self._called(source)}", "objects that do not say their class", TODO)
        return found

    def _map(self, source: int, name: str) -> Map:
        asked, picture = f"{name} of {self._called(source)}", self.sources[source]
        try:
            found = read_map(self.place.file(source, MAPS[name]))
        except LabelError as error:
            raise LibraryError(asked, error.found, TODO) from None
        if found.shape != (picture.height, picture.width):
            raise LibraryError(asked, "not of its picture's size", TODO)
        if name == "labels" and self.classes is not None and found.max() >= len(self.classes):
            raise LibraryError(asked, f"class {found.max()} of {len(self.classes)}", TODO)
        return found

    def _called(self, source: int) -> str:
        return f"{self.name}/{self.sources[source].name}"

    def check(self) -> None:
        """Raise ValueError unless pictures and maps are of their sources' sizes; `labels` and `instances` tell more."""
        expect(len(self.sources) > 0, "at least one source")
        for number, source in enumerate(self.sources):
            for ending in (PICTURE, *(MAPS[name] for name in self.maps)):
                size = stored_size(self.stored(number, ending), source.name)
                expect(size == (source.height, source.width), "pictures and maps of the sources' sizes")

    @classmethod
    def opened(cls, place: Place, **more: Any) -> Self:
        """A bank; raises what readers and constructors raise on files that are not what they should be.

        Args:
            place: Where it lies.
            **more: What a kind of bank has beside that.
        """
        maps = tuple(what for what, ending in MAPS.items() if ending in place.record.of_source)
        classes = Classes.read(place.table(CLASSES)) if maps else None
        return cls(place, place.sources, classes, maps, **more)


K_co = TypeVar("K_co", bound=KeptBank, covariant=True)


class KeptBanks(Banks[K_co], Generic[K_co]):
    """Several banks that keep their sources."""

    def labels(self, source: int) -> Map | None:
        """The class of every pixel of a source: (H, W) int64; None if its bank has no maps.

        Example:
            >>> rooms = samples.bank("scenes/rooms", quiet=True)
            >>> rooms.labels(0).shape == rooms.picture(0).shape[:2]
            True
        """
        bank, number = self.bank_of_source(source)
        return bank.labels(number)

    def instances(self, source: int) -> Map | None:
        """The object of every pixel of a source: (H, W) int64; None if its bank has no instance maps.

        Example:
            >>> rooms = samples.bank("scenes/rooms", quiet=True)
            >>> rooms.instances(0).shape == rooms.picture(0).shape[:2]
            True
        """
        bank, number = self.bank_of_source(source)
        return bank.instances(number)

    @cached_property
    def classes(self) -> Classes | None:
        """Of all label maps; None if there are none.

        Raises:
            LibraryError: Two banks have other classes; the message names the first that differs.
        """
        first = self.banks[0]
        for bank in self.banks[1:]:
            check_classes(first.classes, bank.classes, f"banks {first.name} and {bank.name} together")
        return first.classes


def classes_for(bank: KeptBank | None, maps: MapFolders | None) -> Classes | None:
    """The classes that maps are written with: those of the bank they are to enter, if there is one.

    Raises:
        LibraryError: The bank has other maps, or other classes.
    """
    if bank is None:
        return None if maps is None else maps.classes
    check_fitting(bank.name, bank.maps, bank.classes, maps)
    return bank.classes


def write_kept(file: SourceFile, files: Sequence[Path], classes: Classes | None) -> tuple[Pixels, list[Map]]:
    """Write a picture, the small one, and its maps, one file each; the numbers of what was written.

    A picture is kept upright, as 8-bit sRGB, in a PNG: every size that can be read can be kept so. It takes at most 3
    bytes a pixel, and a thousandth for what stands around them; photographs take about 2.
    """
    picture, thumb, *places = files
    pixels, _ = decode(file.path)  # what there is to warn of has been said when it was checked
    write_image(picture, pixels)
    write_image(thumb, shrunk(pixels))
    maps = [] if file.maps is None else file.maps.read(*pixels.shape[:2])
    for place, numbers, palette in zip(places, maps, (classes, None), strict=False):
        write_map(place, numbers, palette)
    return pixels, maps


def kept_source(file: SourceFile, picture: Path) -> Source:
    """What is known of a source whose picture is written."""
    return source_of(file, *stored_size(picture.read_bytes(), file.name))


def shrunk(pixels: Pixels) -> Pixels:
    """A picture at most `THUMB_PX` on its shorter side."""
    return resize_short_side(pixels, THUMB_PX) if min(pixels.shape[:2]) > THUMB_PX else pixels
