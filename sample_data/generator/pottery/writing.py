"""Pots on disk: pictures, masks, and tables of their styles and of who made them."""

from __future__ import annotations

import csv
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from ..scenes.writing import CREDITS, YEAR, save, write_csv
from . import Pot, drawing, photograph
from .drawing import MEDIA
from .glazes import DECORS, GLAZES, WALLS

MOST = 100_000
DRAWINGS, PHOTOGRAPHS = "drawings", "photographs"
COLUMNS = ("file", "glaze", "second", "decor", "wall", "shift", "gloss", "share", "medium", "width", "hatching")


@dataclass(frozen=True)
class Job:
    """One picture: its name, its folder, the seed of its form and style, its side, and where it goes."""

    out: Path
    folder: str
    name: str
    seed: int
    size: int

    @property
    def picture(self) -> Path:
        return self.out / self.folder / f"{self.name}.jpg"

    @property
    def mask(self) -> Path:
        return self.out / "masks" / f"{self.name}.png"

    @property
    def row(self) -> Path:
        """Its part of the table of styles, which comes last."""
        return self.out / "styles" / f"{self.name}.csv"


def jobs(out: Path, count: int, seed: int, size: int) -> list[Job]:
    """As many drawings as photographs, all of other forms, numbered from seed * 100,000 on."""
    return [
        Job(out, folder, f"{kind}-{seed}-{n:05d}", seed * MOST + n + half * MOST // 2, size)
        for half, (folder, kind) in enumerate(((DRAWINGS, "drawing"), (PHOTOGRAPHS, "pot")))
        for n in range(count)
    ]


def write(job: Job) -> str:
    """Make one picture."""
    pot = (drawing if job.folder == DRAWINGS else photograph)(job.seed, size=job.size)
    picture = Image.fromarray((pot.picture * 255 + 0.5).astype(np.uint8))
    save(picture, job.picture, quality=92, subsampling=0)
    save(Image.fromarray(pot.mask.astype(np.uint8) * 255), job.mask, optimize=True)
    write_csv(job.row, COLUMNS, [described(job, pot)])
    return job.name


def described(job: Job, pot: Pot) -> list[object]:
    """A picture's row of `styles.csv`, with names for numbers."""
    known = {} if pot.style is None else asdict(pot.style)
    known |= {} if pot.hand is None else asdict(pot.hand)
    for column, names in (("glaze", GLAZES), ("second", GLAZES), ("decor", DECORS), ("wall", WALLS), ("medium", MEDIA)):
        if column in known:
            known[column] = list(names)[known[column]]
    if "shift" in known:
        known["shift"] = " ".join(f"{part:.2f}" for part in known["shift"])
    return [f"{job.folder}/{job.picture.name}", *(known.get(column, "") for column in COLUMNS[1:])]


def write_tables(out: Path, wanted: list[Job]) -> None:
    """Styles and credits of all pictures."""
    rows: list[list[str]] = []
    for job in wanted:
        with job.row.open(newline="", encoding="utf-8") as file:
            rows += list(csv.reader(file))[1:]
    write_csv(out / "styles.csv", COLUMNS, rows)
    for folder, kind in ((DRAWINGS, "Drawing"), (PHOTOGRAPHS, "Pot")):
        mine = [job for job in wanted if job.folder == folder]
        credits = [
            (job.picture.name, f"{kind} {job.name.split('-', 1)[1]}", "ktviz sample generator", YEAR, "CC0-1.0", "")
            for job in mine
        ]
        write_csv(out / folder / "credits.csv", CREDITS, credits)
