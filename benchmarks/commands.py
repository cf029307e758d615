"""What commands cost, each in a process of its own, with everything that it loads: `python -m benchmarks commands`."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median

from benchmarks.paintings import square_photo
from benchmarks.tables import ROOT, Headline, Table
from ktviz import samples
from ktviz.images import write_image

ROUNDS = 3
TARGETS = {"audit and verify": "≤ 8 s together", "demo": "≤ 45 s of processors"}
BANK = "art/impasto"
WIDGETS = "from ktviz.widgets.explorer import Explorer"
NEW = "translate, the first on a machine"


def main() -> Iterator[Table]:
    samples.bank(BANK, quiet=True)  # made ready at first use, once
    found: dict[str, list[tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(ROUNDS):
            scratch = Path(folder) / str(number)
            scratch.mkdir()
            for name, command in commands(scratch).items():
                found.setdefault(name, []).append(measured(command))
            found.setdefault(NEW, []).append(measured(translation(scratch, "again.png"), scratch / "compiled"))
    seconds = {name: tuple(median(times) for times in zip(*runs, strict=True)) for name, runs in found.items()}
    seconds["audit and verify"] = tuple(map(sum, zip(seconds["audit"], seconds["verify"], strict=True)))
    rows = [[name, f"{wall:.1f}", f"{busy:.1f}", TARGETS.get(name, "")] for name, (wall, busy) in seconds.items()]
    yield Table(
        "commands",
        "What commands cost",
        ["command", "seconds", "of processors", "target"],
        rows,
        f"Medians of {ROUNDS} rounds in turns. A photograph of 512x512 px, bank `{BANK}`; the sample library is there. "
        "An audit leaves out each of the five sources that gave most, and verifying it makes all of that again. At the "
        "first search on a machine kernels are compiled, and kept.",
        headlines=[
            Headline(name, f"{wall:.1f} s, {busy:.1f} s of processors", TARGETS[name])
            for name, (wall, busy) in seconds.items()
            if name in TARGETS
        ],
    )


def commands(scratch: Path) -> Mapping[str, Sequence[str]]:
    """What is measured, in the order in which it can be run."""
    photo, audit = scratch / "photo.png", scratch / "audit"
    write_image(photo, square_photo())
    return {
        "`ktviz --help`": ktviz("--help"),
        "the Explorer, imported": (sys.executable, "-c", WIDGETS),
        "translate": translation(scratch, "picture.png"),
        "audit": ktviz("audit", photo, "-l", samples.library().folder, "-b", BANK, "-o", audit, "--quiet"),
        "verify": ktviz("verify", audit, "-l", samples.library().folder, "--quiet"),
        "demo": ktviz("demo", "-o", scratch / "demo", "--quiet"),
    }


def translation(scratch: Path, name: str) -> Sequence[str]:
    """Of the photograph in a folder, to a file there."""
    given = ("-l", samples.library().folder, "-b", BANK, "--quiet")
    return ktviz("translate", scratch / "photo.png", "-o", scratch / name, *given)


def ktviz(*given: object) -> Sequence[str]:
    return (sys.executable, "-m", "ktviz", *map(str, given))


def measured(command: Sequence[str], compiled: Path | None = None) -> tuple[float, float]:
    """Seconds of the clock, and of processors; with compiled kernels kept elsewhere than usual, if asked."""
    kept = {} if compiled is None else {"NUMBA_CACHE_DIR": str(compiled)}
    start, before = time.perf_counter(), used()
    subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL, env={**os.environ, **kept})
    return time.perf_counter() - start, used() - before


def used() -> float:
    """Seconds of processors that child processes took."""
    held = resource.getrusage(resource.RUSAGE_CHILDREN)
    return held.ru_utime + held.ru_stime
