"""What look-ups of other libraries found: nearest neighbours in an index, and codes of a codebook."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ktviz.errors import TraceError
from ktviz.retrieval.matches import Matches
from ktviz.trace.tensors import tensors_of

Array = npt.NDArray[Any]


def neighbours_reader(cosine: bool = False) -> Callable[[tuple[Any, ...], Any], Matches]:
    """A reader of nearest neighbours, as faiss, usearch and scikit-learn give them: numbers of entries and distances.

    Args:
        cosine: Whether the numbers beside them are similarities, the larger the better, instead of distances.
    """

    def read(inputs: tuple[Any, ...], output: Any) -> Matches:
        parts = list(arrays_of(output))
        entry = next((one for one in parts if one.dtype.kind in "iu"), None)
        if entry is None:
            raise TraceError(
                "read neighbours", "no whole numbers in what was returned", "Return numbers of entries, too"
            )
        rows = torch.from_numpy(in_rows(entry).astype(np.int64))
        near = next((one for one in parts if one.dtype.kind == "f" and one.shape == entry.shape), None)
        score = torch.zeros(rows.shape)
        if near is not None:
            distance = torch.from_numpy(in_rows(near).astype(np.float32))
            score = distance if cosine else -distance
        return Matches.hard(rows, score.masked_fill(rows < 0, -torch.inf))

    return read


def in_rows(values: Array) -> Array:
    """(N, k) of values (..., k), or (N,) of one neighbour each."""
    return values.reshape(-1, values.shape[-1]) if values.ndim > 1 else values[:, None]


def arrays_of(value: Any) -> Iterator[Array]:
    """All arrays and tensors in a result, in its order; of usearch the keys and distances, -1 where fewer were found
    than were asked for."""
    if isinstance(value, Tensor):
        yield value.detach().cpu().numpy()
    elif isinstance(value, np.ndarray):
        yield value
    elif is_usearch(value):
        yield from of_usearch([value[n] for n in range(len(value))] if hasattr(value, "counts") else [value])
    elif isinstance(value, Sequence) and len(value) and all(map(is_usearch, value)):
        yield from of_usearch(value)
    elif isinstance(value, Sequence):
        for one in value:
            yield from arrays_of(one)


def is_usearch(value: Any) -> bool:
    """Whether something is what usearch returns: `Matches` of one query, or `BatchMatches` of several."""
    return hasattr(value, "keys") and hasattr(value, "distances")


def of_usearch(found: Sequence[Any]) -> tuple[Array, Array]:
    """Keys and distances (N, k) of the `Matches` of N queries."""
    most = max((len(one) for one in found), default=0) or 1
    keys, distances = np.full((len(found), most), -1, np.int64), np.full((len(found), most), np.inf, np.float32)
    for row, one in enumerate(found):
        keys[row, : len(one)], distances[row, : len(one)] = one.keys, one.distances
    return keys, distances


def read_codes(inputs: tuple[Any, ...], output: Any) -> list[Matches]:
    """A reader of a codebook, one `Matches` per image: the whole numbers in what a quantiser returns, one per place of
    what it quantised."""
    tensors = [tensor.detach() for tensor in tensors_of(output) if tensor.ndim]
    codes = next((one for one in tensors if not one.is_floating_point() and one.dtype != torch.bool), None)
    if codes is None:
        raise TraceError("read a codebook", "no numbers of codes in what was returned", "Return them with the codes")
    quantised = next((one for one in tensors if one.is_floating_point() and one.ndim >= 3), None)
    return [Matches.hard(image, torch.ones(len(image))) for image in by_place(codes.cpu().long(), quantised)]


def by_place(codes: Tensor, quantised: Tensor | None) -> Tensor:
    """Numbers of codes as (B, places), row by row.

    Args:
        codes: (B, ...), or (B * places,) or (B * places, 1) image by image.
        quantised: What they stand for: (B, C, rows, columns), (B, rows, columns, C), (B, places, C) or
            (B, C, places); None if it is not known.

    Raises:
        TraceError: Several codes per place, or codes that do not say which image they are of.
    """
    asked = "read a codebook"
    if quantised is None:
        if codes.ndim < 2 or (codes.ndim == 2 and codes.shape[1] == 1):
            found = f"codes {tuple(codes.shape)}, and nothing that says which are of which image"
            raise TraceError(asked, found, "Return what they stand for, too, or the codes as (B, rows, columns)")
        return codes.flatten(1)
    count, sides = len(quantised), quantised.shape[1:]
    grids = (sides[1:], sides[:-1])
    several = codes.ndim > 2 and codes.shape[-1] > 1 and codes.shape[1:-1] in grids
    if several or codes.numel() not in {count * math.prod(grid) for grid in grids}:
        found = f"codes {tuple(codes.shape)} for what is {tuple(quantised.shape)}"
        raise TraceError(asked, found, "One code per place can be read; else write a reader: kt.adapt(module, ...)")
    return codes.reshape(count, -1)
