"""Pages of the documentation that answer the mouse, one a system: `python -m docs.make_live`, part of `make docs`.

A page ends with the digest of what it was made with, and is made anew when that is another.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from hashlib import sha256
from pathlib import Path

import ktviz as kt
from ktviz import samples
from ktviz.cli.demos import bridge, cocosnet, image_analogy, munit, pix2pixhd
from ktviz.images import resize
from ktviz.systems.image_analogy.method import Method

Made = tuple[object, kt.Trace]
ROOT = Path(__file__).parents[1]
LIVE = ROOT / "docs" / "_built" / "live"
BUILT_LESSONS = ROOT / "notebooks" / "built"
MADE_WITH = (ROOT / "ktviz", ROOT / "sample_data", Path(__file__))
"""What a page follows from: the package (version, bundle, what a scene holds, weights), the pictures, and this file."""
SIDE = 400
ANALOGY_SIDE = 160


def main() -> None:
    """Every page that is not there or out of date, and the rendered lessons that `make notebooks` has built."""
    LIVE.mkdir(parents=True, exist_ok=True)
    mark = mark_of(MADE_WITH)
    for name, make in TRACES.items():
        page = LIVE / f"{name}.html"
        if not is_current(page, mark):
            write_page(page, make, mark)
            print(f"made {page.name}", flush=True)
    lessons()


def mark_of(made_with: Iterable[Path]) -> str:
    """How a page ends that was made with these files and folders, as they are."""
    digest = sha256()
    for root in made_with:
        files = sorted(path for path in root.rglob("*") if path.is_file()) if root.is_dir() else [root]
        for path in files:
            if "__pycache__" not in path.parts:
                digest.update(f"{path.relative_to(root.parent).as_posix()} ".encode())
                digest.update(sha256(path.read_bytes()).digest())
    return f"<!-- made with {digest.hexdigest()} -->\n"


def is_current(page: Path, mark: str) -> bool:
    """Whether a page is there, whole, and made with what there is now."""
    return page.is_file() and page.read_text(encoding="utf-8").endswith(mark)


def write_page(page: Path, make: Callable[[], Made], mark: str) -> None:
    """An Explorer as a page; its mark comes last."""
    _system, trace = make()  # pages hold what only a living system can say
    with trace.explore() as view:
        view.to_html(page, overwrite=True)
    with page.open("a", encoding="utf-8") as file:
        file.write(mark)


def lessons() -> None:
    """Pages and slides of the course, and none of lessons that have gone."""
    for kind in ("html", "slides"):
        shown = LIVE.parent / "lessons" / kind
        shutil.rmtree(shown, ignore_errors=True)
        if (BUILT_LESSONS / kind).is_dir():
            shutil.copytree(BUILT_LESSONS / kind, shown)


def of_kt() -> Made:
    """A cup of coffee, in the impasto of five paintings."""
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
