"""The demo of KT: photographs translated with banks that are built from the samples."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm.auto import tqdm

from ktviz import samples
from ktviz.cli.demos.pictures import Made, beside, write_backtracking, write_explorer
from ktviz.images import read_image, write_image

if TYPE_CHECKING:
    from ktviz.systems.kt.translator import Translator
    from ktviz.trace.trace import Trace

JOBS = (
    ("coffee", "art/impasto"),
    ("chelsea", "art/watercolour"),
    ("astronaut", "art/pointillism"),
    ("chelsea", "art/woodcut"),
    ("rocket", "hdr/vivid"),
    ("astronaut", "comic/halftone"),
    ("chelsea", "comic/ink"),
)
"""Photograph and bank; sources made after the same photograph are left out, so that no picture paints itself."""

SHOWN = {
    "coffee_art-impasto_backtracking.png": "A photograph, its translation, and patches that won.",
    "chelsea_art-watercolour_beside.png": "The same with a bank of watercolours.",
    "astronaut_comic-halftone_beside.png": "And with one of halftone prints.",
}
"""Pictures for the page of all systems, and what they are."""


@dataclass(frozen=True)
class Job:
    """One translation of the demo."""

    photo: Path
    bank: str

    @property
    def name(self) -> str:
        return f"{self.photo.stem}_{self.bank.replace('/', '-')}"

    @property
    def own(self) -> str:
        """The name of a source that was made after this photograph."""
        return f"after-{self.photo.stem}"


def run(output: Path, quiet: bool) -> Iterator[Made]:
    """Build the sample library (once) and translate the sample photographs; yields each output."""
    from ktviz.systems.kt.decoder import Decoder
    from ktviz.systems.kt.encoder import Encoder
    from ktviz.systems.kt.translator import Translator

    photos = samples.folder() / "photos"
    library = samples.library([bank for _, bank in JOBS], quiet=quiet)
    jobs = [Job(photos / f"{photo}.jpg", bank) for photo, bank in JOBS]
    encoder, decoder = Encoder.shipped(), Decoder.shipped()
    for job in tqdm(jobs, desc="translating", unit="photo", disable=quiet):
        yield translate(job, Translator(library[job.bank], encoder, decoder), output)
    first = Translator(library[jobs[0].bank], encoder, decoder)
    write_explorer(recorded(jobs[0], first, None), output)


def translate(job: Job, translator: Translator, output: Path) -> Made:
    """Translate one photograph, write its three pictures, and return what it was made of."""
    trace = recorded(job, translator, 1)
    photo, made = trace.input, trace.output
    assert photo is not None
    assert made is not None
    write_image(output / f"{job.name}.png", made)
    write_image(output / f"{job.name}_beside.png", beside(photo, made))
    write_backtracking(trace, output / f"{job.name}_backtracking.png")
    return Made.of(trace, f"{job.name}.png")


def recorded(job: Job, translator: Translator, candidates: int | None) -> Trace:
    """The translation of a job without the sources that were made after its photograph."""
    from ktviz.systems.kt.settings import Settings

    own = tuple(name for name in translator.banks.source_names if job.own in name)
    return translator.recorded(read_image(job.photo), Settings(without=own), candidates=candidates)
