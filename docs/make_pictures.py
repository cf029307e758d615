"""Pictures for the README, the docs and the model cards:

    ktviz demo && for system in image-analogy cocosnet pix2pixhd munit bridge; do ktviz demo --system $system; done
    python examples/which_knowledge.py
    python -m docs.make_pictures

Those of the Explorer are taken in a real browser, with Python behind it. The picture of the audit is a screenshot of
which-knowledge/audit/report.html, 1200 px wide, saved as audit.png there.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Page

import ktviz as kt
from benchmarks.browser import settle, shown, tab
from benchmarks.six_systems import room
from ktviz import samples
from ktviz.cli.demos.image_analogy import RATIO, Sample
from ktviz.cli.demos.pictures import beside
from ktviz.images import read_image, resize, write_image
from ktviz.systems.image_analogy.method import Method

DEMO, EXAMPLE, IMAGES = Path("ktviz-demo"), Path("which-knowledge"), Path(__file__).parent / "images"
ANALOGY, ROOMS, STREETS = DEMO / "image-analogy", DEMO / "cocosnet", DEMO / "pix2pixhd"
POTS, PORTRAITS = DEMO / "munit", DEMO / "bridge"
PICTURES = {
    "backtracking": (DEMO / "chelsea_art-woodcut_backtracking.png", 1280),
    "art": (DEMO / "coffee_art-impasto_beside.png", 800),
    "hdr": (DEMO / "rocket_hdr-vivid_beside.png", 800),
    "comic": (DEMO / "astronaut_comic-halftone_beside.png", 800),
    "analogy-sailing": (ANALOGY / "sailing_harbour-sails_beside.png", 1280),
    "analogy-still-life": (ANALOGY / "still-life_still-life-with-oranges_beside.png", 1280),
    "analogy-cat": (ANALOGY / "chelsea_after-chelsea_beside.png", 1280),
    "analogy-backtracking": (ANALOGY / "sailing_harbour-sails_backtracking.png", 1000),
    "cocosnet-exemplars": (ROOMS / "exemplars.png", 1024),
    "cocosnet-passage": (ROOMS / "room-3-0018_beside.png", 1024),
    "cocosnet-backtracking": (ROOMS / "room-3-0018_backtracking.png", 1000),
    "pix2pixhd-looks": (STREETS / "street-3-0044_beside.png", 1024),
    "pix2pixhd-car": (STREETS / "street-3-0044_car.png", 1000),
    "pix2pixhd-reference": (STREETS / "street-3-0044_reference.png", 1280),
    "munit-exemplars": (POTS / "exemplars.png", 900),
    "munit-path": (POTS / "drawing-3-00008_path.png", 1024),
    "munit-drawn": (POTS / "drawing-3-00008_drawn.png", 900),
    "bridge-changes": (PORTRAITS / "portrait-3-00029_changes.png", 900),
    "bridge-between": (PORTRAITS / "portrait-3-00029_between.png", 900),
    "bridge-share": (PORTRAITS / "portrait-3-00029_share.png", 800),
    "trace": (EXAMPLE / "trace.png", 900),
    "audit": (EXAMPLE / "audit.png", 900),
}

FAILURES = {
    "analogy-fails-canyon": ("hdr/vivid/red-canyon", "comic/ink/canyon"),
    "analogy-fails-lake": ("hdr/vivid/alpine-lake", "art/woodcut/pine-lake"),
}
"""A and B' of analogies that go wrong, for the model card."""
REGION = kt.Box(350, 60, 110, 80)
"""The rim of the saucer behind the cup of coffee."""


def main() -> None:
    scale_pictures()
    picture_failures()
    picture_bench()
    picture_explorer()


def scale_pictures() -> None:
    """Pictures that other commands made, small enough for a page."""
    for name, (file, width) in PICTURES.items():
        if not file.exists():
            print(f"left as it is: {name} ({file} is not there)")
            continue
        picture = read_image(file)
        height = round(picture.shape[0] * width / picture.shape[1])
        write_image(IMAGES / f"{name}.jpg", resize(picture, width, height))


def picture_failures() -> None:
    """Analogies that go wrong, as the demo makes the others."""
    method = Method.shipped()
    for name, pair in FAILURES.items():
        a, reference = map(Sample.read, pair)
        made = reference.system(method)(a.pixels, ratio=RATIO)
        row = beside(a.pixels, reference.pixels, made.a_prime, made.b)
        write_image(IMAGES / f"{name}.jpg", resize(row, 1280, round(row.shape[0] * 1280 / row.shape[1])))


def picture_bench() -> None:
    """A room after another one, by the three systems that can take both, and where each took what from; and the page,
    with a place chosen."""
    found = kt.bench(*room(), ["kt", "image-analogy", "cocosnet"], runs=0, repeats=1)
    file = IMAGES / "six-systems-room.png"
    found.plot().savefig(file)
    as_jpeg(file)
    with TemporaryDirectory() as scratch, tab(880, 1120) as page:
        found.save(Path(scratch) / "bench")
        page.goto((Path(scratch) / "bench" / "index.html").as_uri())
        page.locator("body.ready").wait_for()
        page.locator("section .target").first.click(position={"x": 80, "y": 160})  # the sofa
        page.locator("h2", has_text="What each made").evaluate("heading => heading.scrollIntoView()")
        page.screenshot(path=IMAGES / "six-systems-page.png")
    as_jpeg(IMAGES / "six-systems-page.png")


def picture_explorer() -> None:
    """The Explorer with a region selected, light; without a source, dark; and narrow."""
    translate = kt.Translator.shipped(samples.library()["art/impasto"])
    trace = translate.traced(samples.photo("coffee"))
    with kt.Explorer(trace) as view:
        view.region = REGION
        with shown(view, 1400, 1080) as page:
            take(page, "explorer")
        view.region = None
        with shown(view, 1400, 1280, "dark") as page:
            page.select_option("select[aria-label=Overlay]", "source")
            page.locator(".kt-use input").first.click()
            page.wait_for_selector("figcaption:has-text('Difference')")
            settle(page)
            page.locator(".kt-use input").nth(1).click()
            page.wait_for_selector(".kt-tried button:nth-child(3)")
            take(page, "explorer-dark")
        with shown(view, 640, 1500) as page:
            take(page, "explorer-narrow")


def take(page: Page, name: str) -> None:
    """A screenshot of the settled view."""
    settle(page)
    file = IMAGES / f"{name}.png"
    page.screenshot(path=file)
    as_jpeg(file)


def as_jpeg(file: Path) -> None:
    """Keep a picture as JPEG."""
    write_image(file.with_suffix(".jpg"), read_image(file))
    file.unlink()


if __name__ == "__main__":
    main()
