"""What an audit finds: tables that follow from a trace alone, and those for which the photo is translated again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ktviz.audit.copied import copied_mask, copied_regions
from ktviz.errors import SettingError
from ktviz.explain.counterfactual import compare, without
from ktviz.images import Pixels
from ktviz.library.licences import UNKNOWN, in_short
from ktviz.library.union import BankUnion
from ktviz.trace.live import Live, regret
from ktviz.trace.trace import Trace

TOP, SAMPLE, SEED = 5, 500, 0
EDGES = ("x", "y", "width", "height")


@dataclass(frozen=True)
class Parameters:
    """What an audit does.

    Attributes:
        top: Sources without which the photo is translated again.
        sample: Retrievals that are compared with the exact search.
        seed: Of that sample.
    """

    top: int = TOP
    sample: int = SAMPLE
    seed: int = SEED

    def __post_init__(self) -> None:
        if self.top < 0 or self.sample < 1:
            raise SettingError(
                f"an audit with top={self.top}, sample={self.sample}", "too few", "Give top from 0 and sample from 1"
            )


def derived_tables(trace: Trace) -> dict[str, pd.DataFrame]:
    """What follows from a trace by arithmetic alone: sources, creators, licences, boxes, copied."""
    sources = trace.sources()
    return {
        "sources": sources,
        "creators": roll_up(sources, "creator"),
        "licences": roll_up(sources.assign(licence=sources["licence"].map(in_short)), "licence"),
        "boxes": boxes(trace),
        "copied": copied_regions(trace),
    }


def roll_up(sources: pd.DataFrame, by: str) -> pd.DataFrame:
    """Shares by creator or by licence, largest first; what is unknown is one row of its own."""
    named = sources.assign(**{by: sources[by].replace("", UNKNOWN)})
    groups = named.groupby(by, sort=True)
    table = groups.agg(
        share=("share", "sum"), patches=("patches", "sum"), sources=("patches", lambda p: int((p > 0).sum()))
    ).reset_index()
    return table.sort_values(["share", by], ascending=[False, True], kind="stable", ignore_index=True)


def boxes(trace: Trace) -> pd.DataFrame:
    """Where every retrieval's winner is from, and where it went; px of the output and of the original source."""
    table = pd.DataFrame({"query": trace.column("query"), "source": trace.column("source")})
    for prefix, name in (("", "box"), ("source_", "source_box")):
        values = trace.column(name)
        for number, edge in enumerate(EDGES):
            table[f"{prefix}{edge}"] = values[:, number]
    table["weight"] = trace.weights()
    table["similarity"] = trace.column("similarity")
    table["entry"] = trace.column("entry")
    return table


def rerun_tables(
    case: Live, sources: pd.DataFrame, parameters: Parameters
) -> tuple[dict[str, pd.DataFrame], dict[str, Pixels]]:
    """Counterfactuals without each of the top sources, and the regret of a sample; and the pictures made on the way."""
    pictures: dict[str, Pixels] = {}
    rows = []
    used = sources[sources["share"] > 0]
    replaceable = len(searched_sources(case.trace, case.banks)) > 1
    for number, name in enumerate(used["source"].head(parameters.top * replaceable), 1):
        comparison = compare(case.trace, without(case.trace, name, model=case.model, photo=case.pixels))
        picture = f"without-{number}-{slug(name)}"
        pictures[picture] = comparison.pictures["after"]
        successors = comparison.new_winners
        rows.append(
            {
                "source": name,
                "share": float(used["share"].iloc[number - 1]),
                "changed_share": comparison.changed_share,
                "mean_change": comparison.mean_change,
                "new_winners": len(comparison),
                "taken_over_by": successors["source_after"].iloc[0] if len(successors) else "",
                "picture": f"pictures/{picture}.png",
            }
        )
    columns = ["source", "share", "changed_share", "mean_change", "new_winners", "taken_over_by", "picture"]
    found = regret(case.trace, parameters.sample, parameters.seed, case.model, case.pixels)
    sampled = found.drop(columns="box").sort_values("query", ignore_index=True)
    return {"counterfactuals": pd.DataFrame(rows, columns=columns), "regret": sampled}, pictures


def searched_sources(trace: Trace, banks: BankUnion) -> list[str]:
    """Names of the sources of which at least one entry could have been taken."""
    excluded = banks.excluded(trace.picture.about["settings"]["without"])
    if excluded is None:
        return list(banks.source_names)
    left = banks.source_of((~excluded).nonzero()[:, 0]).unique().tolist()
    return [banks.source_names[number] for number in left]


def copied_picture(trace: Trace, output: Pixels) -> Pixels:
    """The output, pale where nothing was copied."""
    mask = copied_mask(trace)
    pale = 255 - (255 - output.astype(np.float64)) * 0.25
    return np.where(mask[..., None], output, pale.round()).astype(np.uint8)


def slug(name: str) -> str:
    """The last part of a source's name as a part of a file name."""
    return re.sub(r"[^a-z0-9]+", "-", name.rsplit("/", 1)[-1].rsplit(".", 1)[0].lower()).strip("-")[:40] or "source"


def headline(regrets: pd.DataFrame) -> Sequence[tuple[str, str]]:
    """What the index cost, in words and numbers."""
    mine = regrets[~regrets["continued"]]
    found = (mine["entry"] == mine["exact_entry"]) | (mine["regret"] <= 1e-6)
    return (
        ("retrievals compared", f"{len(regrets):,}"),
        ("search found the best entry", f"{found.mean():.1%}" if len(mine) else "none compared"),
        ("regret, mean", f"{mine['regret'].mean():.4f}" if len(mine) else ""),
        ("regret, largest", f"{mine['regret'].max():.4f}" if len(mine) else ""),
        ("gave similarity up to continue a neighbour", f"{regrets['continued'].mean():.1%}"),
    )
