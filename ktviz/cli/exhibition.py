"""`ktviz exhibition`: whose work fills all pictures of a store?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from ktviz.cli.console import Quiet, say


def exhibition(
    store: Annotated[Path, typer.Argument(metavar="STORE", help="A folder that `--store` filled.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="PAGE.html", help="The page.")],
    by: Annotated[Literal["creator", "licence", "bank", "year"], typer.Option(help="Who is counted.")] = "creator",
    title: Annotated[str, typer.Option(help="Of the page.")] = "Whose work fills these pictures?",
    overwrite: Annotated[bool, typer.Option(help="Replace a page that exists.")] = False,
    quiet: Quiet = False,
) -> None:
    """Write a page about all outputs of a store: who gave how much in all, and to each, with pictures."""
    from ktviz.audit.exhibition import write_exhibition
    from ktviz.errors import MissingTraceError
    from ktviz.trace.store import TraceStore

    if not store.is_dir():
        raise MissingTraceError(f"a store of traces {str(store)!r}", "no such folder", "Check the path")
    path = write_exhibition(TraceStore(store), output, by=by, title=title, overwrite=overwrite)
    if not quiet:
        say(f"written: {path}")
