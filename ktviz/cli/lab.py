"""`ktviz lab`: the lessons, in JupyterLab."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from ktviz.cli.console import Quiet, say
from ktviz.errors import LessonError


def lab(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where your copies of the lessons go.")] = Path(
        "ktviz-notebooks"
    ),
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open a browser.")] = True,
    port: Annotated[int | None, typer.Option(help="Of JupyterLab. [the first free one from 8888]")] = None,
    quiet: Quiet = False,
) -> None:
    """Copy the lessons into a folder and open them in JupyterLab; what you have changed there stays."""
    from ktviz.lessons.copies import copy_lessons

    if find_spec("jupyterlab") is None:
        raise LessonError("open the lessons", "JupyterLab is not installed", "Run: pip install 'ktviz[notebooks]'")
    copied, kept = copy_lessons(folder)
    if not quiet:
        say(f"{len(copied)} lesson{'' if len(copied) == 1 else 's'} copied to {folder}")
        for name in kept:
            say(f"kept {name}: it differs from the lesson; rename or delete it for a fresh copy")
    options = [*([] if browser else ["--no-browser"]), *([] if port is None else [f"--port={port}"])]
    code = run_jupyter(options, folder)
    if code:
        raise typer.Exit(code)


def run_jupyter(options: Sequence[str], folder: Path) -> int:
    """Run JupyterLab in a folder until it ends; Ctrl-C is its own affair. Returns its exit code."""
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        options = [*options, "--allow-root"]  # Jupyter refuses to start in a container otherwise
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        return subprocess.run([sys.executable, "-m", "jupyterlab", *options], cwd=folder).returncode
    finally:
        signal.signal(signal.SIGINT, before)
