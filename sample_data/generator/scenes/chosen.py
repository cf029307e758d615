"""The scenes among the samples: a bank of rooms and one of streets, and some of each that are in no bank."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from .writing import MOST, SIZES, Job, write_looks_and_classes

SEED = 3
BANKS: Mapping[str, Sequence[int]] = {
    "rooms": (0, 3, 4, 7, 10, 11, 14, 23, 29, 38, 43, 44, 52, 54, 63, 65),
    "streets": (0, 3, 7, 12, 13, 21, 25, 33, 35, 39, 43, 46, 48, 49),
}
"""Numbers of layouts; each is seen in its own look."""
INPUTS: Mapping[str, Sequence[int]] = {"rooms": (18, 33), "streets": (37, 44)}
QUALITY: Mapping[str, int] = {"rooms": 90, "streets": 88}
"""Of their JPEGs, so that all of them take less than 1.9 MB."""


def chosen(out: Path) -> list[Job]:
    """Those of the banks, then the inputs, below the folder of the samples."""
    folders = [(Path("scenes"), BANKS), (Path("scenes") / "inputs", INPUTS)]
    return [
        job(out / folder / kind, kind, number)
        for folder, numbers in folders
        for kind in numbers
        for number in numbers[kind]
    ]


def job(out: Path, kind: str, number: int) -> Job:
    """One of them."""
    layout = SEED * MOST + number
    return Job(out, kind, f"{kind[:-1]}-{SEED}-{number:04d}", layout, layout, SIZES[kind], QUALITY[kind])


def write_chosen_tables(out: Path) -> None:
    """The looks and classes of each folder of scenes."""
    jobs = chosen(out)
    for folder, kind in dict.fromkeys((job.out, job.kind) for job in jobs):
        write_looks_and_classes(folder, kind, [job for job in jobs if job.out == folder])
