"""`ktviz workbench`: the workbench in a browser, by Voilà, without a notebook to be seen."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer

from ktviz.cli.console import Quiet, say
from ktviz.errors import SettingError

MOST_UPLOADED = 256 << 20
"""Bytes of one upload; Jupyter's own bound is 10 MB, less than a photograph may have."""


def workbench(
    library: Annotated[
        list[Path] | None,
        typer.Option("--library", "-l", metavar="LIB.ktlib", help="A library to offer beside the samples; repeatable."),
    ] = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open a browser.")] = True,
    port: Annotated[int | None, typer.Option(help="Of the page. [the first free one from 8866]")] = None,
    quiet: Quiet = False,
) -> None:
    """Translate, look into and audit pictures, and build libraries, in a browser and without code."""
    from ktviz.library.library import Library

    if find_spec("voila") is None:
        raise SettingError("open the workbench", "Voilà is not installed", "Run: pip install 'ktviz[workbench]'")
    folders = [Library.open(folder).folder.absolute() for folder in library or ()]
    if not quiet:
        say("the workbench opens in your browser; each page has pictures of its own; Ctrl-C ends it")
    with tempfile.TemporaryDirectory(prefix="ktviz-workbench-") as home:
        page = Path(home) / "workbench.ipynb"
        page.write_text(json.dumps(notebook(folders)), encoding="utf-8")
        code = serve(page, [*([] if browser else ["--no-browser"]), *([] if port is None else [f"--port={port}"])])
    if code:
        raise typer.Exit(code)


def notebook(libraries: list[Path]) -> dict[str, Any]:
    """A notebook of one cell that draws the workbench."""
    code = f"import ktviz\n\nktviz.Workbench({[os.fspath(one) for one in libraries]!r})"
    cell = {"id": "workbench", "cell_type": "code", "source": code}
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": kernel, "title": "ktviz workbench"},
        "cells": [{**cell, "metadata": {}, "execution_count": None, "outputs": []}],
    }


def serve(page: Path, options: list[str]) -> int:
    """Show a notebook by Voilà until it ends; Ctrl-C is its own affair. Returns its exit code."""
    settings = f"--Voila.tornado_settings={{'websocket_max_message_size': {MOST_UPLOADED}}}"
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        return subprocess.run([sys.executable, "-m", "voila", os.fspath(page), settings, *options]).returncode
    finally:
        signal.signal(signal.SIGINT, before)
