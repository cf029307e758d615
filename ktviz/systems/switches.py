"""Attributes of a picture as switches, as a system with the ability `attributes` tells them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ktviz.images import Pixels

Attributes = Mapping[str, bool]
"""Whether a picture has each of them, by name."""
Shares = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Switched:
    """A picture of which attributes were changed, and of what it was made.

    Attributes:
        has: All attributes of the source.
        wanted: All that were wanted.
        difference: By how much each was to change, 0 for what stays.
        amount: By which the difference was multiplied.
        labels: Part of what the labels alone gave: 0 where all is after the reference, 1 where there is none.
        source: (H, W, 3) uint8.
        output: The same.
        reference: The same; None where there is none.
        about: What is known of the reference: `source`, `title`, `creator`, `licence` ...; nothing where there is none.
        chosen: Whether it is the first of the ranking, and nobody named it.
        ranking: Those that could be taken, by falling similarity; none where nobody knows of others.
        shares: In words what a part of the code is of, and how much of that is in each cell: (rows, columns).
    """

    has: Attributes
    wanted: Attributes
    difference: Mapping[str, float]
    amount: float
    labels: float
    source: Pixels
    output: Pixels
    reference: Pixels | None
    about: Mapping[str, Any]
    chosen: bool
    ranking: Sequence[tuple[str, float]]
    shares: Mapping[str, Shares]


class Switches(Protocol):
    """The attributes of one run; what else was said of it stays as it was."""

    @property
    def names(self) -> Sequence[str]:
        """Of all attributes."""
        ...

    @property
    def exclusive(self) -> Sequence[Sequence[str]]:
        """Groups of attributes of which a picture has one at most."""
        ...

    @property
    def references(self) -> Sequence[str]:
        """Names of all that can be a reference; none where labels are all there is."""
        ...

    def recorded(self) -> Switched:
        """As it was made."""
        ...

    def switched(self, on: Collection[str], labels: float, reference: str | None, amount: float) -> Switched:
        """The run again with other attributes.

        Args:
            on: Names of those that the picture is to have; all others it is not to have.
            labels: As in `Switched`.
            reference: Its name; None for the first of the ranking.
            amount: As in `Switched`.

        Raises:
            UnknownNameError: An attribute or a reference that is not there.
            SettingError: Attributes that exclude each other, or a reference that lacks what is wanted.
        """
        ...
