"""What draws a figure: matplotlib, for print, or plotly, to hover over and zoom into."""

from __future__ import annotations

from typing import Literal, get_args

from ktviz.values import one_of

Backend = Literal["matplotlib", "plotly"]


def is_plotly(backend: str) -> bool:
    """Whether plotly is asked for.

    Raises:
        SettingError: Neither of the two.
    """
    return one_of("backend", backend, get_args(Backend)) == "plotly"
