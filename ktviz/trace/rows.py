"""Rows of columns, compared: where two columns differ first."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def first_row(
    one: npt.NDArray[Any], other: npt.NDArray[Any], room: float = 0.0, skipped: npt.NDArray[np.bool_] | None = None
) -> int | None:
    """The first row in which two columns differ by more than `room`; gaps are equal."""
    agree: npt.NDArray[np.bool_]
    if one.dtype == object:
        agree = np.array([same(a, b, room) for a, b in zip(one, other, strict=True)], dtype=bool)
    elif room:
        near = np.isclose(one.astype(np.float64), other.astype(np.float64), rtol=0, atol=room, equal_nan=True)
        agree = np.asarray(near.all(axis=tuple(range(1, near.ndim))), dtype=np.bool_)
    else:
        agree = equal(one, other)
    wrong: npt.NDArray[np.bool_] = ~agree if skipped is None else ~agree & ~skipped
    return int(np.flatnonzero(wrong)[0]) if wrong.any() else None


def equal(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Which rows are equal: gaps are, and 0 is not -0."""
    same_value = np.asarray(one == other)
    if np.issubdtype(one.dtype, np.floating):
        same_value = (same_value & (np.signbit(one) == np.signbit(other))) | (np.isnan(one) & np.isnan(other))
    return np.asarray(same_value.all(axis=tuple(range(1, same_value.ndim))), dtype=np.bool_)


def same(one: Any, other: Any, room: float) -> bool:
    """Whether two cells are equal: text, lists, or nothing."""
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return one.shape == other.shape and (not len(one) or first_row(one, other, room) is None)
    return bool(one == other) if one is not None and other is not None else one is other
