"""`ktviz error`: what an error means."""

from __future__ import annotations

from typing import Annotated

import typer


def error(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As a message has it, such as StorageError.")],
) -> None:
    """Say what an error means: how it shows, where it comes from, and what to do."""
    from ktviz.help.pages import error_page

    typer.echo(error_page(name).replace("**", ""))
