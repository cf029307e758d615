"""Deep Image Analogy on the command line: a photograph, and a reference that is a file or a picture of a bank."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tqdm.auto import tqdm

from ktviz.cli.large import shrunk
from ktviz.cli.making.given import Given, Maker, Making
from ktviz.cli.streams import read_photo
from ktviz.images import Pixels, as_pixels

if TYPE_CHECKING:
    from ktviz.systems.image_analogy.system import ImageAnalogy
    from ktviz.trace.trace import Trace

SETTINGS = ("preset", "inversion", "refine", "seed")


def maker(given: Given) -> Maker:
    """The system with its reference."""
    from ktviz.systems.image_analogy.method import pieces_of_work
    from ktviz.systems.image_analogy.settings import settings_from
    from ktviz.systems.image_analogy.system import ImageAnalogy

    if (given.library is None) != (not given.bank):
        found = "--bank without --library" if given.bank else "--library without --bank"
        raise given.refused(found, "Give both, or neither and a file as --reference")
    if given.library is None and given["reference"] is None:
        raise given.refused("no --reference", "Give the picture whose look is taken on")
    settings = given.of(*SETTINGS)
    total = pieces_of_work(settings_from(settings))  # refuses bad values before any work
    system = (
        from_file(Path(given["reference"]), given["side"])
        if given.library is None
        else ImageAnalogy.from_bank(given.banks(), given["reference"])
    )

    def record(pixels: Pixels) -> Trace:
        with tqdm(desc=system.name, total=total, unit="step", disable=given.quiet) as bar:

            def progress(layer: str, way: str, step: str) -> None:
                bar.set_postfix_str(f"{layer}, {'A to reference' if way == 'ab' else 'reference to A'}: {step}")
                bar.update()

            return system.traced(pixels, progress=progress, **settings)

    return Maker(system, lambda photo, name: shrunk(read_photo(photo), given["side"]), record)


def from_file(path: Path, side: int | None) -> ImageAnalogy:
    """With a file as its reference, shrunk as photos are."""
    from ktviz.systems.image_analogy.system import ImageAnalogy
    from ktviz.systems.reference import described

    pixels = shrunk(as_pixels(path), side)
    return ImageAnalogy(pixels, source=described(path, pixels))


MAKING = Making(maker, (*SETTINGS, "reference", "side"), further=("back",))
