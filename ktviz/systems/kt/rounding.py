"""A translation made on another processor: all that may differ is rounding, and what rounding decides.

Features there differ in their last digits. Similarities follow, and where two candidates are equally good either may
win; coherence then carries such a choice on to the neighbours. So nothing is compared with the winners found here but
what each choice stands on: every recorded candidate must be as good as what can be found in its place (`bounds`), every
winner must follow from the rules given the recorded winners of its neighbours, and everything that is recorded of an
entry must be what the library says of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ktviz.errors import Difference
from ktviz.library.kinds.patches.bands import to_vectors
from ktviz.library.kinds.patches.compare import compare
from ktviz.retrieval.matches import Matches
from ktviz.systems.kt.bounds import Asked, Bounds
from ktviz.systems.kt.coherence import continuations
from ktviz.systems.kt.live import Live
from ktviz.systems.kt.retrieval import EXTENSIONS, NAME, PART_NAMES, QUERIES_AT_ONCE
from ktviz.systems.kt.settings import Settings
from ktviz.trace.columns import rows_of, to_table
from ktviz.trace.listed import Listed
from ktviz.trace.rows import first_row
from ktviz.trace.trace import Trace

SIMILARITY = 1e-5
"""What a similarity may differ by (docs/exactness.md)."""
BAND = 2e-3
"""What the cosine within a band may, in half precision: a band that holds little of a patch magnifies rounding."""
DOUBTED_AT_ONCE = 64
"""Queries that are asked again together: the first few of a forgery are enough."""
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Case:
    """A recorded trace and what is found here.

    Attributes:
        name: What errors call the trace.
        live: The recorded trace, its photo, and the model.
        settings: How it was searched.
    """

    name: str
    live: Live
    settings: Settings

    @cached_property
    def excluded(self) -> Tensor | None:
        """Entries that might not be taken."""
        return self.live.banks.excluded(self.settings.without)

    @property
    def asked(self) -> Asked:
        """What was searched for."""
        live = self.live
        return Asked(live.asked, live.grid, live.banks, self.settings, self.excluded)

    @cached_property
    def found(self) -> Matches:
        """The candidates that are found here, before coherence."""
        settings = replace(self.settings, coherence=0)
        matches: Matches = self.live.model.retrieval(self.live.asked, self.live.grid, settings)
        return matches

    def similarities(self, entry: Tensor) -> tuple[Tensor, Tensor]:
        """Similarities of all queries to entries (N, k), and within the bands (N, k, 4)."""
        return similarities(self.live, self.settings, torch.arange(len(entry)), entry)

    @property
    def recorded(self) -> int:
        """How many candidates a query has in the trace, where there are so many."""
        trace, most = self.live.trace, self.found.entry.shape[1]
        return 1 if trace.thinned else min(most, trace.about["candidates"] or most)

    @cached_property
    def offered(self) -> tuple[Tensor, Tensor]:
        """What goes on where the recorded winners of neighbours end, -1 for none, and how similar: (N, 2) each."""
        winner, live = self.claimed.winner, self.live
        entries = continuations(torch.arange(len(winner)), winner, live.grid, live.banks, self.excluded)
        return entries, self.similarities(entries)[0]

    @cached_property
    def twins(self) -> Tensor:
        """Where an entry comes before one that is equal to the last bit and has a lower number, or has taken its place:
        of such two, no rounding tells one from the other, and the lower one comes first: (N,)."""
        claimed, found = self.claimed, self.found.entry[:, : self.claimed.entry.shape[1]]
        wrong = torch.zeros(len(found), dtype=torch.bool)
        for query in (claimed.entry != found).any(1).nonzero()[:, 0].tolist():
            mine = claimed.entry[query][claimed.entry[query] >= 0]
            others = torch.cat((mine, found[query][found[query] >= 0])).unique()
            patches = dict(zip(others.tolist(), self.live.banks.vectors(others), strict=True))
            taken = int(claimed.chosen[query]) if claimed["coherent"][query] else -1  # by another rule
            for place, entry in enumerate(mine.tolist()):
                later = (one for one in others.tolist() if one < entry and one not in mine[:place])
                wrong[query] |= place != taken and any(torch.equal(patches[one], patches[entry]) for one in later)
        return wrong

    @cached_property
    def claimed(self) -> Matches:
        """The candidates that the trace names, with the similarities that they really have."""
        trace, count = self.live.trace, len(self.live.grid)
        query = trace.column("query", winners=False).astype(np.int64)
        column = places(query)
        if column.max() >= self.recorded:
            raise Difference(f"{self.name}: a retrieval has more than {self.recorded} candidates")
        entry, chosen = torch.full((count, self.recorded), -1), torch.zeros(count, dtype=torch.int64)
        stated = trace.column("entry", winners=False).astype(np.int64)
        if np.any((stated < 0) | (stated >= len(self.live.banks))):
            raise Difference(f"{self.name}: an entry that the library does not have")
        entry[query, column] = torch.from_numpy(stated)
        rows = trace.column("chosen", winners=False)
        chosen[query[rows]] = torch.from_numpy(column[rows])
        winner = entry.gather(1, chosen[:, None])[:, 0]
        similarity, bands = self.similarities(entry)
        coherent = torch.from_numpy(trace.column("kt.coherent").astype(bool))
        extensions = {"bands": bands, "path": self.live.banks.paths(winner), "coherent": coherent}
        return Matches(entry, similarity, chosen, extensions=extensions)


def similarities(live: Live, settings: Settings, query: Tensor, entry: Tensor) -> tuple[Tensor, Tensor]:
    """Similarities of queries (n,) to entries (n, k), and within the bands (n, k, 4)."""
    weights = torch.tensor(settings.search.band_weights)
    parts = [
        compare(to_vectors(live.grid.unfold(live.asked, query[some])), entry[some], live.banks, weights)
        for some in torch.arange(len(query)).split(QUERIES_AT_ONCE)
    ]
    return torch.cat([part[0] for part in parts]), torch.cat([part[1] for part in parts])


def truth(live: Live, query: npt.NDArray[np.int64], entry: npt.NDArray[np.int64]) -> Tensor:
    """The similarity that queries (n,) really have to entries (n,); -inf where there is no such entry."""
    known = torch.from_numpy(np.where((entry >= 0) & (entry < len(live.banks)), entry, -1))
    return similarities(live, live.settings, torch.from_numpy(query), known[:, None])[0][:, 0]


def places(query: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The place of each row among the rows of its query, which stand together."""
    first = np.concatenate(([0], np.flatnonzero(np.diff(query)) + 1))
    counts = np.diff(np.append(first, len(query)))
    place: npt.NDArray[np.int64] = np.arange(len(query)) - np.repeat(first, counts)
    return place


def check_rounded(name: str, live: Live, again: Trace) -> Flags:
    """Raise Difference at the first retrieval that rounding does not explain.

    Args:
        name: What the error calls the trace.
        live: The recorded trace and the model.
        again: The trace made here.

    Returns:
        (N,) which winners are other ones than here, next to the recorded ones of their neighbours.
    """
    check_queries(name, live.trace, again)
    case = Case(name, live, live.asking)
    check_choices(case)
    check_columns(case, again)
    other: Flags = (case.claimed.winner != expected(case)).numpy()
    return other


def check_choices(case: Case) -> None:
    """Raise Difference unless rounding explains every candidate, margin and winner."""
    bounds = Bounds.of(case.found)
    doubtful = torch.stack([wrong for _, wrong in faults(case, bounds)]).any(0)
    for start in range(0, int(doubtful.sum()), DOUBTED_AT_ONCE):
        query = doubtful.nonzero()[start : start + DOUBTED_AT_ONCE, 0]
        bounds = bounds.widened(query, case.asked)
        for found, wrong in faults(case, bounds):
            refuse(case, query[wrong[query]], found)


def faults(case: Case, bounds: Bounds) -> list[tuple[str, Tensor]]:
    """What can be wrong with a choice, and with which it is: (N,) bool."""
    return [
        ("a candidate that is not as good as the one found here", wrong_candidates(case, bounds)),
        ("a margin that is not the one found here", wrong_margins(case, bounds)),
        ("a winner against the rules", wrong_winners(case, bounds)),
        ("an entry before its equal of a lower number", case.twins),
    ]


def check_queries(name: str, recorded: Trace, again: Trace) -> None:
    """Raise Difference unless two traces ask the same queries, each with one winner."""
    for column in ("image", "site", "query", "y", "x", "box"):
        if not recorded.winners[column].equals(again.winners[column]):
            raise Difference(f"{name}: the column {column} was changed")
    query = recorded.column("query", winners=False).astype(np.int64)
    if np.any(np.diff(query) < 0) or not np.array_equal(np.unique(query), recorded.column("query")):
        raise Difference(f"{name}: candidates that do not stand with the winner of their query")


def wrong_candidates(case: Case, bounds: Bounds) -> Tensor:
    """Where a candidate is not as good as what is found in its place, is there twice, or was to be left out: (N,)."""
    claimed, width = case.claimed, case.claimed.entry.shape[1]
    place = torch.arange(width) == claimed.chosen[:, None]
    low, high = bounds.low[:, :width] - SIMILARITY, bounds.high[:, :width] + SIMILARITY
    off = (claimed.similarity < low) | (claimed.similarity > high)
    off[:, 0] |= ~bounds.seen(claimed.similarity[:, 0], SIMILARITY)
    wrong = off & ~(place & claimed["coherent"][:, None])
    ordered = claimed.entry.sort(dim=1).values
    twice = ((ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0)).any(1)
    if case.excluded is None:
        return wrong.any(1) | twice
    hidden = case.excluded[claimed.entry.clamp(min=0)] & (claimed.entry >= 0)
    return (wrong | hidden).any(1) | twice


def wrong_margins(case: Case, bounds: Bounds) -> Tensor:
    """Where a row states another margin than there can be: (N,)."""
    trace = case.live.trace
    query = torch.from_numpy(trace.column("query", winners=False).astype(np.int64))
    stated = torch.from_numpy(trace.column("margin", winners=False).astype(np.float32)).nan_to_num(torch.inf)
    low, high = (margin[query] for margin in margins(case, bounds))
    off = (stated < low - 2 * SIMILARITY) | (stated > high + 2 * SIMILARITY)
    return torch.zeros(len(case.claimed), dtype=torch.bool).index_put((query[off],), torch.tensor(True))


def margins(case: Case, bounds: Bounds) -> tuple[Tensor, Tensor]:
    """The least and the largest margins that there can be: (N,) each. They follow from the candidates, if all of these
    are recorded; coherence took the place of the last of them."""
    claimed, (low, high) = case.claimed, bounds.margin
    if case.recorded == case.found.entry.shape[1]:
        return claimed.margin, claimed.margin
    if case.settings.candidates == 2:
        own, coherent = claimed.winner_similarity, claimed["coherent"]
        low = torch.where(coherent, low.minimum(bounds.low[:, 0] - own), low)
        high = torch.where(coherent, high.maximum(bounds.high[:, 0] - own), high)
    return low, high


def wrong_winners(case: Case, bounds: Bounds) -> Tensor:
    """Where a winner does not follow from its candidates and from the winners of its neighbours: (N,)."""
    claimed, winner = case.claimed, case.claimed.winner
    tolerance, coherent = float(case.settings.coherence or 0), claimed["coherent"]
    not_the_best = ~coherent & (claimed.chosen > 0)
    if tolerance <= 0:
        return coherent | not_the_best
    offered, value = case.offered
    low, high = bounds.low[:, 0] - tolerance - SIMILARITY, bounds.high[:, 0] - tolerance + SIMILARITY
    mine = (offered == winner[:, None]) & (offered >= 0)
    best, own = value.max(1).values, value.masked_fill(~mine, -torch.inf).max(1).values
    known = ((offered == bounds.first[:, None]) & (offered >= 0)).any(1) & (bounds.margin[0] > SIMILARITY)
    passed_over = ~coherent & ~mine.any(1) & (best >= high)
    not_allowed = coherent & (known | (own < low) | (own < best - SIMILARITY))
    return passed_over | not_allowed | not_the_best


def expected(case: Case) -> Tensor:
    """The winners that follow from what is found here and from the recorded winners of neighbours: (N,)."""
    (offered, value), first = case.offered, case.found.entry[:, 0]
    tolerance = float(case.settings.coherence or 0)
    best, column = value.max(1)
    already = (offered == first[:, None]).any(1)
    goes_on = (tolerance > 0) & ~already & (best >= case.found.similarity[:, 0] - tolerance) & best.isfinite()
    return torch.where(goes_on, offered.gather(1, column[:, None])[:, 0], first)


def refuse(case: Case, query: Tensor, found: str) -> None:
    """Raise Difference at the first of some retrievals (n,)."""
    for number in query[:1].tolist():
        entry = int(case.claimed.winner[number])
        raise Difference(f"{case.name}, retrieval {number}: {found} (recorded entry {entry})")


def check_columns(case: Case, again: Trace) -> None:
    """Raise Difference unless every column says of the recorded entries what the model and the library say."""
    live = case.live
    reading = live.model.retrieval.read((live.asked, live.grid, case.settings), case.claimed)[0]
    rows = rows_of(reading, 0, 0, None, NAME, EXTENSIONS).clipped(*live.trace.picture.size)
    listed = Listed.of([live.banks], [rows])
    names = [(source["source"], source["bank"]) for source in listed.described[0]]
    true = Trace(
        to_table(listed.rows, [0], live.trace.about["sites"], [names], [live.banks.name]),
        live.trace.about,
        live.trace.pictures,
    )
    check_ranks(case, again)
    for column in (column for column in live.trace.table.column_names if column != "margin"):  # see wrong_margins
        one, other = (trace.column(column, winners=False) for trace in (live.trace, true))
        skipped = np.zeros(len(one), dtype=bool)
        if column == "rank":  # see check_ranks
            skipped = live.trace.column("kt.coherent", winners=False)
        row = first_row(one, other, room_of(column), skipped)
        if row is not None:
            query = int(live.trace.column("query", winners=False)[row])
            raise Difference(f"{case.name}, retrieval {query}, {column}: {one[row]}, should be {other[row]}")


def check_ranks(case: Case, again: Trace) -> None:
    """Raise Difference unless a winner that coherence took has its place among what was kept, or, as the last of it,
    a rank behind that there can be."""
    trace = case.live.trace
    coherent, rank = trace.column("kt.coherent"), trace.column("rank").astype(np.int64)
    last = case.claimed.entry.shape[1] - 1
    place, most = case.claimed.chosen.numpy(), max(last, int(again.column("rank", winners=False).max()))
    wrong = coherent & (rank != place) & ((place < last) | (rank < last) | (rank > most))
    for row in np.flatnonzero(wrong)[:1]:
        raise Difference(f"{case.name}, retrieval {row}, rank: {rank[row]}, should be {place[row]}")


def room_of(column: str) -> float:
    """What the numbers of a column may differ by."""
    rooms = {
        "similarity": SIMILARITY,
        "kt.path_similarity": SIMILARITY,
        "kt.query_bands": BAND,
    }
    return {**rooms, **{f"kt.similarity_{band}": BAND for band in PART_NAMES}}.get(column, 0.0)
