"""Configurations: for which classes networks are, of which sizes, and how they warp."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ktviz.errors import SettingError, WeightsError
from ktviz.labels import Classes
from ktviz.labels.classes import UNKNOWN
from ktviz.systems.blocks.sizes import CHANNELS, NORMED, check_sizes
from ktviz.systems.cocosnet.correspondence import Shape
from ktviz.values import number, one_of, short

LEAST_TEMPERATURE = 1e-6
"""There the best cell gives all, unless another is as similar to the last digit."""


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
        SettingError: Another number of classes than the shape has planes, or a value outside its range.

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
        check_sizes(self, {"width": NORMED, "hidden": CHANNELS})
        for name, value, kind in (("classes", self.classes, Classes | None), ("shape", self.shape, Shape)):
            if not isinstance(value, kind):
                raise SettingError(f"{name} {short(value)}", f"a {type(value).__name__}", "Give Classes and a Shape")
        object.__setattr__(self, "temperature", checked_temperature(self.temperature))
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


def checked_temperature(value: Any) -> float:
    """A temperature of the softmax.

    Raises:
        SettingError: No number, or so near 0 that cosines by it are no numbers any more.
    """
    if not LEAST_TEMPERATURE <= number("temperature", value) < math.inf:
        found = f"not a finite number from {LEAST_TEMPERATURE:g} on"
        raise SettingError(f"temperature {value}", found, "Give 0.01, as published")
    return float(value)


def small(classes: Classes) -> Configuration:
    """The configuration of the shipped weights: with 19 classes, both networks have less than 3 million parameters.

    It has no attention: that compares all pixels of half the size with a quarter of them, so its time grows with the
    square of the picture; with gradients its memory, too, 268 MB for 256x256 px and 69 GB for 1024x1024 px.
    """
    shape = Shape(len(classes), width=6, features=48, descriptor=32, hidden=16)
    return Configuration(classes, shape, width=9, hidden=24, attention=False)


def paper(classes: Classes) -> Configuration:
    """The published configuration, for pictures of 256 px.

    Example:
        >>> paper(ADE20K) == PUBLISHED["ade20k"]
        True
    """
    return Configuration(classes, Shape(len(classes)))


ADE20K = Classes((*Classes.numbered(150).names, UNKNOWN), Classes.numbered(151).colours)
"""Numbers as in the data set's files, where 255 is for pixels of none and becomes 150."""
PUBLISHED: Mapping[str, Configuration] = {
    "ade20k": paper(ADE20K),
    "celebahq": Configuration(Classes.numbered(19), Shape(19, kernel=4), smooth=True),
    "celebahqedge": Configuration(None, Shape(15, kernel=4), smooth=True),
    "deepfashion": Configuration(None, Shape(20, kernel=4, masks=False), patches=True, smooth=True),
}
"""By task, as published; give `dataclasses.replace(..., classes=...)` names of your own for label maps."""


def named(configuration: Configuration | str) -> Configuration:
    """A configuration; or that of one of the published tasks, by its name.

    Raises:
        SettingError: Something else.
    """
    if isinstance(configuration, Configuration):
        return configuration
    return PUBLISHED[one_of("a configuration", configuration, PUBLISHED)]
