"""One container for what crosses to the browser: a JSON header, then arrays and files, aligned, in one run of bytes::

    4 bytes, little endian: length of the header | header, JSON in UTF-8, padded with spaces | parts, each from a
    multiple of 8 bytes

The header holds the caller's values, and under `parts` the type, shape, place and length of every part. For gzip, a
part is stored in `planes`: the first bytes of all numbers, then their second bytes and so on, which are more alike than
the bytes of a number; and where that helps, as `differences`: each row less the row before it, as whole numbers of the
same bits that wrap around.
"""

from __future__ import annotations

import gzip
import json
import zlib
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ktviz.widgets.protocol import STEPS

ALIGNMENT = 8
LEVEL = 6
"""Of gzip: 8 takes three times as long and 9 five times, for one part in 200 of the size."""
TYPES = frozenset({"uint8", "int16", "uint16", "int32", "float32"})
"""What typed arrays of a browser can hold; 64-bit integers are no numbers there, and half precision is too new."""

Part = npt.NDArray[Any] | bytes


def pack(values: Mapping[str, Any], parts: Mapping[str, Part], *, for_gzip: bool = False) -> bytes:
    """Values and named parts as one run of bytes.

    Args:
        values: Anything JSON can hold; NaN and infinity become null.
        parts: Arrays of the types in `TYPES`, or bytes of a file.
        for_gzip: Store arrays in planes, as differences where these are compressed to less.

    Raises:
        TypeError: An array of another type.
    """
    described, runs, at = {}, [], 0
    for name, part in parts.items():
        array = np.frombuffer(part, dtype=np.uint8) if isinstance(part, bytes) else np.ascontiguousarray(part)
        array = array.astype(array.dtype.newbyteorder("<"), copy=False)
        if array.dtype.name not in TYPES:
            raise TypeError(f"{name} is {array.dtype}, which no typed array of a browser holds")
        described[name] = {"type": array.dtype.name, "shape": array.shape, "at": at, "bytes": array.nbytes}
        if for_gzip and not isinstance(part, bytes):
            said, array = squeezed(array)
            described[name] |= said
        runs.append(array.tobytes() + bytes(-array.nbytes % ALIGNMENT))
        at += len(runs[-1])
    header = to_json({**values, "parts": described}).encode()
    header += b" " * (-(4 + len(header)) % ALIGNMENT)
    return b"".join((len(header).to_bytes(4, "little"), header, *runs))


def zipped(values: Mapping[str, Any], parts: Mapping[str, Part]) -> bytes:
    """Packed, then gzip; the same for the same parts."""
    return gzip.compress(pack(values, parts, for_gzip=True), compresslevel=LEVEL, mtime=0)


def as_text(values: Mapping[str, Any], parts: Mapping[str, Part]) -> str:
    """Packed, then gzip, then base64, as text for a page."""
    return b64encode(zipped(values, parts)).decode()


def squeezed(array: npt.NDArray[Any]) -> tuple[dict[str, bool], npt.NDArray[Any]]:
    """An array as gzip makes least of it, and how it is stored."""
    less = differences(array)
    plain, other = planes(array), planes(less)
    said = {"planes": True} if array.itemsize > 1 else {}
    if compressed(other) < compressed(plain):
        return {**said, "differences": True}, other
    return said, plain


def planes(array: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """The first bytes of all numbers, then their second bytes, and so on."""
    each: npt.NDArray[np.uint8] = np.ascontiguousarray(array).view(np.uint8).reshape(-1, array.itemsize)
    return np.ascontiguousarray(each.T)


def differences(array: npt.NDArray[Any]) -> npt.NDArray[np.unsignedinteger]:
    """Bits of every row less those of the row before it, which wrap around: numbers that count on become alike.

    Lossless for floats too, whose bits are taken as whole numbers.
    """
    bits = array.view(f"<u{array.itemsize}")
    found: npt.NDArray[np.unsignedinteger] = np.diff(bits, axis=0, prepend=np.zeros_like(bits[:1]))
    return found


def compressed(array: npt.NDArray[Any]) -> int:
    """Bytes that are left of an array."""
    return len(zlib.compress(array.tobytes(), level=1))


def steps(values: npt.NDArray[np.floating]) -> npt.NDArray[np.int16]:
    """Values from -1 to 1 as whole steps; NaN as the least."""
    return np.where(np.isnan(values), -STEPS - 1, np.round(values * STEPS)).astype(np.int16)


def whole(values: npt.NDArray[np.integer]) -> npt.NDArray[np.integer]:
    """Whole numbers in two bytes each, or in four where these do not hold all of them."""
    small = np.iinfo(np.int16)
    fits = not values.size or (values.min() >= small.min and values.max() <= small.max)
    return values.astype(np.int16 if fits else np.int32)


def once_each(columns: Mapping[str, npt.NDArray[Any]], key: str) -> dict[str, Part]:
    """Columns whose rows are the same wherever the key is the same, once for each of its values.

    Args:
        columns: (N, k, ...) each, the key (N, k); others stay as they are.
        key: Name of a column.

    Returns:
        `place`, which value a row has: (N, k); `each/NAME` (values, ...), or the column itself where that would say
        less or take more.
    """
    values, first, place = np.unique(columns[key], return_index=True, return_inverse=True)
    place = place.reshape(columns[key].shape)
    if 2 * len(values) > place.size:
        return dict(columns)
    found: dict[str, Part] = {"place": whole(place)}
    for name, column in columns.items():
        inner = column.shape[place.ndim :]
        of_rows = column.shape[: place.ndim] == place.shape
        each = column.reshape(-1, *inner)[first] if of_rows else column
        same = of_rows and each[place].tobytes() == column.tobytes()
        found |= {f"each/{name}": each} if same else {name: column}
    return found


def to_json(values: Any) -> str:
    """Compact JSON that a browser reads: it knows no NaN."""
    return json.dumps(finite(values), separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def finite(value: Any) -> Any:
    """The same with Python's own types, and None for what is not finite."""
    if isinstance(value, Mapping):
        return {str(name): finite(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    if isinstance(value, np.ndarray):
        return finite(value.tolist())
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not np.isfinite(value) else value
