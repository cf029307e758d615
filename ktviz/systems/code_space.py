"""Code spaces: what a run was made of, as a point among codes that are stored; see the ability `space`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ktviz.images import Pixels

Codes = npt.NDArray[np.float64]
"""(C,) or (n, C)."""


class CodeSpace(Protocol):
    """The space of codes of one run: every point in it makes a picture.

    Entries are the stored codes, by number.
    """

    @property
    def kind(self) -> str:
        """What a code is of, in a word: "style"."""
        ...

    @property
    def codes(self) -> Codes:
        """What is stored: (n, C); without a row where nothing is."""
        ...

    @property
    def used(self) -> Codes:
        """The code that the run was made with: (C,)."""
        ...

    @property
    def origin(self) -> str:
        """Where the used code is from, as a clause: "it was drawn", "it is that of a picture"."""
        ...

    @property
    def parts(self) -> Mapping[int, float]:
        """By entry, its part in the used code; empty where nothing stored was used."""
        ...

    def picture(self, code: Codes, /) -> Pixels:
        """The output for a code (C,), all else as in the run: (H, W, 3). For the used one, the recorded output."""
        ...

    def sources(self, entries: Sequence[int], /) -> list[Mapping[str, Any]]:
        """What is known of the sources of entries: `source`, `title`, `creator`, `licence` ..."""
        ...

    def thumbs(self, entries: Sequence[int], side: int, /) -> Pixels:
        """What entries are codes of, fitted into squares: (n, side, side, 3)."""
        ...
