"""Pieces and copies: how many are found where there is none, and how many of those that were planted.

Clean pairs are a photograph and a bank that share nothing. Then a part of a work is pasted into every other photograph:
as it is, mirrored, at 0.9, at the resolution of a larger original, turned by 5 degrees. The size of a piece was chosen
with other banks (cezanne, monet, seurat).
"""

from __future__ import annotations

import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.tables import ROOT, Table, publish, shared
from ktviz.audit.copies import copies
from ktviz.explain.case import Case
from ktviz.explain.pieces import LEAST, pieces, winners_of
from ktviz.explain.result import one_site
from ktviz.images import Pixels, find_images, read_image, resize, resize_short_side
from ktviz.library.format import LibrarySettings
from ktviz.library.kinds.patches.union import BankUnion
from ktviz.library.library import Library
from ktviz.systems.kt.translator import Translator
from ktviz.trace.trace import Trace

SIDE, LIBRARY_SIDE, SOURCES = 320, 256, 8
STYLES = ("degas", "hokusai_woodblock", "landscape_masters")
PLANTED = 96
"""Side of the pasted part in px of the photograph."""
KINDS = ("as it is", "mirrored", "at 0.9", "larger original", "turned by 5°")


def main() -> Iterator[Table]:
    photos = list(find_images([shared("data", "photos_eval") or ROOT / "sample_data" / "photos"]).paths)
    paintings = shared("data", "paintings")
    styles = STYLES if paintings else ("impasto", "pointillism", "watercolour")
    folders = {style: (paintings or ROOT / "sample_data" / "art") / style for style in styles}
    clean, planted, largest = Counter[str](), defaultdict[str, Counter[str]](Counter), []
    with tempfile.TemporaryDirectory() as scratch:
        for style, folder in folders.items():
            found_files = find_images([folder]).paths
            files = [path for path in found_files if not path.name.startswith("after-")][:SOURCES]  # of these photos
            library = Library.create(Path(scratch) / f"{style}.ktlib", settings=LibrarySettings(side_px=LIBRARY_SIDE))
            library.build(f"art/{style}", files, quiet=True)
            translator = Translator.shipped(library["art"])
            for number, path in enumerate(photos):
                photo = resize_short_side(read_image(path), SIDE)
                trace = translator.traced(photo)
                clean.update(found(trace, translator))
                largest.append(int(winners_of(one_site(trace)).own_sizes().max(initial=0)))
                kind = KINDS[number // 2 % len(KINDS)]
                if number % 2 == 0:
                    pasted, source = planting(photo, translator.banks, files, number, kind)
                    planted[kind].update(found(translator.traced(pasted), translator, source))
    rows = [row("none, clean", clean)] + [row(kind, planted[kind]) for kind in KINDS]
    sizes = f"the largest part that the search made by itself has {max(largest)} retrievals, in 99 of 100 at most "
    yield Table(
        "pieces",
        "Pieces and copies: found where there is none, and of those planted",
        ["planted", "pictures", "pieces in", "copies in the photo", "copies in the output", "by any"],
        rows,
        f"{len(photos)} photographs, shorter side {SIDE} px, with banks of {SOURCES} works each: {', '.join(styles)}. "
        f"Planted: {PLANTED}x{PLANTED} px of a work. In the clean pictures {sizes}"
        f"{int(np.quantile(largest, 0.99, method='higher'))}; a piece takes {LEAST}.",
    )


def found(trace: Trace, translator: Translator, source: str | None = None) -> Iterator[str]:
    """What was found, of one work where it is named: "pictures" always, "piece", "input", "output", "any"."""
    trace = one_site(trace)
    tables = [pieces(trace), copies(Case(trace, translator))]
    if source is not None:
        tables = [table[table["source"] == source] for table in tables]
    names = {"piece"} if len(tables[0]) else set()
    names |= set(tables[1]["picture"])
    yield "pictures"
    yield from names | ({"any"} if names else set())


def row(name: str, counts: Counter[str]) -> list[str]:
    """A row of the table."""
    return [name, *(str(counts[key]) for key in ("pictures", "piece", "input", "output", "any"))]


def planting(photo: Pixels, banks: BankUnion, files: list[Path], number: int, kind: str) -> tuple[Pixels, str]:
    """A photograph with a part of a work in its middle, and the work's name."""
    chosen = number % len(files)
    name = banks.source_names[chosen]
    thumb = banks.picture(chosen)
    work = thumb
    if kind == "larger original":
        work = read_image(next(path for path in files if path.name == name.rsplit("/", 1)[-1]))
    scale = {"at 0.9": 0.9, "larger original": min(1.0, 2.2 * min(thumb.shape[:2]) / min(work.shape[:2]))}.get(kind, 1)
    work = resize(work, round(work.shape[1] * scale), round(work.shape[0] * scale))
    if kind == "mirrored":
        work = work[:, ::-1]
    if kind == KINDS[4]:
        work = np.asarray(Image.fromarray(work).rotate(5, Image.Resampling.BICUBIC))
    part = busiest(work, PLANTED)
    y, x = (4 * ((side - PLANTED) // 8) for side in photo.shape[:2])
    pasted = photo.copy()
    pasted[y : y + PLANTED, x : x + PLANTED] = part
    return pasted, name


def busiest(work: Pixels, side: int) -> Pixels:
    """The part of a work with the most to see, of some."""
    height, width = (length - side for length in work.shape[:2])
    margin = 24  # a turned work has black corners
    tops = np.linspace(margin, max(margin, height - margin), 5).astype(int) // 4 * 4
    lefts = np.linspace(margin, max(margin, width - margin), 5).astype(int) // 4 * 4
    parts = [work[y : y + side, x : x + side] for y in tops for x in lefts]
    return max(parts, key=lambda part: float(part.std()) if part.shape[:2] == (side, side) else -1.0)


if __name__ == "__main__":
    publish(main())
