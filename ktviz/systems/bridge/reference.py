"""References: pictures with attributes, whose code is taken; given, or out of a bank."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from ktviz.errors import ImageError, LabelError, LibraryError, SettingError, UnknownNameError
from ktviz.images import ImageLike, Pixels, as_pixels
from ktviz.library.kinds.pictures.union import PictureUnion
from ktviz.regions import Box, SourceRegion
from ktviz.systems.bridge.attributes import Attributes, Known, Wish
from ktviz.systems.bridge.shape import CODE_PX
from ktviz.systems.reference import INPUT, Reference, described
from ktviz.values import short

REFERENCE_BANK = "reference"
"""What stands for the bank of such a one."""
LABELS_WITH = "labels with "
"""How codes of labels are called: by where their noise is from."""


@dataclass(frozen=True, eq=False)
class Aligned(Reference):
    """A picture whose parts lie where those of all others do. Its entries are the cells of its code.

    Attributes:
        has: Its attributes.
    """

    has: Attributes

    @property
    def name(self) -> str:
        """Its name; of a reference that is called like the input, or like what labels gave, with its bank before it."""
        name, bank = str(self.source["source"]), str(self.source["bank"])
        taken = name == INPUT["source"] or name.startswith(LABELS_WITH)
        return f"{bank}/{name}" if taken and bank == REFERENCE_BANK else name

    @property
    def columns(self) -> int:
        """Cells in a row."""
        return self.size[1] // CODE_PX

    def boxes(self, numbers: Tensor) -> Tensor:
        """Where cells (n,) lie: (n, 4) px."""
        y, x = numbers // self.columns, numbers % self.columns
        return CODE_PX * torch.stack((x, y, torch.ones_like(x), torch.ones_like(x)), 1).float()

    def entry(self, number: int) -> SourceRegion:
        """A cell."""
        count = self.size[0] // CODE_PX * self.columns
        if not 0 <= number < count:
            raise UnknownNameError(f"entry {number}", f"{self.name} has {count:,} cells", "Count from 0")
        return SourceRegion(self.name, Box(*self.boxes(torch.tensor([number]))[0].tolist()))

    def cells(self, regions: list[SourceRegion]) -> Tensor:
        """The cells that some regions touch: (rows, columns) bool."""
        touched = torch.from_numpy(self.touched(regions))[None].float()
        return F.max_pool2d(touched, CODE_PX)[0] > 0

    def check_wanted(self, wish: Wish) -> None:
        """Raise SettingError unless it has what is wanted."""
        if missed := wish.missed(self.has):
            asked, todo = f"the reference {self.name}", "Give one that has what is wanted, or let one be chosen"
            raise SettingError(asked, f"it has {', '.join(missed)}", todo)


def source_of(pixels: Pixels, has: Attributes) -> Aligned:
    """The picture that goes in, where parts of its own code are entries, too."""
    return Aligned(pixels, {**INPUT, "height": pixels.shape[0], "width": pixels.shape[1]}, has)


def given(reference: Any, known: Known, side: int) -> Aligned:
    """A reference that is of no bank, from a picture and its attributes.

    Raises:
        SettingError: Something else.
        ImageError: Not a picture, or of another size.
        UnknownNameError: There is no such attribute.
    """
    if not isinstance(reference, (tuple, list)) or len(reference) != 2:
        found, todo = "neither a name nor a picture with its attributes", "Give a name, or (picture, attributes)"
        raise SettingError(f"reference {short(reference)}", found, todo)
    pixels = aligned(reference[0], side, "a reference")
    return Aligned(pixels, described(reference[0], pixels), known.all(reference[1], "the reference's"))


def again(pixels: Pixels, source: Mapping[str, Any], has: Any, known: Known) -> Aligned:
    """The same, from the trace of a run that was made with it."""
    return Aligned(pixels, described(pixels, pixels, source), known.all(has, "the reference's"))


def of_bank(banks: PictureUnion, number: int, known: Known) -> Aligned:
    """A picture of a bank."""
    return Aligned(banks.picture(number), described_in(banks, number), attributes_in(banks, number, known))


def described_in(banks: PictureUnion, number: int) -> dict[str, Any]:
    """What a bank knows of a picture, the attributes that it has among it."""
    has = [name for name, there in banks.attributes(number).items() if there]
    return {**banks.describe_sources()[number], "attributes": has}


def attributes_in(banks: PictureUnion, number: int, known: Known) -> dict[str, bool]:
    """Those of the networks' attributes that a picture has."""
    has = banks.attributes(number)
    return {name: has[name] for name in known.names}


def aligned(picture: ImageLike, side: int, what: str) -> Pixels:
    """A picture of the size that the networks take.

    Raises:
        ImageError: Not a picture, or of another size.
    """
    pixels = as_pixels(picture)
    height, width = pixels.shape[:2]
    if (height, width) != (side, side):
        wanted = f"{side}x{side} px"
        raise ImageError(f"{what} of {width}x{height} px", f"the networks take aligned pictures of {wanted}", "Crop it")
    return pixels


def check_banks(banks: PictureUnion, known: Known, side: int) -> None:
    """Whether pictures of banks can be references.

    Raises:
        LabelError: Attributes of the networks are not known of them, or contradict each other; the first is named.
        LibraryError: One is of another size.
    """
    for bank in banks.banks:
        unknown = [name for name in known.names if name not in bank.attribute_names]
        if unknown:
            todo = "Build the bank with attributes=, a table with a column for each"
            raise LabelError(f"references of {bank.name}", f"nobody says who has {unknown[0]}", todo)
        for source in bank.sources:
            if both := known.contradiction(source.attributes or {}):
                found = f"{source.name} is said to have {both[0]}, and {both[1]}"
                raise LabelError(f"references of {bank.name}", found, "Mend the table, and build the bank again")
            if (source.width, source.height) != (side, side):
                found = f"{source.name} is {source.width}x{source.height} px, and the networks take {side}x{side} px"
                raise LibraryError(f"references of {bank.name}", found, "Crop the pictures, aligned alike")
