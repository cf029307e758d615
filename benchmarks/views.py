"""Sizes and latencies of the views: what travels, and how long a person waits, in a real browser."""

from __future__ import annotations

import gzip
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np
import torch
from playwright.sync_api import Page

from benchmarks.browser import measured, settle, shown
from benchmarks.paintings import square_photo
from benchmarks.tables import Table
from ktviz import samples
from ktviz.images import resize
from ktviz.library.kinds.patches.bank import Bank
from ktviz.library.kinds.patches.entries import Entries
from ktviz.library.kinds.patches.tree import Tree
from ktviz.library.kinds.patches.union import BankUnion
from ktviz.systems.cocosnet.system import CoCosNet
from ktviz.systems.kt.translator import Translator
from ktviz.systems.munit.system import Munit
from ktviz.systems.pix2pixhd.system import Pix2PixHD
from ktviz.systems.registry import packaged
from ktviz.trace.trace import Trace
from ktviz.widgets.answers import Answers
from ktviz.widgets.explorer import Explorer, TreeView
from ktviz.widgets.protocol import PROTOCOL
from ktviz.widgets.scene import scene_of
from ktviz.widgets.view import View, static_text

MOVES = 200
REPEATS = 7
BRANCHING = 320
"""Children of every node of a tree of two levels: 102,400 leaves."""
MEGABYTE = 1e6
SHOWN = 16
"""Children of an unfolded node that are shown at first (`AT_ONCE` in web/src/panels/tree/model.ts)."""


def main() -> Iterator[Table]:
    banks = samples.library()["art/impasto"]
    translator = Translator.shipped(banks)
    trace = translator.traced(square_photo())
    rows = [*sizes(Explorer(trace)), *latencies(Explorer(trace)), *large_tree(banks)]
    rows += large(translator)
    for name, other in {"CoCosNet, 256x256 px": room(), "pix2pixHD, 512x256 px": street()}.items():
        rows += first_draw(Explorer(other), name)
    if packaged("munit").sha256:  # else none come with this version
        rows += decoded()
    notes = (
        f"A 512x512 photo, {len(trace):,} retrievals, bank `art/impasto`. Medians: {MOVES} pointer moves, {REPEATS} "
        "answers. Browser: headless Chromium without a GPU. The first draw in the browser is from the call to the "
        "second frame; Python makes the scene before. Answers are from request to packed bytes."
    )
    yield Table("views", "Views: what travels, and how long one waits", ["what", "measured", "target"], rows, notes)


def sizes(view: View) -> list[list[str]]:
    """Bytes on the wire and on disk."""
    script, style = static_text("ktviz.js"), static_text("ktviz.css")
    wire = len(script) + len(style) + len(view._scene)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "page.html"
        seconds = once(lambda: view.to_html(path))
        page = path.stat().st_size
    text = view._repr_mimebundle_()[0]["text/html"]
    return [
        [
            "bundle, minified",
            f"{len(script) / 1e3:.0f} KB ({len(gzip.compress(script.encode())) / 1e3:.0f} KB gzip)",
            "≤ 150 KB",
        ],
        ["first draw: bundle, styles and scene", f"{wire / MEGABYTE:.2f} MB", "≤ 1.5 MB"],
        ["exported page", f"{page / MEGABYTE:.2f} MB, written in {seconds:.1f} s", "≤ 4 MB"],
        ["snapshot in a saved notebook", f"{len(text) / MEGABYTE:.2f} MB", ""],
    ]


def room() -> Trace:
    """A room that CoCosNet paints."""
    return CoCosNet.from_bank(samples.bank("scenes/rooms")).traced(samples.scene("room-3-0018").labels)


def street() -> Trace:
    """A street that pix2pixHD makes."""
    scene = samples.scene("street-3-0044")
    return Pix2PixHD(samples.bank("scenes/streets")).traced(scene.labels, scene.instances)


def decoded() -> list[list[str]]:
    """A pot that MUNIT glazes: the first draw, and the picture of a point that is dragged."""
    system, name = Munit(samples.bank("pots/glazed")), "MUNIT, 128x128 px"
    view = Explorer(system.traced(samples.drawing("drawing-3-00008"), seed=3))
    answer = answer_ms(view._answers["before"], "decode", {"entry": -1, "moved": [0.5, 0.25]})
    return [*first_draw(view, name), [f"{name}: answer to `decode`", f"{answer:.1f} ms", "≤ 300 ms"]]


def first_draw(view: View, name: str) -> list[list[str]]:
    """How much travels and how long a person waits, for another system."""
    scene = median(once(lambda: scene_of(view._subject)) for _ in range(REPEATS))
    with shown(view) as page:
        (drawn,) = measured(page, "ktviz-first-draw")
    together = scene + drawn / 1e3
    return [
        [f"{name}: scene", f"{len(view._scene) / MEGABYTE:.2f} MB", "≤ 1.5 MB"],
        [f"{name}: first draw", f"{together:.2f} s ({scene:.2f} s of it in Python)", "≤ 1 s"],
    ]


def large(translator: Translator) -> list[list[str]]:
    """A picture of 2000x1500 px: what travels at first, how long one waits, and the answer to a dragged box."""
    trace = translator.traced(resize(samples.photo("coffee"), 2000, 1500))
    with tempfile.TemporaryDirectory() as folder:
        trace.save(Path(folder) / "trace.parquet", pictures="both")
        opened = [Trace.open(Path(folder) / "trace.parquet") for _ in range(REPEATS)]  # nothing of them is known yet
    scene = median(once(partial(Explorer, one)) for one in opened)
    view = Explorer(trace)
    with shown(view) as page:
        (drawn,) = measured(page, "ktviz-first-draw")
    region = answer_ms(view._answers["before"], "region", {"box": [600, 500, 300, 200]})
    name = "2000x1500 px"
    return [
        [f"{name}, {len(trace):,} retrievals: scene", f"{len(view._scene) / MEGABYTE:.2f} MB", "≤ 3 MB"],
        [f"{name}: first draw", f"{scene + drawn / 1e3:.2f} s ({scene:.2f} s of it in Python)", "≤ 3 s"],
        [f"{name}: answer to `region`", f"{region:.1f} ms", "≤ 100 ms"],
    ]


def latencies(view: View) -> list[list[str]]:
    """How long a person waits, with Python behind the view."""
    scene = median(once(lambda: scene_of(view._subject)) for _ in range(REPEATS))
    with shown(view) as page:
        (drawn,) = measured(page, "ktviz-first-draw")
        hover(page)
        moves = measured(page, "ktviz-hover")
    region = {"box": [200, 200, 64, 64]}
    asked = [("region", region), ("candidates", {"queries": [*range(100)]}), ("descent", {"queries": [2000]})]
    rows = [
        ["first draw: Python makes the scene", f"{scene:.2f} s", "≤ 1 s together"],
        ["first draw: the browser draws it", f"{drawn / 1e3:.2f} s", ""],
        [f"hover to highlight, of {len(moves)} moves", f"{median(moves):.1f} ms", "≤ 16 ms"],
    ]
    for kind, body in asked:
        rows.append([f"answer to `{kind}`", f"{answer_ms(view._answers['before'], kind, body):.1f} ms", "≤ 100 ms"])
    return rows


def hover(page: Page) -> None:
    """Move the pointer over the translation."""
    box = page.locator(".kt-picture").nth(1).bounding_box()
    assert box is not None
    for n in range(MOVES):
        x, y = (n * 37) % 100 / 100, (n * 61) % 100 / 100
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
    settle(page)


def large_tree(like: BankUnion) -> list[list[str]]:
    """A tree of about 100,000 leaves: its answers, and how fast it moves under the pointer."""
    bank = synthetic_bank(like.banks[0])
    view = TreeView(BankUnion([bank], like.encoder))
    children = answer_ms(view._answers["before"], "children", {"bank": 0, "nodes": [0]})
    with shown(view) as page:
        for number in (1, 2, 3):
            page.evaluate(f"document.querySelectorAll('.kt-fold')[{number}].click()")
            settle(page)
        cards = 1 + 4 * SHOWN
        frames = zoom_frames(page)
    leaves = f"{len(bank.tree.leaves):,} leaves"
    return [
        [f"tree of {leaves}: children of its root", f"{children:.1f} ms", "≤ 100 ms"],
        [
            f"tree of {leaves}, {cards} nodes unfolded: script per step of zooming",
            f"{median(frames):.1f} ms",
            "≤ 16 ms",
        ],
    ]


def zoom_frames(page: Page) -> list[float]:
    """Milliseconds of script per step while the tree is zoomed and moved."""
    return page.evaluate(
        """() => {
          const box = document.querySelector(".kt-treebox");
          const frame = box.getBoundingClientRect();
          return Array.from({ length: 60 }, (_, n) => {
            const start = performance.now();
            box.dispatchEvent(new WheelEvent("wheel", {
              deltaY: n % 20 < 10 ? 8 : -8, ctrlKey: true, bubbles: true, cancelable: true,
              clientX: frame.left + 200, clientY: frame.top + 200,
            }));
            box.getBoundingClientRect();
            return performance.now() - start;
          });
        }"""
    )


def synthetic_bank(like: Bank) -> Bank:
    """A bank whose tree has `BRANCHING` squared leaves of one random entry each; its pictures are another bank's."""
    count = BRANCHING**2
    random = torch.Generator().manual_seed(0)
    side = int(np.ceil(np.sqrt(count))) + 4
    channels = like.entries.channels
    features = torch.zeros(side, side, channels, dtype=torch.float16)
    place = torch.arange(count)
    rows = like.sources[0].rows
    entries = Entries(
        torch.zeros(count, dtype=torch.int64), place % (rows - 4), place % 100, torch.rand(count, 4), [features]
    )
    parent = torch.cat((torch.tensor([-1]), torch.zeros(BRANCHING), 1 + torch.arange(count) // BRANCHING)).long()
    first = torch.arange(BRANCHING) * BRANCHING
    start = torch.cat((torch.tensor([0]), first, place))
    end = torch.cat((torch.tensor([count]), first + BRANCHING, place + 1))
    centres = torch.rand(len(parent), 16 * channels, generator=random)
    keys = torch.randint(-127, 128, (count, len(like.projection.units)), generator=random).to(torch.int8)
    return like.changed(name="art/large", entries=entries, tree=Tree(centres, parent, start, end), keys=keys)


def answer_ms(answers: Answers, kind: str, body: dict[str, object]) -> float:
    """Median milliseconds of an answer."""
    request = {"protocol": PROTOCOL, "kind": kind, "body": body}
    return 1e3 * median(once(lambda: answers.to(request)) for _ in range(REPEATS))


def once(call: object) -> float:
    """Seconds of one call."""
    assert callable(call)
    start = time.perf_counter()
    call()
    return time.perf_counter() - start
