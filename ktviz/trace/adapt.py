"""Adapters: retrieval sites in other people's models, without touching their source."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from ktviz.errors import TraceError
from ktviz.retrieval.catalogue import Catalogue
from ktviz.retrieval.matches import Matches
from ktviz.retrieval.queries import Queries
from ktviz.retrieval.site import Reading

ROUNDING = 1e-3
"""What weights may sum to above 1."""
Reader = Callable[[tuple[Any, ...], Any], Matches | Sequence[Matches]]


@dataclass(frozen=True, eq=False, repr=False)
class Adapted:
    """A module that `record` listens to; made by `adapt`."""

    module: nn.Module
    reader: Reader
    queries: Queries | Callable[[tuple[Any, ...], Any], Queries]
    catalogue: Catalogue
    causal: bool

    def __repr__(self) -> str:
        return f"Adapted({type(self.module).__name__}, {self.catalogue!r})"

    def read(self, inputs: tuple[Any, ...], output: Any) -> list[Reading]:
        """The retrievals of one call, one `Reading` per image.

        Raises:
            TraceError: The reader gave something else than Matches that fit the queries and the catalogue.
        """
        found: object = self.reader(inputs, output)
        queries = self.queries(inputs, output) if callable(self.queries) else self.queries
        batch = list(found) if isinstance(found, Sequence) else [found]
        return [Reading(self.checked(matches, queries), queries, self.catalogue) for matches in batch]

    def checked(self, matches: object, queries: Queries) -> Matches:
        """What the reader gave for one image, if it fits."""
        asked = f"read the retrievals of {type(self.module).__name__}"
        if not isinstance(matches, Matches):
            raise TraceError(asked, f"the reader gave {type(matches).__name__}", "Return Matches, one per image")
        if not isinstance(queries, Queries):
            raise TraceError(asked, f"queries that are {type(queries).__name__}", "Say where they lie: ktviz.Queries")
        wrong = misshapen(matches)
        if wrong:
            raise TraceError(asked, f"the reader gave {wrong}", "See ktviz.Matches for the shapes")
        if len(matches) != len(queries):
            raise TraceError(
                asked, f"{len(matches)} retrievals for {len(queries)} queries", "Say where the queries of this call lie"
            )
        count = len(self.catalogue.source)
        strangers = matches.entry[(matches.entry >= count) | (matches.entry < -1)]
        if len(strangers):
            raise TraceError(asked, f"entry {int(strangers[0])} of {count} candidates", "Say what all of them are")
        return matches


def misshapen(matches: Matches) -> str:
    """What part of matches does not fit the others; empty if all do."""
    entry = matches.entry
    if entry.ndim != 2 or not entry.shape[1] or entry.is_floating_point():
        return f"entries of shape {tuple(entry.shape)} and type {entry.dtype}"
    for name in ("similarity", "weight"):
        values = getattr(matches, name)
        if values is not None and values.shape != entry.shape:
            return f"{name} of shape {tuple(values.shape)} for entries of shape {tuple(entry.shape)}"
    if ((matches.chosen < 0) | (matches.chosen >= entry.shape[1])).any():
        return f"a chosen column outside the {entry.shape[1]} candidates"
    if matches.weight is not None:
        sums = matches.weight.sum(1)
        if not torch.isfinite(sums).all() or (matches.weight < 0).any() or (sums > 1 + ROUNDING).any():
            return f"weights that are no parts of a whole (a sum of {float(sums.max()):.3g})"
    return ""


def adapt(
    module: nn.Module,
    reader: Reader,
    *,
    queries: Queries | Callable[[tuple[Any, ...], Any], Queries],
    catalogue: Catalogue,
    causal: bool = True,
) -> Adapted:
    """Make a module of any model a retrieval site.

        site = kt.adapt(
            model.attention,
            lambda inputs, output: [kt.Matches.soft(image) for image in output.flatten(2).softmax(-1)],
            queries=kt.Queries.grid(64, 64, step_px=4),
            catalogue=kt.Catalogue.positions(["exemplar.png"], 64, 64, cell_px=4),
        )
        with kt.record(model, site) as trace:
            model(photo)

    Args:
        module: Any module of the model; nothing of it is changed.
        reader: From the arguments and the result of a call to `Matches`, or to one per image of a batch.
        queries: Where the queries lie, or how to tell from a call.
        catalogue: What the entries are.
        causal: Whether the candidates really fed the output, or are only its nearest explanation.
    """
    return Adapted(module, reader, queries, catalogue, causal)
