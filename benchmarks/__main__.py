"""Run benchmarks: those named, or a set of them (`SETS`) and a table of what they found in short."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from importlib import import_module

from benchmarks.tables import Table, publish
from ktviz.printing import counted

MINUTES = ("speed", "search", "explain", "small", "waiting", "commands")
"""What `make bench` runs."""
NAMES = (
    "reconstruction",
    "quality",
    "alignment",
    "speed",
    "search",
    "search_million",
    "memory",
    "build",
    "scale",
    "drift",
    "explain",
    "faithfulness",
    "pieces",
    "views",
    "waiting",
    "commands",
    "lessons",
    "gpu",
    "image_analogy",
    "cocosnet",
    "cocosnet_checks",
    "pix2pixhd",
    "pix2pixhd_checks",
    "small",
    "munit_checks",
    "bridge_checks",
    "bridge_runs",
    "six_systems",
)
SETS = {"bench": MINUTES, "bench-full": NAMES}


def main() -> None:
    chosen = sys.argv[1:] or [*NAMES]
    if len(chosen) == 1 and chosen[0] in SETS:
        publish(in_short(chosen[0], SETS[chosen[0]]))
        return
    unknown = set(chosen) - set(NAMES)
    if unknown:
        known = ", ".join((*NAMES, *SETS))
        sys.exit(f"unknown benchmark {', '.join(unknown)}; choose from {known}")
    for name in chosen:
        run(name)


def run(name: str) -> list[Table]:
    """Run a benchmark, and keep its tables."""
    return publish(import_module(f"benchmarks.{name}").main())


def in_short(name: str, benchmarks: Sequence[str]) -> Iterator[Table]:
    """Run some benchmarks, and tell the most important of what each found."""
    rows, start = [], time.perf_counter()
    for benchmark in benchmarks:
        for table in run(benchmark):
            rows += [[f"[{table.file}]({table.file}.md)", *one.cells] for one in table.headlines]
    minutes = (time.perf_counter() - start) / 60
    title = f"{counted(len(benchmarks), 'benchmark')} in short"
    yield Table(name, title, ["benchmark", "what", "found", "beside"], rows, f"Took {minutes:.0f} minutes.")


if __name__ == "__main__":
    main()
