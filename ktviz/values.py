"""Values that people give: a number, a whole number, a word, or an error that says what it is instead."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import fields
from numbers import Integral, Real
from typing import Any, ClassVar, Self

from ktviz.errors import SettingError, unknown_settings

LARGEST = float.fromhex("0x1.fffffep127")
"""Number in single precision."""


class KnownKeywords:
    """What dataclasses of settings inherit, to say which settings there are when they are given another.

    Attributes:
        SLIDERS: By name of a number, from where to where a slider goes; both ends are allowed.
    """

    __dataclass_fields__: ClassVar[dict[str, Any]]
    SLIDERS: ClassVar[Mapping[str, tuple[float, float]]] = {}

    def __new__(cls, *values: Any, **keywords: Any) -> Self:
        known = [setting.name for setting in fields(cls)]
        strangers = keywords.keys() - set(known)
        if strangers:
            raise unknown_settings(strangers, known)
        return super().__new__(cls)


def number(name: str, value: Any) -> float:
    """A number, also one that is not finite.

    Raises:
        SettingError: Anything else.
    """
    if isinstance(value, bool) or not isinstance(value, Real):
        raise SettingError(f"{name} {short(value)}", "not a number", "Give a number")
    try:
        return float(value)
    except OverflowError:
        raise SettingError(f"{name} {short(value)}", "too large", "Give a smaller number") from None


def numbers(name: str, given: Any) -> tuple[float, ...]:
    """Numbers that are finite in single precision, one after the other: a list, or an array or tensor of one axis.

    Raises:
        SettingError: Anything else.

    Example:
        >>> numbers("code", (1, 0.5))
        (1.0, 0.5)
    """
    several = given.tolist() if hasattr(given, "tolist") else given
    if isinstance(several, (str, bytes, bytearray, Mapping, Set)) or not isinstance(several, Iterable):
        raise SettingError(f"{name} {short(given)}", "no numbers", "Give a list of numbers")
    found = tuple(number(f"a number of {name}", one) for one in several)
    if not all(abs(one) <= LARGEST for one in found):
        raise SettingError(f"{name} {short(given)}", "numbers that are not finite, or too large", "Give others")
    return found


def whole(name: str, value: Any) -> int:
    """A whole number.

    Raises:
        SettingError: Anything else.
    """
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise SettingError(f"{name} {short(value)}", "not a whole number", "Give a whole number")
    return int(value)


def one_of(name: str, value: Any, known: Collection[str]) -> str:
    """One of some words.

    Raises:
        SettingError: Anything else.
    """
    if not isinstance(value, str) or value not in known:
        raise SettingError(f"{name} {short(value)}", "unknown", f"Choose one of {', '.join(known)}")
    return value


def seed_of(name: str, value: Any) -> int:
    """A whole number from 0.

    Raises:
        SettingError: Anything else.
    """
    if whole(name, value) < 0:
        raise SettingError(f"{name} {value}", "less than 0", "Give a whole number from 0")
    return int(value)


def listed(given: Any) -> list[Any]:
    """What a person gives as one thing or several, as a list. A text, bytes and a mapping are one thing.

    Example:
        >>> listed("a.png"), listed(("a.png", 3)), listed(b"ab")
        (['a.png'], ['a.png', 3], [b'ab'])
    """
    whole = isinstance(given, (str, bytes, bytearray, memoryview, Mapping)) or getattr(given, "ndim", 1) == 0
    return [given] if whole or not hasattr(given, "__iter__") else [*given]


def check_once(what: str, names: Sequence[str]) -> None:
    """Raise SettingError where a name is given twice: what is said of it there may be something else."""
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise SettingError(f"{what} {short(twice)}", "named twice", "Name it once")


def short(value: Any) -> str:
    """What was given, in few words."""
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
