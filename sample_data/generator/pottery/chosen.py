"""The pots among the samples: a bank of photographs, and drawings of other pots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from ..scenes.writing import YEAR, save
from . import drawing, photograph
from .writing import MOST, Job

SEED, SIZE = 3, 128
GLAZED, DRAWINGS = "glazed", "drawings"
NUMBERS: Mapping[str, Sequence[int]] = {GLAZED: range(24), DRAWINGS: (2, 8, 11, 15)}
KINDS: Mapping[str, str] = {GLAZED: "pot", DRAWINGS: "drawing"}
"""How names of files begin."""
QUALITY = 92


def chosen(out: Path) -> list[Job]:
    """All of them, below the folder of the samples; numbers are those of `writing.jobs`."""
    return [
        Job(out / "pots", folder, f"{KINDS[folder]}-{SEED}-{n:05d}", first(folder) + n, SIZE)
        for folder, numbers in NUMBERS.items()
        for n in numbers
    ]


def first(folder: str) -> int:
    """Seed of the first form: drawings are of other pots than photographs."""
    return SEED * MOST + (MOST // 2 if folder == GLAZED else 0)


def write_chosen(job: Job) -> str:
    """Make and save one of them; returns its file name for the log."""
    pot = (photograph if job.folder == GLAZED else drawing)(job.seed, size=job.size)
    picture = Image.fromarray((pot.picture * 255 + 0.5).astype(np.uint8))
    save(picture, job.picture, quality=QUALITY, subsampling=0, optimize=True, progressive=True)
    return job.picture.name


def credit(job: Job) -> tuple[str, ...]:
    """Its title, creator, year, licence and address."""
    kind, number = job.name.split("-", 1)
    return f"{kind.capitalize()} {number}", "ktviz sample generator", YEAR, "CC0-1.0", ""
