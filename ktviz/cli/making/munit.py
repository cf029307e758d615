"""MUNIT on the command line: photographs, and styles of a file, of a bank, or drawn."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ktviz.cli.large import shrunk
from ktviz.cli.making.given import Given, Maker, Making
from ktviz.cli.streams import read_photo
from ktviz.errors import SettingError
from ktviz.images import as_pixels
from ktviz.values import short

if TYPE_CHECKING:
    from ktviz.library.kinds.codes.coder import Coder
    from ktviz.systems.munit.exemplar import Exemplar

SETTINGS = ("nearest", "seed")


def maker(given: Given) -> Maker:
    """The system, with banks or without."""
    from ktviz.systems.munit.settings import Settings
    from ktviz.systems.munit.system import Munit

    settings, side, without = given.of(*SETTINGS), given["side"], given["without"] or ()
    settings |= {} if given["code"] is None else {"code": numbers(given["code"])}
    settings |= {} if given["mix"] is None else {"mix": weights(given["mix"])}
    Settings(**settings)  # refuse bad values before any work
    exemplar: str | Exemplar | None = given["reference"]
    banks = given.banks() if given.library is not None or given.bank else None
    system = Munit(banks, to=given["to"])
    if exemplar is not None and banks is None:
        exemplar = from_file(Path(given["reference"]), side)
    system.asked(exemplar, without, settings)
    return Maker(
        system,
        lambda path, name: shrunk(read_photo(path), side),
        lambda pixels: system.traced(pixels, exemplar=exemplar, without=without, **settings),
    )


def coder() -> Coder:
    """What banks of styles of the second domain are made with."""
    from ktviz.systems.munit.system import Munit

    return Munit().coder


def from_file(path: Path, side: int | None) -> Exemplar:
    """A file as an exemplar, shrunk as photos are."""
    from ktviz.systems.munit.exemplar import Exemplar
    from ktviz.systems.reference import described

    pixels = shrunk(as_pixels(path), side)
    return Exemplar(pixels, described(path, pixels))


def numbers(text: str) -> list[float]:
    """Numbers between commas.

    Raises:
        SettingError: Something else.
    """
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise SettingError(f"--code {short(text)}", "no numbers", "Give them with commas: 0.5,-1,2") from None


def weights(pairs: Sequence[str]) -> list[tuple[str, float]]:
    """Weights by name, each as NAME=WEIGHT.

    Raises:
        SettingError: Something else.
    """
    found = []
    for pair in pairs:
        name, _, weight = pair.rpartition("=")
        try:
            found.append((name, float(weight)))
        except ValueError:
            raise SettingError(f"--mix {short(pair)}", "no weight", "Give --mix NAME=0.5 for each source") from None
    return found


MAKING = Making(maker, (*SETTINGS, "without", "reference", "to", "code", "mix", "side"), coder=coder)
