"""The styles of a run, as views ask for them; see `ktviz.systems.styles`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch

from ktviz.images import Pixels
from ktviz.library.kinds.codes.union import CodeUnion
from ktviz.systems.pix2pixhd.centres import NOTHING, Centres
from ktviz.systems.pix2pixhd.drawing import object_tiles
from ktviz.systems.pix2pixhd.looks import Looks
from ktviz.systems.pix2pixhd.objects import Numbers
from ktviz.systems.pix2pixhd.settings import Pairs, Settings
from ktviz.systems.styles import Look, Style

WANTED, OWN = "the code of the reference's object", "its own code"
"""From what distances are."""


@dataclass(frozen=True, eq=False)
class RunStyles:
    """Centres as styles.

    Attributes:
        looks: Of the objects of the picture.
        chosen: How they were chosen.
    """

    looks: Looks
    chosen: Settings

    @property
    def centres(self) -> Centres:
        """What objects choose from."""
        return self.looks.centres

    @cached_property
    def styles(self) -> Sequence[Style]:
        """Every centre, also those that cannot be chosen any more."""
        numbers, names = asked_by(self.centres), self.centres.source_names
        behind = [self.centres.nearest_members(centre) for centre in range(len(self.centres))]
        return [Style(name, n, *known) for name, n, known in zip(names, numbers.tolist(), behind, strict=True)]

    def look(self, label: int) -> Look:
        """Of an object of the picture."""
        looks = self.looks
        place = int(np.searchsorted(looks.number, label))
        kind = int(looks.label[place])
        options, wanted = self.centres.of_class(kind), not np.isnan(looks.wanted[place]).any()
        taken, given = int(looks.centre[place]), bool(looks.given[place])
        name, apart = self.centres.classes.names[kind], looks.apart(place)
        return Look(label, name, options, apart, taken, given, WANTED if wanted else OWN, self.small(kind))

    def small(self, label: int) -> int:
        """Objects of a class that the bank holds and that no centre is made of, because they are small."""
        bank = self.centres.objects
        if not isinstance(bank, CodeUnion):
            return 0
        return int(((bank.label == label) & (bank.centre == NOTHING)).sum())

    def sources(self, members: Numbers) -> list[Mapping[str, Any]]:
        """The pictures that some objects are of."""
        objects = self.centres.objects
        if objects is None:
            return []
        about = objects.describe_sources()
        return [about[source] for source in objects.source_of(torch.from_numpy(members)).tolist()]

    def pictures(self, members: Numbers, side: int) -> Pixels:
        """Objects, cut out of their pictures, each of which is read once."""
        if self.centres.objects is None:
            return np.zeros((len(members), side, side, 3), np.uint8)
        return object_tiles(self.centres.objects, members, side)

    def settings(self, styles: Pairs, copies: Pairs) -> dict[str, Any]:
        """Keywords of a run; whoever is named again is as the later words say."""
        named = {*styles, *copies}
        stay = [
            {one: other for one, other in pairs.items() if one not in named}
            for pairs in (self.chosen.styles, self.chosen.copies)
        ]
        return {"styles": {**stay[0], **styles}, "copies": {**stay[1], **copies}}


def asked_by(centres: Centres) -> Numbers:
    """(K,) the number within its class by which each centre can be asked for; -1 where by none."""
    own = centres.own
    found = np.full(len(centres), NOTHING, dtype=np.int64)
    number = np.arange(len(own.label)) - np.searchsorted(own.label, own.label)
    for became, n in zip(own.became[::-1], number[::-1], strict=True):  # the lowest of several is set last
        if became != NOTHING:
            found[became] = n
    return found
