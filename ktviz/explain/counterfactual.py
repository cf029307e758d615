"""Counterfactuals: the same photo without some of the knowledge, and two translations compared."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from ktviz.errors import MismatchError, TraceError
from ktviz.explain.case import Case, case_of, check_equal, check_system, shown
from ktviz.explain.exclusion import check_further
from ktviz.explain.result import Result, one_site
from ktviz.images import Pixels
from ktviz.systems.parts import is_number
from ktviz.trace import parquet
from ktviz.trace.groups import Group, members
from ktviz.trace.overlap import Floats
from ktviz.trace.recorded import Traced, as_trace
from ktviz.trace.shares import with_cause
from ktviz.trace.trace import NOT_THE_CAUSE, Trace
from ktviz.values import listed

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NOBODY = "nobody"
"""In place of a source where nothing was retrieved."""
KNOWLEDGE = "library "
"""How digests of knowledge begin, which may differ. With another network it is another system."""


def without(
    trace: Traced,
    what: object,
    *,
    by: Group | None = None,
    model: object | None = None,
    photo: Pixels | None = None,
    **settings: Any,
) -> Trace:
    """Make the same run again without some of the knowledge, and record it.

    Exact: equal to a run with knowledge from which this was removed (of banks with a cluster tree: and whose tree is
    the same).

    Args:
        trace: Of one image.
        what: Name of a source or a bank, number of an entry, a part of a source (`SourceRegion`), or what else the
            system can do without (in image-analogy a `Box` of the reference); or several of them. They add to those
            that the trace was made without.
        by: "creator", "licence", "bank" or "year": then `what` is one of these (or several), and all of its sources are
            left out, those that the trace does not list among them.
        model: The system; not needed while the one that recorded lives.
        photo: The photo, where the trace was saved without it.
        **settings: Of the system, where they are to be other ones than those of the trace, such as how to leave out
            (of pix2pixhd `again=True`: classes that lose an object are clustered again, instead of the means alone
            being taken again). The new trace states them.

    Raises:
        SettingError, UnknownSettingError: A setting that does not exist, or a value outside its range.
        UnknownNameError: There is no such source, bank or entry, or nothing would be left.
        AbilityError: The system cannot leave out.
        TraceError, MismatchError: As in `attribute`.

    Example:
        >>> import ktviz as kt
        >>> from ktviz import samples
        >>> photo = samples.photo("coffee")[:40, :56]
        >>> analogy = kt.ImageAnalogy(photo[:, ::-1])
        >>> trace = analogy.traced(photo, iterations=1)
        >>> without(trace, kt.Box(0, 0, 16, 16)).picture.settings["without"][0]["source"]
        'reference'
    """
    check_further(settings)
    case = case_of(as_trace(trace), "rerun", "exclude", model=model, photo=photo)
    parts = listed(what)
    if by is not None:
        known = known_sources(case)
        parts = [name for one in parts for name in members(known, by, one)]
    return case.system.rerun(case.trace, without=[as_index(one) for one in parts], **settings)


def known_sources(case: Case) -> Sequence[Mapping[str, Any]]:
    """All sources that a system could take: those of its banks, or else those that the trace lists."""
    banks = case.system.banks
    return case.trace.about["sources"] if banks is None else banks.describe_sources()


def as_index(what: object) -> object:
    """Whole numbers of any kind as those of Python; anything else as it is."""
    return int(what) if is_number(what) else what


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(Result):
    """What changed between two translations of one photo: one row per retrieval whose winner changed.

    Example:
        >>> found = kt.compare(trace, kt.without(trace, "red"))
        >>> found.new_winners["source_after"].unique().tolist()
        ['toy/flat/yellow.png']
        >>> float(found.plot(width=3.4).get_figwidth())
        3.4
    """

    kind: ClassVar[str] = "a comparison"
    holds: ClassVar[tuple[str, ...]] = ("before", "after")

    @property
    def difference(self) -> Floats:
        """(H, W) mean difference over the colours, in levels (0..255)."""
        one, other = (self.pictures[name].astype(np.float64) for name in ("before", "after"))
        result: Floats = np.abs(one - other).mean(2)
        return result

    @property
    def changed_share(self) -> float:
        """Part of the pixels that changed at all."""
        return float((self.pictures["before"] != self.pictures["after"]).any(2).mean())

    @property
    def mean_change(self) -> float:
        """Mean difference in levels."""
        return float(self.difference.mean())

    @property
    def new_winners(self) -> pd.DataFrame:
        """Who took over from whom: source_before, source_after, retrievals, overlap (part of the output)."""
        pairs = self.frame.groupby(["source_before", "source_after"], observed=True)
        found = pairs.agg(retrievals=("query", "size"), overlap=("overlap", "sum")).reset_index()
        return found.sort_values("overlap", ascending=False, kind="stable", ignore_index=True)

    def headline(self) -> str:
        """The result in one line."""
        return (
            f"{self.changed_share:.1%} of the pixels changed, by {self.mean_change:.2f} levels on average; "
            f"{len(self)} of {self.about['retrievals']} winners are new{self.note}"
        )

    @property
    def note(self) -> str:
        """What must be said beside winners that did not feed the output, in brackets; else empty."""
        return "" if self.about.get("causal", True) else f" ({NOT_THE_CAUSE})"

    def summary(self) -> pd.Series:
        """The result in a few numbers."""
        facts = {
            "difference": " and ".join(self.about["differs"]) or "nothing",
            "pixels changed": f"{self.changed_share:.2%}",
            "mean change, levels": round(self.mean_change, 3),
            "largest change, levels": round(float(self.difference.max()), 1),
            "new winners": f"{len(self)} of {self.about['retrievals']}{self.note}",
        }
        return pd.Series(facts, name=self.kind)

    def _repr_html_(self) -> str | None:
        """What a notebook shows."""
        from ktviz.figures.cards import comparison_card, unless_refused

        return unless_refused(comparison_card, self)

    def plot(self, *, width: float | None = None) -> Figure:
        """Before, after, and the difference with its scale: a matplotlib figure.

        Args:
            width: In inches, such as 3.4 for one column of a paper and 7 for two; None: for the screen.
        """
        from ktviz.figures.comparison import comparison_figure

        return comparison_figure(self, width)


def compare(before: Traced, after: Traced, *, model: object | None = None) -> Comparison:
    """What changed between two translations of one photo.

    Args:
        before: Of one image, or a result that was recorded; of several sites, the one that painted the output counts.
        after: Of the same photo and the same site, by the same networks; knowledge and settings may differ.
        model: The system of both, where one was opened from a file and its output has to be made again.

    Raises:
        MismatchError: Another photo, network or site; the message names the first that differs.
        TraceError: A trace without its output, or of several images.

    Example:
        >>> import ktviz as kt
        >>> from ktviz import samples
        >>> photo = samples.photo("coffee")[:40, :56]
        >>> analogy = kt.ImageAnalogy(photo[:, ::-1])
        >>> trace = analogy.traced(photo, iterations=1)
        >>> compare(trace, analogy.traced(photo, iterations=2)).about["retrievals"]
        2240
    """
    before, after = one_site(before), one_site(after)
    check_system(before.system, after.system)
    first, second = before.picture, after.picture
    check_equal("input", str(first.sha256("input")), str(second.sha256("input")))
    known = [trace.about["digests"] for trace in (before, after)]
    for name in (name for name in {**known[0], **known[1]} if not name.startswith(KNOWLEDGE)):
        check_equal(name, *(digests.get(name, "none") for digests in known))
    check_site(before, after)
    if any(trace.mask is not None or trace.about.get("part") for trace in (before, after)):
        raise MismatchError("compare parts of traces", "shares are of the whole", "Compare whole traces")
    outputs = [trace.output if model is None else case_of(trace, model=model).output for trace in (before, after)]
    if outputs[0] is None or outputs[1] is None:
        raise TraceError("compare", "a trace without its output", "Pass model=, or save traces with pictures='both'")
    about = {
        "retrievals": len(np.union1d(before.column("query"), after.column("query"))),
        "differs": differences(before, after),
        "causal": not (before.caveat or after.caveat),
        "before": before.digest,
        "after": after.digest,
        "settings_before": dict(first.about["settings"]),
        "settings_after": dict(second.about["settings"]),
    }
    frame = with_cause(before if before.caveat else after, changes(before, after))
    return Comparison(frame, about, {"before": outputs[0], "after": outputs[1]})


def check_site(before: Trace, after: Trace) -> None:
    """Raise MismatchError unless two traces are of one site: queries of another one are other queries."""
    (one,), (other,) = before.sites, after.sites
    if one != other:
        todo = f"Give .site({one!r}) of both, or of both another one"
        raise MismatchError(f"compare the site {one!r} of a trace", f"the site {other!r} of the other", todo)


def changes(before: Trace, after: Trace) -> pd.DataFrame:
    """The retrievals whose winner changed; of one that is in one trace only, the other has no source."""
    one, other = (winners_of(trace) for trace in (before, after))
    found = one.merge(other, on="query", how="outer", suffixes=("_before", "_after"), sort=True)
    columns: dict[str, Any] = {"query": found["query"]}
    for name in ("box", "overlap"):
        columns[name] = found[f"{name}_before"].where(found[f"{name}_before"].notna(), found[f"{name}_after"])
    for name, nothing in (("source", NOBODY), ("entry", -1), ("similarity", np.nan)):
        columns |= {f"{name}_{when}": found[f"{name}_{when}"].fillna(nothing) for when in ("before", "after")}
    changed = found["identity_before"] != found["identity_after"]
    table = pd.DataFrame(columns).astype({"entry_before": np.int64, "entry_after": np.int64})
    return table[changed.to_numpy()].reset_index(drop=True)


def winners_of(trace: Trace) -> pd.DataFrame:
    """What each retrieval won: entry numbers mean different patches in different libraries, so by source and place."""
    source, box = trace.column("source"), trace.column("source_box")
    columns = {name: trace.column(name) for name in ("query", "source", "entry", "similarity")}
    identity = [f"{s}{b}" for s, b in zip(source, box.tolist(), strict=True)]
    return pd.DataFrame({**columns, "box": list(trace.column("box")), "overlap": trace.overlap(), "identity": identity})


def differences(before: Trace, after: Trace) -> list[str]:
    """Settings and digests in which two traces differ, as text."""
    # As a file would state them: it turns tuples into lists.
    mine, other = (
        json.loads(parquet.as_json({**t.picture.about["settings"], **t.about["digests"]})) for t in (before, after)
    )
    found = []
    for name in dict.fromkeys((*mine, *other)):
        if mine.get(name) != other.get(name):
            found.append(f"{name}: {shortened(mine.get(name, 'none'))} → {shortened(other.get(name, 'none'))}")
    return found


def shortened(value: object) -> str:
    text = (", ".join(map(str, value)) or "nothing") if isinstance(value, (list, tuple)) else shown(str(value))
    return text if len(text) <= 60 else f"{text[:57]}..."
