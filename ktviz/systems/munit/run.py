"""A run: all that a picture is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ktviz.images import Pixels
from ktviz.systems.left_out import LeftOut
from ktviz.systems.munit.exemplar import Exemplar
from ktviz.systems.munit.settings import Settings
from ktviz.trace.pictures import REFERENCE


@dataclass(frozen=True, eq=False)
class Run:
    """What a picture is made of.

    Attributes:
        picture: (H, W, 3) uint8 of the other domain.
        settings: Where its style comes from, sources by their whole names.
        exemplar: One that comes with the run, or None.
        without: What is left out.
    """

    picture: Pixels
    settings: Settings
    exemplar: Exemplar | None
    without: LeftOut

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the picture in px."""
        return self.picture.shape[0], self.picture.shape[1]

    @property
    def names(self) -> dict[str, float]:
        """Sources of the bank that are named, with their weights."""
        if self.settings.mix is not None:
            return dict(self.settings.mix)
        named = self.settings.exemplar
        return {} if named is None or self.exemplar is not None else {named: 1.0}

    @property
    def instead(self) -> str:
        """What takes the place of what is left out, in words."""
        if self.settings.mode == "random":
            return "nothing: the style was drawn, and stays"
        if self.settings.code is not None:
            return "of sources those next nearest to the wanted code, of a picture's cells the others"
        if self.settings.mix is not None:
            return "of sources the others of the mix, with their weights in proportion; of a picture's cells the others"
        return "the mean over the exemplar's other cells"

    def described(self) -> dict[str, Any]:
        """All but the pictures, as a trace states it."""
        mode = {"mode": self.settings.mode}
        return {**mode, **self.settings.described(), "without": self.without.described()}

    def pictures(self) -> dict[str, Pixels]:
        """What went in: the picture, and an exemplar that is of no bank."""
        shown = {"input": self.picture}
        return shown if self.exemplar is None else {**shown, REFERENCE: self.exemplar.pixels}
