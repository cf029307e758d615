"""What a picture has, what is wanted of it, and the difference, in which direction codes are asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ktviz.errors import SettingError, unknown_name
from ktviz.values import short

Attributes = Mapping[str, bool]
"""Whether a picture has each of them, by name."""


@dataclass(frozen=True)
class Wish:
    """What is to change in a picture.

    Attributes:
        has: All attributes of the picture.
        want: Those that a person named.
        wanted: All that the picture is to have: what goes with that is settled.
    """

    has: Attributes
    want: Attributes
    wanted: Attributes

    def difference(self, amount: float) -> Tensor:
        """(1, attributes): the amount for what is to come, minus it for what is to go."""
        return amount * torch.tensor([[float(self.wanted[name]) - float(self.has[name]) for name in self.has]])

    def changes(self, amount: float) -> dict[str, float]:
        """The same by name, without what stays."""
        numbers = zip(self.has, self.difference(amount)[0].tolist(), strict=True)
        return {name: number for name, number in numbers if number}

    def missed(self, has: Attributes) -> list[str]:
        """What a reference with some attributes has otherwise than it is wanted, in words."""
        return [f"{'no ' if want else ''}{name}" for name, want in self.want.items() if has[name] != want]


@dataclass(frozen=True)
class Known:
    """The attributes that networks know.

    Attributes:
        names: In their order.
        exclusive: Groups of them of which a picture has one at most.
    """

    names: Sequence[str]
    exclusive: Sequence[Sequence[str]]

    def said(self, given: Any, of: str) -> dict[str, bool]:
        """What a person says of some attributes.

        Args:
            given: By name whether it is there; or names of those that are.
            of: Whose, as errors call it.

        Raises:
            UnknownNameError: There is no such attribute; the message names the nearest.
            SettingError: Neither names nor answers by name, or two of which a picture has one.
        """
        listed = [given] if isinstance(given, str) else given
        if not isinstance(listed, Iterable):
            raise SettingError(f"{of} {short(given)}", "no attributes", 'Give names, or {"name": True}')
        items = listed.items() if isinstance(listed, Mapping) else ((name, True) for name in listed)
        found = {self.name(name): answer(name, value) for name, value in items}
        if both := self.contradiction(found):
            raise SettingError(f"{of} {both[0]}", both[1], "Name one")
        return found

    def contradiction(self, has: Attributes) -> tuple[str, str] | None:
        """Attributes that a picture is said to have and cannot have together, and why; None where there are none."""
        for group in self.exclusive:
            there = [name for name in group if has.get(name)]
            if len(there) > 1:
                return " and ".join(there), f"a picture has one of {', '.join(group)} at most"
        return None

    def name(self, given: Any) -> str:
        """An attribute; UnknownNameError if there is none of that name."""
        if not isinstance(given, str) or given not in self.names:
            raise unknown_name("attribute", given, self.names)
        return given

    def all(self, given: Any, of: str) -> dict[str, bool]:
        """All attributes of a picture: those that nobody says are not there. Errors as in `said`."""
        found = self.said(given, of)
        return {name: found.get(name, False) for name in self.names}

    def wish(self, has: Any, want: Any) -> Wish:
        """What is to change; of a group, what is wanted takes the others' place. Errors as in `said`."""
        there, named = self.all(has, "has"), self.said(want, "want")
        taken = {other: False for group in self.exclusive for name in group if named.get(name) for other in group}
        return Wish(there, named, {**there, **taken, **named})

    def switched(self, wish: Wish, on: Iterable[str]) -> dict[str, bool]:
        """What a person names who switches attributes, after a wish: what becomes another unless that follows, and what
        they had named before, as far as it stays so.

        Args:
            wish: Before.
            on: Names of all that the picture is to have.

        Raises:
            UnknownNameError, SettingError: As in `said`.
        """
        wanted = self.all(on, "want")
        taken = [group for group in self.exclusive if any(wanted[name] for name in group)]
        follows = {name for group in taken for name in group if not wanted[name]}
        changed = {name: there for name, there in wanted.items() if there != wish.has[name] and name not in follows}
        return {**{name: there for name, there in wish.want.items() if wanted[name] == there}, **changed}


def answer(name: Any, value: Any) -> bool:
    """Whether an attribute is there, as a person says it."""
    if isinstance(value, (bool, np.bool_)) or (isinstance(value, (int, np.integer)) and value in (0, 1)):
        return bool(value)
    raise SettingError(f"attribute {name} {short(value)}", "neither True nor False", "Give one of them")
