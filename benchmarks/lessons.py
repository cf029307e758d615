"""How long a lesson keeps its students waiting: until its first cell has run, in its longest cell, and in all.

Every lesson runs in a kernel of its own, with an empty cache, as where somebody has just installed ktviz.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
from nbclient import NotebookClient

from benchmarks.tables import Headline, Table
from ktviz.lessons.copies import cleaned, lesson_paths, read_notebook

START_S = 15
"""What a lesson may take until its first cell has run."""


def main() -> Iterator[Table]:
    before = os.getloadavg()[0]
    found = {path.stem: seconds_of(path) for path in lesson_paths()}
    rows = [
        [lesson, f"{spent[0]:.1f}", f"{max(spent[1:]):.1f}", f"{sum(spent):.0f}"] for lesson, spent in found.items()
    ]
    slowest = max(found, key=lambda lesson: found[lesson][0])
    yield Table(
        "lessons",
        "What a lesson takes",
        ["lesson", "until its first cell has run, s", "longest further cell, s", "all, s"],
        rows,
        "Each in a kernel of its own, which is counted, with an empty cache: banks are built anew. What else ran: the "
        f"load average before all this was {before:.1f}, which is 0 on an idle machine.",
        headlines=[Headline(f"start of {slowest}, the slowest", f"{found[slowest][0]:.1f} s", f"{START_S} s asked")],
    )


def seconds_of(path: Path) -> list[float]:
    """Of every cell of code; the first with the kernel's own start."""
    notebook = nbformat.from_dict(cleaned(read_notebook(path)))  # type: ignore[no-untyped-call]
    ends = [time.perf_counter()]
    with TemporaryDirectory() as cache:
        client = NotebookClient(
            notebook,
            timeout=None,
            on_cell_executed=lambda cell, **_: ends.append(time.perf_counter()),
        )
        client.execute(env={**os.environ, "KTVIZ_CACHE": cache})
    return [end - start for start, end in pairwise(ends)]
