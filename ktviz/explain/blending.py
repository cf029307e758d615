"""The blending test: whose retrievals carry the change, all else being equal? Deletion, insertion and correlation.

The measure is the *progress* of a region: 0 where it looks as at the system's baseline, 1 where it looks as the output,
by projection on the change that the knowledge made. Taking a unit (a source, an entry, a node) away means that its
retrievals contribute nothing (where several candidates are mixed: less, by their weight), and that nothing takes their
place; adding one means the reverse. This is the line along which integrated gradients are taken, so it says little
about what would be if a work had not been there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ktviz.errors import FewUnitsError, TraceError
from ktviz.explain.case import Case
from ktviz.explain.gradient import windows
from ktviz.explain.units import Ints, Units
from ktviz.regions import Mask
from ktviz.systems.protocol import Blend
from ktviz.trace.overlap import Floats

POINTS = 10
"""Steps of a curve, at most."""
MEASURED = 24
"""Units that are taken away one by one, at most: the largest, and a random half."""


@dataclass(frozen=True)
class Blending:
    """Retrievals that can be switched off, and the region that is watched.

    Attributes:
        case: A trace and its system.
        mask: (H, W), the region.
        units: What they are switched off by: a unit takes its weight off each.
        present: Units that reach into the region.
    """

    case: Case
    mask: Mask
    units: Units
    present: Ints

    @classmethod
    def create(cls, case: Case, mask: Mask, units: Units) -> Blending:
        present = units.within(case.system.behind(case.trace, mask))
        if len(present) < 2:
            raise FewUnitsError(
                "test an attribution",
                f"{len(present)} {units.by} in this region",
                "Take a larger region" + ("" if units.by == "entry" else ", or by='entry'"),
            )
        return cls(case, mask, units, present)

    def run(
        self, share: Floats, order: Ints, measured: dict[int, float]
    ) -> tuple[dict[str, float], list[dict[str, Any]]]:
        """Scores of some shares and of the order (units,) in which they are taken, and its curves."""
        counts = np.unique(np.linspace(0, len(order), min(POINTS, len(order)) + 1).round().astype(int))
        deletion = [self.progress(order[count:]) for count in counts]
        insertion = [self.progress(order[:count]) for count in counts]
        taken = counts / len(order)
        rows = {
            name: area(np.array(curve), taken) for name, curve in (("deletion", deletion), ("insertion", insertion))
        }
        rows["correlation"] = correlation(share[list(measured)], np.array(list(measured.values())))
        rows["score"] = rows["insertion"] - rows["deletion"]
        curves = [
            {"kind": name, "taken": float(t), "progress": p}
            for name, curve in (("deletion", deletion), ("insertion", insertion))
            for t, p in zip(taken, curve, strict=True)
        ]
        return rows, curves

    def measure(self, units: Ints) -> dict[int, float]:
        """Loss of progress without each of some units."""
        whole = self.progress(self.present)
        return {int(n): whole - self.progress(self.present[self.present != n]) for n in units}

    def progress(self, units: Ints) -> float:
        """How far the region has come when only some units transfer; few units are asked for again and again."""
        key = np.sort(units).tobytes()
        if key not in self._known:
            self._known[key] = self._progress(units)
        return self._known[key]

    @cached_property
    def _known(self) -> dict[bytes, float]:
        return {}

    @torch.no_grad()
    def _progress(self, units: Ints) -> float:
        left = self.units.left(units, len(self.case.trace))
        gained = total = 0.0
        for blend, start, direction in self._watched:
            amount = torch.from_numpy(left[blend.retrievals]).float()
            gained += float(((blend(amount) - start) * direction).double().sum())
            total += float(direction.double().square().sum())
        return gained / total

    @cached_property
    @torch.no_grad()
    def _watched(self) -> list[tuple[Blend, Tensor, Tensor]]:
        """The windows on the region: how they begin, and how the knowledge changed them."""
        found = []
        for within in windows(self.mask):
            blend = self.case.system.blend(self.case.trace, within)
            amount = torch.ones(len(blend.retrievals))
            start, end = blend(torch.zeros_like(amount)), blend(amount)
            found.append((blend, start, (end - start) * torch.from_numpy(self.mask[within.pixels])))
        if not any(direction.any() for _, _, direction in found):
            raise TraceError("test an attribution", "the knowledge changed nothing in this region", "Take another")
        return found


def ranked(share: Floats, present: Ints) -> Ints:
    """The units of the region, largest share first."""
    return present[np.argsort(-share[present], kind="stable")]


def sampled(share: Floats, present: Ints, seed: int) -> Ints:
    """Some units of the region: the largest by share, and others at random."""
    order = ranked(share, present)
    if len(order) <= MEASURED:
        return order
    rest = np.random.default_rng(seed).permutation(order[MEASURED // 2 :])[: MEASURED - MEASURED // 2]
    return np.concatenate((order[: MEASURED // 2], rest))


def area(curve: Floats, taken: Floats) -> float:
    """Area under a curve by trapezoids."""
    return float(((curve[1:] + curve[:-1]) / 2 * np.diff(taken)).sum())


def correlation(share: Floats, change: Floats) -> float:
    """Pearson's r; 0 where one of them does not vary."""
    if len(share) < 2 or share.std() == 0 or change.std() == 0:
        return 0.0
    return float(np.corrcoef(share, change)[0, 1])
