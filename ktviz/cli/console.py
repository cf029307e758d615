"""What the commands share: where they print, the options they all have, and the exit codes."""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import rich.markup
import typer
from rich.console import Console
from rich.table import Table

from ktviz.errors import (
    AuditError,
    ClusterError,
    CreditsError,
    ImageError,
    ImageWarning,
    KtvizError,
    LabelError,
    LessonError,
    LibraryBusyError,
    LibraryError,
    MismatchError,
    RegionError,
    SettingError,
    SigningError,
    SourceWarning,
    StorageError,
    TraceError,
    TrainingError,
    UnknownNameError,
    WeightsError,
)
from ktviz.images import summary
from ktviz.licences import readable
from ktviz.printing import visible

if TYPE_CHECKING:
    import pandas as pd

WIDE = 100_000
"""Columns of a stream that is no terminal: programs want each thing on one line, paths above all."""
out = Console(highlight=False, width=None if sys.stdout and sys.stdout.isatty() else WIDE)
err = Console(stderr=True, highlight=False, width=None if sys.stderr and sys.stderr.isatty() else WIDE)
LINE = "\n  "
"""Before each of several things in a message."""

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]

EXIT_CODES: tuple[tuple[type[KtvizError], int], ...] = (
    (SettingError, 2),
    (RegionError, 2),
    (UnknownNameError, 3),
    (ImageError, 4),
    (LabelError, 4),
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
    (SigningError, 14),
    (ClusterError, 15),
)
"""1 an audit that is not true, 2 usage, 3 unknown name, 4 unusable input, 5 library, 6 library busy, 7 weights, 8 disk,
9 training, 10 trace, 11 results that do not belong together, 12 audit, 13 lessons, 14 signing keys, 15 clusters,
130 Ctrl-C."""


def error_as_json(error: KtvizError) -> dict[str, Any]:
    """An error for programs."""
    said = {"asked": error.asked, "found": error.found, "todo": error.todo}
    return {**said, "code": exit_code(error), "class": type(error).__name__, "page": error.page}


def exit_code(error: KtvizError) -> int:
    """The process's exit code for an error."""
    return next((code for kind, code in EXIT_CODES if isinstance(error, kind)), 1)


def report(error: KtvizError) -> None:
    """Print an error on four lines: asked, found, to do, and the command that says more."""
    for head, text in (
        ("[bold red]error[/]", error.asked),
        ("      found:", error.found),
        ("      to do:", error.todo),
        ("       more:", error.page),
    ):
        err.print(f"{head} {escape_lines(text)}", soft_wrap=True)


@contextmanager
def warned(kind: type[Warning], quiet: bool) -> Iterator[None]:
    """Every warning of a kind is shown, also one that was before; none if quiet."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore" if quiet else "always", kind)
        yield


def show_warnings() -> None:
    """From now on, warnings about pictures and sources are messages, and not lines of code."""
    show = warnings.showwarning

    def showwarning(message: Warning | str, category: type[Warning], *where: Any, **options: Any) -> None:
        if issubclass(category, (ImageWarning, SourceWarning)):
            err.print(f"[bold yellow]warning[/] {escape_lines(str(message))}", soft_wrap=True)
        else:
            show(message, category, *where, **options)

    warnings.showwarning = showwarning


def print_passed_over(passed_over: Mapping[Path, str]) -> None:
    """How many files of a folder were passed over and why, the first of them by name."""
    for line in summary(passed_over):
        say(f"passed over {line}")


def escape(text: str) -> str:
    """Text from elsewhere that rich prints as it is, and a terminal, too."""
    return rich.markup.escape(visible(text))


def escape_lines(message: str) -> str:
    """A message that may list things on lines of their own, which are indented; other line breaks are a name's."""
    return LINE.join(map(escape, message.split(LINE)))


def print_json(value: Any) -> None:
    """JSON on standard output, in ASCII, not coloured or wrapped."""
    print(json.dumps(value, indent=1, allow_nan=False))


def say(text: str, to: Console = out) -> None:
    """A line of text as it is: a path stays in one piece, and its brackets are no markup."""
    to.print(visible(text), markup=False, soft_wrap=True)


def print_table(
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    numbers: Sequence[str] = (),
    to: Console = out,
) -> None:
    """A table for the terminal; the columns in `numbers` are right-aligned."""
    grid = Table(box=None, pad_edge=False)
    for column in columns:
        justify: Literal["left", "right"] = "right" if column in numbers else "left"
        # Names are there to be copied: other columns give way.
        grid.add_column(column, justify=justify, overflow="fold", no_wrap=column in ("source", "bank"))
    for row in rows:
        grid.add_row(*(escape(cell) for cell in row))
    if title:
        to.print(f"[bold]{escape(title)}[/]", soft_wrap=True)
    to.print(grid)


def shares_as_json(shares: pd.DataFrame) -> list[dict[str, Any]]:
    """The sources that painted something, largest share first; programs may know `retrievals` as `patches`."""
    painted = shares[shares["retrievals"] > 0].assign(patches=shares["retrievals"]).to_dict("records")
    return [{str(name): None if value != value else value for name, value in row.items()} for row in painted]


def print_shares(
    shares: pd.DataFrame, title: str, lacking: Mapping[str, float] | None = None, rows: int = 8, to: Console = out
) -> None:
    """Who painted an output: the largest shares, the rest in one line, and what they lack to 1.

    Args:
        shares: As of `trace.sources()`.
        title: Above the table.
        lacking: As of `lacking_by_class`; None where nobody knows why.
        rows: That are printed.
        to: Where.
    """
    from ktviz.trace.shares import LEAST, NOT_RECORDED, NOTHING

    shares = shares[shares["retrievals"] > 0]
    columns = ["source", "title", "creator", "licence"]
    records = shares.head(rows).to_dict("records")
    records = [{**record, "licence": readable(str(record["licence"]))} for record in records]
    cells = [[f"{record['share']:.1%}", *(str(record[column]) for column in columns)] for record in records]
    if len(shares) > rows:
        cells.append([f"{shares['share'][rows:].sum():.1%}", f"{len(shares) - rows} more", "", "", ""])
    if lacking is None:
        left_over = 1 - float(shares["share"].sum())
        lacking = {f"{NOTHING}, or {NOT_RECORDED}": left_over} if left_over >= LEAST else {}
    cells += [[f"{part:.1%}", why, "", "", ""] for why, part in lacking.items()]
    print_table(f"{title}, shares by overlap", ["share", *columns], cells, numbers=["share"], to=to)
