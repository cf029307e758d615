"""Exclusion: units really left out, the run made again, and a region compared with what it was."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from tqdm.auto import tqdm

from ktviz.errors import MismatchError, SettingError, UnknownNameError
from ktviz.explain.case import ASKED, Case
from ktviz.explain.gradient import GRAIN_PX
from ktviz.explain.result import site_that_paints
from ktviz.explain.units import Ints, Units
from ktviz.images import Pixels, to_pixels
from ktviz.regions import Box, Mask, bounding_box
from ktviz.systems.protocol import Exclude
from ktviz.trace.overlap import Floats
from ktviz.trace.trace import Trace

MEASURES = ("pixels", "features")
"""In what a region is compared: mean difference of its colours, and mean distance of its cells' features."""
LEAST_PX = 16
"""Shortest side of what is encoded to be compared."""
ROUNDING = 1
"""Levels by which a run on another machine may differ."""

_known: WeakKeyDictionary[Trace, dict[tuple[str, str, str], Floats]] = WeakKeyDictionary()
"""Changes of a recording by what was left out, region and site: attribution and its test ask for the same."""


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
    """A region of an output that is made again without some units.

    Attributes:
        case: A trace and its system.
        mask: (H, W), the region.
        units: What can be left out.
        settings: How the run is made again, where otherwise than it was: they say how to leave out, not how to paint.
    """

    case: Case
    mask: Mask
    units: Units
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def about(self) -> dict[str, Any]:
        """How units are left out, as a result states it."""
        instead = "" if self.units.by == "band" else self.case.system.instead(self.case.trace, self.settings)
        return {"settings": dict(self.settings), "instead": instead}

    def check_settings(self) -> None:
        """Raise SettingError where the settings change the region though nothing is left out."""
        if not self.settings:
            return
        apart = np.abs(self._again((), **self.settings).astype(np.int16) - self.recorded)
        if apart.max() > ROUNDING:
            names = ", ".join(self.settings)
            found = f"it changes the picture by up to {apart.max()} levels, though nothing is left out"
            raise SettingError(f"leave out with {names}", found, "Give settings that say how to leave out")

    @cached_property
    def present(self) -> Ints:
        """Units whose leaving out can touch the region: those with a part in it; of bands, those that count."""
        if self.units.by == "band":
            return np.flatnonzero(self._band_weights)
        return self.units.within(behind(self.case, self.mask))

    @property
    @torch.no_grad()
    def knowledge(self) -> float:
        """What all of the knowledge changed in the region, in levels."""
        blend = self.case.system.blend(self.painting, self.seen)
        return float(self.compare(to_pixels(blend(torch.zeros(len(blend.retrievals)))))[0])

    @property
    def painting(self) -> Trace:
        """The trace of the site that painted the region: another one of the same run where this one does not paint."""
        case, about = self.case, self.case.trace.site_about
        return case.trace if about["paints"] else site_that_paints(case.system.rerun(case.trace), str(about["output"]))

    def changes(self, left_out: Sequence[Ints], budget: Budget, what: str) -> Floats:
        """Change of the region without each of some sets of units, by measure: (runs made, 2).

        In levels (0..255, mean over pixels and colours), and in features (mean distance of cells). NaN where nothing
        would be left to retrieve.
        """
        done = [self.change(units) for units in budget.runs(left_out, what)]
        return np.array(done, dtype=np.float64).reshape(-1, len(MEASURES))

    def change(self, left_out: Ints) -> Floats:
        """Change of the region without some units: (2,)."""
        changed = self.settings_without(left_out)
        if changed is None:
            return np.full(len(MEASURES), np.nan)
        settings = {**self.settings, **changed}
        known = _known.setdefault(self.case.trace.recording, {})
        key = json.dumps(settings, default=str), self._region, str(self.case.trace.site_about["name"])
        if key not in known:
            try:
                without = settings.pop("without", ())
                known[key] = self.compare(self._again(without, **settings))
            except UnknownNameError:  # it was all that was left
                known[key] = np.full(len(MEASURES), np.nan)
        return known[key]

    def settings_without(self, left_out: Ints) -> dict[str, Any] | None:
        """How to run without some units; None if they are all the bands that count."""
        if self.units.by != "band":
            return {"without": [name for number in left_out for name in self.units.without[number]]}
        weights = [0.0 if n in left_out else w for n, w in enumerate(self._band_weights)]
        return {"band_weights": tuple(weights)} if any(weights) else None

    def compare(self, image: Pixels) -> Floats:
        """How far the seen part is from what was recorded, within the region: (2,)."""
        mask = self.mask[self.seen.pixels]
        levels = np.abs(self.recorded[mask].astype(np.int16) - image[mask]).mean()
        apart = (self._features(image) - self._before).norm(dim=0)
        cell = self.case.system.cell_px
        cells = F.max_pool2d(torch.from_numpy(mask)[None].float(), cell, ceil_mode=True)[0] > 0
        return np.array([levels, float(apart[cells].mean())])

    @cached_property
    def recorded(self) -> Pixels:
        """The seen part as it was.

        Raises:
            MismatchError: The output has another size than the picture in which the region lies.
        """
        output = self.case.output
        if output.shape[:2] != self.mask.shape:
            asked, there = (f"{width}x{height} px" for height, width in (self.mask.shape, output.shape[:2]))
            found = f"queries lie in {asked}, and the output has {there}"
            raise MismatchError(ASKED, found, "Make an output of the same size, or ask what rows can answer")
        whole: Pixels = output[self.seen.pixels]
        return whole

    @cached_property
    def seen(self) -> Box:
        """The part of the picture that is compared: whole cells around the region."""
        box = bounding_box(self.mask)
        height, width = self.mask.shape
        rows, columns = span(int(box.y), int(box.bottom), height), span(int(box.x), int(box.right), width)
        return Box(columns.start, rows.start, columns.stop - columns.start, rows.stop - rows.start)

    @cached_property
    def _again(self) -> Exclude:
        return self.case.system.exclude(self.case.trace, self.seen)

    @property
    def _band_weights(self) -> Sequence[float]:
        weights: Sequence[float] = self.case.trace.picture.settings["band_weights"]
        return weights

    def _features(self, image: Pixels) -> Tensor:
        """Features of the seen part alone, whole cells only: (C, h, w)."""
        height, width = (-(-side // self.case.system.cell_px) for side in image.shape[:2])
        return self.case.system.encode(image)[:, :height, :width]

    @cached_property
    def _before(self) -> Tensor:
        return self._features(self.case.output[self.seen.pixels])

    @cached_property
    def _region(self) -> str:
        return hashlib.sha256(np.packbits(self.mask).tobytes()).hexdigest()


def check_further(settings: Mapping[str, Any]) -> None:
    """Raise SettingError if settings of a run without something say once more what it is without."""
    if "without" in settings:
        raise SettingError("without=", "what is left out is named already", "Name all of it in one place")


def behind(case: Case, mask: Mask) -> Ints:
    """The retrievals that can touch a region, by place among the winners."""
    if "blend" in case.system.abilities:
        return case.system.behind(case.trace, mask)
    return np.arange(len(case.trace))


def span(start: int, stop: int, side: int) -> slice:
    """Whole cells around some px of a side, at least `LEAST_PX` where there are so many."""
    start = max(0, min(start, side - LEAST_PX)) // GRAIN_PX * GRAIN_PX
    return slice(start, min(side, max(-(-stop // GRAIN_PX) * GRAIN_PX, start + LEAST_PX)))
