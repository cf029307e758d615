"""Scenes on disk: pictures with their maps, and the tables of what is in them."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
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
    """One picture: its name, the seeds of its layout and looks, where it goes, and as what quality of JPEG."""

    out: Path
    kind: str
    name: str
    layout: int
    looks: int
    size: tuple[int, int]
    quality: int = 92

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
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    with part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
    part.replace(path)


def save(image: Image.Image, path: Path, **options: int) -> None:
    """Save an image whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.stem + ".part" + path.suffix)
    image.save(part, **options)
    part.replace(path)


def write_pictures(job: Job) -> Scene:
    """Make one picture with its maps."""
    scene = MAKERS[job.kind](job.layout, job.looks, job.size)
    photo = Image.fromarray((scene.photo * 255 + 0.5).astype(np.uint8))
    label = Image.fromarray(scene.labels)
    label.putpalette([part for rgb in palette(job.kind) for part in rgb])
    save(photo, job.path("photo"), quality=job.quality, subsampling=0)
    save(label, job.path("label"), optimize=True)
    save(Image.fromarray(scene.instances), job.path("inst"), optimize=True)
    return scene


def write(job: Job) -> str:
    """Make one picture with its maps; its table of objects comes last and tells that it is finished."""
    write_csv(job.path("objects"), OBJECTS, object_rows(job, write_pictures(job)))
    return job.name


def write_tables(out: Path, kind: str, wanted: list[Job]) -> None:
    """The tables of all finished pictures: objects, looks, classes and credits."""
    rows: list[list[str]] = []
    for job in wanted:
        with job.path("objects").open(newline="", encoding="utf-8") as file:
            rows += list(csv.reader(file))[1:]
    write_csv(out / "objects.csv", OBJECTS, rows)
    write_looks_and_classes(out, kind, wanted)
    write_csv(out / "credits.csv", CREDITS, (credit(job) for job in wanted))


def write_looks_and_classes(out: Path, kind: str, wanted: list[Job]) -> None:
    """The tables that do not hang on what was made."""
    write_csv(out / "looks.csv", LOOKS, ((job.name, job.looks) for job in wanted))
    named = zip(CLASSES[kind], palette(kind), strict=True)
    write_csv(
        out / "classes.csv",
        ("number", "name", "red", "green", "blue"),
        ((n, name, *rgb) for n, (name, rgb) in enumerate(named)),
    )


def credit(job: Job) -> tuple[str, ...]:
    """A picture's row of `credits.csv`."""
    title = {"streets": "Street", "rooms": "Room"}[job.kind]
    number = job.name.split("-", 1)[1]
    return f"photo/{job.name}.jpg", f"{title} {number}", "ktviz sample generator", YEAR, "CC0-1.0", ""
