"""What an audit finds: tables and pictures that follow from the evidence by arithmetic alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ktviz.audit.asked import region_of
from ktviz.audit.evidence import Evidence, counterfactual_names
from ktviz.audit.rivals import per_piece
from ktviz.explain.counterfactual import compare
from ktviz.explain.pieces import pieces, pieces_mask
from ktviz.explain.regret import regret_table
from ktviz.images import Pixels
from ktviz.library.format import is_bank_name
from ktviz.regions import Mask
from ktviz.systems.plain import PlainSystem
from ktviz.systems.registry import names, system_class
from ktviz.trace.groups import GROUPS, Group, group_of
from ktviz.trace.pictures import INPUT, OUTPUT
from ktviz.trace.shares import with_cause
from ktviz.trace.trace import Trace

EDGES = ("x", "y", "width", "height")
SERVED = {"site": "str", "source": "str", "share": "float64", "retrievals": "int64"}
"""Columns of the table `served`."""


def tables_of(evidence: Evidence) -> dict[str, pd.DataFrame]:
    """All tables of an audit."""
    return {
        **derived_tables(evidence.trace),
        "served": served(evidence),
        "pieces": with_cause(evidence.trace, pieces_with_rivals(evidence)),
        "rivals": evidence.rivals,
        "copies": evidence.copies,
        "counterfactuals": with_cause(evidence.trace, counterfactuals(evidence)),
        "regret": regrets(evidence),
    }


def served(evidence: Evidence) -> pd.DataFrame:
    """Shares of the sources at the sites that painted nothing, and served the one that did."""
    recording, painted = evidence.recording, evidence.trace.sites
    none = pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in SERVED.items()})
    tables = [none]
    for name in recording.sites:
        if name not in painted:
            shares = recording.site(name).sources().query("share != 0")
            tables.append(shares.assign(site=name)[[*SERVED]])
    return pd.concat(tables[1:] or tables, ignore_index=True)


def derived_tables(trace: Trace) -> dict[str, pd.DataFrame]:
    """What follows from the trace alone: sources, creators, licences, banks, years, boxes."""
    grouped = {f"{by}s": roll_up(trace, by) for by in GROUPS}
    found = {"sources": trace.sources(), **grouped, "boxes": boxes(trace)}
    return {name: with_cause(trace, table) for name, table in found.items()}


def pictures_of(evidence: Evidence) -> dict[str, Pixels]:
    """All pictures of an audit: input, output, pieces, copies, one without each of the largest sources, and those that
    belong to what a person asked."""
    trace = evidence.trace
    photo, output = shown(trace.input), shown(trace.output)
    names = counterfactual_names(evidence)
    others = {names[source]: shown(after.output) for source, after in evidence.without.items()}
    marked = {"pieces": pale_outside(pieces_mask(trace), output), "copies": pale_outside(copies_mask(evidence), output)}
    asked = {
        f"attribution-{number}": pale_outside(region_of(one), output)
        for number, one in enumerate(evidence.attributions, 1)
    }
    compared = {f"comparison-{number}": shown(after.output) for number, after in enumerate(evidence.compared, 1)}
    return {"input": photo, "output": output, **knowledge(trace), **marked, **others, **asked, **compared}


def knowledge(trace: Trace) -> dict[str, Pixels]:
    """Canvases that a run was made with besides its photo, such as references, by the names of their files."""
    held = trace.picture.canvases
    return {file: held[canvas] for canvas, file in knowledge_files(trace).items() if canvas in held}


def knowledge_files(trace: Trace) -> dict[str, str]:
    """By name of each such canvas, that of its file."""
    mine = {trace.site_about["canvas"], INPUT}
    names = [name for name in trace.picture.about["canvases"] if name not in mine and not name.startswith(OUTPUT)]
    return {name: name.replace(":", "-") for name in names}


def given_sources(trace: Trace) -> list[Mapping[str, Any]]:
    """Sources that are in no library, but were given as pictures: these are proved, what is said of them is stated."""
    return [source for source in trace.about["sources"] if "pixels" in source and not is_bank_name(source["bank"])]


def given_files(trace: Trace) -> list[Mapping[str, Any]]:
    """Files that a run was asked with, but took nothing from: of these, too, name and digest are only stated."""
    known = {source["source"] for source in trace.about["sources"]}
    asked = [value for value in trace.picture.settings.values() if isinstance(value, Mapping) and "sha256" in value]
    return [file for file in asked if file["source"] not in known]


def stated_settings(trace: Trace) -> Mapping[str, Any]:
    """Settings that the run need not show, by name: what is left out would perhaps not have been used anyway; and what
    a system says that is known here."""
    known, settings = system_class(trace.system) if trace.system in names() else PlainSystem, trace.picture.settings
    stated = getattr(known, "only_stated", PlainSystem.only_stated)(settings)
    return {**stated, "without": settings["without"]} if settings.get("without") else stated


def shown(pixels: Pixels | None) -> Pixels:
    """A picture that evidence always holds."""
    assert pixels is not None
    return pixels


def roll_up(trace: Trace, by: Group) -> pd.DataFrame:
    """Shares by creator, licence, bank or year, largest first; what is unknown is one row of its own."""
    known = {source["source"]: group_of(source, by) for source in trace.about["sources"]}
    sources = trace.sources()
    groups = sources.assign(**{by: sources["source"].map(known)}).groupby(by, sort=True)
    table = groups.agg(
        share=("share", "sum"),
        retrievals=("retrievals", "sum"),
        sources=("retrievals", lambda n: int((n > 0).sum())),
    ).reset_index()
    return table.sort_values(["share", by], ascending=[False, True], kind="stable", ignore_index=True)


def boxes(trace: Trace) -> pd.DataFrame:
    """Where every retrieval's winner is from, and where it went; px of the output and of the original source."""
    table = pd.DataFrame({"query": trace.column("query"), "source": trace.column("source")})
    for prefix, name in (("", "box"), ("source_", "source_box")):
        values = trace.column(name)
        for number, edge in enumerate(EDGES):
            table[f"{prefix}{edge}"] = values[:, number]
    table["overlap"] = trace.overlap()
    table["similarity"] = trace.column("similarity")
    table["entry"] = trace.column("entry")
    return table


def counterfactuals(evidence: Evidence) -> pd.DataFrame:
    """What changes without each of the largest sources."""
    rows = []
    for source, share, after in zip(evidence.without, largest_shares(evidence), evidence.without.values(), strict=True):
        comparison = compare(evidence.trace, after)
        successors = comparison.new_winners
        rows.append(
            {
                "source": source,
                "share": share,
                "changed_share": comparison.changed_share,
                "mean_change": comparison.mean_change,
                "new_winners": len(comparison),
                "taken_over_by": successors["source_after"].iloc[0] if len(successors) else "",
                "picture": f"pictures/{counterfactual_names(evidence)[source]}.png",
            }
        )
    columns = ["source", "share", "changed_share", "mean_change", "new_winners", "taken_over_by", "picture"]
    return pd.DataFrame(rows, columns=columns)


def largest_shares(evidence: Evidence) -> list[float]:
    """Shares of the sources that were left out."""
    shares = evidence.trace.sources().set_index("source")["share"]
    return [float(shares[source]) for source in evidence.without]


def regrets(evidence: Evidence) -> pd.DataFrame:
    """A sample of retrievals beside the best entry of all."""
    query, best = evidence.trace.column("query"), evidence.exact
    rows = np.searchsorted(query, best["query"])
    table = regret_table(evidence.trace, rows, best["exact_entry"].to_numpy(), best["exact_similarity"].to_numpy())
    return table.drop(columns="box")


def pieces_with_rivals(evidence: Evidence) -> pd.DataFrame:
    """The pieces, with how many other works would have done, by the median of a sample; NaN beyond the largest."""
    table = pieces(evidence.trace)
    known = per_piece(evidence.trace, evidence.rivals)
    table.insert(3, "rivals", np.array(known + [np.nan] * (len(table) - len(known)), dtype=np.float64))
    return table


def copies_mask(evidence: Evidence) -> Mask:
    """The boxes of all copies in the output: (H, W)."""
    mask = np.zeros(evidence.trace.picture.size, dtype=bool)
    found = evidence.copies[evidence.copies["picture"] == "output"]
    for x, y, width, height in found[list(EDGES)].astype(int).to_numpy().tolist():
        mask[max(0, y) : y + height, max(0, x) : x + width] = True
    return mask


def pale_outside(mask: Mask, output: Pixels) -> Pixels:
    """The output, pale where a mask is not."""
    pale = 255 - (255 - output.astype(np.float64)) * 0.25
    return np.where(mask[..., None], output, pale.round()).astype(np.uint8)


def headline(regrets: pd.DataFrame) -> Sequence[tuple[str, str]]:
    """What the index cost, and what coherence gave up on purpose, in words and numbers."""
    if regrets.empty:
        return (("retrievals compared", "0"),)
    best = (regrets["entry"] == regrets["exact_entry"]) | (regrets["regret"] <= 1e-6)
    mine = regrets[~regrets["coherent"]]
    kept = regrets["similarity"].astype(float).sum() / regrets["exact_similarity"].astype(float).sum()
    return (
        ("retrievals compared", f"{len(regrets):,}"),
        ("the winner is the best entry of all", f"{best.mean():.1%}"),
        ("similarity kept, of the best there was", f"{kept:.1%}"),
        ("the search alone found the best", f"{best[mine.index].mean():.1%}" if len(mine) else "none compared"),
        ("regret, mean", f"{mine['regret'].mean():.4f}" if len(mine) else ""),
        ("regret, largest", f"{mine['regret'].max():.4f}" if len(mine) else ""),
        ("gave similarity up to continue a neighbour", f"{regrets['coherent'].mean():.1%}"),
    )
