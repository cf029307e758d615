"""Attribution: provenance carried through the decoder to pixels, by a named method."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast, get_args

import numpy as np
import pandas as pd

from ktviz.errors import SettingError, TraceError, UnknownSettingError
from ktviz.explain.ablation import ablate
from ktviz.explain.bands import match_shares
from ktviz.explain.case import Case, case_of, check_cause
from ktviz.explain.datamodel import datamodel
from ktviz.explain.exclusion import Budget, Exclusion, check_further
from ktviz.explain.gradient import integrated
from ktviz.explain.result import Result, check_retrieved, one_site
from ktviz.explain.units import By, Ints, Units, units_of
from ktviz.images import Pixels
from ktviz.networks.running import without_autocast
from ktviz.regions import Box, Mask, Region, SourceRegion, bounding_box, region_mask
from ktviz.trace.groups import GROUPS
from ktviz.trace.overlap import Floats
from ktviz.trace.recorded import Traced
from ktviz.trace.shares import uncovered
from ktviz.trace.trace import NOT_THE_CAUSE, Trace
from ktviz.values import one_of, seed_of, whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Through = Literal["overlap", "footprint", "gradient", "ablation", "datamodel"]
UNIT = {
    "overlap": "part of the region covered: overlap-add, before any decoder",
    "footprint": "part of the region painted: overlap carried on by the measured field of what comes after",
    "gradient": "part of the change that the knowledge made: integrated gradients",
    "ablation": "change without it, over the change that the knowledge made: excluded and run again",
    "datamodel": "part in how near the region stays to what it is: fitted to runs without random subsets",
}
"""What a share is, by method."""


@dataclass(frozen=True)
class Effort:
    """How much is run by the methods that leave units out.

    Attributes:
        most: Units that are left out one by one.
        runs: Random subsets that are left out.
        seed: Of the subsets.
        budget: Time.
        settings: How they are left out.
    """

    most: int
    runs: int
    seed: int
    budget: Budget
    settings: Mapping[str, Any]


@dataclass(frozen=True, eq=False, repr=False)
class Attribution(Result):
    """What a region owes to each source, part of one, entry, node or band; largest share first.

    Shares are absolute. They add up to 1, but for those of `ablation`: there one source may stand in for another.

    Attributes:
        origin: The trace it was made from; None if it was read from a file.

    Example:
        >>> found = kt.attribute(trace, kt.Box(0, 0, 16, 64))
        >>> found.by, found.through, found.top(1)
        ('source', 'overlap', ['toy/flat/red.png'])
        >>> round(float(found.frame["share"].sum()), 6)
        1.0
    """

    origin: Trace | None = None

    kind: ClassVar[str] = "an attribution"
    holds: ClassVar[tuple[str, ...]] = ("region", "output")

    @property
    def by(self) -> By:
        """What the shares are of."""
        return cast(By, self.about["by"])

    @property
    def through(self) -> str:
        """The method."""
        return str(self.about["through"])

    def headline(self) -> str:
        """The result in one line."""
        known = self.frame[self.frame["share"].notna()].head(2)
        best = ", ".join(f"{row[self.by]} {row['share']:.1%}" for _, row in known.iterrows()) or "nothing measured"
        note = "" if self.about["causal"] else f" ({NOT_THE_CAUSE})"
        return f"by {self.by} through {self.through}: {best}{note}"

    def top(self, count: int = 1) -> list[Any]:
        """The names (entry numbers, parts of sources) of the largest shares, as `without` takes them; of people,
        licences, banks and years all of their sources.

        Raises:
            SettingError: Nodes and bands cannot be taken away by name; or `count` is below 1.
        """
        if whole("top", count) < 1:
            raise SettingError(f"top {count}", "below 1", "Ask for one or more")
        if self.by in GROUPS:
            return [str(name) for names in self.frame["sources"].head(count) for name in names]
        if self.by not in ("source", "part", "entry"):
            raise SettingError(
                f"top by {self.by}", "it cannot be named in `without`", "Attribute by source, part or entry"
            )
        rows = self.frame.head(count)
        if self.by != "part":
            return list(rows[self.by])
        places = zip(rows["source"], rows["source_box"], strict=True)
        return [name if box is None else SourceRegion(name, Box(*map(int, box))) for name, box in places]

    def summary(self) -> pd.Series:
        """The result in a few numbers."""
        facts = {name: self.about[name] for name in ("by", "through", "unit", "region_px")}
        facts |= {name: self.about[name] for name in ("receptive_field", "baseline") if self.about.get(name)}
        facts |= {"in its place": self.about["instead"]} if self.about.get("instead") else {}
        error = self.about.get("completeness_error")
        facts |= {} if error is None else {"completeness error": f"{error:.2%}"}
        if self.through == "datamodel":
            facts["fitted to"] = f"{self.about['fitted']} runs"
            facts["held out"] = held_out(self.about)
        facts |= {"shares add up to": round(float(self.frame["share"].sum()), 4), "rows": len(self)}
        return pd.Series(facts, name=self.kind)

    def _repr_html_(self) -> str | None:
        """What a notebook shows."""
        from ktviz.figures.cards import attribution_card, unless_refused

        return unless_refused(attribution_card, self)

    def plot(self, width: float | None = None) -> Figure:
        """The region on the output, and the shares as bars: a matplotlib figure.

        Args:
            width: In inches, such as 3.4 for one column of a paper and 7 for two; None: for the screen.

        Example:
            >>> float(kt.attribute(trace).plot(width=3.4).get_figwidth())
            3.4
        """
        from ktviz.figures.attribution import attribution_figure

        return attribution_figure(self, width)


def held_out(about: Mapping[str, Any]) -> str:
    """How well a datamodel predicts runs to which it was not fitted, in words."""
    correlation, explained = about["held_out_correlation"], about["held_out_r2"]
    if correlation is None or explained is None:
        return f"{about['held_out']} runs, too few to tell"
    return f"{about['held_out']} runs, rank correlation {correlation:.2f}, R² {explained:.2f}"


@without_autocast
def attribute(
    trace: Traced,
    region: Region = None,
    *,
    by: By = "source",
    through: Through = "overlap",
    model: object | None = None,
    photo: Pixels | None = None,
    most: int = 20,
    runs: int = 64,
    seed: int = 0,
    seconds: float | None = None,
    quiet: bool = False,
    **settings: Any,
) -> Attribution:
    """What a region of the output owes to the knowledge.

    Credit of a retrieval goes to its candidates by their weights: all of it to the winner where retrieval is hard. What
    is left over is nobody's; of sources, it is that of the only one, where a site has one alone to take from.

    `overlap`: who covers it, before any decoder. The same share as in `trace.sources(region)` and wherever no method is
    named. Exact; it does not ask whether a retrieval mattered.
    `footprint`: who painted it. Overlap carried on to the pixels, by what the system knows or has measured of how far a
    retrieval reaches.
    `gradient`: who changed it. Integrated gradients along the line from the system's baseline, which `about` states, to
    the output; shares add up to the change that the knowledge made, and may be negative. The error is stated.
    `ablation`: what happens without it. The largest `most` by footprint (of a site that does not paint: by overlap) are
    excluded one by one, then those that reach into the region from elsewhere, and the run is made again. Shares are
    parts of the change that the knowledge made, but of a level at least. `about` states what takes the place of what is
    left out (`instead`).
    `datamodel`: what happens without several. Random subsets are excluded, and shares fitted to how near the region
    stays to what it is. They add up to 1, and are negative where it stays nearer without a unit. `about` states how
    well they predict runs to which they were not fitted (`held_out_correlation`, `held_out_r2`).

    Args:
        trace: Of one image and one site, or a result that was recorded.
        region: A `Box`, mask, polygon or pixel of the output; None for all of it.
        by: "source"; "creator", "licence", "bank" or "year": sources together; "part": ninth of a source, for whatever
            system; "entry"; "node": leaf of the cluster tree; "band": of the match (overlap and footprint: what carried
            the similarity; gradient: what was transferred; ablation and datamodel: matching without it).
        through: "overlap", "footprint", "gradient", "ablation" or "datamodel".
        model: The system; not needed while the one that recorded lives, nor for overlap.
        photo: The photo, where the trace was saved without it.
        most: How many are left out by ablation.
        runs: How many subsets are left out by datamodel, at most.
        seed: Of the subsets.
        seconds: After which ablation and datamodel begin no further run; None for no limit.
        quiet: No progress bar.
        **settings: Of the system: how ablation and datamodel leave out, as in `without`.

    Raises:
        RegionError: The region is empty or outside.
        SettingError: An unknown `by` or `through`, or `most` or `runs` below 1; or a setting that changes the picture
            though nothing is left out.
        UnknownSettingError: A setting that does not exist, or one for a method that leaves nothing out.
        AbilityError: The system cannot do what the method needs, or has no bands, or no tree.
        TraceError: There is no model; the trace is only a part, of several sites, or of soft retrieval and thinned to
            winners; or nothing was retrieved, what was recorded was not used, or the knowledge changed nothing in the
            region.
        MismatchError: Another model, library or photo.

    Example:
        >>> import ktviz as kt
        >>> from ktviz import samples
        >>> photo = samples.photo("coffee")[:40, :56]
        >>> analogy = kt.ImageAnalogy(photo[:, ::-1])
        >>> found = attribute(analogy.traced(photo, iterations=1), kt.Box(8, 8, 16, 16))
        >>> found.frame["source"].tolist(), round(float(found.frame["share"].sum()), 3)
        (['reference'], 1.0)
    """
    one_of("attribute by", by, get_args(By))
    one_of("attribute through", through, get_args(Through))
    for name, number in (("most", most), ("runs", runs)):
        if whole(f"attribute {name}", number) < 1:
            raise SettingError(f"attribute {name}={number}", "nothing would be measured", "Give a positive number")
    seed_of("attribute seed", seed)
    check_further(settings)
    if settings and through not in EXCLUDED:
        asked, todo = f"attribute through {through} with {', '.join(settings)}", f"take {' or '.join(EXCLUDED)}"
        raise UnknownSettingError(asked, "it leaves nothing out", f"Check the word, or {todo}")
    trace = one_site(trace)
    check_retrieved(trace, "attribute")
    if through in OF_KNOWLEDGE:
        check_cause(trace, f"attribute through {through}")
    mask = region_mask(region, *trace.size)
    needed = [*NEEDS[through], *(["tree"] if by == "node" else [])]
    if by == "band" and through != "overlap":
        needed.append("bands")
    case = None
    if needed or model is not None:
        case = case_of(trace, *needed, model=model, photo=photo, asked=f"attribute by {by} through {through}")
    units = units_of(trace, by, case)
    if through in OF_KNOWLEDGE:
        units = units.of_knowledge(trace)
    effort = Effort(most, runs, seed, Budget(seconds, quiet), settings)
    frame, about = METHODS[through](trace, case, mask, units, effort)
    box = bounding_box(mask)
    about |= {
        "by": by,
        "through": through,
        "unit": UNIT[through],
        "region": [box.x, box.y, box.width, box.height],
        "region_px": int(mask.sum()),
        "baseline": case.system.baseline if case is not None and through in BLENDED else "",
        "sources": trace.whole.sources()["source"].tolist(),
        "causal": not trace.caveat,
        "trace": trace.digest,
        "digests": dict(trace.about["digests"]),
    }
    pictures = {"region": np.repeat(mask[..., None] * np.uint8(255), 3, axis=2)}
    output = trace.output if case is None else case.output
    if output is not None:
        pictures["output"] = output
    return Attribution(frame, about, pictures, trace)


def through_overlap(
    trace: Trace, case: Case | None, mask: Mask, units: Units, effort: Effort
) -> tuple[pd.DataFrame, dict[str, Any]]:
    return units.frame(credited(trace, units, trace.overlap(mask))), {"uncovered": uncovered(trace, mask)}


def through_footprint(
    trace: Trace, case: Case | None, mask: Mask, units: Units, effort: Effort
) -> tuple[pd.DataFrame, dict[str, Any]]:
    assert case is not None
    shares = credited(trace, units, case.system.footprint(case.trace, mask))
    about = {"receptive_field": case.system.reach(case.trace), "uncovered": uncovered(trace, mask)}
    return units.frame(shares), about


def through_gradient(
    trace: Trace, case: Case | None, mask: Mask, units: Units, effort: Effort
) -> tuple[pd.DataFrame, dict[str, Any]]:
    assert case is not None
    by_band = units.by == "band"
    credit = integrated(case, mask, len(units) if by_band else 0)
    if credit.change == 0:
        raise TraceError("attribute through gradient", "the knowledge changed nothing in this region", "Take another")
    parts = credit.parts / credit.change
    about = {
        "receptive_field": case.system.reach(case.trace),
        "completeness_error": float(abs(parts.sum() - 1)),
        "change": credit.levels,
    }
    if by_band:
        return units.frame(parts.sum(0)), about
    of_ways = {way: credited(trace, units, parts[:, n]) for n, way in enumerate(credit.ways)}
    about |= {"ways": {way: float(share.sum()) for way, share in of_ways.items()}} if of_ways else {}
    return units.frame(credited(trace, units, parts.sum(1)), of_ways), about


def through_ablation(
    trace: Trace, case: Case | None, mask: Mask, units: Units, effort: Effort
) -> tuple[pd.DataFrame, dict[str, Any]]:
    assert case is not None
    exclusion = excluding(case, mask, units, effort)
    chosen = (np.arange(len(units)) if units.by == "band" else by_size(case, mask, units, exclusion))[: effort.most]
    found = ablate(exclusion, chosen, effort.budget)
    measured = chosen[: len(found.levels)]
    levels = dict(zip(measured.tolist(), found.levels, strict=True))
    frame = units.frame(found.share, only=measured)
    frame.insert(2, "levels", [levels[number] for number in frame.pop("unit")])
    about = {"change": found.change, "measured": len(measured), "most": effort.most, "seconds": effort.budget.seconds}
    return frame, {"receptive_field": case.system.reach(case.trace), **exclusion.about, **about}


def by_size(case: Case, mask: Mask, units: Units, exclusion: Exclusion) -> Ints:
    """Units whose leaving out can touch a region: the largest in it, then those that reach into it from elsewhere."""
    paints = bool(case.trace.site_about["paints"])  # else nobody's footprint, but an order is needed all the same
    part = case.system.footprint(case.trace, mask) if paints else case.trace.overlap(mask)
    here, anywhere = (np.abs(credited(case.trace, units, one)) for one in (part, case.trace.overlap()))
    order: Ints = np.lexsort((-anywhere, -here))
    return order[np.isin(order, exclusion.present)]


def through_datamodel(
    trace: Trace, case: Case | None, mask: Mask, units: Units, effort: Effort
) -> tuple[pd.DataFrame, dict[str, Any]]:
    assert case is not None
    exclusion = excluding(case, mask, units, effort)
    share, about = datamodel(exclusion, effort.runs, effort.seed, effort.budget)
    about |= {"seed": effort.seed, "seconds": effort.budget.seconds}
    return units.frame(share), {"receptive_field": case.system.reach(case.trace), **exclusion.about, **about}


def excluding(case: Case, mask: Mask, units: Units, effort: Effort) -> Exclusion:
    """The region without some units, as a person wants them left out."""
    found = Exclusion(case, mask, units, effort.settings)
    found.check_settings()
    return found


NEEDS: dict[Through, tuple[str, ...]] = {
    "overlap": (),
    "footprint": ("blend",),
    "gradient": ("blend",),
    "ablation": ("exclude", "blend"),
    "datamodel": ("exclude",),
}
"""Abilities that a method needs."""
OF_KNOWLEDGE = ("gradient", "ablation", "datamodel")
"""Methods whose shares are parts of what the knowledge did; the others say of what a region is made."""
EXCLUDED = ("ablation", "datamodel")
"""Methods that leave out."""
BLENDED = ("gradient", "ablation")
"""Methods whose shares are parts of a change from the system's baseline."""
METHODS = {
    "overlap": through_overlap,
    "footprint": through_footprint,
    "gradient": through_gradient,
    "ablation": through_ablation,
    "datamodel": through_datamodel,
}


def credited(trace: Trace, units: Units, part: Floats) -> Floats:
    """Share of every unit, given the part of the region that each retrieval has."""
    if units.by == "band":
        return part @ match_shares(trace)
    check_whole(trace, units.by)
    return units.sum(part)


def check_whole(trace: Trace, by: By) -> None:
    """Raise TraceError where thinning took weights away, so that shares would not add up."""
    if by == "source" and trace.site_about.get("one_source"):
        return
    if trace.thinned and bool((trace.column("left_over") > 1e-3).any()):
        raise TraceError("attribute soft retrieval", "the trace was thinned to winners", "Record with more memory")
