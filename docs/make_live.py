"""Pages of the documentation that answer the mouse, one a system: `python -m docs.make_live`, part of `make docs`."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import ktviz as kt
from ktviz import samples
from ktviz.cli.demos import bridge, cocosnet, image_analogy, munit, pix2pixhd
from ktviz.images import resize
from ktviz.systems.image_analogy.method import Method

Made = tuple[object, kt.Trace]
LIVE = Path(__file__).parent / "_built" / "live"
NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
SIDE = 400
ANALOGY_SIDE = 160


def main() -> None:
    """Every page that is not there yet, and the rendered lessons, where `make notebooks` has built them."""
    LIVE.mkdir(parents=True, exist_ok=True)
    for name, make in TRACES.items():
        page = LIVE / f"{name}.html"
        if not page.exists():
            _system, trace = make()  # pages hold what only a living system can say
            with trace.explore() as view:
                print(view.to_html(page), flush=True)
    lessons()


def lessons() -> None:
    """Pages and slides of the course."""
    for kind in ("html", "slides"):
        built = NOTEBOOKS / "built" / kind
        if built.is_dir():
            shutil.copytree(built, LIVE.parent / "lessons" / kind, dirs_exist_ok=True)


def of_kt() -> Made:
    """A cup, in the impasto of five paintings; its saucer is selected."""
    translate = kt.Translator.shipped(samples.bank("art/impasto", quiet=True))
    return translate, translate.traced(resize(samples.photo("coffee"), SIDE * 3 // 2, SIDE))


def of_image_analogy() -> Made:
    """A painted boat in the look of another."""
    a, reference = map(image_analogy.Sample.read, image_analogy.PAIRS[0])
    height, width = a.pixels.shape[:2]
    small = resize(a.pixels, ANALOGY_SIDE * width // height, ANALOGY_SIDE)
    system = reference.system(Method.shipped())
    return system, system.traced(small)


def of_cocosnet() -> Made:
    """A room, after the room most like it."""
    system = kt.CoCosNet.from_bank(samples.bank(cocosnet.BANK, quiet=True))
    return system, system.traced(samples.scene(cocosnet.ROOMS[0]).labels)


def of_pix2pixhd() -> Made:
    """A street, its objects in drawn looks."""
    scene = samples.scene(pix2pixhd.STREETS[0])
    system = kt.Pix2PixHD(samples.bank(pix2pixhd.BANK, quiet=True))
    return system, system.traced(scene.labels, scene.instances)


def of_munit() -> Made:
    """A drawing of a pot, in the style of two photographs."""
    mix = dict.fromkeys(munit.EXEMPLARS[:2], 0.5)
    system = kt.Munit(samples.bank(munit.BANK, quiet=True))
    return system, system.traced(samples.drawing(munit.DRAWINGS[0]), mix=mix)


def of_bridge() -> Made:
    """A portrait with other attributes, between labels and a reference."""
    portrait = samples.portrait(bridge.PORTRAITS[0])
    want = bridge.wishes(portrait.has)["several"]
    system = kt.Bridge(samples.bank(bridge.BANK, quiet=True))
    return system, system.traced(portrait.pixels, portrait.has, want, mode="between")


TRACES: dict[str, Callable[[], Made]] = {
    "kt": of_kt,
    "image-analogy": of_image_analogy,
    "cocosnet": of_cocosnet,
    "pix2pixhd": of_pix2pixhd,
    "munit": of_munit,
    "bridge": of_bridge,
}


if __name__ == "__main__":
    main()
