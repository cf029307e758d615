"""Write scenes with their maps: `python -m sample_data.generator.scenes OUT --kind streets --count 400 --seed 1`."""

from __future__ import annotations

import argparse
import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from .writing import MAKERS, MOST, SIZES, jobs, write, write_tables


def pixels(text: str) -> tuple[int, int]:
    """HEIGHTxWIDTH in pixels."""
    height, _, width = text.partition("x")
    return int(height), int(width)


def main() -> None:
    """Command line entry point."""
    parser = argparse.ArgumentParser(prog="python -m sample_data.generator.scenes", description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--kind", choices=tuple(MAKERS), required=True)
    parser.add_argument("--count", type=int, default=100, help="layouts")
    parser.add_argument("--seed", type=int, default=1, help="no two seeds share a layout")
    parser.add_argument("--size", type=pixels, help="HEIGHTxWIDTH; default 256x512 for streets, 256x256 for rooms")
    parser.add_argument("--looks", type=int, default=1, help="pictures of each layout, in other styles")
    parser.add_argument("--jobs", type=int, default=2, help="worker processes")
    options = parser.parse_args()
    if not (0 < options.count <= MOST and 0 < options.looks <= 1000 and options.seed >= 0 and options.jobs > 0):
        parser.error(f"--count must lie in 1..{MOST}, --looks in 1..1000, --seed at 0 or more, --jobs at 1 or more")
    size = options.size or SIZES[options.kind]
    wanted = jobs(options.out, options.kind, options.count, options.seed, options.looks, size)
    missing = [job for job in wanted if not job.path("objects").exists()]
    done = len(wanted) - len(missing)
    os.environ["OMP_NUM_THREADS"] = "1"  # for the workers: each has a core
    with ProcessPoolExecutor(options.jobs) as pool:
        for name in pool.map(write, missing):
            done += 1
            print(f"{done}/{len(wanted)} {name}", flush=True)
    write_tables(options.out, options.kind, wanted)


if __name__ == "__main__":
    main()
