"""The space of styles around the one that a run was made with; see `ktviz.systems.code_space.CodeSpace`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ktviz.images import Pixels, to_pixels
from ktviz.library.kinds.codes.cutting import tile
from ktviz.systems.code_space import Codes
from ktviz.systems.munit.direction import Direction
from ktviz.systems.munit.run import Run
from ktviz.systems.munit.style import Style
from ktviz.systems.munit.styles import Bank


@dataclass(frozen=True, eq=False)
class StyleSpace:
    """Styles, and the content of a run in any of them.

    Attributes:
        direction: Whose decoder paints.
        bank: Of stored styles; None without one.
        run: What the picture was made of.
        style: With which it was made.
    """

    direction: Direction
    bank: Bank | None
    run: Run
    style: Style

    kind = "style"

    @property
    def codes(self) -> Codes:
        """Of the bank."""
        return np.zeros((0, self.direction.codes)) if self.bank is None else self.bank.banks.codes

    @property
    def used(self) -> Codes:
        """As the decoder had it."""
        found: Codes = self.style.code.double().numpy()
        return found

    @property
    def origin(self) -> str:
        """A draw, one picture, or several."""
        if self.style.mode == "random":
            return f"it was drawn (seed {self.run.settings.seed})"
        names = [part.exemplar.name.rsplit("/", 1)[-1] for part in self.style.parts]
        of = f"that of {names[0]}" if len(names) == 1 else f"the mean of {len(names)} pictures"
        return f"it is {of}{', without what was left out' if self.run.without.regions else ''}"

    @property
    def parts(self) -> Mapping[int, float]:
        """The pictures of the bank that the style is of."""
        candidates = self.style.candidates
        if self.style.mode == "random" or self.run.exemplar is not None or candidates is None:
            return {}
        pairs = zip(candidates.entry.tolist(), candidates.weight.tolist(), strict=True)
        return {entry: weight for entry, weight in pairs if weight}

    @cached_property
    def content(self) -> Tensor:
        """What the picture of the run shows."""
        return self.direction.content(self.run.picture)

    @torch.no_grad()
    def picture(self, code: Codes) -> Pixels:
        """The run's content in a style."""
        return to_pixels(self.direction.paint(self.content, torch.from_numpy(code).float(), self.run.size))

    def sources(self, entries: Sequence[int]) -> list[Mapping[str, Any]]:
        """Of pictures of the bank: each is an entry."""
        about = [] if self.bank is None else self.bank.banks.describe_sources()
        return [about[entry] for entry in entries]

    def thumbs(self, entries: Sequence[int], side: int) -> Pixels:
        """Pictures of the bank."""
        banks = None if self.bank is None else self.bank.banks
        shown = [] if banks is None else [tile(banks.thumb(entry), side) for entry in entries]
        return np.array(shown, np.uint8).reshape(len(shown), side, side, 3)
