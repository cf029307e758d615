"""What a run is to do without: pictures of banks, and parts of references whose cells are used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from ktviz.errors import SettingError, UnknownNameError
from ktviz.library.banks import Banks
from ktviz.regions import Box, SourceRegion, region_mask
from ktviz.systems.parts import is_number, stated
from ktviz.systems.reference import Reference
from ktviz.values import listed, short


@dataclass(frozen=True)
class LeftOut:
    """What is not to be used.

    Attributes:
        pictures: Whole names of pictures that are no references.
        regions: Parts of pictures whose cells are taken out.
    """

    pictures: tuple[str, ...] = ()
    regions: tuple[SourceRegion, ...] = ()

    @classmethod
    def read(cls, described: Iterable[Any]) -> LeftOut:
        """From what a trace states."""
        parts = [*described]
        regions = tuple(stated(part) for part in parts if not isinstance(part, str))
        return cls(tuple(part for part in parts if isinstance(part, str)), regions)

    def described(self) -> list[Any]:
        """As a trace states it."""
        return [*self.pictures, *(asdict(region) for region in self.regions)]

    def forbidden(self, reference: Reference, cell_px: int) -> Tensor | None:
        """The cells of a reference that a region touches, (cells,) bool; None for none.

        Raises:
            UnknownNameError: All of them.
        """
        mine = [region for region in self.regions if region.source == reference.name]
        if not mine:
            return None
        touched = torch.from_numpy(reference.touched(mine))[None].float()
        cells = F.max_pool2d(touched, cell_px, ceil_mode=True)[0].flatten() > 0
        if cells.all():
            asked = f"a run without all of {reference.name}"
            todo = "Leave some of it, or name the picture, and others take its place"
            raise UnknownNameError(asked, "nothing would be left of it", todo)
        return cells


def of_reference(without: object, reference: Reference) -> LeftOut:
    """Parts of the only reference there is; see `Reference.regions`."""
    return LeftOut(regions=reference.regions(without))


def of_banks(without: object, pictures: Banks[Any], reference: str | None) -> LeftOut:
    """Pictures and parts of pictures.

    Args:
        without: Names of pictures or of banks; parts, as `SourceRegion`; or of a named reference as `Box`.
        pictures: Banks that keep them.
        reference: The whole name of the reference; None where it is chosen.

    Raises:
        UnknownNameError: There is no such picture.
        RegionError: Not wholly inside.
        SettingError: Something else, or a part of a reference that is not named.
    """
    names, regions = [], []
    for part in listed(without):
        part = stated(part) if isinstance(part, Mapping) else part
        if isinstance(part, Box) and reference is not None:
            part = SourceRegion(reference, part)
        if isinstance(part, SourceRegion):
            regions.append(inside(part, pictures))
        elif isinstance(part, str):
            names += pictures_named(part, pictures)
        else:
            what = "entry" if is_number(part) else "part"
            raise SettingError(f"{what} {short(part)}", "not said of which picture", "Give a SourceRegion, or a name")
    return LeftOut(tuple(dict.fromkeys(names)), tuple(regions))


def pictures_named(name: str, pictures: Banks[Any]) -> list[str]:
    """The picture, or the pictures of the bank, that a name means."""
    if name in pictures.names:
        return [source for source in pictures.source_names if source.startswith(f"{name}/")]
    return [pictures.find_source(name)]


def inside(region: SourceRegion, pictures: Banks[Any]) -> SourceRegion:
    """A part of a picture by its whole name, if it is inside."""
    name = pictures.find_source(region.source)
    source = pictures.sources[pictures.source_numbers[name]]
    region_mask(region.box, source.height, source.width)
    return SourceRegion(name, region.box)
