"""A part of a translation as a function of how much each retrieval contributes.

The baseline are the photo's own features. What the retrievals change adds up: a transferred cell is the mean of the
patches that cover it, and with alignment the tone is a sum over all winners. So features = photo + sum of amount x
(patch / coverage + part of the tone), and the decoder paints them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ktviz.library.kinds.patches.bands import band_parts, to_patches, to_vectors
from ktviz.library.kinds.patches.features import STRIDE
from ktviz.library.kinds.patches.grid import QUERY_STEP, SIZE, PatchGrid
from ktviz.networks.running import run
from ktviz.networks.threads import threads_for
from ktviz.regions import Box
from ktviz.systems.kt.live import Live
from ktviz.systems.kt.receptive import receptive_field
from ktviz.systems.kt.tone_parts import ToneParts
from ktviz.systems.protocol import Ints

Area = tuple[slice, slice]
"""Rows and columns."""
WAYS = ("tone", "patch")
"""In which a retrieval changes features."""
AT_ONCE = 1024
"""Queries whose changes are worked out at a time."""


@dataclass(frozen=True)
class PatchBlend:
    """See `ktviz.systems.protocol.GatheredBlend`; amounts of the four bands are (n, 4).

    Attributes:
        case: A trace and its translator.
        retrievals: (n,) those that reach into the part.
        start: (C, h, w) features of the photo around it.
        grid: The queries on these, and
        near: (n,) their places among the retrievals.
        parts: (n, C, 4, 4) what each of them changes there, divided by the coverage.
        tone: What all retrievals change as one tone; None without alignment.
        cells: What is decoded, counted in `start`, and
        inner: what is shown of it, in px.
    """

    case: Live
    retrievals: Ints
    start: Tensor
    grid: PatchGrid
    near: Tensor
    parts: Tensor
    tone: ToneParts | None
    cells: Area
    inner: Area

    @classmethod
    def create(cls, case: Live, within: Box) -> PatchBlend:
        """For a part of the picture in whole px."""
        grid, radius = case.grid, receptive_field(case.model).radius
        pixels, sides = within.pixels, (grid.height, grid.width)
        decoded = tuple(reached(part, radius, side) for part, side in zip(pixels, sides, strict=True))
        rows, columns = (queries_over(cells, side) for cells, side in zip(decoded, sides, strict=True))
        top, left = (QUERY_STEP * queries.start for queries in (rows, columns))
        own = PatchGrid(*(QUERY_STEP * (queries.stop - queries.start - 1) + SIZE for queries in (rows, columns)))
        numbers = torch.arange(len(grid)).view(grid.rows, grid.columns)[rows, columns].flatten()
        area = (slice(top, top + own.height), slice(left, left + own.width))
        cells = (shifted(decoded[0], top), shifted(decoded[1], left))
        inner = (shifted(pixels[0], STRIDE * decoded[0].start), shifted(pixels[1], STRIDE * decoded[1].start))
        start = case.features[:, area[0], area[1]]
        parts, look = changes(case, numbers), case.look
        if look is None:
            return cls(case, numbers.numpy(), start, own, torch.arange(len(numbers)), parts, None, cells, inner)
        taken = case.model.taken(case.winner, case.settings)
        tone = ToneParts.create(taken, look, start, float(case.settings.align or 0))
        return cls(case, np.arange(len(grid)), start, own, numbers, parts, tone, cells, inner)

    @property
    def ways(self) -> tuple[str, ...]:
        """With alignment by tone and by patch; else by patch alone."""
        return () if self.tone is None else WAYS

    def __call__(self, amount: Tensor, /) -> Tensor:
        """The part (3, h, w) for amounts (n,), (n, 4) of LL, LH, HL, HH, or (n, 2) of tone and patch."""
        return self.paint(self.gather(amount))

    def gather(self, amount: Tensor, /) -> Tensor:
        """The features that are decoded, (C, h, w)."""
        of_tone, of_patch = amount.unbind(1) if amount.ndim == 2 and amount.shape[1] == len(WAYS) else (amount, amount)
        near = of_patch[self.near]
        if near.ndim == 1:
            scaled = self.parts * near[:, None, None, None]
        else:
            scaled = to_patches((band_parts(to_vectors(self.parts)) * near[:, :, None]).sum(1))
        change = torch.zeros_like(self.start)
        self.grid.add_patches(change, scaled, torch.arange(len(self.grid)))
        if self.tone is not None:
            change = change + (self.tone(of_tone) if of_tone.ndim == 1 else by_band(self.tone, of_tone))
        return (self.start + change)[:, self.cells[0], self.cells[1]]

    def paint(self, gathered: Tensor, /) -> Tensor:
        """The part (3, h, w) from its features."""
        with threads_for(gathered[0].numel()):
            made = run(self.case.model.decoder, gathered[None])[0]
        return made[:, self.inner[0], self.inner[1]]


def by_band(tone: ToneParts, amount: Tensor) -> Tensor:
    """The change by tone where retrievals count so much in each band (n, 4): of each amount its band."""
    found = torch.zeros_like(tone.start, dtype=torch.float32)
    for band in range(amount.shape[1]):
        found = found + band_of_map(tone(amount[:, band]), band)
    return found


def band_of_map(features: Tensor, band: int) -> Tensor:
    """What of a map (C, h, w) lies in LL, LH, HL or HH of its blocks of 2x2 cells."""
    channels, height, width = features.shape
    blocks = features.reshape(channels, height // 2, 2, width // 2, 2)
    down, across = blocks.mean(2, keepdim=True), blocks.mean(4, keepdim=True)
    mean = down.mean(4, keepdim=True)
    parts = mean.expand_as(blocks), (down - mean).expand_as(blocks), (across - mean).expand_as(blocks)
    found = parts[band] if band < len(parts) else blocks - down - across + mean
    return found.reshape(features.shape)


@torch.no_grad()
def changes(case: Live, numbers: Tensor) -> Tensor:
    """What some retrievals (n,), ascending, change where they are, divided by the coverage: (n, C, 4, 4)."""
    cover, found, look = case.grid.coverage()[None], [], case.look
    features = case.features if look is None else look.before(case.features)
    for index in numbers.split(AT_ONCE):
        before, after = case.model.transferred(features, case.grid, case.winner, case.settings, index)
        change = after - before
        if look is not None:
            change = torch.einsum("dc,ncyx->ndyx", look.after.weight.float(), change)
        found.append(change / case.grid.unfold(cover, index))
    return torch.cat(found)


def reached(pixels: slice, radius: int | None, side: int) -> slice:
    """The cells that decide some pixels of a side of so many cells; all where every pixel may depend on every cell."""
    if radius is None:
        return slice(0, side)
    return slice(max(0, pixels.start // STRIDE - radius), min(side, -(-pixels.stop // STRIDE) + radius))


def queries_over(cells: slice, side: int) -> slice:
    """The queries along a side that cover some cells."""
    first = max(0, (cells.start - SIZE) // QUERY_STEP + 1)
    return slice(first, min((side - SIZE) // QUERY_STEP + 1, -(-cells.stop // QUERY_STEP)))


def shifted(part: slice, start: int) -> slice:
    """A part, counted from `start`."""
    return slice(part.start - start, part.stop - start)
