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
from ktviz.figures.maps import BODY, SMALL, TITLE
from ktviz.figures.share_bars import TRACK
from ktviz.images import Pixels
from ktviz.library.kinds.patches.band_pixels import DECODED_CAPTION, PIXELS_CAPTION, pixel_bands
from ktviz.library.kinds.patches.bands import BANDS
from ktviz.regions import Box
from ktviz.trace.recorded import Traced
from ktviz.trace.trace import Trace

PICTURE = 84.0
PAIR = 2 * PICTURE + 4
ROW = 132.0
TOP = 196.0
NAMES = 236.0
"""Width of the text left of the pictures."""
BAR = PAIR - 46
"""Width of the bar of a band, for cosines from -1 to 1."""
TOTAL_BAR = 200.0
"""Width of the bar of the total, from 0 to 1."""
UNCOUNTED = "#B4B4B4"
"""Bars of bands that did not count, and edges of pictures."""


def band_figure(trace: Traced, query: int, *, model: object | None = None, photo: Pixels | None = None) -> Figure:
    """Why a candidate won: query and candidates, band by band, as decoded and as pixels, with aligned bars.

    Args:
        trace: Of one image, or a result that was recorded.
        query: Number of the query.
        model: The system; not needed while the one that recorded lives.
        photo: The photo, where the trace was saved without it.

    Returns:
        A figure 1600 px wide that belongs to no pyplot state.

    Raises:
        UnknownNameError: There is no such query.
        TraceError, MismatchError: As in `backtrack`.
    """
    case = case_of(one_site(trace), "bands", model=model, photo=photo)
    drawing = Drawing.create(case, query)
    drawing.write_header(query)
    for row in range(len(drawing.decoded)):
        drawing.draw_row(row)
    return drawing.canvas.figure


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
    def create(cls, case: Case, query: int) -> Drawing:
        """An empty page of the right height."""
        rows = recorded(case.trace, query)
        place = np.flatnonzero(case.trace.column("query") == query)
        decoded, pixels = case.system.band_pictures(case.trace, place, rows["entry"].to_numpy(np.int64))
        return cls(
            canvas=Canvas.create(WIDTH, TOP + (1 + len(rows)) * ROW + 110),
            rows=rows,
            weights=tuple(case.trace.picture.settings["band_weights"]),
            decoded=decoded,
            pixels=pixels,
            bands=pixel_bands(pixels),
        )

    def write_header(self, query: int) -> None:
        """The query above, heads of the columns with their weights, and how to read the figure below."""
        canvas, first = self.canvas, self.rows.iloc[0]
        canvas.text(MARGIN, 50, f"Query {query}, band by band", TITLE, bold=True)
        x, y, width, height = (f"{value:g}" for value in first["box"])
        facts = f"{width}x{height} px of the photo at ({x}, {y}) · {len(self.rows)} recorded candidates"
        facts += f" · margin {first['margin']:.3f}" if np.isfinite(first["margin"]) else ""
        canvas.text(MARGIN, 78, facts, SMALL, FAINT)
        self.write_head(self.left(0), "Patch", "decoded · pixels", PAIR, INK)
        for band, (name, weight) in enumerate(zip(BANDS, self.weights, strict=True), 1):
            text = f"weight {weight:g}" if weight else "not compared"
            self.write_head(self.left(band), name, text, PAIR, INK if weight else UNCOUNTED)
        self.write_head(self.left(5), "Similarity", "of the weighted bands", WIDTH - MARGIN - self.left(5), INK)
        bottom = TOP + len(self.decoded) * ROW
        for band in range(1, 5):
            for value in (-1, 0, 1):
                place = self.left(band) + (value + 1) / 2 * BAR
                canvas.text(place, bottom + 2, str(value), SMALL, FAINT, align="center")
        for value in (0, 1):
            canvas.text(self.left(5) + value * TOTAL_BAR, bottom + 2, str(value), SMALL, FAINT, align="center")
        reading = (f"Left: {DECODED_CAPTION}.", f"Right: {PIXELS_CAPTION}.", "Bar below: cosine within the band.")
        for number, line in enumerate(reading):
            canvas.text(MARGIN, bottom + 50 + 22 * number, line, SMALL, FAINT)

    def write_head(self, left: float, name: str, about: str, width: float, colour: str) -> None:
        """The head of a column, underlined."""
        self.canvas.text(left, TOP - 56, name, BODY, FAINT if colour == UNCOUNTED else INK, bold=True)
        self.canvas.text(left, TOP - 34, about, SMALL, FAINT)
        self.canvas.line([(left, TOP - 20), (left + width, TOP - 20)], colour, 3.0 if colour == INK else 1.5)

    def left(self, column: int) -> float:
        """Left edge of a column: 0 is the patch, 1 to 4 the bands, 5 the total."""
        return MARGIN + NAMES + column * (PAIR + 28)

    def draw_row(self, row: int) -> None:
        """The query or a candidate: text, pictures of patch and bands, and bars."""
        y = TOP + row * ROW
        found = None if row == 0 else self.rows.iloc[row - 1]
        self.write_names(found, y)
        pictures = [(self.decoded[row, 0], self.pixels[row]), *zip(self.decoded[row, 1:], self.bands[row], strict=True)]
        for column, pair in enumerate(pictures):
            for n, picture in enumerate(pair):
                box = Box(self.left(column) + n * (PICTURE + 4), y, PICTURE, PICTURE)
                self.canvas.picture(picture, box, magnified=True)
                self.canvas.frame(box, UNCOUNTED, 1.0)  # keeps white patches apart from the page
        if found is None:
            self.write_energies(y)
            return
        if found["chosen"]:
            self.canvas.frame(Box(self.left(0), y, PAIR, PICTURE), QUANTITY_INK, 3.0)
        for band, name in enumerate(BAND_COLUMNS):
            self.draw_cosine(band, float(found[name]), y)
        self.draw_total(float(found["similarity"]), y)

    def write_names(self, found: pd.Series | None, y: float) -> None:
        """Which entry, of which source, and whether it won."""
        room = NAMES - 24
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
            self.canvas.text(self.left(band), y + PICTURE + 20, f"{percent(float(part))} of its energy", SMALL, FAINT)

    def draw_cosine(self, band: int, cosine: float, y: float) -> None:
        """A bar from the middle, for -1 to 1, and its number."""
        left, top, counted = self.left(band + 1), y + PICTURE + 9, self.weights[band] > 0
        zero, length = left + BAR / 2, cosine * BAR / 2
        self.canvas.bar(Box(left, top, BAR, 12), TRACK)
        self.canvas.bar(Box(min(zero, zero + length), top, abs(length), 12), QUANTITY_INK if counted else UNCOUNTED)
        self.canvas.line([(zero, top - 2), (zero, top + 14)], FAINT, 1.2)
        self.canvas.text(left + PAIR, top + 12, f"{cosine:.2f}", SMALL, INK if counted else FAINT, align="right")

    def draw_total(self, similarity: float, y: float) -> None:
        """A bar from 0 to 1 and its number."""
        left, top = self.left(5), y + PICTURE / 2 - 14
        self.canvas.bar(Box(left, top, TOTAL_BAR, 28), TRACK)
        self.canvas.bar(Box(left, top, TOTAL_BAR * max(similarity, 0), 28), QUANTITY_INK)
        self.canvas.text(WIDTH - MARGIN, top + 20, f"{similarity:.3f}", BODY, bold=True, align="right")


def recorded(trace: Trace, query: int) -> pd.DataFrame:
    """The rows of one query, best first; extensions without their prefix."""
    hits = np.flatnonzero(trace.column("query", winners=False) == query)
    if not len(hits):
        raise UnknownNameError(f"query {query}", f"the trace has {len(trace):,}", "Count from 0")
    rows: pd.DataFrame = trace.table.take(hits).to_pandas()
    rows = rows.rename(columns=lambda name: name.rsplit(".", 1)[-1])
    return rows.sort_values("rank", ignore_index=True)
