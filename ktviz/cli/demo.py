"""`ktviz demo`: the main job on the sample data, from images to pictures, figures and shares."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ktviz.cli.console import Quiet, print_shares, say
from ktviz.cli.demos.pictures import EXPLORER
from ktviz.cli.demos.registry import DEMOS
from ktviz.cli.making.registry import DEFAULT
from ktviz.errors import MissingWeightsError, SettingError
from ktviz.files import replacing

if TYPE_CHECKING:
    from ktviz.cli.demos.pictures import Made

FOLDER = Path("ktviz-demo")


def demo(
    system: Annotated[
        str | None, typer.Option("--system", metavar="NAME", help=f"Whose demo: {' or '.join(DEMOS)}. [{DEFAULT}]")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Those of all systems, and one page of them.")] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FOLDER",
            help=f"Where the pictures go. [{FOLDER}; of other systems than {DEFAULT}, a folder in it]",
        ),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Show what a system does with the sample data: pictures, figures, and which sources painted them."""
    if every:
        if system is not None:
            raise SettingError("a demo of all systems", f"--system {system}", "Give one of both")
        show_all(FOLDER if output is None else output, quiet)
        return
    name = DEFAULT if system is None else known(system)
    if output is None:
        output = FOLDER if name == DEFAULT else FOLDER / name
    made = run(name, output, quiet)
    if not quiet:
        for one in made:
            print_shares(one.shares, one.file, one.lacking)
        say("")
        say(f"Pictures, backtracking figures and sources.csv are in {output}")
        say(f"Explore one of them: open {output / EXPLORER} in a browser")


def known(system: str) -> str:
    """The name of a system that has a demo.

    Raises:
        UnknownNameError: There is no such system.
        SettingError: It has no demo.
    """
    from ktviz.systems.registry import system_class

    system_class(system)  # refuses unknown names
    if system not in DEMOS:
        raise SettingError(f"a demo of {system}", "it has none", f"There are demos of {' and '.join(DEMOS)}")
    return system


def run(system: str, output: Path, quiet: bool) -> list[Made]:
    """Make a demo and the table of its sources; returns its outputs."""
    import pandas as pd

    made = list(DEMOS[system].run(output, quiet))
    tables = [one.shares.assign(output=one.file)[["output", *one.shares.columns]] for one in made]
    shares = pd.concat(tables, ignore_index=True)
    with replacing(output / "sources.csv") as path:
        shares.to_csv(path, index=False, float_format="%.9g")
    return made


def show_all(output: Path, quiet: bool) -> None:
    """Make every demo in a folder of its own, and a page of all; what lacks its weights is named there."""
    from ktviz.cli.demos.page import PAGE, page

    made: dict[str, list[Made]] = {}
    away: dict[str, str] = {}
    for system in DEMOS:
        try:
            made[system] = run(system, output / system, quiet)
        except MissingWeightsError as error:
            away[system] = f"{error.found}. {error.todo}"
    with replacing(output / PAGE) as path:
        path.write_text(page(output, made, away), encoding="utf-8")
    if not quiet:
        for system, why in away.items():
            say(f"{system} is left out: {why}.")
        say(f"All of them side by side: open {output / PAGE} in a browser")
