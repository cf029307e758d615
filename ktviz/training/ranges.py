"""Checks of a recipe's settings: numbers of the right kind within their range, or an error.

What passes becomes a plain Python number, for logs and checkpoints can hold no others.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ktviz.errors import SettingError
from ktviz.values import number, seed_of, short, whole

MOST_SEED = 2**64 - 1
"""What PyTorch's generator takes."""


def check_counts(recipe: object, *names: str, least: int = 1) -> None:
    """Raise SettingError unless these settings are whole numbers from `least`."""
    check(recipe, names, whole, lambda value: value >= least, f"less than {least}", f"Give a whole number from {least}")


def check_shares(recipe: object, *names: str) -> None:
    """Raise SettingError unless these settings are from 0 to 1."""
    check(recipe, names, number, lambda value: 0 <= value <= 1, "not from 0 to 1", "Give for example 0.5")


def check_weights(recipe: object, *names: str) -> None:
    """Raise SettingError unless these settings are finite numbers from 0."""
    check(recipe, names, number, lambda value: 0 <= value < math.inf, "not a number from 0", "Give 0 for none")


def check_rates(recipe: object, *names: str) -> None:
    """Raise SettingError unless these settings are finite numbers above 0."""
    check(recipe, names, number, lambda value: 0 < value < math.inf, "not above 0", "Give a positive number")


def check_seed(recipe: object) -> None:
    """Raise SettingError unless the recipe's seed is one that every generator takes."""
    check(recipe, ("seed",), seed_of, lambda value: value <= MOST_SEED, f"above {MOST_SEED}", "Give a smaller one")


def check_kind(recipe: object, name: str, kind: type) -> None:
    """Raise SettingError unless a setting is of a class."""
    value = getattr(recipe, name)
    if not isinstance(value, kind):
        raise SettingError(f"{name} {short(value)}", f"no {kind.__name__}", f"Give {kind.__name__}(...)")


def check(
    recipe: object,
    names: tuple[str, ...],
    read: Callable[[str, Any], float],
    fits: Callable[[float], bool],
    found: str,
    todo: str,
) -> None:
    """Put what `read` makes of settings in their place, or raise SettingError where that does not fit."""
    for name in names:
        value = read(name, getattr(recipe, name))
        if not fits(value):
            raise SettingError(f"{name} {value}", found, todo)
        object.__setattr__(recipe, name, value)  # a recipe is frozen
