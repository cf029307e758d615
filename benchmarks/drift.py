"""What drift costs: recall of a bank whose frame was made from some of its sources, against how well it still fits.

The bank of `benchmarks.paintings`, built from some of its sources, to which the others are then added.
"""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import torch

from benchmarks.measures import recall
from benchmarks.paintings import bank_sources, square_photo
from benchmarks.tables import Table
from ktviz.errors import SourceWarning
from ktviz.library.kinds.patches.grid import PatchGrid
from ktviz.library.kinds.patches.search import SearchSettings
from ktviz.library.library import Library
from ktviz.systems.kt.translator import Translator

NAME = "bench/drift"
PARTS = ((0, 7), (0, 4), (3, 7), (0, 2), (3, 5), (0, 1), (3, 4))
"""First and last of the sources from which a frame is made."""


def main() -> Iterator[Table]:
    warnings.simplefilter("ignore", SourceWarning)  # of drift, which is measured here
    sources, rows = bank_sources()[:7], []
    for first, last in PARTS:
        with tempfile.TemporaryDirectory() as scratch:
            library = Library.create(Path(scratch) / "drift.ktlib")
            library.build(NAME, sources[first:last], quiet=True)
            library.add(NAME, sources, quiet=True)
            rows.append([str(last - first), *measured(library)])
    yield Table(
        "drift",
        "What drift costs: frames made from some of seven sources",
        ["frame made from", "nearness now, of then", "largest leaf now, then", "recall@1", "told"],
        rows,
        "Queries of a photograph of 512x512 px; the best entry of each is that of an exact search. Default settings.",
    )


def measured(library: Library) -> list[str]:
    """Drift and recall of a bank."""
    bank = library.bank(NAME)
    features = Translator.shipped(library[NAME]).encode(square_photo())
    queries = PatchGrid(*features.shape[1:]).unfold(features)[::2]
    truth = bank.search(queries, SearchSettings("exact", candidates=1)).winner
    found, drift = bank.search(queries).winner, bank.drift
    return [
        f"{drift.now.nearness / drift.before.nearness:.3f}",
        f"{drift.now.largest:.1f}, {drift.before.largest:.1f}",
        f"{recall(torch.as_tensor(found), truth):.3f}",
        "yes" if drift.matters else "",
    ]
