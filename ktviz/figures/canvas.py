"""A page to draw on in px: pictures, boxes, curves and text, without pyplot and without global settings."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from math import ceil

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, fontManager
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path
from matplotlib.patheffects import AbstractPathEffect, Normal, Stroke

from ktviz.errors import SettingError
from ktviz.figures.colours import INK
from ktviz.figures.layout import MARGIN, WIDTH
from ktviz.figures.region_outlines import Segments
from ktviz.images import Pixels
from ktviz.regions import Box
from ktviz.values import number

DPI = 125
SMALLEST, LEAST_POINTS = 15.0, 6.5
MOST_INCHES = 100
PER_INCH = SMALLEST * 72 / LEAST_POINTS
"""Px of a page an inch of paper, so that text of `SMALLEST` px is `LEAST_POINTS` points high."""
SANS = ("Inter", "Helvetica Neue", "Segoe UI", "Helvetica", "Arial", "Liberation Sans")
Point = tuple[float, float]


class NotebookFigure(Figure):
    """A figure that a notebook shows as a picture, whether or not matplotlib was set up to draw there."""

    def _repr_png_(self) -> bytes:
        buffer = BytesIO()
        self.savefig(buffer, format="png", dpi="figure")
        return buffer.getvalue()


@dataclass(frozen=True)
class Canvas:
    """One set of axes over the whole figure, whose units are px of the figure, y downwards.

    Attributes:
        figure: The figure.
        axes: The axes.
        agg: Measures text.
        width: Of the page, in px.
    """

    figure: Figure
    axes: Axes
    agg: FigureCanvasAgg
    width: float

    @classmethod
    def page(cls, inches: float | None, least: float, usual: float = WIDTH) -> Canvas:
        """A white page as wide as `page_width` finds it, whose height is said by `end` once it is known."""
        return cls.create(page_width(inches, least, usual), 10.0, inches)

    @classmethod
    def create(cls, width: float, height: float, inches: float | None = None) -> Canvas:
        """A white page of so many px; of so many inches across, or else of `DPI` px an inch."""
        dpi = DPI if inches is None else width / inches
        figure = NotebookFigure(figsize=(width / dpi, height / dpi), dpi=dpi, facecolor="white", edgecolor="white")
        figure.set_layout_engine("none")  # whatever the user's settings say
        axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        axes.set(xlim=(0, width), ylim=(height, 0), autoscale_on=False)
        axes.set_axis_off()
        return cls(figure, axes, FigureCanvasAgg(figure), width)

    @property
    def room(self) -> float:
        """Width between the margins, in px."""
        return self.width - 2 * MARGIN

    def end(self, height: float) -> Figure:
        """The figure, so many px high."""
        self.figure.set_size_inches(self.figure.get_figwidth(), height / self.figure.dpi)
        self.axes.set_ylim(height, 0)
        return self.figure

    def points(self, pixels: float) -> float:
        """Page px in typographic points."""
        return pixels * 72 / self.figure.dpi

    def legible(self, size: float) -> float:
        """A size of text in px; on paper no less than can be read."""
        return max(size, LEAST_POINTS * self.figure.dpi / 72)

    def picture(self, pixels: Pixels, box: Box, magnified: bool = False) -> None:
        """Fill a box with a picture; `magnified` shows its pixels as squares."""
        extent = (box.x, box.right, box.bottom, box.y)
        interpolation = "nearest" if magnified else "antialiased"
        self.axes.imshow(pixels, extent=extent, aspect="auto", interpolation=interpolation, zorder=1)

    def frame(self, box: Box, colour: str, width: float, over_picture: bool = False, gid: str | None = None) -> None:
        """The outline of a box, in front of pictures with a white edge on both sides."""
        outline = Rectangle(
            (box.x, box.y),
            box.width,
            box.height,
            fill=False,
            ec=colour,
            lw=self.points(width),
            joinstyle="miter",
            zorder=4,
        )
        outline.set_path_effects(self.edges(colour, width) if over_picture else [])
        outline.set_gid(gid)
        self.axes.add_patch(outline)

    def outline(
        self, edges_of: Segments, shape: tuple[int, int], where: Box, colour: str, width: float, gid: str | None = None
    ) -> None:
        """Edges in px of a picture (height, width) that fills a box of the page, such as the outline of a region."""
        placed = edges_of * (where.width / shape[1], where.height / shape[0]) + (where.x, where.y)
        lines = LineCollection(
            placed.tolist(), colors=colour, linewidths=self.points(width), capstyle="projecting", zorder=4
        )
        lines.set_path_effects(self.edges(colour, width))
        lines.set_gid(gid)
        self.axes.add_collection(lines)

    def curve(self, start: Point, edge: float, end: Point, colour: str, width: float) -> None:
        """From a box to a pair of patches: level up to its picture's edge x, then bent."""
        bend = (end[0] - edge) * 0.55
        way = [start, (edge, start[1]), (edge + bend, start[1]), (end[0] - bend, end[1]), end]
        path = Path(way, [Path.MOVETO, Path.LINETO, Path.CURVE4, Path.CURVE4, Path.CURVE4])
        patch = PathPatch(path, fill=False, ec=colour, lw=self.points(width), capstyle="butt", zorder=3)
        patch.set_path_effects(self.edges(colour, width))
        self.axes.add_patch(patch)

    def line(self, way: Sequence[Point], colour: str, width: float) -> None:
        """Straight from point to point."""
        path = Path(list(way))
        self.axes.add_patch(PathPatch(path, fill=False, ec=colour, lw=self.points(width), joinstyle="round", zorder=3))

    def bar(self, box: Box, colour: str) -> None:
        """A filled box."""
        self.axes.add_patch(Rectangle((box.x, box.y), box.width, box.height, fc=colour, ec="white", lw=self.points(1)))

    def text(
        self,
        x: float,
        y: float,
        text: str,
        size: float,
        colour: str = INK,
        bold: bool = False,
        align: str = "left",
    ) -> None:
        """One line of text whose baseline starts, is centred or ends at x, y."""
        self.axes.text(
            x,
            y,
            text,
            color=colour,
            fontproperties=self.font(size, bold),
            ha=align,
            va="baseline",
            parse_math=False,
            zorder=5,
        )

    def text_width(self, text: str, size: float, bold: bool = False) -> float:
        """Width of a line of text in px."""
        renderer = self.agg.get_renderer()  # type: ignore[no-untyped-call]
        return float(renderer.get_text_width_height_descent(text, self.font(size, bold), False)[0])

    def shortened(self, text: str, size: float, room: float, bold: bool = False) -> str:
        """The text, or as much of it as fits with an ellipsis."""
        if self.text_width(text, size, bold) <= room:
            return text
        lengths = range(1, len(text))
        kept = bisect_right(lengths, room, key=lambda n: self.text_width(text[:n] + "…", size, bold))
        return text[:kept].rstrip(" ·-_/") + "…"

    def edges(self, colour: str, width: float) -> list[AbstractPathEffect]:
        """Keeps a line apart from what lies behind it: a white edge, or for pale colours a dark one."""
        dark = luminance(colour) > 0.6
        behind, alpha = (INK, 0.6) if dark else ("white", 0.9)
        return [Stroke(linewidth=self.points(width + 2.4), foreground=behind, alpha=alpha), Normal()]

    def font(self, size: float, bold: bool = False) -> FontProperties:
        """The system's sans serif; matplotlib's own where that has no glyph."""
        return FontProperties(family=families(), size=self.points(size), weight="bold" if bold else "normal")


def page_width(width: float | None, least: float, usual: float = WIDTH) -> float:
    """Px of a page: as usual, or so many that the smallest text is `LEAST_POINTS` high on paper of so many inches.

    Raises:
        SettingError: No width, or one on which that text would not find room.
    """
    if width is None:
        return usual
    inches = number("width", width)
    if not 0 < inches <= MOST_INCHES:
        raise SettingError(f"width {inches:g}", "no width", "Give inches, such as 3.4 for one column or 7 for two")
    found = inches * PER_INCH
    if found < least:
        asked, small = f"width {inches:g}", f"text would be smaller than {LEAST_POINTS:g} points"
        raise SettingError(asked, small, f"Give at least {ceil(10 * least / PER_INCH) / 10:.1f} inches")
    return found


def luminance(colour: str) -> float:
    """Relative luminance, 0..1."""
    red, green, blue = (float(channel**2.2) for channel in to_rgb(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@cache
def families() -> list[str]:
    # Asking for a missing family would log a warning per text, so only installed ones are named.
    installed = {face.name for face in fontManager.ttflist}
    return [*[name for name in SANS if name in installed][:1], "DejaVu Sans"]
