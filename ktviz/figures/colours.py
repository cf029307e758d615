"""Colours of sources: the Okabe-Ito palette, told apart by every kind of colour vision."""

from __future__ import annotations

SOURCE_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#F0E442", "#000000")
"""Colours in the order of the share table. The pale ones come late: they are the weakest on white."""
OTHER = "#9A9A9A"
"""All sources beyond these."""
INK = "#1A1A1A"
FAINT = "#666666"
"""Small text; contrast 5.7 on white."""
