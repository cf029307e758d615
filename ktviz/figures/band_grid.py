"""The band figure: a query and its candidates taken apart into Haar bands, with the similarity of each band."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ktviz.errors import UnknownNameError
from ktviz.explain.bands import BAND_COLUMNS
from ktviz.explain.case import Case, case_of
from ktviz.explain.result import one_site
from ktviz.figures.canvas import Canvas
from ktviz.figures.colours import FAINT, INK, QUANTITY_INK
from ktviz.figures.layout import MARGIN, WIDTH, percent
from ktviz.figures.lines import wrapped, write
from ktviz.figures.maps import BODY, SMALL, TITLE
from ktviz.figures.share_bars import TRACK
from ktviz.images import Pixels
from ktviz.library.kinds.patches.band_pixels import DECODED_CAPTION, PIXELS_CAPTION, pixel_bands
from ktviz.library.kinds.patches.bands import BANDS
from ktviz.regions import Box
from ktviz.trace.recorded import Traced
from ktviz.trace.trace import Trace

PICTURE, BELOW = 84.0, 48.0
"""Side of a picture on a page of the usual width, and height of what is below it."""
TOP = 196.0
NAMES, GAP = 236.0, 28.0
"""Width of the text left of the pictures, and between columns, on a page of the usual width."""
NUMBER, TOTAL = 46.0, 84.0
"""Widths of the numbers beside the bars of bands, from -1 to 1, and beside the bar of the total, from 0 to 1."""
NARROWEST = 1146.0
"""Px of the narrowest page."""
UNCOUNTED = "#B4B4B4"
"""Bars of bands that did not count, and edges of pictures."""


def band_figure(
    trace: Traced,
    query: int,
    *,
    model: object | None = None,
    photo: Pixels | None = None,
    width: float | None = None,
) -> Figure:
    """Why a candidate won: query and candidates, band by band, as decoded and as pixels, with aligned bars.

    Args:
        trace: Of one image, or a result that was recorded.
        query: Number of the query.
        model: The system; not needed while the one that recorded lives.
        photo: The photo, where the trace was saved without it.
        width: In inches, as of two columns of a paper (7): there is no room for less.

    Returns:
        A figure, 1600 px wide if nobody says, that belongs to no pyplot state.

    Raises:
        SettingError: Text would be too small to read.
        UnknownNameError: There is no such query.
        TraceError, MismatchError: As in `backtrack`.
    """
    case = case_of(one_site(trace), "bands", model=model, photo=photo)
    drawing = Drawing.create(case, query, width)
    drawing.write_header(query)
    for row in range(len(drawing.decoded)):
        drawing.draw_row(row)
    return drawing.canvas.end(drawing.write_foot())


@dataclass(frozen=True)
class Drawing:
    """What is drawn: the query in row 0, then its candidates, best first.

    Attributes:
        canvas: The figure.
        rows: The recorded rows of the candidates.
        weights: Of LL, LH, HL, HH.
        decoded: (rows, 5, 16, 16, 3) whole patch and bands.
        pixels: (rows, 16, 16, 3).
        bands: (rows, 4, 8, 8, 3) of the pixels.
    """

    canvas: Canvas
    rows: pd.DataFrame
    weights: tuple[float, ...]
    decoded: Pixels
    pixels: Pixels
    bands: Pixels

    @classmethod
    def create(cls, case: Case, query: int, width: float | None) -> Drawing:
        """An empty page of the right width."""
        rows = recorded(case.trace, query)
        place = np.flatnonzero(case.trace.column("query") == query)
        decoded, pixels = case.system.band_pictures(case.trace, place, rows["entry"].to_numpy(np.int64))
        return cls(
            canvas=Canvas.page(width, NARROWEST),
            rows=rows,
            weights=tuple(case.trace.picture.settings["band_weights"]),
            decoded=decoded,
            pixels=pixels,
            bands=pixel_bands(pixels),
        )

    @property
    def part(self) -> float:
        """Of the usual width."""
        return self.canvas.room / (WIDTH - 2 * MARGIN)

    @property
    def picture(self) -> float:
        """Side of a picture."""
        return PICTURE * self.part

    @property
    def pair(self) -> float:
        """Width of two of them."""
        return 2 * self.picture + 4

    @property
    def row(self) -> float:
        """Height of a row."""
        return self.picture + BELOW

    @property
    def total(self) -> float:
        """Width of the bar of the total."""
        return self.canvas.width - MARGIN - self.left(5) - TOTAL

    def write_header(self, query: int) -> None:
        """The query, and heads of the columns with their weights."""
        canvas, first = self.canvas, self.rows.iloc[0]
        canvas.text(MARGIN, 50, f"Query {query}, band by band", TITLE, bold=True)
        x, y, width, height = (f"{value:g}" for value in first["box"])
        facts = f"{width}x{height} px of the photo at ({x}, {y}) · {len(self.rows)} recorded candidates"
        facts += f" · margin {first['margin']:.3f}" if np.isfinite(first["margin"]) else ""
        canvas.text(MARGIN, 78, facts, SMALL, FAINT)
        self.write_head(self.left(0), "Patch", "decoded · pixels", self.pair, INK)
        for band, (name, weight) in enumerate(zip(BANDS, self.weights, strict=True), 1):
            text = f"weight {weight:g}" if weight else "not compared"
            self.write_head(self.left(band), name, text, self.pair, INK if weight else UNCOUNTED)
        self.write_head(self.left(5), "Similarity", "of the weighted bands", self.total + TOTAL, INK)

    def write_foot(self) -> float:
        """Scales of the bars, and how to read the figure; where the page ends."""
        canvas, bottom = self.canvas, TOP + len(self.decoded) * self.row
        for band in range(1, 5):
            for value in (-1, 0, 1):
                place = self.left(band) + (value + 1) / 2 * (self.pair - NUMBER)
                canvas.text(place, bottom + 2, str(value), SMALL, FAINT, align="center")
        for value in (0, 1):
            canvas.text(self.left(5) + value * self.total, bottom + 2, str(value), SMALL, FAINT, align="center")
        reading = (f"Left: {DECODED_CAPTION}.", f"Right: {PIXELS_CAPTION}.", "Bar below: cosine within the band.")
        lines = [line for text in reading for line in wrapped(canvas, [text])]
        write(canvas, lines, (MARGIN, bottom + 50), 22)
        return bottom + 44 + 22 * len(lines)

    def write_head(self, left: float, name: str, about: str, width: float, colour: str) -> None:
        """The head of a column, underlined."""
        self.canvas.text(left, TOP - 56, name, BODY, FAINT if colour == UNCOUNTED else INK, bold=True)
        self.canvas.text(left, TOP - 34, about, SMALL, FAINT)
        self.canvas.line([(left, TOP - 20), (left + width, TOP - 20)], colour, 3.0 if colour == INK else 1.5)

    def left(self, column: int) -> float:
        """Left edge of a column: 0 is the patch, 1 to 4 the bands, 5 the total."""
        return MARGIN + NAMES * self.part + column * (self.pair + GAP * self.part)

    def draw_row(self, row: int) -> None:
        """The query or a candidate: text, pictures of patch and bands, and bars."""
        y = TOP + row * self.row
        found = None if row == 0 else self.rows.iloc[row - 1]
        self.write_names(found, y)
        pictures = [(self.decoded[row, 0], self.pixels[row]), *zip(self.decoded[row, 1:], self.bands[row], strict=True)]
        for column, pair in enumerate(pictures):
            for n, picture in enumerate(pair):
                box = Box(self.left(column) + n * (self.picture + 4), y, self.picture, self.picture)
                self.canvas.picture(picture, box, magnified=True)
                self.canvas.frame(box, UNCOUNTED, 1.0)  # keeps white patches apart from the page
        if found is None:
            self.write_energies(y)
            return
        if found["chosen"]:
            self.canvas.frame(Box(self.left(0), y, self.pair, self.picture), QUANTITY_INK, 3.0)
        for band, name in enumerate(BAND_COLUMNS):
            self.draw_cosine(band, float(found[name]), y)
        self.draw_total(float(found["similarity"]), y)

    def write_names(self, found: pd.Series | None, y: float) -> None:
        """Which entry, of which source, and whether it won."""
        room = NAMES * self.part - 24
        if found is None:
            self.canvas.text(MARGIN, y + 20, "The query", BODY, bold=True)
            self.canvas.text(MARGIN, y + 42, "patch of the photo", SMALL, FAINT)
            return
        name = f"{found['rank'] + 1}  {str(found['source']).rsplit('/', 1)[-1]}"
        won = bool(found["chosen"])
        self.canvas.text(MARGIN, y + 20, self.canvas.shortened(name, BODY, room, bold=won), BODY, bold=won)
        self.canvas.text(MARGIN, y + 42, self.canvas.shortened(str(found["bank"]), SMALL, room), SMALL, FAINT)
        self.canvas.text(MARGIN, y + 62, f"entry {found['entry']}", SMALL, FAINT)
        if won:
            text = "won, by coherence" if found["coherent"] else "won"
            self.canvas.text(MARGIN, y + 82, text, SMALL, QUANTITY_INK, bold=True)

    def write_energies(self, y: float) -> None:
        """How much of the query lies in each band."""
        for band, part in enumerate(np.square(self.rows.iloc[0]["query_bands"], dtype=np.float64), 1):
            lines = wrapped(self.canvas, [f"{percent(float(part))} of its energy"], room=self.pair)
            write(self.canvas, lines, (self.left(band), y + self.picture + 20), 18)

    def draw_cosine(self, band: int, cosine: float, y: float) -> None:
        """A bar from the middle, for -1 to 1, and its number."""
        left, top, counted = self.left(band + 1), y + self.picture + 9, self.weights[band] > 0
        whole = self.pair - NUMBER
        zero, length = left + whole / 2, cosine * whole / 2
        self.canvas.bar(Box(left, top, whole, 12), TRACK)
        self.canvas.bar(Box(min(zero, zero + length), top, abs(length), 12), QUANTITY_INK if counted else UNCOUNTED)
        self.canvas.line([(zero, top - 2), (zero, top + 14)], FAINT, 1.2)
        self.canvas.text(left + self.pair, top + 12, f"{cosine:.2f}", SMALL, INK if counted else FAINT, align="right")

    def draw_total(self, similarity: float, y: float) -> None:
        """A bar from 0 to 1 and its number."""
        left, top = self.left(5), y + self.picture / 2 - 14
        self.canvas.bar(Box(left, top, self.total, 28), TRACK)
        self.canvas.bar(Box(left, top, self.total * max(similarity, 0), 28), QUANTITY_INK)
        self.canvas.text(self.canvas.width - MARGIN, top + 20, f"{similarity:.3f}", BODY, bold=True, align="right")


def recorded(trace: Trace, query: int) -> pd.DataFrame:
    """The rows of one query, best first; extensions without their prefix."""
    hits = np.flatnonzero(trace.column("query", winners=False) == query)
    if not len(hits):
        raise UnknownNameError(f"query {query}", f"the trace has {len(trace):,}", "Count from 0")
    rows: pd.DataFrame = trace.table.take(hits).to_pandas()
    rows = rows.rename(columns=lambda name: name.rsplit(".", 1)[-1])
    return rows.sort_values("rank", ignore_index=True)
