"""Files of tensors that are filled piece by piece, as safetensors: none of it need fit into memory."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

NAMES = {"i1": "I8", "i2": "I16", "i4": "I32", "i8": "I64", "f4": "F32", "f8": "F64"}
"""How safetensors call the types of numbers."""
ALIGNED = 64
"""Bytes that the first tensor is a multiple of away from the beginning: a line of the processor's cache."""

Extent = tuple[str, tuple[int, ...]]
"""Type of numbers, as NumPy calls it, and shape."""


def created(path: Path, tensors: Mapping[str, Extent]) -> dict[str, npt.NDArray[Any]]:
    """A file with room for some tensors, all 0, mapped for writing.

    Raises:
        OSError: The disk has no room for it; nothing would tell when it is written to.
    """
    header: dict[str, dict[str, Any]] = {}
    end = 0
    for name, (kind, shape) in tensors.items():
        start, end = end, end + int(np.prod(shape)) * np.dtype(kind).itemsize
        header[name] = {"dtype": NAMES[kind], "shape": shape, "data_offsets": (start, end)}
    text = json.dumps(header).encode()
    text += b" " * (-(len(text) + 8) % ALIGNED)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        reserve(file.fileno(), 8 + len(text) + end)
    places = {name: 8 + len(text) + about["data_offsets"][0] for name, about in header.items()}
    return {
        name: np.memmap(path, kind, "r+", places[name], shape) if np.prod(shape) else np.empty(shape, kind)
        for name, (kind, shape) in tensors.items()
    }


def reserve(file: int, size: int) -> None:
    """Give a file so many bytes, all of which the disk has."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file, 0, size)
        return
    written = os.lseek(file, 0, os.SEEK_END)
    while written < size:
        written += os.write(file, bytes(min(size - written, 1 << 24)))
