"""Styles: what an object can look like, as a system with the ability `codes` tells it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ktviz.images import Pixels

Numbers = npt.NDArray[np.int64]
Distances = npt.NDArray[np.float64]
Pairs = Mapping[int, int]


@dataclass(frozen=True, eq=False)
class Style:
    """One way to look.

    Attributes:
        name: What it is called.
        number: By which a person asks for it, within its class; -1 where nobody can.
        members: Numbers of the stored objects that it is the mean of, the nearest to it first; none where nobody knows.
        apart: (members,) how far each is from it.
    """

    name: str
    number: int
    members: Numbers = field(repr=False)
    apart: Distances = field(repr=False)


@dataclass(frozen=True, eq=False)
class Look:
    """What one object of a picture looks like.

    Attributes:
        label: What the label map calls the object.
        kind: Name of its class.
        options: Numbers of the styles that it could take.
        apart: (options,) how far each is from what was wanted; NaN where nothing is known.
        taken: The style that it took; -1 for none.
        given: Whether a person said so.
        measure: From what the distances are, in words.
        small: Stored objects of its class that are too small to be members of a style.
    """

    label: int
    kind: str
    options: Numbers
    apart: Distances
    taken: int
    given: bool
    measure: str
    small: int


class Styles(Protocol):
    """The styles of one run; `styles` are numbered through all classes."""

    @property
    def styles(self) -> Sequence[Style]: ...

    def look(self, label: int, /) -> Look:
        """Of an object, by what the label map calls it."""
        ...

    def sources(self, members: Numbers, /) -> list[Mapping[str, Any]]:
        """What is known of the sources that some members are of: `source`, `title`, `creator`, `licence` ..."""
        ...

    def pictures(self, members: Numbers, side: int, /) -> Pixels:
        """Members, cut out of their sources: (n, side, side, 3)."""
        ...

    def settings(self, styles: Pairs, copies: Pairs, /) -> dict[str, Any]:
        """What `rerun` is given so that some objects take other styles, by number, or look like other objects.

        What a person had said of the others stays.
        """
        ...
