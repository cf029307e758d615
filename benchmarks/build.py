"""Building a library from 20 sources of 512 px: time, peak memory, bytes per entry."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.tables import ROOT, Table, peak_gb
from ktviz.library.library import Library

SOURCES = 20
REFERENCE_BYTES = 98_800


def main() -> Iterator[Table]:
    """Each setting runs in a process of its own, so that its peak memory is its own."""
    rows = []
    for stride in (1, 2):
        found = subprocess.run(
            [sys.executable, "-m", "benchmarks.build", str(stride)],
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
        )
        rows.append(found.stdout.strip().splitlines()[-1].split("|"))
    yield Table(
        "build",
        f"Building from {SOURCES} sources of 512 px",
        ["entries at", "seconds", "entries", "bytes per entry", "of the reference's", "peak memory", "target"],
        rows,
        "The reference implementation needed 66 s and 2.6 GB for 10,674 entries, at 98.8 KB an entry.",
    )


def measure(stride: int) -> str:
    from ktviz.library.format import LibrarySettings

    sources = sorted(p for task in ("art", "comic", "hdr") for p in (ROOT / "sample_data" / task).rglob("*.jpg"))
    with tempfile.TemporaryDirectory() as scratch:
        start = time.perf_counter()
        library = Library.create(Path(scratch) / "build.ktlib", settings=LibrarySettings(stride=stride))
        copies = Path(scratch) / "sources"
        copies.mkdir()
        for number, source in enumerate(sources[:: len(sources) // SOURCES][:SOURCES]):
            (copies / f"{number:02d}-{source.name}").write_bytes(source.read_bytes())
        library.build("bench/build", [copies], quiet=True)
        seconds = time.perf_counter() - start
        record = library.record("bench/build")
    per_entry = record.bytes / record.entries
    target = "≤ 60 s, ≤ 2,500 B, ≤ 2 GB" if stride == 1 else ""
    return "|".join(
        [
            f"stride {stride}",
            f"{seconds:.1f}",
            f"{record.entries:,}",
            f"{per_entry:,.0f}",
            f"1/{REFERENCE_BYTES / per_entry:.0f}",
            f"{peak_gb():.2f} GB",
            target,
        ]
    )


if __name__ == "__main__":
    print(measure(int(sys.argv[1])))
