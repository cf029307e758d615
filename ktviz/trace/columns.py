"""From the readings of sites to the columns of a trace, in plain arrays that keep no tensor alive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import torch
from torch import Tensor

from ktviz.errors import TraceError
from ktviz.retrieval.extension import Extension
from ktviz.retrieval.matches import Kind, Matches
from ktviz.retrieval.site import Reading
from ktviz.trace.schema import schema_of

Array = npt.NDArray[np.generic]
LAST_RANK = np.iinfo(np.int16).max
"""What the column of ranks can hold."""

NUMBER = "source_number"
"""The column of the sources' numbers in their knowledge, before they have names."""


@dataclass(frozen=True)
class Rows:
    """The retrievals of one image at one site, as columns of one row per query and rank.

    Attributes:
        columns: By the names of the schema; names of site, canvas, source and bank are not there yet.
        winners: Extensions that only winners have: one row per query.
        site: Number of the site.
        knowledge: Number of the knowledge that the source numbers mean.
        kind: How the candidates were used.
        queries: How many there are.
        labels: (H, W) label map of the canvas, or None.
        first: Number of the first query: a site that is called again in one run goes on counting.
    """

    columns: Mapping[str, Array]
    winners: Mapping[str, Array]
    site: int
    knowledge: int
    kind: Kind
    queries: int
    labels: npt.NDArray[np.int64] | None = field(default=None, repr=False)
    first: int = 0

    def __len__(self) -> int:
        return len(self.columns["query"])

    @property
    def nbytes(self) -> int:
        labels = 0 if self.labels is None else self.labels.nbytes
        return labels + sum(column.nbytes for column in (*self.columns.values(), *self.winners.values()))

    def clipped(self, height: int, width: int) -> Rows:
        """The same with boxes that end where the canvas ends: the last queries may look at padding."""
        box = self.columns["box"].astype(np.float32)
        box[:, 2:] = np.minimum(box[:, :2] + box[:, 2:], (width, height)) - box[:, :2]
        return replace(self, columns={**self.columns, "box": box})

    def only_winners(self) -> Rows:
        """The chosen rows only; what the others weighed becomes left-over mass."""
        chosen = self.columns["chosen"].astype(bool)
        columns = {name: column[chosen] for name, column in self.columns.items()}
        left_over = 1 - columns["weight"]
        columns["left_over"] = left_over if self.kind == "signed" else left_over.clip(0)
        return replace(self, columns=columns)


def rows_of(
    reading: Reading, site: int, knowledge: int, candidates: int | None, prefix: str, extensions: Sequence[Extension]
) -> Rows:
    """Columns of a reading.

    Args:
        reading: What a site said.
        site: Number of the site.
        knowledge: Number of the reading's knowledge.
        candidates: Candidates to keep per query; None keeps all.
        prefix: Of the site's extensions.
        extensions: What the site declares.

    Raises:
        TraceError: The reading lacks an extension, or has one of another shape than declared; or a number of it is not
            finite; or it has more candidates than ranks.
    """
    check_extensions(reading.matches, prefix, extensions)
    margin = reading.matches.margin.detach().cpu()  # of all candidates: it does not depend on how many are kept
    reading, rank = keep(on_cpu(reading), candidates, [e.name for e in extensions if e.of == "candidate"])
    check_ranks(rank)
    matches, queries = reading.matches, reading.queries
    count, width = matches.entry.shape
    chosen = torch.arange(width) == matches.chosen[:, None]
    weight = chosen.float() if matches.weight is None else matches.weight
    left_over = torch.zeros(count) if matches.weight is None else 1 - weight.sum(1)
    margin = torch.where(torch.isfinite(margin), margin, torch.nan)
    entry = matches.entry.clamp(min=0)

    def per_query(values: Tensor) -> Tensor:
        return values[:, None].expand(count, width, *values.shape[1:])

    columns = {
        "query": per_query(torch.arange(count, dtype=torch.int32)),
        "box": per_query(queries.box),
        "rank": rank.short(),
        "chosen": chosen,
        "weight": weight,
        "left_over": per_query(left_over if matches.kind == "signed" else left_over.clamp(min=0)),
        "entry": matches.entry,
        NUMBER: reading.knowledge.source_of(entry).int(),
        "source_box": reading.knowledge.boxes(entry.flatten()).view(count, width, 4),
        "similarity": matches.similarity,
        "margin": per_query(margin),
    }
    for name in ("y", "x", "label"):
        if (place := getattr(queries, name)) is not None:
            columns[name] = per_query(place.int())
    for extension in (e for e in extensions if e.of != "winner"):
        values = matches[extension.name]
        columns[f"{prefix}.{extension.name}"] = values if extension.of == "candidate" else per_query(values)
    real = (matches.entry >= 0).flatten()
    rows = slice(None) if real.all() else real  # a copy less, where no query had fewer candidates than others
    arrays = {name: as_array(column.flatten(0, 1)[rows]) for name, column in columns.items()}
    check_finite(arrays)
    winners = {f"{prefix}.{e.name}": as_array(matches[e.name]) for e in extensions if e.of == "winner"}
    labels = None if queries.labels is None else queries.labels.numpy().astype(np.int64)
    return Rows(arrays, winners, site, knowledge, matches.kind, count, labels)


def check_extensions(matches: Matches, prefix: str, extensions: Sequence[Extension]) -> None:
    """Raise TraceError unless matches have what their site declares, in its shape."""
    for extension in extensions:
        asked, values = f"record {prefix}.{extension.name}", matches.extensions.get(extension.name)
        if values is None:
            raise TraceError(asked, "the matches lack it", f"Give them extensions={{{extension.name!r}: ...}}")
        shape = tuple(matches.entry.shape if extension.of == "candidate" else matches.entry.shape[:1])
        if tuple(values.shape[: len(shape)]) != shape:
            raise TraceError(
                asked, f"a shape {tuple(values.shape)}, for one value per {extension.of} {shape}", "Mend the reader"
            )


def check_ranks(rank: Tensor) -> None:
    """Raise TraceError where candidates stand further back than ranks go."""
    last = int(rank.max()) if rank.numel() else 0
    if last > LAST_RANK:
        found = f"a candidate at rank {last:,}, and ranks go to {LAST_RANK:,}"
        raise TraceError("record retrievals", found, f"Keep fewer: kt.record(model, candidates={LAST_RANK + 1})")


def check_finite(columns: Mapping[str, Array]) -> None:
    """Raise TraceError where a number that every candidate has is none: the trace could not be read again."""
    for name in ("box", "weight", "similarity"):
        if not np.isfinite(columns[name]).all():
            raise TraceError("record retrievals", f"a {name} that is not finite", "Give such a candidate the entry -1")


def as_array(tensor: Tensor) -> Array:
    """A copy outside torch: an array that torch lends would keep its tensor alive."""
    return tensor.detach().cpu().numpy().copy()


def on_cpu(reading: Reading) -> Reading:
    """The same without gradients, wherever the model computes."""
    matches = reading.matches
    extensions = {name: values.detach().cpu() for name, values in matches.extensions.items()}
    return replace(
        reading,
        matches=replace(matches, **moved(matches), extensions=extensions),
        queries=replace(reading.queries, **moved(reading.queries)),
    )


def moved(values: object) -> dict[str, Any]:
    return {name: value.detach().cpu() for name, value in vars(values).items() if isinstance(value, Tensor)}


def keep(reading: Reading, candidates: int | None, of_candidates: Sequence[str]) -> tuple[Reading, Tensor]:
    """The first candidates, and the rank of each: (N, k).

    One that was chosen from further back takes the place of the last of them, and keeps its rank.

    Args:
        reading: Of one image.
        candidates: How many; None for all.
        of_candidates: Extensions that have a value for each.
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

    kept = replace(
        matches,
        entry=first(matches.entry),
        similarity=first(matches.similarity),
        chosen=matches.chosen.clamp(max=candidates - 1),
        weight=None if matches.weight is None else first(matches.weight),
        extensions={**matches.extensions, **{name: first(matches[name]) for name in of_candidates}},
    )
    return replace(reading, matches=kept), column


def to_table(
    rows: Sequence[Rows],
    images: Sequence[int],
    sites: Sequence[Mapping[str, Any]],
    names: Sequence[Sequence[tuple[str, str]]],
    catalogues: Sequence[str],
) -> pa.Table:
    """A table of the schema.

    Args:
        rows: In the order they were recorded.
        images: Number of the image of each.
        sites: What the metadata say of each site.
        names: (source, bank) of every source of each knowledge.
        catalogues: What each knowledge is called.
    """
    schema = schema_of(sites)
    sources = list(dict.fromkeys(pair for knowledge in names for pair in knowledge))
    place = {pair: number for number, pair in enumerate(sources)}
    bank_names = list(dict.fromkeys(bank for _, bank in sources))
    bank_of = np.array([bank_names.index(bank) for _, bank in sources], dtype=np.int32)
    canvases = list(dict.fromkeys(str(site["canvas"]) for site in sites))
    tables = []
    for part, image in zip(rows, images, strict=True):
        numbers = np.array([place[pair] for pair in names[part.knowledge]], dtype=np.int32)
        source = numbers[part.columns[NUMBER].astype(np.int64)]
        arrays: dict[str, pa.Array] = {
            "image": pa.array(np.full(len(part), image, dtype=np.int32)),
            "site": alike(part, part.site, [str(site["name"]) for site in sites]),
            "canvas": alike(part, canvases.index(sites[part.site]["canvas"]), canvases),
            "catalogue": alike(part, part.knowledge, catalogues),
            "source": named(source, [name for name, _ in sources]),
            "bank": named(bank_of[source], bank_names),
            **{name: of_winners(part, values, schema.field(name).type) for name, values in part.winners.items()},
        }
        for column in schema:
            if column.name not in arrays:
                arrays[column.name] = arrow_column(part.columns.get(column.name), column.type, len(part))
        arrays["query"] = pc.add(arrays["query"], pa.scalar(part.first, pa.int32()))
        tables.append(pa.table([arrays[name] for name in schema.names], schema=schema))
    return pa.concat_tables(tables).combine_chunks() if tables else schema.empty_table()


def alike(rows: Rows, number: int, names: Sequence[str]) -> pa.Array:
    """A column that names one thing throughout."""
    return named(np.full(len(rows), number, dtype=np.int32), names)


def named(numbers: Array, names: Sequence[str]) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(numbers.astype(np.int32)), pa.array(list(names), pa.string()))


def arrow_column(values: Array | None, kind: pa.DataType, count: int) -> pa.Array:
    """A column, NaN as null; all null where there are no values."""
    if values is None:
        return pa.nulls(count, kind)
    if pa.types.is_list(kind):
        return lists(values, np.ones(count, dtype=bool), kind)
    if not pa.types.is_fixed_size_list(kind):
        return pa.array(as_type(values, kind), kind, from_pandas=True)
    whole = np.isnan(values).any(1)
    flat = pa.array(as_type(np.nan_to_num(values).reshape(-1), kind.value_type), kind.value_type)
    return pa.FixedSizeListArray.from_arrays(flat, type=kind, mask=pa.array(whole) if whole.any() else None)


def as_type(values: Array, kind: pa.DataType) -> Array:
    """Numbers in the precision of their column."""
    return values.astype(kind.to_pandas_dtype())


def of_winners(rows: Rows, values: Array, kind: pa.DataType) -> pa.Array:
    """A column of what only winners have: values (queries, ...), null in the other rows."""
    chosen = rows.columns["chosen"].astype(bool)
    mine = values[rows.columns["query"].astype(np.int64)]
    if pa.types.is_list(kind):
        return lists(mine, chosen, kind)
    column = arrow_column(mine, kind, len(rows))
    return pc.if_else(pa.array(chosen), column, pa.scalar(None, kind))


def lists(values: Array, there: npt.NDArray[np.bool_], kind: pa.ListType) -> pa.Array:
    """Lists of any length from (rows, most) values, filled up with -1 or -inf; null where there is none."""
    nothing = values == (-np.inf if np.issubdtype(values.dtype, np.floating) else -1)
    inside = ~nothing & there[:, None]
    # An offset that is null makes its list null.
    offsets = pa.array(np.concatenate(([0], inside.sum(1).cumsum())), pa.int32())
    flat = pa.array(as_type(values[inside], kind.value_type), kind.value_type)
    return pa.ListArray.from_arrays(offsets, flat, mask=pa.array(~there))
