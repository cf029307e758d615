"""Evidence: what only the model can make. Everything else in an audit follows from it, and is never believed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import pandas as pd
import torch

from ktviz.audit.copies import copies
from ktviz.audit.rivals import rivals
from ktviz.errors import SettingError
from ktviz.explain.attribution import Attribution
from ktviz.explain.case import Case
from ktviz.explain.regret import sampled
from ktviz.explain.result import one_site
from ktviz.retrieval.matches import Matches
from ktviz.trace.schema import REGRET
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
        recording: The translation, with photo and output: the site that painted, and those that served it.
        without: By name of each of the largest sources, the translation without it: winners and output.
        exact: The best entry of all for a sample of retrievals: query, exact_entry, exact_similarity.
        rivals: For a sample of the retrievals of each piece, how many other works would have done: query, rivals.
        copies: Where pixels agree with those of a work, as `copies` found them.
        attributions: What a person asked of the trace, and what was found.
        compared: The translations with which a person compared the trace: winners and output.
    """

    recording: Trace
    without: Mapping[str, Trace]
    exact: pd.DataFrame
    rivals: pd.DataFrame
    copies: pd.DataFrame
    attributions: tuple[Attribution, ...] = ()
    compared: tuple[Trace, ...] = ()

    @cached_property
    def trace(self) -> Trace:
        """The retrievals that painted."""
        return one_site(self.recording)


def gather(case: Case, parameters: Parameters) -> Evidence:
    """Have everything made that an audit needs."""
    recording = without_regret(with_servants(complete(case)))
    case = replace(case, trace=one_site(recording))
    names = largest_sources(case, parameters.top)
    without = {name: left_out(case, name) for name in names}
    return Evidence(recording, without, best_of_all(case, parameters), rivals(case), copies(case))


def with_servants(trace: Trace) -> Trace:
    """The retrievals of a site, and of all that painted nothing and only served."""
    sites = trace.recording.about["sites"]
    names = [site["name"] for site in sites if not site["paints"] or site["name"] in trace.sites]
    return trace if len(names) == 1 else trace.recording.site(*names)


def complete(case: Case) -> Trace:
    """The trace with its output, made again where it was saved without it."""
    return case.trace.with_canvases({case.trace.site_about["output"]: case.output})


def without_regret(trace: Trace) -> Trace:
    """The trace without the columns that `with_regret` fills: an audit has a table for that."""
    return trace.with_table(trace.table.drop_columns([name for name in REGRET if trace.has(name)]))


def largest_sources(case: Case, top: int) -> list[str]:
    """The searched sources with the largest shares; none where no other could take the place of one."""
    searched, more = searched_sources(case)
    if len(searched) + more < 2 or "exclude" not in case.system.abilities:
        return []
    shares = case.trace.sources()
    return [str(name) for name in shares[(shares["share"] != 0) & shares["source"].isin(searched)]["source"].head(top)]


def searched_sources(case: Case) -> tuple[list[str], int]:
    """The sources of which at least one entry could have been taken: names of those that the trace lists, and how many
    more there are."""
    listed = [str(source["source"]) for source in case.trace.about["sources"]]
    if "exclude" not in case.system.abilities:
        return listed, case.trace.unlisted
    searched = case.system.searched(case.trace)
    if not case.trace.unlisted:
        return [*searched], 0
    named = set(listed)
    found = [name for name in searched if name in named]
    return found, len(searched) - len(found)


def left_out(case: Case, source: str) -> Trace:
    """The same run without a source, its winners only."""
    return only_winners(with_servants(one_site(case.system.rerun(case.trace, without=[source]))))


def only_winners(trace: Trace) -> Trace:
    """The trace as it would have been thinned."""
    return Trace(trace.winners, {**trace.about, "thinned": True}, trace.pictures)


def best_of_all(case: Case, parameters: Parameters) -> pd.DataFrame:
    """The best entry of all for a sample of retrievals; of none where the system cannot tell."""
    rows = sampled(len(case.trace), parameters.sample, parameters.seed)
    if not case.can("oracle"):
        rows = rows[:0]
        best = Matches.hard(torch.empty(0, 1, dtype=torch.int64), torch.empty(0, 1))
    else:
        best = case.system.oracle(case.trace, rows)
    query = case.trace.column("query")[rows]
    found = {"exact_entry": best.winner.numpy(), "exact_similarity": best.winner_similarity.numpy()}
    return pd.DataFrame({"query": query, **found})


def slug(name: str) -> str:
    """The last part of a source's name as a part of a file name."""
    return re.sub(r"[^a-z0-9]+", "-", name.rsplit("/", 1)[-1].rsplit(".", 1)[0].lower()).strip("-")[:40] or "source"


def counterfactual_names(evidence: Evidence) -> dict[str, str]:
    """By name of a source, the name of the files of the translation without it."""
    return {source: f"without-{number}-{slug(source)}" for number, source in enumerate(evidence.without, 1)}
