"""`ktviz demo`: the main job on the sample data, from images to pictures, figures and shares."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from platformdirs import user_cache_path

from ktviz.cli.console import Quiet, out, print_shares
from ktviz.errors import ImageError, LibraryBusyError, LibraryError, StorageError
from ktviz.files import replacing
from ktviz.images import Pixels, file_digest, find_images, read_image, write_image

if TYPE_CHECKING:
    import pandas as pd

    from ktviz.library.library import Library
    from ktviz.model.encoder import Encoder
    from ktviz.model.translator import Translation, Translator

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
STRIDE = 2
"""The sample library takes every second patch a side: a first run stays under a minute."""
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
    from tqdm import tqdm

    from ktviz.model.decoder import Decoder
    from ktviz.model.encoder import Encoder
    from ktviz.model.translator import Translator

    samples = sample_folder()
    library = sample_library(samples, quiet)
    jobs = [Job(samples / "photos" / f"{photo}.jpg", bank) for photo, bank in JOBS]
    encoder, decoder = Encoder.shipped(), Decoder.shipped()
    bar = tqdm(jobs, desc="translating", unit="photo", disable=quiet)
    results = [run_job(job, Translator(library[job.bank], encoder, decoder), output) for job in bar]
    shares = pd.concat(results, ignore_index=True)
    with replacing(output / "sources.csv") as path:
        shares.to_csv(path, index=False, float_format="%.9g")
    if not quiet:
        for name, rows in shares.groupby("output", sort=False):
            print_shares(rows, str(name))
        out.print(f"\nPictures, backtracking figures and sources.csv are in [bold]{output}[/]")


def run_job(job: Job, translator: Translator, output: Path) -> pd.DataFrame:
    """Translate one photograph, write its three pictures, and return the share of each source."""
    from ktviz.explain.shares import source_shares
    from ktviz.figures.backtracking import backtracking_figure

    made_after = [name for name in translator.banks.source_names if job.own in name]
    result = translator(read_image(job.photo), without=made_after)
    write_image(output / f"{job.name}.png", result.image)
    write_image(output / f"{job.name}_beside.png", beside(result))
    with replacing(output / f"{job.name}_backtracking.png") as path:
        backtracking_figure(result).savefig(path, dpi=125)
    shares = source_shares(result)
    shares.insert(0, "output", f"{job.name}.png")
    return shares


def beside(result: Translation) -> Pixels:
    """Input and output in one picture, with a white gap."""
    import numpy as np

    gap = np.full((result.input.shape[0], GAP_PX, 3), 255, dtype=np.uint8)
    return np.hstack((result.input, gap, result.image))


def sample_library(samples: Path, quiet: bool) -> Library:
    """The library of the sample banks, built once into the user's cache."""
    from ktviz.library.format import FORMAT_VERSION, LibrarySettings
    from ktviz.library.library import Library
    from ktviz.model.encoder import Encoder

    encoder, settings = Encoder.shipped(), LibrarySettings(stride=STRIDE)
    made_from = [encoder.digest, str(settings), str(FORMAT_VERSION), *map(file_digest, find_images([samples]))]
    key = hashlib.sha256("".join(made_from).encode()).hexdigest()[:12]
    folder = user_cache_path("ktviz") / f"samples-{key}.ktlib"
    try:
        library = build_samples(Library.create(folder, encoder, settings), samples, encoder, quiet)
    except LibraryBusyError:
        raise
    except LibraryError:  # a damaged cache is ours to mend
        shutil.rmtree(folder)
        library = build_samples(Library.create(folder, encoder, settings), samples, encoder, quiet)
    for outdated in set(folder.parent.glob("samples-*.ktlib")) - {folder}:
        remove_unless_busy(outdated)
    return library


def build_samples(library: Library, samples: Path, encoder: Encoder, quiet: bool) -> Library:
    """Build what the library lacks, and open what it has."""
    for style in sorted(p for task in ("art", "hdr", "comic") for p in (samples / task).iterdir() if p.is_dir()):
        name = f"{style.parent.name}/{style.name}"
        if name not in library:
            if not quiet:
                out.print(f"building {name}")
            library.build(name, [style], credits=samples / "credits.csv", encoder=encoder, quiet=quiet)
        library.bank(name)
    return library


def remove_unless_busy(library: Path) -> None:
    from ktviz.library.format import writing

    try:
        with writing(library):
            shutil.rmtree(library)
    except (LibraryBusyError, StorageError):
        pass  # another ktviz is at work there


def sample_folder() -> Path:
    """Where the sample data lies: in the package, or beside it in a checkout.

    Raises:
        ImageError: Nowhere.
    """
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "sample_data", package.parent / "sample_data"):
        if (folder / "credits.csv").exists():
            return folder
    raise ImageError("sample data", f"none in {package}", "Install ktviz again, or run from a checkout")
