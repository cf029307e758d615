"""The settings of a run: where its style comes from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ktviz.errors import SettingError
from ktviz.systems.draws import draw_seed
from ktviz.values import KnownKeywords, check_once, number, numbers, short, whole

Mode = Literal["exemplar", "bank", "random"]
MODES: tuple[Mode, ...] = ("exemplar", "bank", "random")
ROOM = 1e-6
"""What weights may lack to 1."""
MOST = 1000.0
"""Of the numbers of a code that a person gives, whatever their sign."""


@dataclass(frozen=True)
class Settings(KnownKeywords):
    """Where the style comes from; drawn, where nothing is named.

    Attributes:
        exemplar: Name of a source of the bank, or "reference:0" for a picture that comes with the run.
        code: A style that is wanted, in numbers: that of the nearest source of the bank is taken.
        nearest: Sources that are taken instead of one, in equal parts.
        mix: Sources of the bank, by name, with the weight of each; weights add up to 1.
        seed: Of the draw: numbers of a normal distribution.

    Raises:
        UnknownSettingError: A keyword that is none of these.
        SettingError: A value outside its range, or several ways to choose.

    Example:
        >>> Settings(mix={"blue": 0.25, "red": 0.75}).mode, Settings(seed=3).mode
        ('bank', 'random')
    """

    exemplar: str | None = None
    code: tuple[float, ...] | None = None
    nearest: int = 1
    mix: Mapping[str, float] | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.exemplar is not None and not isinstance(self.exemplar, str):
            raise SettingError(f"exemplar {short(self.exemplar)}", "not a name", "Name a source of the bank")
        if self.code is not None:
            object.__setattr__(self, "code", code_of(self.code))
        if self.mix is not None:
            object.__setattr__(self, "mix", weights(self.mix))
        chosen = [name for name in ("exemplar", "code", "mix") if getattr(self, name) is not None]
        if len(chosen) > 1:
            raise SettingError(" and ".join(chosen), "several ways to choose a style", "Give one of them")
        object.__setattr__(self, "nearest", whole("nearest", self.nearest))
        if self.nearest < 1:
            raise SettingError(f"nearest {self.nearest}", "less than 1", "Give 1, or another positive number")
        if self.nearest > 1 and self.code is None:
            raise SettingError(f"nearest {self.nearest}", "no code that they are near to", "Give code=")
        object.__setattr__(self, "seed", draw_seed("seed", self.seed))

    @property
    def mode(self) -> Mode:
        """What the style is of: one picture, the bank, or nothing but a draw."""
        if self.exemplar is not None:
            return "exemplar"
        return "random" if self.code is None and self.mix is None else "bank"

    def described(self) -> dict[str, Any]:
        """All of it, as a trace states it."""
        return {
            "exemplar": self.exemplar,
            "code": None if self.code is None else [*self.code],
            "nearest": self.nearest,
            "mix": None if self.mix is None else [[*pair] for pair in self.mix.items()],
            "seed": self.seed,
        }


def only_stated(settings: Mapping[str, Any]) -> dict[str, Any]:
    """See `ktviz.systems.registry.SystemClass`: the seed, where no style was drawn, and weights of what is left out."""
    found = {} if settings["mode"] == "random" else {"seed": settings["seed"]}
    mix, without = settings["mix"] or (), settings["without"]
    return {**found, "mix": mix} if any(name in without for name, _ in mix) else found


def code_of(given: Any) -> tuple[float, ...]:
    """A code that a person gives: beyond `MOST`, the distances of all pictures from it are one."""
    found = numbers("code", given)
    if not all(abs(one) <= MOST for one in found):
        todo = f"Give numbers from -{MOST:g} to {MOST:g}; codes of pictures have some units"
        raise SettingError(f"code {short(given)}", "numbers that are too large", todo)
    return found


def weights(given: Any) -> dict[str, float]:
    """Positive weights by name, which add up to 1."""
    asked, todo = f"mix {short(given)}", 'Give mix={"one": 0.5, "other": 0.5}'
    try:
        pairs = [(name, weight) for name, weight in (given.items() if isinstance(given, Mapping) else given)]
    except (TypeError, ValueError):
        raise SettingError(asked, "no weights by name", todo) from None
    if not pairs or not all(isinstance(name, str) for name, _ in pairs):
        raise SettingError(asked, "no weights by name", todo)
    check_once("mix", [name for name, _ in pairs])
    found = {name: number(f"weight of {name}", weight) for name, weight in pairs}
    for name, weight in found.items():
        if not 0 < weight < math.inf:
            raise SettingError(f"weight {weight:g} of {name}", "not positive", "Leave out what has no part")
    total = math.fsum(found.values())
    if abs(total - 1) > ROOM:
        raise SettingError(asked, f"weights that add up to {total:g}", "Give weights that add up to 1")
    return found
