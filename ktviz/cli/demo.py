"""`ktviz demo`: the main job on the sample data, from images to pictures, figures and shares."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ktviz import samples
from ktviz.cli.console import Quiet, print_shares, say
from ktviz.files import replacing
from ktviz.images import Pixels, read_image, write_image

if TYPE_CHECKING:
    import pandas as pd

    from ktviz.systems.kt.translation import Translation
    from ktviz.systems.kt.translator import Translator

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
GAP_PX = 8


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


def demo(
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FOLDER", help="Where the pictures go.")] = Path(
        "ktviz-demo"
    ),
    quiet: Quiet = False,
) -> None:
    """Build the sample library (once), translate the sample photographs, and show which sources painted them."""
    import pandas as pd
    from tqdm.auto import tqdm

    from ktviz.systems.kt.decoder import Decoder
    from ktviz.systems.kt.encoder import Encoder
    from ktviz.systems.kt.translator import Translator

    photos = samples.folder() / "photos"
    library = samples.library([bank for _, bank in JOBS], quiet=quiet)
    jobs = [Job(photos / f"{photo}.jpg", bank) for photo, bank in JOBS]
    encoder, decoder = Encoder.shipped(), Decoder.shipped()
    bar = tqdm(jobs, desc="translating", unit="photo", disable=quiet)
    results = [run_job(job, Translator(library[job.bank], encoder, decoder), output) for job in bar]
    write_explorer(jobs[0], Translator(library[jobs[0].bank], encoder, decoder), output)
    shares = pd.concat(results, ignore_index=True)
    with replacing(output / "sources.csv") as path:
        shares.to_csv(path, index=False, float_format="%.9g")
    if not quiet:
        for name, rows in shares.groupby("output", sort=False):
            print_shares(rows, str(name))
        say("")
        say(f"Pictures, backtracking figures and sources.csv are in {output}")
        say(f"Explore one of them: open {output / 'explorer.html'} in a browser")


def run_job(job: Job, translator: Translator, output: Path) -> pd.DataFrame:
    """Translate one photograph, write its three pictures, and return the share of each source."""
    from ktviz.explain.shares import source_shares
    from ktviz.figures.backtracking import backtracking_figure

    result = translator(read_image(job.photo), without=made_after(job, translator))
    write_image(output / f"{job.name}.png", result.image)
    write_image(output / f"{job.name}_beside.png", beside(result))
    with replacing(output / f"{job.name}_backtracking.png") as path:
        backtracking_figure(result).savefig(path, dpi=125)
    shares = source_shares(result)
    shares.insert(0, "output", f"{job.name}.png")
    return shares


def write_explorer(job: Job, translator: Translator, output: Path) -> None:
    """Write a page on which one translation can be explored."""
    trace = translator.traced(read_image(job.photo), without=made_after(job, translator))
    with trace.explore() as view:
        view.to_html(output / "explorer.html", overwrite=True)


def made_after(job: Job, translator: Translator) -> list[str]:
    """Sources that were made after the photograph itself."""
    return [name for name in translator.banks.source_names if job.own in name]


def beside(result: Translation) -> Pixels:
    """Input and output in one picture, with a white gap."""
    import numpy as np

    gap = np.full((result.input.shape[0], GAP_PX, 3), 255, dtype=np.uint8)
    return np.hstack((result.input, gap, result.image))
