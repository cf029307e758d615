"""The retrieval sites of Deep Image Analogy: the field of every level and direction, and the final votes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from ktviz.retrieval.extension import Extension
from ktviz.retrieval.matches import Matches
from ktviz.retrieval.queries import Queries
from ktviz.retrieval.site import Reading, RetrievalSite
from ktviz.systems.cells import Cells, cells
from ktviz.systems.image_analogy.field import DIRECTIONS, Direction, Size
from ktviz.systems.image_analogy.patchmatch import Search
from ktviz.systems.image_analogy.pyramid import LEVELS
from ktviz.systems.image_analogy.vote import Votes
from ktviz.trace.pictures import REFERENCE

NAME, PREFIX = "image-analogy", "image_analogy"
CANVAS: Mapping[Direction, str] = {"ab": "input", "ba": REFERENCE}
OUTPUT: Mapping[Direction, str] = {"ab": "output", "ba": "output:back"}
IN_WORDS: Mapping[Direction, str] = {"ab": "A to B'", "ba": "B' to A"}
FIELD = (
    Extension("start", pa.int64(), "entry from which the search began", "query"),
    Extension("start_similarity", pa.float32(), "mean of both cosines of the start", "query"),
    Extension("origin", pa.int32(), "0 start, 1 to 4 propagation by 8, 4, 2, 1 cells, 5 random search", "query"),
    Extension("settled", pa.int32(), "iteration that changed the match last, 0 for none", "query"),
)


@dataclass(frozen=True)
class Place:
    """Where a direction goes, as sites need it to say where queries and entries lie.

    Attributes:
        canvas: Size in px of the picture whose cells ask, as given.
        seen: The same as the network saw it.
        other: Size in px of the picture that is asked, and
        other_seen: as the network saw it.
        source: What is known of that picture.
    """

    canvas: Size
    seen: Size
    other: Size
    other_seen: Size
    source: tuple[tuple[str, Any], ...]


class FieldSite(RetrievalSite):
    """One level of one direction: a cell of one picture chooses a cell of the other."""

    prefix = PREFIX
    extensions = FIELD
    paints = False

    def __init__(self, way: Direction, number: int) -> None:
        super().__init__()
        self.layer = LEVELS[number]
        self.stride = 1 << (number - 1)
        self.canvas, self.output, self.direction = CANVAS[way], OUTPUT[way], IN_WORDS[way]
        self.scale_px = float(self.stride)

    def forward(self, search: Search, place: Place) -> Search:
        """What a level found goes on as it is."""
        return search

    def read(self, inputs: tuple[Any, ...], output: Search) -> list[Reading]:
        """The field as hard retrieval; similarity is the mean of both cosines, averaged over the patch."""
        place: Place = inputs[1]
        rows, columns = output.field.shape[:2]
        known = self.entries(place)
        ours = [self.stride * whole / seen for whole, seen in zip(place.canvas, place.seen, strict=True)]
        matches = Matches.hard(
            numbered(output.field, known.columns),
            -output.cost.flatten() / 2,
            start=numbered(output.start, known.columns),
            start_similarity=-output.start_cost.flatten() / 2,
            origin=output.origin.flatten().int(),
            settled=output.settled.flatten().int(),
        )
        return [Reading(matches, Queries.grid(rows, columns, (ours[0], ours[1])), known)]

    def entries(self, place: Place) -> Cells:
        """What can be chosen: the cells of the level."""
        down, across = (self.stride * whole / seen for whole, seen in zip(place.other, place.other_seen, strict=True))
        height, width = (-(-seen // self.stride) for seen in place.other_seen)
        return cells(place.source, self.layer, height, width, down, across)


class VoteSite(RetrievalSite):
    """The end of one direction: every pixel of the output is the mean of up to nine pixels of the other picture."""

    prefix = PREFIX
    searched = False
    scale_px = 1.0

    def __init__(self, way: Direction) -> None:
        super().__init__()
        self.canvas, self.output, self.direction = CANVAS[way], OUTPUT[way], IN_WORDS[way]

    def forward(self, votes: Votes, place: Place) -> Votes:
        """The votes go on as they are."""
        return votes

    def read(self, inputs: tuple[Any, ...], output: Votes) -> list[Reading]:
        """The votes as soft retrieval; a pixel that several neighbours name is one candidate with their votes."""
        place: Place = inputs[1]
        rows, columns = output.size
        sources, weights = merged(*output.of(torch.arange(rows * columns)))
        matches = Matches(sources, weights, torch.zeros(len(sources), dtype=torch.int64), weights)
        return [Reading(matches, Queries.grid(rows, columns, 1.0), self.entries(place))]

    def entries(self, place: Place) -> Cells:
        """What can be chosen: the pixels."""
        return cells(place.source, LEVELS[0], *place.other, 1.0, 1.0)


def numbered(field: Tensor, width: int) -> Tensor:
    """A field (H, W, 2) as numbers of cells of a grid of some width: (H W,)."""
    return (field[..., 0] * width + field[..., 1]).flatten().cpu()


def merged(sources: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Votes (N, k) with those for one source added up, heaviest first, then by number: (N, most different ones).

    Where a row has fewer, -1 and 0.
    """
    order = sources.sort(dim=1, descending=True, stable=True)
    value, weight = order.values, weights.float().gather(1, order.indices)
    new = torch.ones_like(value, dtype=torch.bool)
    new[:, 1:] = value[:, 1:] != value[:, :-1]
    group = new.cumsum(1) - 1
    total = torch.zeros_like(weight).scatter_add_(1, group, weight)
    entry = torch.full_like(value, -1).scatter_(1, group, value)
    total[entry < 0] = 0
    keys = torch.from_numpy(np.lexsort((entry.numpy(), -total.numpy()), axis=1))
    width = int((entry >= 0).sum(1).max())
    return entry.gather(1, keys)[:, :width].contiguous(), total.gather(1, keys)[:, :width].contiguous()


def all_sites() -> Sequence[tuple[Direction, str, RetrievalSite]]:
    """Every site with its direction and name, in the order in which they are passed."""
    numbers = range(len(LEVELS) - 1, 0, -1)
    levels = [(way, LEVELS[number], FieldSite(way, number)) for way in DIRECTIONS for number in numbers]
    return [*levels, *((way, "vote", VoteSite(way)) for way in DIRECTIONS)]
