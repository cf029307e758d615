"""Pictures of bands in an exported page: finished ones, as many as it has room for."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ktviz.explain.case import Case
from ktviz.images import Pixels
from ktviz.widgets.packing import Part
from ktviz.widgets.pictures import sheet
from ktviz.widgets.protocol import SHEET
from ktviz.widgets.room import Room
from ktviz.widgets.subject import Subject

Rows = npt.NDArray[np.int32]
"""Patches, (n, 2): the number of a query and -1, or -1 and an entry."""
LACKING = "pictures of bands of {left:,} of {all:,} patches"


def band_sheets(subject: Subject, room: Room) -> dict[str, Part]:
    """Of queries and of the entries that won, as many as there is room for."""
    if subject.case is None or not subject.can("bands"):
        return {}
    rows = wanted(subject)
    parts = decoded_sheets(subject.case, rows, room.left * 3 // 4)
    kept = len(parts["decoded_query"])
    if kept < len(rows):
        room.lacking.append(LACKING.format(left=len(rows) - kept, all=len(rows)))
    return room.take(parts, "pictures of bands") if kept else {}


def wanted(subject: Subject) -> Rows:
    """All queries, and the entries that won, evenly among each other: if not all fit, both lose alike."""
    query, entry = subject.trace.column("query"), np.unique(subject.trace.column("entry"))
    rows = np.concatenate((np.column_stack((query, np.full(len(query), -1))), [(-1, number) for number in entry]))
    found: Rows = rows[np.argsort(spaced(len(query), len(entry)), kind="stable")].astype(np.int32)
    return found


def spaced(first: int, second: int) -> npt.NDArray[np.float64]:
    """Keys that sort two runs into each other evenly: if not all fit, both lose alike."""
    return np.concatenate((np.arange(first) / max(1, first), np.arange(second) / max(1, second)))


def decoded_sheets(case: Case, rows: Rows, room: int) -> dict[str, Part]:
    """Pictures of the bands of some patches, as many as fit in so many bytes.

    Returns:
        `decoded/n`: a sheet of `SHEET` rows of five patches; `decoded_query` and `decoded_entry`: what the rows are, a
        query number or an entry, -1 where it is the other.
    """
    parts: dict[str, Part] = {}
    kept, fits = 0, SHEET
    while kept < len(rows) and fits:  # of the last sheet no more is decoded than there is room for
        pictures = band_pictures(case, rows[kept : kept + fits])
        part = sheet(pictures, "small")
        room -= len(part)
        if room < 0:
            break
        parts[f"decoded/{len(parts)}"] = part
        kept += len(pictures)
        fits = min(SHEET, int(0.9 * room * len(pictures) / len(part))) if fits == SHEET else 0
    return {**parts, "decoded_query": rows[:kept, 0].copy(), "decoded_entry": rows[:kept, 1].copy()}


def band_pictures(case: Case, rows: npt.NDArray[np.int32]) -> Pixels:
    """Bands of queries and entries, as in `decoded_sheets`: (n, 5, 16, 16, 3)."""
    place = np.argsort(case.trace.column("query"))
    query, entry = rows.astype(np.int64).T
    asked = query >= 0
    found, _ = case.system.band_pictures(case.trace, place[query[asked]], entry[~asked])
    pictures = np.empty_like(found)
    pictures[asked], pictures[~asked] = found[: asked.sum()], found[asked.sum() :]
    return pictures
