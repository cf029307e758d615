"""The portraits among the samples: a bank of references, and some others whose attributes can be changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from ..scenes.writing import YEAR, save, write_csv
from . import ATTRIBUTES, face_of, portrait
from .writing import MOST, Job

SEED, SIZE = 3, 96
CLAY, INPUTS = "clay", "inputs"
DARK, BLOND, RED = (
    (4, 7, 16, 17, 22, 25, 36, 43),
    (5, 6, 18, 21, 28, 34, 42, 46, 53),
    (0, 1, 3, 12, 14, 23, 31),
)
"""Numbers of portraits, by colour of hair; between them every other attribute is there and absent in each."""
NUMBERS: Mapping[str, Sequence[int]] = {CLAY: sorted((*DARK, *BLOND, *RED)), INPUTS: (26, 29, 52, 54)}
QUALITY = 94


def chosen(out: Path) -> list[Job]:
    """All of them, below the folder of the samples; numbers are those of `writing.jobs`."""
    return [
        Job(out / "portraits" / folder, f"portrait-{SEED}-{n:05d}", SEED * MOST + n, SIZE)
        for folder, numbers in NUMBERS.items()
        for n in numbers
    ]


def file(job: Job) -> Path:
    """Where a portrait goes."""
    return job.out / f"{job.name}.jpg"


def write_chosen(job: Job) -> str:
    """Make and save one of them; returns its file name for the log."""
    picture = Image.fromarray((portrait(job.seed, size=job.size).picture * 255 + 0.5).astype(np.uint8))
    save(picture, file(job), quality=QUALITY, subsampling=0, optimize=True, progressive=True)
    return file(job).name


def write_chosen_tables(out: Path) -> None:
    """The attributes of each folder of portraits."""
    jobs = chosen(out)
    for folder in dict.fromkeys(job.out for job in jobs):
        faces = {file(job).name: face_of(job.seed) for job in jobs if job.out == folder}
        rows = [[name, *(int(face.has(one)) for one in ATTRIBUTES)] for name, face in faces.items()]
        write_csv(folder / "attributes.csv", ("file", *ATTRIBUTES), rows)


def credit(job: Job) -> tuple[str, ...]:
    """Its title, creator, year, licence and address."""
    return f"Portrait {job.name.split('-', 1)[1]}", "ktviz sample generator", YEAR, "CC0-1.0", ""
