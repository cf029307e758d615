"""What is selected in a view, as a person at the keyboard reads and sets it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from operator import index
from typing import Any, overload

import numpy as np
import pandas as pd
import pyarrow as pa

from ktviz.errors import RegionError, SettingError, UnknownNameError
from ktviz.regions import Box, region_mask
from ktviz.trace.shares import reaching
from ktviz.trace.tables import widened
from ktviz.trace.trace import Trace


class Selection(Sequence[int]):
    """Some retrievals of a trace, by their query numbers, ascending.

    Args:
        trace: Of one image, one site.
        queries: Their numbers.

    Raises:
        UnknownNameError: The trace has no such retrieval.
    """

    def __init__(self, trace: Trace, queries: Iterable[int] = ()) -> None:
        self._trace = trace
        self._rows, self.queries = rows_of(trace, queries)

    def __len__(self) -> int:
        return len(self.queries)

    @overload
    def __getitem__(self, place: int) -> int: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[int, ...]: ...
    def __getitem__(self, place: int | slice) -> int | tuple[int, ...]:
        return self.queries[place]

    def __iter__(self) -> Iterator[int]:
        return iter(self.queries)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Selection) and (self._trace, self.queries) == (other._trace, other.queries)

    def __hash__(self) -> int:
        return hash(self.queries)

    def __repr__(self) -> str:
        return f"Selection({len(self):,} of {len(self._trace):,} retrievals)"

    def to_arrow(self) -> pa.Table:
        """The winners' rows, columns as in `ktviz.trace.schema`."""
        return widened(self._trace.winners.take(pa.array(self._rows)))

    def to_pandas(self) -> pd.DataFrame:
        """The winners' rows as a DataFrame."""
        frame: pd.DataFrame = self.to_arrow().to_pandas()
        return frame


def rows_of(trace: Trace, queries: Iterable[int]) -> tuple[np.ndarray[Any, np.dtype[np.int64]], tuple[int, ...]]:
    """Rows of the winners' table for some query numbers, and the numbers, ascending and once each."""
    todo = "Give query numbers; those of a mask are np.flatnonzero(mask)"
    try:
        given = [*queries]
        if any(isinstance(query, (bool, np.bool_)) for query in given):
            raise TypeError
        numbers = np.unique(np.array([index(query) for query in given], dtype=np.int64))
    except TypeError:
        raise SettingError("a selection", "something else than query numbers", todo) from None
    except OverflowError:
        raise SettingError("a selection", "a number beyond any query", todo) from None
    known = trace.column("query").astype(np.int64)
    order = np.argsort(known, kind="stable")
    place = np.searchsorted(known[order], numbers).clip(max=len(known) - 1)
    strangers = numbers[known[order][place] != numbers] if len(known) else numbers
    if len(strangers):
        raise UnknownNameError(
            f"retrieval {strangers[0]}", f"the trace has {len(known):,} retrievals", "Take one of its column `query`"
        )
    return order[place] if len(known) else numbers, tuple(numbers.tolist())


def as_selection(value: object, trace: Trace) -> Selection:
    """A selection of this trace, from query numbers, a part of the trace, or None for nothing."""
    if isinstance(value, Selection) and value._trace is trace:
        return value
    if isinstance(value, Trace):
        return Selection(trace, value.column("query"))
    if value is not None and (isinstance(value, str) or not isinstance(value, Iterable)):
        raise SettingError("a selection", f"a {type(value).__name__}", "Give query numbers, or a part of the trace")
    return Selection(trace, () if value is None else value)


def queries_in(trace: Trace, region: Box) -> list[int]:
    """Numbers of the retrievals that paint a part of a region."""
    hit = reaching(trace, region_mask(region, *trace.size), winners=True)
    numbers: list[int] = trace.column("query")[hit].tolist()
    return numbers


def checked_region(region: Box | Sequence[float] | None, trace: Trace) -> Box | None:
    """A box of whole px inside the image, from a `Box` or x, y, width, height.

    Raises:
        RegionError: Malformed, empty, or not inside.
    """
    if region is None:
        return None
    try:
        if isinstance(region, str):
            raise TypeError
        sides = vars(region).values() if isinstance(region, Box) else region
        box = Box(*(float(value) for value in sides))
    except (TypeError, ValueError, OverflowError):
        raise RegionError(f"region {str(region)[:60]}", "not a box", "Give kt.Box(x, y, width, height)") from None
    height, width = trace.size
    if not np.isfinite((*vars(box).values(),)).all() or not (box.width > 0 and box.height > 0):
        raise RegionError(f"region {box}", "it is empty, or not finite", "Give it a width and a height")
    left, top, right, bottom = whole_px(box)
    if left < 0 or top < 0 or right > width or bottom > height:
        raise RegionError(f"region {box}", f"not inside the image of {width}x{height} px", "Check x and y")
    return Box(left, top, right - left, bottom - top)


def whole_px(box: Box) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of the whole px that a box touches."""
    return (
        int(np.floor(box.x)),
        int(np.floor(box.y)),
        int(np.ceil(box.right)),
        int(np.ceil(box.bottom)),
    )
