"""Results on disk: one Parquet file each, with what is known about them, and pictures, inside."""

from __future__ import annotations

import base64
import json
import os
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ktviz.errors import ImageError, MissingTraceError, StorageError, TraceError
from ktviz.files import check_plain, parse_json, replacing
from ktviz.images import MAX_SIDE, Pixels, decode_image, encode_image, stored_size
from ktviz.tables import MOST_ROWS, read_rows

METADATA = b"ktviz"
PICTURES = b"ktviz.pictures"
MOST_PIXELS = 2 * MAX_SIDE**2
"""Of the pictures in a file: input and output of the largest photograph."""
Sizes = Mapping[str, tuple[int, int] | None]
"""Pictures that a file may hold, by name: height and width where they are stated."""

READ_ERRORS = (
    OSError,
    pa.ArrowException,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    OverflowError,
    MemoryError,
    struct.error,
    ImageError,
)
"""What reading raises where a file is not what it should be."""
FIXED_LISTS = "Expected all lists to be of size"
"""What pyarrow before 26 says of files as ktviz wrote them up to 0.3.1, where lists of fixed length are null."""


@dataclass(frozen=True)
class Stored:
    """What a file holds.

    Attributes:
        table: The rows.
        about: What is known about them; `kind` names the result, `schema` its version.
        pictures: (H, W, 3) uint8 by name.
    """

    table: pa.Table
    about: dict[str, Any]
    pictures: dict[str, Pixels]


def write(
    path: str | os.PathLike[str],
    stored: Stored,
    overwrite: bool,
    dictionary: Sequence[str] | bool = True,
    split: Sequence[str] | bool = False,
) -> None:
    """Write a result; the file appears whole or not at all.

    Args:
        path: Where.
        stored: What.
        overwrite: Whether a file that exists may be replaced.
        dictionary: Columns of few different values.
        split: Columns of floats that are split into bytes, which compress better.

    Raises:
        StorageError: The file exists, it is larger than can be read again, or the disk refuses.
    """
    path, kind = Path(path), stored.about["kind"]
    asked = f"save {kind} as {str(path)!r}"
    if path.exists() and not overwrite:
        raise StorageError(asked, "it exists", "Name another, or say overwrite=True")
    if len(stored.table) > MOST_ROWS:
        raise StorageError(asked, f"{len(stored.table):,} rows, at most {MOST_ROWS:,} can be", "Save it in parts")
    if (pixels := sum(picture.shape[0] * picture.shape[1] for picture in stored.pictures.values())) > MOST_PIXELS:
        raise StorageError(asked, in_all(pixels), "Save it without pictures, or in parts")
    pictures = {name: base64.b64encode(encode_image(pixels)).decode() for name, pixels in stored.pictures.items()}
    table = portable(stored.table)
    with replacing(path) as partial:
        options: dict[str, Any] = {"use_dictionary": dictionary, "use_byte_stream_split": split}
        with pq.ParquetWriter(partial, table.schema, compression="zstd", compression_level=9, **options) as file:
            file.write_table(table)
            file.add_key_value_metadata({METADATA: as_json(stored.about), PICTURES: json.dumps(pictures).encode()})


def portable(table: pa.Table) -> pa.Table:
    """A table as every pyarrow writes and reads it: a list of fixed length may be null for none of them before 26."""
    for place, field in enumerate(table.schema):
        if pa.types.is_fixed_size_list(field.type):
            column = table[place].combine_chunks()
            gaps = column.is_null()
            lengths = np.where(gaps, 0, field.type.list_size)
            offsets = np.concatenate(([0], lengths.cumsum())).astype(np.int32)
            lists = pa.ListArray.from_arrays(offsets, column.flatten(), mask=gaps)
            table = table.set_column(place, pa.field(field.name, lists.type, metadata=field.metadata), lists)
    return table


def as_json(about: Mapping[str, Any]) -> bytes:
    """Metadata as it is written: sorted, so that equal results give equal bytes."""
    return json.dumps(about, sort_keys=True, default=simple).encode()


def simple(value: Any) -> Any:
    """What JSON does not know, as something it does: numbers of NumPy, as rows of a trace give them, and mappings."""
    return value.item() if isinstance(value, np.generic) else dict(value)


def no_pictures(about: Mapping[str, Any]) -> Sizes:
    """Of a kind of file that holds none."""
    return {}


def read(
    path: str | os.PathLike[str],
    kind: str,
    schema: int,
    sizes: Callable[[Mapping[str, Any]], Sizes] = no_pictures,
    former: Sequence[str] = (),
) -> Stored:
    """Read a result.

    Args:
        path: Where.
        kind: What it must be.
        schema: The newest version that can be read.
        sizes: Which pictures a file with such metadata may hold.
        former: What that kind was called before.

    Raises:
        TraceError: Missing, no plain file, cut short, too large, with pictures that it may not hold, another kind of
            file, or of a newer schema.
    """
    path = Path(path)
    asked = f"{kind} {str(path)!r}"
    try:
        check_plain(path)
        with pq.ParquetFile(path) as file:
            metadata = file.metadata.metadata or {}
            about = parse_json(metadata.get(METADATA, b"{}"))
            check_kind(about, (kind, *former), schema, asked)
        table = read_rows(path)
        return Stored(table, about, read_pictures(parse_json(metadata[PICTURES]), sizes(about)))
    except FileNotFoundError:
        raise MissingTraceError(asked, "no such file", "Check the path") from None
    except TraceError:
        raise
    except PermissionError as error:
        raise TraceError(
            asked, f"cannot be read ({error.strerror})", "Ask its owner for permission to read it"
        ) from None
    except READ_ERRORS as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
        if FIXED_LISTS in reason:
            raise TraceError(
                asked, f"pyarrow {pa.__version__} cannot read it", "Use pyarrow 26, and save again"
            ) from None
        raise TraceError(asked, f"damaged or cut short ({reason})", "Restore it, or make it again") from None


def read_pictures(encoded: Mapping[str, str], sizes: Sizes) -> dict[str, Pixels]:
    """Pictures from the text of a file; their names and sizes are looked at before one of them is decoded.

    Raises:
        ValueError: One that is not to be there, or of another size than is stated, or more than can be.
        ImageError: One is damaged, or of another format than ktviz writes.
    """
    if more := sorted({*encoded} - {*sizes}):
        raise ValueError(f"a picture {more[0][:40]!r} that does not belong there")
    data = {name: base64.b64decode(text) for name, text in encoded.items()}
    pixels = 0
    for name, picture in data.items():
        height, width = stored_size(picture, f"picture {name!r}")
        if (stated := sizes[name]) not in (None, (height, width)):
            raise ValueError(f"picture {name!r} is {width}x{height} px, not {stated[1]}x{stated[0]}")
        pixels += height * width
    if pixels > MOST_PIXELS:
        raise ValueError(in_all(pixels))
    return {name: decode_image(picture, f"picture {name!r}") for name, picture in data.items()}


def in_all(pixels: int) -> str:
    return f"pictures of {pixels:,} px in all, at most {MOST_PIXELS:,} can be"


def check_kind(about: Mapping[str, Any], kinds: Sequence[str], schema: int, asked: str) -> None:
    found = about.get("kind", "something else")
    if found not in kinds:
        raise TraceError(asked, f"a Parquet file that holds {found}", f"Name a file that holds {kinds[0]}")
    if not isinstance(about.get("schema"), int) or about["schema"] > schema:
        raise TraceError(asked, f"schema {about.get('schema')}, newer than {schema}", "Upgrade ktviz to open it")
