"""The sources that a trace lists: all that could be chosen, or of very many those that it speaks of."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ktviz.retrieval.catalogue import Knowledge
from ktviz.retrieval.listing import Listing
from ktviz.trace.columns import NUMBER, Rows
from ktviz.trace.schema import UNLISTED

MOST_SOURCES = 1 << 10
"""Of one knowledge that are listed whether they were recorded or not."""


@dataclass(frozen=True)
class Listed:
    """What a trace says of the sources of each knowledge.

    Attributes:
        described: By knowledge, what is known of those that are listed.
        rows: The rows of the trace, with the numbers that sources have among these.
        sizes: Sources of each bank of which not all are listed.
    """

    described: Sequence[Sequence[Mapping[str, Any]]]
    rows: Sequence[Rows]
    sizes: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, knowledge: Sequence[Knowledge], rows: Sequence[Rows]) -> Listed:
        """All sources of each knowledge; of very many those that were recorded, and the first of each bank."""
        described: list[Sequence[Mapping[str, Any]]] = []
        numbered = list(rows)
        sizes: dict[str, int] = {}
        for number, known in enumerate(knowledge):
            sources = known.describe_sources()
            if isinstance(sources, Listing) and len(sources) > MOST_SOURCES:
                sizes |= sources.sizes
                mine = [place for place, part in enumerate(numbered) if part.knowledge == number]
                used = listed_numbers(sources, *(numbered[place].columns[NUMBER] for place in mine))
                for place in mine:
                    columns = numbered[place].columns
                    numbers = {NUMBER: np.searchsorted(used, columns[NUMBER]).astype(np.int32)}
                    numbered[place] = replace(numbered[place], columns={**columns, **numbers})
                sources = [sources[one] for one in used.tolist()]
            described.append(sources)
        return cls(told_apart(described), numbered, sizes)

    def about(self) -> dict[str, Any]:
        """What the metadata say: sources, banks, and how many more sources there are."""
        sources = once([source for sources in self.described for source in sources])
        there = Counter(str(source["bank"]) for source in sources)
        more = {bank: size - there[bank] for bank, size in self.sizes.items() if size > there[bank]}
        return {"sources": sources, "banks": list(there), **({UNLISTED: more} if more else {})}


def listed_numbers(sources: Listing, *used: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Numbers of the sources that are listed, ascending: all; of very many those that are used, and the first of each
    bank."""
    if len(sources) <= MOST_SOURCES:
        return np.arange(len(sources))
    return np.unique(np.concatenate([sources.firsts, *used])).astype(np.int64)


def first_listed(sources: Listing) -> dict[str, Any]:
    """What the metadata of a trace of no translation say of what it could be of: of very many sources the first."""
    numbers = listed_numbers(sources, np.arange(MOST_SOURCES))
    return Listed([[sources[number] for number in numbers.tolist()]], [], sources.sizes).about()


def once(sources: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Descriptions without repetition: sites may search banks in common."""
    return list({json.dumps(dict(source), sort_keys=True): dict(source) for source in sources}.values())


def told_apart(described: Sequence[Sequence[Mapping[str, Any]]]) -> list[list[dict[str, Any]]]:
    """Descriptions in which a name stands for one source: names that several banks use get the bank's before them."""
    banks: dict[str, set[str]] = {}
    for source in (source for sources in described for source in sources):
        banks.setdefault(source["source"], set()).add(source["bank"])
    shared = {name for name, found in banks.items() if len(found) > 1}
    return [
        [{**s, "source": f"{s['bank']}/{s['source']}" if s["source"] in shared else s["source"]} for s in sources]
        for sources in described
    ]
