"""Reuse: how much each cell of the source feeds in all, and which feed most."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from ktviz.trace.reuse import Grid, grid_of, recorded_fed
from ktviz.trace.trace import Trace
from ktviz.widgets.packing import Part
from ktviz.widgets.panels.panel import Panel
from ktviz.widgets.subject import Subject

ENTROPY = "entropy"
"""What systems call the column that says how mixed a retrieval is, in nats."""

_grids: WeakKeyDictionary[Trace, Grid | None] = WeakKeyDictionary()
"""Found once for the several questions of a scene."""


def appears(subject: Subject) -> bool:
    """Where every retrieval mixes the cells of one source."""
    return grid(subject) is not None


def grid(subject: Subject) -> Grid | None:
    """The cells that are mixed."""
    trace = subject.trace
    if trace not in _grids:
        _grids[trace] = grid_of(trace) if trace.has(ENTROPY) else None
    return _grids[trace]


def can(subject: Subject) -> dict[str, bool]:
    """Whether all that each cell feeds is known, or only what was recorded."""
    return {"reuse": appears(subject) and subject.can("reuse")}


def describe(subject: Subject) -> dict[str, Any]:
    """The cells: {source, rows, columns, down, across}, sides in px of the source."""
    cells = grid(subject)
    assert cells is not None
    return {"cells": {"source": subject.number[cells.source], **cells.described()}}


def columns(subject: Subject) -> dict[str, Part]:
    """What each cell feeds (rows, columns), in retrievals, and how mixed each retrieval is (N,), in nats."""
    cells = grid(subject)
    assert cells is not None
    whole = subject.can("reuse") and subject.case is not None
    fed = subject.live().system.fed(subject.live().trace) if whole else recorded_fed(subject.trace, cells)
    return {"fed": fed.astype(np.float32), "entropy": subject.trace.column(ENTROPY).astype(np.float32)}


PANEL = Panel(
    "reuse",
    row=1,
    height_px=560,
    needs="translation",
    further=True,
    appears=appears,
    can=can,
    describe=describe,
    columns=columns,
)
