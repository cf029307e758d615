"""Reuse: how much each cell of a source feeds, where retrievals mix cells; as far as it was recorded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ktviz.trace.trace import Trace

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Grid:
    """The cells of one source, numbered row by row.

    Attributes:
        source: Its name.
        rows: Of the grid.
        columns: Of the grid.
        down: Height of a cell in px of the source.
        across: Width of a cell.
    """

    source: str
    rows: int
    columns: int
    down: float
    across: float

    def described(self) -> dict[str, float]:
        """Its numbers by their names."""
        return {"rows": self.rows, "columns": self.columns, "down": self.down, "across": self.across}


def grid_of(trace: Trace) -> Grid | None:
    """The grid of which the entries of a trace are the cells, in a source of known size; None where they are not."""
    names = set(trace.column("source", winners=False).tolist())
    boxes = trace.column("source_box", winners=False).astype(np.float64)
    entry = trace.column("entry", winners=False).astype(np.int64)
    if len(trace.sites) != 1 or len(names) != 1 or np.isnan(boxes).any():
        return None
    about = next(source for source in trace.about["sources"] if source["source"] in names)
    width, height = about.get("width"), about.get("height")
    across, down = boxes[:, 2].max(), boxes[:, 3].max()
    if not width or not height or not across or not down:
        return None
    rows, columns = int(np.ceil(height / down)), int(np.ceil(width / across))
    at = np.stack((entry % columns * across, entry // columns * down), 1)
    if (entry >= rows * columns).any() or not np.allclose(at, boxes[:, :2]):
        return None
    return Grid(str(about["source"]), rows, columns, float(down), float(across))


def recorded_fed(trace: Trace, grid: Grid) -> Floats:
    """What each cell gives to all retrievals together, in retrievals, as far as it was recorded: (rows, columns).

    With what is left over it adds up to the number of retrievals.
    """
    entry, weight = (trace.column(name, winners=False) for name in ("entry", "weight"))
    found: Floats = np.zeros(grid.rows * grid.columns)
    np.add.at(found, entry.astype(np.int64), weight.astype(np.float64))
    return found.reshape(grid.rows, grid.columns)
