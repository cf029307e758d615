"""The exemplar: a picture, its label map where there is one, what is known of it, and its parts that are left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ktviz.errors import LabelError, UnknownNameError
from ktviz.images import ImageLike, as_pixels, pixel_digest
from ktviz.labels import Classes, as_labels
from ktviz.labels.maps import Map
from ktviz.library.kinds.pictures.union import PictureUnion
from ktviz.regions import Box, SourceRegion
from ktviz.systems.cells import Cells, cells
from ktviz.systems.cocosnet.configuration import Configuration
from ktviz.systems.cocosnet.correspondence import CELL_PX
from ktviz.systems.reference import Reference, described
from ktviz.trace.pictures import coded

NO_MAP = "no label map, which these networks compare"


@dataclass(frozen=True, eq=False)
class Exemplar(Reference):
    """A picture whose look is taken on.

    Attributes:
        labels: (h, w) int64 its label map; None where there is none.
    """

    labels: Map | None = None

    @property
    def catalogue(self) -> Cells:
        """Its cells of 4x4 px; the last ones are cut off where it ends."""
        rows, columns = (-(-side // CELL_PX) for side in self.size)
        return cells(tuple(sorted(self.source.items())), "cells", rows, columns, float(CELL_PX), float(CELL_PX))

    def entry(self, number: int) -> SourceRegion:
        """A cell."""
        if not 0 <= number < len(self.catalogue):
            raise UnknownNameError(f"entry {number}", f"{self.name} has {len(self.catalogue):,} cells", "Count from 0")
        return SourceRegion(self.name, Box(*self.catalogue.boxes(torch.tensor([number]))[0].tolist()))

    def cell_labels(self) -> Tensor:
        """Class of each cell, of its upper left pixel, as networks see it: (cells,) int64; -1 without a label map."""
        if self.labels is None:
            return torch.full((len(self.catalogue),), -1)
        return torch.from_numpy(self.labels[::CELL_PX, ::CELL_PX].copy()).flatten()


def given(
    exemplar: ImageLike, labels: Any, configuration: Configuration, source: Mapping[str, str] | None = None
) -> Exemplar:
    """An exemplar from a file or pixels.

    Args:
        exemplar: As in `as_pixels`.
        labels: Its label map, as in `as_labels`; None where the configuration needs none.
        configuration: Of the networks.
        source: What is said of it; see `described`.

    Raises:
        ImageError: It cannot be used.
        SettingError: As in `described`.
        LabelError: A label map of other classes or of another size, or none where one is needed.
    """
    pixels = as_pixels(exemplar)
    about = described(exemplar, pixels, source)
    return Exemplar(pixels, about, checked_labels(labels, pixels.shape[:2], configuration, about["source"]))


def checked_labels(labels: Any, size: tuple[int, ...], configuration: Configuration, name: str) -> Map | None:
    """The label map of an exemplar, if it can be used; see `given`."""
    asked, classes = f"the exemplar {name}", configuration.classes
    if labels is None or classes is None:
        if configuration.shape.masks:
            raise LabelError(asked, NO_MAP, "Give labels=")
        return None
    known = as_labels(labels, classes)
    if known.shape != size:
        sizes = [f"{width}x{height}" for height, width in (known.shape, size[:2])]
        raise LabelError(
            asked, f"a label map of {sizes[0]} px, and a picture of {sizes[1]}", "Give both of one picture"
        )
    return known


def of_bank(pictures: PictureUnion, number: int, configuration: Configuration, alone: bool) -> Exemplar:
    """A picture of a bank.

    Args:
        pictures: The banks.
        number: Of the picture.
        configuration: Of the networks.
        alone: Whether a run depends on this picture alone: then its pixels and its labels have digests of their own.

    Raises:
        LabelError: As in `check_maps`.
    """
    check_maps(pictures, configuration)
    name, pixels = pictures.source_names[number], pictures.picture(number)
    labels = checked_labels(pictures.labels(number), pixels.shape[:2], configuration, name)
    source = pictures.describe_sources()[number]
    return Exemplar(pixels, {**source, "pixels": pixel_digest(pixels)} if alone else source, labels)


def check_maps(pictures: PictureUnion, configuration: Configuration) -> None:
    """Whether banks have the label maps that networks compare.

    Raises:
        LabelError: They have none, or of other classes.
        LibraryError: Their banks have different ones.
    """
    asked = f"exemplars of {', '.join(pictures.names)}"
    if pictures.classes is None and configuration.shape.masks:
        raise LabelError(asked, NO_MAP, "Build the bank with label maps: labels=, --labels")
    if pictures.classes is not None and configuration.classes is not None:
        configuration.classes.check_same(pictures.classes, asked)


def labels_digest(labels: Map) -> str:
    """SHA-256 of a label map."""
    return pixel_digest(coded(labels))


def same_classes(classes: Classes | None) -> Classes:
    """The classes of a configuration that is for label maps.

    Raises:
        LabelError: It is for edges, or for poses.
    """
    if classes is None:
        found = "its networks take edges or poses"
        raise LabelError("CoCosNet on a label map", found, "Use their Networks on planes: networks.correspondence(...)")
    return classes
