"""`ktviz audit`: which works made a picture, as a folder that somebody else can verify."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ktviz.cli.console import (
    Json,
    Quiet,
    error_as_json,
    exit_code,
    print_json,
    print_passed_over,
    print_shares,
    report,
    say,
    shares_as_json,
)
from ktviz.cli.engines import THREADS, EngineOption, Scheduler, engine_of
from ktviz.cli.keygen import unlocked
from ktviz.cli.large import Memory, Side
from ktviz.cli.making.given import Given
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
    StoreAt,
    Strength,
    SystemOption,
    To,
    Transfer,
    Want,
    Without,
)
from ktviz.cli.making.registry import DEFAULT
from ktviz.cli.photos import Recording, checked, recorded
from ktviz.cli.streams import DASH, from_stdin
from ktviz.cli.translate import apart
from ktviz.errors import KtvizError, SettingError
from ktviz.images import find_images
from ktviz.memory import as_bytes

if TYPE_CHECKING:
    from securesystemslib.signer import CryptoSigner

    from ktviz.audit.audit import Audit
    from ktviz.systems.protocol import System
    from ktviz.trace.trace import Trace


def audit(
    photos: Annotated[
        list[Path],
        typer.Argument(
            metavar="PHOTO|LABELS|TRACE...",
            help="A photograph, or a label map where these are taken; - for standard input; or a trace (.parquet). "
            "Several, or a folder of them, for an audit of each.",
        ),
    ],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="FOLDER", help="A new folder for the audit, or for one audit of each."),
    ],
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
    store: StoreAt = None,
    engine: EngineOption = THREADS,
    scheduler: Scheduler = None,
    side: Side = None,
    memory: Memory = None,
    sign: Annotated[Path | None, typer.Option(metavar="KEY", help="Sign with a key of `ktviz keygen`.")] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace a folder that exists.")] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Translate photographs (or take a saved trace) and report which works made each picture, with proof."""
    from ktviz.audit.folder import check_target
    from ktviz.audit.sign import sign as sign_folder
    from ktviz.trace.store import TraceStore

    if output == DASH:
        raise SettingError("- as output", "an audit is a folder", "Name a new folder")
    silent = quiet or as_json
    several = len(photos) > 1 or photos[0].is_dir()
    planned = folders(photos, output, silent) if several else {photos[0]: (photos[0].name, output)}
    for _, folder in planned.values():
        check_target(folder, overwrite)
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
    asking = Asking(title, top, sample)
    failures: list[KtvizError] = []
    done: dict[Path, dict[str, Any]] = {}
    recording = Recording(Given(system, library, bank, {**options, "memory": memory}, quiet=silent), asking)
    of_trace = photos[0].suffix == ".parquet" and not several
    if of_trace:
        elsewhere = {"engine": None if engine == THREADS else engine, "scheduler": scheduler}
        check_alone(photos[0], {"bank": bank or None, **options, **elsewhere})
        to_record = None
    else:
        to_record = checked(recording, {photo: name for photo, (name, _) in planned.items()})
    kept_in = None if store is None else TraceStore(store)
    with engine_of(engine, scheduler, None, silent) as working:
        if to_record is None:
            trace, model = saved(photos[0], library)
            if memory is not None:
                set_memory(model, memory)
            audits: Iterable[tuple[Path, Any]] = [(photos[0], asking(trace, model, photos[0].stem))]
        else:
            audits = recorded(recording, to_record, working, "auditing", silent)
        for photo, found in audits:
            folder = planned[photo][1]
            if isinstance(found, KtvizError):
                if not several:
                    raise found
                report(found)
                failures.append(found)
                done[photo] = {"audit": None, "photo": str(photo), "error": error_as_json(found)}
                continue
            found.save(folder, overwrite=overwrite)
            if signer is not None:
                sign_folder(folder, signer)
            trace = found.evidence.recording
            stored = None if kept_in is None else kept_in.append(trace, overwrite=True, pictures="both")
            done[photo] = {**as_dict(found, folder, signer), "photo": str(photo), "stored": stored, "error": None}
            if not silent:
                tell(photo, found, folder, signer)
    if as_json:
        print_json({"audits": [done[photo] for photo in planned]} if several else done[photos[0]])
    if failures:
        raise typer.Exit(exit_code(failures[0]))


@dataclass(frozen=True)
class Asking:
    """What is asked of a trace for an audit: how it is titled, and how much is done."""

    title: str
    top: int
    sample: int

    def __call__(self, trace: Trace, system: System, name: str) -> Audit:
        """The audit, with its tables and pictures."""
        from ktviz.audit.audit import Audit, title_of

        title = self.title or f"{name}, {title_of(trace)}"
        audit = Audit.create(trace, title=title, top=self.top, sample=self.sample, model=system)
        _ = audit.tables, audit.pictures  # here, where the work is done
        return audit


def folders(photos: list[Path], output: Path, quiet: bool) -> dict[Path, tuple[str, Path]]:
    """Of several photographs: by path the name below the folder that was given, and where the audit goes.

    Raises:
        SettingError: Standard input or a trace is among them, or two of one name.
        ImageError: As in `find_images`.
    """
    from_stdin(photos)
    found = find_images(photos)
    planned: dict[Path, tuple[str, Path]] = {}
    photo_of: dict[Path, Path] = {}
    names, earlier = apart(found.names, set(photos), output)
    if not quiet:
        print_passed_over(found.passed_over)
        print_passed_over(dict.fromkeys(earlier, f"they lie in {output}, where audits go"))
    for photo, name in names.items():
        if photo.suffix == ".parquet":
            raise SettingError(f"audit the trace {photo.name}", "other files beside it", "Audit each trace alone")
        folder = output / Path(name).with_suffix("")
        other = photo_of.setdefault(folder, photo)
        if other != photo:
            both = f"{str(other)!r} and {str(photo)!r} would both become it"
            raise SettingError(f"write {str(folder)!r}", both, "Rename one, or audit them into two folders")
        planned[photo] = name, folder
    for folder in photo_of:
        if around := next((other for other in folder.parents if other in photo_of), None):
            both = f"it lies in {str(around)!r}, where the audit of {str(photo_of[around])!r} goes"
            raise SettingError(f"write {str(folder)!r}", both, "Rename one, or audit them into two folders")
    return planned


def tell(photo: Path, found: Audit, folder: Path, signer: CryptoSigner | None) -> None:
    """Print what an audit found."""
    from ktviz.trace.shares import lacking_by_class

    caveat = f" ({found.trace.caveat})" if found.trace.caveat else ""
    print_shares(found.tables["sources"], f"{photo.name} → {folder}{caveat}", lacking_by_class(found.trace))
    pieces, copies = (len(found.tables[name]) for name in ("pieces", "copies"))
    if signer is not None:
        say(f"signed by key id {signer.public_key.keyid}")
    say(f"parts taken in one piece: {pieces}; copies, pixel by pixel: {copies}; open {folder / 'report.html'}")


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
