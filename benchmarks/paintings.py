"""What several benchmarks search: a bank of more than 100,000 entries of sample sources, and a photograph."""

from __future__ import annotations

from pathlib import Path

from benchmarks.tables import ROOT
from ktviz.images import Pixels, read_image, resize_short_side
from ktviz.library.format import LibrarySettings
from ktviz.library.kinds.patches.bank import Bank
from ktviz.library.library import Library
from ktviz.systems.kt.translator import Translator

SOURCES = 7
"""Of 512 px: more than 100,000 entries."""
PHOTO, LIBRARY = "chelsea", "paintings.ktlib"


def make_bank(scratch: Path) -> tuple[Bank, Translator]:
    """The sample sources of several banks as one bank of about 100,000 entries."""
    library = Library.create(scratch / LIBRARY, settings=LibrarySettings())
    library.build("bench/all", bank_sources()[:SOURCES], quiet=True)
    return library.bank("bench/all"), Translator.shipped(library["bench/all"])


def bank_sources() -> list[Path]:
    """Sample sources of several banks, which are unlike each other."""
    sources = [p for task in ("art", "hdr") for p in sorted((ROOT / "sample_data" / task).rglob("*.jpg"))]
    return [p for p in sources if PHOTO not in p.name][::3]


def square_photo() -> Pixels:
    """A photograph of 512x512 px."""
    photo = resize_short_side(read_image(ROOT / "sample_data" / "photos" / f"{PHOTO}.jpg"), 512)
    return photo[:512, :512]
