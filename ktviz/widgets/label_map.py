"""Label maps on their way to the browser: which query asks for each pixel, where queries are regions and not boxes."""

from __future__ import annotations

import gzip

import numpy as np

from ktviz.trace.overlap import label_places
from ktviz.trace.trace import Trace
from ktviz.widgets.packing import Part


def columns(trace: Trace) -> dict[str, Part]:
    """The regions that ask, and which of them each retrieval is about; nothing where queries are boxes.

    Returns:
        `labels`: gzip of one number a pixel, row by row: 0 where nobody asks, else 1 and more, in one byte each where
        there are up to 255, else in two or four. `region` (N,): the number of each retrieval's region there, and
        `label` (N,): what the trace calls it.
    """
    if trace.regions is None:
        return {}
    number, labels = trace.regions
    known, region = np.unique(number, return_inverse=True)
    asked = label_places(known, labels) + 1
    kind = next(kind for kind in (np.uint8, np.uint16, np.uint32) if len(known) <= np.iinfo(kind).max)
    return {
        "labels": gzip.compress(asked.astype(np.dtype(kind).newbyteorder("<")).tobytes(), mtime=0),
        "region": (region + 1).astype(np.int32),
        "label": number.astype(np.int32),
    }
