"""Which pictures make up which bank: a scene or a photograph, and the medium it is rendered in."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from . import comic, impasto, landscapes, photographs, places, pointillism, seascapes, sky, solids, watercolour, woodcut
from .colour import expose
from .tone_mapping import expand, tone_map

Array = np.ndarray
Size = tuple[int, int]
Scene = Callable[[Size, np.random.Generator], Array]
Medium = Callable[[Array, np.random.Generator], Array]

SEED = 20260
LANDSCAPE, PORTRAIT, SQUARE = (512, 640), (640, 512), (512, 512)


@dataclass(frozen=True)
class Source:
    """One style source: `subject` is a procedural scene or the name of a photograph."""

    bank: str
    name: str
    title: str
    subject: Scene | str
    medium: Medium
    size: Size = LANDSCAPE

    @property
    def file(self) -> str:
        """Path relative to `sample_data/`."""
        return f"{self.bank}/{self.name}.jpg"

    def render(self) -> Array:
        """The finished picture, display RGB in [0, 1]; the same on every run."""
        scene_rng, medium_rng = np.random.default_rng([SEED, zlib.crc32(self.file.encode())]).spawn(2)
        if isinstance(self.subject, str):
            display = photographs.cropped(self.subject, self.size)
            radiance = expand(display)
        else:
            radiance = self.subject(self.size, scene_rng)
            display = expose(radiance)
        return tone_map(radiance) if self.medium is HDR else self.medium(display, medium_rng)


def HDR(display: Array, rng: np.random.Generator) -> Array:
    """Marker of the one medium that works on radiance rather than on display values."""
    raise NotImplementedError


def _bank(bank: str, medium: str, *rows: tuple) -> list[Source]:
    """Sources of one bank from (name, what it shows, subject, medium function[, size])."""
    return [
        Source(bank, name, f"{medium}: {shows}", subject, function, *size)
        for name, shows, subject, function, *size in rows
    ]


def _after(name: str, medium: Medium, size: Size = LANDSCAPE) -> tuple:
    """A row of a bank for a picture made after a photograph."""
    return f"after-{name}", f"after the photograph '{name}'", name, medium, size


SOURCES: tuple[Source, ...] = (
    *_bank(
        "art/impasto", "Impasto brush strokes",
        ("cypress-fields", "wheat fields with cypresses", landscapes.cypress_fields, impasto.impasto),
        ("starry-river", "a town by a river under stars", places.night_town, partial(impasto.impasto, swirl=1.6)),
        ("still-life-with-oranges", "oranges, apples and a bottle", solids.still_life, impasto.impasto),
        ("straw-hat", "a faceless bust in a straw hat", solids.bust, impasto.impasto, PORTRAIT),
        _after("astronaut", impasto.impasto, SQUARE),
    ),
    *_bank(
        "art/watercolour", "Watercolour washes",
        ("harbour-sails", "sailing boats in a harbour", seascapes.harbour, watercolour.watercolour),
        ("mountain-lake", "peaks mirrored in a lake", landscapes.mountain_lake, watercolour.watercolour),
        ("sea-cliffs", "cliffs with a lighthouse", seascapes.sea_cliffs, watercolour.watercolour),
        ("poppy-meadow", "a poppy meadow", landscapes.poppy_field, watercolour.watercolour),
        _after("chelsea", watercolour.watercolour),
    ),
    *_bank(
        "art/pointillism", "Pointillist dabs",
        ("parasol", "a woman with a parasol, from behind", solids.parasol, pointillism.pointillism, PORTRAIT),
        ("autumn-river", "autumn trees by a river", places.blossom_shore, pointillism.pointillism),
        ("orchard", "an orchard in blossom", landscapes.orchard, pointillism.pointillism),
        ("evening-sea", "the sea at sunset", seascapes.evening_sea, pointillism.pointillism),
        _after("coffee", pointillism.pointillism),
    ),
    *_bank(
        "art/woodcut", "Colour woodcut",
        ("great-swell", "high waves", seascapes.storm_sea, partial(woodcut.woodcut, inks=woodcut.PRUSSIAN)),
        ("volcano-at-dusk", "a snow-capped volcano", landscapes.volcano, partial(woodcut.woodcut, inks=woodcut.VERMILION)),
        ("pine-lake", "pines by a mountain lake", landscapes.mountain_lake, partial(woodcut.woodcut, inks=woodcut.MOSS)),
        ("parasol", "a woman with a parasol, from behind", solids.parasol,
         partial(woodcut.woodcut, inks=woodcut.PRUSSIAN), PORTRAIT),
        _after("rocket", partial(woodcut.woodcut, inks=woodcut.PRUSSIAN)),
    ),
    *_bank(
        "hdr/vivid", "HDR tone mapping",
        ("red-canyon", "banded mesas over a river", landscapes.canyon, HDR),
        ("dunes-at-sunset", "dunes against a low sun", landscapes.dunes, HDR),
        ("night-town", "a town at night", places.night_town, HDR),
        ("alpine-lake", "snow peaks over a lake", landscapes.mountain_lake, HDR),
        _after("coffee", HDR),
    ),
    *_bank(
        "comic/halftone", "Ben-Day halftone comic",
        ("skyline", "a city at dusk", places.skyline, comic.halftone),
        ("still-life", "fruit and a bottle", solids.still_life, comic.halftone),
        ("sailing", "sailing boats", seascapes.harbour, comic.halftone),
        ("lighthouse", "cliffs with a lighthouse", seascapes.sea_cliffs, comic.halftone),
        _after("astronaut", comic.halftone, SQUARE),
    ),
    *_bank(
        "comic/ink", "Pen and ink hatching",
        ("forest-path", "a path through a forest", places.forest_path, comic.ink),
        ("mountain-lake", "peaks, a lake and pines", landscapes.mountain_lake, comic.ink),
        ("straw-hat", "a faceless bust in a straw hat", solids.bust, comic.ink, PORTRAIT),
        ("canyon", "mesas over a river", partial(landscapes.canyon, sky=sky.MORNING), comic.ink),
        _after("chelsea", comic.ink),
    ),
)
