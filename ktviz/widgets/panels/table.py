"""The selected retrievals as rows."""

from __future__ import annotations

import numpy as np

from ktviz.widgets.packing import Part
from ktviz.widgets.panels.panel import Panel
from ktviz.widgets.subject import Subject


def columns(subject: Subject) -> dict[str, Part]:
    """Where each query is on the grid: (N,) each; nothing where queries lie on none."""
    places = {name: subject.trace.column(name).astype(np.float64) for name in ("y", "x")}
    return {name: place.astype(np.int32) for name, place in places.items() if np.isfinite(place).all()}


PANEL = Panel("table", row=2, height_px=520, folded_px=80, columns=columns)
