"""A trace as a table: its rows and columns, for any program that reads tables."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from ktviz.errors import unknown_name
from ktviz.trace.content import Content
from ktviz.trace.tables import flat as flattened
from ktviz.trace.tables import widened


class Tabular(Content):
    """What a trace holds, row by row and column by column."""

    def __len__(self) -> int:
        """Number of retrievals (queries)."""
        return len(self.winners)

    @cached_property
    def digest(self) -> str:
        """Equal for equal retrievals of equal inputs by equal models and libraries, on any machine."""
        from ktviz.trace.storage import table_digest

        return table_digest(self.table, self.about, [picture.about for picture in self.pictures])

    @cached_property
    def winners(self) -> pa.Table:
        """The chosen row of every retrieval."""
        return self.table.filter(self.table["chosen"])

    def has(self, name: str) -> bool:
        """Whether there is such a column: extensions differ from system to system. Names as in `column`.

        Example:
            >>> trace.has("path"), trace.has("temperature")
            (True, False)
        """
        return self.full_name(name) in self.table.column_names

    def full_name(self, name: str) -> str:
        """The name of an extension with its site's prefix: "kt.path" for "path"; other names as they are.

        Example:
            >>> trace.full_name("path"), trace.full_name("box")
            ('kt.path', 'box')
        """
        if name in self.table.column_names:
            return name
        extensions = (column for column in self.table.column_names if "." in column)
        return next((column for column in extensions if column.split(".", 1)[1] == name), name)

    def column(self, name: str, *, winners: bool = True) -> npt.NDArray[Any]:
        """A column as an array (rows,) or (rows, 4); null as NaN. Extensions go without their prefix, too: "path".

        Raises:
            UnknownNameError: There is none of that name; see `has`.

        Example:
            >>> trace.column("source")[0], trace.column("box").shape, trace.column("similarity", winners=False).shape
            ('toy/flat/red.png', (98, 4), (784,))
        """
        if not self.has(name):
            raise unknown_name("column", name, self.table.column_names)
        column = (self.winners if winners else self.table)[self.full_name(name)].combine_chunks()
        if pa.types.is_dictionary(column.type):
            return np.asarray(column.dictionary_decode().to_numpy(zero_copy_only=False))
        if pa.types.is_fixed_size_list(column.type):
            values = np.full((len(column), 4), np.nan, dtype=np.float32)
            values[~column.is_null().to_numpy(zero_copy_only=False)] = column.flatten().to_numpy().reshape(-1, 4)
            return values
        return np.asarray(column.to_numpy(zero_copy_only=False))

    def to_arrow(self) -> pa.Table:
        """The rows, with the metadata in the schema; what is kept in half precision comes as float32."""
        from ktviz.trace.storage import with_metadata

        return widened(with_metadata(self))

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The rows for any program that speaks Arrow: `pl.DataFrame(trace)`, `pa.table(trace)`, duckdb."""
        return self.to_arrow().__arrow_c_stream__(requested_schema)

    def to_pandas(self, *, flat: bool = False) -> pd.DataFrame:
        """The rows as a DataFrame.

        Args:
            flat: One column for each number: box_x, box_y, box_width, box_height, kt.query_bands_ll, kt.path_0 ...;
                otherwise boxes are arrays x, y, width, height.

        Example:
            >>> trace.to_pandas(flat=True)[["box_x", "box_width"]].head(2).values.tolist()
            [[0.0, 16.0], [0.0, 16.0]]
        """
        parts = {e["name"]: e["parts"] for site in self.about["sites"] for e in site["extensions"] if e["parts"]}
        rows: pd.DataFrame = (flattened(self.table, parts) if flat else self.table).to_pandas()
        return rows
