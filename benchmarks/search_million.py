"""The same as `search` in a million entries: `python -m benchmarks search_million`."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.peers import FLAT
from benchmarks.scale import write_crops
from benchmarks.search import compared
from benchmarks.tables import Table, shared
from ktviz.library.kinds.patches.bank import Bank
from ktviz.library.library import Library
from ktviz.systems.kt.translator import Translator

SOURCES = 95
"""Crops of photographs and paintings, of about 10,500 entries each."""
WITHOUT = (FLAT, "hnswlib")
WHY = f"{' and '.join(WITHOUT)}, by far the slowest among a tenth as many entries, are left out."


def main() -> Iterator[Table]:
    if shared("data") is None:
        return
    with tempfile.TemporaryDirectory() as scratch:
        yield compared("search_million", *million(Path(scratch)), WITHOUT, WHY)


def million(scratch: Path) -> tuple[Bank, Translator]:
    """A bank of a million entries."""
    write_crops(scratch / "sources", SOURCES)
    library = Library.create(scratch / "million.ktlib")
    library.build("bench/million", [scratch / "sources"], quiet=True)
    return library.bank("bench/million"), Translator.shipped(library["bench/million"])
