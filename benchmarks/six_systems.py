"""The same question put to six systems, and what their authors say of them, measured.

No input suits all: four systems know one kind of picture each, and get one of that, beside the two that take any
photograph. `python -m benchmarks.six_systems FOLDER` writes the pages of all four benches instead.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from statistics import fmean, median
from typing import Any

import numpy as np
import torch

from benchmarks.measures import lab_mean
from benchmarks.tables import Table
from ktviz import samples
from ktviz.images import to_pixels
from ktviz.labels import class_of
from ktviz.library.kinds.pictures.union import PictureUnion
from ktviz.systems.cocosnet.system import CoCosNet
from ktviz.systems.material import Material
from ktviz.systems.munit.direction import Direction
from ktviz.systems.munit.system import Munit
from ktviz.systems.pix2pixhd.system import Pix2PixHD
from ktviz.systems.registry import packaged
from ktviz.workbench import words
from ktviz.workbench.bench import bench
from ktviz.workbench.result import Bench

BOTH = ("kt", "image-analogy")
"""They take any photograph."""
RUNS, SIDE = 8, 256
"""Random halves that are left out, and the shorter side of scenes in px."""
ROOMS = ("room-3-0018", "room-3-0033")
STREET, OTHER_STREET = "street-3-0044", "street-3-0037"
DRAWINGS = ("drawing-3-00008", "drawing-3-00011", "drawing-3-00002", "drawing-3-00015")
POTS = ("pot-3-00006", "pot-3-00007", "pot-3-00000", "pot-3-00012")
PORTRAIT, REFERENCE = "portrait-3-00029", "Hat"
"""Who is changed, and what the reference has that is taken over."""
STYLES, STEPS = 10, 33
"""Drawn styles of each drawing, and pictures on the way between two styles."""
Row = tuple[str, str, str]


SUMMARY = ("retrieval", "origin known", "places", "time", "recorded", "memory", "LDS", "trust")
"""Columns of the table of one row per system."""


def main() -> Iterator[Table]:
    inputs, agreed = [], []
    for name, found in benches().items():
        columns, rows = words.systems(found)
        inputs += [
            {"input": name, "px": "x".join(map(str, stand.shown.size[::-1])), **dict(zip(columns, row, strict=True))}
            for stand, row in zip(found.there, rows, strict=True)
        ]
        agreed += [[name, *row] for row in words.pairs(found)[1]]
    columns = [*dict.fromkeys(column for row in inputs for column in row)]
    yield of_systems("Six systems, one question", columns, inputs, "bench")
    first = {row["system"]: row for row in reversed(inputs)}
    summary = [first[name] for name in dict.fromkeys(row["system"] for row in inputs)]
    told = ["system", "input", "px", *(name for name in SUMMARY if name in columns)]
    yield of_systems("Six systems", told, summary, "summary")
    yield Table(
        "six_systems",
        "Do they take it from the same place?",
        ["input", *words.PAIRS],
        agreed,
        notes(words.PAIRS),
        part="agreement",
    )
    yield Table("six_systems", "What is said of them", ["of", "measured", "found"], claims(), part="claims")


def of_systems(title: str, columns: Sequence[str], rows: Sequence[Mapping[str, str]], part: str) -> Table:
    """A table with a row per run, and what its columns mean."""
    cells = [[row.get(column, words.NOTHING) for column in columns] for row in rows]
    meanings = {name: words.COLUMNS[name] for name in columns if name in words.COLUMNS}
    return Table("six_systems", title, columns, cells, notes(meanings), part=part)


def notes(meanings: Mapping[str, str]) -> str:
    """What columns mean, as a list."""
    return "\n".join(f"- *{name}*: {meaning}." for name, meaning in meanings.items() if meaning)


def benches() -> dict[str, Bench]:
    """One for every kind of picture of which a system knows something and whose weights are there."""
    made = {"a room": ("cocosnet", room), "a street": ("pix2pixhd", street)}
    made |= {"a pot": ("munit", pot), "a portrait": ("bridge", portrait)}
    return {
        name: bench(*given(), [*BOTH, system], runs=RUNS, quiet=True)
        for name, (system, given) in made.items()
        if packaged(system).sha256  # else none come with this version
    }


def room() -> tuple[Material, Material]:
    """A room after another one of the bank."""
    scene = samples.scene(ROOMS[0])
    banks = samples.bank("scenes/rooms", quiet=True)
    assert isinstance(banks, PictureUnion)
    chosen = CoCosNet.from_bank(banks).traced(scene.labels).site("exemplar")
    input = Material(scene.photo, scene.labels, scene.instances, scene.classes, name="room", side=SIDE)
    return input, Material.of_bank(banks, chosen.column("source")[0], side=SIDE)


def street() -> tuple[Material, Material]:
    """A street after another one."""
    scenes = [samples.scene(name) for name in (STREET, OTHER_STREET)]
    one, other = (Material(s.photo, s.labels, s.instances, s.classes, name=s.name, side=SIDE) for s in scenes)
    return one, other


def pot() -> tuple[Material, Material]:
    """A drawing after a photograph."""
    return Material(samples.drawing(DRAWINGS[0]), name="drawing"), Material.of_bank(pots(), POTS[0])


def portrait() -> tuple[Material, Material]:
    """A portrait after one with a hat."""
    banks, person = samples.bank("portraits/clay", quiet=True), samples.portrait(PORTRAIT)
    assert isinstance(banks, PictureUnion)
    number = next(n for n in range(len(banks.sources)) if banks.attributes(n)[REFERENCE])
    input = Material(person.pixels, attributes=person.has, want={REFERENCE: True}, name="portrait")
    return input, Material.of_bank(banks, banks.source_names[number])


def pots() -> Any:
    """The bank of photographs of pots."""
    return samples.bank("pots/glazed", quiet=True)


def claims() -> list[Row]:
    """What is said of the systems, and can be measured on samples."""
    return [*many_to_one(), *discrete(), *continuous()]


def many_to_one() -> list[Row]:
    """CoCosNet: cells of an exemplar that feed many others, and cells that feed none."""
    system = CoCosNet.from_bank(samples.bank("scenes/rooms", quiet=True))
    found = [system(samples.scene(name).labels).measures() for name in ROOMS]

    def mean(measure: str) -> float:
        return fmean(measures[measure] for measures in found)

    return [
        ("CoCosNet", "cells of the output that one cell of the exemplar feeds, at most", f"{mean('most_fed'):.0f}"),
        ("CoCosNet", "cells of the exemplar that feed less than a hundredth of one", f"{mean('unused'):.0%}"),
        ("CoCosNet", "cells that are mixed, exponential of the mean entropy", f"{np.exp(mean('entropy')):.0f}"),
    ]


def discrete() -> list[Row]:
    """pix2pixHD: how many pictures there are of a map, and how far neighbouring looks of a car are apart."""
    system, scene = Pix2PixHD(samples.bank("scenes/streets", quiet=True)), samples.scene(STREET)
    cars = {int(n) for n in np.unique(scene.instances) if class_of(int(n)) == scene.classes.number("car")}
    car = max(cars, key=lambda number: int((scene.instances == number).sum()))
    counts = system.centres.counts()
    objects = [int(number) for number in np.unique(scene.instances)]
    pictures = sum(float(np.log10(max(1, counts.get(class_of(number), 1)))) for number in objects)
    looks = [
        lab_mean(system(scene.labels, scene.instances, styles={car: centre}).output, scene.instances == car)
        for centre in range(counts[class_of(car)])
    ]
    nearest = [min(float(np.linalg.norm(one - two)) for two in looks if two is not one) for one in looks]
    return [
        ("pix2pixHD", f"pictures of a map with {len(objects)} objects, one for every choice", f"10^{pictures:.0f}"),
        ("pix2pixHD", "looks of its largest car", str(len(looks))),
        ("pix2pixHD", "how far the nearest other look of that is, in Lab, median", f"{median(nearest):.1f}"),
    ]


def continuous() -> list[Row]:
    """MUNIT: small steps of a style make small steps of the picture; content stays where a style changes."""
    system, drawings = Munit(pots()), [samples.drawing(name) for name in DRAWINGS]
    steps = [system.path(drawing, *POTS[:2], STEPS).differences for drawing in drawings]
    unevenness = [float(way.max() / way.mean()) for way in steps]
    direction, back = system.direction, Direction(system.networks, system.networks.other(system.target))
    contents = [direction.content(drawing) for drawing in drawings]
    random = torch.Generator().manual_seed(0)
    styles = [torch.randn(direction.codes, generator=random) for _ in range(STYLES)]
    kept = []
    for content, drawing in zip(contents, drawings, strict=True):
        for style in styles:
            made = to_pixels(direction.paint(content, style, drawing.shape[:2]))
            kept.append(float((back.content(made) - content).abs().mean()))
    other = [float((one - two).abs().mean()) for one, two in pairwise(contents)]
    kept_over = fmean(kept) / fmean(other)
    return [
        ("MUNIT", f"largest of {STEPS - 1} steps between two styles, over their mean", f"{fmean(unevenness):.2f}"),
        ("MUNIT", f"content under {STYLES} styles, change over that to another drawing", f"{kept_over:.2f}"),
    ]


if __name__ == "__main__":
    place = Path(sys.argv[1]) if len(sys.argv) == 2 else sys.exit("name a folder for the pages")
    for name, found in benches().items():
        found.save(place / name.replace(" ", "-"), overwrite=True)
