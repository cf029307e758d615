"""Pictures on the way from one style to another, as a result that can be shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, overload

import numpy as np

from ktviz.images import Pixels
from ktviz.systems.munit.style import Floats

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False, repr=False)
class StylePath:
    """Pictures on the way from one style to another, (H, W, 3) uint8 each; `way[0]`, `way[2:4]` and loops take them.

    Attributes:
        picture: What all of them show, as given.
        ends: What both styles are called.
        parts: (n,) how far each is on its way, from 0 to 1.
        codes: (n, codes) the styles.
        line: Whether the way is straight; otherwise an arc.

    Example:
        >>> grey = [np.full((8, 8, 3), level, np.uint8) for level in (0, 100, 110)]
        >>> way = StylePath(grey[0], ("cup", "jug"), np.linspace(0, 1, 3), np.eye(3), False, tuple(grey))
        >>> way, way.differences.tolist()
        (StylePath(cup to jug, 3 pictures), [100.0, 10.0])
    """

    picture: Pixels = field(repr=False)
    ends: tuple[str, str]
    parts: Floats
    codes: Floats
    line: bool
    _pictures: tuple[Pixels, ...] = field(repr=False)

    def __len__(self) -> int:
        return len(self._pictures)

    @overload
    def __getitem__(self, place: int) -> Pixels: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[Pixels, ...]: ...

    def __getitem__(self, place: int | slice) -> Pixels | tuple[Pixels, ...]:
        return self._pictures[place]

    def __iter__(self) -> Iterator[Pixels]:
        return iter(self._pictures)

    @property
    def differences(self) -> Floats:
        """(n - 1,) by how much each picture differs from the one before: mean of all numbers, in levels of 255."""
        pictures = np.stack(self._pictures).astype(np.float64)
        found: Floats = np.abs(np.diff(pictures, axis=0)).mean((1, 2, 3))
        return found

    @property
    def facts(self) -> str:
        """How it leads, in words."""
        way = "line" if self.line else "arc"
        least, most = self.differences.min(), self.differences.max()
        return f"{len(self)} pictures along the {way} between two styles, {least:.1f} to {most:.1f} of 255 levels apart"

    def __repr__(self) -> str:
        return f"StylePath({self.ends[0]} to {self.ends[1]}, {len(self)} pictures)"

    def captions(self) -> list[str]:
        """What stands below each picture."""
        first, last = self.ends
        return [first, *(f"{part:.0%} of the way" for part in self.parts[1:-1]), last]

    def plot(self, *, width: float | None = None) -> Figure:
        """The pictures in rows, each with how far it is: a matplotlib figure.

        Args:
            width: In inches, such as 3.4 for one column of a paper and 7 for two; None: for the screen.
        """
        from ktviz.figures.strip import strip_figure

        title = f"From the style of {self.ends[0]} to that of {self.ends[1]}"
        return strip_figure(title, self.facts, self.shown(), width=width)

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        from ktviz.figures.cards import strip_card

        return strip_card("StylePath", self.facts, self.shown())

    def shown(self) -> list[tuple[str, Pixels]]:
        """Pictures, each after what stands below it."""
        return [("as given", self.picture), *zip(self.captions(), self._pictures, strict=True)]
