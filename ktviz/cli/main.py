"""`ktviz`: the entry point. Commands import what they need when they run, so that `--help` is quick."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Annotated, NoReturn

import typer

from ktviz import __version__
from ktviz.cli import (
    audit,
    compare_systems,
    credentials,
    demo,
    doctor,
    error,
    exhibition,
    keygen,
    lab,
    library,
    process,
    rerun,
    standard,
    systems,
    train,
    translate,
    verify,
    workbench,
)
from ktviz.cli.console import err, exit_code, report, show_warnings
from ktviz.errors import KtvizError
from ktviz.images import check_names

app = typer.Typer(
    name="ktviz",
    help="Translate photographs with a knowledge library, and say which sources painted them.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("demo")(demo.demo)
app.command("translate")(translate.translate)
app.command("audit")(audit.audit)
app.command("compare-systems")(compare_systems.compare_systems)
app.command("verify")(verify.verify)
app.command("rerun")(rerun.rerun)
app.command("exhibition")(exhibition.exhibition)
app.command("keygen")(keygen.keygen)
app.command("credentials")(credentials.credentials)
app.add_typer(library.app, name="library")
app.command("systems")(systems.systems)
app.command("lab")(lab.lab)
app.command("workbench")(workbench.workbench)
app.command("train")(train.train)
app.command("doctor")(doctor.doctor)
app.command("error")(error.error)


def show_version(wanted: bool) -> None:
    if wanted:
        print(f"ktviz {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Translate photographs with a knowledge library, and say which sources painted them."""


def interrupt(number: int, frame: FrameType | None) -> NoReturn:
    """Stop in order; a second Ctrl-C stops at once (files appear by rename, locks go with the process)."""
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    err.print("\nInterrupted. What was written by then is kept: run the same command again (train: with --resume).")
    sys.exit(130)


def main() -> None:
    """Run the command line; errors a user can act on end in a message and an exit code, not in a traceback."""
    signal.signal(signal.SIGINT, interrupt)
    process.prepare()
    standard.prepare()
    show_warnings()
    try:
        try:
            check_names(map(Path, sys.argv[1:]))
            app()
        finally:
            sys.stdout.flush()  # a full disk is found while there are words for it
    except KtvizError as error:
        report(error)
        sys.exit(exit_code(error))
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] in ("ktviz", ""):
            raise
        remedy = "Install all of ktviz: pip uninstall ktviz-read, then pip install ktviz"
        report(KtvizError("this command", f"{error.name} is not installed", remedy))
        sys.exit(1)
