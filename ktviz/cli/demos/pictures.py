"""What all demos write: pictures side by side, a backtracking figure, a page to explore."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ktviz.files import replacing
from ktviz.images import Pixels, resize

if TYPE_CHECKING:
    import pandas as pd

    from ktviz.retrieval.matches import Kind
    from ktviz.trace.trace import Trace

GAP_PX = 8
EXPLORER, AUDIT = "explorer.html", "audit"


@dataclass(frozen=True)
class Made:
    """An output of a demo.

    Attributes:
        file: Its name.
        shares: Of the sources behind it, as of `trace.sources()`.
        lacking: What they lack to 1, by why.
        kind: How candidates were used: "hard", "soft" or "signed".
    """

    file: str
    shares: pd.DataFrame
    lacking: Mapping[str, float]
    kind: Kind

    @classmethod
    def of(cls, trace: Trace, file: str) -> Made:
        """What the site of a run took that painted an output."""
        from ktviz.explain.result import one_site
        from ktviz.trace.shares import lacking_by_class

        painter = one_site(trace)
        return cls(file, painter.sources(), lacking_by_class(painter), painter.site_about["kind"])


def beside(*pictures: Pixels) -> Pixels:
    """Pictures in one row, as high as the first, with white gaps."""
    import numpy as np

    height = pictures[0].shape[0]
    gap = np.full((height, GAP_PX, 3), 255, dtype=np.uint8)
    row = [resize(one, round(one.shape[1] * height / one.shape[0]), height) for one in pictures]
    return np.hstack([part for one in row for part in (gap, one)][1:])


def stacked(*rows: Pixels) -> Pixels:
    """Rows of pictures, one below the other, with white gaps; shorter ones end in white."""
    import numpy as np

    width = max(row.shape[1] for row in rows)
    gap = np.full((GAP_PX, width, 3), 255, dtype=np.uint8)
    whole = [np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0)), constant_values=255) for row in rows]
    return np.vstack([part for one in whole for part in (gap, one)][1:])


def white(like: Pixels) -> Pixels:
    """An empty place of the size of a picture."""
    import numpy as np

    return np.full_like(like, 255)


def write_backtracking(trace: Trace, path: Path) -> None:
    """Write the backtracking figure of the site that painted the output."""
    from ktviz.explain.result import one_site
    from ktviz.figures.backtracking import backtracking_figure

    with replacing(path) as file:
        backtracking_figure(one_site(trace)).savefig(file, dpi=125)


def write_explorer(trace: Trace, output: Path) -> None:
    """Write a page on which one output can be explored."""
    with trace.explore() as view:
        view.to_html(output / EXPLORER, overwrite=True)
