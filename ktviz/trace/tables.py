"""The rows of a trace as other programs take them: Arrow without half precision, and plain columns without lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

PARTS = ("x", "y", "width", "height")
"""What the four numbers of a box are."""


def widened(table: pa.Table) -> pa.Table:
    """A table with single instead of half precision, which most programs cannot read."""
    return table.cast(pa.schema([field.with_type(wide(field.type)) for field in table.schema], table.schema.metadata))


def wide(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_fixed_size_list(kind):
        return pa.list_(wide(kind.value_type), kind.list_size)
    return pa.float32() if pa.types.is_float16(kind) else kind


def flat(table: pa.Table, parts: Mapping[str, Sequence[str]]) -> pa.Table:
    """A table with one column for each number of a list: `box_x`, `kt.query_bands_ll`; null beyond its end.

    Args:
        table: Of a trace.
        parts: What the numbers of an extension's list are, by the name of its column.
    """
    table = widened(table)
    columns = {}
    for name in table.column_names:
        column = table[name].combine_chunks()
        if pa.types.is_fixed_size_list(column.type):
            for place, part in enumerate(parts.get(name, PARTS)):
                columns[f"{name}_{part}"] = pc.list_element(column, place)
        elif pa.types.is_list(column.type):
            columns |= {f"{name}_{place}": numbers for place, numbers in enumerate(spread_out(column))}
        else:
            columns[name] = column
    return pa.table(columns)


def spread_out(lists: pa.ListArray) -> list[pa.Array]:
    """The first numbers of lists of any length, the second ones, and so on."""
    lengths = pc.fill_null(lists.value_lengths(), 0).to_numpy()
    starts = lengths.cumsum() - lengths
    values = lists.flatten()
    return [
        values.take(pa.array(starts + place, mask=lengths <= place)) for place in range(int(np.max(lengths, initial=0)))
    ]
