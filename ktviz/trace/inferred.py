"""What an adapter need not be told: where queries lie that fill a picture, and cells of what a module attends to."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ktviz.errors import TraceError
from ktviz.retrieval.catalogue import Catalogue
from ktviz.retrieval.queries import Queries

CONTEXT, CLASS_TOKEN = "context", "class token"
"""What the keys are called that are no cells of the picture, and the token that comes before the cells of one."""
FEWEST = 4
"""Cells of a picture before which a class token is recognised."""


@dataclass(frozen=True)
class Given:
    """What a run was given, as far as it shows before the run has ended.

    Attributes:
        images: How many; None if that does not show.
        size: (height, width) of the picture in px; None if it does not show, or there is no picture.
        pictured: Whether there is a picture, or may be.
    """

    images: int | None = None
    size: tuple[int, int] | None = None
    pictured: bool = True

    @classmethod
    def of(cls, inputs: tuple[Any, ...]) -> Given:
        """Of a model that knows nothing of ktviz: its first argument is a batch (B, C, H, W), or no picture."""
        first = inputs[0] if inputs else None
        if isinstance(first, Tensor) and first.ndim == 4:
            return cls(first.shape[0], (first.shape[2], first.shape[3]))
        return cls(pictured=False)


def queries_in(count: int, given: Given, asked: str) -> Queries:
    """Where so many queries lie that fill the picture of a run: as square cells of whole px in rows and columns,
    perhaps after a class token, which lies nowhere. Where there is no picture, a square number of them is a square of
    cells of 1 px.

    Raises:
        TraceError: They do not, or it cannot be known.
    """
    if given.size is None and given.pictured:
        unknown = "no picture whose size is known while the model runs"
        raise TraceError(asked, unknown, "Say where the queries lie: queries=kt.Queries.grid(...)")
    if found := cells(count, given.size):
        return Queries.grid(*found)
    if given.size is not None and count > FEWEST and (found := cells(count - 1, given.size)):
        return Queries(None, None, torch.cat((torch.zeros(1, 4), Queries.grid(*found).box)))
    where = "" if given.size is None else f" that fill a picture of {given.size[1]}x{given.size[0]} px"
    raise TraceError(
        asked, f"{count} queries, no grid of square cells{where}", "Say where they lie: queries=kt.Queries.grid(...)"
    )


def cells(count: int, size: tuple[int, int] | None) -> tuple[int, int, int] | None:
    """Rows, columns and side in px of so many square cells; None where they fill no picture (height, width)."""
    if size is None:
        side = math.isqrt(count)
        return (side, side, 1) if count and side * side == count else None
    height, width = size
    side = math.isqrt(height * width // count) if count else 0
    if not side or height % side or width % side or height * width != count * side * side:
        return None
    return height // side, width // side, side


def own_keys(queries: Queries, canvas: str) -> Catalogue:
    """What queries attend to that attend to each other: the cells of the canvas in which they lie."""
    nowhere = (queries.box[:, 2:] == 0).all(1)
    names = [canvas, CLASS_TOKEN] if nowhere.any() else [canvas]
    return Catalogue(names, nowhere.long(), queries.box.masked_fill(nowhere[:, None], torch.nan), canvas)


def plain_keys(count: int, name: str = CONTEXT) -> Catalogue:
    """Entries of which nothing is known: so many cells of one source, in a square or in a row."""
    return Catalogue.positions([name], *(cells(count, None) or (1, count, 1)), name)


def attends_to_itself(inputs: tuple[Any, ...], queries: int, keys: int) -> bool:
    """Whether the queries of a call attend to each other: there are as many keys, and no other argument has them."""
    others = [one for one in inputs[1:] if isinstance(one, Tensor) and one is not inputs[0]]
    return queries == keys and not any(one.is_floating_point() and keys in one.shape[:-1] for one in others)
