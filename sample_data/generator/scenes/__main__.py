"""Write scenes with their maps: `python -m sample_data.generator.scenes OUT --kind streets --count 400 --seed 1`."""

from __future__ import annotations

import argparse
import csv
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from . import Scene, room, street
from .styles import CLASSES, LABEL_COLOURS, STYLES, class_of

YEAR = "2026"
SIZES = {"streets": (256, 512), "rooms": (256, 256)}
MAKERS = {"streets": street, "rooms": room}
MOST = 100_000
OBJECTS = ("picture", "instance", "class", "class_name", "style", "style_name", "pixels")
LOOKS = ("picture", "look")
CREDITS = ("file", "title", "creator", "year", "licence", "url")


@dataclass(frozen=True)
class Job:
    """One picture: its name, the seeds of its layout and looks, and where it goes."""

    out: Path
    kind: str
    name: str
    layout: int
    looks: int
    size: tuple[int, int]

    def path(self, folder: str) -> Path:
        """The picture's file in one of the folders photo, label, inst, objects."""
        return (
            self.out
            / folder
            / f"{self.name}{'.jpg' if folder == 'photo' else '.csv' if folder == 'objects' else '.png'}"
        )


def jobs(out: Path, kind: str, count: int, seed: int, looks: int, size: tuple[int, int]) -> list[Job]:
    """The pictures of a run. Layouts are numbered seed * 100,000 + n, so that no two seeds share one.

    The looks of a layout are numbered from its own number on, so that neighbours have a look in common where there are
    two or more of each.
    """
    result = []
    for n in range(count):
        layout = seed * MOST + n
        for look in range(looks):
            name = f"{kind[:-1]}-{seed}-{n:04d}" + (f"-{look}" if looks > 1 else "")
            result.append(Job(out, kind, name, layout, layout + look, size))
    return result


def palette(kind: str) -> list[tuple[int, int, int]]:
    """Display colours of the classes."""
    codes = LABEL_COLOURS[kind].split()
    return [(int(code[1:3], 16), int(code[3:5], 16), int(code[5:7], 16)) for code in codes]


def object_rows(job: Job, scene: Scene) -> Iterator[tuple[str | int, ...]]:
    """Rows of `objects.csv` of one picture."""
    numbers, pixels = np.unique(scene.instances, return_counts=True)
    for number, count in zip(numbers.tolist(), pixels.tolist(), strict=True):
        label = int(class_of(np.array(number)))
        name, style = CLASSES[job.kind][label], scene.styles[number]
        named = list(STYLES[job.kind].get(name, {"": ""}))[style]
        yield job.name, number, label, name, style, named, count


def write_csv(path: Path, header: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """Write a table whole or not at all."""
    part = path.with_name(path.name + ".part")
    with part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
    part.replace(path)


def save(image: Image.Image, path: Path, **options: int) -> None:
    """Save an image whole or not at all."""
    part = path.with_name(path.stem + ".part" + path.suffix)
    image.save(part, **options)
    part.replace(path)


def write(job: Job) -> str:
    """Make one picture with its maps; its table of objects comes last and tells that it is finished."""
    scene = MAKERS[job.kind](job.layout, job.looks, job.size)
    photo = Image.fromarray((scene.photo * 255 + 0.5).astype(np.uint8))
    label = Image.fromarray(scene.labels)
    label.putpalette([part for rgb in palette(job.kind) for part in rgb])
    save(photo, job.path("photo"), quality=92, subsampling=0)
    save(label, job.path("label"))
    save(Image.fromarray(scene.instances), job.path("inst"))
    write_csv(job.path("objects"), OBJECTS, object_rows(job, scene))
    return job.name


def write_tables(out: Path, kind: str, wanted: list[Job]) -> None:
    """The tables of all finished pictures: objects, looks, classes and credits."""
    rows: list[list[str]] = []
    for job in wanted:
        with job.path("objects").open(newline="", encoding="utf-8") as file:
            rows += list(csv.reader(file))[1:]
    write_csv(out / "objects.csv", OBJECTS, rows)
    write_csv(out / "looks.csv", LOOKS, ((job.name, job.looks) for job in wanted))
    named = zip(CLASSES[kind], palette(kind), strict=True)
    write_csv(
        out / "classes.csv",
        ("number", "name", "red", "green", "blue"),
        ((n, name, *rgb) for n, (name, rgb) in enumerate(named)),
    )
    title = {"streets": "Street", "rooms": "Room"}[kind]
    credits_ = (
        (f"photo/{job.name}.jpg", f"{title} {job.name.split('-', 1)[1]}", "ktviz sample generator", YEAR, "CC0-1.0", "")
        for job in wanted
    )
    write_csv(out / "credits.csv", CREDITS, credits_)


def pixels(text: str) -> tuple[int, int]:
    """HEIGHTxWIDTH in pixels."""
    height, _, width = text.partition("x")
    return int(height), int(width)


def main() -> None:
    """Command line entry point."""
    parser = argparse.ArgumentParser(prog="python -m sample_data.generator.scenes", description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--kind", choices=tuple(MAKERS), required=True)
    parser.add_argument("--count", type=int, default=100, help="layouts")
    parser.add_argument("--seed", type=int, default=1, help="no two seeds share a layout")
    parser.add_argument("--size", type=pixels, help="HEIGHTxWIDTH; default 256x512 for streets, 256x256 for rooms")
    parser.add_argument("--looks", type=int, default=1, help="pictures of each layout, in other styles")
    parser.add_argument("--jobs", type=int, default=2, help="worker processes")
    options = parser.parse_args()
    if not (0 < options.count <= MOST and 0 < options.looks <= 1000 and options.seed >= 0 and options.jobs > 0):
        parser.error(f"--count must lie in 1..{MOST}, --looks in 1..1000, --seed at 0 or more, --jobs at 1 or more")
    size = options.size or SIZES[options.kind]
    for folder in ("photo", "label", "inst", "objects"):
        (options.out / folder).mkdir(parents=True, exist_ok=True)
    wanted = jobs(options.out, options.kind, options.count, options.seed, options.looks, size)
    missing = [job for job in wanted if not job.path("objects").exists()]
    done = len(wanted) - len(missing)
    os.environ["OMP_NUM_THREADS"] = "1"  # for the workers: each has a core
    with ProcessPoolExecutor(options.jobs) as pool:
        for name in pool.map(write, missing):
            done += 1
            print(f"{done}/{len(wanted)} {name}", flush=True)
    write_tables(options.out, options.kind, wanted)


if __name__ == "__main__":
    main()
