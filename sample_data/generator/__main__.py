"""Regenerate `sample_data/`: `python -m sample_data.generator [OUT] [--only art/impasto] [--jobs 2]`."""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

from .catalogue import SOURCES, Source
from .photographs import PHOTOGRAPHS, load
from .portraits import chosen as portraits
from .portraits.writing import Job as Portrait
from .pottery import chosen as pots
from .pottery.writing import Job as Pot
from .scenes.chosen import chosen, write_chosen_tables
from .scenes.writing import Job, credit, write_pictures

YEAR = "2026"
FIELDS = ("file", "title", "creator", "year", "licence", "url")


def save(path: Path, rgb: np.ndarray, quality: int) -> None:
    """Write a JPEG without chroma subsampling, which would smear dots and hatching; progressive, which is smaller."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = (np.clip(rgb, 0, 1) * 255 + 0.5).astype(np.uint8)
    Image.fromarray(pixels).save(path, quality=quality, subsampling=0, optimize=True, progressive=True)


def write_source(source: Source, out: Path) -> str:
    """Render and save one source; returns its file name for the log."""
    save(out / source.file, source.render(), quality=88)
    return source.file


def write_photographs(out: Path) -> None:
    """Save the photographs at their native size."""
    for name in PHOTOGRAPHS:
        save(out / "photos" / f"{name}.jpg", load(name), quality=92)


def write_scene(job: Job) -> str:
    """Make and save one scene with its maps; returns its file name for the log."""
    write_pictures(job)
    return job.path("photo").name


def scenes(out: Path, only: str) -> list[Job]:
    """The scenes whose files start with something."""
    return [job for job in chosen(out) if job.path("photo").relative_to(out).as_posix().startswith(only)]


def write_pot(job: Pot) -> str:
    """Make and save one pot; returns its file name for the log."""
    return pots.write_chosen(job)


def pots_chosen(out: Path, only: str) -> list[Pot]:
    """The pots whose files start with something."""
    return [job for job in pots.chosen(out) if job.picture.relative_to(out).as_posix().startswith(only)]


def write_portrait(job: Portrait) -> str:
    """Make and save one portrait; returns its file name for the log."""
    return portraits.write_chosen(job)


def portraits_chosen(out: Path, only: str) -> list[Portrait]:
    """The portraits whose files start with something."""
    return [job for job in portraits.chosen(out) if portraits.file(job).relative_to(out).as_posix().startswith(only)]


def credit_rows(out: Path) -> Iterable[tuple[str, ...]]:
    """Rows of `credits.csv`."""
    for photo in PHOTOGRAPHS.values():
        yield f"photos/{photo.name}.jpg", photo.title, photo.creator, photo.year, photo.licence, photo.url
    for source in SOURCES:
        yield source.file, source.title, "ktviz sample generator", YEAR, "CC0-1.0", ""
    for job in chosen(out):
        yield job.path("photo").relative_to(out).as_posix(), *credit(job)[1:]
    for pot in pots.chosen(out):
        yield pot.picture.relative_to(out).as_posix(), *pots.credit(pot)
    for one in portraits.chosen(out):
        yield portraits.file(one).relative_to(out).as_posix(), *portraits.credit(one)


def write_credits(out: Path) -> None:
    """Write the origin and licence of every picture."""
    with (out / "credits.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(FIELDS)
        writer.writerows(credit_rows(out))


def main() -> None:
    """Command line entry point."""
    parser = argparse.ArgumentParser(prog="python -m sample_data.generator", description=__doc__)
    parser.add_argument("out", nargs="?", type=Path, default=Path(__file__).parents[1], help="default: sample_data/")
    parser.add_argument("--only", default="", help="only files whose path starts with this, such as art/impasto")
    parser.add_argument("--jobs", type=int, default=2, help="worker processes")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    write_credits(options.out)
    if "photos".startswith(options.only) or options.only.startswith("photos"):
        write_photographs(options.out)
    sources = [source for source in SOURCES if source.file.startswith(options.only)]
    made = scenes(options.out, options.only)
    if made:
        write_chosen_tables(options.out)
    people = portraits_chosen(options.out, options.only)
    if people:
        portraits.write_chosen_tables(options.out)
    with ProcessPoolExecutor(options.jobs) as pool:
        for file in pool.map(write_source, sources, [options.out] * len(sources)):
            print(file)
        for file in pool.map(write_scene, made):
            print(file)
        for file in pool.map(write_pot, pots_chosen(options.out, options.only)):
            print(file)
        for file in pool.map(write_portrait, people):
            print(file)


if __name__ == "__main__":
    main()
