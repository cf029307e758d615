"""What a run is to do without: references, and parts of what its code is made of, which are set to 0."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from ktviz.errors import SettingError, unknown_name
from ktviz.library.kinds.pictures.union import PictureUnion
from ktviz.regions import Box, SourceRegion, region_mask
from ktviz.systems.bridge.entries import LABELS_BANK
from ktviz.systems.bridge.reference import Aligned
from ktviz.systems.parts import is_number, stated
from ktviz.systems.reference import INPUT
from ktviz.values import short

OWN_NAME = str(INPUT["source"])


@dataclass(frozen=True)
class LeftOut:
    """What is not to be used.

    Attributes:
        pictures: Whole names of pictures of banks that are no references.
        whole: Names of what adds nothing to the code: "input", a reference that is of no bank, labels.
        regions: Parts of pictures whose cells add nothing.
    """

    pictures: tuple[str, ...] = ()
    whole: tuple[str, ...] = ()
    regions: tuple[SourceRegion, ...] = ()

    def described(self) -> list[Any]:
        """As a trace states it."""
        return [*self.pictures, *self.whole, *(asdict(region) for region in self.regions)]

    def kept(self, code: Tensor, name: str, picture: Aligned | None = None) -> Tensor:
        """A code (1, C, h, w), 0 where it is left out.

        Args:
            code: Of a source.
            name: Of that source.
            picture: The source, where it is a picture.
        """
        if name in self.whole:
            return torch.zeros_like(code)
        mine = [region for region in self.regions if region.source == name]
        return code if picture is None or not mine else code.masked_fill(picture.cells(mine), 0.0)


@dataclass(frozen=True, eq=False)
class Named:
    """What a person can name to be left out.

    Attributes:
        banks: Of references, or None.
        source: The picture that goes in.
        reference: The reference of the run, where that is known without a choice.
        labels: What the labels' code is called; None where there is none.
    """

    banks: PictureUnion | None
    source: Aligned
    reference: Aligned | None
    labels: str | None

    def parts(self, without: Any) -> LeftOut:
        """What is meant by some parts.

        Args:
            without: One part, or several: a name, a `SourceRegion`, a `Box` of the reference, as a person or a trace
                states it.

        Raises:
            UnknownNameError: There is nothing of that name.
            RegionError: Not wholly inside.
            SettingError: Something else, or a part that is not said of what.
        """
        several = [without] if isinstance(without, (str, int, Box, SourceRegion, Mapping)) else without
        if not isinstance(several, Iterable):
            raise SettingError(f"without {short(without)}", "no part of the knowledge", "Name a reference, or a part")
        found = [self.part(one) for one in several]
        return LeftOut(
            tuple(dict.fromkeys(name for one in found for name in one.pictures)),
            tuple(dict.fromkeys(name for one in found for name in one.whole)),
            tuple(dict.fromkeys(region for one in found for region in one.regions)),
        )

    def part(self, part: Any) -> LeftOut:
        """What is meant by one part; errors as in `parts`."""
        part = stated(part) if isinstance(part, Mapping) else part
        if isinstance(part, Box):
            if self.reference is None:
                raise SettingError(f"without {part}", "not said of which picture", "Give a SourceRegion")
            part = SourceRegion(self.reference.name, part)
        if isinstance(part, SourceRegion):
            return LeftOut(regions=(self.inside(part),))
        if isinstance(part, str):
            return self.named(part)
        what = "entry" if is_number(part) else "part"
        raise SettingError(f"{what} {short(part)}", "not said of which picture", "Give a SourceRegion, or a name")

    def named(self, name: str) -> LeftOut:
        """What a name means."""
        if self.source.is_called(name):
            return LeftOut(whole=(OWN_NAME,))
        if self.labels is not None and name in (self.labels, f"{LABELS_BANK}/{self.labels}"):
            return LeftOut(whole=(self.labels,))
        if self.given is not None and (name == self.given.source["bank"] or self.given.is_called(name)):
            return LeftOut(whole=(self.given.name,))
        if self.banks is None:
            raise unknown_name("source", name, self.others)
        if name in self.banks.names:
            return LeftOut(pictures=tuple(one for one in self.banks.source_names if one.startswith(f"{name}/")))
        return LeftOut(pictures=(self.banks.find_source(name),))

    @property
    def given(self) -> Aligned | None:
        """The reference, where it is of no bank."""
        if self.banks is None or self.reference is None or self.reference.name not in self.banks.source_numbers:
            return self.reference
        return None

    @property
    def others(self) -> Sequence[str]:
        """Names of what can be left out besides pictures of banks."""
        found = [OWN_NAME, self.labels, None if self.given is None else self.given.name]
        return [name for name in found if name is not None]

    def inside(self, region: SourceRegion) -> SourceRegion:
        """A part of a picture by its whole name, if it is inside."""
        if self.source.is_called(region.source):
            return self.source.region(region)
        if self.given is not None and self.given.is_called(region.source):
            return self.given.region(region)
        if self.banks is None:
            raise unknown_name("source", region.source, self.others)
        name = self.banks.find_source(region.source)
        known = self.banks.sources[self.banks.source_numbers[name]]
        region_mask(region.box, known.height, known.width)
        return SourceRegion(name, region.box)
