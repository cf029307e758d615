"""Forecasts: what a translation will hold in memory, before it starts.

Worked out from sizes; `benchmarks/results/memory.md` holds it against what processes really took.
"""

from __future__ import annotations

from dataclasses import dataclass

from ktviz.errors import SettingError
from ktviz.library.kinds.patches.grid import PatchGrid
from ktviz.library.kinds.patches.search import SearchSettings
from ktviz.memory import as_text, held

READING = 14
"""Bytes per px while a photo is read from its file."""
PIXELS = 12
"""Bytes per px of photo and translation, and of the copies that a recording keeps."""
CANDIDATE, QUERY = 28, 25
"""Bytes per candidate and per query of `Matches`; twice that where those of all strips are joined."""
ROW, PATH = 104, 64
"""Bytes of a recording per candidate and per query."""
TABLE = 280
"""Bytes per recorded candidate while its table is made, on top."""
WORK = {"beam": 600_000_000, "paper": 800_000_000, "exact": 800_000_000}
"""Bytes that tiles and strips take by the preset of the search, however large the photo."""


@dataclass(frozen=True)
class Forecast:
    """What translating one photo will take.

    Attributes:
        width: Of the photo in px.
        height: Of the photo in px.
        queries: How many retrievals.
        memory: The most bytes that the process will hold, with all that it holds already.
        recording: Bytes of its retrievals and pictures in a recording.
        keeps_features: Whether the photo's features fit as a whole; else they are made again and again, strip by strip.
    """

    width: int
    height: int
    queries: int
    memory: int
    recording: int
    keeps_features: bool

    def __str__(self) -> str:
        again = "" if self.keeps_features else ", features made strip by strip"
        return (
            f"{self.width}x{self.height} px, {self.queries:,} queries: at most {as_text(self.memory)} of memory{again}"
        )


def forecast(
    height: int,
    width: int,
    grid: PatchGrid,
    channels: int,
    search: SearchSettings,
    recorded: int,
    sites: int,
    limit: int | None,
) -> Forecast:
    """What a translation will take.

    Args:
        height: Of the photo in px.
        width: Of the photo in px.
        grid: Its queries.
        channels: Of its features.
        search: How it is searched.
        recorded: Candidates recorded per query; 0 without a recording.
        sites: How often every query is asked.
        limit: Bytes that the process may hold; None for no limit.

    Raises:
        SettingError: It does not fit.
    """
    pixels, queries, before = height * width, len(grid), held()
    features = 4 * channels * grid.height * grid.width
    matches, work = queries * (CANDIDATE * search.candidates + QUERY), WORK[search.preset]
    rows = sites * queries * (recorded * ROW + PATH)
    read = READING * pixels
    made = PIXELS * pixels + matches + rows + sites * queries * recorded * TABLE
    least = before + max(read, made, PIXELS // 2 * pixels + 2 * matches + rows + work)
    whole = before + max(read, made, PIXELS // 2 * pixels + 2 * matches + rows + work + features)
    if limit is not None and least > limit:
        scale = max(0.0, (limit - before - work) / max(1, least - before - work)) ** 0.5
        side = int(0.9 * scale * min(height, width))
        smaller = f", or shrink the photo first, to a shorter side of about {side} px" if side >= 64 else ""
        raise SettingError(
            f"translate {width}x{height} px within {as_text(limit)} of memory",
            f"it takes {as_text(least)} ({as_text(before)} are held before it starts)",
            f"Allow more memory{smaller}",
        )
    keeps = limit is None or whole <= limit
    return Forecast(width, height, queries, whole if keeps else least, rows + PIXELS // 2 * pixels, keeps)
