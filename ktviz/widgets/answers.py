"""What a view may ask, and the answers: one method per kind of request, unknown ones are refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch

from ktviz.errors import KtvizError, RegionError, TraceError
from ktviz.explain.bands import ENTRY_BANDS, QUERY_BANDS, band_columns
from ktviz.explain.case import Case
from ktviz.explain.counterfactual import compare
from ktviz.images import Pixels, encode_image
from ktviz.library.kinds.patches.bank import Bank
from ktviz.library.kinds.patches.clusters import describe_clusters, exemplar_pictures, spreads
from ktviz.library.kinds.patches.tree import Tree
from ktviz.library.kinds.patches.union import BankUnion
from ktviz.systems.descents import Descent
from ktviz.widgets.after import After
from ktviz.widgets.packing import Part
from ktviz.widgets.scene import LONGEST_PX, PROTOCOL, matrix
from ktviz.widgets.selection import checked_region, queries_in
from ktviz.widgets.subject import Subject, small

MOST = 512
"""Retrievals, nodes or sources that one request may name."""
LARGEST_BYTES = 4096
"""A request is ids and boxes, never data."""
EXEMPLARS = 6

Answer = tuple[dict[str, Any], dict[str, Part]]
"""Values, and parts to be packed."""


class RequestError(KtvizError):
    """A request that no view of this version sends."""


@dataclass(frozen=True)
class Answers:
    """Answers the requests of a view about one trace.

    Attributes:
        subject: The trace, and what can be asked of its model.
        on_translated: Told of every counterfactual, and of None where the recorded translation is wanted back; without
            it nothing is translated.
    """

    subject: Subject
    on_translated: Callable[[After | None], None] | None = None

    def to(self, request: Mapping[str, Any]) -> Answer:
        """The answer to a request of the form {protocol, kind, body}.

        Raises:
            RequestError: Of another protocol, an unknown kind, or not as that kind should be.
            KtvizError: What went wrong in answering.
        """
        if request.get("protocol") != PROTOCOL:
            raise RequestError(
                f"a view that speaks protocol {request.get('protocol')}",
                f"this ktviz speaks {PROTOCOL}",
                "Run the cell again to draw a new view",
            )
        kinds: dict[str, Callable[[Mapping[str, Any]], Answer]] = {
            "region": self.region,
            "candidates": self.candidates,
            "pictures": self.pictures,
            "children": self.children,
            "thumbs": self.thumbs,
            "descent": self.descent,
            "bands": self.bands,
            "translate": self.translate,
        }
        kind, body = request.get("kind"), request.get("body")
        if len(str(body)) > LARGEST_BYTES:
            raise RequestError("a request", f"more than {LARGEST_BYTES} bytes", "Name fewer things at a time")
        known = isinstance(kind, str) and kind in kinds
        if not known or not isinstance(body, Mapping):
            raise RequestError(f"a request {str(kind)[:40]!r}", "not one that is known", f"Known: {', '.join(kinds)}")
        return kinds[str(kind)](body)

    def region(self, body: Mapping[str, Any]) -> Answer:
        """{box} → the retrievals that paint a part of it, their weights, and the share of every source."""
        region = checked_region(body.get("box"), self.subject.trace)
        if region is None:
            raise RegionError("a region", "none given", "Give x, y, width and height")
        shares = np.zeros(len(self.subject.names), dtype=np.float32)
        found = self.subject.trace.sources(region)
        shares[[self.subject.number[name] for name in found["source"]]] = found["share"]
        queries = np.array(queries_in(self.subject.trace, region), dtype=np.int32)
        return {}, {"queries": queries, "shares": shares}

    def candidates(self, body: Mapping[str, Any]) -> Answer:
        """{queries} → boxes and bands of all their candidates, in the order of ranks."""
        places = self.places(body)
        source_box, bands, parts, query = self.candidate_columns
        return {}, {
            "source_box": source_box[places],
            "bands": bands[places],
            "entry_bands": parts[places],
            "query_bands": query[places],
        }

    @cached_property
    def candidate_columns(self) -> tuple[np.ndarray[Any, Any], ...]:
        """Columns of all candidates, laid out once for many requests."""
        return candidate_columns(self.subject)

    def pictures(self, body: Mapping[str, Any]) -> Answer:
        """{sources} → each as its bank saw it."""
        found: dict[str, Part] = {}
        for number in numbers(body, "sources", len(self.subject.names)):
            picture = self.subject.picture(number)
            if picture is not None:
                found[f"picture/{number}"] = encode_image(small(picture, LONGEST_PX), "small")
        return {}, found

    def children(self, body: Mapping[str, Any]) -> Answer:
        """{bank, nodes} → those nodes and all their children, described."""
        bank = self.bank(body)
        wanted = numbers(body, "nodes", len(bank.tree))
        below = [child for node in wanted for child in bank.tree.children[node].tolist()]
        return {}, cluster_columns(bank, list(dict.fromkeys([*wanted, *below])))

    def thumbs(self, body: Mapping[str, Any]) -> Answer:
        """{bank, nodes} → exemplar patches of each: one picture, a row of patches per node, medoid first."""
        bank = self.bank(body)
        return {}, node_pictures(bank, numbers(body, "nodes", len(bank.tree)))

    def descent(self, body: Mapping[str, Any]) -> Answer:
        """{queries} → the way down for each: every road at every level, the road taken, and the leaves visited."""
        places = self.places(body)
        case = self.live()
        trees = {bank.name: bank.tree for bank in self.banks().banks}
        found = case.system.descents(case.trace, places)
        return {"descents": [as_values(descent, trees[descent.bank]) for descent in found]}, {}

    def bands(self, body: Mapping[str, Any]) -> Answer:
        """{queries: [one], entries} → the query and these entries decoded whole and band by band, and their pixels."""
        place = self.places(body)[0]
        case = self.live()
        entries = np.array(numbers(body, "entries", len(self.banks())), dtype=np.int64)
        decoded, pixels = case.system.band_pictures(case.trace, np.array([place]), entries)
        return {}, {
            "decoded": sheet(decoded),
            "pixels": sheet(pixels[:, None]),
            "known": np.ones(len(decoded), dtype=np.uint8),
        }

    def translate(self, body: Mapping[str, Any]) -> Answer:
        """{without, weights} → the view shows the photo translated without some sources, with other band weights."""
        case = self.live()
        if self.on_translated is None:
            raise RequestError("a counterfactual", "not of the recorded translation", "Ask about the recorded one")
        removed = numbers(body, "without", len(self.subject.names))
        without = [self.subject.names[number] for number in removed]
        recorded = case.trace.picture.settings.get("band_weights")
        weights = band_weights(body.get("weights"), recorded)
        changed = {} if weights is None or list(weights) == list(recorded or ()) else {"band_weights": weights}
        if not without and not changed:
            self.on_translated(None)
            return {}, {}
        other = case.system.rerun(case.trace, without=without, **changed)
        found = compare(case.trace.with_canvases({case.trace.site_about["output"]: case.output}), other)
        self.on_translated(After(self.subject.counterfactual(other), found, tuple(removed)))
        return {}, {}

    def live(self) -> Case:
        """The model.

        Raises:
            TraceError: There is none.
        """
        if self.subject.case is None:
            raise TraceError("ask the model", "there is none behind this view", self.subject.frozen)
        return self.subject.case

    def banks(self) -> BankUnion:
        """The banks whose entries these are."""
        if self.subject.banks is None:
            raise TraceError("ask for a cluster tree", "there is none behind this view", self.subject.frozen)
        return self.subject.banks

    def bank(self, body: Mapping[str, Any]) -> Bank:
        """The bank that a request names by its number."""
        banks = self.banks().banks
        return banks[numbers({"banks": [body.get("bank")]}, "banks", len(banks))[0]]

    def places(self, body: Mapping[str, Any]) -> list[int]:
        """Places among the winners that a request names; at least one."""
        found = numbers(body, "queries", len(self.subject.trace))
        if not found:
            raise RequestError("a request about retrievals", "none named", "Name at least one")
        return found


def numbers(body: Mapping[str, Any], name: str, count: int) -> list[int]:
    """A list of whole numbers from 0 to below `count`, by its name in a request."""
    given = body.get(name, [])
    fits = isinstance(given, Sequence) and len(given) <= MOST
    if not fits or any(type(n) is not int or not 0 <= n < count for n in given):
        raise RequestError(f"{name} {str(given)[:60]}", f"not up to {MOST} numbers below {count}", "Ask for fewer")
    return list(given)


def band_weights(given: object, recorded: Sequence[float] | None) -> Sequence[float] | None:
    """Four numbers, or the recorded weights where none are given."""
    if given is None or given == []:
        return recorded
    if not isinstance(given, list) or any(type(weight) not in (int, float) for weight in given):
        raise RequestError(f"band weights {str(given)[:40]}", "not four numbers", "Give those of LL, LH, HL, HH")
    return given


def candidate_columns(subject: Subject) -> tuple[np.ndarray[Any, Any], ...]:
    """Of every candidate its box in the source and similarity per band (N, k, 4), its parts of norm (N, k, 4), and the
    query's (N, 4); NaN in a system without bands."""
    trace = subject.trace
    bands, box = band_columns(trace).astype(np.float32), trace.column("source_box", winners=False).astype(np.float32)
    entry, query = np.full_like(bands, np.nan), np.full((len(trace), bands.shape[1]), np.nan, dtype=np.float32)
    if trace.has(ENTRY_BANDS):
        entry = trace.column(ENTRY_BANDS, winners=False).astype(np.float32)
        query = trace.column(QUERY_BANDS).astype(np.float32)
    return matrix(subject, box, np.nan), matrix(subject, bands, np.nan), matrix(subject, entry, np.nan), query


def cluster_columns(bank: Bank, nodes: Sequence[int]) -> dict[str, Part]:
    """Nodes described, as columns (n,)."""
    tree, rows = bank.tree, torch.tensor(nodes, dtype=torch.int64)
    columns = {
        "node": rows,
        "parent": tree.parent[rows],
        "level": tree.level[rows],
        "size": (tree.end - tree.start)[rows],
        "children": torch.tensor([len(tree.children[node]) for node in nodes], dtype=torch.int64),
    }
    found: dict[str, Part] = {name: column.numpy().astype(np.int32) for name, column in columns.items()}
    return {**found, "spread": spreads(bank, nodes).numpy()}


def node_pictures(bank: Bank, nodes: Sequence[int]) -> dict[str, Part]:
    """Exemplar patches of nodes: a sheet of `EXEMPLARS` columns, and how many each row has."""
    if not nodes:
        raise RequestError("pictures of nodes", "none named", "Name at least one")
    pictures, count = exemplar_rows(bank, nodes)
    row = np.arange(len(nodes), dtype=np.int32)
    return {"node": np.array(nodes, dtype=np.int32), "count": count, "row": row, "sheet": sheet(pictures)}


def exemplar_rows(bank: Bank, nodes: Sequence[int]) -> tuple[Pixels, npt.NDArray[np.int32]]:
    """Exemplar patches of nodes (n, `EXEMPLARS`, 16, 16, 3), black where there are fewer, and their numbers (n,)."""
    found = describe_clusters(bank, nodes, EXEMPLARS)
    count = np.array([len(cluster.exemplars) for cluster in found], dtype=np.int32)
    cut = exemplar_pictures(bank, [entry for cluster in found for entry in cluster.exemplars])
    filled = np.zeros((len(found), EXEMPLARS, *cut.shape[1:]), dtype=np.uint8)
    filled[np.arange(EXEMPLARS) < count[:, None]] = cut
    return filled, count


def sheet(patches: Pixels, kind: Literal["webp", "small"] = "webp") -> bytes:
    """Patches (rows, columns, side, side, 3) as one picture: without loss, or in little room."""
    rows, columns, side = patches.shape[:3]
    return encode_image(patches.transpose(0, 2, 1, 3, 4).reshape(rows * side, columns * side, 3), kind)


def as_values(descent: Descent, tree: Tree) -> dict[str, Any]:
    """A descent as JSON holds it; `passed` counts the visited leaves below each node above them."""
    leaves = torch.tensor(descent.visited, dtype=torch.int64)
    above = tree.paths(leaves)
    passed, counts = above[(above >= 0) & (above != leaves[:, None])].unique(return_counts=True)
    roads = [
        {
            "nodes": road.nodes.tolist(),
            "similarity": np.round(road.similarity.astype(np.float64), 4).tolist(),
            "taken": road.taken,
            "greedy": road.greedy,
        }
        for road in descent.roads
    ]
    return {
        "query": descent.query,
        "bank": descent.bank,
        "path": list(descent.path),
        "roads": roads,
        "greedy_leaf": descent.greedy_leaf,
        "visited": list(descent.visited),
        "ranked": True,
        "passed": list(zip(passed.tolist(), counts.tolist(), strict=True)),
    }
