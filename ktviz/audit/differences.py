"""Comparing what an audit holds with what is made again; the first difference is raised, with its place."""

from __future__ import annotations

import base64
import itertools
import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow.parquet as pq

from ktviz.audit.whole import check_jpeg, check_whole
from ktviz.errors import Difference
from ktviz.images import Pixels, decode_image, read_image, stored_size
from ktviz.tables import read_rows
from ktviz.trace.parquet import METADATA, PICTURES
from ktviz.trace.rows import first_row
from ktviz.trace.storage import table_digest
from ktviz.trace.trace import Trace

LEVELS = 1
"""Levels by which a pixel may differ after rounding."""
MOST_PIXELS = 0.01
"""Part of the pixels that may; the kernels of other processors move one in ten thousand."""
JPEG_LEVELS = 3
"""Levels by which the pixels of a JPEG may differ, when another version has encoded them."""
JPEG_LENGTH = 1.05
"""How much longer a JPEG may be then: what stands between its parts cannot be told from its pixels."""
SAID = (METADATA, PICTURES)
"""Metadata of a Parquet file in which ktviz says what its rows are."""
DATA_URI = re.compile(r"data:image/jpeg;base64,([A-Za-z0-9+/=]+)")


def first_difference(recorded: Trace, found: Trace) -> str:
    """Where two traces of one photo differ first, in words; empty where they are equal bit for bit."""
    if recorded.table.equals(found.table) and table_digest(recorded.table, {}, []) == table_digest(found.table, {}, []):
        return ""
    names, known = recorded.table.column_names, found.table.column_names
    if names != known:
        strange = next((name for name in (*names, *known) if name not in known or name not in names), "")
        how = "recorded, not found" if strange in names else "found, not recorded"
        return f"column {strange}: {how}" if strange else "order of columns"
    if len(recorded.table) != len(found.table):
        return f"rows: recorded {len(recorded.table)}, found {len(found.table)}"
    query, site = (found.column(name, winners=False) for name in ("query", "site"))
    for column in ("entry", *names):
        one, other = (trace.column(column, winners=False) for trace in (recorded, found))
        row = first_row(one, other)
        if row is not None:
            place = f"{query[row]} of {site[row]}" if len(found.sites) > 1 else query[row]
            return f"retrieval {place}: recorded {column} {one[row]}, found {other[row]}"
    tables = [recorded.table, found.table]
    digests = ([table_digest(table.select([name]), {}, []) for table in tables] for name in names)
    column = next(name for name, (one, other) in zip(names, digests, strict=True) if one != other)
    return f"column {column}: equal values, of another type or with other gaps"


def compare_pixels(name: str, recorded: Pixels, found: Pixels, levels: int, most: float = 1.0) -> str:
    """Raise Difference at the first pixel that differs by more than so many levels, or if more than `most` differ."""
    check_size(name, recorded.shape[:2], found.shape[:2])
    off = np.abs(recorded.astype(np.int16) - found).max(2)
    if off.max() > levels:
        y, x = np.argwhere(off > levels)[0]
        raise Difference(f"{name}, pixel ({x}, {y}): {recorded[y, x].tolist()}, should be {found[y, x].tolist()}")
    if (off > 0).mean() > most:
        raise Difference(f"{name}: {(off > 0).mean():.1%} of its pixels are off; rounding explains {most:.0%}")
    return "output identical" if not off.any() else f"output equal, {int((off > 0).sum())} pixels off by one level"


def check_size(name: str, recorded: tuple[int, ...], found: tuple[int, ...]) -> None:
    """Raise Difference if a picture has another height and width than it should."""
    if recorded != found:
        raise Difference(f"{name} has {recorded[1]}x{recorded[0]} px, not {found[1]}x{found[0]}")


def compare_files(name: str, recorded: Path, found: Path, *, same_bytes: bool) -> None:
    """Raise Difference where two files differ.

    Args:
        name: What the error calls the file.
        recorded: What is to be compared.
        found: What it should be.
        same_bytes: Whether they were written by the same versions. Others compress the same content in another way.
    """
    if recorded.read_bytes() == found.read_bytes():
        return
    if found.suffix == ".parquet":
        compare_tables(name, recorded, found)
    elif found.suffix == ".png":
        true = read_image(found)
        check_size(name, stored_size(recorded.read_bytes(), name), true.shape[:2])
        compare_pixels(name, read_image(recorded), true, 0)
    elif found.suffix == ".jpg":
        compare_jpegs(name, recorded.read_bytes(), found.read_bytes())
    elif found.suffix == ".html":
        compare_reports(name, recorded.read_bytes(), found.read_bytes())
    if same_bytes or found.suffix not in (".parquet", ".png", ".jpg", ".html"):
        raise Difference(f"{name} was changed")
    check_whole(recorded, name)


def compare_tables(name: str, recorded: Path, found: Path) -> None:
    """Raise Difference at the first cell that differs."""
    one, other = (pq.ParquetFile(path) for path in (recorded, found))
    if not one.schema_arrow.equals(other.schema_arrow):
        raise Difference(f"{name} has other columns")
    said = [{key: text for key, text in (file.metadata.metadata or {}).items() if key in SAID} for file in (one, other)]
    if said[0] != said[1]:
        raise Difference(f"{name} has other metadata")
    if one.metadata.num_rows != other.metadata.num_rows:
        raise Difference(f"{name}: {one.metadata.num_rows} rows, should be {other.metadata.num_rows}")
    mine, true = (read_rows(path).to_pandas() for path in (recorded, found))
    for column in true.columns:
        row = first_row(as_array(mine[column]), as_array(true[column]))
        if row is not None:
            raise Difference(f"{name}, row {row}, {column}: {mine[column][row]}, should be {true[column][row]}")


def as_array(column: pd.Series) -> npt.NDArray[Any]:
    values = column.to_numpy()
    return values if values.dtype != object else np.array([*values, None], dtype=object)[:-1]


def compare_jpegs(name: str, recorded: bytes, found: bytes) -> None:
    """Raise Difference if two pictures differ by more than two versions of a JPEG encoder do."""
    true = decode_image(found)
    check_size(name, stored_size(recorded, name), true.shape[:2])
    if len(recorded) > JPEG_LENGTH * len(found):
        raise Difference(f"{name} has {len(recorded):,} bytes, should have {len(found):,}")
    compare_pixels(name, decode_image(recorded, asked=name), true, JPEG_LEVELS)


def compare_reports(name: str, recorded: bytes, found: bytes) -> None:
    """Raise Difference at the first line of text, or picture, that differs."""
    one, other = recorded.decode(errors="replace"), found.decode()
    pictures = [DATA_URI.findall(text) for text in (one, other)]
    plain = [DATA_URI.sub("picture", text) for text in (one, other)]
    if plain[0] != plain[1]:
        lines = itertools.zip_longest(*(text.splitlines() for text in plain))
        line = next((n for n, (a, b) in enumerate(lines, 1) if a != b), 1)
        raise Difference(f"{name} was changed, line {line}")
    for number, (mine, wanted) in enumerate(zip(*pictures, strict=True), 1):
        if mine != wanted:
            data, place = base64.b64decode(mine), f"{name}, picture {number}"
            compare_jpegs(place, data, base64.b64decode(wanted))
            if base64.b64encode(data).decode() != mine:
                raise Difference(f"{place} was changed")
            check_jpeg(data)
