"""Regret: what the search's shortcut cost, by the exact best entry."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from ktviz.errors import SettingError
from ktviz.explain.case import case_of
from ktviz.explain.result import one_site
from ktviz.images import Pixels
from ktviz.trace.schema import REGRET
from ktviz.trace.trace import Trace
from ktviz.values import whole

COHERENT = "coherent"
"""What systems call the column of winners that were chosen because they continue a neighbour's source."""


def regret(trace: Trace, sample: int | None, seed: int, model: object | None, photo: Pixels | None) -> pd.DataFrame:
    """See `Trace.regret`."""
    trace = one_site(trace)
    case = case_of(trace, "oracle", model=model, photo=photo)
    rows = sampled(len(trace), sample, seed)
    best = case.system.oracle(case.trace, rows)
    found = regret_table(trace, rows, best.winner.numpy(), best.winner_similarity.numpy())
    return found.sort_values("regret", ascending=False, kind="stable", ignore_index=True)


def sampled(count: int, sample: int | None, seed: int) -> npt.NDArray[np.int64]:
    """Places of some of `count` retrievals, in order; all if `sample` is None or no less."""
    if sample is not None and whole("sample", sample) < 1:
        raise SettingError(
            f"a sample of {sample}", "fewer than one retrieval", "Give a positive number, or None for all"
        )
    if sample is None or sample >= count:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).choice(count, sample, replace=False))


def coherent(trace: Trace) -> npt.NDArray[np.bool_]:
    """Which winners were chosen because they continue a neighbour's source: (retrievals,)."""
    return trace.column(COHERENT).astype(bool) if trace.has(COHERENT) else np.zeros(len(trace), dtype=bool)


def regret_table(
    trace: Trace, rows: npt.NDArray[np.int64], entry: npt.NDArray[Any], similarity: npt.NDArray[Any]
) -> pd.DataFrame:
    """Some retrievals beside the best entry of all, and its similarity: what the search gave up."""
    found = pd.DataFrame(
        {
            "query": trace.column("query")[rows],
            "box": list(trace.column("box")[rows]),
            "entry": trace.column("entry")[rows],
            "similarity": trace.column("similarity")[rows],
            "exact_entry": entry,
            "exact_similarity": similarity,
            "coherent": coherent(trace)[rows],
        }
    )
    # A trace made on another processor may claim a rounding more than the best there is.
    return found.assign(regret=(found["exact_similarity"] - found["similarity"]).clip(lower=0))


def with_regret(trace: Trace, model: object | None, photo: Pixels | None) -> Trace:
    """See `Trace.with_regret`."""
    found = [regret(part, None, 0, model, photo).assign(site=part.sites[0]) for part in searching(trace)]
    known = pd.concat(found).set_index(["site", "query"])
    rows = pd.MultiIndex.from_arrays([trace.column(name, winners=False) for name in ("site", "query")])
    table = trace.table
    for name, kind in REGRET.items():
        place = table.schema.get_field_index(name)
        if place >= 0:
            table = table.remove_column(place)
        column = pa.array(known[name].reindex(rows), from_pandas=True).cast(kind)
        table = table.append_column(pa.field(name, kind), column)
    return trace.with_table(ordered(table))


def searching(trace: Trace) -> list[Trace]:
    """The sites of a trace that search; where none does, the one that is meant, for the error that says so."""
    sites = [trace.site(name) for name in trace.sites]
    return [site for site in sites if site.site_about["searched"]] or [one_site(trace)]


def ordered(table: pa.Table) -> pa.Table:
    """The columns in the order of the schema: extensions come last."""
    extensions = [name for name in table.column_names if "." in name]
    return table.select([name for name in table.column_names if "." not in name] + extensions)
