"""A reference: a picture whose look is taken on, what is known of it, and the parts of it that are left out."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ktviz.errors import SettingError, UnknownNameError
from ktviz.images import ImageLike, Pixels, as_pixels, file_digest, pixel_digest
from ktviz.library.format import is_bank_name
from ktviz.licences import UNKNOWN, spdx
from ktviz.names import ends_in
from ktviz.regions import Box, Mask, SourceRegion, region_mask
from ktviz.retrieval.credit import Credit
from ktviz.systems.parts import is_number, stated
from ktviz.values import listed, short

GIVEN = "reference"
"""What a reference that no bank holds is called, and what it is out of, where nobody says more."""
SAID = ("source", "bank", "title", "creator", "year", "licence", "url", "sha256")
"""What can be said of such a reference: its name, what it is out of, its credit, the digest of its file."""
FOLLOWS = ("spdx", "height", "width", "pixels")
"""What follows from its licence and its pixels, and is not taken from anybody."""
LONGEST = 1000
"""Letters of what is said."""

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

    @property
    def digest(self) -> str:
        """SHA-256 of its pixels."""
        return pixel_digest(self.pixels)

    def is_called(self, name: str) -> bool:
        """Whether a name means it: the end of its own, or that with its bank before it, as traces tell equal names
        apart."""
        return ends_in(self.name, name) or name == f"{self.source['bank']}/{self.source['source']}"

    def regions(self, without: object) -> tuple[SourceRegion, ...]:
        """Parts of the reference that are not to be used, as they are stated in a trace.

        Raises:
            UnknownNameError: A part of something else, or all of it.
            RegionError: Not wholly inside the reference.
            SettingError: Something else.
        """
        return tuple(self.region(one) for one in listed(without))

    def region(self, part: object) -> SourceRegion:
        """One part of the reference; errors as in `regions`."""
        (height, width), name = self.size, self.name
        if isinstance(part, Mapping):
            part = stated(part)
        if isinstance(part, SourceRegion):
            if not self.is_called(part.source):
                raise UnknownNameError(f"source {part.source!r}", f"the reference is {name}", "Name that")
            region_mask(part.box, height, width)  # refuses what lies outside
            return SourceRegion(name, part.box)
        if isinstance(part, Box):
            return self.region(SourceRegion(name, part))
        if isinstance(part, str):
            todo = "Name a part of it: kt.SourceRegion(name, kt.Box(...))"
            if part != self.source["bank"] and not self.is_called(part):
                raise UnknownNameError(f"source {part!r}", f"the reference is {name}", todo)
            raise UnknownNameError(f"a run without {part}", "nothing would be left", todo)
        if is_number(part):
            return self.entry(int(part))
        raise SettingError(f"without {short(part)}", "no part of the reference", "Give a kt.Box of it")

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


def given(reference: ImageLike, source: object = None) -> Reference:
    """A reference that no bank holds; arguments and errors as in `described`, and those of `as_pixels`."""
    pixels = as_pixels(reference)
    return Reference(pixels, described(reference, pixels, source))


def described(reference: ImageLike, pixels: Pixels, source: object = None) -> dict[str, Any]:
    """What is known of a reference that no bank holds.

    Its size and its digest are those of its pixels, whatever is said of them. Nobody can check the rest: its name, what
    it is out of, who made it, and the digest of its file.

    Args:
        reference: As it was given: a file has a name and a digest.
        pixels: Of it.
        source: What a person, or a trace, says of it: any of `SAID`, by name; None for nothing.

    Raises:
        SettingError: Something else is said.

    Example:
        >>> found = described(pixels := np.zeros((8, 9, 3), np.uint8), pixels, {"licence": "CC BY 4.0"})
        >>> found["source"], found["spdx"], found["width"]
        ('reference', 'CC-BY-4.0', 9)
    """
    path = Path(reference) if isinstance(reference, (str, os.PathLike)) else None
    known = {
        "source": GIVEN if path is None else path.name,
        "bank": GIVEN,
        **Credit().described(),
        "sha256": UNKNOWN if path is None else file_digest(path),
        **({} if source is None else said(source)),
    }
    follows = {"height": pixels.shape[0], "width": pixels.shape[1], "pixels": pixel_digest(pixels)}
    return {**known, "spdx": spdx(known["licence"]), **follows}


def said(source: object) -> dict[str, str]:
    """What is said of a reference, without what follows from its pixels and its licence; errors as in `described`."""
    asked = f"a reference with source={short(source)}"
    if not isinstance(source, Mapping):
        raise SettingError(asked, "not what is known of a picture, by name", 'Give for example {"creator": "Ann"}')
    if strangers := [name for name in source if name not in (*SAID, *FOLLOWS)]:
        raise SettingError(asked, f"{short(strangers[0])} is nothing that is said", f"Say any of {', '.join(SAID)}")
    found = {name: text for name, text in source.items() if name in SAID}
    for name, text in found.items():
        if not is_text(text):
            raise SettingError(asked, f"{name} is no text of at most {LONGEST:,} letters", f"Leave it out if {UNKNOWN}")
    if not re.fullmatch(f"[0-9a-f]{{64}}|{UNKNOWN}", found.get("sha256", UNKNOWN)):
        raise SettingError(asked, "sha256 is not 64 hexadecimal digits", "Copy it again, whole, or leave it out")
    if is_bank_name(found.get("bank", GIVEN)):
        todo = "Take it from there: from_bank(library[...], name)"
        raise SettingError(asked, f"{found['bank']} is the name of a library's bank", todo)
    return found


def is_text(value: object) -> bool:
    """Whether something is a text that is not empty, not long, and can be written."""
    if not isinstance(value, str):
        return False
    return 0 < len(value) <= LONGEST and value.encode("utf-8", "ignore").decode() == value
