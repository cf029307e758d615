"""Pots that no training has seen: made by the generator from a seed of their own, once, into the cache."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.tables import ROOT
from ktviz.files import cache_folder
from ktviz.images import Pixels, read_image
from sample_data.generator.pottery import FINER, shown
from sample_data.generator.pottery.glazes import DECORS, GLAZES, Style
from sample_data.generator.pottery.light import lit, smaller
from sample_data.generator.pottery.writing import DRAWINGS, Job, jobs

SINGLE = ("plain", "speckled")
"""Decors that leave a pot the colour of one glaze."""
WALL = 0
"""Before which the palette's pots stand."""


@dataclass(frozen=True, eq=False)
class Pot:
    """A picture of a pot, and what is known of it.

    Attributes:
        path: Of its file.
        picture: (H, W, 3) uint8.
        mask: (H, W), where the pot is.
        form: Seed of its form.
        known: Its row in the table of styles: glaze, decor, wall ...
    """

    path: Path
    picture: Pixels
    mask: npt.NDArray[np.bool_]
    form: int
    known: Mapping[str, str]

    @property
    def single(self) -> bool:
        """Whether it has the colour of one glaze."""
        return self.known["decor"] in SINGLE


@dataclass(frozen=True)
class Pots:
    """Drawings, and photographs of other pots."""

    drawings: list[Pot]
    photographs: list[Pot]


def held_out(count: int, seed: int, size: int = 128) -> Pots:
    """So many drawings, and as many photographs."""
    folder = cache_folder() / "pots" / f"{seed}-{count}-{size}"
    command = [sys.executable, "-m", "sample_data.generator.pottery", str(folder), "--count", str(count)]
    command += ["--seed", str(seed), "--size", str(size)]
    subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
    with (folder / "styles.csv").open(newline="", encoding="utf-8") as file:
        styles = {row["file"]: row for row in csv.DictReader(file)}
    made = jobs(folder, count, seed, size)
    pots = [(job.folder, read(job, styles[f"{job.folder}/{job.picture.name}"])) for job in made]
    return Pots(*([pot for folder, pot in pots if (folder == DRAWINGS) == drawn] for drawn in (True, False)))


def read(job: Job, known: Mapping[str, str]) -> Pot:
    """A pot from its files."""
    return Pot(job.picture, read_image(job.picture), read_image(job.mask)[..., 0] > 127, job.seed, known)


def glazed(form: int, style: Style, size: int) -> tuple[Pixels, npt.NDArray[np.bool_]]:
    """A photograph of a form in a style, and where the pot is."""
    seen = shown(form, size)
    picture = np.rint(255 * smaller(lit(seen, style, form % 1000), FINER)).astype(np.uint8)
    mask: npt.NDArray[np.bool_] = smaller((seen.part != 0).astype(np.float64)[..., None], FINER)[..., 0] > 0.5
    return picture, mask


def plain(glaze: int) -> Style:
    """A style of one glaze and nothing else."""
    return Style(glaze, (glaze + 1) % len(GLAZES), DECORS.index("plain"), WALL, (0.0, 0.0, 0.0), 0.6, 0.3)
