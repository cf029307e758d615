"""What a GPU changes: `python -m benchmarks gpu`, where there is one.

Encoder and decoder compute on it, and so do the products of a search among all entries, which finds the same to the
bit: this is checked for every query, and the benchmark fails if one differs.
"""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.measures import side_by_side
from benchmarks.paintings import make_bank, square_photo
from benchmarks.tables import Headline, Table
from ktviz.library.kinds.patches.bank import Bank
from ktviz.library.kinds.patches.grid import PatchGrid
from ktviz.library.kinds.patches.search import SearchSettings

CPU, GPU = torch.device("cpu"), torch.device("cuda")
REPEATS = 3
EXACT = SearchSettings("exact")


def main() -> Iterator[Table]:
    if not torch.cuda.is_available():
        print("skipped: there is no GPU that PyTorch can use")
        return
    with tempfile.TemporaryDirectory() as scratch:
        bank, translator = make_bank(Path(scratch))
        there, photo = copy.deepcopy(translator).to(GPU), square_photo()
        features = translator.encode(photo)
        queries = PatchGrid(*features.shape[1:]).unfold(features)
        check_same(bank, queries)
        rows = [
            row("encode 512x512 px", lambda: translator.encode(photo), lambda: there.encode(photo)),
            row("decode", lambda: translator.decode(features), lambda: there.decode(features)),
            row(
                f"compare {len(queries):,} queries with {len(bank):,} entries",
                lambda: bank.search(queries, EXACT),
                lambda: bank.search(queries, EXACT, device=GPU),
            ),
            row("translate", lambda: translator(photo), lambda: there(photo)),
            row(
                "translate, comparing with all entries",
                lambda: translator(photo, preset="exact"),
                lambda: there(photo, preset="exact"),
            ),
        ]
    yield Table(
        "gpu",
        f"On a GPU: {torch.cuda.get_device_name()}",
        ["what", "CPU, seconds", "GPU, seconds", "times faster"],
        rows,
        f"Medians of {REPEATS}, in turns. The search compares with everything and finds the same entries, similarities "
        "and cosines within bands on both, bit for bit; the benchmark fails if not. A translation searches twice.",
        headlines=[Headline(f"GPU: {name}", f"{fast} s", f"CPU {slow} s") for name, slow, fast, _ in rows],
    )


def check_same(bank: Bank, queries: Tensor) -> None:
    """Raise unless a GPU finds what the CPU finds."""
    known, found = bank.search(queries, EXACT), bank.search(queries, EXACT, device=GPU)
    for name in ("entry", "similarity"):
        assert torch.equal(getattr(known, name), getattr(found, name)), name
    assert torch.equal(known["bands"], found["bands"]), "bands"


def row(name: str, slow: Callable[[], object], fast: Callable[[], object]) -> list[str]:
    """Seconds on the CPU and on a GPU."""
    cpu, gpu = side_by_side(slow, fast, repeats=REPEATS)
    return [name, f"{cpu:.3f}", f"{gpu:.3f}", f"{cpu / gpu:.1f}"]
