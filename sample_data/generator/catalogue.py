"""Which pictures make up which bank: a scene or a photograph, and the medium it is rendered in."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from . import (
    comic,
    figures,
    impasto,
    landscapes,
    photographs,
    places,
    pointillism,
    seascapes,
    sky,
    solids,
    watercolour,
    woodcut,
)
from .colour import expose
from .tone_mapping import expand, tone_map

Array = np.ndarray
Size = tuple[int, int]
Scene = Callable[[Size, np.random.Generator], Array]
Medium = Callable[[Array, np.random.Generator], Array]

SEED = 20260
CLEAR_NIGHT = replace(sky.NIGHT, glow=0.25)
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
        return self.medium(radiance if self.bank.startswith("hdr/") else display, medium_rng)


def vivid(radiance: Array, _: np.random.Generator) -> Array:
    """The HDR look as a medium; banks under `hdr/` are given radiance rather than display values."""
    return tone_map(radiance)


def _compose(scene: Scene, composition: int, size: Size, _: np.random.Generator) -> Array:
    return scene(size, np.random.default_rng(composition))


def take(scene: Scene, composition: int) -> Scene:
    """One chosen composition of a scene: the number of a random layout that looks well."""
    return partial(_compose, scene, composition)


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
        "art/impasto",
        "Impasto brush strokes",
        (
            "cypress-fields",
            "wheat fields with cypresses",
            take(landscapes.cypress_fields, 7),
            impasto.impasto,
        ),
        (
            "starry-river",
            "a town by a river under stars",
            take(partial(places.night_town, sky=CLEAR_NIGHT), 3),
            partial(impasto.impasto, swirl=1.6),
        ),
        ("still-life-with-oranges", "oranges, apples and a bottle", solids.still_life, impasto.impasto),
        ("straw-hat", "a faceless bust in a straw hat", figures.bust, impasto.impasto, PORTRAIT),
        _after("astronaut", impasto.impasto, SQUARE),
    ),
    *_bank(
        "art/watercolour",
        "Watercolour washes",
        (
            "harbour-sails",
            "sailing boats in a harbour",
            take(partial(seascapes.harbour, sky=sky.ALPINE), 5),
            watercolour.watercolour,
        ),
        (
            "mountain-lake",
            "peaks mirrored in a lake",
            take(landscapes.mountain_lake, 3),
            watercolour.watercolour,
        ),
        ("sea-cliffs", "cliffs with a lighthouse", take(seascapes.sea_cliffs, 7), watercolour.watercolour),
        ("poppy-meadow", "a poppy meadow", landscapes.poppy_field, watercolour.watercolour),
        _after("chelsea", watercolour.watercolour),
    ),
    *_bank(
        "art/pointillism",
        "Pointillist dabs",
        ("parasol", "a woman with a parasol", figures.parasol, pointillism.pointillism, PORTRAIT),
        ("autumn-river", "autumn trees by a river", take(places.autumn_river, 3), pointillism.pointillism),
        ("orchard", "an orchard in blossom", take(landscapes.orchard, 3), pointillism.pointillism),
        ("evening-sea", "the sea at sunset", seascapes.evening_sea, pointillism.pointillism),
        _after("coffee", pointillism.pointillism),
    ),
    *_bank(
        "art/woodcut",
        "Colour woodcut",
        (
            "great-swell",
            "high waves",
            take(seascapes.storm_sea, 3),
            partial(woodcut.woodcut, inks=woodcut.INDIGO),
        ),
        (
            "red-volcano",
            "a snow-capped volcano",
            take(partial(landscapes.volcano, sky=sky.DAWN), 7),
            partial(woodcut.woodcut, inks=woodcut.PRUSSIAN),
        ),
        (
            "pine-lake",
            "pines by a mountain lake",
            take(landscapes.mountain_lake, 7),
            partial(woodcut.woodcut, inks=woodcut.MOSS),
        ),
        (
            "parasol",
            "a woman with a parasol, from behind",
            figures.parasol,
            partial(woodcut.woodcut, inks=woodcut.PRUSSIAN),
            PORTRAIT,
        ),
        _after("rocket", partial(woodcut.woodcut, inks=woodcut.PRUSSIAN)),
    ),
    *_bank(
        "hdr/vivid",
        "HDR tone mapping",
        ("red-canyon", "banded mesas over a river", take(landscapes.canyon, 3), vivid),
        ("dunes-at-sunset", "dunes against a low sun", take(landscapes.dunes, 5), vivid),
        ("night-town", "a town at night", take(partial(places.night_town, sky=CLEAR_NIGHT), 3), vivid),
        ("alpine-lake", "snow peaks over a lake", take(landscapes.mountain_lake, 5), vivid),
        _after("coffee", vivid),
    ),
    *_bank(
        "comic/halftone",
        "Ben-Day halftone comic",
        ("skyline", "a city at dusk", take(places.skyline, 3), comic.halftone),
        ("still-life", "fruit and a bottle", solids.still_life, comic.halftone),
        ("sailing", "sailing boats", take(partial(seascapes.harbour, sky=sky.ALPINE), 3), comic.halftone),
        ("lighthouse", "cliffs with a lighthouse", take(seascapes.sea_cliffs, 6), comic.halftone),
        _after("astronaut", comic.halftone, SQUARE),
    ),
    *_bank(
        "comic/ink",
        "Pen and ink hatching",
        ("forest-path", "a path through a forest", take(places.forest_path, 3), comic.ink),
        ("mountain-lake", "peaks, a lake and pines", take(landscapes.mountain_lake, 6), comic.ink),
        ("straw-hat", "a faceless bust in a straw hat", figures.bust, comic.ink, PORTRAIT),
        ("canyon", "mesas over a river", take(landscapes.canyon, 5), comic.ink),
        _after("chelsea", comic.ink),
    ),
)
