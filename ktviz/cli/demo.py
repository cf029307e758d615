"""`ktviz demo`: the main job on the sample data, from images to pictures, figures and shares."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ktviz.cli.console import Quiet, print_shares, say
from ktviz.cli.demos.pictures import EXPLORER
from ktviz.cli.demos.registry import DEMOS
from ktviz.cli.making.registry import DEFAULT
from ktviz.errors import SettingError
from ktviz.files import replacing

FOLDER = Path("ktviz-demo")


def demo(
    system: Annotated[
        str, typer.Option("--system", metavar="NAME", help=f"Whose demo: {' or '.join(DEMOS)}.")
    ] = DEFAULT,
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
    import pandas as pd

    from ktviz.systems.registry import system_class

    system_class(system)  # refuses unknown names
    if system not in DEMOS:
        raise SettingError(f"a demo of {system}", "it has none", f"There are demos of {' and '.join(DEMOS)}")
    if output is None:
        output = FOLDER if system == DEFAULT else FOLDER / system
    made = list(DEMOS[system](output, quiet))
    tables = [one.shares.assign(output=one.file)[["output", *one.shares.columns]] for one in made]
    shares = pd.concat(tables, ignore_index=True)
    with replacing(output / "sources.csv") as path:
        shares.to_csv(path, index=False, float_format="%.9g")
    if not quiet:
        for one in made:
            print_shares(one.shares, one.file, one.lacking)
        say("")
        say(f"Pictures, backtracking figures and sources.csv are in {output}")
        say(f"Explore one of them: open {output / EXPLORER} in a browser")
