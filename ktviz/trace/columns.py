"""From the readings of sites to the columns of a trace, in plain arrays that keep no tensor alive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import torch
from torch import Tensor

from ktviz.retrieval.matches import Matches
from ktviz.retrieval.site import Reading
from ktviz.trace.schema import BANDS, SCHEMA

Array = npt.NDArray[np.generic]
MISSING = -1
"""Stands for null in columns of integers."""


@dataclass(frozen=True)
class Rows:
    """The retrievals of one image at one site, as columns of one row per query and rank.

    Attributes:
        columns: By the names of the schema; `source` and `bank` are not there yet, `source_number` is.
        path: (queries, depth) and
        path_similarity: (queries, depth), one row per query; -1 and NaN beyond the leaf.
        knowledge: Number of the knowledge that the source numbers mean.
        first: Number of the first query: a site that is called again in one run goes on counting.
    """

    columns: Mapping[str, Array]
    path: Array
    path_similarity: Array
    knowledge: int
    first: int = 0

    def __len__(self) -> int:
        return len(self.columns["query"])

    @property
    def nbytes(self) -> int:
        return sum(column.nbytes for column in self.columns.values()) + self.path.nbytes + self.path_similarity.nbytes

    def clipped(self, height: int, width: int) -> Rows:
        """The same with boxes that end where the image ends: the last queries may look at padding."""
        box = self.columns["box"].astype(np.float32)
        box[:, 2:] = np.minimum(box[:, :2] + box[:, 2:], (width, height)) - box[:, :2]
        return replace(self, columns={**self.columns, "box": box})

    def winners(self) -> Rows:
        """The chosen rows only; what the others weighed becomes left-over mass."""
        chosen = self.columns["chosen"].astype(bool)
        columns = {name: column[chosen] for name, column in self.columns.items()}
        columns["left_over"] = (1 - columns["weight"]).clip(0)
        return replace(self, columns=columns)


def rows_of(reading: Reading, site: int, knowledge: int, candidates: int | None) -> Rows:
    """Columns of a reading.

    Args:
        reading: What a site said.
        site: Number of the site.
        knowledge: Number of the reading's knowledge.
        candidates: Candidates to keep per query; None keeps all.
    """
    margin = reading.matches.margin.detach().cpu()  # of all candidates: it does not depend on how many are kept
    reading, rank = keep(on_cpu(reading), candidates)
    matches, queries = reading.matches, reading.queries
    count, width = matches.entry.shape
    chosen = torch.arange(width) == matches.chosen[:, None]
    weight = chosen.float() if matches.weight is None else matches.weight
    left_over = (1 - weight.sum(1)).clamp(min=0) if matches.weight is not None else torch.zeros(count)
    margin = torch.where(torch.isfinite(margin), margin, torch.nan)
    entry = matches.entry.clamp(min=0)

    def per_query(values: Tensor) -> Tensor:
        return values[:, None].expand(count, width, *values.shape[1:])

    columns = {
        "query": per_query(torch.arange(count, dtype=torch.int32)),
        "y": per_query(queries.y.int()),
        "x": per_query(queries.x.int()),
        "box": per_query(queries.box),
        "rank": rank.short(),
        "chosen": chosen,
        "coherent": chosen & matches.coherent[:, None],
        "weight": weight,
        "left_over": per_query(left_over),
        "entry": matches.entry,
        "source_number": reading.knowledge.source_of(entry).int(),
        "source_box": reading.knowledge.boxes(entry.flatten()).view(count, width, 4),
        "similarity": matches.similarity,
        "margin": per_query(margin),
    }
    if matches.band_similarity.shape[2]:
        columns |= {f"similarity_{band}": matches.band_similarity[..., n].half() for n, band in enumerate(BANDS)}
    if reading.query_bands is not None and reading.entry_bands is not None:
        columns |= {"query_bands": per_query(reading.query_bands.half()), "entry_bands": reading.entry_bands.half()}
    real = (matches.entry >= 0).flatten()
    arrays = {name: as_array(column.flatten(0, 1)[real]) for name, column in columns.items()}
    arrays["site"] = np.full(len(arrays["query"]), site, dtype=np.int32)
    path = as_array(matches.path.int())
    empty = np.full(path.shape, np.nan, dtype=np.float32)
    similarity = empty if reading.path_similarity is None else as_array(reading.path_similarity)
    return Rows(arrays, path, similarity, knowledge)


def as_array(tensor: Tensor) -> Array:
    """A copy outside torch: an array that torch lends would keep its tensor alive."""
    return tensor.detach().cpu().numpy().copy()


def on_cpu(reading: Reading) -> Reading:
    """The same without gradients, wherever the model computes."""
    return replace(
        reading,
        matches=replace(reading.matches, **moved(reading.matches)),
        queries=replace(reading.queries, **moved(reading.queries)),
        **moved(reading),
    )


def moved(values: object) -> dict[str, Any]:
    return {name: value.detach().cpu() for name, value in vars(values).items() if isinstance(value, Tensor)}


def keep(reading: Reading, candidates: int | None) -> tuple[Reading, Tensor]:
    """The first candidates, and the rank of each: (N, k).

    One that was chosen from further back takes the place of the last of them, and keeps its rank.
    """
    matches = reading.matches
    count, width = matches.entry.shape
    if candidates is None or candidates >= width:
        return reading, torch.arange(width).expand(count, width)
    column = torch.arange(candidates).expand(count, candidates).clone()
    far = matches.chosen >= candidates
    column[far, -1] = matches.chosen[far]

    def first(values: Tensor) -> Tensor:
        index = column if values.ndim == 2 else column[..., None].expand(-1, -1, values.shape[2])
        return values.gather(1, index)

    kept = Matches(
        entry=first(matches.entry),
        similarity=first(matches.similarity),
        band_similarity=first(matches.band_similarity),
        path=matches.path,
        chosen=matches.chosen.clamp(max=candidates - 1),
        coherent=matches.coherent,
        weight=None if matches.weight is None else first(matches.weight),
    )
    bands = None if reading.entry_bands is None else first(reading.entry_bands)
    return replace(reading, matches=kept, entry_bands=bands), column


def to_table(
    rows: Sequence[Rows], images: Sequence[int], sites: Sequence[str], names: Sequence[Sequence[tuple[str, str]]]
) -> pa.Table:
    """A table of the schema.

    Args:
        rows: In the order they were recorded.
        images: Number of the image of each.
        sites: Names of the sites.
        names: (source, bank) of every source of each knowledge.
    """
    sources = list(dict.fromkeys(pair for knowledge in names for pair in knowledge))
    place = {pair: number for number, pair in enumerate(sources)}
    bank_names = list(dict.fromkeys(bank for _, bank in sources))
    bank_of = np.array([bank_names.index(bank) for _, bank in sources], dtype=np.int32)
    tables = []
    for part, image in zip(rows, images, strict=True):
        numbers = np.array([place[pair] for pair in names[part.knowledge]], dtype=np.int32)
        source = numbers[part.columns["source_number"].astype(np.int64)]
        arrays: dict[str, pa.Array] = {
            "image": pa.array(np.full(len(part), image, dtype=np.int32)),
            "site": named(part.columns["site"], sites),
            "source": named(source, [name for name, _ in sources]),
            "bank": named(bank_of[source], bank_names),
            **path_columns(part),
        }
        for field in SCHEMA:
            if field.name not in arrays:
                arrays[field.name] = arrow_column(part.columns.get(field.name), field.type, len(part))
        arrays["query"] = pc.add(arrays["query"], pa.scalar(part.first, pa.int32()))
        tables.append(pa.table([arrays[name] for name in SCHEMA.names], schema=SCHEMA))
    return pa.concat_tables(tables).combine_chunks() if tables else SCHEMA.empty_table()


def named(numbers: Array, names: Sequence[str]) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(numbers.astype(np.int32)), pa.array(list(names), pa.string()))


def arrow_column(values: Array | None, kind: pa.DataType, count: int) -> pa.Array:
    """A column, NaN as null; all null where there are no values."""
    if values is None:
        return pa.nulls(count, kind)
    if not pa.types.is_fixed_size_list(kind):
        return pa.array(values, kind, from_pandas=True)
    whole = np.isnan(values).any(1)
    flat = pa.array(np.nan_to_num(values).reshape(-1), kind.value_type)
    return pa.FixedSizeListArray.from_arrays(flat, type=kind, mask=pa.array(whole) if whole.any() else None)


def path_columns(rows: Rows) -> dict[str, pa.Array]:
    """The paths as lists, in the chosen row of each query."""
    chosen = rows.columns["chosen"].astype(bool)
    query = rows.columns["query"][chosen].astype(np.int64)
    path, similarity = rows.path[query], rows.path_similarity[query].astype(np.float32)
    inside = path >= 0
    lengths = np.zeros(len(rows), dtype=np.int64)
    lengths[chosen] = inside.sum(1)
    # An offset that is null makes its list null: rows that were not chosen have no path.
    offsets = pa.array(np.concatenate(([0], lengths.cumsum())), pa.int32())
    mask = pa.array(~chosen)
    return {
        "path": pa.ListArray.from_arrays(offsets, pa.array(path[inside], pa.int32()), mask=mask),
        "path_similarity": pa.ListArray.from_arrays(offsets, pa.array(similarity[inside]), mask=mask),
    }
