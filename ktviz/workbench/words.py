"""What a bench found, in words: the tables that people read, and what their numbers mean."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ktviz.figures.layout import percent
from ktviz.memory import as_text
from ktviz.printing import counted
from ktviz.workbench.measures import METHOD

if TYPE_CHECKING:
    from ktviz.workbench.result import Bench

NOTHING = "\N{EN DASH}"
COLUMNS: Mapping[str, str] = {
    "system": "",
    "retrieval": "how candidates are used: the winner alone (hard), mixed (soft), mixed and taken away (signed)",
    "origin known": "how much of where the output comes from is recorded",
    "input's own": "how much of the output is of the input itself, which is no knowledge: it is left out, and origins, "
    "places and agreement are of the rest",
    "places": "in how many cells of the reference the origin of a cell of the output lies: exponential of the entropy, "
    "median of the cells",
    "made ready": "time that is taken once: by its networks, and what it makes of the reference",
    "time": "of a run, median",
    "recorded": "the same, with recording",
    "memory": "what a run takes at most beyond what the process holds",
    "left out": "how many units have a share in the region, and how many runs were made without some of them",
    "LDS": f"linear datamodelling score of {METHOD}: rank correlation, over random halves that were really left out, "
    "of the shares that were kept with how near the region stayed, in pixels; 1 is best; behind it, random shares",
    "deletion": "area under the curve of what is left of what the knowledge changed, largest shares taken away first; "
    "lower is better; behind it, random shares",
    "insertion": "the same, largest shares added first; higher is better",
    "trust": "the method that best tells what becomes of the region, if random shares hardly do as well",
}
"""Columns of the table of systems, and what they mean."""
PAIRS: Mapping[str, str] = {
    "systems": "",
    "above chance": "0%: no more than chance; 100%: as far as can be known; a dash: chance alone agrees that far, "
    "or nothing is known of one",
    "agreement": "what the origins of a cell have in common, mean of the cells",
    "chance": "the same if the cells of one output were put in any order, mean of all orders",
    "at most": "how much is known of both",
    "in the region": "above chance, of the cells that the region reaches into alone; chance is of cells from anywhere",
}


def systems(found: Bench) -> tuple[dict[str, str], list[list[str]]]:
    """The table of systems that took part: its columns with what they mean, without those of which nothing is known."""
    rows = [in_words(stand.row) for stand in found.there]
    told = [any(cell != NOTHING for cell in column) for column in zip(*rows, strict=True)]
    columns = {name: meaning for (name, meaning), there in zip(COLUMNS.items(), told, strict=True) if there}
    return columns, [[cell for cell, there in zip(row, told, strict=True) if there] for row in rows]


def origins(row: Mapping[str, Any]) -> str:
    """What a row of `Bench.frame` says below a map of origins."""
    known, places = said(row["known"], percent), said(row["places"], "{:.1f}".format)
    found = f"{known} known \N{MIDDLE DOT} {places} places behind a cell"
    return f"{said(row['own'], percent)} is the input's own; of the rest {found}" if row["own"] else found


def in_words(row: Mapping[str, Any]) -> list[str]:
    """A row of `Bench.frame` for people."""
    causal = "" if row["causal"] else ", not the cause"
    return [
        str(row["system"]),
        f"{row['retrieval']}{causal}",
        said(row.get("known"), percent),
        said(row.get("own") or None, percent),
        said(row.get("places"), "{:.1f}".format),
        said(row.get("seconds_prepared"), duration),
        said(row.get("seconds"), duration),
        said(row.get("seconds_recorded"), duration),
        said(row.get("memory_bytes"), as_text),
        left_out(row),
        beside(row, "lds"),
        beside(row, "deletion"),
        beside(row, "insertion"),
        str(row.get("trusted") or NOTHING),
    ]


def left_out(row: Mapping[str, Any]) -> str:
    """Units and runs of the test of faithfulness."""
    return NOTHING if "units" not in row else f"{counted(row['units'], 'unit')}, {counted(row['runs'], 'run')}"


def beside(row: Mapping[str, Any], score: str) -> str:
    """A score, and that of the random control."""
    return f"{said(row.get(score), number)} ({said(row.get(f'{score}_random'), number)})" if score in row else NOTHING


def pairs(found: Bench) -> tuple[Mapping[str, str], list[list[str]]]:
    """The table of pairs: its columns with what they mean."""
    numbers = ("above_chance", "agreement", "chance", "most", "region_above_chance")
    rows = found.agreement.to_dict("records")
    return PAIRS, [[f"{row['one']}, {row['other']}", *(said(row[name], percent) for name in numbers)] for row in rows]


def away(found: Bench) -> list[tuple[str, str]]:
    """Systems that could not take part, and why."""
    return [(one.name, one.why.removeprefix(f"{one.name} ")) for one in found.stands if one.trace is None]


def said(value: Any, how: Any) -> str:
    """A number in words; a dash for none."""
    return NOTHING if value is None or not math.isfinite(value) else str(how(value))


def number(value: float) -> str:
    """A score with two digits."""
    return f"{value:.2f}".replace("-0.00", "0.00")


def duration(seconds: float) -> str:
    """A time with two digits that count."""
    return f"{1e3 * seconds:.0f} ms" if seconds < 1 else f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"


def markdown(found: Bench) -> str:
    """All tables, as Markdown."""
    parts = [f"# {found.title}", f"{found.headline()}.", *table(*systems(found))]
    if len(found.agreement):
        parts += ["## Agreement of provenance", *table(*pairs(found))]
    if gone := away(found):
        parts += ["## Who could not take part", "\n".join(f"- {name}: {why}" for name, why in gone)]
    if remarks := [f"- {stand.name}: {remark}" for stand in found.there for remark in stand.remarks]:
        parts += ["## What cannot be told", "\n".join(remarks)]
    return "\n\n".join([*parts, f"{circumstances(found)}."]) + "\n"


def table(columns: Mapping[str, str], rows: Sequence[Sequence[str]]) -> tuple[str, str]:
    """A table in Markdown, and what its columns mean."""
    lines = [[*columns], ["---"] * len(columns), *rows]
    drawn = ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]
    meanings = [f"- *{name}*: {meaning}." for name, meaning in columns.items() if meaning]
    return "\n".join(drawn), "\n".join(meanings)


def circumstances(found: Bench) -> str:
    """How it was asked, in a sentence without an end."""
    about = found.about
    x, y, width, height = about["region"]
    parts = [f"Outputs and sources in {about['cells']}x{about['cells']} cells"]
    parts.append(f"the region is {width:g}x{height:g} px at ({x:g}, {y:g})")
    if about["runs"]:
        ninths = "ninths of the reference, and each as one what lies nowhere in it, such as labels"
        what = ninths if about["by"] == "part" else "sources"
        parts.append(
            f"faithfulness of {METHOD} in the region, by {what}, "
            f"{about['runs']} random halves and each alone left out, seed {about['seed']}"
        )
    if about["repeats"]:
        parts.append(f"times by the median of {about['repeats']}, all systems in turns in one process")
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    return "; ".join([*parts, f"made {about['made']} with {versions} on {about['processor']}"])
