"""What an analogy found: both pictures, the field of every level, and what the last one's votes took from where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ktviz.images import Pixels
from ktviz.systems.image_analogy.cost import PatchCost
from ktviz.systems.image_analogy.feature_blend import FeatureBlend
from ktviz.systems.image_analogy.field import OTHER, Direction, round_trip
from ktviz.systems.image_analogy.patchmatch import Search
from ktviz.systems.image_analogy.settings import Settings
from ktviz.systems.image_analogy.vote import Votes
from ktviz.trace.recorded import Recorded


@dataclass(frozen=True)
class Side:
    """One direction at one level.

    Attributes:
        search: The field, its cost, and how it came to be.
        blend: How much of the picture's own features was kept.
        cost: The cost that was minimised, for an exact search.
        forbidden: (h, w) bool, cells of the other picture that the field might not enter; or None.
        energy: Of the inversion, before and after; None at conv1_1, after which nothing is inverted.
    """

    search: Search
    blend: FeatureBlend
    cost: PatchCost
    forbidden: Tensor | None
    energy: tuple[float, float] | None

    def oracle(self, cells: Tensor, count: int = 1) -> tuple[Tensor, Tensor]:
        """The exact best matches of some cells: numbers (N, count) and costs (N, count) float32."""
        return self.cost.best(cells, count, self.forbidden)

    def regret(self, cells: Tensor) -> Tensor:
        """What the search's shortcut cost: (N,) float32, cost of the field less the least there is; from 0."""
        return self.search.cost.flatten()[cells] - self.oracle(cells)[1][:, 0]


@dataclass(frozen=True)
class Level:
    """Both directions at one level.

    Attributes:
        number: 1 for conv1_1, to 5 for conv5_1.
        layer: "conv1_1" to "conv5_1".
        sides: By direction.
    """

    number: int
    layer: str
    sides: Mapping[Direction, Side]

    @property
    def stride(self) -> int:
        """Pixels of what the network saw per cell."""
        return 1 << (self.number - 1)

    def consistency(self, direction: Direction = "ab") -> Tensor:
        """(H, W) float32: how many cells from itself each ends after going there and back."""
        return round_trip(self.sides[direction].search.field, self.sides[OTHER[direction]].search.field)

    def measures(self, direction: Direction) -> dict[str, float]:
        """How the field of a direction came to be, in numbers.

        Returns:
            `mean_cost`: over the field's cells, minus the sum of both cosines, from -2 (the same) to 2. `changed`:
            share of the cells that left the start, which is the field of the level before. `there_and_back`: median
            distance in cells from where a cell ends after going there and back. `energy_before` and `energy_after`:
            sum of squared differences that the inversion began and ended with; none at conv1_1.
        """
        side = self.sides[direction]
        found = {
            "mean_cost": side.search.mean_cost,
            "changed": side.search.changed,
            "there_and_back": float(self.consistency(direction).median()),
        }
        if side.energy is not None:
            found |= {"energy_before": side.energy[0], "energy_after": side.energy[1]}
        return found


@dataclass(frozen=True, repr=False)
class Analogy(Recorded):
    """The result. Where it was recorded, `trace` is its trace.

    Attributes:
        a: (H, W, 3) uint8, the picture A as given.
        b_prime: (h, w, 3) uint8, the reference B' as given.
        a_prime: (H, W, 3) uint8: A with the look of B'.
        b: (h, w, 3) uint8: B' with the look of A.
        voted: By direction, the same before refinement; these are exactly what `votes` say.
        votes: By direction, the sources of every pixel of the output.
        levels: conv5_1 first, in the order in which they were made.
        settings: As used.
    """

    a: Pixels
    b_prime: Pixels
    a_prime: Pixels
    b: Pixels
    voted: Mapping[Direction, Pixels]
    votes: Mapping[Direction, Votes]
    levels: tuple[Level, ...]
    settings: Settings

    def __repr__(self) -> str:
        (height, width), (other_height, other_width) = self.a.shape[:2], self.b_prime.shape[:2]
        return f"Analogy(A {width}x{height} px, B' {other_width}x{other_height} px)"

    def _repr_html_(self) -> str | None:
        """What a notebook shows."""
        from ktviz.figures.cards import run_card

        names = ("A", "A', the look of B'", "B'", "B, the look of A")
        pictures = dict(zip(names, (self.a, self.a_prime, self.b_prime, self.b), strict=True))
        return run_card("Analogy", [f"inversion {self.settings.inversion}", f"seed {self.settings.seed}"], pictures)

    def level(self, layer: str) -> Level:
        """The level of a layer: "conv1_1" to "conv5_1"."""
        return next(level for level in self.levels if level.layer == layer)


def rendered(votes: Votes, pixels: Pixels) -> Pixels:
    """The picture that votes make of the other picture's pixels (h, w, 3): (H, W, 3) uint8, rounded."""
    values = torch.from_numpy(pixels.copy()).permute(2, 0, 1).float()
    made: Pixels = votes.average(values.to(votes.field.device)).round().byte().permute(1, 2, 0).cpu().numpy()
    return made
