"""Comparing what an audit holds with what is made again; the first difference is raised, with its place."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import torch

from ktviz.audit.audit import TRACE
from ktviz.images import Pixels, decode_image
from ktviz.library.compare import compare
from ktviz.model.bands import to_vectors
from ktviz.trace.live import Live
from ktviz.trace.schema import PARTS
from ktviz.trace.trace import Trace

LEVELS = 1
"""Levels by which a pixel may differ after rounding."""
SIMILARITY = 1e-3
"""What similarities in tables may differ by."""
ROUNDING, HALF = 1e-4, 2e-3
"""What numbers of a trace may differ by: those in single and those in half precision."""
JPEG_MEAN, JPEG_MOST = 0.5, 24
"""Levels by which pictures in the report may differ, on average and anywhere, when another version has encoded them."""
ROUNDED = {
    "changed_share": 0.02,
    "mean_change": 0.05,
    "similarity": SIMILARITY,
    "exact_similarity": SIMILARITY,
    "regret": SIMILARITY,
}
"""What numbers of translations made again may differ by on another machine."""


class Difference(Exception):
    """What was recorded is not what is found."""


def compare_traces(case: Live, found: Trace) -> str:
    """Raise Difference at the first candidate that differs by more than rounding."""
    recorded = case.trace
    if recorded.digest == found.digest:
        return f"{len(found):,} retrievals identical"
    if recorded.thinned:
        found = only_winners(found)
    if len(recorded.table) != len(found.table):
        raise Difference(f"{TRACE}: {len(recorded.table)} rows, found {len(found.table)}")
    other = recorded.column("entry", winners=False) != found.column("entry", winners=False)
    check_close_calls(case, found, np.flatnonzero(other))
    for name in recorded.table.column_names:
        compare_columns(name, recorded.table[name].filter(~other), found.table[name].filter(~other))
    return f"{len(found):,} retrievals equal up to rounding, {int(other.sum())} close calls apart"


def only_winners(trace: Trace) -> Trace:
    """The trace as it would have been thinned."""
    return Trace(trace.winners, trace.about, trace.pictures)


def check_close_calls(case: Live, found: Trace, rows: npt.NDArray[np.int64]) -> None:
    """Where another candidate is found, the recorded one must really be as similar, to within rounding."""
    recorded = case.trace
    if not len(rows):
        return
    query, entry = (
        torch.from_numpy(recorded.column(n, winners=False)[rows].astype(np.int64)) for n in ("query", "entry")
    )
    entry[(entry < 0) | (entry >= len(case.banks))] = -1
    weights = torch.tensor(case.settings.search.band_weights)
    vectors = to_vectors(case.grid.unfold(case.features, query))
    truth = compare(vectors, entry[:, None], case.banks, weights)[0][:, 0].numpy()
    claimed, best = (t.column("similarity", winners=False)[rows] for t in (recorded, found))
    wrong = ~((np.abs(truth - best) <= ROUNDING) & (np.abs(claimed - best) <= ROUNDING))
    if wrong.any():
        n = int(np.flatnonzero(wrong)[0])
        theirs = found.column("entry", winners=False)[rows[n]]
        raise Difference(
            f"{TRACE}, retrieval {int(query[n])}: recorded entry {int(entry[n])} at {claimed[n]:.4f}, "
            f"found entry {theirs} at {best[n]:.4f}"
        )


def compare_columns(name: str, recorded: pa.ChunkedArray, found: pa.ChunkedArray) -> None:
    """Raise Difference at the first value of a trace's column that differs by more than rounding."""
    one, other = (pd.Series(flat(column)) for column in (recorded, found))
    if len(one) != len(other):
        raise Difference(f"{TRACE}: the column {name} was changed")
    if pd.api.types.is_float_dtype(other):
        room = HALF if recorded.type in (pa.float16(), PARTS) else ROUNDING
        equal = np.isclose(one.astype(float), other.astype(float), rtol=0, atol=room, equal_nan=True)
    else:
        equal = (one == other) | (one.isna() & other.isna())
    if not np.all(equal):
        row = int(np.flatnonzero(~np.asarray(equal))[0])
        raise Difference(f"{TRACE}, column {name}, value {row}: {one[row]}, found {other[row]}")


def flat(column: pa.ChunkedArray) -> npt.NDArray[Any]:
    """The values of a column of any type, lists one after the other."""
    values = column.combine_chunks()
    if pa.types.is_list(values.type) or pa.types.is_fixed_size_list(values.type):
        values = values.flatten()
    return np.asarray(values.to_numpy(zero_copy_only=False))


def compare_pixels(name: str, recorded: Pixels, found: Pixels) -> str:
    """Raise Difference at the first pixel that differs by more than rounding."""
    if recorded.shape != found.shape:
        raise Difference(
            f"{name} has {recorded.shape[1]}x{recorded.shape[0]} px, not {found.shape[1]}x{found.shape[0]}"
        )
    off = np.abs(recorded.astype(np.int16) - found).max(2)
    if off.max() > LEVELS:
        y, x = np.argwhere(off > LEVELS)[0]
        raise Difference(f"{name}, pixel ({x}, {y}): {recorded[y, x].tolist()}, should be {found[y, x].tolist()}")
    return "output identical" if not off.any() else f"output equal, {int((off > 0).sum())} pixels off by one level"


def compare_tables(name: str, recorded: pd.DataFrame, found: pd.DataFrame, rounded: dict[str, float]) -> None:
    """Raise Difference at the first cell that differs."""
    path = f"tables/{name}"
    if list(recorded.columns) != list(found.columns):
        raise Difference(f"{path}: columns {', '.join(recorded.columns)}, should be {', '.join(found.columns)}")
    if len(recorded) != len(found):
        raise Difference(f"{path}: {len(recorded)} rows, should be {len(found)}")
    for column in found.columns:
        one, other = recorded[column].to_numpy(), found[column].to_numpy()
        if pd.api.types.is_float_dtype(found[column]):
            room = rounded.get(column, 1e-9)
            wrong = ~(np.isclose(one.astype(float), other.astype(float), rtol=0, atol=room, equal_nan=True))
        else:
            wrong = one.astype(str) != other.astype(str)
        if wrong.any() and not tolerated(column, wrong, found, rounded):
            row = int(np.flatnonzero(wrong)[0])
            raise Difference(f"{path}, row {row}, {column}: {one[row]}, should be {other[row]}")


def tolerated(column: str, wrong: npt.NDArray[np.bool_], found: pd.DataFrame, rounded: dict[str, float]) -> bool:
    """Whether other winners may be due to rounding: few, and only where that is allowed at all."""
    if not rounded or column not in ("exact_entry", "new_winners"):
        return False
    return bool(wrong.mean() <= 0.01) if column == "exact_entry" else True


def compare_jpegs(name: str, recorded: bytes, found: bytes) -> None:
    """Raise Difference if two pictures differ by more than two versions of a JPEG encoder do."""
    if recorded == found:
        return
    one, other = (decode_image(data).astype(np.int16) for data in (recorded, found))
    if one.shape != other.shape or np.abs(one - other).mean() > JPEG_MEAN or np.abs(one - other).max() > JPEG_MOST:
        raise Difference(f"{name} was changed")
