"""Faithfulness: does an attribution say what really matters? Deletion, insertion, correlation, and a random control.

The measure is the *progress* of a region: 0 where it looks as the decoder alone would make it, 1 where it looks as
translated, by projection on the change that the knowledge made. Taking a unit (a source, an entry, a node) away means
that its retrievals transfer nothing, all else being equal; adding one means the reverse.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn import functional as F

from ktviz.errors import MismatchError, SettingError, TraceError
from ktviz.explain.attribution import Attribution, Through, attribute
from ktviz.explain.gradient import Window, windows
from ktviz.explain.receptive import receptive_field
from ktviz.explain.result import Result
from ktviz.explain.units import Ints, Units, units_of
from ktviz.images import Pixels
from ktviz.model.encoder import STRIDE
from ktviz.regions import Mask
from ktviz.trace.overlap import Floats
from ktviz.trace.live import Live, live
from ktviz.trace.trace import Trace

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ktviz.model.translator import Translator

POINTS = 10
"""Steps of a curve, at most."""
MEASURED = 24
"""Units that are taken away one by one for the correlation, at most: the largest, and a random half."""
RANDOM = "random"
LUCK = 0.1
"""Part of the random rankings that may do as well as a method that is trusted."""


@dataclass(frozen=True, eq=False, repr=False)
class Faithfulness(Result):
    """How far methods can be trusted in a region: one row per method, and one for each seed of the random control.

    Columns: method, seed, deletion (area under the curve; lower is better), insertion (higher is better), correlation
    (of share with measured change, Pearson; higher is better), score (insertion minus deletion).
    """

    kind: ClassVar[str] = "a faithfulness"

    @property
    def curves(self) -> pd.DataFrame:
        """Deletion and insertion curves: method, seed, kind, taken (part of the units), progress."""
        return pd.DataFrame(self.about["curves"])

    @property
    def random(self) -> pd.DataFrame:
        """The random control, one row per seed."""
        return self.frame[self.frame["method"] == RANDOM]

    @property
    def trusted(self) -> str | None:
        """The method with the best score (of equal ones the best correlation), if random rankings hardly reach it."""
        methods = self.frame[self.frame["method"] != RANDOM].round({"score": 6})
        best = methods.sort_values(["score", "correlation"], ascending=False, kind="stable").iloc[0]
        lucky = (self.random["score"] >= best["score"] - 1e-6).mean()
        return str(best["method"]) if lucky <= LUCK else None

    def headline(self) -> str:
        """The result in one line."""
        if self.trusted is None:
            return "no method beats a random ranking here"
        row = self.frame[self.frame["method"] == self.trusted].iloc[0]
        return (
            f"trust {self.trusted} here: deletion {row['deletion']:.2f}, insertion {row['insertion']:.2f}, "
            f"correlation {row['correlation']:.2f}; random {self.random['deletion'].mean():.2f}, "
            f"{self.random['insertion'].mean():.2f}, {self.random['correlation'].mean():.2f}"
        )

    def summary(self) -> pd.Series:
        """The result in a few numbers."""
        facts = {"verdict": self.headline(), "units": self.about["units"], "seeds": len(self.random)}
        return pd.Series(facts, name=self.kind)

    def plot(self) -> Figure:
        """The curves, the random control as a band: a matplotlib figure."""
        from ktviz.figures.faithfulness import faithfulness_figure

        return faithfulness_figure(self)


def faithfulness(
    attribution: Attribution,
    trace: Trace | None = None,
    *,
    seeds: Sequence[int] = tuple(range(20)),
    model: Translator | None = None,
    photo: Pixels | None = None,
) -> Faithfulness:
    """Test an attribution, and the other methods beside it, against what really happens.

    Args:
        attribution: By source, entry or node.
        trace: The one it was made from; only needed for an attribution that was read from a file.
        seeds: Of the random control.
        model: The translator; not needed while the one that recorded lives.
        photo: The photo, where the trace was saved without it.

    Raises:
        MismatchError: The attribution is of another trace.
        SettingError: By band, which cannot be taken away one by one; or no seeds.
        TraceError: As in `attribute`; or fewer than two units are in the region.
    """
    if attribution.by == "band":
        raise SettingError("faithfulness by band", "bands are not retrievals", "Attribute by source, entry or node")
    if not len(seeds):
        raise SettingError("faithfulness without seeds", "no random control", "Give at least one seed")
    trace = attribution.origin if trace is None else trace
    if trace is None:
        raise TraceError("test an attribution", "it was read from a file", "Pass the trace it was made from")
    if attribution.about["trace"] != trace.digest:
        raise MismatchError("the attribution's trace", "another one", "Give the trace it was made from")
    case = live(trace, model, photo)
    mask = np.asarray(attribution.pictures["region"][..., 0] > 0)
    units = units_of(trace, attribution.by, case)
    test = Experiment.create(case, mask, units)
    shares = {attribution.through: named(attribution, units)}
    others: tuple[Through, ...] = ("footprint", "gradient")
    for other in others:
        if other not in shares:
            made = attribute(trace, mask, by=attribution.by, through=other, model=model, photo=photo)
            shares[other] = named(made, units)
    measured = test.measure(shares[attribution.through], seeds[0])
    rankings = [(method, -1, share, ranked(share, test.present)) for method, share in shares.items()]
    first = next(iter(shares.values()))
    rankings += [(RANDOM, seed, *shuffled(first, test.present, seed)) for seed in seeds]
    rows, curves = [], []
    for method, seed, share, order in rankings:
        row, drawn = test.run(share, order, measured)
        rows.append({"method": method, "seed": seed, **row})
        curves += [{"method": method, "seed": seed, **point} for point in drawn]
    about = {
        "by": attribution.by,
        "region": attribution.about["region"],
        "units": len(test.present),
        "trace": trace.digest,
        "curves": curves,
    }
    return Faithfulness(pd.DataFrame(rows), about)


def named(attribution: Attribution, units: Units) -> Floats:
    """Shares in the order of the units; 0 for those that an attribution does not name."""
    known = dict(zip(attribution.frame[attribution.by], attribution.frame["share"], strict=True))
    return np.nan_to_num(np.array([known.get(row[units.by], 0.0) for row in units.rows], dtype=np.float64))


def ranked(share: Floats, present: Ints) -> Ints:
    """The units of the region, largest share first."""
    return present[np.argsort(-share[present], kind="stable")]


def shuffled(share: Floats, present: Ints, seed: int) -> tuple[Floats, Ints]:
    """The same shares, given to the units of the region at random, and these units, largest share first.

    The order is drawn, not the shares: among equal shares it would always be the same.
    """
    order = np.random.default_rng(seed).permutation(present)
    mixed = np.zeros_like(share)
    mixed[order] = np.sort(share[present])[::-1]
    return mixed, order


@dataclass(frozen=True)
class Experiment:
    """Retrievals that can be switched off, and the region that is watched.

    Attributes:
        case: A trace and its translator.
        mask: (H, W), the region.
        query: (n,) retrievals that reach into the region.
        unit: (n,) unit of each.
        parts: (n, C, 4, 4) what each changes, divided by the coverage.
        present: Units that reach into the region.
    """

    case: Live
    mask: Mask
    query: Tensor
    unit: Ints
    parts: Tensor
    present: Ints

    @classmethod
    def create(cls, case: Live, mask: Mask, units: Units) -> Experiment:
        query = case.grid.unfold(cells_behind(case, mask)[None]).sum((1, 2, 3)).nonzero()[:, 0]
        unit = units.number[units.chosen][query.numpy()]
        present = np.unique(unit)
        if len(present) < 2:
            raise TraceError(
                "test an attribution",
                f"{len(present)} {units.by} in this region",
                "Take a larger region, or by='entry'",
            )
        return cls(case, mask, query, unit, parts_of(case, query), present)

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

    def measure(self, share: Floats, seed: int) -> dict[int, float]:
        """Loss of progress without each of some units: the largest by share, and others at random."""
        order = ranked(share, self.present)
        if len(order) > MEASURED:
            rest = np.random.default_rng(seed).permutation(order[MEASURED // 2 :])[: MEASURED - MEASURED // 2]
            order = np.concatenate((order[: MEASURED // 2], rest))
        whole = self.progress(self.present)
        return {int(n): whole - self.progress(self.present[self.present != n]) for n in order}

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
        case = self.case
        on = torch.from_numpy(np.flatnonzero(np.isin(self.unit, units)))
        features = case.features.clone()
        case.grid.add_patches(features, self.parts[on], self.query[on])
        gained = total = 0.0
        for window, start, direction in self._watched:
            part = features[:, window.cells[0], window.cells[1]]
            gained += float(((window.decode(case.model, part) - start) * direction).double().sum())
            total += float(direction.double().square().sum())
        return gained / total

    @cached_property
    def _watched(self) -> list[tuple[Window, Tensor, Tensor]]:
        """The windows on the region: how they begin, and how the knowledge changed them."""
        case, found = self.case, []
        transferred = case.model.blend(case.features, case.grid, case.winner, case.settings)
        for window in windows(case, self.mask):
            start, end = (
                window.decode(case.model, f[:, window.cells[0], window.cells[1]]) for f in (case.features, transferred)
            )
            found.append((window, start, (end - start) * torch.from_numpy(self.mask[window.pixels])))
        if not any(direction.any() for _, _, direction in found):
            raise TraceError("test an attribution", "the knowledge changed nothing in this region", "Take another")
        return found


def cells_behind(case: Live, mask: Mask) -> Tensor:
    """The cells that decide the pixels of a region: (h, w), 1 for these and 0 for the others."""
    radius, grid = receptive_field(case.model).radius, case.grid
    if radius is None:
        return torch.ones(grid.height, grid.width)
    pixels = torch.zeros(1, STRIDE * grid.height, STRIDE * grid.width)
    pixels[0, : mask.shape[0], : mask.shape[1]] = torch.from_numpy(mask)
    cells = F.max_pool2d(pixels, STRIDE)
    return F.max_pool2d(cells, 2 * radius + 1, stride=1, padding=radius)[0]


def parts_of(case: Live, query: Tensor) -> Tensor:
    """What some retrievals (n,) change, divided by the coverage: (n, C, 4, 4)."""
    cover, parts = case.grid.coverage()[None], []
    for index, before, after in case.model.transfers(case.features, case.grid, case.winner, case.settings):
        mine = torch.isin(index, query)
        parts.append((after[mine] - before[mine]) / case.grid.unfold(cover, index[mine]))
    return torch.cat(parts)


def area(curve: Floats, taken: Floats) -> float:
    """Area under a curve by trapezoids."""
    return float(((curve[1:] + curve[:-1]) / 2 * np.diff(taken)).sum())


def correlation(share: Floats, change: Floats) -> float:
    """Pearson's r; 0 where one of them does not vary."""
    if len(share) < 2 or share.std() == 0 or change.std() == 0:
        return 0.0
    return float(np.corrcoef(share, change)[0, 1])
