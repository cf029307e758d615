"""What a person asked of a translation, kept in its audit so that it can be asked again.

An attribution is kept as it was found, with its question. Of a comparison only the other translation is evidence, and
what changed follows from it: it is made once more when the audit is, and must be the one that was compared.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np

from ktviz.audit.differences import as_array
from ktviz.audit.evidence import Evidence, only_winners, with_servants
from ktviz.audit.folder import in_folder
from ktviz.errors import Difference, KtvizError, SettingError
from ktviz.explain.attribution import Attribution, Through, attribute
from ktviz.explain.case import Case
from ktviz.explain.counterfactual import KNOWLEDGE, Comparison, compare
from ktviz.explain.result import Result, one_site
from ktviz.folders import write_csv
from ktviz.images import Pixels
from ktviz.regions import Mask
from ktviz.trace.parquet import as_json
from ktviz.trace.rows import first_row
from ktviz.trace.trace import Trace
from ktviz.values import listed

Kind = TypeVar("Kind", bound=Result)
EFFORT: Mapping[str, tuple[str, ...]] = {"ablation": ("most",), "datamodel": ("runs", "seed")}
"""By method, what was asked besides unit and region."""
ROOM = 0.01
"""By how much a number of an attribution may be off where other versions or another processor have found it."""


def attributions_of(trace: Trace, audited: Trace, given: object) -> tuple[Attribution, ...]:
    """Attributions that a person made of a trace, as an audit keeps them.

    Args:
        trace: What the person has.
        audited: The same, as the audit keeps it.
        given: One or several.

    Raises:
        SettingError: Something else, of another trace, or one that cannot be asked again.
    """
    found = []
    for asked, one in numbered("attributions", Attribution, given):
        check_trace(asked, one.about["trace"], {trace.digest, audited.digest}, "kt.attribute(trace, ...)")
        needed = EFFORT.get(one.through, ())
        if missing := [name for name in needed if name not in one.about]:
            raise SettingError(
                asked, f"through {one.through}, without the {missing[0]} that was asked", "Make it with this ktviz"
            )
        if one.about.get("seconds") is not None:
            why = f"through {one.through} in {one.about['seconds']:g} seconds, which cannot be asked again"
            raise SettingError(asked, f"{why}: another machine gets further", "Make it without seconds=")
        found.append(kept(replace(one, about={**one.about, "trace": audited.digest}), audited))
    return tuple(found)


def kept(attribution: Attribution, audited: Trace) -> Attribution:
    """An attribution that holds nothing but its region which does not follow from the trace."""
    region = np.repeat(region_of(attribution)[..., None] * np.uint8(255), 3, axis=2)
    pictures = {"region": region, "output": cast(Pixels, audited.output)}
    frame = attribution.to_arrow().replace_schema_metadata(None).to_pandas()  # as a file gives it: lists are arrays
    return replace(attribution, frame=frame, pictures=pictures, origin=audited)


def region_of(attribution: Attribution) -> Mask:
    """The region of an attribution: (H, W) bool."""
    mask: Mask = attribution.pictures["region"][..., 0] > 0
    return mask


def translations_of(case: Case, trace: Trace, given: object) -> tuple[Trace, ...]:
    """The translations with which a person compared a trace, made again: winners and output.

    Args:
        case: The trace as the audit keeps it, and its system.
        trace: What the person has.
        given: One comparison or several.

    Raises:
        SettingError: Something else, of another trace, with other knowledge, or one that is another when made again.
    """
    found = []
    for asked, one in numbered("comparisons", Comparison, given):
        mine = {trace.digest, case.trace.digest}
        turned = one.about["after"] in mine and one.about["before"] not in mine
        check_trace(asked, one.about["before"], mine, "compare(trace, other)" if turned else "kt.compare(trace, ...)")
        if other := [said for said in one.about["differs"] if said.startswith(KNOWLEDGE)]:
            raise SettingError(
                asked,
                f"a translation with other knowledge ({other[0]}), which cannot be asked again of this system",
                "Compare with kt.without(trace, ...), or with other settings",
            )
        after = translated(case, one.about["settings_after"])
        again = compare(case.trace, after)
        off = first_cell(one, again)
        if not off and not np.array_equal(one.pictures["after"], again.pictures["after"]):
            off = "other pixels"
        if off:
            raise SettingError(asked, f"made again here, it is another: {off}", "Compare again, with the same model")
        found.append(after)
    return tuple(found)


def numbered(name: str, kind: type[Kind], given: object) -> list[tuple[str, Kind]]:
    """Results that were given, one or several, each with what an error calls it."""
    found = []
    for number, one in enumerate(listed(given), 1):
        asked = f"an audit with {name}, number {number}"
        if not isinstance(one, kind):
            raise SettingError(asked, f"a {type(one).__name__}, not {kind.kind}", f"Give a kt.{kind.__name__}")
        found.append((asked, one))
    return found


def check_trace(asked: str, found: str, known: set[str], todo: str) -> None:
    """Raise SettingError unless a result was made of the trace that is audited."""
    if found not in known:
        raise SettingError(asked, f"it was made of another trace ({found[:12]})", f"Make it of this one: {todo}")


def translated(case: Case, settings: Mapping[str, Any]) -> Trace:
    """The translation of the same photo with all these settings, its winners only."""
    return only_winners(with_servants(one_site(case.system.rerun(case.trace.with_settings(settings)))))


def comparisons_of(evidence: Evidence) -> tuple[Comparison, ...]:
    """What changed between the translation and those that a person compared it with."""
    return tuple(compare(evidence.trace, after) for after in evidence.compared)


def asked_again(case: Case, attribution: Attribution) -> Attribution:
    """The same question, asked of the trace and its system."""
    effort = {name: attribution.about[name] for name in EFFORT.get(attribution.through, ())}
    effort |= attribution.about.get("settings", {})
    found = attribute(
        case.trace,
        region_of(attribution),
        by=attribution.by,
        through=cast(Through, attribution.through),
        model=case.system,
        quiet=True,
        **effort,
    )
    return kept(found, case.trace)


def check_attributions(case: Case, attributions: Sequence[Attribution], here: bool) -> str:
    """The questions of a person, asked again.

    Args:
        case: The photo and the model.
        attributions: What is stated.
        here: Whether it was made with these versions, on this processor: else rounding moves shares.
    """
    for number, stated in enumerate(attributions, 1):
        name = f"attributions/{number}.parquet"
        with named(name):
            found = asked_again(case, stated)
        room = 0.0 if here or stated.through == "overlap" else ROOM
        if not room or len(stated) != len(found):
            off = first_cell(stated, found)
        else:
            found = in_order_of(stated, found)
            off = first_cell(stated, found, room) or disorder(stated) or sums(stated, found, room)
        if off:
            raise Difference(f"{name}, {off}")
        check_circumstances(name, stated.about, found.about, room)
    return f"{len(attributions)} asked again"


@contextmanager
def named(name: str) -> Iterator[None]:
    """Errors of a question that cannot be asked at all, as a difference of the file that states it."""
    try:
        yield
    except KtvizError as error:
        raise Difference(f"{name}: {error.asked}: {error.found}") from None


def first_cell(stated: Result, found: Result, room: float = 0.0) -> str:
    """Where the rows of two results differ first, in words; empty where they are equal.

    Fractions may differ by `room`, relative to what is above 1.
    """
    one, other = (result.to_arrow().replace_schema_metadata(None) for result in (stated, found))
    if not one.schema.equals(other.schema):
        return "it has other columns"
    if len(one) != len(other):
        return f"{len(one)} rows, should have {len(other)}"
    for column, mine, true in ((n, *(as_array(t[n].to_pandas()) for t in (one, other))) for n in one.column_names):
        scale = np.maximum(1, np.abs(np.nan_to_num(true))) if room and true.dtype.kind == "f" else None
        row = first_row(mine, true) if scale is None else first_row(mine / scale, true / scale, room)
        if row is not None:
            return f"row {row}: {column} {mine[row]}, should be {true[row]}"
    return ""


def in_order_of(stated: Attribution, found: Attribution) -> Attribution:
    """What was found, in the order of the rows that are stated: those with nearly the same share may change places."""
    place = {unit: row for row, unit in enumerate(stated.frame[stated.by])}
    rows = np.argsort([place.get(unit, len(place)) for unit in found.frame[found.by]], kind="stable")
    return replace(found, frame=found.frame.iloc[rows].reset_index(drop=True))


def disorder(stated: Attribution) -> str:
    """Where a larger share comes after a smaller one, in words; empty where none does."""
    share = np.nan_to_num(stated.frame["share"].to_numpy(), nan=-np.inf)
    rows = np.flatnonzero(share[1:] > share[:-1])
    return f"row {rows[0] + 1}: a larger share than the row before" if len(rows) else ""


def sums(stated: Attribution, found: Attribution, room: float) -> str:
    """Where shares add up to something else, in all or of one source, in words: rows that each move a little, all the
    same way, would move much."""
    one, other = (result.frame for result in (stated, found))
    groups = [np.zeros(len(one)), *([one["source"].to_numpy()] if "source" in one.columns else [])]
    for group in groups:
        mine, true = (frame["share"].fillna(0.0).groupby(group).sum() for frame in (one, other))
        if np.any(off := (mine - true).abs() > room):
            return f"shares add up to {mine[off].iloc[0]:.4f}, should be {true[off].iloc[0]:.4f}"
    return ""


def check_circumstances(name: str, stated: Mapping[str, Any], found: Mapping[str, Any], room: float) -> None:
    """Raise Difference at the first thing said of an attribution that is not what is found."""
    one, other = (json.loads(as_json(about)) for about in (stated, found))
    for part in sorted({*one, *other}):
        if (part in one) != (part in other) or not near(one[part], other[part], room):
            raise Difference(f"{name}: its {part} is not what is found when it is asked again")


def near(one: Any, other: Any, room: float) -> bool:
    """Whether two values of JSON are equal, down to their last parts. Fractions may differ as in `first_cell`."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(near(one[name], other[name], room) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(near(*pair, room) for pair in zip(one, other, strict=True))
    if room and isinstance(one, float) and isinstance(other, float):
        return abs(one - other) <= room * max(1, abs(other))
    return as_json({"": one}) == as_json({"": other})


def write_asked(folder: Path, evidence: Evidence) -> None:
    """Write what was asked, and what was found, into the folder of an audit; tables for spreadsheets beside it."""
    for number, attribution in enumerate(evidence.attributions, 1):
        attribution.save(in_folder(folder, f"attributions/{number}.parquet"))
        write_csv(in_folder(folder, f"attributions/{number}.csv"), attribution.frame)
    for number, (after, comparison) in enumerate(zip(evidence.compared, comparisons_of(evidence), strict=True), 1):
        comparison.save(in_folder(folder, f"comparisons/{number}.parquet"))
        write_csv(in_folder(folder, f"comparisons/{number}.csv"), comparison.new_winners)
        after.save(in_folder(folder, f"comparisons/{number}-trace.parquet"), pictures="none")


def asked_files(evidence: Evidence) -> set[str]:
    """The files that `write_asked` writes."""
    names = {f"attributions/{n + 1}.{end}" for n in range(len(evidence.attributions)) for end in ("parquet", "csv")}
    ends = (".parquet", ".csv", "-trace.parquet")
    return names | {f"comparisons/{n + 1}{end}" for n in range(len(evidence.compared)) for end in ends}


def asked_numbers(files: Iterable[str]) -> tuple[range, range]:
    """The numbers of the attributions and of the comparisons in a folder with these files."""
    ends = [
        sum(bool(re.fullmatch(rf"{kind}/\d+\.parquet", n)) for n in files) for kind in ("attributions", "comparisons")
    ]
    return range(1, ends[0] + 1), range(1, ends[1] + 1)
