"""Colours of sources: the Okabe-Ito palette, told apart by every kind of colour vision."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ktviz.trace.shares import sources_in_order

if TYPE_CHECKING:
    from ktviz.trace.trace import Trace

SOURCE_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#F0E442", "#000000")
"""Colours in the order of the share table. The pale ones come late: they are the weakest on white."""
QUANTITY = "cividis"
"""Colour map of quantities: even steps, for every kind of colour vision."""
QUANTITY_INK = "#3B496C"
"""Bars of things that have no colour of their own: the dark part of that map."""
BOTH_INK = "#7482B5"
"""The same where the page may be light or dark."""
OTHER = "#9A9A9A"
"""All sources beyond these."""
INK = "#1A1A1A"
FAINT = "#666666"
"""Small text; contrast 5.7 on white."""


def source_colours(names: Sequence[str]) -> dict[str, str]:
    """Colours in the order of the share table; grey for those beyond the palette."""
    return {name: SOURCE_COLOURS[n] if n < len(SOURCE_COLOURS) else OTHER for n, name in enumerate(names)}


def trace_colours(trace: Trace) -> dict[str, str]:
    """Colours of a trace's sources by their shares in the whole image: so has every part and every site."""
    return source_colours(sources_in_order(trace))
