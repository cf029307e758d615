"""Exclusion: units really left out of the search, the photo translated again, and a region compared with what it was.

A run makes only what the region needs. A query asks its neighbours above and to the left (coherence) and no others, so
nothing below and to the right of the queries that reach the region is searched; without coherence, nothing above and to
the left either. The pixels are those of a whole translation; where a decoder gives other ones for a part of its
features than for all, whole translations are made.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F
from tqdm.auto import tqdm

from ktviz.errors import UnknownNameError
from ktviz.explain.units import Ints, Units
from ktviz.images import Pixels
from ktviz.library.kinds.patches.features import STRIDE
from ktviz.library.kinds.patches.grid import QUERY_STEP, SIZE, PatchGrid
from ktviz.regions import Mask, bounding_box
from ktviz.systems.kt.live import Live
from ktviz.systems.kt.receptive import receptive_field
from ktviz.systems.kt.settings import Settings
from ktviz.trace.overlap import Floats
from ktviz.trace.trace import Trace

MEASURES = ("pixels", "features")
"""In what a region is compared: mean difference of its colours, and mean distance of its cells' features."""
LEAST_PX = 16
"""Shortest side of what is encoded to be compared."""

_known: WeakKeyDictionary[Trace, dict[tuple[Settings, str], Floats]] = WeakKeyDictionary()
"""Changes by settings and region: attribution and its test ask for the same."""


@dataclass(frozen=True)
class Budget:
    """How much may be run.

    Attributes:
        seconds: After which no run is begun, counted from now; None for no limit.
        quiet: No progress bar.
    """

    seconds: float | None = None
    quiet: bool = False
    start: float = field(default_factory=time.monotonic)

    def runs(self, asked: Sequence[Ints], what: str) -> Iterator[Ints]:
        """What is asked, one after the other with a progress bar, until time is up."""
        for one in tqdm(asked, desc=what, unit="run", leave=False, disable=self.quiet):
            if self.seconds is not None and time.monotonic() - self.start >= self.seconds:
                return
            yield one


@dataclass(frozen=True)
class Exclusion:
    """A region of a translation that is made again without some units.

    Attributes:
        case: A trace and its translator.
        mask: (H, W), the region.
        units: What can be left out.
    """

    case: Live
    mask: Mask
    units: Units

    @cached_property
    def present(self) -> Ints:
        """Units whose leaving out can touch the region: those that won there; of bands, those that count."""
        if self.units.by == "band":
            return np.flatnonzero(self.case.settings.search.band_weights)
        return np.unique(self.units.number[self.units.chosen][queries_behind(self.case, self.mask).numpy()])

    @property
    def knowledge(self) -> float:
        """What all of the knowledge changed in the region, in levels."""
        settings = replace(self.case.settings, strength=0.0)
        untouched = (
            self.case.translate(settings).image[self.seen] if self.whole else self.decode(self.recorded, settings)
        )
        return float(self.compare(untouched)[0])

    def changes(self, left_out: Sequence[Ints], budget: Budget, what: str) -> Floats:
        """Change of the region without each of some sets of units, by measure: (runs made, 2).

        In levels (0..255, mean over pixels and colours), and in features (mean distance of cells). NaN where nothing
        would be left to retrieve.
        """
        done = [self.change(units) for units in budget.runs(left_out, what)]
        return np.array(done, dtype=np.float64).reshape(-1, len(MEASURES))

    def change(self, left_out: Ints) -> Floats:
        """Change of the region without some units: (2,)."""
        settings = settings_without(self.case, self.units, left_out)
        if settings is None:
            return np.full(len(MEASURES), np.nan)
        known = _known.setdefault(self.case.trace, {})
        key = settings, self._region
        if key not in known:
            try:
                known[key] = self.compare(self.image(settings))
            except UnknownNameError:  # it was all that was left
                known[key] = np.full(len(MEASURES), np.nan)
        return known[key]

    @torch.no_grad()
    def image(self, settings: Settings) -> Pixels:
        """The seen part of a translation with other settings, equal to that part of a whole translation."""
        if self.whole:
            return self.case.translate(settings).image[self.seen]
        features, grid = self.part
        return self.decode(self.case.model.retrieval(features, grid, settings).winner, settings)

    @torch.no_grad()
    def decode(self, winner: Tensor, settings: Settings) -> Pixels:
        """The seen part of the picture, from the winners of the queries in `part`."""
        features, grid = self.part
        cells = self.case.model.blend(features, grid, winner, settings)
        inside = tuple(
            slice(n.start - s.start, n.stop - s.start) for n, s in zip(self.needed, self.searched, strict=True)
        )
        around = tuple(slice(STRIDE * n.start, STRIDE * n.stop) for n in self.needed)
        shown = tuple(slice(s.start - a.start, s.stop - a.start) for s, a in zip(self.seen, around, strict=True))
        return self.case.model.decode(cells[:, inside[0], inside[1]])[shown]

    def compare(self, image: Pixels) -> Floats:
        """How far the seen part is from what was recorded, within the region: (2,)."""
        before, mask = self.case.output[self.seen], self.mask[self.seen]
        levels = np.abs(before[mask].astype(np.int16) - image[mask]).mean()
        apart = (self._features(image) - self._before).norm(dim=0)
        cells = F.max_pool2d(torch.from_numpy(mask)[None].float(), STRIDE, ceil_mode=True)[0] > 0
        return np.array([levels, float(apart[cells].mean())])

    @cached_property
    def seen(self) -> tuple[slice, slice]:
        """Rows and columns of the picture that are compared: whole cells around the region."""
        box = bounding_box(self.mask)
        height, width = self.mask.shape
        return span(int(box.y), int(box.bottom), height), span(int(box.x), int(box.right), width)

    @cached_property
    def needed(self) -> tuple[slice, slice]:
        """The cells that decide the seen part."""
        radius, grid = receptive_field(self.case.model).radius, self.case.grid
        reach = max(grid.height, grid.width) if radius is None else radius
        rows, columns = (
            slice(max(0, s.start // STRIDE - reach), min(side, -(-s.stop // STRIDE) + reach))
            for s, side in zip(self.seen, (grid.height, grid.width), strict=True)
        )
        return rows, columns

    @cached_property
    def searched(self) -> tuple[slice, slice]:
        """The cells of the queries that decide those: all that cover them, and with coherence all before these."""
        coherent, found = bool(self.case.settings.coherence), []
        for cells, side in zip(self.needed, (self.case.grid.height, self.case.grid.width), strict=True):
            first = max(0, -(-(cells.start - SIZE + 1) // QUERY_STEP) * QUERY_STEP)
            last = min(side - SIZE, (cells.stop - 1) // QUERY_STEP * QUERY_STEP)
            found.append(slice(0 if coherent else min(first, last), last + SIZE))
        return found[0], found[1]

    @cached_property
    def part(self) -> tuple[Tensor, PatchGrid]:
        """The features that are searched for, (C, h, w), and their queries."""
        rows, columns = self.searched
        cells = self.case.features.permute(1, 2, 0)[rows, columns].contiguous()
        return cells.permute(2, 0, 1), PatchGrid(cells.shape[0], cells.shape[1])

    @cached_property
    def recorded(self) -> Tensor:
        """Recorded winners of the queries in `part`."""
        whole, (_, grid) = self.case.grid, self.part
        row, column = (s.start // QUERY_STEP for s in self.searched)
        return self.case.winner.view(whole.rows, whole.columns)[row:, column:][: grid.rows, : grid.columns].flatten()

    @cached_property
    def whole(self) -> bool:
        """Whether whole translations are made: a part, decoded alone, has other pixels than were recorded."""
        return not np.array_equal(self.decode(self.recorded, self.case.settings), self.case.output[self.seen])

    def _features(self, image: Pixels) -> Tensor:
        """Features of the seen part alone, whole cells only: (C, h, w)."""
        height, width = (-(-side // STRIDE) for side in image.shape[:2])
        return self.case.model.encode(image)[:, :height, :width]

    @cached_property
    def _before(self) -> Tensor:
        return self._features(self.case.output[self.seen])

    @cached_property
    def _region(self) -> str:
        return hashlib.sha256(np.packbits(self.mask).tobytes()).hexdigest()


def settings_without(case: Live, units: Units, left_out: Ints) -> Settings | None:
    """The settings of a translation that cannot use some units; None if they are all the bands that count."""
    settings = case.settings
    if units.by != "band":
        more = [name for number in left_out for name in units.without[number]]
        return replace(settings, without=(*settings.without, *more))
    weights = [0.0 if n in left_out else w for n, w in enumerate(settings.search.band_weights)]
    return replace(settings, band_weights=tuple(weights)) if any(weights) else None


def span(start: int, stop: int, side: int) -> slice:
    """Whole cells around some px of a side, at least `LEAST_PX` where there are so many."""
    start = max(0, min(start, side - LEAST_PX)) // STRIDE * STRIDE
    return slice(start, min(side, max(-(-stop // STRIDE) * STRIDE, start + LEAST_PX)))


def queries_behind(case: Live, mask: Mask) -> Tensor:
    """Numbers of the queries that reach into a region, through the decoder: (n,)."""
    return case.grid.unfold(cells_behind(case, mask)[None]).sum((1, 2, 3)).nonzero()[:, 0]


def cells_behind(case: Live, mask: npt.NDArray[np.bool_]) -> Tensor:
    """The cells that decide the pixels of a region: (h, w), 1 for these and 0 for the others."""
    radius, grid = receptive_field(case.model).radius, case.grid
    if radius is None:
        return torch.ones(grid.height, grid.width)
    pixels = torch.zeros(1, STRIDE * grid.height, STRIDE * grid.width)
    pixels[0, : mask.shape[0], : mask.shape[1]] = torch.from_numpy(mask)
    cells = F.max_pool2d(pixels, STRIDE)
    return F.max_pool2d(cells, 2 * radius + 1, stride=1, padding=radius)[0]
