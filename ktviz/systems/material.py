"""Material: a picture with all that is known of it. Systems differ in what they take; each takes what it needs."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeGuard

from ktviz.errors import LabelError, MissingLabelError, SettingError
from ktviz.images import MIN_SIDE, Pixels, as_pixels, resize
from ktviz.labels import Classes, as_instances, as_labels
from ktviz.labels.maps import Map
from ktviz.library.banks import Banks
from ktviz.library.kinds.pictures.kept import KeptBanks
from ktviz.library.kinds.pictures.union import PictureUnion
from ktviz.library.layout import CLASSES
from ktviz.regions import stretched
from ktviz.retrieval.credit import Credit
from ktviz.systems.reference import LONGEST, described, is_text
from ktviz.values import short, whole

GIVE: Mapping[str, str] = {
    "photograph": "Give one: photo=",
    "label map": "Give one: labels=; on the command line --labels, of the reference --reference-labels",
    "attributes": "Give them: attributes=; on the command line --attributes, a table",
}
"""What to do where a part is missing."""


@dataclass(frozen=True, eq=False)
class Material:
    """A picture, as input or as reference, with all that systems may take of it.

    Attributes:
        photo: The photograph: the path of a file, (H, W, 3) uint8, or anything else that `as_pixels` takes; or None.
        labels: Its label map, as in `as_labels`; or None.
        instances: Its instance map, as in `as_instances`; or None.
        classes: What the numbers of the label map mean, or a CSV file of that; None for `classes.csv` beside a map that
            is a file, or in the folder above, and else for whatever a system knows.
        attributes: Whether it has each of some attributes, by name, or names of those that it has; or None.
        want: Of an input, the attributes that are to change; None for those in which the reference is another.
        name: What it is called; the name of its file, or "picture", if empty.
        credit: Who made it.
        side: It is shrunk to this shorter side in px, with its maps, if it is larger; None leaves it.

    Raises:
        ImageError: The photograph cannot be used.
        LabelError: The label map, the instance map or the classes are not there.
        SettingError: Neither photograph nor label map, a name that is no text, or a side that no picture can have.

    Example:
        >>> from ktviz import samples
        >>> scene = samples.scene("room-3-0018")
        >>> Material(scene.photo, scene.labels, scene.instances, scene.classes, name="room", side=64)
        Material(room: photograph, label map, instance map)
        >>> material = Material(scene.photo, scene.labels, scene.instances, attributes=["Lamp"], name="room", side=64)
        >>> material.pixels("kt").shape, material.scaled(512, 768)
        ((64, 64, 3), (64, 96))
        >>> material.label_map(scene.classes, "cocosnet").shape, material.instance_map(scene.classes, "pix2pixhd").shape
        ((64, 64), (64, 64))
        >>> material.labels_of(scene.classes, "cocosnet").shape == scene.labels.shape
        True
        >>> material.said(["Lamp"], "bridge"), str(material.lacking("photograph", "kt"))
        (['Lamp'], 'kt with room: there is no photograph of it. Give one: photo=.')
        >>> Material.of_bank(world.banks, "red")
        Material(toy/flat/red.png: photograph)
    """

    photo: Any = None
    labels: Any = None
    instances: Any = None
    classes: Classes | str | os.PathLike[str] | None = None
    attributes: Mapping[str, bool] | Iterable[str] | None = None
    want: Mapping[str, bool] | Iterable[str] | None = None
    name: str = ""
    credit: Credit = Credit()  # noqa: RUF009 (frozen)
    side: int | None = None
    original: Pixels | None = field(init=False)

    def __post_init__(self) -> None:
        if self.photo is None and self.labels is None:
            raise SettingError("material", "neither a photograph nor a label map", "Give one of them")
        if self.side is not None and whole("side", self.side) < MIN_SIDE:
            raise SettingError(f"side {self.side} px", f"less than {MIN_SIDE}", "Give a larger one")
        if self.name != "" and not is_text(self.name):
            found = f"no text of at most {LONGEST:,} letters"
            raise SettingError(f"material called {short(self.name)}", found, "Give one, or leave it out")
        for what, given in (("label map", self.labels), ("instance map", self.instances), ("classes", self.classes)):
            if is_path(given) and not Path(given).is_file():
                raise MissingLabelError(f"{what} {os.fspath(given)!r}", "there is no such file", "Check the path")
        first = next(given for given in (self.photo, self.labels) if given is not None)
        object.__setattr__(self, "name", self.name or (Path(first).name if is_path(first) else "picture"))
        object.__setattr__(self, "original", None if self.photo is None else as_pixels(self.photo))

    @classmethod
    def of_bank(cls, banks: Banks[Any], name: str, side: int | None = None) -> Material:
        """A source of banks of any kind, with the maps, the attributes and the credit that they know.

        Args:
            banks: Which.
            name: Its name there, or the end of it.
            side: As in the class.

        Raises:
            UnknownNameError: No source has that name, or several.
        """
        source = banks.find_source(name)
        number = banks.source_numbers[source]
        known: dict[str, Any] = {"credit": banks.sources[number].credit}
        if isinstance(banks, KeptBanks) and banks.classes is not None:
            known |= {"labels": banks.labels(number), "instances": banks.instances(number), "classes": banks.classes}
        if isinstance(banks, PictureUnion):
            known |= {"attributes": banks.attributes(number) or None}
        return cls(banks.picture(number), name=source, side=side, **known)

    def __repr__(self) -> str:
        parts = ("photo", "photograph"), ("labels", "label map"), ("instances", "instance map"), ("attributes",) * 2
        there = [words for part, words in parts if getattr(self, part) is not None]
        return f"Material({self.name}: {', '.join(there)})"

    def pixels(self, system: str) -> Pixels:
        """The photograph, shrunk where it is to be: (H, W, 3) uint8.

        Args:
            system: Who needs it, for messages.

        Raises:
            SettingError: There is none.
        """
        if self.original is None:
            raise self.lacking("photograph", system)
        height, width = self.scaled(*self.original.shape[:2])
        return resize(self.original, width, height)

    def label_map(self, classes: Classes, system: str) -> Map:
        """The label map in the classes of a system, of the size of the photograph: (H, W).

        Raises:
            SettingError: There is none.
            LabelError: It is of other classes, of another size than the photograph, or no map.
        """
        labels = self.labels_of(classes, system)
        return stretched(labels, *self.scaled(*labels.shape))

    def instance_map(self, classes: Classes, system: str) -> Map | None:
        """The instance map that goes with it; None if there is none. Errors as in `label_map`."""
        if self.instances is None:
            return None
        instances = as_instances(self.instances, self.labels_of(classes, system), classes)
        return stretched(instances, *self.scaled(*instances.shape))

    def labels_of(self, classes: Classes, system: str) -> Map:
        """The label map as it was given.

        Raises:
            SettingError: There is none.
            LabelError: It is of another size than the photograph, has other classes, or cannot be used.
        """
        if self.labels is None:
            raise self.lacking("label map", system)
        if self.known_classes is not None:
            classes.check_same(self.known_classes, f"{system} with the label map of {self.name}")
        labels = as_labels(self.labels, classes)
        if self.original is not None and labels.shape != self.original.shape[:2]:
            sizes = [f"{width}x{height} px" for height, width in (labels.shape, self.original.shape[:2])]
            found = f"a label map of {sizes[0]}, and a photograph of {sizes[1]}"
            raise LabelError(f"{system} with {self.name}", found, "Give both of one picture")
        return labels

    @cached_property
    def known_classes(self) -> Classes | None:
        """What the numbers of the label map mean; None where nobody says."""
        if isinstance(self.classes, Classes):
            return self.classes
        if self.classes is not None:
            return Classes.read(self.classes)
        if not is_path(self.labels):
            return None
        folder = Path(self.labels).absolute().parent
        beside = (place / CLASSES for place in (folder, folder.parent))
        return next((Classes.read(path) for path in beside if path.is_file()), None)

    def said(self, names: Iterable[str], system: str) -> Any:
        """What was said of its attributes, as it was said, but for answers about others.

        Args:
            names: Those that matter.
            system: Who needs them, for messages.

        Raises:
            SettingError: Nobody says which it has.
            LabelError: There are answers by name, and none about one of them.
        """
        if self.attributes is None:
            raise self.lacking("attributes", system)
        if not isinstance(self.attributes, Mapping):
            return self.attributes
        for name in names:
            if name not in self.attributes:
                found = f"nobody says whether it has {name!r}"
                raise LabelError(f"{system} with {self.name}", found, f"Say it of {', '.join(names)}")
        return {name: self.attributes[name] for name in names}

    def lacking(self, part: str, system: str) -> SettingError:
        """The error for a part that a system needs and that nobody gave."""
        return SettingError(f"{system} with {self.name}", f"there is no {part} of it", GIVE[part])

    def scaled(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of a picture of some size after it was shrunk."""
        scale = min(1.0, (self.side or math.inf) / min(height, width))
        return round(height * scale), round(width * scale)

    @property
    def source(self) -> dict[str, Any]:
        """What a trace says of it as a reference."""
        pixels = self.pixels("a reference")
        known = described(self.photo if is_path(self.photo) else pixels, pixels)
        return {**known, "source": self.name, **self.credit.described()}


def is_path(given: Any) -> TypeGuard[str | os.PathLike[str]]:
    """Whether something is the path of a file."""
    return isinstance(given, (str, os.PathLike))
