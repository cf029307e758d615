"""A run: all that a picture is made of."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from ktviz.errors import UnknownNameError
from ktviz.images import Pixels
from ktviz.labels.maps import Map
from ktviz.systems.pix2pixhd.centres import Centres
from ktviz.systems.pix2pixhd.exclusion import Part, described, entries_of, parts_of
from ktviz.systems.pix2pixhd.objects import REFERENCE_BANK
from ktviz.systems.pix2pixhd.reference import Reference
from ktviz.systems.pix2pixhd.settings import Settings
from ktviz.trace.pictures import LABELS, REFERENCE

MEANS = "the means of the members that are left, or else the nearest centre"
AGAIN = "centres of the classes that lose an object, clustered again"
NEAREST = "the nearest of its class that is left"
"""What takes the place of what is left out."""


@dataclass(frozen=True, eq=False)
class Run:
    """What a picture is made of.

    Attributes:
        instances: (H, W), the number of an object at every pixel.
        settings: How every object gets its code.
        reference: Whose objects' codes are wanted, or None.
        own: What objects choose from where nothing is left out: the centres, or the objects of the reference.
        without: What is left out of that.
    """

    instances: Map
    settings: Settings
    reference: Reference | None
    own: Centres
    without: tuple[Part, ...]

    @classmethod
    def create(
        cls, instances: Map, settings: Settings, reference: Reference | None, centres: Centres, without: Any
    ) -> Run:
        """From the centres of a bank or a file.

        Raises:
            UnknownNameError, SettingError: As in `parts_of`.
        """
        own = centres
        if settings.choice == "encoded" and reference is not None:
            name = f"objects of {reference.source or REFERENCE_BANK}"
            own = Centres.of_objects(reference.objects, reference.entries, centres.classes, name)
        return cls(instances, settings, reference, own, parts_of(without, own))

    @cached_property
    def centres(self) -> Centres:
        """What objects choose from.

        Raises:
            UnknownNameError: Nothing would be left.
        """
        gone = entries_of(self.without, self.own)
        found = self.own.clustered_again(gone) if self.again else self.own.without(gone)
        if len(gone) and not found.there.any():
            some = ", ".join(map(str, self.without[:5]))
            raise UnknownNameError(f"a run without {some}", "nothing would be left", "Leave out fewer")
        return found

    @property
    def again(self) -> bool:
        """Whether classes that lose an object are clustered again: those of banks can be."""
        return self.settings.again and self.own.placed is not None

    @property
    def instead(self) -> str:
        """What takes the place of what is left out, in words."""
        if self.own.placed is None:
            return NEAREST
        return AGAIN if self.again else MEANS

    @property
    def source(self) -> str | None:
        """Name of the reference, where it is of a bank."""
        return None if self.reference is None else self.reference.source

    def described(self) -> dict[str, Any]:
        """All but the maps and the reference's pixels, as a trace states it."""
        reference = None if self.reference is None else self.source or REFERENCE
        file = None if self.reference is None or self.source else asdict(self.reference.photo.file)
        stated = {"reference": reference, "reference_file": file, "without": described(self.without)}
        return {**self.settings.described(), **stated}

    def pictures(self) -> dict[str, Pixels | Map]:
        """The instance map, and a reference that is of no bank with its own."""
        found: dict[str, Pixels | Map] = {f"{LABELS}input": self.instances}
        if self.reference is not None and self.source is None:
            found |= {REFERENCE: self.reference.photo.pixels, LABELS + REFERENCE: self.reference.photo.map}
        return found
