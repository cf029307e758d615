"""Markdown tables on standard output and in `benchmarks/results/`."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from pathlib import Path

import torch

from ktviz.memory import most_held

RESULTS = Path(__file__).parent / "results"
ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"


def shared(*parts: str) -> Path | None:
    """A development file beside the checkout, or None (with a word) where it is absent."""
    path = SHARED.joinpath(*parts)
    if path.exists():
        return path
    print(f"skipped: {'/'.join(parts)} is not beside the checkout")
    return None


def peak_gb() -> float:
    """Peak memory of this process (Linux)."""
    most = most_held()
    assert most is not None
    return most / 1e9


def machine() -> str:
    """The machine in a few words."""
    return (
        f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, torch {torch.__version__}"
    )


def publish(
    name: str, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], notes: str = "", part: str = ""
) -> None:
    """Print a table and keep it; a benchmark of several tables names their parts."""
    lines = [f"## {title}", "", f"Made by `python -m benchmarks {name}` on {machine()}.", ""]
    lines += ["| " + " | ".join(columns) + " |", "| " + " | ".join("---" for _ in columns) + " |"]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    if notes:
        lines += ["", notes]
    text = "\n".join(lines) + "\n"
    print(text)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}{part and '_'}{part}.md").write_text(text, encoding="utf-8")
