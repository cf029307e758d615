"""`ktviz verify`: is an audit true?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ktviz.cli.console import Json, Quiet, err, escape, out, print_json
from ktviz.errors import SettingError


def verify(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="What `ktviz audit` wrote.")],
    library: Annotated[
        Path | None,
        typer.Option("--library", "-l", metavar="LIB.ktlib", help="The knowledge library, where the audit names one."),
    ] = None,
    sources: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="The original files of the works, to be checked, too.")
    ] = None,
    removed: Annotated[
        str | None, typer.Option(metavar="SOURCE", help="Prove instead that this source has left the library.")
    ] = None,
    sha256: Annotated[str | None, typer.Option(metavar="HEX", help="Of manifest.json, as it was noted before.")] = None,
    key: Annotated[
        Path | None, typer.Option(metavar="KEY.pub", help="The public key of who must have signed it.")
    ] = None,
    files: Annotated[
        bool, typer.Option("--files", help="Check files, digests and signature alone: nothing is made again.")
    ] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Make an audit's findings again, compare, and name the first difference. Exit code 0 if there is none, else 1."""
    if files and (library or sources or removed):
        found = "what needs a library, or the original files"
        raise SettingError("--files", found, "Leave out --library, --sources and --removed")
    if files:
        from ktviz.audit.verdict import verify_files

        verdict = verify_files(folder, sha256=sha256, key=key)
    elif removed is None:
        from ktviz.audit import verify as checks

        verdict = checks.verify(folder, library, sources=sources, sha256=sha256, key=key)
    elif library is None:
        raise SettingError("prove a removal", "no --library", "Name the library it was removed from")
    else:
        from ktviz.audit import removal

        verdict = removal.verify_removal(folder, library, removed, sha256=sha256, key=key)
    if as_json:
        print_json({"ok": verdict.ok, "checks": verdict.checks, "difference": verdict.difference})
    elif verdict.ok and not quiet:
        for check in verdict.checks:
            out.print(f"[green]agrees[/]  {escape(check)}", soft_wrap=True)
        if files:
            out.print("[yellow]open[/]    whether what it says is true: nothing was made again", soft_wrap=True)
    if not verdict.ok:
        if not as_json:
            err.print(f"[bold red]differs[/] {escape(verdict.difference)}", soft_wrap=True)
        raise typer.Exit(1)
