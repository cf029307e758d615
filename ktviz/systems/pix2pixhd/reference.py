"""Reference photographs: whose objects' codes are wanted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ktviz.errors import LabelError, SettingError
from ktviz.images import Pixels, as_pixels
from ktviz.labels import Classes, as_instances, as_labels
from ktviz.labels.maps import Map
from ktviz.library.kinds.codes.union import CodeUnion
from ktviz.systems.pix2pixhd.objects import File, Numbers, Objects, PhotoObjects
from ktviz.systems.pix2pixhd.trained import Networks
from ktviz.systems.reference import described
from ktviz.values import short


@dataclass(frozen=True, eq=False)
class Reference:
    """A photograph with its objects.

    Attributes:
        photo: Its objects, with codes.
        objects: What they are entries of: themselves, or those of a bank.
        entries: (n,) their numbers there, by number of the object.
        source: Its name in the bank, or None.
    """

    photo: PhotoObjects
    objects: Objects
    entries: Numbers
    source: str | None

    @classmethod
    def of_photo(cls, networks: Networks, pixels: Pixels, instances: Map, file: File) -> Reference:
        """A photograph that is encoded now."""
        photo = PhotoObjects.of(pixels, instances, networks.encode(pixels, instances), file)
        return cls(photo, photo, np.arange(len(photo)), None)

    @classmethod
    def of_source(cls, banks: CodeUnion, source: str) -> Reference:
        """A picture of a bank of codes, which holds the codes of its objects.

        Raises:
            UnknownNameError: No source has that name, or several.
        """
        name = banks.find_source(source)
        number = banks.source_numbers[name]
        entries = np.flatnonzero(banks.source == number)  # by number of the object
        photo = PhotoObjects(banks.picture(number), banks.object_map(number), banks.codes[entries])
        return cls(photo, banks, entries, name)


def photo_given(reference: Any, classes: Classes) -> tuple[Pixels, Map, File]:
    """A photograph, its instance map and its file, of (photo, labels) or (photo, labels, instances).

    Raises:
        SettingError: Something else.
        ImageError, LabelError: A part of it cannot be used, or they are of different sizes.
    """
    if not isinstance(reference, (tuple, list)) or len(reference) not in (2, 3):
        raise SettingError(
            f"reference {short(reference)}",
            "neither a source of the bank nor a photograph with its label map",
            "Give a name, or (photo, labels) or (photo, labels, instances)",
        )
    pixels, labels = as_pixels(reference[0]), as_labels(reference[1], classes)
    instances = as_instances(reference[2] if len(reference) == 3 else None, labels, classes)
    if pixels.shape[:2] != labels.shape:
        sizes = [f"{width}x{height}" for height, width in (pixels.shape[:2], labels.shape)]
        raise LabelError(
            "a reference", f"its photo is {sizes[0]} px, its label map {sizes[1]}", "Give both of one size"
        )
    known = described(reference[0], pixels)
    return pixels, instances, File(known["source"], known["sha256"])
