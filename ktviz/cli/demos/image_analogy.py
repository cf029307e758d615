"""The demo of Deep Image Analogy: sample pictures of alike things trade their looks; one is audited."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm.auto import tqdm

from ktviz import samples
from ktviz.cli.demos.pictures import Made, beside, write_backtracking, write_explorer
from ktviz.images import Pixels, read_image, resize_short_side, write_image
from ktviz.retrieval.credit import Credit

if TYPE_CHECKING:
    from ktviz.systems.image_analogy.method import Method
    from ktviz.systems.image_analogy.system import ImageAnalogy
    from ktviz.trace.trace import Trace

PAIRS = (
    ("comic/halftone/sailing", "art/watercolour/harbour-sails"),
    ("comic/halftone/still-life", "art/impasto/still-life-with-oranges"),
    ("comic/halftone/lighthouse", "art/watercolour/sea-cliffs"),
    ("photos/chelsea", "art/watercolour/after-chelsea"),
)
"""A and B'; the watercolour of the cat was made after that photograph, in another size and cut."""
SIDE_PX = 320
"""Pictures are reduced to this shorter side, so that all of it takes two minutes."""
RATIO = 0.8
"""The network sees about 256 px of it."""
SAMPLE = 200
"""Retrievals that the audit compares with the exact search, at sites that search."""

SHOWN = {
    "sailing_harbour-sails_beside.png": "A, the reference B', A in the look of B', and B' in the look of A.",
    "sailing_harbour-sails_backtracking.png": "Pieces of A, and where in the reference their pixels come from.",
}
"""Pictures for the page of all systems, and what they are."""


@dataclass(frozen=True)
class Sample:
    """One of the sample pictures.

    Attributes:
        name: "art/impasto/straw-hat".
        pixels: (H, W, 3) uint8, reduced.
        credit: Who made it.
    """

    name: str
    pixels: Pixels
    credit: Credit

    @classmethod
    def read(cls, name: str) -> Sample:
        """By its name."""
        from ktviz.library.credits import read_credits

        file = f"{name}.jpg"
        rows = read_credits(samples.folder() / "credits.csv").rows
        pixels = read_image(samples.folder() / file)
        small = pixels if min(pixels.shape[:2]) <= SIDE_PX else resize_short_side(pixels, SIDE_PX)
        return cls(name, small, next(row.credit for row in rows if row.file == file))

    @property
    def short(self) -> str:
        """Its name without its folder."""
        return self.name.rsplit("/", 1)[1]

    def system(self, method: Method) -> ImageAnalogy:
        """The system with this picture as its reference."""
        from ktviz.systems.image_analogy.system import ImageAnalogy

        said = {"source": f"{self.short}.jpg", "bank": "samples", **self.credit.described()}
        return ImageAnalogy(self.pixels, method, said)


def run(output: Path, quiet: bool) -> Iterator[Made]:
    """Make the analogies, a page and an audit of the first; yields each output."""
    from ktviz.audit.audit import Audit
    from ktviz.systems.image_analogy.method import Method

    method = Method.shipped()
    with tqdm(PAIRS, desc="analogies", unit="pair", disable=quiet) as bar:

        def progress(layer: str, way: str, step: str) -> None:
            bar.set_postfix_str(f"{layer}: {step}")

        for names in bar:
            a, reference = map(Sample.read, names)
            system = reference.system(method)
            trace = system.traced(a.pixels, ratio=RATIO, progress=progress)
            bar.set_postfix_str("figure")
            yield from write(trace, a, reference, output)
            if names == PAIRS[0]:
                bar.set_postfix_str("page")
                write_explorer(trace, output)
                bar.set_postfix_str("audit")
                title = f"{a.short} with the look of {reference.short}"
                Audit.create(trace, title=title, sample=SAMPLE).save(output / "audit", overwrite=True)


def write(trace: Trace, a: Sample, reference: Sample, output: Path) -> list[Made]:
    """Write the pictures of one analogy, and return what its outputs were made of."""
    name = f"{a.short}_{reference.short}"
    canvases = trace.picture.canvases
    made, back = canvases["output"], canvases["output:back"]
    write_image(output / f"{name}.png", made)
    write_image(output / f"{name}-back.png", back)
    write_image(output / f"{name}_beside.png", beside(a.pixels, reference.pixels, made, back))
    write_backtracking(trace, output / f"{name}_backtracking.png")
    there, again = (
        Made.of(trace.site(f"{way}.vote"), f"{name}{end}.png") for way, end in (("ab", ""), ("ba", "-back"))
    )
    # To the system, A is only what it was given.
    known = {"source": f"{a.short}.jpg", "bank": a.name.rsplit("/", 1)[0], **a.credit.described()}
    said = {column: known[column] for column in again.shares.columns if column in known}
    return [there, replace(again, shares=again.shares.assign(**said))]
