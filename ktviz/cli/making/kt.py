"""KT on the command line: photographs, translated with banks of patches; with a forecast for large ones."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from ktviz.cli.console import err
from ktviz.cli.large import shrunk
from ktviz.cli.making.given import Given, Maker, Making
from ktviz.cli.streams import read_photo
from ktviz.errors import ImageError
from ktviz.images import Pixels, image_size

if TYPE_CHECKING:
    from ktviz.systems.kt.forecast import Forecast
    from ktviz.systems.kt.settings import Settings
    from ktviz.systems.kt.translator import Translator

SETTINGS = ("preset", "transfer", "strength", "without", "align", "tone", "coherence", "max_gain")
SAMPLE_PX = 384
"""Side of the part of a photo that is translated to tell how long the whole will take."""
WORTH = 12
"""So many times the sample's queries make a forecast worth its time: 1.4 megapixels."""


def maker(given: Given) -> Maker:
    """A translator on some banks."""
    from ktviz.systems.kt.settings import Settings
    from ktviz.systems.kt.translator import Translator

    settings, side = Settings(**given.of(*SETTINGS)), given["side"]  # refuse bad values before any work
    translator: Translator = Translator.shipped(given.banks(), given["memory"])
    translator.banks.excluded(settings.without)
    return Maker(
        translator,
        lambda photo, name: shrunk(read_photo(photo), side),
        lambda pixels: translator.recorded(pixels, settings, candidates=given.candidates),
        lambda photo, name: expected(translator, photo, settings, given.candidates, side),
        lambda pixels: announce(translator, pixels, settings, given.candidates),
    )


def expected(
    translator: Translator, photo: Path, settings: Settings, recorded: int | None, side: int | None
) -> Forecast | None:
    """What translating a file will take, by the size that its header states; None if it is no image.

    Raises:
        SettingError: It does not fit into the translator's memory.
    """
    try:
        height, width = image_size(photo)
    except ImageError:
        return None  # reading it will say why
    scale = 1.0 if side is None else min(1.0, side / min(height, width))
    return translator.forecast(round(height * scale), round(width * scale), settings=settings, recorded=recorded)


def announce(translator: Translator, pixels: Pixels, settings: Settings, recorded: int | None) -> None:
    """Say how long a large photo will take, and how much memory: its middle is translated to tell."""
    height, width = pixels.shape[:2]
    top, left = max(0, height - SAMPLE_PX) // 2, max(0, width - SAMPLE_PX) // 2
    sample = pixels[top : top + SAMPLE_PX, left : left + SAMPLE_PX]
    forecast = translator.forecast(height, width, settings=settings, recorded=recorded)
    times = forecast.queries / len(translator.grid(*sample.shape[:2]))
    if times < WORTH:
        return
    start = time.perf_counter()
    translator.recorded(sample, settings, candidates=recorded)
    seconds = (time.perf_counter() - start) * times
    err.print(f"{forecast}, about {duration(seconds)}", soft_wrap=True)


def duration(seconds: float) -> str:
    """A length of time in words."""
    return f"{seconds:.0f} seconds" if seconds < 120 else f"{seconds / 60:.0f} minutes"


MAKING = Making(maker, (*SETTINGS, "side", "memory"))
