"""Content credentials on the command line: `translate --c2pa` writes them, `ktviz credentials` reads them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ktviz.cli.console import Json, err, escape, out, print_json, print_shares
from ktviz.cli.streams import DASH
from ktviz.errors import SettingError

if TYPE_CHECKING:
    from ktviz.trace.trace import Trace

C2pa = Annotated[
    tuple[Path, Path] | None,
    typer.Option(
        "--c2pa",
        metavar="CERTIFICATE KEY",
        help="Let the output carry a signed claim of the works that it was made of (C2PA).",
    ),
]
Pair = tuple[Path, Path]


def check(output: Path, pair: Pair) -> None:
    """Refuse what cannot be signed, before the work begins."""
    from ktviz.audit.certificates import read_pair
    from ktviz.audit.credentials import FORMATS, library

    if output == DASH or (output.suffix and output.suffix.lower() not in FORMATS):
        ends = ", ".join(FORMATS)
        raise SettingError(f"--c2pa with {str(output)!r}", "no kind of file that holds claims", f"Name one of {ends}")
    library()
    read_pair(*pair)


def write(path: Path, trace: Trace, pair: Pair) -> None:
    """An output with its claim."""
    from ktviz.audit.credentials import write_credentials

    write_credentials(path, trace, *pair)


def credentials(
    picture: Annotated[Path, typer.Argument(metavar="PICTURE", help="What `ktviz translate --c2pa` wrote.")],
    as_json: Json = False,
) -> None:
    """Read which works a picture says that it was made of. Exit code 0 if it is as it was signed, else 1."""
    from ktviz.audit.credentials import read_credentials

    found = read_credentials(picture)
    if as_json:
        works = found.works.to_dict("records")
        said = {"state": found.state, "remarks": list(found.remarks), "signer": found.signer, "works": works}
        print_json({**said, "about": dict(found.about)})
    else:
        changed = found.state == "Invalid"
        title = f"{picture.name} (INVALID: it was changed since it was signed)" if changed else picture.name
        print_shares(found.works.assign(retrievals=1), title, found.about["lacking"], to=out)
        err.print(f"{found.state}, signed by {escape(found.signer)}; {', '.join(found.remarks)}", soft_wrap=True)
    if found.state == "Invalid":
        raise typer.Exit(1)
