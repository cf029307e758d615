"""The demo of pix2pixHD: streets whose objects draw their looks, or take them after a photograph; one is audited."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm.auto import tqdm

from ktviz import samples
from ktviz.cli.demos.pictures import AUDIT, Made, beside, stacked, write_backtracking, write_explorer
from ktviz.images import Pixels, write_image
from ktviz.labels import class_of

if TYPE_CHECKING:
    from ktviz.samples import Scene
    from ktviz.systems.pix2pixhd.system import Pix2PixHD
    from ktviz.trace.trace import Trace

BANK = "scenes/streets"
STREETS = ("street-3-0044", "street-3-0037")
"""Label maps; neither is of a picture of the bank. The other one's photograph is the reference of each."""
SEEDS = (0, 1, 2)
RESTYLED = "car"
"""The largest object of this class takes every centre of it in turn."""
ROW = 5
"""Centres in a row."""
MARGIN = 0.25
"""Around the object, in parts of its sides."""

SHOWN = {
    f"{STREETS[0]}_beside.png": "A label map, and the looks that three seeds drew for its objects.",
    f"{STREETS[0]}_{RESTYLED}.png": f"Its largest {RESTYLED} in the look of every centre of the class.",
    f"{STREETS[0]}_reference.png": "The map, a photograph, and the map in looks nearest to those of the photograph.",
}
"""Pictures for the page of all systems, and what they are."""


def run(output: Path, quiet: bool) -> Iterator[Made]:
    """Make every street in all ways, a page and an audit of one; yields each output."""
    from ktviz.audit.audit import Audit
    from ktviz.systems.pix2pixhd.system import Pix2PixHD

    system = Pix2PixHD(samples.bank(BANK, quiet=quiet))
    scenes = [samples.scene(name) for name in STREETS]
    with tqdm(scenes, desc="streets", unit="street", disable=quiet) as bar:
        for scene, other in zip(bar, reversed(scenes), strict=True):
            bar.set_postfix_str("drawn")
            drawn = [made(system, scene, seed=seed) for seed in SEEDS]
            for seed, trace in zip(SEEDS, drawn, strict=True):
                yield write(trace, f"{scene.name}_seed-{seed}.png", output)
            canvases = drawn[0].picture.canvases
            pictures = [canvases["input"], *(trace.picture.canvases["output"] for trace in drawn)]
            write_image(output / f"{scene.name}_beside.png", in_rows(pictures, 2))
            write_backtracking(drawn[0], output / f"{scene.name}_backtracking.png")
            bar.set_postfix_str(f"one {RESTYLED}")
            write_image(output / f"{scene.name}_{RESTYLED}.png", in_rows(restyled(system, scene), ROW))
            bar.set_postfix_str("reference")
            maps = (other.photo, other.labels, other.instances)
            alike = made(system, scene, choice="nearest", reference=maps)
            yield write(alike, f"{scene.name}_like-{other.name}.png", output)
            row = beside(canvases["input"], other.photo, alike.picture.canvases["output"])
            write_image(output / f"{scene.name}_reference.png", row)
            if scene.name == STREETS[0]:
                bar.set_postfix_str("page and audit")
                write_explorer(drawn[0], output)
                title = f"{scene.name}, its objects in drawn looks"
                Audit.create(drawn[0], title=title, model=system).save(output / AUDIT, overwrite=True)


def made(system: Pix2PixHD, scene: Scene, **settings: Any) -> Trace:
    """A street."""
    return system.traced(scene.labels, scene.instances, **settings)


def write(trace: Trace, file: str, output: Path) -> Made:
    """Write the picture of a run, and return what it was made of."""
    write_image(output / file, trace.picture.canvases["output"])
    return Made.of(trace, file)


def in_rows(pictures: list[Pixels], columns: int) -> Pixels:
    """Pictures of one size, so many in a row."""
    return stacked(*(beside(*pictures[start : start + columns]) for start in range(0, len(pictures), columns)))


def restyled(system: Pix2PixHD, scene: Scene) -> list[Pixels]:
    """The largest object of a class with what is around it, in the look of each centre of the class."""
    number = largest(scene, RESTYLED)
    count, part = system.centres.counts()[class_of(number)], around(scene, number)
    looks = (system(scene.labels, scene.instances, styles={number: centre}) for centre in range(count))
    return [look.output[part] for look in looks]


def largest(scene: Scene, name: str) -> int:
    """Number of the largest object of a class."""
    import numpy as np

    numbers, px = np.unique(scene.instances[scene.labels == scene.classes.number(name)], return_counts=True)
    return int(numbers[px.argmax()])


def around(scene: Scene, number: int) -> tuple[slice, slice]:
    """Rows and columns of an object, and of what is around it."""
    import numpy as np

    sides = []
    for places in np.nonzero(scene.instances == number):
        first, last = int(places.min()), int(places.max()) + 1
        beyond = round(MARGIN * (last - first))
        sides.append(slice(max(0, first - beyond), last + beyond))
    return sides[0], sides[1]
