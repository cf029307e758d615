"""Files that hold what they should and nothing else: no byte is left over before, between or behind their parts.

Where an audit was written by the versions at hand, its files are compared byte by byte and nothing of this is needed.
Other versions compress the same content into other bytes; then everything in a file has to be accounted for instead.
"""

from __future__ import annotations

import re
import struct
import zlib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ktviz.errors import AuditError
from ktviz.trace.parquet import METADATA, PICTURES

PNG = b"\x89PNG\r\n\x1a\n"
PNG_CHUNKS = (b"IHDR", b"IDAT", b"IEND")
JPEG_TABLES = {0xDB, 0xC0, 0xC2, 0xC4, 0xDD}
"""Quantisation, frame (two kinds), Huffman tables, restart interval."""
SCAN, END = 0xDA, 0xD9
MARK = re.compile(rb"\xff[^\x00\xd0-\xd7]", re.DOTALL)
"""What ends a scan: within it, FF is always followed by 00 or is a restart mark."""
JFIF_LENGTH = 16
ARROW_SCHEMA = b"ARROW:schema"
WRITER = re.compile(r"parquet-cpp-arrow version \d+\.\d+\.\d+(-SNAPSHOT)?")


def check_whole(path: Path, name: str) -> None:
    """Raise AuditError if a PNG, JPEG or Parquet file, which an error calls `name`, holds more than its pixels or its
    table and what ktviz says of it."""
    try:
        if path.suffix == ".png":
            check_png(path.read_bytes())
        elif path.suffix == ".jpg":
            check_jpeg(path.read_bytes())
        elif path.suffix == ".parquet":
            check_parquet(path)
    except (ValueError, LookupError, struct.error, zlib.error, pa.ArrowException) as error:
        raise AuditError(
            name, f"holds something besides its content ({error})", "Ask for the original folder"
        ) from None


def check_png(data: bytes) -> None:
    """Raise ValueError unless a PNG is its header, its pixels, and its end."""
    if not data.startswith(PNG):
        raise ValueError("no PNG")
    place, kinds, pixels, header = len(PNG), [], b"", b""
    while place < len(data):
        length, kind = struct.unpack(">I4s", data[place : place + 8])
        body, crc = data[place + 8 : place + 8 + length], data[place + 8 + length : place + 12 + length]
        if kind not in PNG_CHUNKS or zlib.crc32(kind + body) != struct.unpack(">I", crc)[0]:
            raise ValueError(f"the chunk {kind!r} at byte {place}")
        kinds.append(kind)
        header, pixels = (body, pixels) if kind == b"IHDR" else (header, pixels + body)
        place += 12 + length
    if kinds != [b"IHDR", *[b"IDAT"] * (len(kinds) - 2), b"IEND"]:
        raise ValueError("chunks in another order")
    width, height, depth, colour, *_ = struct.unpack(">IIBBBBB", header)
    if (depth, colour) != (8, 2):
        raise ValueError("not 8 bits of RGB")
    size, stream = height * (1 + 3 * width), zlib.decompressobj()
    if len(stream.decompress(pixels, size + 1)) != size or not stream.eof or stream.unused_data:
        raise ValueError("more or less than its pixels")


def check_jpeg(data: bytes) -> None:
    """Raise ValueError unless a JPEG is tables and one picture, without remarks, and ends with it."""
    place = 2
    if data[:2] != b"\xff\xd8":
        raise ValueError("no JPEG")
    while (marker := data[place + 1]) != END:
        length = struct.unpack(">H", data[place + 2 : place + 4])[0]
        plain = marker == 0xE0 and length == JFIF_LENGTH and data[place + 4 : place + 9] == b"JFIF\0"
        if data[place] != 0xFF or not (plain or marker in JPEG_TABLES or marker == SCAN):
            raise ValueError(f"the segment {marker:02X} at byte {place}")
        place += 2 + length
        if marker == SCAN:
            mark = MARK.search(data, place)
            if mark is None:
                raise ValueError("no end of the picture")
            place = mark.start()
    if place != len(data) - 2:
        raise ValueError("bytes behind the picture")


def check_parquet(path: Path) -> None:
    """Raise ValueError unless the columns of a Parquet file, its footer and its marks fill it."""
    with pq.ParquetFile(path) as file:
        file.scan_contents(columns=[])  # see `tables.check_extent`
        about, schema = file.metadata, file.schema_arrow
        more = {*(about.metadata or {})} - {ARROW_SCHEMA} | {*(schema.metadata or {})}
        more -= {METADATA, PICTURES}
        if more or any(field.metadata for field in schema.remove_metadata()):
            raise ValueError(f"metadata {sorted(more)}")
        if not WRITER.fullmatch(about.created_by):
            raise ValueError(f"it was written by {about.created_by[:60]!r}")
        groups = (about.row_group(n) for n in range(about.num_row_groups))
        place = 4
        for column in (group.column(n) for group in groups for n in range(group.num_columns)):
            starts = (column.dictionary_page_offset, column.data_page_offset)
            if min(start for start in starts if start is not None) != place:
                raise ValueError(f"bytes before the column {column.path_in_schema}")
            place += column.total_compressed_size
        if place + about.serialized_size + 8 != path.stat().st_size:
            raise ValueError("bytes beside its columns")
