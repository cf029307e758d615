"""Tone: a photo's features aligned to the moments of what was retrieved for it, before and after the transfer.

First winners are found for the photo as it is, and say in which tone it is matched again. The winners of this second
search give the tone of the picture, and its patches. All of it passes through winners: their moments add up.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from ktviz.library.kinds.patches.grid import SIZE, PatchGrid
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


def moments_to_match(banks: BankUnion, winner: Tensor, of: ToneOf) -> Moments:
    """In what tone a photo is matched, from the winners (N,) for it as it is.

    Patches that are like the photo have little of what it lacks. So winners speak for their whole sources, too, as far
    as one source prevails; of many unlike ones, the whole would bring colours from where nothing was taken.
    """
    if of == "sources":
        return moments_of_sources(banks, winner)
    share = banks.source_of(winner).bincount().double() / len(winner)
    prevails = float(share.square().sum())
    return moments_of_patches(banks, winner) * (1 - prevails) + moments_of_sources(banks, winner) * prevails


def moments_of(banks: BankUnion, winner: Tensor, of: ToneOf) -> Moments:
    """Of what was taken, by winners (N,)."""
    return moments_of_sources(banks, winner) if of == "sources" else moments_of_patches(banks, winner)


def moments_of_patches(banks: BankUnion, winner: Tensor) -> Moments:
    """Of the patches that were taken (N,), each as often as it was."""
    channels = banks.encoder.channels
    found = Moments.nothing(channels)
    for some in winner.split(PATCHES_AT_ONCE):
        patches = banks.patches(some)
        found += Moments.of(patches.movedim(1, -1).reshape(-1, channels))
    return found


def moments_of_sources(banks: BankUnion, winner: Tensor) -> Moments:
    """Of the sources of which patches were taken (N,), each as often as it was."""
    found = Moments.nothing(banks.encoder.channels)
    for _, moments in moments_by_source(banks, winner):
        found += moments
    return found


def moments_by_source(banks: BankUnion, winner: Tensor) -> Iterable[tuple[Tensor, Moments]]:
    """The places of the winners of each source, and the moments of that source, which counts as their patches do.

    It is measured by as many of its cells as these have: who gives little need not be known well.
    """
    source = banks.source_of(winner)
    for number in source.unique().tolist():
        mine = (source == number).nonzero()[:, 0]
        cells = banks.cells(number, SIZE * SIZE * len(mine))
        yield mine, Moments.of(cells) * (SIZE * SIZE * len(mine) / len(cells))


def moments_of_map(rows: Iterable[tuple[slice, Tensor]], grid: PatchGrid, channels: int) -> Moments:
    """Of a map that comes in rows of cells, each cell as often as queries cover it."""
    found, coverage = Moments.nothing(channels), grid.coverage()
    for place, features in rows:
        found = found.with_rows(features, coverage[place])
    return found
