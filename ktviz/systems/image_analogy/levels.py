"""The work at one level: blend, match and invert, in both directions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ktviz.images import Pixels
from ktviz.networks.threads import one_thread
from ktviz.systems.image_analogy.cost import PatchCost, joined
from ktviz.systems.image_analogy.feature_blend import FeatureBlend, blend
from ktviz.systems.image_analogy.field import (
    DIRECTIONS,
    OTHER,
    Direction,
    Size,
    entered,
    forbidden_cells,
    identity_field,
    random_field,
    upsampled,
)
from ktviz.systems.image_analogy.inverse import Inverse
from ktviz.systems.image_analogy.inversion import Inversion, energy, optimised
from ktviz.systems.image_analogy.patchmatch import Search, patch_match
from ktviz.systems.image_analogy.pyramid import LEVELS, Pyramid
from ktviz.systems.image_analogy.result import Level, Side
from ktviz.systems.image_analogy.settings import SIXTEENTH, Settings
from ktviz.systems.image_analogy.sites import Place
from ktviz.systems.image_analogy.vote import Votes

Progress = Callable[[str, Direction, str], None]
"""Told before each piece of work: layer ("conv5_1" to "conv1_1", then "pixels"), direction, and what is done."""
About = Mapping[str, Any]
"""What is known of a picture: source, bank, credit, height and width in px."""
PIXEL_PATCH = 3
"""Side of the window in which pixels vote."""


@dataclass
class Half:
    """One of the two pictures, on its way from level to level.

    Attributes:
        pixels: As given.
        own: Its own features, (C, H, W) by level, what the network saw first; fixed.
        made: Features at the present level of the picture that is made of it (A' of A, B of B').
        source: What is known of it.
        field: Of the level before, None at first.
    """

    pixels: Pixels
    own: list[Tensor]
    made: Tensor
    source: About
    field: Tensor | None = None

    def size(self, level: int) -> Size:
        """Height and width of its grid at a level, in cells; at level 0 in px of what the network saw."""
        return self.own[level].shape[1], self.own[level].shape[2]


class Passage:
    """Both pictures from conv5_1 down to conv1_1.

    Args:
        pyramid: Frozen.
        inverse: Its inverse blocks, for the fast inversion.
        sites: By direction and layer, passed by each `Search`.
        halves: A and B', by the direction that begins there.
        settings: How.
        excluded: (h, w) bool of B' as given, or None.
        progress: Told what is done.
    """

    def __init__(
        self,
        pyramid: Pyramid,
        inverse: Inverse | None,
        sites: Mapping[Direction, Mapping[str, nn.Module]],
        halves: Mapping[Direction, Half],
        settings: Settings,
        excluded: Tensor | None,
        progress: Progress,
    ) -> None:
        self.pyramid, self.inverse, self.sites, self.halves = pyramid, inverse, sites, halves
        self.settings, self.excluded, self.progress = settings, excluded, progress

    def level(self, number: int) -> Level:
        """Match both pictures at one level, and make the features of the next."""
        blends = {way: self.blend(way, number) for way in DIRECTIONS}
        there, back = self.halves["ab"], self.halves["ba"]
        with one_thread():
            ours, theirs = joined(there.made, there.own[number]), joined(back.own[number], back.made)
        cost = PatchCost(ours, theirs, self.settings.patches[number - 1])
        searches = {"ab": self.match("ab", number, cost), "ba": self.match("ba", number, cost.back())}
        energies = {way: self.invert(way, number, searches[way].field) if number > 1 else None for way in DIRECTIONS}
        # New costs, without the search's own arrangement of the features, which takes several times their memory.
        kept = {
            "ab": PatchCost(ours.cpu(), theirs.cpu(), cost.patch),
            "ba": PatchCost(theirs.cpu(), ours.cpu(), cost.patch),
        }
        sides: dict[Direction, Side] = {
            way: Side(searches[way].cpu(), blends[way].cpu(), kept[way], self.forbidden(way, number), energies[way])
            for way in DIRECTIONS
        }
        return Level(number, LEVELS[number], sides)

    def blend(self, way: Direction, number: int) -> FeatureBlend:
        """Put the picture's own features back where they are strong."""
        self.progress(LEVELS[number], way, "blend")
        half = self.halves[way]
        with one_thread():
            found = blend(half.own[number], self.settings.alphas[number - 1], self.settings.curve)
            half.made = found.mix(half.own[number], half.made)
        return found

    def match(self, way: Direction, number: int, cost: PatchCost) -> Search:
        """Find the field of one direction, from the one of the level before."""
        self.progress(LEVELS[number], way, "match")
        half, settings = self.halves[way], self.settings
        purpose = (settings.seed, number, DIRECTIONS.index(way))
        if half.field is not None:
            start = upsampled(half.field, cost.size_here, cost.size_there)
        elif settings.start == "random":
            start = random_field(cost.size_here, cost.size_there, purpose)
        else:
            start = identity_field(cost.size_here, cost.size_there)
        radius = settings.radii[number - 1]
        found = patch_match(
            cost,
            start.to(cost.here.device),
            iterations=settings.iterations,
            radius=max(half.size(0)) // 16 if radius == SIXTEENTH else radius,
            seed=purpose,
            forbidden=self.forbidden(way, number, cost.here.device),
        )
        search: Search = self.sites[way][LEVELS[number]](found, self.place(way))
        half.field = search.field
        return search

    def invert(self, way: Direction, number: int, field: Tensor) -> tuple[float, float]:
        """Make the features of the next level from what the field says; returns the energy before and after.

        Values two levels below are brought to give the features that were voted for at this level, and what the
        pyramid makes of them on the way, at the level between, is kept.
        """
        self.progress(LEVELS[number], way, "invert")
        half, other, below = self.halves[way], self.halves[OTHER[way]], number - 2
        patch = self.settings.patches[below - 1] if below else PIXEL_PATCH
        finer = upsampled(field, half.size(below), other.size(below))
        finer_votes = Votes(finer, other.size(below), patch, self.forbidden(way, below, finer.device))
        votes = Votes(
            field, other.size(number), self.settings.patches[number - 1], self.forbidden(way, number, field.device)
        )
        start, target = finer_votes.average(other.own[below])[None], votes.average(other.own[number])[None]
        with one_thread():
            inverted = self.inverted(start, target, number)
            half.made = self.pyramid.between(inverted.values, below, number - 1)[-1][0]
        return inverted.before, inverted.after

    def inverted(self, start: Tensor, target: Tensor, number: int) -> Inversion:
        """Values two levels below the target (1, C, h, w), from where they start, by the inversion that is set."""
        if self.settings.inversion == "lbfgs" or self.inverse is None:
            return optimised(self.pyramid, start, target, number, self.settings.inversion_iterations)
        values = self.inverse(self.pyramid, start, target, number)
        before, after = (float(energy(self.pyramid, given, target, number)) for given in (start, values))
        return Inversion(values, before, after)

    def votes(self, way: Direction) -> Votes:
        """Where every pixel of the result comes from, at the pictures' own sizes."""
        self.progress(LEVELS[0], way, "vote")
        field = self.halves[way].field
        assert field is not None
        here, there = (self.halves[side].pixels.shape[:2] for side in (way, OTHER[way]))
        forbidden = self.forbidden(way, None)
        pixels = entered(upsampled(field.cpu(), here, there), forbidden)
        votes: Votes = self.sites[way]["vote"](Votes(pixels, there, PIXEL_PATCH, forbidden), self.place(way))
        return votes

    def place(self, way: Direction) -> Place:
        """Where a direction goes."""
        half, other = self.halves[way], self.halves[OTHER[way]]
        sizes = [(one.pixels.shape[0], one.pixels.shape[1]) for one in (half, other)]
        return Place(sizes[0], half.size(0), sizes[1], other.size(0), tuple(sorted(other.source.items())))

    def forbidden(self, way: Direction, level: int | None, device: torch.device | str = "cpu") -> Tensor | None:
        """Cells of the other picture that may not be used at a level, or pixels as given."""
        if way == "ba" or self.excluded is None:
            return None
        height, width = self.excluded.shape
        found = forbidden_cells(self.excluded, (height, width) if level is None else self.halves["ba"].size(level))
        return None if found is None else found.to(device)
