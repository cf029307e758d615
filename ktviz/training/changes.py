"""What is asked of pictures in a training of attributes, and where that shows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import torch
from torch import Tensor

from ktviz.training.attributed import Attributed
from ktviz.training.places import EFFECT, effects, local, places

THRESHOLDS = [EFFECT * (1 + step / 10) for step in range(1, 11)]
"""Effects from which attributes are looked at that show in much of a picture: the first at which it is little."""


class Changes:
    """Changes of attributes, and their places.

    Args:
        data: Pictures with their attributes.
        exclusive: Groups of attributes of which a picture has one at most.
        device: Of all tensors.
    """

    def __init__(self, data: Attributed, exclusive: Sequence[Sequence[str]], device: str) -> None:
        self.data, self.device, names = data, device, list(data.attributes)
        groups = [[names.index(name) for name in group] for group in exclusive]
        self.alike = [next((group for group in groups if place in group), [place]) for place in range(len(names))]
        """By the place of an attribute the places of its group: its own where it has none."""

    @cached_property
    def effect(self) -> Tensor:
        """How far pictures with an attribute, or one of its group, differ from others: (attributes, side, side)."""
        alone = effects(self.data.pictures, self.data.has)
        return torch.stack([alone[alike].amax(0) for alike in self.alike]).to(self.device)

    @cached_property
    def groups(self) -> list[list[int]]:
        """Of all attributes, those first that show most clearly."""
        found = [alike for place, alike in enumerate(self.alike) if alike[0] == place]
        return sorted(found, key=lambda group: -float(self.effect[group[0]].max()))

    @cached_property
    def shown(self) -> Tensor:
        """Where attributes show: (attributes, 1, side, side)."""
        return places(self.effect)

    @cached_property
    def wide(self) -> Tensor:
        """Which of them show in much of a picture: (attributes,)."""
        return ~local(self.shown)

    @cached_property
    def strongest(self) -> Tensor:
        """Where they show that show in little of a picture, and where others show most: as `shown`."""
        most = self.shown
        for least in THRESHOLDS:
            most = torch.where(local(most)[:, None, None, None], most, places(self.effect, least))
        return most

    def one_or_all(self, difference: Tensor, single: float) -> Tensor:
        """Of all differences (B, attributes) one in some rows, whose part is `single`, and all in others."""
        chosen = torch.rand(len(difference), 1) < single
        return torch.where(chosen.to(self.device), self.one(difference), difference)

    def one(self, difference: Tensor) -> Tensor:
        """Of each row of differences (B, attributes) one that is not 0, drawn, or those of its group."""
        found = torch.zeros_like(difference)
        for row, all_of_it in zip(found, difference, strict=True):
            there = all_of_it.nonzero()[:, 0]
            if len(there):
                changed = self.alike[int(there[int(torch.randint(len(there), ()))])]
                row[changed] = all_of_it[changed]
        return found

    def around(self, difference: Tensor) -> Tensor:
        """Where nothing of the changes (B, attributes) shows: (B, 1, side, side) from 0 to 1.

        Nowhere, for changes of attributes of whose places nothing is known.
        """
        unknown = self.shown.amax((1, 2, 3)) == 0
        known = ~(difference != 0).logical_and(unknown).any(1)
        return (1 - covered(self.shown, difference)) * known[:, None, None, None]

    def in_one_place(self, difference: Tensor) -> tuple[Tensor, Tensor]:
        """One change of each row that shows in one place, and that place.

        What shows in much of a picture leaves out the places of what else is different: hair that comes from under a
        hat comes without it. Of two such, neither is changed: grey hair is of an age, and of a colour.

        Args:
            difference: (B, attributes) all that differs.

        Returns:
            (B, attributes) and (B, 1, side, side) from 0 to 1.
        """
        there = local(self.strongest)
        one = self.one(difference * (there & (~self.wide | (self.wide_ones(difference * there) < 2))))
        others = covered(self.strongest, (difference - one) * (there & ~self.wide))
        is_wide = (one.abs() * self.wide).amax(1)[:, None, None, None]
        return one, covered(self.strongest, one) * (1 - is_wide * others)

    def wide_ones(self, difference: Tensor) -> Tensor:
        """How many of the differences show in much of a picture, groups as one: (B, 1)."""
        differs = [difference[:, group].abs().amax(1) for group in self.groups if self.wide[group[0]]]
        return torch.stack(differs).sum(0)[:, None] if differs else difference.new_zeros(len(difference), 1)


def covered(shown: Tensor, difference: Tensor) -> Tensor:
    """The places of changes (B, attributes): (B, 1, side, side) from 0 to 1."""
    return (difference.abs()[:, :, None, None, None] * shown).amax(1)
