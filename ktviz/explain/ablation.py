"""Ablation: really leave something out, translate again, and look at what changed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ktviz.errors import TraceError, UnknownNameError
from ktviz.explain.units import Ints, Units
from ktviz.images import Pixels
from ktviz.model.translator import Settings
from ktviz.regions import Mask
from ktviz.trace.overlap import Floats
from ktviz.trace.live import Live


def ablate(case: Live, mask: Mask, units: Units, chosen: Ints) -> tuple[Floats, Floats, float]:
    """Exclude some units one by one.

    Args:
        case: A trace and its translator.
        mask: (H, W), the region that is looked at.
        units: What could be excluded.
        chosen: (n,) numbers of the units that are.

    Returns:
        Change of the region without each, (n,), as part of the change that the knowledge made, and in levels (0..255,
        mean over pixels and colours); the knowledge's change in levels. NaN where nothing would be left to retrieve.

    Raises:
        TraceError: The knowledge changed nothing in the region.
    """
    untouched = case.translate(replace(case.settings, strength=0.0)).image
    change = mean_change(case.output, untouched, mask)
    if change == 0:
        raise TraceError("attribute through ablation", "the knowledge changed nothing in this region", "Take another")
    levels = np.array([changed(case, mask, settings_without(case, units, int(n))) for n in chosen], dtype=np.float64)
    return levels / change, levels, change


def changed(case: Live, mask: Mask, settings: Settings | None) -> float:
    if settings is None:
        return np.nan
    try:
        return mean_change(case.output, case.translate(settings).image, mask)
    except UnknownNameError:  # it was all that was left
        return np.nan


def settings_without(case: Live, units: Units, number: int) -> Settings | None:
    """The settings of a translation that cannot use one unit; None if it is the only band that counts."""
    settings = case.settings
    if units.by != "band":
        return replace(settings, without=(*settings.without, *units.without[number]))
    weights = [0.0 if n == number else w for n, w in enumerate(settings.search.band_weights)]
    return replace(settings, band_weights=weights) if any(weights) else None


def mean_change(one: Pixels, other: Pixels, mask: Mask) -> float:
    """Mean difference of two images within a region, over pixels and colours, in levels."""
    return float(np.abs(one[mask].astype(np.int16) - other[mask]).mean())
