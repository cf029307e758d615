"""What networks were trained for: sizes and attributes; those of the authors' experiment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ktviz.errors import SettingError
from ktviz.systems.bridge.shape import Shape
from ktviz.values import one_of, short


@dataclass(frozen=True)
class Configuration:
    """Sizes and attributes.

    Attributes:
        shape: Sizes of the networks.
        attributes: Names, in the order of the training, as many as the shape says; "attribute 0" and so on if empty.
        exclusive: Groups of attributes of which a picture has one at most, as colours of hair.

    Raises:
        SettingError: More or fewer attributes, one twice, no names, a group of others, or one of two groups.

    Example:
        >>> PUBLISHED["celeba_128"].attributes[:2]
        ('Young', 'Mouth_Slightly_Open')
    """

    shape: Shape
    attributes: tuple[str, ...] = ()
    exclusive: tuple[tuple[str, ...], ...] = ()

    def __post_init__(self) -> None:
        names = texts("attributes", self.attributes) or tuple(f"attribute {n}" for n in range(self.shape.attributes))
        if len(set(names)) != self.shape.attributes or len(names) != self.shape.attributes:
            found = f"{len(names)} names, {len(set(names))} of them different"
            raise SettingError(f"networks for {self.shape.attributes} attributes", found, "Name those of the training")
        groups = tuple(
            texts("a group of exclusive attributes", group) for group in several("exclusive", self.exclusive)
        )
        strangers = [name for group in groups for name in group if name not in names]
        if strangers:
            raise SettingError(f"exclusive {strangers[0]!r}", "no attribute", f"Name some of {', '.join(names)}")
        members = [name for group in groups for name in group]
        if twice := next((name for name in members if members.count(name) > 1), None):
            raise SettingError(f"exclusive {twice!r}", "it is named twice", "Name it in one group")
        object.__setattr__(self, "attributes", names)
        object.__setattr__(self, "exclusive", groups)


def texts(what: str, given: Any) -> tuple[str, ...]:
    """Names, one after the other; SettingError for anything else."""
    found = several(what, given)
    if not all(isinstance(name, str) and name for name in found):
        raise SettingError(f"{what} {short(given)}", "not all of them names", 'Give names, as ["Hat", "Smile"]')
    return found


def several(what: str, given: Any) -> tuple[Any, ...]:
    """A list, a tuple or the like, and no text; SettingError for anything else."""
    if isinstance(given, (str, bytes, Mapping)) or not isinstance(given, Iterable):
        raise SettingError(f"{what} {short(given)}", "no list", 'Give a list, as ["Hat", "Smile"]')
    return tuple(given)


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
