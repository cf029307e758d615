"""Canvas and output with overlays, hover and regions; in the browser also the curves to the sources."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ktviz.explain.pieces import pieces_of
from ktviz.trace.trace import Trace
from ktviz.widgets.packing import Part, whole
from ktviz.widgets.panels.panel import Panel
from ktviz.widgets.subject import Subject


def can(subject: Subject) -> dict[str, bool]:
    """Whether there is a map of regret."""
    return {"regret": subject.regret is not None}


def columns(subject: Subject) -> dict[str, Part]:
    """What overlays need: (N,) each."""
    found: dict[str, Part] = {"piece": piece(subject.trace)}
    if subject.regret is not None:
        found["regret"] = subject.regret
    return found


def piece(trace: Trace) -> npt.NDArray[np.integer]:
    """Which piece each retrieval belongs to, counted from 1; 0 for none: (N,)."""
    found = np.zeros(len(trace), dtype=np.int64)
    for number, (part, _) in enumerate(pieces_of(trace), start=1):
        found[part] = number
    return whole(found)


PANEL = Panel("translation", row=0, height_px=600, needs="sources", can=can, columns=columns)
