"""`ktviz audit`: which works made a picture, as a folder that somebody else can verify."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ktviz.cli.console import Json, Quiet, print_json, print_shares, say, shares_as_json
from ktviz.cli.keygen import unlocked
from ktviz.cli.large import Memory, Side
from ktviz.cli.making.given import Given, Maker
from ktviz.cli.making.options import (
    Again,
    Alpha,
    Amount,
    AttributesOf,
    Banks,
    Choice,
    Code,
    Exemplar,
    Has,
    Instances,
    LibraryPath,
    Mix,
    Mode,
    Nearest,
    Preset,
    Reference,
    ReferenceInstances,
    ReferenceLabels,
    Row,
    Seed,
    Strength,
    SystemOption,
    To,
    Transfer,
    Want,
    Without,
)
from ktviz.cli.making.registry import DEFAULT, maker
from ktviz.cli.streams import DASH, name_of
from ktviz.errors import SettingError
from ktviz.memory import as_bytes

if TYPE_CHECKING:
    from securesystemslib.signer import CryptoSigner

    from ktviz.audit.audit import Audit
    from ktviz.systems.protocol import System
    from ktviz.trace.trace import Trace


def audit(
    photo: Annotated[
        Path,
        typer.Argument(
            metavar="PHOTO|LABELS|TRACE",
            help="A photograph, or a label map where these are taken; - for standard input; or a trace (.parquet).",
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FOLDER", help="A new folder for the audit.")],
    library: LibraryPath = None,
    bank: Banks = None,
    system: SystemOption = DEFAULT,
    reference: Reference = None,
    reference_labels: ReferenceLabels = None,
    reference_instances: ReferenceInstances = None,
    exemplar: Exemplar = None,
    instances: Instances = None,
    choice: Choice = None,
    to: To = None,
    code: Code = None,
    nearest: Nearest = None,
    mix: Mix = None,
    has: Has = None,
    want: Want = None,
    attributes: AttributesOf = None,
    mode: Mode = None,
    alpha: Alpha = None,
    amount: Amount = None,
    row: Row = None,
    seed: Seed = None,
    title: Annotated[str, typer.Option(help="Of the report. [photo and banks]")] = "",
    top: Annotated[int, typer.Option(min=0, help="Sources without which the photo is translated again.")] = 5,
    sample: Annotated[int, typer.Option(min=1, help="Retrievals compared with the exact search.")] = 500,
    preset: Preset = None,
    transfer: Transfer = None,
    strength: Strength = None,
    without: Without = None,
    again: Again = None,
    side: Side = None,
    memory: Memory = None,
    sign: Annotated[Path | None, typer.Option(metavar="KEY", help="Sign with a key of `ktviz keygen`.")] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace a folder that exists.")] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Translate a photograph (or take a saved trace) and report which works made the picture, with proof."""
    from ktviz.audit.audit import Audit, title_of
    from ktviz.audit.folder import check_target
    from ktviz.audit.sign import sign as sign_folder
    from ktviz.trace.shares import lacking_by_class

    if output == DASH:
        raise SettingError("- as output", "an audit is a folder", "Name a new folder")
    check_target(output, overwrite)
    signer = None if sign is None else unlocked(sign)
    options = {
        "reference": reference,
        "reference_labels": reference_labels,
        "reference_instances": reference_instances,
        "exemplar": exemplar,
        "instances": instances,
        "choice": choice,
        "to": to,
        "code": code,
        "nearest": nearest,
        "mix": mix or None,
        "has": has or None,
        "want": want or None,
        "attributes": attributes,
        "mode": mode,
        "alpha": alpha,
        "amount": amount,
        "row": row,
        "seed": seed,
        "preset": preset,
        "transfer": transfer,
        "strength": strength,
        "without": without or None,
        "again": again,
        "side": side,
    }
    if photo.suffix == ".parquet":
        check_alone(photo, {"bank": bank or None, **options})
        trace, model = saved(photo, library)
        if memory is not None:
            set_memory(model, memory)
    else:
        silent = quiet or as_json
        made = maker(Given(system, library, bank, {**options, "memory": memory}, quiet=silent))
        trace, model = recorded(photo, made, silent), made.system
    title = title or f"{name_of(photo)}, {title_of(trace)}"
    found = Audit.create(trace, title=title, top=top, sample=sample, model=model)
    found.save(output, overwrite=overwrite)
    if signer is not None:
        sign_folder(output, signer)
    if as_json:
        print_json(as_dict(found, output, signer))
    elif not quiet:
        caveat = f" ({found.trace.caveat})" if found.trace.caveat else ""
        title = f"{photo.name} → {output}{caveat}"
        print_shares(found.tables["sources"], title, lacking_by_class(found.trace))
        pieces, copies = (len(found.tables[name]) for name in ("pieces", "copies"))
        if signer is not None:
            say(f"signed by key id {signer.public_key.keyid}")
        say(f"parts taken in one piece: {pieces}; copies, pixel by pixel: {copies}; open {output / 'report.html'}")


def as_dict(made: Audit, folder: Path, signer: CryptoSigner | None) -> dict[str, Any]:
    """An audit for programs; see docs/command-line.md."""
    from ktviz.audit.folder import MANIFEST, REPORT
    from ktviz.images import file_digest
    from ktviz.trace.shares import lacking_by_class

    return {
        "audit": str(folder),
        "report": str(folder / REPORT),
        "title": made.title,
        "manifest_sha256": file_digest(folder / MANIFEST),
        "signed_by": None if signer is None else signer.public_key.keyid,
        "trace": made.trace.digest,
        "pieces": len(made.tables["pieces"]),
        "copies": len(made.tables["copies"]),
        "sources": shares_as_json(made.tables["sources"]),
        "lacking": lacking_by_class(made.trace),
        "causal": not made.trace.caveat,
    }


def check_alone(trace: Path, given: Mapping[str, Any]) -> None:
    """Raise SettingError where something was given beside a saved trace that the trace says itself."""
    named = ", ".join(f"--{name.replace('_', '-')}" for name, value in given.items() if value is not None)
    if named:
        raise SettingError(
            f"audit the trace {trace.name}", f"{named} given", "A trace says how it was made; leave it out"
        )


def recorded(photo: Path, made: Maker, quiet: bool) -> Trace:
    """Make the picture and record it."""
    made.check(photo, photo.name)
    read = made.read(photo, photo.name)
    if not quiet:
        made.announce(read)
    return made.record(read)


def set_memory(system: System, memory: str) -> None:
    """Bound the memory of a system that can be bound."""
    if not hasattr(system, "memory"):
        raise SettingError(f"audit a trace of {system.name}", "--memory given", "It takes what it needs; leave it out")
    system.memory = as_bytes(memory)


def saved(path: Path, library: Path | None) -> tuple[Trace, System]:
    """A trace from a file, and the system it was made with."""
    from ktviz.audit.verify import system_for
    from ktviz.library.library import Library
    from ktviz.trace.trace import Trace

    trace = Trace.open(path)
    return trace, system_for(trace, None if library is None else Library.open(library))
