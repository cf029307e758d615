"""The selected retrievals as rows."""

from __future__ import annotations

import numpy as np

from ktviz.widgets.packing import Part
from ktviz.widgets.panels.panel import Panel
from ktviz.widgets.subject import Subject


def columns(subject: Subject) -> dict[str, Part]:
    """Where each query is on the grid: (N,) each."""
    return {name: np.nan_to_num(subject.trace.column(name).astype(np.float64)).astype(np.int32) for name in ("y", "x")}


PANEL = Panel("table", row=2, height_px=520, folded_px=80, columns=columns)
