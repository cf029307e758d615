"""Parquet tables that anybody may have written: what they would take is looked at before they are read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

MOST_ROWS = 1 << 24
"""Two million retrievals, eight candidates each; a photograph of 16,384 px has half of that."""
MOST_VALUES = 8 * MOST_ROWS
"""Of a column of lists: a retrieval has four numbers of a box, or a path of about that length."""
MOST_BYTES = 1 << 30
"""Of a column, decompressed, and of its texts, written out."""


def read_rows(path: Path, columns: Sequence[str] | None = None, most: int = MOST_ROWS) -> pa.Table:
    """The rows of a table, of at most so many.

    A few kilobytes can state a thousand million values. Lengths are looked at before anything is read; texts are read
    as dictionaries, each different one once, and written out only if they fit.

    Raises:
        ValueError: It has more rows than may be, or its columns are too large.
        OSError, ArrowException: It cannot be read.
    """
    with pq.ParquetFile(path) as file:
        check_extent(file, most)
        leaves = [file.schema.column(number) for number in range(len(file.schema))]
        texts = [leaf.path for leaf in leaves if leaf.physical_type == "BYTE_ARRAY"]
        wanted = file.schema_arrow
    with pq.ParquetFile(path, read_dictionary=texts) as file:
        table = file.read(None if columns is None else list(columns))
    for place, name in enumerate(table.column_names):
        table = table.set_column(place, wanted.field(name), written_out(table[name], wanted.field(name)))
    return table


def check_extent(file: pq.ParquetFile, most: int) -> None:
    """Raise ValueError if a file states more rows, values or bytes than a table may have.

    What it states of its columns is asked only after they were scanned, page by page: where it is damaged, that raises,
    and asking would end the process.
    """
    metadata = file.metadata
    if metadata.num_rows > most:
        raise ValueError(f"{metadata.num_rows:,} rows, at most {most:,} can be")
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    if (size := sum(group.total_byte_size for group in groups)) > metadata.num_columns * MOST_BYTES:
        raise ValueError(f"{size:,} bytes, at most {metadata.num_columns * MOST_BYTES:,} can be")
    file.scan_contents(columns=[])
    for number in range(metadata.num_columns):
        chunks = [group.column(number) for group in groups]
        for what, found, limit in (
            ("values", sum(chunk.num_values for chunk in chunks), MOST_VALUES),
            ("bytes", sum(chunk.total_uncompressed_size for chunk in chunks), MOST_BYTES),
        ):
            if found > limit:
                raise ValueError(f"{found:,} {what} in {chunks[0].path_in_schema}, at most {limit:,} can be")


def written_out(column: pa.ChunkedArray, wanted: pa.Field) -> pa.ChunkedArray:
    """A column of the type that its file states; ValueError if its texts would take too much room."""
    if column.type == wanted.type:
        return column
    texts = column
    while pa.types.is_list(texts.type) or pa.types.is_large_list(texts.type):
        texts = pc.list_flatten(texts)
    if pa.types.is_dictionary(texts.type):
        size = sum(text_bytes(chunk) for chunk in texts.chunks)
        if size > MOST_BYTES:
            raise ValueError(f"{size:,} bytes of text in {wanted.name}, at most {MOST_BYTES:,} can be")
    return column.cast(wanted.type)


def text_bytes(texts: pa.DictionaryArray) -> int:
    """Bytes of texts, were each written out."""
    return pc.sum(pc.take(pc.binary_length(texts.dictionary).cast(pa.int64()), texts.indices)).as_py() or 0
