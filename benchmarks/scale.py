"""Libraries of 10^4 to 10^7 entries: building, opening, searching, translating, editing: `python -m benchmarks scale`.

`python -m benchmarks.scale growth SIZE...` measures those sizes, and tells what larger libraries would cost by them.

Sources are crops of the photographs and paintings beside the checkout, half of them mirrored. For 10^7 entries features
are synthetic, 128 random filters of 4x4 px, and not thinned, so that half an hour is enough. Every size is measured in
processes of its own, one for each step.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar
from unittest import mock

import numpy as np
import torch
from torch import nn

from benchmarks.curves import Curves
from benchmarks.growth import FITTED_FROM, growth
from benchmarks.tables import ROOT, SHARED, Headline, Table, peak_gb, publish, shared
from ktviz.engines.engine import Threads
from ktviz.errors import SourceWarning
from ktviz.images import Pixels, find_images, read_image, resize_short_side, write_image
from ktviz.library.format import LibrarySettings
from ktviz.library.kinds.patches import build as patches
from ktviz.library.kinds.patches.bank import Bank
from ktviz.library.kinds.patches.grid import PatchGrid
from ktviz.library.kinds.patches.search import SearchSettings
from ktviz.library.library import Library
from ktviz.systems.kt.decoder import Decoder
from ktviz.systems.kt.encoder import Encoder
from ktviz.systems.kt.translator import Translator

A = TypeVar("A")
B = TypeVar("B")
T = TypeVar("T")

SIZES = (10_000, 100_000, 300_000, 1_000_000, 10_000_000)
NAME = "bench/scale"
GROWING = ("build", "search", "translate", "add")
TARGETS = (
    "Targets: the search grows with a power of at most 0.6; a million entries in 6 minutes and 4 GB, ten million in "
    "8 GB; 1,000 bytes an entry; opened in 100 ms; a photograph translated with ten million in 10 s; a source added "
    "to, and removed from, a million in 5 s."
)
PLAIN = 10_000_000
"""Entries from which features are synthetic."""
CHANNELS, STRIDE = 128, 4
THINNED, WHOLE = 7_000, 125 * 125
"""Entries of a source of 512 px, about, and without thinning."""
SIDE, LEAST = 512, 0.6
"""Of a crop: its side, and the least part of its picture's shorter side."""
JUDGED = 64
"""Queries that are compared with everything, to know how many winners are the best there are."""


def main() -> Iterator[Table]:
    if shared("data") is None:
        return
    found = [measured(size) for size in SIZES]
    yield table([row(one) for one in found], found)
    yield growth([one for size, one in zip(SIZES, found, strict=True) if size < PLAIN])


def table(rows: list[list[str]], found: list[dict[str, float]]) -> Table:
    """Of all sizes, with the powers by which they grow."""
    columns = ["entries", "sources", "build", "of CPU", "peak", "on disk", "open", "first search", "search", "recall@1"]
    columns += ["search, peak", "translate", "add", "remove", "rebuild", "edits, peak"]
    sizes = [one["entries"] for one in found]
    grown = ", ".join(f"{what} {exponent(sizes, [one[what] for one in found]):.2f}" for what in GROWING)
    return Table(
        "scale",
        "Libraries by size",
        columns,
        rows,
        f"Seconds grow with entries to the power of: {grown}. Searches are of {len(PatchGrid(128, 128)):,} queries of "
        "a photograph of 512x512 px, with the default settings; the first one compares the tables with their digests. "
        f"Recall is of {JUDGED} queries, by comparing everything. From {PLAIN:,} entries on features are synthetic, "
        f"and so a translation there leaves out what the encoder takes, and no tree is made anew. {TARGETS}",
        curves=Curves(
            "What grows with a library", "entries", "seconds", {what: line(found, what) for what in GROWING}, "xy"
        ),
        headlines=[
            Headline(f"{what} at {one['entries']:,.0f} entries", f"{one[what]:.1f} s")
            for one in found[-2:]
            for what in GROWING
        ],
    )


def line(found: Sequence[dict[str, float]], what: str) -> list[tuple[float, float]]:
    """How something grows with the entries."""
    return [(one["entries"], one[what]) for one in found]


def measured(size: int) -> dict[str, float]:
    """What a library of a size takes: building, asking and editing in a process each."""
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for step in STEPS:
            command = [sys.executable, "-m", "benchmarks.scale", step, str(size), scratch]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT)
            found |= json.loads(done.stdout.strip().splitlines()[-1])
    return found


def row(found: dict[str, float]) -> list[str]:
    """One line of the table."""
    timed = ("build", "translate", "add", "remove", "rebuild")
    seconds = {name: "" if math.isnan(found[name]) else f"{found[name]:.1f} s" for name in timed}
    return [
        f"{found['entries']:,.0f}",
        f"{found['sources']:,.0f}",
        seconds["build"],
        f"{found['build_cpu']:.0f} s",
        f"{found['build_gb']:.1f} GB",
        f"{found['bytes']:,.0f} B an entry",
        f"{1000 * found['open']:.0f} ms",
        f"{found['first']:.2f} s",
        f"{found['search']:.2f} s",
        f"{found['recall']:.2f}",
        f"{found['ask_gb']:.1f} GB",
        *(seconds[name] for name in timed[1:]),
        f"{found['edit_gb']:.1f} GB",
    ]


def exponent(sizes: list[float], seconds: list[float]) -> float:
    """The power of the size with which seconds grow, by least squares."""
    if len(sizes) < 2:
        return math.nan
    slope: float = np.polyfit(np.log(sizes), np.log(seconds), 1)[0]
    return slope


def build(size: int, scratch: Path) -> dict[str, float]:
    """Build a library from crops."""
    plain = size >= PLAIN
    count = -(-size // (WHOLE if plain else THINNED))
    folder = scratch / "sources"
    write_crops(folder, count + 1)
    last = sorted(folder.iterdir())[-1]
    last.rename(scratch / "one-more.jpg")
    encoder = encoder_for(size)
    settings = LibrarySettings(dedupe=1.0 if plain else 0.9)
    library = Library.create(scratch / "scale.ktlib", encoder, settings)
    engine, sampling, start = Counting(), Clock(), time.process_time()
    with mock.patch.object(patches, "fit_frame", sampling.around(patches.fit_frame)):
        seconds = timed(lambda: library.build(NAME, [folder], encoder=encoder, engine=engine, quiet=True))
    cpu, gb, record = time.process_time() - start, peak_gb(), library.record(NAME)
    found = {"entries": record.entries, "sources": record.sources, "bytes": record.bytes / record.entries}
    parts = {"shared_cpu": engine.clock.cpu, "sample_cpu": sampling.cpu}
    return {**found, **parts, "rest_cpu": cpu - sum(parts.values()), "build": seconds, "build_cpu": cpu, "build_gb": gb}


class Clock:
    """Adds up the CPU that this process takes within."""

    def __init__(self) -> None:
        self.cpu = 0.0

    def around(self, work: Callable[..., T]) -> Callable[..., T]:
        """The same work, and what it takes is added."""

        def clocked(*given: Any) -> T:
            start = time.process_time()
            try:
                return work(*given)
            finally:
                self.cpu += time.process_time() - start

        return clocked


class Counting(Threads):
    """Threads, and what they take for that which a cluster's workers would share out."""

    def __init__(self) -> None:
        self.clock = Clock()

    def map(self, work: Callable[[A], B], things: Sequence[A], *given: Any) -> list[B]:
        """As in `Threads`."""
        return self.clock.around(super().map)(work, things, *given)


def encoder_for(size: int) -> Encoder:
    """The shipped encoder, or one that costs nothing."""
    if size < PLAIN:
        return Encoder.shipped()
    torch.manual_seed(0)
    filters = nn.Sequential(nn.Conv2d(3, CHANNELS, STRIDE, stride=STRIDE), nn.ReLU())
    return Encoder(filters, CHANNELS, "synthetic").eval().requires_grad_(False)


def write_crops(folder: Path, count: int) -> None:
    """Crops of photographs and paintings, each of another place and size, half of them mirrored."""
    folder.mkdir()
    for number, pixels in zip(range(count), crops(), strict=False):
        write_image(folder / f"{number:05d}.jpg", resize_short_side(pixels, SIDE)[:SIDE, :SIDE])


def crops() -> Iterator[Pixels]:
    paths = [path for path in find_images([SHARED / "data"]).paths if "pairs" not in path.parts]
    random = np.random.default_rng(0)
    while True:
        for place in random.permutation(len(paths)):
            pixels = read_image(paths[place])
            side = int(min(pixels.shape[:2]) * random.uniform(LEAST, 1))
            y, x = (int(random.integers(length - side + 1)) for length in pixels.shape[:2])
            crop = pixels[y : y + side, x : x + side]
            yield np.ascontiguousarray(crop[:, ::-1] if random.random() < 0.5 else crop)


def ask(size: int, scratch: Path) -> dict[str, float]:
    """Open, search and translate."""
    photo = resize_short_side(read_image(ROOT / "sample_data" / "photos" / "chelsea.jpg"), SIDE)[:SIDE, :SIDE]
    folder = scratch / "scale.ktlib"
    Library.open(folder)  # what is imported, and read for the first time
    opening = timed(lambda: Library.open(folder)[NAME])
    banks = Library.open(folder)[NAME]
    translator = Translator(banks, encoder_for(size), Decoder.shipped())
    queries = translator.encode(photo)
    queries = PatchGrid(*queries.shape[1:]).unfold(queries)
    bank: Bank = banks.banks[0]
    first = timed(lambda: bank.search(queries))
    search = min(timed(lambda: bank.search(queries)) for _ in range(3))
    translate = timed(lambda: translator(photo))
    peak = peak_gb()
    some = queries[:: len(queries) // JUDGED][:JUDGED]
    best = bank.search(some, SearchSettings("exact", candidates=1)).winner
    recall = float((bank.search(some).winner == best).float().mean())
    times = {"open": opening, "first": first, "search": search, "translate": translate}
    return {**times, "ask_gb": peak, "recall": recall}


def edit(size: int, scratch: Path) -> dict[str, float]:
    """Add a source, remove it again, and make the tree anew."""
    library = Library.open(scratch / "scale.ktlib")
    before, content = library.digest, library.record(NAME).content
    warnings.simplefilter("ignore", SourceWarning)
    encoder = encoder_for(size)
    add = timed(lambda: library.add(NAME, [scratch / "one-more.jpg"], encoder=encoder, quiet=True))
    remove = timed(lambda: library.remove(NAME, ["one-more"], quiet=True))
    assert (library.digest, library.record(NAME).content) == (before, content)
    rebuild = timed(lambda: library.rebuild(NAME, quiet=True)) if size < PLAIN else math.nan
    return {"add": add, "remove": remove, "rebuild": rebuild, "edit_gb": peak_gb()}


def timed(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


STEPS = {"build": build, "ask": ask, "edit": edit}

if __name__ == "__main__":
    step, *given = sys.argv[1:]
    if step == "growth":
        if sum(int(size) >= FITTED_FROM for size in given) < 2:
            sys.exit(f"name two sizes of at least {FITTED_FROM:,} entries: costs are fitted to those")
        publish([growth([measured(int(size)) for size in given], " ".join((step, *given)))])
    else:
        size, folder = given
        print(json.dumps(STEPS[step](int(size), Path(folder))))
