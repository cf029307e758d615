"""Portraits on disk, with tables of their attributes and shades, and of who made them."""

from __future__ import annotations

import csv
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
from PIL import Image

from ..scenes.writing import CREDITS, YEAR, save, write_csv
from . import ATTRIBUTES, portrait
from .faces import Person, Shades

MOST = 100_000
SHADES = tuple(f"shade_{field.name}" for field in fields(Shades))
PERSON = tuple(f"person_{field.name}" for field in fields(Person))
COLUMNS = ("file", *ATTRIBUTES, *SHADES, *PERSON)


@dataclass(frozen=True)
class Job:
    """One portrait: its name, its seed, its side, and where it goes."""

    out: Path
    name: str
    seed: int
    size: int

    @property
    def picture(self) -> Path:
        return self.out / "pictures" / f"{self.name}.png"

    @property
    def row(self) -> Path:
        """Its part of the table of attributes, which comes last."""
        return self.out / "rows" / f"{self.name}.csv"


def jobs(out: Path, count: int, seed: int, size: int) -> list[Job]:
    """So many portraits, numbered from seed * 100,000 on."""
    return [Job(out, f"portrait-{seed}-{n:05d}", seed * MOST + n, size) for n in range(count)]


def write(job: Job) -> str:
    """Make one portrait."""
    made = portrait(job.seed, size=job.size)
    save(Image.fromarray((made.picture * 255 + 0.5).astype(np.uint8)), job.picture, optimize=True)
    face = made.face
    numbers = [f"{value:.4f}" for part in (face.shades, face.person) for value in asdict(part).values()]
    write_csv(job.row, COLUMNS, [[job.picture.name, *(int(face.has(name)) for name in ATTRIBUTES), *numbers]])
    return job.name


def write_tables(out: Path, wanted: list[Job]) -> None:
    """Attributes and credits of all portraits."""
    rows: list[list[str]] = []
    for job in wanted:
        with job.row.open(newline="", encoding="utf-8") as file:
            rows += list(csv.reader(file))[1:]
    write_csv(out / "attributes.csv", COLUMNS, rows)
    credits = [
        (job.picture.name, f"Portrait {job.name.split('-', 1)[1]}", "ktviz sample generator", YEAR, "CC0-1.0", "")
        for job in wanted
    ]
    write_csv(out / "credits.csv", CREDITS, credits)
