"""A reader of pickles in which nothing can be but dictionaries, numbers and arrays of numbers.

Reading a pickle calls what it names. Here names stand for nothing of NumPy's but for the classes below, which only
remember what they are given; arrays are made of that afterwards. Any other name ends the reading.
"""

from __future__ import annotations

import io
import math
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

MULTIARRAY = ("numpy.core.multiarray", "numpy._core.multiarray")
"""Where NumPy before and after 2.0 says that its arrays come from."""
KINDS = "iuf"
LATIN = ("latin1", "latin-1")


class ForbiddenName(Exception):
    """A pickle names something that it is not to have: it may be a program."""


class Dtype:
    """A type of numbers, as a pickle describes it."""

    __slots__ = ("code", "order")

    def __init__(self, code: str, align: Any = False, copy: Any = True) -> None:
        self.code, self.order = code, "="

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.order = state[1]

    @property
    def holds_objects(self) -> bool:
        return self.code in ("O", "O4", "O8")

    def numbers(self) -> np.dtype[Any]:
        """The type itself; ValueError unless it is one of whole or real numbers."""
        if not isinstance(self.code, str) or self.code[:1] not in KINDS or self.order not in tuple("<>=|"):
            raise ValueError(f"values of the type {self.code!r:.20}, not numbers")
        return np.dtype(self.code).newbyteorder(self.order)  # type: ignore[arg-type]


class Array:
    """An array, as a pickle describes it."""

    __slots__ = ("state",)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.state = state

    def value(self) -> npt.NDArray[Any]:
        """The array; ValueError unless it holds numbers."""
        shape, dtype, fortran, data = self.state[-4:]
        if isinstance(data, str):  # of Python 2
            data = data.encode("latin1")
        kind = dtype.numbers()
        if not all(isinstance(side, int) and side >= 0 for side in shape):
            raise ValueError(f"an array of shape {shape!r:.40}")
        if not isinstance(data, bytes) or len(data) != math.prod(shape) * kind.itemsize:
            raise ValueError("an array with more or fewer bytes than its shape says")
        return np.frombuffer(data, kind).reshape(shape, order="F" if fortran else "C").copy()

    def single(self) -> Any:
        """What an array of no dimensions holds, if it may hold anything."""
        shape, dtype, _, data = self.state[-4:]
        if tuple(shape) or not dtype.holds_objects or len(data) != 1:
            raise ValueError("no single object")
        return data[0]


class Reader(pickle._Unpickler):  # the one in C takes memory for what a file only states
    """Reads one pickle.

    Args:
        data: Of the pickle.
    """

    def __init__(self, data: bytes) -> None:
        super().__init__(io.BytesIO(data), encoding="latin1")
        self.room = len(data)

    def find_class(self, module: str, name: str) -> Callable[..., Any]:
        """What a name stands for.

        Raises:
            ForbiddenName: It stands for nothing.
        """
        known: dict[tuple[str, str], Callable[..., Any]] = {
            ("numpy", "ndarray"): Array,
            ("numpy", "dtype"): Dtype,
            ("_codecs", "encode"): self.encoded,
        }
        for place in MULTIARRAY:
            known |= {(place, "_reconstruct"): self.array, (place, "scalar"): self.scalar}
        if (module, name) not in known:
            raise ForbiddenName(f"{module}.{name}")
        return known[module, name]

    def array(self, kind: object, shape: object, code: object) -> Array:
        """An array whose content follows."""
        if kind is not Array:
            raise ValueError("an array of another class")
        return Array()

    def scalar(self, dtype: Dtype, data: Any) -> Any:
        """A number of NumPy's, as Python's."""
        found = Array()
        found.state = ((), dtype, False, data)
        return found.value().item()

    def encoded(self, text: str, code: str = "") -> bytes:
        """Bytes, which old protocols write as text; together no more than the file has."""
        if not isinstance(text, str) or code not in LATIN:
            raise ValueError("text that is no bytes")
        self.room -= len(text)
        if self.room < 0:
            raise ValueError("more bytes than the file has")
        return text.encode("latin1")


def read_arrays(data: bytes) -> dict[int, npt.NDArray[Any]]:
    """The arrays of a pickled array that holds one dictionary, by number.

    Raises:
        ForbiddenName: The pickle names something else; nothing was run.
        Exception: Whatever damaged pickles raise.
    """
    outer = Reader(data).load()
    found = outer.single() if isinstance(outer, Array) else outer
    if not isinstance(found, dict):
        raise ValueError(f"no dictionary ({type(found).__name__})")
    arrays = {}
    for key, value in found.items():
        if isinstance(key, bool) or not isinstance(key, int) or not isinstance(value, Array):
            raise ValueError(f"{key!r:.20} with a {type(value).__name__}, not a class with an array")
        arrays[key] = value.value()
    return arrays
