"""Where styles come from: exemplars, banks of styles, and a normal distribution."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from ktviz.errors import MismatchError, SettingError, UnknownNameError
from ktviz.library.kinds.codes.union import CodeUnion
from ktviz.systems.draws import drawn
from ktviz.systems.left_out import LeftOut
from ktviz.systems.munit.coder import Coder
from ktviz.systems.munit.direction import CELL_PX, Direction
from ktviz.systems.munit.exemplar import Exemplar, together
from ktviz.systems.munit.settings import Settings
from ktviz.systems.munit.style import Candidates, Floats, Numbers, Part, Style, code_of

RANKED = 64
"""Entries of a bank that are recorded for a run, the best first, and all that were taken."""


def check_bank(banks: CodeUnion, coder: Coder) -> None:
    """Raise MismatchError unless banks hold styles of whole pictures, made with an encoder."""
    asked = f"bank {', '.join(banks.names)} with these networks"
    if banks.classes is not None:
        raise MismatchError(asked, "it holds objects, no whole pictures", "Build it without label maps")
    if (banks.coder, banks.clusters.centres.shape[1]) != (coder.digest, coder.size):
        raise MismatchError(asked, "it was made with another encoder", "Build it again, or give the other networks")


@dataclass(frozen=True, eq=False)
class Bank:
    """Styles of whole pictures.

    Attributes:
        banks: That hold them; a source is an entry.
        direction: Whose style encoder made them.
    """

    banks: CodeUnion
    direction: Direction

    def whole_names(self, settings: Settings) -> Settings:
        """Settings with the whole names of the sources in them.

        Raises:
            UnknownNameError: There is no such source.
            SettingError: One is named twice.
        """
        if settings.exemplar is not None:
            return replace(settings, exemplar=self.banks.find_source(settings.exemplar))
        if settings.mix is None:
            return settings
        names = [self.banks.find_source(name) for name in settings.mix]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise SettingError(f"a mix of {len(names)} sources", f"{twice} is named twice", "Name it once")
        return replace(settings, mix=dict(zip(names, settings.mix.values(), strict=True)))

    @property
    def mean(self) -> Tensor:
        """The mean of all codes: (codes,) float32."""
        return torch.from_numpy(self.banks.codes.mean(0)).float()

    def ranked(self, code: Floats, without: Collection[str]) -> tuple[Numbers, Floats]:
        """Entries by their distance from a code, of equally near ones the lowest first; and that distance.

        Raises:
            UnknownNameError: All are left out.
        """
        names = self.banks.source_names
        kept = np.array([entry for entry, name in enumerate(names) if name not in without], np.int64)
        if not len(kept):
            asked = f"a run without {', '.join(self.banks.names)}"
            raise UnknownNameError(asked, "nothing would be left", "Leave out fewer")
        apart = self.apart(kept, code)
        order = np.argsort(apart, kind="stable")
        return kept[order], apart[order]

    def apart(self, entries: Numbers, code: Floats) -> Floats:
        """Euclidean distance of some entries from a code."""
        found: Floats = np.sqrt(np.square(self.banks.codes[entries] - code).sum(1))
        return found

    def exemplar(self, entry: int) -> Exemplar:
        """The picture of an entry."""
        return Exemplar(self.banks.picture(entry), self.banks.describe_sources()[entry])

    def parts(self, entries: Sequence[int], weights: Sequence[float], gone: LeftOut) -> list[Part]:
        """Entries as parts of a style."""
        exemplars = [self.exemplar(entry) for entry in entries]
        return [
            Part.of(exemplar, weight, self.direction, gone.forbidden(exemplar, CELL_PX))
            for exemplar, weight in zip(exemplars, weights, strict=True)
        ]

    def nearest(self, settings: Settings, gone: LeftOut) -> Style:
        """The mean of the entries nearest to a code, as many as are asked for, or left.

        Raises:
            UnknownNameError: All are left out.
        """
        entry, apart = self.ranked(np.array(settings.code), gone.pictures)
        count = min(settings.nearest, len(entry))
        weight = np.where(np.arange(len(entry)) < count, 1 / count, 0.0)
        parts = self.parts(entry[:count].tolist(), [1 / count] * count, gone)
        shown = max(count, RANKED)
        candidates = Candidates(self.banks, entry[:shown], apart[:shown], weight[:shown])
        return self.made(settings, parts, candidates)

    def named(self, weights: Mapping[str, float], settings: Settings, gone: LeftOut) -> Style:
        """Sources by their whole names, with the part of each; those that are left out leave theirs to the others.

        Raises:
            UnknownNameError: All are left out.
        """
        left = {name: weight for name, weight in weights.items() if name not in gone.pictures}
        if not left:
            asked, found = f"a run without {', '.join(weights)}", "they are all that is asked for"
            raise UnknownNameError(asked, f"{found}: nothing would be left", "Leave out fewer")
        heaviest = sorted(left, key=lambda name: -left[name])
        weight = np.array([left[name] for name in heaviest]) / math.fsum(left.values())
        entry = np.array([self.banks.source_numbers[name] for name in heaviest])
        parts = self.parts(entry.tolist(), weight.tolist(), gone)
        apart = self.apart(entry, code_of(parts, self.direction.bias).double().numpy())
        return self.made(settings, parts, Candidates(self.banks, entry, apart, weight))

    def made(self, settings: Settings, parts: Sequence[Part], candidates: Candidates) -> Style:
        """The style that some of its pictures make."""
        bias = self.direction.bias
        return Style(settings.mode, code_of(parts, bias), bias, tuple(parts), candidates)


def of_draw(seed: int, direction: Direction, bank: Bank | None, gone: LeftOut) -> Style:
    """A style that is drawn, with what is nearest to it in a bank, of which nothing was used."""
    code, candidates = drawn(seed, direction.codes), None
    if bank is not None:
        entry, apart = bank.ranked(code.double().numpy(), gone.pictures)
        entry, apart = entry[:RANKED], apart[:RANKED]
        candidates = Candidates(bank.banks, entry, apart, np.eye(1, len(entry))[0])
    return Style("random", code, direction.bias, (), candidates)


def of_picture(exemplar: Exemplar, direction: Direction, gone: LeftOut) -> Style:
    """The style of a picture that comes with the run."""
    part = Part.of(exemplar, 1.0, direction, gone.forbidden(exemplar, CELL_PX))
    candidates = Candidates(together((exemplar.whole,)), np.zeros(1, np.int64), np.zeros(1), np.ones(1))
    return Style("exemplar", code_of([part], direction.bias), direction.bias, (part,), candidates)
