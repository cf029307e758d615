"""Scenes that no training has seen: made by the generator from a seed of their own, once, into the cache."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.tables import ROOT
from ktviz.files import cache_folder
from ktviz.labels import Classes
from ktviz.training.pairs import Pair, read_pairs

SEED = 2
"""The trainings take 1."""


@dataclass(frozen=True)
class HeldOut:
    """Scenes with all that is known of them.

    Attributes:
        folder: Of the pairs.
        classes: Of the label maps.
        pairs: In the order of their names.
        styles: By picture and number of an object: its style.
    """

    folder: Path
    classes: Classes
    pairs: list[Pair]
    styles: Mapping[tuple[str, int], int]


def held_out(kind: str, count: int, looks: int = 1, seed: int = SEED) -> HeldOut:
    """Scenes of a kind: "streets" or "rooms"."""
    folder = cache_folder() / "scenes" / f"{kind}-{seed}-{count}x{looks}"
    command = [sys.executable, "-m", "sample_data.generator.scenes", str(folder), "--kind", kind]
    command += ["--count", str(count), "--seed", str(seed), "--looks", str(looks)]
    subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
    classes = Classes.read(folder / "classes.csv")
    with (folder / "objects.csv").open(newline="", encoding="utf-8") as file:
        styles = {(row["picture"], int(row["instance"])): int(row["style"]) for row in csv.DictReader(file)}
    return HeldOut(folder, classes, read_pairs(folder, classes, quiet=True), styles)


def asked_seed() -> int:
    """The seed that the command line names, if it names one: from 2 on, for the trainings know those before."""
    seed = int(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1].isdigit() else SEED
    if seed < SEED:
        sys.exit(f"seed {seed} is of pictures that a training saw: give one from {SEED} on")
    return seed


def seed_given() -> str:
    """The asked seed; nothing where it is the usual one."""
    return "" if asked_seed() == SEED else f"{asked_seed()}"


def part() -> str:
    """What the table of the asked seed is called besides; nothing where it is the usual one."""
    return seed_given() and f"seed_{seed_given()}"
