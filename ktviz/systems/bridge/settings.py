"""The settings of a run."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any, ClassVar, Literal, get_args

from ktviz.errors import SettingError
from ktviz.systems.draws import draw_seed
from ktviz.values import KnownKeywords, number, numbers, one_of, short, whole

Mode = Literal["reference", "labels", "between"]
AMOUNT, ALPHA = 1.5, 0.5
"""Those of the published test."""
MOST_AMOUNT = 100.0
"""Far beyond any picture; of much more, networks compute numbers that are none."""
NOT_TAKEN: Mapping[str, tuple[str, ...]] = {
    "reference": ("alpha", "spade", "noise", "row"),
    "labels": ("alpha", "spade", "reference"),
    "between": (),
}
"""By mode, what it does not take."""


@dataclass(frozen=True)
class Settings(KnownKeywords):
    """How a picture is changed.

    Attributes:
        mode: "reference": with the code of a picture that has what is wanted. "labels": with a code that is made of the
            attributes and of noise. "between": with both.
        alpha: Between, the part of the labels' code, from 0 to 1; 0.5 if None.
        spade: Between, whether the norms mix what they make of both codes, as in the published test, instead of the
            codes, as in training.
        noise: Numbers for the labels' code; drawn with `seed` if None.
        row: Instead, a row of the table of noise.
        seed: Of what is drawn.
        amount: By which the difference of the attributes is multiplied: 1 in training, 1.5 in the published test;
            100 at most.

    Raises:
        UnknownSettingError: A keyword that is none of these.
        SettingError: A value outside its range, or something that the mode does not take.

    Example:
        >>> Settings(mode="between").alpha
        0.5
    """

    mode: Mode = "reference"
    alpha: float | None = None
    spade: bool = False
    noise: tuple[float, ...] | None = None
    row: int | None = None
    seed: int = 0
    amount: float = AMOUNT
    SLIDERS: ClassVar[Mapping[str, tuple[float, float]]] = {"alpha": (0, 1), "amount": (0, 3)}

    def __post_init__(self) -> None:
        one_of("mode", self.mode, get_args(Mode))
        if not isinstance(self.spade, bool):
            raise SettingError(f"spade {short(self.spade)}", "neither True nor False", "Give one of them")
        check_taken(
            self.mode, [name for name, value in asdict(self).items() if value is not None and value is not False]
        )
        if self.mode == "between":
            object.__setattr__(self, "alpha", ranged("alpha", ALPHA if self.alpha is None else self.alpha, 1))
        object.__setattr__(self, "amount", ranged("amount", self.amount, MOST_AMOUNT))
        if self.noise is not None:
            object.__setattr__(self, "noise", numbers("noise", self.noise))
        if self.row is not None:
            object.__setattr__(self, "row", row_of(self.row))
        if self.noise is not None and self.row is not None:
            raise SettingError("noise and row", "both are given", "Give one of them")
        object.__setattr__(self, "seed", draw_seed("seed", self.seed))


def only_stated(settings: Mapping[str, Any]) -> dict[str, Any]:
    """See `ktviz.systems.registry.SystemClass`: attributes that stay as they are, those of a reference that is of no
    bank, the seed where nothing is drawn, and the amount of nothing."""
    changed = settings["difference"]
    found = {"has": [name for name in settings["has"] if name not in changed]}
    if more := [name if there else f"no {name}" for name, there in settings["want"] if name not in changed]:
        found["want"] = more
    if not changed:
        found["amount"] = settings["amount"]
    if settings["reference_has"] is not None:
        found["reference_has"] = settings["reference_has"]
    draws = settings["mode"] != "reference" and settings["noise"] is None and settings["row"] is None
    return found if draws else {**found, "seed": settings["seed"]}


def check_taken(mode: str, given: Collection[str]) -> None:
    """Raise SettingError where something was given that a mode does not take."""
    for name in NOT_TAKEN[mode]:
        if name in given:
            others = " and ".join(other for other, not_taken in NOT_TAKEN.items() if name not in not_taken)
            raise SettingError(f"{name} with mode {mode!r}", "it would not be used", f"Leave it out: it is of {others}")


def row_of(row: Any) -> int:
    """A row of the table of noise."""
    if whole("row", row) < 0:
        raise SettingError(f"row {row}", "less than 0", "Count from 0")
    return int(row)


def ranged(name: str, value: Any, most: float) -> float:
    """A number from 0 to some other."""
    found = number(name, value)
    if not isfinite(found) or not 0 <= found <= most:
        wanted = f"a number from 0 to {most:g}"
        raise SettingError(f"{name} {value}", f"not {wanted}", f"Give {wanted}")
    return found
