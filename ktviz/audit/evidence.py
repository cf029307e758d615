"""Evidence: what only the model can make. Everything else in an audit follows from it, and is never believed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pyarrow as pa
import torch

from ktviz.audit.copies import copies
from ktviz.audit.rivals import rivals
from ktviz.errors import SettingError
from ktviz.explain.counterfactual import without as translated_without
from ktviz.library.kinds.patches.union import BankUnion
from ktviz.systems.kt.live import Live, exact, sampled
from ktviz.trace.trace import Trace
from ktviz.values import seed_of, whole

TOP, SAMPLE, SEED = 5, 500, 0


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
        seed_of("an audit's seed", self.seed)
        if whole("an audit's top", self.top) < 0 or whole("an audit's sample", self.sample) < 1:
            raise SettingError(
                f"an audit with top={self.top}, sample={self.sample}", "too few", "Give top from 0 and sample from 1"
            )


@dataclass(frozen=True, eq=False)
class Evidence:
    """What a model made of a photo.

    Attributes:
        trace: The translation, with photo and output.
        without: By name of each of the largest sources, the translation without it: winners and output.
        exact: The best entry of all for a sample of retrievals: query, exact_entry, exact_similarity.
        rivals: For a sample of the retrievals of each piece, how many other works would have done: query, rivals.
        copies: Where pixels agree with those of a work, as `copies` found them.
    """

    trace: Trace
    without: Mapping[str, Trace]
    exact: pd.DataFrame
    rivals: pd.DataFrame
    copies: pd.DataFrame


def gather(case: Live, parameters: Parameters) -> Evidence:
    """Have everything made that an audit needs."""
    trace = without_regret(case.trace).with_pictures(case.pixels, case.output)
    case = replace(case, trace=trace)
    names = largest_sources(trace, case.banks, parameters.top)
    without = {name: left_out(case, name) for name in names}
    return Evidence(trace, without, best_of_all(case, parameters), rivals(case), copies(trace, case.banks))


def without_regret(trace: Trace) -> Trace:
    """The trace without the columns that `with_regret` fills: an audit has a table for that."""
    table = trace.table
    for name in ("exact_entry", "regret"):
        place = table.schema.get_field_index(name)
        table = table.set_column(place, table.schema.field(place), pa.nulls(len(table), table.schema.field(place).type))
    return trace.with_table(table)


def largest_sources(trace: Trace, banks: BankUnion, top: int) -> list[str]:
    """The sources with the largest shares; none where no other could take the place of one."""
    if len(searched_sources(trace, banks)) < 2:
        return []
    shares = trace.sources()
    return [str(name) for name in shares[shares["share"] > 0]["source"].head(top)]


def searched_sources(trace: Trace, banks: BankUnion) -> list[str]:
    """Names of the sources of which at least one entry could have been taken."""
    excluded = banks.excluded(trace.picture.about["settings"]["without"])
    if excluded is None:
        return list(banks.source_names)
    left = banks.source_of((~excluded).nonzero()[:, 0]).unique().tolist()
    return [banks.source_names[number] for number in left]


def left_out(case: Live, source: str) -> Trace:
    """The translation without a source, its winners only."""
    return only_winners(translated_without(case.trace, source, model=case.model, photo=case.pixels))


def only_winners(trace: Trace) -> Trace:
    """The trace as it would have been thinned."""
    return Trace(trace.winners, {**trace.about, "thinned": True}, trace.pictures)


def best_of_all(case: Live, parameters: Parameters) -> pd.DataFrame:
    """The best entry of all for a sample of retrievals."""
    query = case.trace.column("query")[sampled(len(case.trace), parameters.sample, parameters.seed)]
    entry, similarity = exact(case, torch.from_numpy(query.astype(np.int64)))
    return pd.DataFrame({"query": query, "exact_entry": entry, "exact_similarity": similarity})


def slug(name: str) -> str:
    """The last part of a source's name as a part of a file name."""
    return re.sub(r"[^a-z0-9]+", "-", name.rsplit("/", 1)[-1].rsplit(".", 1)[0].lower()).strip("-")[:40] or "source"


def counterfactual_names(evidence: Evidence) -> dict[str, str]:
    """By name of a source, the name of the files of the translation without it."""
    return {source: f"without-{number}-{slug(source)}" for number, source in enumerate(evidence.without, 1)}
