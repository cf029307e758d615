"""Attention as a retrieval site: what its queries and its keys are, where nobody says so."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from ktviz.errors import TraceError
from ktviz.printing import counted
from ktviz.retrieval.catalogue import Catalogue, Knowledge
from ktviz.retrieval.matches import Matches
from ktviz.retrieval.queries import Queries
from ktviz.retrieval.site import Reading
from ktviz.trace.adapt import Adapted
from ktviz.trace.attention import attention_of
from ktviz.trace.inferred import Given, attends_to_itself, own_keys, plain_keys

TOP = 8


@dataclass(frozen=True, eq=False, repr=False)
class AdaptedAttention(Adapted):
    """A module that attends; made by `kt.adapt.attention`.

    Attributes:
        top: Keys to keep per query; the others are left over.
        made: Catalogues that were made as nobody gave one, by what is in them.
    """

    top: int = TOP
    made: dict[tuple[str, ...], Catalogue] = field(default_factory=dict)

    def read(self, inputs: tuple[Any, ...], output: Any, given: Given = Given()) -> list[Reading]:
        """See `Adapted`."""
        heard = [] if self.ear is None else self.ear.take()
        found = []
        for weights in attention_of(self.module, inputs, output, heard, given.images):
            queries = self._where(len(weights), inputs, output, given)
            catalogue = self._keys(inputs, queries, len(weights), weights.shape[1])
            matches = self.checked(taken(weights, self.top), queries, catalogue)
            found.append(Reading(matches, queries, catalogue))
        return found

    def _keys(self, inputs: tuple[Any, ...], queries: Queries, asking: int, count: int) -> Knowledge:
        """What so many keys of a call are: what was said, the queries' own cells, or cells of nobody knows what."""
        if self.catalogue is not None:
            if len(self.catalogue) != count:
                found = f"{counted(count, 'key')} for a catalogue of {counted(len(self.catalogue), 'entry', 'entries')}"
                raise TraceError(self._asked, found, "Give a catalogue of all keys, in their order")
            return self.catalogue
        itself = len(queries) == asking and attends_to_itself(inputs, asking, count)
        keys = own_keys(queries, self.canvas) if itself else plain_keys(count)
        return self.made.setdefault((*keys.names, str(keys.box.tolist())), keys)


def taken(weights: Tensor, top: int) -> Matches:
    """Matches of weights (N, P); a query to which every key is masked has no candidate."""
    matches, nothing = Matches.soft(weights, top), (weights == 0).all(1, keepdim=True)
    entry, similarity = matches.entry.masked_fill(nothing, -1), matches.similarity.masked_fill(nothing, -torch.inf)
    return replace(matches, entry=entry, similarity=similarity)
