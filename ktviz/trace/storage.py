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

from ktviz.errors import TraceError
from ktviz.images import MAX_SIDE, pixel_digest
from ktviz.tables import MOST_ROWS
from ktviz.trace import parquet, schema1
from ktviz.trace.content import Content
from ktviz.trace.pictures import LABELS, OUTPUT, Picture
from ktviz.trace.schema import KIND, REGRET, SCHEMA_VERSION, schema_of
from ktviz.trace.trace import Trace
from ktviz.values import one_of

Stored = Literal["input", "both", "none"]
VOLATILE = ("versions", "device", "processor", "seed")
"""Parts of the metadata that say where and when a trace was made, not what is in it."""


def metadata_of(trace: Content) -> dict[str, Any]:
    """What a trace's file says about it."""
    return {**trace.about, "images": [dict(picture.about) for picture in trace.pictures]}


def with_metadata(trace: Content) -> pa.Table:
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
    one_of("pictures", pictures, get_args(Stored))
    named = {
        f"{name} {n}": pixels
        for n, picture in enumerate(trace.pictures)
        for name, pixels in picture.canvases.items()
        if pictures == "both" or (pictures == "input" and not name.startswith(OUTPUT))
    }
    # Similarities have few different exponents: split into bytes, a third of them compresses away.
    floats = [field.name for field in trace.table.schema if pa.types.is_float32(field.type)]
    others = [name for name in trace.table.column_names if name not in floats]
    about = {**metadata_of(trace), "digest": trace.digest}
    parquet.write(path, parquet.Stored(trace.table, about, named), overwrite, others, floats)


def open_trace(path: str | os.PathLike[str]) -> Trace:
    """See `Trace.open`."""
    stored = parquet.read(path, KIND, SCHEMA_VERSION, stated_sizes)
    asked, about = f"{KIND} {os.fspath(path)!r}", dict(stored.about)
    try:
        digest = about.pop("digest")
        table, about = as_today(stored.table, about, digest)
        images = about.pop("images")
        pictures = [held(stored.pictures, number, image) for number, image in enumerate(images)]
        check_rows(table, about, images)
    except (LookupError, ValueError, TypeError, AttributeError, ArithmeticError, pa.ArrowException) as error:
        raise TraceError(asked, f"its parts do not fit together ({error})", "Restore it, or record again") from None
    except DigestError:
        raise TraceError(
            asked, "its rows or metadata do not have the digest it states", "Restore it from a copy"
        ) from None
    for picture in pictures:
        check_pixels(picture, asked)
    return Trace(table, about, pictures)


class DigestError(Exception):
    """A table and its metadata have another digest than is stated."""


def as_today(table: pa.Table, about: Mapping[str, Any], digest: str) -> tuple[pa.Table, dict[str, Any]]:
    """The rows and the metadata of a file, checked against the digest it states, in the schema of today."""
    old = about["schema"] == schema1.VERSION
    regret = all(name in table.column_names for name in REGRET)
    table = table.cast(schema1.SCHEMA if old else schema_of(about["sites"], regret))
    table.validate(full=True)  # text may be no UTF-8
    steady = {name: value for name, value in about.items() if name != "images"}
    if table_digest(table, steady, about["images"]) != digest:
        raise DigestError
    return schema1.as_today(table, about) if old else (table, dict(about))


def held(pictures: Mapping[str, Any], number: int, image: Mapping[str, Any]) -> Picture:
    """One image with the canvases that a file holds."""
    canvases = {name: pictures[key] for name in image["canvases"] if (key := f"{name} {number}") in pictures}
    for name, pixels in canvases.items():  # of an old trace it was not stated
        image["canvases"][name] |= {"height": pixels.shape[0], "width": pixels.shape[1]}
    return Picture(canvases, image)


def stated_sizes(about: Mapping[str, Any]) -> parquet.Sizes:
    """Pictures that a trace may hold; of old ones the size of the output was not stated."""
    sizes: dict[str, tuple[int, int] | None] = {}
    for number, image in enumerate(about["images"]):
        if about["schema"] == schema1.VERSION:
            sizes |= {f"input {number}": (image["height"], image["width"]), f"output {number}": None}
        else:
            sizes |= {f"{name} {number}": (one["height"], one["width"]) for name, one in image["canvases"].items()}
    return sizes


def check_pixels(picture: Picture, asked: str) -> None:
    """Raise TraceError if a picture is not the one that its digest says."""
    for name, pixels in picture.canvases.items():
        if pixel_digest(pixels) != picture.sha256(name):
            raise TraceError(asked, f"its {name} picture does not have the digest it states", "Restore it from a copy")


def check_rows(table: pa.Table, about: Mapping[str, Any], images: Sequence[Mapping[str, Any]]) -> None:
    """Raise ValueError unless the rows of a trace speak of images, sites and sources that it has.

    Its digest says that nothing was changed since it was written; this says that what was written makes sense.
    """
    for name, limit in (("image", len(images)), ("query", MOST_ROWS), ("rank", MOST_ROWS)):
        low, high = pc.min_max(table[name]).values()
        expect(table[name].null_count == 0 and (not len(table) or 0 <= low.as_py() <= high.as_py() < limit), name)
    canvases = [name for image in images for name in image["canvases"]]
    known_names = {
        "site": {str(site["name"]) for site in about["sites"]},
        "source": {str(source["source"]) for source in about["sources"]},
        "canvas": {name for name in canvases if not name.startswith(LABELS)},
    }
    for name, names in known_names.items():
        expect(table[name].null_count == 0 and set(pc.unique(table[name]).to_pylist()) <= names, name)
    for name in ("box", "weight", "similarity", "left_over"):
        values = pc.list_flatten(table[name]) if name == "box" else table[name]
        expect(values.null_count == 0 and bool(pc.all(pc.is_finite(values), min_count=0).as_py()), name)
    sides = [one[side] for image in images for one in image["canvases"].values() for side in ("height", "width")]
    expect(all(isinstance(side, int) and 0 <= side <= MAX_SIDE for side in sides), "sizes of the images")
    winners = table.filter(table["chosen"]).select(["image", "site", "query"])
    expect(winners.group_by(winners.column_names).aggregate([]).num_rows == len(winners), "one winner per query")


def expect(holds: bool, what: str) -> None:
    if not holds:
        raise ValueError(f"{what}: not of this trace")
