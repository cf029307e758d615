"""The settings of a run: how every object gets its look."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from ktviz.errors import SettingError
from ktviz.systems.draws import draw_seed
from ktviz.values import KnownKeywords, one_of, short, whole

Choice = Literal["drawn", "numbered", "nearest", "encoded"]
OF_REFERENCE = ("nearest", "encoded")
"""Choices that need a reference."""
Pairs = Mapping[int, int]


@dataclass(frozen=True)
class Settings(KnownKeywords):
    """How every object gets its code.

    Attributes:
        choice: "drawn": a centre of its class, each as likely as any other (published). "numbered": the same, but drawn
            by the object's own number, so that it stays whatever else is in the picture (the published interface).
            "nearest": the centre nearest to the code of the reference's object. "encoded": that code itself.
        seed: Of what is drawn.
        styles: By number of an object, the number of a centre within its class, which it takes instead.
        copies: By number of an object, that of another of its class, whose look it takes.
        again: Whether classes of which something is left out are clustered again, instead of the means alone being
            taken again.

    Raises:
        UnknownSettingError: A keyword that is none of these.
        SettingError: A value outside its range.

    Example:
        >>> Settings(styles={26001: 3}).styles
        {26001: 3}
    """

    choice: Choice = "drawn"
    seed: int = 0
    styles: Pairs = field(default_factory=dict)
    copies: Pairs = field(default_factory=dict)
    again: bool = False

    def __post_init__(self) -> None:
        one_of("choice", self.choice, get_args(Choice))
        object.__setattr__(self, "seed", draw_seed("seed", self.seed))
        if not isinstance(self.again, bool):
            raise SettingError(f"again {short(self.again)}", "neither True nor False", "Give one of them")
        for name in ("styles", "copies"):
            object.__setattr__(self, name, pairs(name, getattr(self, name)))
        both = sorted({*self.styles} & {*self.copies})
        if both:
            raise SettingError(f"object {both[0]}", "it is in styles and in copies", "Name it in one of them")

    def described(self) -> dict[str, Any]:
        """All of it, as a trace states it: mappings as lists of pairs."""
        listed = {name: [[*pair] for pair in sorted(getattr(self, name).items())] for name in ("styles", "copies")}
        return {"choice": self.choice, "seed": self.seed, **listed, "again": self.again}


def only_stated(settings: Mapping[str, Any]) -> dict[str, Any]:
    """See `ktviz.systems.registry.SystemClass`: the seed, where looks are not drawn by it, but for classes that a
    reference lacks."""
    return {} if settings["choice"] == "drawn" else {"seed": settings["seed"]}


def pairs(name: str, given: Any) -> dict[int, int]:
    """Numbers by numbers, from a mapping or from pairs."""
    items = given.items() if isinstance(given, Mapping) else given
    try:
        if not isinstance(items, Iterable) or isinstance(items, (str, bytes)):
            raise TypeError
        listed = [(one, other) for one, other in items]
    except (TypeError, ValueError):
        found, todo = "no numbers by numbers of objects", f"Give {name}={{26001: 3}}"
        raise SettingError(f"{name} {short(given)}", found, todo) from None
    return {whole(f"{name}: object", one): whole(f"{name} of {one}", other) for one, other in listed}
