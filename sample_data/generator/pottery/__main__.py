"""Write drawings and photographs of pots: `python -m sample_data.generator.pottery OUT --count 1000 --seed 1`."""

from __future__ import annotations

import argparse
import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from .writing import MOST, jobs, write, write_tables


def main() -> None:
    """Command line entry point."""
    parser = argparse.ArgumentParser(prog="python -m sample_data.generator.pottery", description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--count", type=int, default=100, help="drawings, and as many photographs of other pots")
    parser.add_argument("--seed", type=int, default=1, help="no two seeds share a form")
    parser.add_argument("--size", type=int, default=128, help="side in px")
    parser.add_argument("--jobs", type=int, default=2, help="worker processes")
    options = parser.parse_args()
    if not (0 < options.count <= MOST // 2 and options.seed >= 0 and options.jobs > 0):
        parser.error(f"--count must lie in 1..{MOST // 2}, --seed at 0 or more, --jobs at 1 or more")
    wanted = jobs(options.out, options.count, options.seed, options.size)
    missing = [job for job in wanted if not job.row.exists()]
    done = len(wanted) - len(missing)
    os.environ["OMP_NUM_THREADS"] = "1"  # for the workers: each has a core
    with ProcessPoolExecutor(options.jobs) as pool:
        for name in pool.map(write, missing):
            done += 1
            print(f"{done}/{len(wanted)} {name}", flush=True)
    write_tables(options.out, wanted)


if __name__ == "__main__":
    main()
