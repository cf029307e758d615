"""Whether a translation that was recorded is the one that is made again.

Where it was made with the versions and on the processor at hand, nothing may differ. Elsewhere networks round
differently (docs/exactness.md), and that much is allowed: every column must still follow from the entry that is
recorded, and an entry may be another one only where both are equally good.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from math import isclose, isfinite
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ktviz.audit.asked import named
from ktviz.audit.copies import COLUMNS as COPIES
from ktviz.audit.copies import copies
from ktviz.audit.differences import LEVELS, MOST_PIXELS, compare_pixels, first_difference
from ktviz.audit.evidence import Evidence, Parameters, best_of_all, largest_sources, only_winners, with_servants
from ktviz.audit.findings import shown
from ktviz.audit.rivals import NEAR, rivals
from ktviz.errors import Difference
from ktviz.explain.case import Case
from ktviz.explain.result import check_paints, one_site
from ktviz.images import Pixels, pixel_digest
from ktviz.library.banks import Banks
from ktviz.printing import counted
from ktviz.trace.about import FORMERLY
from ktviz.trace.parquet import as_json
from ktviz.trace.pictures import OUTPUT, Picture
from ktviz.trace.rows import equal, first_row
from ktviz.trace.schema import UNLISTED
from ktviz.trace.storage import VOLATILE
from ktviz.trace.trace import Trace

SIMILARITY = 1e-5
"""What a similarity may differ by (docs/exactness.md)."""
MEASURES = 1e-3
"""Part by which a measure may differ where features round differently."""
LONGEST = 200
"""Letters in the name of a version, a device or a processor."""
COPY_ROOM = dict.fromkeys(("x", "y", "width", "height"), 8.0) | {
    "source_x": 32.0,
    "source_y": 32.0,
    "source_width": 32.0,
    "source_height": 32.0,
    "area": 0.01,
    "correlation": 0.02,
    "scale": 0.05,
    "turned": 2.0,
}
"""By how much a copy may lie otherwise where another version or processor has compared the pictures."""
PARTS = ("area", "correlation")
"""Of these, which no rounding takes beyond 1."""
MOST_DOUBT = 0.01
"""Part of a picture whose winners may be other ones, because of rounding."""


def check_run(name: str, case: Case, recorded: Trace, without: Sequence[str] = ()) -> str:
    """Make the run again and compare.

    Args:
        name: What the error calls the file of the trace.
        case: The audited trace and its system.
        recorded: What is to be compared, with its output.
        without: What it was made without, beside what the audited trace was.

    Returns:
        A remark on how well they agree.

    Raises:
        Difference: The first.
    """
    painted = one_site(recorded)
    check_paints(painted, f"verify {name}")
    again = with_servants(case.system.rerun(case.trace, without=without).site(*painted.sites))
    if again.sites != recorded.sites:
        found, known = (", ".join(one.sites) for one in (recorded, again))
        raise Difference(f"{name}: its sites are {found}; the run has {known}")
    again = only_winners(again) if recorded.thinned else again
    rounded = made_elsewhere(recorded.about, again.about)
    check_about(name, recorded, again, rounded, case.system.banks)
    found = first_difference(recorded, again)
    if not found and (not rounded or alike(recorded.picture.measures, again.picture.measures)):
        return f"{check_output(name, recorded, again.output, rounded)}; {counted(len(again), 'retrieval')} identical"
    if not rounded:
        check_output(name, recorded, again.output, rounded)
        raise Difference(f"{name}, {found}")
    share = max(doubtful_share(name, case, recorded.site(site), again.site(site)) for site in recorded.sites)
    if share > MOST_DOUBT:
        raise Difference(f"{name}: other winners for {share:.1%} of the picture; rounding explains {MOST_DOUBT:.0%}")
    seen = check_output(name, recorded, case.system.repaint(recorded, again), rounded)
    made = f"compared up to rounding: it says it was made on {recorded.about['device']!r}, by other versions or kernels"
    other = max(other_share(recorded.site(site), again.site(site)) for site in recorded.sites)
    rows = (
        f"{counted(len(again), 'retrieval')} equal up to rounding; close calls could move {share:.3%} of the picture, "
        f"and with what follows from them {other:.3%} has other winners than here"
    )
    return f"{seen}; {rows}; {made}"


def check_output(name: str, recorded: Trace, found: Pixels | None, rounded: bool) -> str:
    """Raise Difference unless an output is the one that is found; a remark on how near they are."""
    return compare_pixels(
        f"the output of {name}", shown(recorded.output), shown(found), LEVELS if rounded else 0, MOST_PIXELS
    )


def doubtful_share(name: str, case: Case, recorded: Trace, again: Trace) -> float:
    """The part of a picture for which a site has other winners, because of rounding."""
    return float(recorded.overlap()[case.system.check_rounded(name, recorded, again)].sum())


def other_share(recorded: Trace, again: Trace) -> float:
    """The part of a picture for which a site has other winners than here."""
    return float(recorded.overlap()[recorded.column("entry") != again.column("entry")].sum())


def made_elsewhere(about: Mapping[str, Any], here: Mapping[str, Any]) -> bool:
    """Whether something was made with other versions, on another device or processor."""
    return any(about.get(name) != here[name] for name in ("versions", "device", "processor"))


def check_about(name: str, recorded: Trace, again: Trace, rounded: bool, banks: Banks[Any] | None) -> None:
    """Raise Difference unless a trace says of itself what is found, and of where it was made what can be."""
    mine, found = dict(recorded.about), dict(again.about)
    check_made(name, {part: mine.get(part) for part in VOLATILE}, {part: found[part] for part in VOLATILE})
    check_held(name, recorded.picture)
    stated, true = dict(recorded.picture.about), dict(again.picture.about)
    canvases = stated.pop("canvases"), true.pop("canvases")
    if rounded:
        canvases = canvases[0], painted_elsewhere(*canvases)
        if same_names(stated.get("measures"), true["measures"]):
            true["measures"] = stated["measures"]  # what rounding makes of them the system knows: see `check_run`
    if rounded and found.get(UNLISTED) and banks is not None:
        check_listed(name, mine, found, banks)
        mine, found = ({**about, "sources": None, UNLISTED: None} for about in (mine, found))
    steady = [{part: value for part, value in about.items() if part not in VOLATILE} for about in (mine, found)]
    for one, other in (steady, (stated, true), canvases):
        for part in sorted({*one, *other}):
            if (part in one) != (part in other) or as_json({part: one.get(part)}) != as_json({part: other.get(part)}):
                raise Difference(f"{name}: its {part} is not what the model and the library say")


def check_listed(name: str, stated: Mapping[str, Any], found: Mapping[str, Any], banks: Banks[Any]) -> None:
    """Raise Difference unless a trace says of the sources that it lists what banks say, and how many more there are.

    Which candidates the last ones are, and so which sources are listed, rounding may decide.
    """
    known = banks.describe_sources()
    for source in stated["sources"]:
        number = banks.source_numbers.get(source["source"])
        if number is None or as_json(source) != as_json(known[number]):
            raise Difference(f"{name}: its sources are not what the model and the library say")
    if counts_of(stated) != counts_of(found):
        raise Difference(f"{name}: its {UNLISTED} is not what the model and the library say")


def counts_of(about: Mapping[str, Any]) -> Counter[str]:
    """How many sources each bank has, those that are not listed among them."""
    return Counter(source["bank"] for source in about["sources"]) + Counter(about.get(UNLISTED))


def check_held(name: str, picture: Picture) -> None:
    """Raise Difference unless the pictures beside a trace are those that it speaks of: a run does not read all of them,
    so that making it again does not tell."""
    for canvas, pixels in picture.canvases.items():
        if picture.sha256(canvas) != pixel_digest(pixels):
            raise Difference(f"{name}: its {canvas} is another picture than the one beside it")


def painted_elsewhere(stated: Mapping[str, Any], true: Mapping[str, Any]) -> dict[str, Any]:
    """What should be said of canvases: outputs have the digests that are stated, if these are digests, as rounding
    gives them other pixels; all else, also which ones there are, is what is found."""
    found = dict(true)
    for canvas in found:
        digest = stated[canvas].get("sha256") if canvas.startswith(OUTPUT) and canvas in stated else None
        if isinstance(digest, str) and re.fullmatch("[0-9a-f]{64}", digest):
            found[canvas] = {**found[canvas], "sha256": digest}
    return found


def alike(one: object, other: object) -> bool:
    """Whether two measures, or mappings of them, are the same up to rounding."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(alike(one[name], other[name]) for name in one)
    near = isinstance(one, float) and isinstance(other, float) and isclose(one, other, rel_tol=MEASURES)
    return near or one == other


def same_names(one: object, other: object) -> bool:
    """Whether two mappings have measures of the same names, all of them numbers."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same_names(one[name], other[name]) for name in one)
    return isinstance(one, float) and isinstance(other, float) and isfinite(one)


def check_made(name: str, stated: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    """Raise Difference unless what is said of where and when something was made is short and of the right kind."""
    for part, example in known.items():
        value = stated.get(part)
        if isinstance(example, Mapping):
            if not isinstance(value, Mapping) or {*value} not in ({*example}, formerly(example)):
                raise Difference(f"{name}: {part} does not name {', '.join(sorted(example))}")
            check_made(f"{name}, {part}", value, dict.fromkeys(value, ""))
        elif type(value) is not type(example) or not plain(str(value)):
            raise Difference(f"{name}: {part} is not of the right kind")


def formerly(names: Iterable[str]) -> set[str]:
    """What versions were called when other packages did the same."""
    return {FORMERLY.get(name, name) for name in names}


def plain(text: str) -> bool:
    """Whether a text is short, and can be told from every other by reading it."""
    return len(text) <= LONGEST and text.isprintable() and text == " ".join(text.split())


def check_without(case: Case, evidence: Evidence, names: Mapping[str, str], top: int) -> str:
    """The runs without the largest sources, made again."""
    known = largest_sources(case, top)
    if list(evidence.without) != known:
        raise Difference(f"tables/counterfactuals: of {', '.join(evidence.without) or 'nothing'}, should be of {known}")
    remarks = []
    for source, after in evidence.without.items():
        remarks.append(check_run(f"counterfactuals/{names[source]}.parquet", case, after, [source]))
    return "; ".join((f"{counted(len(known), 'translation')} without a source", *dict.fromkeys(remarks)))


def check_compared(case: Case, compared: Sequence[Trace]) -> str:
    """The translations with which a person compared this one, made again."""
    remarks = []
    for number, after in enumerate(compared, 1):
        other = replace(case, trace=case.trace.with_settings(after.picture.settings))
        name = f"comparisons/{number}-trace.parquet"
        with named(name):
            remarks.append(check_run(name, other, after))
    return "; ".join((f"{counted(len(compared), 'translation')} made again", *dict.fromkeys(remarks)))


def check_pieces(case: Case, evidence: Evidence, here: bool) -> str:
    """The works that would have done in the place of pieces, counted again.

    Args:
        case: The photo and the model.
        evidence: What is stated.
        here: Whether it was made with these versions, on this processor: else rounding decides close calls.
    """
    room = 0.0 if here else 2 * SIMILARITY
    stated = evidence.rivals
    low, high = (rivals(case, NEAR + more) for more in (-room, room))
    if not np.array_equal(stated["query"], low["query"]):
        raise Difference("tables/rivals: not of the retrievals that pieces are made of")
    check_types("tables/rivals", stated, low)
    wrong = ~stated["rivals"].between(low["rivals"], high["rivals"])
    for row in np.flatnonzero(wrong):
        raise Difference(f"tables/rivals, row {row}: {stated['rivals'][row]} works, should be {low['rivals'][row]}")
    return f"{counted(len(stated), 'retrieval')} compared with every work"


def check_types(name: str, stated: pd.DataFrame, true: pd.DataFrame) -> None:
    """Raise Difference unless a table has the columns that it should have, of the same types."""
    if stated.dtypes.to_dict() != true.dtypes.to_dict():
        raise Difference(f"{name} has other columns")


def check_copies(case: Case, evidence: Evidence, here: bool) -> str:
    """The pictures, compared with the works again."""
    stated, found = evidence.copies, copies(case)
    if len(stated) != len(found):
        raise Difference(f"tables/copies: {len(stated)} rows, should have {len(found)}")
    check_types("tables/copies", stated, found)
    for name in COPIES:
        known, new = stated[name].to_numpy(), found[name].to_numpy()
        if not here and name in COPY_ROOM:
            known, new = known.astype(float), new.astype(float)
        row = first_row(known, new, 0.0 if here else COPY_ROOM.get(name, 0.0))
        if row is None and name in PARTS:
            row = first_row(known, known.clip(0, 1))
        if row is not None:
            raise Difference(f"tables/copies, row {row}: {name} {stated[name][row]}, should be {found[name][row]}")
    return counted(len(found), "copy", "copies")


def check_exact(case: Case, evidence: Evidence, parameters: Parameters, here: bool) -> str:
    """The exact searches, made again."""
    found, known = best_of_all(case, parameters), evidence.exact
    if len(known) != len(found) or not np.array_equal(known["query"], found["query"]):
        raise Difference(f"tables/regret: {len(known)} retrievals, not the {len(found)} that the sample is made of")
    check_types("tables/regret", known, found)
    if here:
        wrong = ~np.all([equal(known[name].to_numpy(), found[name].to_numpy()) for name in found], axis=0)
    else:
        places, stated_entry = places_of(case.trace, known["query"]), known["exact_entry"].to_numpy()
        true = case.system.similarity_of(case.trace, places, stated_entry).numpy() if len(places) else np.empty(0)
        best, stated = (table["exact_similarity"].to_numpy() for table in (found, known))
        wrong = (np.abs(true - best) > SIMILARITY) | ~(np.abs(stated - best) <= SIMILARITY)
    for row in np.flatnonzero(wrong):
        raise Difference(
            f"tables/regret, row {row}: entry {known['exact_entry'][row]} at {known['exact_similarity'][row]:.6f}, "
            f"should be {found['exact_entry'][row]} at {found['exact_similarity'][row]:.6f}"
        )
    return counted(len(found), "exact search", "exact searches")


def places_of(trace: Trace, query: pd.Series) -> npt.NDArray[np.int64]:
    """The place among the winners of some queries."""
    places: npt.NDArray[np.int64] = np.searchsorted(trace.column("query"), query.to_numpy())
    return places
