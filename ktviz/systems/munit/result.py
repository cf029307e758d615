"""What a run made: the picture, its style, and what that is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ktviz.errors import AbilityError, SettingError
from ktviz.images import Pixels
from ktviz.names import find_name
from ktviz.systems.munit.direction import CELL_PX
from ktviz.systems.munit.run import Run
from ktviz.systems.munit.settings import Settings
from ktviz.systems.munit.style import Floats, Part, Style
from ktviz.trace.recorded import Recorded
from ktviz.values import whole

SHOWN = 3
"""Pictures of a style on a card."""
DARK, TINY = 0.15, 1e-12
"""How bright a cell is that gives nothing; and what is nothing."""


@dataclass(frozen=True, repr=False, eq=False)
class Translation(Recorded):
    """A picture in a style of the other domain. Where it was recorded, `trace` is its trace.

    Attributes:
        output: (H, W, 3) uint8.
        style: Its code, and what it is made of.
        run: What it was made of.
        to: The domain.
    """

    output: Pixels
    style: Style = field(repr=False)
    run: Run = field(repr=False)
    to: str

    @property
    def input(self) -> Pixels:
        """(H, W, 3) uint8."""
        return self.run.picture

    @property
    def settings(self) -> Settings:
        """As used."""
        return self.run.settings

    @property
    def code(self) -> npt.NDArray[Any]:
        """(codes,) float32: the style that was used."""
        return self.style.code.numpy()

    @property
    def bias(self) -> Floats:
        """(codes,) what a code is without any cell."""
        return self.style.bias.numpy()

    @property
    def sources(self) -> pd.DataFrame:
        """The pictures that the style is of: source, weight, and share, which is the part of their cells in it."""
        rows = [
            (part.exemplar.name, part.weight, float(cells.sum()))
            for part, cells in zip(self.style.parts, self.style.cell_weights(), strict=True)
        ]
        return pd.DataFrame(rows, columns=["source", "weight", "share"])

    @property
    def likeness(self) -> pd.DataFrame:
        """Of a drawn style, what is nearest to it in the bank: source, distance. Nothing of it was used."""
        candidates = self.style.candidates if self.style.mode == "random" else None
        names = [] if candidates is None else [candidates.knowledge.source_names[entry] for entry in candidates.entry]
        return pd.DataFrame({"source": names, "distance": [] if candidates is None else candidates.apart})

    def contribution(self, coordinate: int | None = None, source: str | None = None) -> Floats:
        """What each cell of a picture gives to the style: (h, w), a cell for 16x16 px.

        Args:
            coordinate: A number of the code: what each cell adds to it, in all the code less its bias. None for the
                part of each cell in all of them, which add up to 1.
            source: Which picture, where the style is of several, over all of which those sums go; the heaviest if None.

        Raises:
            AbilityError: The style was drawn.
            SettingError: There is no such number.
            UnknownNameError: The style is not of that picture.
        """
        if not self.style.parts:
            raise AbilityError("what cells give to a style", "it was drawn", "Ask a run with an exemplar or a bank")
        place, part = self.part(source)
        grid = part.exemplar.catalogue
        if coordinate is None:
            cells = self.style.cell_weights()[place]
        else:
            if not 0 <= whole("coordinate", coordinate) < len(self.code):
                raise SettingError(f"coordinate {coordinate}", f"a code of {len(self.code)} numbers", "Count from 0")
            cells = part.weight * part.cells[:, coordinate]
        found: Floats = cells.reshape(grid.rows, grid.columns).numpy()
        return found

    def contribution_picture(self, source: str | None = None) -> Pixels:
        """A picture that the style is of, as bright as what each of its cells gives to the style: (H, W, 3) uint8.

        As it is where a cell gives most, and dark where it gives nothing or leads back.

        Args:
            source: As in `contribution`, and errors, too.
        """
        parts, pixels = self.contribution(source=source), self.part(source)[1].exemplar.pixels
        bright = DARK + (1 - DARK) * np.clip(parts / max(parts.max(), TINY), 0, 1)
        whole = bright.repeat(CELL_PX, 0).repeat(CELL_PX, 1)[: pixels.shape[0], : pixels.shape[1], None]
        made: Pixels = np.rint(pixels * whole).astype(np.uint8)
        return made

    def part(self, source: str | None) -> tuple[int, Part]:
        """One of the pictures that the style is of, and its place among them."""
        parts = {part.exemplar.name: (place, part) for place, part in enumerate(self.style.parts)}
        return parts[next(iter(parts)) if source is None else find_name(source, parts)]

    @property
    def origin(self) -> str:
        """Where the style is from, in words."""
        names = [part.exemplar.name for part in self.style.parts]
        if not names:
            return f"style drawn, seed {self.settings.seed}"
        return f"in the style of {names[0] if len(names) == 1 else f'{len(names)} pictures'}"

    def __repr__(self) -> str:
        height, width = self.run.size
        return f"Translation({width}x{height} px to {self.to}, {self.origin})"

    def _repr_html_(self) -> str | None:
        """What a notebook shows."""
        from ktviz.figures.cards import run_card

        pictures = {"Input": self.input}
        for part in self.style.parts[:SHOWN]:
            name = part.exemplar.name
            pictures |= {name: part.exemplar.pixels, f"{name}: what gives the style": self.contribution_picture(name)}
        return run_card("Translation", [f"to {self.to}", self.origin], {**pictures, "Output": self.output})
