"""Label maps and instance maps of pictures that enter a bank: where they are, and what they must be."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ktviz.errors import LabelError, LibraryError, MissingLabelError, SettingError
from ktviz.images import file_digest
from ktviz.labels import Classes, as_instances, as_labels
from ktviz.labels.maps import Map
from ktviz.library.layout import CLASSES
from ktviz.names import without_suffix


@dataclass(frozen=True)
class MapFiles:
    """The maps of one picture.

    Attributes:
        classes: What the numbers, or colours, of the label map mean.
        labels: The label map.
        instances: The instance map, if there is one.
        digests: SHA-256 of both files; empty for one that is not there.
    """

    classes: Classes
    labels: Path
    instances: Path | None
    digests: tuple[str, str]

    @property
    def files(self) -> dict[Path, str]:
        """Both, and their digests."""
        paths = [self.labels] if self.instances is None else [self.labels, self.instances]
        return dict(zip(paths, self.digests, strict=False))

    def __getstate__(self) -> dict[str, Any]:
        """For another process, which may run in another folder."""
        instances = None if self.instances is None else self.instances.absolute()
        return {**self.__dict__, "labels": self.labels.absolute(), "instances": instances}

    def read(self, height: int, width: int) -> list[Map]:
        """The label map, and the instance map if there is one.

        Args:
            height: Of the picture, upright.
            width: The same.

        Raises:
            LabelError: Not of the picture's size, or what `as_labels` and `as_instances` refuse.
        """
        labels = as_labels(self.labels, self.classes)
        if labels.shape != (height, width):
            found = f"{labels.shape[1]}x{labels.shape[0]} px, and its picture {width}x{height}"
            raise LabelError(f"label map {str(self.labels)!r}", found, "Give both of one picture")
        return [labels] if self.instances is None else [labels, as_instances(self.instances, labels, self.classes)]


@dataclass(frozen=True)
class MapFolders:
    """Folders with a map for every picture: that of `a/b.jpg` is `a/b.png` in each.

    Attributes:
        classes: What the numbers, or colours, of the label maps mean.
        labels: Of the label maps.
        instances: Of the instance maps, if there are any.
    """

    classes: Classes
    labels: Path
    instances: Path | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Which maps there are, as in `layout.MAPS`."""
        return ("labels",) if self.instances is None else ("labels", "instances")

    def of(self, name: str) -> MapFiles:
        """The maps of a picture, by its name in the bank.

        Raises:
            LabelError: One is missing, or cannot be read.
        """
        file = f"{without_suffix(name)}.png"
        objects = None if self.instances is None else self.instances / file
        digest = "" if objects is None else digest_of("instance map", objects)
        return MapFiles(self.classes, self.labels / file, objects, (digest_of("label map", self.labels / file), digest))


def map_folders(
    labels: str | os.PathLike[str] | None,
    instances: str | os.PathLike[str] | None,
    classes: str | os.PathLike[str] | Classes | None,
    known: Classes | None = None,
) -> MapFolders | None:
    """The folders that somebody named; None if there are none.

    Args:
        labels: Of the label maps.
        instances: Of the instance maps.
        classes: A list, or its CSV file; by default `classes.csv` in the folder of the label maps or the one above.
        known: The list where no other is given or found.

    Raises:
        SettingError: Instance maps or classes without label maps, or label maps without classes.
        LabelError: There is no such folder, or the classes cannot be read.
    """
    if labels is None:
        for what, given in (("instance maps", instances), ("classes", classes)):
            if given is not None:
                raise SettingError(
                    f"{what} {given!s:.80}", "no label maps", "Give their folder, too: labels=, --labels"
                )
        return None
    folders = [Path(folder) for folder in (labels, instances) if folder is not None]
    for folder in folders:
        if not folder.is_dir():
            raise MissingLabelError(f"maps in {str(folder)!r}", "there is no such folder", "Check the path")
    if not isinstance(classes, Classes):
        beside = (place / CLASSES for place in (folders[0], folders[0].absolute().parent))
        found = classes or next((path for path in beside if path.is_file()), None)
        if found is None and known is None:
            asked = f"label maps {str(labels)!r}"
            raise SettingError(asked, f"no {CLASSES} in that folder or above it", "Give it: classes=, --classes")
        classes = known if found is None else Classes.read(found)
    return MapFolders(classes, *folders)  # type: ignore[arg-type]


def check_fitting(bank: str, held: tuple[str, ...], classes: Classes | None, given: MapFolders | None) -> None:
    """Refuse pictures whose maps are not those that a bank holds of its pictures.

    Args:
        bank: Its name.
        held: Which maps it holds.
        classes: Of its label maps.
        given: Maps of the pictures that are to be added.

    Raises:
        LibraryError: It holds others, or of other classes; the message names the first that differs.
    """
    asked, names = f"add to bank {bank!r}", () if given is None else given.names
    if names != held:
        found = f"its pictures have {listed(held)}, these {listed(names)}"
        raise LibraryError(asked, found, "Give the same maps for all pictures of a bank, or make another bank")
    if given is not None and classes is not None:
        check_classes(classes, given.classes, asked)


def check_classes(ours: Classes | None, others: Classes | None, asked: str) -> None:
    """Raise LibraryError, with the first class that differs, unless two lists are the same."""
    if ours is None or others is None:
        if ours is not others:
            raise LibraryError(asked, "classes here, and none there", "Take those with maps, or those without")
        return
    try:
        ours.check_same(others, asked)
    except LabelError as error:
        raise LibraryError(error.asked, error.found, error.todo) from None


def listed(maps: tuple[str, ...]) -> str:
    return {0: "no maps", 1: "label maps", 2: "label maps and instance maps"}[len(maps)]


def digest_of(what: str, path: Path) -> str:
    asked = f"{what} {str(path)!r}"
    try:
        return file_digest(path)
    except FileNotFoundError:
        raise MissingLabelError(asked, "there is no such file", "Give a map for every picture") from None
    except OSError as error:
        raise LabelError(asked, f"cannot be read ({error.strerror})", "Check it, or leave the picture out") from None
