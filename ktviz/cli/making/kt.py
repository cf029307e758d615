"""KT on the command line: photographs, translated with banks of patches."""

from __future__ import annotations

from ktviz.cli.large import announce, expected, shrunk
from ktviz.cli.making.given import Given, Maker, Making
from ktviz.cli.streams import read_photo

SETTINGS = ("preset", "transfer", "strength", "without", "coherence", "max_gain")


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


MAKING = Making(maker, (*SETTINGS, "side", "memory"))
