"""Tone: a photo's features aligned to the moments of what was retrieved for it, before and after the transfer.

First winners are found for the photo as it is, and give the tone in which it is matched again. The winners of this second
search give the tone of the picture, and its patches.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from ktviz.library.kinds.patches.grid import SIZE, PatchGrid
from ktviz.library.kinds.patches.union import BankUnion
from ktviz.systems.kt.alignment import Affine, Moments

PATCHES_AT_ONCE = 1024


@dataclass(frozen=True)
class Look:
    """How a photo's features change beside the transfer.

    Attributes:
        tone: Moments of the patches that were taken.
        before: Brings the photo's features there.
        after: Brings the features after the transfer there once more.
        made: Moments of these.
    """

    tone: Moments
    before: Affine
    after: Affine
    made: Moments


def moments_of_winners(banks: BankUnion, winner: Tensor) -> Moments:
    """Of the patches that were taken (N,), each as often as it was."""
    channels = banks.patches(winner[:1]).shape[1]
    found = Moments.nothing(channels)
    for some in winner.split(PATCHES_AT_ONCE):
        patches = banks.patches(some)
        found += Moments.of(patches.movedim(1, -1).reshape(-1, channels))
    return found


def moments_of_map(rows: Iterable[tuple[slice, Tensor]], grid: PatchGrid, channels: int) -> Moments:
    """Of a map that comes in rows of cells, each cell as often as queries cover it."""
    found, coverage = Moments.nothing(channels), grid.coverage()
    for place, features in rows:
        found = found.with_rows(features, coverage[place])
    return found
