"""A retrieval and its candidates, band by band, ranked again when the weight of a band is moved."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from ktviz.explain.bands import BAND_COLUMNS, ENTRY_BANDS, QUERY_BANDS, band_columns
from ktviz.explain.case import Case
from ktviz.images import Pixels
from ktviz.library.kinds.patches.bands import PAPER_WEIGHTS
from ktviz.systems.protocol import check_ability
from ktviz.trace.trace import Trace
from ktviz.widgets.asking import Answer, Body, numbers, places
from ktviz.widgets.layout import matrix
from ktviz.widgets.packing import Part, steps
from ktviz.widgets.panels.panel import Panel
from ktviz.widgets.pictures import sheet
from ktviz.widgets.protocol import SHEET
from ktviz.widgets.subject import Subject

Columns = tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]

_columns: WeakKeyDictionary[Trace, Columns] = WeakKeyDictionary()
"""Columns of all candidates, laid out once for many requests."""


def appears(subject: Subject) -> bool:
    """Where bands were compared."""
    return subject.trace.has(BAND_COLUMNS[0])


def can(subject: Subject) -> dict[str, bool]:
    """Whether candidates can be compared band by band, and their bands decoded."""
    return {"bands": appears(subject), "decode": subject.can("bands")}


def describe(subject: Subject) -> dict[str, Any]:
    """The recorded weights of LL, LH, HL and HH."""
    return {"weights": list(subject.trace.picture.settings.get("band_weights", PAPER_WEIGHTS))}


# Answers


def candidates(subject: Subject, body: Body) -> Answer:
    """{queries} → boxes and bands of all their candidates, in the order of ranks."""
    place = places(subject, body)
    source_box, bands, parts, query = candidate_columns(subject.trace)
    return {}, {
        "source_box": source_box[place],
        "bands": bands[place],
        "entry_bands": parts[place],
        "query_bands": query[place],
    }


def candidate_columns(trace: Trace) -> Columns:
    """Of every candidate its box in the source and similarity per band (N, k, 4), its parts of norm (N, k, 4), and the
    query's (N, 4); NaN in a system without bands."""
    if trace not in _columns:
        bands = band_columns(trace).astype(np.float32)
        box = trace.column("source_box", winners=False).astype(np.float32)
        entry, query = np.full_like(bands, np.nan), np.full((len(trace), bands.shape[1]), np.nan, dtype=np.float32)
        if trace.has(ENTRY_BANDS):
            entry = trace.column(ENTRY_BANDS, winners=False).astype(np.float32)
            query = trace.column(QUERY_BANDS).astype(np.float32)
        _columns[trace] = matrix(trace, box, np.nan), matrix(trace, bands, np.nan), matrix(trace, entry, np.nan), query
    return _columns[trace]


def bands(subject: Subject, body: Body) -> Answer:
    """{queries: [one], entries} → the query and these entries decoded whole and band by band, and their pixels."""
    place = places(subject, body)[0]
    case = subject.live()
    check_ability(case.system, "bands", "pictures of bands")
    known = 0 if subject.banks is None else len(subject.banks)
    entries = np.array(numbers(body, "entries", known), dtype=np.int64)
    decoded, pixels = case.system.band_pictures(case.trace, np.array([place]), entries)
    return {}, {
        "decoded": sheet(decoded),
        "pixels": sheet(pixels[:, None]),
        "known": np.ones(len(decoded), dtype=np.uint8),
    }


# What a page keeps


def stored(subject: Subject) -> dict[str, Part]:
    """Boxes and bands of all candidates."""
    if subject.trace.thinned:
        return {}
    source_box, bands, entry, query = candidate_columns(subject.trace)
    return {
        "source_box": source_box,
        "bands": steps(bands),
        "entry_bands": steps(entry),
        "query_bands": steps(query),
    }


def decoded_sheets(subject: Subject, room: int) -> dict[str, Part]:
    """Pictures of the bands of queries and of the entries that won, as many as fit in so many bytes.

    Returns:
        `decoded/n`: a sheet of `SHEET` rows of five patches; `decoded_query` and `decoded_entry`: what the rows are, a
        query number or an entry, -1 where it is the other.
    """
    if subject.case is None or not subject.can("bands"):
        return {}
    query, entry = subject.trace.column("query"), np.unique(subject.trace.column("entry"))
    rows = np.concatenate((np.column_stack((query, np.full(len(query), -1))), [(-1, number) for number in entry]))
    rows = rows[np.argsort(spaced(len(query), len(entry)), kind="stable")].astype(np.int32)
    parts: dict[str, Part] = {}
    kept, fits = 0, SHEET
    while kept < len(rows) and fits:  # of the last sheet no more is decoded than there is room for
        pictures = band_pictures(subject.case, rows[kept : kept + fits])
        part = sheet(pictures, "small")
        room -= len(part)
        if room < 0:
            break
        parts[f"decoded/{len(parts)}"] = part
        kept += len(pictures)
        fits = min(SHEET, int(0.9 * room * len(pictures) / len(part))) if fits == SHEET else 0
    return {**parts, "decoded_query": rows[:kept, 0].copy(), "decoded_entry": rows[:kept, 1].copy()}


def spaced(first: int, second: int) -> npt.NDArray[np.float64]:
    """Keys that sort two runs into each other evenly: if not all fit, both lose alike."""
    return np.concatenate((np.arange(first) / max(1, first), np.arange(second) / max(1, second)))


def band_pictures(case: Case, rows: npt.NDArray[np.int32]) -> Pixels:
    """Bands of queries and entries, as in `decoded_sheets`: (n, 5, 16, 16, 3)."""
    place = np.argsort(case.trace.column("query"))
    query, entry = rows.astype(np.int64).T
    asked = query >= 0
    found, _ = case.system.band_pictures(case.trace, place[query[asked]], entry[~asked])
    pictures = np.empty_like(found)
    pictures[asked], pictures[~asked] = found[: asked.sum()], found[asked.sum() :]
    return pictures


PANEL = Panel(
    "bands",
    row=1,
    height_px=620,
    appears=appears,
    can=can,
    describe=describe,
    answers={"candidates": candidates, "bands": bands},
    stored=stored,
    filled=decoded_sheets,
)
