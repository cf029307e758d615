"""What the commands share: where they print, the options they all have, and the exit codes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import rich.markup
import typer
from rich.console import Console
from rich.table import Table

from ktviz.errors import (
    AuditError,
    CreditsError,
    ImageError,
    KtvizError,
    LessonError,
    LibraryBusyError,
    LibraryError,
    MismatchError,
    SettingError,
    StorageError,
    TraceError,
    TrainingError,
    UnknownNameError,
    WeightsError,
)

if TYPE_CHECKING:
    import pandas as pd

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]

EXIT_CODES: tuple[tuple[type[KtvizError], int], ...] = (
    (SettingError, 2),
    (UnknownNameError, 3),
    (ImageError, 4),
    (CreditsError, 4),
    (LibraryBusyError, 6),
    (LibraryError, 5),
    (WeightsError, 7),
    (StorageError, 8),
    (TrainingError, 9),
    (TraceError, 10),
    (MismatchError, 11),
    (AuditError, 12),
    (LessonError, 13),
)
"""1 an audit that is not true, 2 usage, 3 unknown name, 4 unusable input, 5 library, 6 library busy, 7 weights, 8 disk,
9 training, 10 trace, 11 results that do not belong together, 12 audit, 13 lessons, 130 Ctrl-C."""


def exit_code(error: KtvizError) -> int:
    """The process's exit code for an error."""
    return next((code for kind, code in EXIT_CODES if isinstance(error, kind)), 1)


def report(error: KtvizError) -> None:
    """Print an error on three lines: asked, found, to do."""
    for head, text in (
        ("[bold red]error[/]", error.asked),
        ("      found:", error.found),
        ("      to do:", error.todo),
    ):
        err.print(f"{head} {escape(text)}", soft_wrap=True)


def escape(text: str) -> str:
    """Text that rich prints as it is."""
    return rich.markup.escape(text)


def print_json(value: Any) -> None:
    """JSON on standard output, not coloured or wrapped."""
    print(json.dumps(value, indent=1))


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[str] = ()) -> Table:
    """A table for the terminal; the columns in `numbers` are right-aligned."""
    grid = Table(title=escape(title), title_justify="left", title_style="bold", box=None, pad_edge=False)
    for column in columns:
        justify: Literal["left", "right"] = "right" if column in numbers else "left"
        # Names are there to be copied: other columns give way.
        grid.add_column(column, justify=justify, overflow="fold", no_wrap=column in ("source", "bank"))
    for row in rows:
        grid.add_row(*(escape(cell) for cell in row))
    return grid


def print_shares(shares: pd.DataFrame, title: str, rows: int = 8) -> None:
    """Who painted an output: the largest shares, the rest in one line. `shares` as made by `source_shares`."""
    shares = shares[shares["patches"] > 0]
    columns = ["source", "title", "creator", "licence"]
    records = shares.head(rows).to_dict("records")
    cells = [[f"{record['share']:.1%}", *(str(record[column]) for column in columns)] for record in records]
    if len(shares) > rows:
        cells.append([f"{shares['share'][rows:].sum():.1%}", f"{len(shares) - rows} more", "", "", ""])
    out.print(table(title, ["share", *columns], cells, numbers=["share"]))
