"""`ktviz rerun`: does a run give the same digest again?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ktviz.cli.console import Json, Quiet, err, escape, out, print_json

ROUNDED = "It was made elsewhere, and rounding may be why (docs/exactness.md):"


def rerun(
    path: Annotated[Path, typer.Argument(metavar="TRACE|AUDIT", help="A saved trace, or what `ktviz audit` wrote.")],
    library: Annotated[
        Path | None,
        typer.Option("--library", "-l", metavar="LIB.ktlib", help="The knowledge library, where it names one."),
    ] = None,
    photo: Annotated[Path | None, typer.Option(help="The photograph, where the trace was saved without it.")] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Make a run again: the same digest, or what differs first. Exit code 0 if it is the same, else 1."""
    from ktviz.audit.rerun import rerun as again
    from ktviz.images import read_image

    found = again(path, library, photo=None if photo is None else read_image(photo))
    if as_json:
        digests = {"recorded": found.recorded, "found": found.found}
        print_json({"same": found.same, **digests, "differs": found.difference, "elsewhere": found.elsewhere})
    elif found.same and not quiet:
        out.print(f"[green]the same digest[/]  {found.found}", soft_wrap=True)
    if not found.same:
        if not as_json:
            err.print(f"[bold red]differs[/] {escape(found.difference)}", soft_wrap=True)
            if found.elsewhere:
                err.print(f"{ROUNDED} {escape(found.elsewhere)}", soft_wrap=True)
        raise typer.Exit(1)
