"""What benchmarks find, as tables: Markdown, JSON and curves in `benchmarks/results/`, with the command that made them.

A benchmark is a module with a `main` that yields a `Table` as soon as it has one; `publish` prints and keeps it.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from benchmarks.curves import Curves, draw
from ktviz.memory import most_held
from ktviz.trace.about import processor

RESULTS = Path(__file__).parent / "results"
ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"


@dataclass(frozen=True)
class Headline:
    """One number of a benchmark, for the table of all.

    Attributes:
        what: Was measured.
        found: With its unit.
        beside: What it is to be held against: a target, or a peer in the same run.
    """

    what: str
    found: str
    beside: str = ""

    @property
    def cells(self) -> list[str]:
        """As a row."""
        return [self.what, self.found, self.beside]


@dataclass(frozen=True)
class Table:
    """What a benchmark found.

    Attributes:
        name: Of the benchmark.
        title: Of the table.
        columns: Of the rows.
        rows: Texts, ready to be read; in JSON those that are numbers are numbers.
        notes: Below it.
        part: Which of several tables of one benchmark; also in the names of its files.
        given: What the benchmark's module was given on the command line, if anything.
        curves: To be drawn, if any.
        headlines: For the table of all benchmarks.
    """

    name: str
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: str = ""
    part: str = ""
    given: str = ""
    curves: Curves | None = None
    headlines: Sequence[Headline] = ()

    @property
    def command(self) -> str:
        """What makes it."""
        return f"python -m benchmarks.{self.name} {self.given}" if self.given else f"python -m benchmarks {self.name}"

    @property
    def file(self) -> str:
        """Of its files, without what they end in."""
        return f"{self.name}{self.part and '_'}{self.part}"

    def as_markdown(self) -> str:
        """The table, as people read it."""
        lines = [f"## {self.title}", "", f"Made by `{self.command}` on {machine()}.", ""]
        lines += ["| " + " | ".join(self.columns) + " |", "| " + " | ".join("---" for _ in self.columns) + " |"]
        lines += ["| " + " | ".join(row) + " |" for row in self.rows]
        if self.curves is not None:
            lines += ["", f"![{self.curves.title}]({self.file}.png)"]
        if self.notes:
            lines += ["", self.notes]
        return "\n".join(lines) + "\n"

    def as_values(self) -> dict[str, Any]:
        """The table, as programs read it; rows as lists, for two columns may have one name."""
        return {
            "title": self.title,
            "command": self.command,
            "machine": machine(),
            "columns": [*self.columns],
            "rows": [[as_value(cell) for cell in row] for row in self.rows],
            "notes": self.notes,
            "curves": None if self.curves is None else self.curves.as_values(),
        }


def publish(tables: Iterable[Table]) -> list[Table]:
    """Print tables, each as soon as it is there, and keep them; returns them."""
    RESULTS.mkdir(exist_ok=True)
    kept = []
    for table in tables:
        print(table.as_markdown(), flush=True)
        (RESULTS / f"{table.file}.md").write_text(table.as_markdown(), encoding="utf-8")
        text = json.dumps(table.as_values(), indent=1, ensure_ascii=False) + "\n"
        (RESULTS / f"{table.file}.json").write_text(text, encoding="utf-8")
        if table.curves is not None:
            draw(table.curves, RESULTS / f"{table.file}.png")
        kept.append(table)
    return kept


def as_value(cell: str) -> str | int | float:
    """The number that a cell is, or its text.

    Example:
        >>> as_value("3,969"), as_value("0.50"), as_value("1.05 x"), as_value("")
        (3969, 0.5, '1.05 x', '')
    """
    for number in (int, float):
        try:
            return number(cell.replace(",", ""))
        except ValueError:
            continue
    return cell


def shared(*parts: str) -> Path | None:
    """A development file beside the checkout, or None (with a word) where it is absent."""
    path = SHARED.joinpath(*parts)
    if path.exists():
        return path
    print(f"skipped: {'/'.join(parts)} is not beside the checkout")
    return None


def said_by(module: str, *given: str, **environment: str | None) -> list[str]:
    """The words that a benchmark's module prints last, alone in a process of its own.

    Args:
        module: Its name.
        *given: On its command line.
        **environment: Variables besides those of this process; None for those that it shall not have.
    """
    command = [sys.executable, "-m", f"benchmarks.{module}", *given]
    there = {name: value for name, value in {**os.environ, **environment}.items() if value is not None}
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT, env=there)
    return done.stdout.split()


def peak_gb() -> float:
    """Peak memory of this process (Linux)."""
    most = most_held()
    assert most is not None
    return most / 1e9


def machine() -> str:
    """The machine in a few words."""
    name = processor().split(",")[0]
    return f"{os.cpu_count()} cores of {name}, Python {platform.python_version()}, torch {torch.__version__}"
