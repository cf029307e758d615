"""A retrieval and its candidates, band by band, ranked again when the weight of a band is moved."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from ktviz.explain.bands import BAND_COLUMNS, ENTRY_BANDS, QUERY_BANDS, band_columns
from ktviz.library.kinds.patches.bands import PAPER_WEIGHTS
from ktviz.systems.protocol import check_ability
from ktviz.trace.shares import source_numbers
from ktviz.trace.trace import Trace
from ktviz.widgets.asking import Answer, Body, numbers, places
from ktviz.widgets.band_networks import band_networks
from ktviz.widgets.band_sheets import band_sheets
from ktviz.widgets.layout import chosen, matrix
from ktviz.widgets.packing import Part, once_each, steps, whole
from ktviz.widgets.panels.panel import Panel
from ktviz.widgets.pictures import sheet
from ktviz.widgets.protocol import NO_SOURCE
from ktviz.widgets.room import Room
from ktviz.widgets.subject import Subject

Columns = dict[str, npt.NDArray[Any]]

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
    """{queries} → all their candidates in the order of ranks, with boxes and bands."""
    place = places(subject, body)
    return {}, {**seen(subject, {name: column[place] for name, column in candidate_columns(subject.trace).items()})}


def seen(subject: Subject, columns: Columns) -> Columns:
    """Columns of candidates, with the numbers that sources have in the view."""
    return {**columns, "source": whole(subject.numbers_of(columns["source"]))}


def candidate_columns(trace: Trace) -> Columns:
    """Of every candidate its entry, source and similarity (N, k), with -1 or NaN where there are fewer, its box in the
    source, similarity per band and parts of norm (N, k, 4); of every query which one won (N,) and its parts of norm
    (N, 4), NaN in a system without bands."""
    if trace not in _columns:
        bands = band_columns(trace).astype(np.float32)
        entry, query = np.full_like(bands, np.nan), np.full((len(trace), bands.shape[1]), np.nan, dtype=np.float32)
        if trace.has(ENTRY_BANDS):
            entry = trace.column(ENTRY_BANDS, winners=False).astype(np.float32)
            query = trace.column(QUERY_BANDS).astype(np.float32)
        _columns[trace] = {
            "entry": matrix(trace, trace.column("entry", winners=False).astype(np.int32), -1),
            "source": matrix(trace, source_numbers(trace), NO_SOURCE),
            "similarity": matrix(trace, trace.column("similarity", winners=False).astype(np.float32), np.nan),
            "source_box": matrix(trace, trace.column("source_box", winners=False).astype(np.float32), np.nan),
            "bands": matrix(trace, bands, np.nan),
            "entry_bands": matrix(trace, entry, np.nan),
            "query_bands": query,
            "chosen": chosen(trace),
        }
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


def in_page(subject: Subject, room: Room) -> dict[str, Part]:
    """Boxes and bands of all candidates, and pictures of bands."""
    if subject.trace.thinned:
        return {}
    columns = candidate_columns(subject.trace)
    stepped = {name: steps(columns[name]) for name in ("bands", "entry_bands", "query_bands")}
    found = room.take(once_each(seen(subject, {**columns, **stepped}), "entry"), "candidates band by band")
    if not found:
        return {}
    networks = band_networks(subject, room)
    return {**found, **(band_sheets(subject, room) if networks is None else networks)}


PANEL = Panel(
    "bands",
    row=1,
    height_px=620,
    appears=appears,
    can=can,
    describe=describe,
    answers={"candidates": candidates, "bands": bands},
    kept=in_page,
)
