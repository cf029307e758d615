"""Memory and time of `ktviz translate` by the size of the photo, against its forecast: one process each."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.tables import ROOT, Table, peak_gb
from ktviz.images import Pixels, find_images, read_image, resize, write_image
from ktviz.library.format import LibrarySettings
from ktviz.library.library import Library

RUNS = (("512x512", "4GB"), ("2000x1500", "4GB"), ("8000x6000", "4GB"))
"""Sizes in px, and what the process may hold."""
BLOCK = 1000
"""Side of the photographs that a large one is put together from."""


def main() -> Iterator[Table]:
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        sources = sorted((ROOT / "sample_data" / "art" / "impasto").glob("*.jpg"))[:2]
        Library.create(scratch / "l.ktlib", settings=LibrarySettings(side_px=200)).build("art/few", sources, quiet=True)
        rows = [row(scratch, size, memory) for size, memory in RUNS]
    yield Table(
        "memory",
        "Large photographs: memory and time by size",
        ["px", "allowed", "peak, forecast", "peak", "time, forecast", "time"],
        rows,
        "Default settings, bank of two small sources, from file to file, everything included. Photographs of the "
        "sample data side by side. Where no time is forecast, the work is short.",
    )


def row(scratch: Path, size: str, memory: str) -> list[str]:
    """One run in a process of its own."""
    photo = scratch / f"{size}.png"
    if not photo.exists():
        width, height = map(int, size.split("x"))
        write_image(photo, mosaic(width, height))
    arguments = ["translate", photo, "-l", scratch / "l.ktlib", "-b", "art/few", "-o", scratch / "out.png"]
    command = [sys.executable, "-m", "benchmarks.memory", *map(str, arguments), "--memory", memory]
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    seconds = time.perf_counter() - start
    *said, peak = done.stderr.strip().splitlines()
    memory_said, _, time_said = said[-1].split("at most ")[1].partition(", about ") if said else ("", "", "")
    return [size, memory, memory_said.split(" of memory")[0], f"{float(peak):.2f} GB", time_said, f"{seconds:.0f} s"]


def mosaic(width: int, height: int) -> Pixels:
    """Photographs side by side."""
    photos = [resize(read_image(path), BLOCK, BLOCK) for path in find_images(ROOT / "sample_data" / "photos").paths]
    down, across = -(-height // BLOCK), -(-width // BLOCK)
    rows = [np.concatenate([photos[(3 * y + x) % len(photos)] for x in range(across)], 1) for y in range(down)]
    return np.concatenate(rows)[:height, :width]


if __name__ == "__main__":
    from ktviz.cli.main import app

    try:
        app(sys.argv[1:])
    finally:
        print(peak_gb(), file=sys.stderr)
