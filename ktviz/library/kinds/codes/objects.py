"""Objects: the entries of a bank of codes, as columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import pyarrow as pa

from ktviz.library.kinds.codes.rows import COLUMNS, Codes, Numbers, Values, vectors

SOURCE = pa.field("source", pa.int32())
CENTRE = pa.field("centre", pa.int32())
ENTRIES = pa.schema([SOURCE, *COLUMNS, CENTRE])
"""What stands in the table of all objects of a bank."""


@dataclass(frozen=True, eq=False)
class Objects:
    """n objects.

    Attributes:
        source: (n,) number of the source of each, ascending.
        number: (n,) number of each in its source, ascending there.
        label: (n,) class of each.
        area: (n,) in 32nds of the picture.
        box: (n, 4) x, y, width, height in px.
        code: (n, C).
    """

    source: Numbers
    number: Numbers
    label: Numbers
    area: Values
    box: Numbers
    code: Codes

    def __len__(self) -> int:
        return len(self.source)

    @classmethod
    def of(cls, table: pa.Table, size: int) -> Objects:
        """The objects of a table; ValueError where it holds something else.

        Args:
            table: With the columns of `ENTRIES`.
            size: Numbers of a code.
        """
        source, number, label = (table[name].to_numpy().astype(np.int64) for name in ("source", "number", "label"))
        box = vectors(table["box"], 4).astype(np.int64)
        code = vectors(table["code"], size).astype(np.float64)
        return cls(source, number, label, table["area"].to_numpy().copy(), box, code)

    @classmethod
    def joined(cls, parts: Sequence[Objects], first_source: Sequence[int]) -> Objects:
        """The objects of several banks, sources numbered through."""
        columns = {part.name: np.concatenate([getattr(one, part.name) for one in parts]) for part in fields(cls)}
        shift = np.repeat(np.asarray(first_source, np.int64), [len(one) for one in parts])
        return cls(**{**columns, "source": columns["source"] + shift})


def with_sources(tables: Sequence[pa.Table]) -> pa.Table:
    """The tables of several sources as one that says which each row is of."""
    rows = pa.concat_tables(tables)
    source = np.repeat(np.arange(len(tables), dtype=np.int32), [table.num_rows for table in tables])
    return rows.add_column(0, SOURCE, pa.array(source))
