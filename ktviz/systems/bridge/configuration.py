"""What networks were trained for: sizes and attributes; those of the authors' experiment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ktviz.errors import SettingError
from ktviz.systems.bridge.shape import Shape
from ktviz.values import one_of


@dataclass(frozen=True)
class Configuration:
    """Sizes and attributes.

    Attributes:
        shape: Sizes of the networks.
        attributes: Names, in the order of the training, as many as the shape says; "attribute 0" and so on if empty.
        exclusive: Groups of attributes of which a picture has one at most, as colours of hair.

    Raises:
        SettingError: More or fewer attributes, one twice, or a group of others.

    Example:
        >>> PUBLISHED["celeba_128"].attributes[:2]
        ('Young', 'Mouth_Slightly_Open')
    """

    shape: Shape
    attributes: tuple[str, ...] = ()
    exclusive: tuple[tuple[str, ...], ...] = ()

    def __post_init__(self) -> None:
        names = tuple(self.attributes) or tuple(f"attribute {n}" for n in range(self.shape.attributes))
        if len(set(names)) != self.shape.attributes or len(names) != self.shape.attributes:
            found = f"{len(names)} names, {len(set(names))} of them different"
            raise SettingError(f"networks for {self.shape.attributes} attributes", found, "Name those of the training")
        strangers = [name for group in self.exclusive for name in group if name not in names]
        if strangers:
            raise SettingError(f"exclusive {strangers[0]!r}", "no attribute", f"Name some of {', '.join(names)}")
        object.__setattr__(self, "attributes", names)
        object.__setattr__(self, "exclusive", tuple(tuple(group) for group in self.exclusive))


HAIR = ("Black_Hair", "Blond_Hair", "Brown_Hair", "Gray_Hair")
PUBLISHED: Mapping[str, Configuration] = {
    "celeba_128": Configuration(
        Shape(),
        (
            *("Young", "Mouth_Slightly_Open", "Smiling", *HAIR, "Receding_Hairline", "Bangs", "Male", "No_Beard"),
            *("Mustache", "Goatee", "Sideburns"),
        ),
        (HAIR, ("Receding_Hairline", "Bangs")),
    )
}
"""That of the authors' experiment on CelebA."""


def named(configuration: Configuration | str) -> Configuration:
    """A configuration; or that of one of the authors' experiments, by its name.

    Raises:
        SettingError: Something else.
    """
    if isinstance(configuration, Configuration):
        return configuration
    return PUBLISHED[one_of("a configuration", configuration, PUBLISHED)]
