"""How threads wait for each other: a translation beside nothing, and beside programs that keep every core busy.

OpenMP's threads spin while they wait, which pays where every thread has a core of its own. `ktviz` commands let them
sleep (`OMP_WAIT_POLICY=PASSIVE`), unless they are told otherwise.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from statistics import median

from benchmarks.paintings import square_photo
from benchmarks.tables import Headline, Table, said_by
from ktviz import samples
from ktviz.systems.kt.translator import Translator

REPEATS = 3
ROUNDS = 2
POLICIES = {"spinning, as OpenMP does": None, "sleeping, as `ktviz` does": "PASSIVE"}
"""`OMP_WAIT_POLICY`, by what it makes threads do."""
LOADS = {"nothing more": 0, "an endless loop for every core": 1}
"""How many processes that compute run beside it, for every core."""
LOOP = "while True: pass"


def main() -> Iterator[Table]:
    before = os.getloadavg()[0]
    found = {(load, policy): [] for load in LOADS for policy in POLICIES}
    for _ in range(ROUNDS):
        for load, policy in found:
            with beside(LOADS[load] * (os.cpu_count() or 1)):
                found[load, policy].append(measured(POLICIES[policy]))
    rows = []
    for (load, policy), runs in found.items():
        wall, busy = (median(times) for times in zip(*runs, strict=True))
        rows.append([load, policy, f"{wall:.2f}", f"{busy:.2f}"])
    yield Table(
        "waiting",
        "How threads wait: a translation of 512x512 px",
        ["beside it", "waiting threads", "seconds", "of processors"],
        rows,
        f"Medians of {ROUNDS} rounds in turns, each of {REPEATS} translations in a process of its own, after a first. "
        f"What else ran: the load average before all this was {before:.1f}, which is 0 on an idle machine.",
        headlines=[Headline(f"translation beside {row[0]}, threads {row[1]}", f"{row[2]} s") for row in rows],
    )


def measured(policy: str | None) -> tuple[float, float]:
    """Median seconds of translations, of the clock and of processors, in a process of its own."""
    wall, busy = said_by("waiting", OMP_WAIT_POLICY=policy)
    return float(wall), float(busy)


@contextmanager
def beside(count: int) -> Iterator[None]:
    """Keep so many cores busy meanwhile."""
    with ExitStack() as stack:
        for _ in range(count):
            loop = stack.enter_context(subprocess.Popen([sys.executable, "-c", LOOP]))
            stack.callback(loop.kill)
        yield


def translate() -> None:
    """Some translations, for `measured`: prints median seconds of the clock and of processors."""
    translator, photo = Translator.shipped(samples.bank("art/impasto", quiet=True)), square_photo()
    translator(photo)
    wall, busy = [], []
    for _ in range(REPEATS):
        start, before = time.perf_counter(), time.process_time()
        translator(photo)
        wall.append(time.perf_counter() - start)
        busy.append(time.process_time() - before)
    print(median(wall), median(busy))


if __name__ == "__main__":
    translate()
