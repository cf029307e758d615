"""Run benchmarks: all of them, or those named (`NAMES`)."""

from __future__ import annotations

import sys
from importlib import import_module

NAMES = (
    "reconstruction",
    "quality",
    "alignment",
    "speed",
    "search",
    "memory",
    "build",
    "explain",
    "faithfulness",
    "pieces",
    "views",
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


def main() -> None:
    chosen = sys.argv[1:] or NAMES
    unknown = set(chosen) - set(NAMES)
    if unknown:
        sys.exit(f"unknown benchmark {', '.join(unknown)}; choose from {', '.join(NAMES)}")
    for name in chosen:
        import_module(f"benchmarks.{name}").main()


if __name__ == "__main__":
    main()
