"""Curves of benchmarks: what grows with what, one line for each that was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.ticker import ScalarFormatter

from ktviz.figures.canvas import DPI, families
from ktviz.figures.colours import FAINT, INK, source_colours

SIZE_PX = (960, 600)
TITLE_PX, TEXT_PX = 18, 14
MARKS = "osD^vPX*"
"""Besides colours: lines can be told apart in grey."""
Point = tuple[float, float]


@dataclass(frozen=True)
class Curves:
    """Lines over one pair of axes.

    Attributes:
        title: Above them.
        across: What the axis from left to right is, with its unit, and
        up: the other.
        lines: By name of what was measured, its points; ours first.
        logarithmic: Which axes are: "", "x", "y" or "xy".
    """

    title: str
    across: str
    up: str
    lines: Mapping[str, Sequence[Point]]
    logarithmic: str = ""

    def as_values(self) -> dict[str, Any]:
        """The curves, as programs read them."""
        return {"x": self.across, "y": self.up, "lines": {name: [*points] for name, points in self.lines.items()}}


def draw(curves: Curves, path: Path) -> None:
    """Write curves as a PNG."""
    figure = Figure(figsize=(SIZE_PX[0] / DPI, SIZE_PX[1] / DPI), dpi=DPI, facecolor="white", layout="constrained")
    axes = figure.add_subplot()
    colours = source_colours([*curves.lines])
    for (name, points), mark in zip(curves.lines.items(), MARKS * len(curves.lines), strict=False):
        x, y = zip(*points, strict=True)
        first = name == next(iter(curves.lines))
        axes.plot(x, y, color=colours[name], marker=mark, ms=5, lw=2.5 if first else 1.5, label=name, zorder=3)
    dress(axes, curves)
    figure.savefig(path, metadata={"Software": None})


def dress(axes: Axes, curves: Curves) -> None:
    """Title, names of axes, a faint grid, and which line is which."""
    axes.set_title(curves.title, fontproperties=sized(TITLE_PX, bold=True), color=INK, loc="left")
    axes.set_xlabel(curves.across, fontproperties=sized(TEXT_PX), color=INK)
    axes.set_ylabel(curves.up, fontproperties=sized(TEXT_PX), color=INK)
    for letter, axis in (("x", axes.xaxis), ("y", axes.yaxis)):
        if letter in curves.logarithmic:
            axes.set(**{f"{letter}scale": "log"})
            for formatter in (axis.set_major_formatter, axis.set_minor_formatter):
                formatter(ScalarFormatter())
    axes.tick_params(which="both", colors=FAINT, length=4, pad=4)
    for label in (*axes.get_xticklabels(which="both"), *axes.get_yticklabels(which="both")):
        label.set_fontproperties(sized(TEXT_PX - 2))
    axes.grid(color="#E4E4E4", lw=0.8, zorder=0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(prop=sized(TEXT_PX - 1), frameon=False, labelcolor=INK)


def sized(size: float, bold: bool = False) -> FontProperties:
    """The system's sans serif, of so many px."""
    return FontProperties(family=families(), size=size * 72 / DPI, weight="bold" if bold else "normal")
