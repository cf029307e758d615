"""Configurations: for which classes networks are, of which sizes, and how they warp."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from ktviz.errors import SettingError, WeightsError
from ktviz.labels import Classes
from ktviz.labels.classes import UNKNOWN, Colour
from ktviz.systems.cocosnet.correspondence import Shape


@dataclass(frozen=True)
class Configuration:
    """All that tells how networks are made and used.

    Attributes:
        classes: What the planes of the condition are; None where they are no classes: edges, poses.
        shape: Of the correspondence network.
        width: Channels of the generator's last block.
        hidden: As in `Spade`, of the generator.
        attention: Whether the generator has attention.
        patches: Whether whole cells of 4x4 px are warped (`warp_patch`), or their mean colours.
        smooth: Whether mean colours are enlarged bilinearly (`warp_bilinear`), or each becomes a square.
        temperature: With which it was trained.

    Raises:
        SettingError: Another number of classes than the shape has planes.

    Example:
        >>> small(Classes(("sky", "sea"), ((0, 0, 255), (0, 90, 90)))).planes
        2
    """

    classes: Classes | None
    shape: Shape
    width: int = 64
    hidden: int = 128
    attention: bool = True
    patches: bool = False
    smooth: bool = False
    temperature: float = 0.01

    def __post_init__(self) -> None:
        if self.classes is not None and len(self.classes) != self.shape.classes:
            asked, found = f"{len(self.classes)} classes", f"a shape of {self.shape.classes} planes"
            raise SettingError(asked, found, "Give Shape(classes=...) the same number")

    @property
    def planes(self) -> int:
        """Of the condition."""
        return self.shape.classes

    def as_json(self) -> str:
        """As a file of weights states it."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str, asked: str) -> Configuration:
        """The inverse of `as_json`.

        Raises:
            WeightsError: Something else.
        """
        try:
            parts = json.loads(text)
            classes = None if parts["classes"] is None else Classes(**parts["classes"])
            return cls(**{**parts, "classes": classes, "shape": Shape(**parts["shape"])})
        except (ValueError, TypeError, LookupError) as error:
            raise WeightsError(asked, f"it states no configuration ({error})", "Give weights of CoCosNet") from None


def small(classes: Classes) -> Configuration:
    """The configuration of the shipped weights: both networks have less than 3 million parameters."""
    shape = Shape(len(classes), width=6, features=48, descriptor=32, hidden=16)
    return Configuration(classes, shape, width=9, hidden=24, attention=False)


def numbered(count: int, unknown: int | None = None) -> Classes:
    """Classes that have numbers for names, in colours of their own: those of Pascal VOC.

    Example:
        >>> numbered(3, unknown=2).names
        ('class 0', 'class 1', 'unknown')
    """
    names = [UNKNOWN if number == unknown else f"class {number}" for number in range(count)]
    return Classes(names, [colour(number) for number in range(count)])


def colour(number: int) -> Colour:
    """Bits of a number, dealt out to red, green and blue, the lowest first and to the highest bits."""
    red, green, blue = (
        sum((number >> (3 * bit + channel) & 1) << (7 - bit) for bit in range(3)) for channel in range(3)
    )
    return red, green, blue


PUBLISHED: Mapping[str, Configuration] = {
    "ade20k": Configuration(numbered(151, unknown=150), Shape(151)),
    "celebahq": Configuration(numbered(19), Shape(19, kernel=4), smooth=True),
    "celebahqedge": Configuration(None, Shape(15, kernel=4), smooth=True),
    "deepfashion": Configuration(None, Shape(20, kernel=4, masks=False), patches=True, smooth=True),
}
"""By task, as published; give `dataclasses.replace(..., classes=...)` names of your own for label maps."""
