"""What bridging makes: a picture with other attributes, and of what every cell of its code is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ktviz.images import Pixels
from ktviz.systems.bridge.codes import OWN, Mixture
from ktviz.systems.bridge.networks import Modulations
from ktviz.systems.bridge.reference import Aligned
from ktviz.systems.bridge.run import Run
from ktviz.systems.bridge.settings import Settings
from ktviz.systems.bridge.shape import CODE_PX
from ktviz.systems.choice import Choice
from ktviz.trace.overlap import Floats
from ktviz.trace.recorded import Recorded


@dataclass(frozen=True, repr=False, eq=False)
class Change(Recorded):
    """A picture of which attributes were changed. Where it was recorded, `trace` is its trace.

    Attributes:
        output: (side, side, 3) uint8.
        run: What it was made of.
        reference: Whose code was taken; None in the mode "labels".
        choice: The ranking from which the reference was taken; None where it was given.
        mixture: The codes.
        modulations: What they say to the generator, norm by norm.
    """

    output: Pixels
    run: Run
    reference: Aligned | None
    choice: Choice | None
    mixture: Mixture = field(repr=False)
    modulations: Modulations = field(repr=False)

    def __repr__(self) -> str:
        return f"Change({self.changes}, {self.origin})"

    def _repr_html_(self) -> str | None:
        """What a notebook shows."""
        from ktviz.figures.cards import run_card

        pictures = {"Source": self.input}
        if self.reference is not None:
            pictures["Reference"] = self.reference.pixels
        pictures |= {"Output": self.output, "Share of what was asked for": self.drawn}
        return run_card("Change", [self.changes, self.origin, f"by {self.settings.amount:g}"], pictures)

    @property
    def input(self) -> Pixels:
        """(side, side, 3) uint8, as given."""
        return self.run.picture

    @property
    def settings(self) -> Settings:
        """As used."""
        return self.run.settings

    @property
    def difference(self) -> Mapping[str, float]:
        """By how much each attribute was to change; those that stay are left out."""
        return self.run.wish.changes(self.settings.amount)

    @property
    def changes(self) -> str:
        """The same in words."""
        words = [f"{'+' if number > 0 else '-'}{name}" for name, number in self.difference.items()]
        return ", ".join(words) or "nothing"

    @property
    def origin(self) -> str:
        """Where what was asked for is from, in words."""
        names = [None if self.reference is None else self.reference.name, self.run.labels]
        return "after " + " and ".join(name for name in names if name is not None)

    @property
    def shares(self) -> dict[str, Floats]:
        """By whose it is ("own", "reference", "labels"), its part in every cell of the code: (rows, columns)."""
        shares = self.mixture.shares()
        return {name: share.double().numpy().reshape(self.mixture.grid) for name, share in shares.items()}

    @property
    def share_map(self) -> Floats:
        """(rows, columns) the part of what was asked for in every cell of the code, of `cell_px` px a side."""
        asked = [share for name, share in self.shares.items() if name != OWN]
        found: Floats = np.sum(asked, axis=0)
        return found

    @property
    def cell_px(self) -> int:
        """Side of a cell of the code in px."""
        return CODE_PX

    @property
    def drawn(self) -> Pixels:
        """(side, side, 3) uint8: the share map as a picture, white where all of the code is what was asked for."""
        grey = (self.share_map.clip(0, 1) * 255).round().astype(np.uint8)
        return np.kron(grey, np.ones((CODE_PX, CODE_PX), np.uint8))[..., None].repeat(3, 2)

    def measures(self) -> dict[str, dict[str, float]]:
        """In numbers: the mean part of each in the code, by whose it is; of every block of the generator that takes the
        code, and both of its norms, the mean size of scales beyond 1 and of shifts; and the noise, if there is some."""
        code = {name: float(share.mean()) for name, share in self.shares.items()}
        said: dict[str, float] = {}
        for place, pair in enumerate(self.modulations):
            at = f"{place // 2 + 1}_{place % 2 + 1}"
            said |= {f"{name}_{at}": number for name, number in zip(("scale", "shift"), pair, strict=True)}
        numbers = [] if self.run.noise is None else self.run.noise.numbers[0].tolist()
        noise = {str(place): number for place, number in enumerate(numbers, 1)}
        return {"code": code, "spade": said, **({"noise": noise} if noise else {})}
