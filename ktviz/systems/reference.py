"""A reference: a picture whose look is taken on, what is known of it, and the parts of it that are left out."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ktviz.errors import MismatchError, SettingError, UnknownNameError
from ktviz.images import ImageLike, Pixels, file_digest, pixel_digest
from ktviz.library.kinds.registry import AnyUnion
from ktviz.library.library import Library
from ktviz.names import ends_in
from ktviz.regions import Box, Mask, SourceRegion, region_mask
from ktviz.retrieval.credit import Credit
from ktviz.systems.parts import is_number, stated
from ktviz.values import short

INPUT: Mapping[str, Any] = {"source": "input", "bank": "input", **Credit().described(), "sha256": "unknown"}
"""What is known of the picture that goes in, where cells of it are entries, too."""


@dataclass(frozen=True, eq=False)
class Reference:
    """A picture and what is known of it. Its entries are its pixels, unless a subclass says otherwise.

    Attributes:
        pixels: (h, w, 3) uint8.
        source: Its name, bank, credit and size, as a trace states its sources.
    """

    pixels: Pixels
    source: Mapping[str, Any]

    @property
    def name(self) -> str:
        return str(self.source["source"])

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in px."""
        return self.pixels.shape[0], self.pixels.shape[1]

    def regions(self, without: object) -> tuple[SourceRegion, ...]:
        """Parts of the reference that are not to be used, as they are stated in a trace.

        Raises:
            UnknownNameError: A part of something else, or all of it.
            RegionError: Not wholly inside the reference.
        """
        several = [without] if isinstance(without, (str, int, Box, SourceRegion, Mapping)) else without
        if not isinstance(several, Iterable):
            raise SettingError(f"without {without!r}", "no part of the reference", "Give a kt.Box of it")
        return tuple(self.region(one) for one in several)

    def region(self, part: object) -> SourceRegion:
        """One part of the reference; errors as in `regions`."""
        (height, width), name = self.size, self.name
        if isinstance(part, Mapping):
            part = stated(part)
        if isinstance(part, SourceRegion):
            if not ends_in(name, part.source):
                raise UnknownNameError(f"source {part.source!r}", f"the reference is {name}", "Name that")
            region_mask(part.box, height, width)  # refuses what lies outside
            return SourceRegion(name, part.box)
        if isinstance(part, Box):
            return self.region(SourceRegion(name, part))
        if isinstance(part, str):
            todo = "Name a part of it: kt.SourceRegion(name, kt.Box(...))"
            if part != self.source["bank"] and not ends_in(name, part):
                raise UnknownNameError(f"source {part!r}", f"the reference is {name}", todo)
            raise UnknownNameError(f"a run without {part}", "nothing would be left", todo)
        if is_number(part):
            return self.entry(int(part))
        raise UnknownNameError(f"part {short(part)}", f"no part of {name}", "Give a kt.Box of it")

    def entry(self, number: int) -> SourceRegion:
        """An entry, by its number."""
        height, width = self.size
        if not 0 <= number < height * width:
            raise UnknownNameError(f"part {number}", f"{self.name} has {width}x{height} px", "Give a kt.Box of it")
        return SourceRegion(self.name, Box(number % width, number // width, 1, 1))

    def touched(self, regions: Sequence[SourceRegion]) -> Mask:
        """The pixels that some regions touch: (h, w) bool."""
        mask = np.zeros(self.size, dtype=bool)
        for region in regions:
            box = region.box
            top, left = int(np.floor(max(0, box.y))), int(np.floor(max(0, box.x)))
            mask[top : int(np.ceil(box.bottom)), left : int(np.ceil(box.right))] = True
        return mask


def described(reference: ImageLike, pixels: Pixels) -> dict[str, Any]:
    """What is known of a reference that no bank holds."""
    path = Path(reference) if isinstance(reference, (str, os.PathLike)) else None
    return {
        "source": "reference" if path is None else path.name,
        "bank": "reference",
        **Credit().described(),
        "sha256": "unknown" if path is None else file_digest(path),
        "height": pixels.shape[0],
        "width": pixels.shape[1],
        "pixels": pixel_digest(pixels),
    }


def bank_of(source: Mapping[str, Any], library: Library | None) -> AnyUnion:
    """The bank that a source of a trace names, if that holds it.

    Raises:
        MismatchError: There is no library, or no such bank or source.
    """
    name, bank = str(source["source"]), str(source["bank"])
    asked, todo = f"the reference {name} of the trace", "Give the library of the trace"
    if library is None:
        raise MismatchError(asked, "no library was given", todo)
    if bank not in list(library):
        raise MismatchError(asked, f"the library has no bank {bank}", todo)
    if name not in library[bank].source_numbers:
        raise MismatchError(asked, f"bank {bank} does not hold it", todo)
    return library[bank]
