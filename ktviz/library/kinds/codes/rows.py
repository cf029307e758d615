"""Rows: the objects of a picture, each with its code, as a bank keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from torch import Tensor

from ktviz.files import replacing
from ktviz.labels import class_of
from ktviz.tables import MOST_VALUES, read_rows

AREA_PARTS = 32
"""An area of 1 is this part of the picture."""
WHOLE = -1
"""Number of what is no object but the whole picture, and its class."""

Codes = npt.NDArray[np.float64]
"""(C,) or (n, C)."""
Values = npt.NDArray[np.float64]
"""(n,)."""
Numbers = npt.NDArray[np.int64]
"""(n,), or (n, 4) of boxes."""

COLUMNS = [
    pa.field("number", pa.int32()),
    pa.field("label", pa.int32()),
    pa.field("area", pa.float64()),
    pa.field("box", pa.list_(pa.field("element", pa.int32()))),
    pa.field("code", pa.list_(pa.field("element", pa.float64()))),
]
SCHEMA = pa.schema(COLUMNS)
"""What stands in the table of one source."""


@dataclass(frozen=True)
class Row:
    """One object of one picture.

    Attributes:
        number: Of the object; `WHOLE` for a whole picture.
        label: Its class; `WHOLE` for a whole picture.
        code: What the encoder says of it: (codes,).
        area: In 32nds of the picture.
        box: The rectangle around it: x, y, width and height in px.
    """

    number: int
    label: int
    code: Codes
    area: float
    box: tuple[int, int, int, int]


def rows_of(codes: Tensor, numbers: Tensor) -> list[Row]:
    """The objects of a picture, by number.

    Args:
        codes: (C, H, W), the same at all pixels of an object.
        numbers: (H, W) int, of the objects.

    Example:
        >>> import torch
        >>> [row] = rows_of(torch.ones(3, 16, 16), torch.full((16, 16), 26001))
        >>> row.label, row.area, row.box
        (26, 32.0, (0, 0, 16, 16))
    """
    flat = codes.flatten(1)
    return [
        Row(number, class_of(number), flat[:, place].double().numpy(), area, box)
        for number, area, box, place in outlines(numbers.numpy())
    ]


def outlines(numbers: npt.NDArray[np.integer]) -> list[tuple[int, float, tuple[int, int, int, int], int]]:
    """Number, area, box and a pixel of each object (the middle one as they are read), by number."""
    from scipy import ndimage  # seldom needed, and half a second

    least = int(numbers.min())
    counts = np.bincount((numbers - least).ravel())  # numbers are few, so that this is faster than sorting them
    found = np.flatnonzero(counts)
    place = (np.cumsum(counts > 0) - 1)[numbers - least]
    counts = counts[found]
    ordered, ends = np.argsort(place.astype(np.min_scalar_type(len(found))), axis=None, kind="stable"), counts.cumsum()
    unit = numbers.size // AREA_PARTS
    objects = []
    for n, (down, across) in enumerate(ndimage.find_objects(place + 1)):
        box = int(across.start), int(down.start), int(across.stop - across.start), int(down.stop - down.start)
        middle = ordered[ends[n] - counts[n] + counts[n] // 2]
        objects.append((int(found[n]) + least, float(counts[n] / unit), box, int(middle)))
    return objects


def rows_table(rows: Sequence[Row]) -> pa.Table:
    """Rows as a table of one source."""
    columns = [
        [row.number for row in rows],
        [row.label for row in rows],
        [row.area for row in rows],
        [row.box for row in rows],
        [row.code.tolist() for row in rows],
    ]
    return pa.table(
        [pa.array(column, field.type) for column, field in zip(columns, SCHEMA, strict=True)], schema=SCHEMA
    )


def write_table(path: Path, table: pa.Table) -> None:
    """Write a table whose numbers stand in the file as they are, so that what is removed can be seen to be gone."""
    with replacing(path) as partial:
        pq.write_table(table, partial, compression="none", use_dictionary=False)


def read_table(path: Path, schema: pa.Schema) -> pa.Table:
    """A table of known columns, all of them filled; raises what readers raise, and ValueError for another table."""
    table = read_rows(path, most=MOST_VALUES)
    if table.schema.names != schema.names or table.schema.types != schema.types:
        raise ValueError(f"{path.name} has other columns than {', '.join(schema.names)}")
    if any(column.null_count for column in table.columns):
        raise ValueError(f"{path.name} has gaps")
    return table.replace_schema_metadata()


def vectors(column: pa.ChunkedArray, size: int) -> npt.NDArray[np.generic]:
    """A column of lists, all of one length: (n, size); ValueError for another length."""
    lists = column.combine_chunks()
    if not lists.value_lengths().equals(pa.array([size] * len(lists), pa.int32())) or lists.flatten().null_count:
        raise ValueError(f"expected {size} numbers in each list")
    found: npt.NDArray[np.generic] = lists.flatten().to_numpy().reshape(len(lists), size)
    return found
