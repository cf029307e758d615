"""Traces on disk, and the digest that says whether two of them are the same."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ktviz.errors import SettingError, TraceError
from ktviz.images import MAX_SIDE, pixel_digest
from ktviz.tables import MOST_ROWS
from ktviz.trace import parquet
from ktviz.trace.pictures import Picture
from ktviz.trace.schema import KIND, SCHEMA, SCHEMA_VERSION
from ktviz.trace.trace import Trace

Stored = Literal["input", "both", "none"]
VOLATILE = ("versions", "device", "processor", "seed")
"""Parts of the metadata that say where and when a trace was made, not what is in it."""
FLOATS = [field.name for field in SCHEMA if pa.types.is_float32(field.type)]
OTHERS = [field.name for field in SCHEMA if field.name not in FLOATS]


def metadata_of(trace: Trace) -> dict[str, Any]:
    """What a trace's file says about it."""
    return {**trace.about, "images": [dict(picture.about) for picture in trace.pictures]}


def with_metadata(trace: Trace) -> pa.Table:
    """The rows of a trace with its metadata in the schema."""
    return trace.table.replace_schema_metadata({parquet.METADATA: parquet.as_json(metadata_of(trace))})


def table_digest(table: pa.Table, about: Mapping[str, Any], images: Sequence[Mapping[str, Any]]) -> str:
    """SHA-256 over the values of a table, and what its metadata says of model, library and images."""
    steady = {name: value for name, value in about.items() if name not in VOLATILE}
    digest = hashlib.sha256(json.dumps([steady, list(images)], sort_keys=True, default=parquet.simple).encode())
    for name in table.column_names:
        digest.update(name.encode())
        for values in plain(table[name].combine_chunks()):
            digest.update(values.tobytes())
    return digest.hexdigest()


def plain(column: pa.Array) -> list[np.ndarray[Any, Any]]:
    """A column's values and gaps as arrays, whatever its chunks, dictionaries and offsets."""
    gaps = column.is_null().to_numpy(zero_copy_only=False)
    if pa.types.is_dictionary(column.type):
        names = column.dictionary.to_pylist()
        digests = np.array([int.from_bytes(hashlib.sha256(n.encode()).digest()[:8], "big") for n in names], np.uint64)
        return [gaps, digests[column.indices.to_numpy()] if names else digests]
    if pa.types.is_list(column.type):
        return [gaps, column.value_lengths().fill_null(0).to_numpy(), column.flatten().to_numpy(zero_copy_only=False)]
    if pa.types.is_fixed_size_list(column.type):
        return [gaps, column.flatten().to_numpy(zero_copy_only=False)]
    return [gaps, column.drop_null().to_numpy(zero_copy_only=False)]


def save_trace(trace: Trace, path: str | os.PathLike[str], overwrite: bool, pictures: Stored) -> None:
    """See `Trace.save`."""
    if pictures not in get_args(Stored):
        raise SettingError(f"pictures={pictures!r}", "unknown", f"Choose one of {', '.join(get_args(Stored))}")
    wanted = {"input": ("input",), "both": ("input", "output"), "none": ()}[pictures]
    named = {f"{name} {n}": getattr(picture, name) for n, picture in enumerate(trace.pictures) for name in wanted}
    kept = {name: pixels for name, pixels in named.items() if pixels is not None}
    # Similarities have few different exponents: split into bytes, a third of them compresses away.
    about = {**metadata_of(trace), "digest": trace.digest}
    parquet.write(path, parquet.Stored(trace.table, about, kept), overwrite, OTHERS, FLOATS)


def open_trace(path: str | os.PathLike[str]) -> Trace:
    """See `Trace.open`."""
    stored = parquet.read(path, KIND, SCHEMA_VERSION, stated_sizes)
    asked, about = f"{KIND} {os.fspath(path)!r}", dict(stored.about)
    try:
        images, digest, table = about.pop("images"), about.pop("digest"), stored.table.cast(SCHEMA)
        table.validate(full=True)  # text may be no UTF-8
        pictures = [
            Picture(stored.pictures.get(f"input {n}"), stored.pictures.get(f"output {n}"), image)
            for n, image in enumerate(images)
        ]
        check_rows(table, about, images)
    except (LookupError, ValueError, TypeError, AttributeError, ArithmeticError, pa.ArrowException) as error:
        raise TraceError(asked, f"its parts do not fit together ({error})", "Restore it, or record again") from None
    trace = Trace(table, about, pictures)
    if trace.digest != digest:
        raise TraceError(asked, "its rows or metadata do not have the digest it states", "Restore it from a copy")
    for picture in pictures:
        check_pixels(picture, asked)
    return trace


def stated_sizes(about: Mapping[str, Any]) -> parquet.Sizes:
    """Pictures that a trace may hold; an output may have another size than its input."""
    sizes: dict[str, tuple[int, int] | None] = {}
    for number, image in enumerate(about["images"]):
        sizes |= {f"input {number}": (image["height"], image["width"]), f"output {number}": None}
    return sizes


def check_pixels(picture: Picture, asked: str) -> None:
    """Raise TraceError if a picture is not the one that its digest says."""
    for name, pixels in (("input", picture.input), ("output", picture.output)):
        if pixels is not None and pixel_digest(pixels) != picture.about[name]:
            raise TraceError(asked, f"its {name} picture does not have the digest it states", "Restore it from a copy")


def check_rows(table: pa.Table, about: Mapping[str, Any], images: Sequence[Mapping[str, Any]]) -> None:
    """Raise ValueError unless the rows of a trace speak of images, sites and sources that it has.

    Its digest says that nothing was changed since it was written; this says that what was written makes sense.
    """
    for name, limit in (("image", len(images)), ("query", MOST_ROWS), ("rank", MOST_ROWS)):
        low, high = pc.min_max(table[name]).values()
        expect(table[name].null_count == 0 and (not len(table) or 0 <= low.as_py() <= high.as_py() < limit), name)
    for name, known in (("site", about["sites"]), ("source", about["sources"])):
        names = {str(part["name" if name == "site" else "source"]) for part in known}
        expect(table[name].null_count == 0 and set(pc.unique(table[name]).to_pylist()) <= names, name)
    for name in ("box", "weight", "similarity", "left_over"):
        values = pc.list_flatten(table[name]) if name == "box" else table[name]
        expect(values.null_count == 0 and bool(pc.all(pc.is_finite(values), min_count=0).as_py()), name)
    sides = [image[side] for image in images for side in ("height", "width")]
    expect(all(isinstance(side, int) and 0 <= side <= MAX_SIDE for side in sides), "sizes of the images")
    winners = table.filter(table["chosen"]).select(["image", "site", "query"])
    expect(winners.group_by(winners.column_names).aggregate([]).num_rows == len(winners), "one winner per query")


def expect(holds: bool, what: str) -> None:
    if not holds:
        raise ValueError(f"{what}: not of this trace")
