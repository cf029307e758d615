"""Faithfulness: does an attribution say what really matters? Two tests that ask different questions, and a control.

Exclusion asks what becomes of the region without some units, when the run is made again and others take their place; it
decides what is trusted. Blending asks whose retrievals carry the change, when nothing takes their place.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pandas as pd

from ktviz.errors import MismatchError, SettingError, TraceError
from ktviz.explain.attribution import Attribution, Through, attribute
from ktviz.explain.blending import Blending, ranked, sampled
from ktviz.explain.case import case_of, check_cause
from ktviz.explain.exclusion import MEASURES, Budget, Exclusion
from ktviz.explain.result import Result, one_site
from ktviz.explain.subsets import Kept, halves, rank_correlation
from ktviz.explain.units import Ints, Units, units_of
from ktviz.images import Pixels
from ktviz.networks.running import without_autocast
from ktviz.trace.overlap import Floats
from ktviz.trace.recorded import Traced
from ktviz.values import seed_of, short, whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RANDOM = "random"
LUCK = 0.1
"""Part of the random rankings that may do as well as a method that is trusted."""
QUESTIONS = {
    "exclusion": "What becomes of the region without some units, when others take their place?",
    "blending": "Whose retrievals carry the change of the region, when nothing takes their place?",
}
STATED = (("baseline", "baseline"), ("in the place of what is left out", "instead"))


@dataclass(frozen=True, eq=False, repr=False)
class Faithfulness(Result):
    """How far methods can be trusted in a region: one row per method, and one for each seed of the random control.

    Columns: method, seed; of exclusion `lds_pixels` and `lds_features` (linear datamodelling score: rank correlation of
    the shares that were kept with how near the region stayed, over random halves of the units) and `loo_pixels` and
    `loo_features` (rank correlation of a share with the change when that unit is left out); of blending `deletion`
    (area under the curve; lower is better), `insertion` (higher is better), `correlation` (of share with loss,
    Pearson), `score` (insertion minus deletion). NaN where there were too few runs to tell.

    Example:
        >>> answer = kt.attribute(trace, kt.Box(0, 0, 64, 64))
        >>> found = kt.faithfulness(answer, subsets=4, seeds=range(2), quiet=True)
        >>> type(found).__name__, float(found.plot(width=3.4).get_figwidth())
        ('Faithfulness', 3.4)
    """

    kind: ClassVar[str] = "a faithfulness test"
    former: ClassVar[tuple[str, ...]] = ("a faithfulness",)

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
        """The method that best tells what becomes of the region in real exclusion, if random shares hardly do as well.

        By the linear datamodelling score, mean of pixels and features; of equal ones by leaving out one by one.
        """
        methods = self.frame[self.frame["method"] != RANDOM]
        scores = pd.DataFrame({"lds": mean_of(methods, "lds"), "loo": mean_of(methods, "loo").fillna(-1)}).round(6)
        scores = scores.dropna(subset="lds").sort_values(["lds", "loo"], ascending=False, kind="stable")
        if scores.empty:
            return None
        lucky = (mean_of(self.random, "lds") >= scores["lds"].iloc[0] - 1e-6).mean()
        return str(self.frame.loc[scores.index[0], "method"]) if lucky <= LUCK else None

    def headline(self) -> str:
        """The result in one line."""
        if self.frame["lds_pixels"].isna().all():
            return f"too few runs to tell: {self.runs()}"
        if self.trusted is None:
            return "no method beats random shares here"
        row, control = self.frame[self.frame["method"] == self.trusted].iloc[0], self.random.mean(numeric_only=True)
        return (
            f"trust {self.trusted} here: left out and run again, LDS {row['lds_pixels']:.2f} in pixels, "
            f"{row['lds_features']:.2f} in features; random {control['lds_pixels']:.2f}, {control['lds_features']:.2f}"
        )

    def runs(self) -> str:
        """What was really left out, in words."""
        subsets, alone = self.about["subsets"], self.about["alone"]
        return f"{subsets[0]} of {subsets[1]} random halves and {alone[0]} of {alone[1]} units alone left out"

    def summary(self) -> pd.Series:
        """The result in a few numbers."""
        facts = {"verdict": self.headline(), "units": self.about["units"], "runs": self.runs()}
        facts |= QUESTIONS | {name: self.about.get(key, "") for name, key in STATED} | {"seeds": len(self.random)}
        return pd.Series(facts, name=self.kind)

    def plot(self, *, width: float | None = None) -> Figure:
        """Scores of exclusion and curves of blending, each beside the random control: a matplotlib figure.

        Args:
            width: In inches, such as 3.4 for one column of a paper and 7 for two; None: for the screen.
        """
        from ktviz.figures.faithfulness import faithfulness_figure

        return faithfulness_figure(self, width)


@without_autocast
def faithfulness(
    attribution: Attribution,
    trace: Traced | None = None,
    *,
    seeds: Sequence[int] = tuple(range(20)),
    subsets: int = 40,
    seed: int = 0,
    seconds: float | None = None,
    quiet: bool = False,
    model: object | None = None,
    photo: Pixels | None = None,
) -> Faithfulness:
    """Test an attribution, and the other methods beside it, against what really happens.

    Footprint and gradient are tested with it. Units are left out as the attribution did it, where it left out, else as
    usual. What becomes of the region is how far it is, without some units, from the
    translation: *in pixels* the mean difference of colours, in levels; *in features* the mean distance of its cells'
    features, the region being encoded alone.

    Args:
        attribution: By source, part, entry or node.
        trace: The one it was made from; only needed for an attribution that was read from a file.
        seeds: Of the random control.
        subsets: Random halves of the region's units that are left out, at most; few units have fewer halves. Those to
            which a datamodel was fitted do not count for it.
        seed: Of these halves, and of the units that are left out alone where there are very many.
        seconds: After which no further run is begun; None for no limit. Halves come first. `about` states what could be
            done: `subsets` and `alone`, each done and asked.
        quiet: No progress bar.
        model: The system; not needed while the one that recorded lives.
        photo: The photo, where the trace was saved without it.

    Raises:
        MismatchError: The attribution is of another trace.
        SettingError: By band, which cannot be taken away one by one; no seeds; or `subsets` below 1.
        TraceError: As in `attribute`; or fewer than two units are in the region.

    Example:
        >>> faithfulness(attribute(trace, Box(40, 40, 64, 64)))  # doctest: +SKIP
        Faithfulness(trust footprint here: left out and run again, LDS 0.81 in pixels, 0.84 in features; ...)
    """
    if not isinstance(attribution, Attribution):
        raise SettingError(f"faithfulness of {short(attribution)}", "no attribution", "Give attribute(trace, ...)")
    if attribution.by == "band":
        raise SettingError("faithfulness by band", "bands are not retrievals", "Attribute by source, entry or node")
    if not len(seeds):
        raise SettingError("faithfulness without seeds", "no random control", "Give at least one seed")
    seed_of("faithfulness seed", seed)
    if whole("faithfulness subsets", subsets) < 1:
        raise SettingError(f"faithfulness subsets={subsets}", "nothing would be left out", "Give a positive number")
    origin = attribution.origin if trace is None else one_site(trace)
    if origin is None:
        raise TraceError("test an attribution", "it was read from a file", "Pass the trace it was made from")
    trace = origin
    if attribution.about["trace"] != trace.digest:
        raise MismatchError("the attribution's trace", "another one", "Give the trace it was made from")
    check_cause(trace, "test an attribution")
    needed = ("exclude", "blend", *(["tree"] if attribution.by == "node" else []))
    case = case_of(trace, *needed, model=model, photo=photo, asked="test an attribution")
    mask = np.asarray(attribution.pictures["region"][..., 0] > 0)
    units = units_of(trace, attribution.by, case).of_knowledge(trace)
    blending = Blending.create(case, mask, units)
    shares = {attribution.through: named(attribution, units)}
    others: tuple[Through, ...] = ("footprint", "gradient")
    for other in others:
        if other not in shares:
            made = attribute(trace, mask, by=attribution.by, through=other, model=model, photo=photo)
            shares[other] = named(made, units)
    first, present = shares[attribution.through], blending.present
    some = sampled(first, present, seed)
    lost = blending.measure(some)
    exclusion = Exclusion(case, mask, units, attribution.about.get("settings", {}))
    left_out = LeftOut.measure(exclusion, some, subsets, seed, Budget(seconds, quiet))
    fitted_to = {frozenset(numbers) for numbers in attribution.about.get("fitted_to", ())}
    rankings = [(method, -1, share, ranked(share, present)) for method, share in shares.items()]
    rankings += [(RANDOM, number, *shuffled(first, present, number)) for number in seeds]
    rows, curves = [], []
    for method, number, share, order in rankings:
        row, drawn = blending.run(share, order, lost)
        scores = left_out.scores(share, fitted_to if method == "datamodel" else set())
        rows.append({"method": method, "seed": number, **scores, **row})
        curves += [{"method": method, "seed": number, **point} for point in drawn]
    about = {
        "by": attribution.by,
        "region": attribution.about["region"],
        "units": len(present),
        "trace": trace.digest,
        "questions": QUESTIONS,
        "baseline": case.system.baseline,
        **exclusion.about,
        "subsets": [len(left_out.change), left_out.asked],
        "alone": [len(left_out.alone), len(some)],
        "curves": curves,
    }
    return Faithfulness(pd.DataFrame(rows), about)


@dataclass(frozen=True)
class LeftOut:
    """What became of a region without some of its units.

    Attributes:
        present: Units of the region.
        kept: (subsets, present) which of them were kept.
        change: (subsets, 2) what that changed, by measure.
        asked: Subsets that were to be run.
        alone: Units that were left out alone.
        change_alone: (units, 2) what that changed.
    """

    present: Ints
    kept: Kept
    change: Floats
    asked: int
    alone: Ints
    change_alone: Floats

    @classmethod
    def measure(cls, exclusion: Exclusion, alone: Ints, subsets: int, seed: int, budget: Budget) -> LeftOut:
        """Leave out random halves of the units of a region, then some units alone, until time is up."""
        present = exclusion.present
        kept = halves(len(present), subsets, seed)
        change = exclusion.changes([present[~some] for some in kept], budget, "leaving out halves")
        singles = exclusion.changes([alone[n : n + 1] for n in range(len(alone))], budget, "leaving out one by one")
        return cls(present, kept[: len(change)], change, len(kept), alone[: len(singles)], singles)

    def scores(self, share: Floats, fitted_to: Set[frozenset[int]]) -> dict[str, float]:
        """Rank correlations of shares (units,) with what happened, but for subsets to which they were fitted."""
        fresh = np.array([frozenset(self.present[~some].tolist()) not in fitted_to for some in self.kept], dtype=bool)
        told = self.kept @ share[self.present]
        found = {}
        for number, measure in enumerate(MEASURES):
            change, alone = self.change[:, number], self.change_alone[:, number]
            known, real = fresh & np.isfinite(change), np.isfinite(alone)
            found[f"lds_{measure}"] = rank_correlation(told[known], -change[known])
            found[f"loo_{measure}"] = rank_correlation(share[self.alone][real], alone[real])
        return found


def named(attribution: Attribution, units: Units) -> Floats:
    """Shares in the order of the units; 0 for those that an attribution does not name."""
    known = dict(zip(attribution.frame[attribution.by], attribution.frame["share"], strict=True))
    return np.nan_to_num(np.array([known.get(row[units.by], 0.0) for row in units.rows], dtype=np.float64))


def shuffled(share: Floats, present: Ints, seed: int) -> tuple[Floats, Ints]:
    """The same shares, given to the units of the region at random, and these units, largest share first.

    The order is drawn, not the shares: among equal shares it would always be the same.
    """
    order = np.random.default_rng(seed).permutation(present)
    mixed = np.zeros_like(share)
    mixed[order] = np.sort(share[present])[::-1]
    return mixed, order


def mean_of(rows: pd.DataFrame, score: str) -> pd.Series:
    """Mean of a score over the measures."""
    mean: pd.Series = rows[[f"{score}_{measure}" for measure in MEASURES]].mean(axis=1)
    return mean
