"""Tone: a photo's features aligned to the moments of what was retrieved for it, before and after the transfer.

First winners are found for the photo as it is, and say in which tone it is matched again. The winners of this second
search give the tone of the picture, and its patches. All of it passes through winners: their moments add up.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from ktviz.library.kinds.patches.grid import PatchGrid
from ktviz.library.kinds.patches.union import BankUnion
from ktviz.systems.kt.alignment import Affine, Moments

ToneOf = Literal["patches", "sources"]
"""What a winner gives to the tone: its patch, or the whole of its source."""
PATCHES_AT_ONCE = 1024


@dataclass(frozen=True)
class Look:
    """How a photo's features change beside the transfer.

    Attributes:
        tone: Moments of what was taken.
        before: Brings the photo's features there.
        after: Brings the features after the transfer there once more.
        made: Moments of these.
    """

    tone: Moments
    before: Affine
    after: Affine
    made: Moments


@dataclass(frozen=True)
class Taken:
    """What gives a tone.

    Attributes:
        banks: That hold the winners.
        winner: (N,) entries that were taken.
        of: What of them gives it.
        excluded: (entries,) bool of those that have no part in it; None for none.
    """

    banks: BankUnion
    winner: Tensor
    of: ToneOf
    excluded: Tensor | None = None

    @property
    def moments(self) -> Moments:
        """Of what was taken, each patch as often as it was, or each source as often as patches of it were."""
        return self.of_sources if self.of == "sources" else self.of_patches

    @property
    def to_match(self) -> Moments:
        """In what tone a photo is matched, by the winners for it as it is.

        Patches that are like the photo have little of what it lacks. So winners speak for their whole sources, too, as
        far as one source prevails; of many unlike ones, the whole would bring colours from where nothing was taken.
        """
        if self.of == "sources":
            return self.of_sources
        share = self.banks.source_of(self.winner).bincount().double() / len(self.winner)
        prevails = float(share.square().sum())
        return self.of_patches * (1 - prevails) + self.of_sources * prevails

    @property
    def of_patches(self) -> Moments:
        """Of the patches that were taken, each as often as it was."""
        found = Moments.nothing(self.banks.encoder.channels)
        for some in self.winner.split(PATCHES_AT_ONCE):
            found += Moments.of(cells_of(self.banks, some))
        return found

    @property
    def of_sources(self) -> Moments:
        """Of the sources of which patches were taken, each as often as they were."""
        found = Moments.nothing(self.banks.encoder.channels)
        for _, moments in self.by_source():
            found += moments
        return found

    def by_source(self) -> Iterator[tuple[Tensor, Moments]]:
        """The places of the winners of each source, and the moments of that source, which counts as their patches do.

        It is measured by as many of its entries as these are, evenly spaced: who gives little need not be known well.
        """
        source = self.banks.source_of(self.winner)
        for number in source.unique().tolist():
            mine = (source == number).nonzero()[:, 0]
            known = self.banks.of_source(number)
            known = known if self.excluded is None else known[~self.excluded[known]]
            spaced = known[torch.arange(min(len(mine), len(known))) * len(known) // min(len(mine), len(known))]
            found = Moments.nothing(self.banks.encoder.channels)
            for some in spaced.split(PATCHES_AT_ONCE):
                found += Moments.of(cells_of(self.banks, some))
            yield mine, found * (len(mine) / len(spaced))


def cells_of(banks: BankUnion, entries: Tensor) -> Tensor:
    """The cells of patches (n,): (16 n, C)."""
    return banks.patches(entries).movedim(1, -1).reshape(-1, banks.encoder.channels)


def moments_of_map(rows: Iterable[tuple[slice, Tensor]], grid: PatchGrid, channels: int) -> Moments:
    """Of a map that comes in rows of cells, each cell as often as queries cover it."""
    found, coverage = Moments.nothing(channels), grid.coverage()
    for place, features in rows:
        found = found.with_rows(features, coverage[place])
    return found
