"""`ktviz translate`: photographs or label maps in, pictures out, with the share of each source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ktviz.cli import credentials
from ktviz.cli.console import (
    Json,
    Quiet,
    err,
    error_as_json,
    exit_code,
    out,
    print_json,
    print_passed_over,
    print_shares,
    report,
    shares_as_json,
)
from ktviz.cli.credentials import C2pa
from ktviz.cli.engines import THREADS, EngineOption, Scheduler, engine_of
from ktviz.cli.large import Memory, Side
from ktviz.cli.making.given import Given
from ktviz.cli.making.options import (
    Again,
    Align,
    Alpha,
    Amount,
    AttributesOf,
    Banks,
    Choice,
    Code,
    Coherence,
    Exemplar,
    Has,
    Instances,
    Inversion,
    LibraryPath,
    MaxGain,
    Mix,
    Mode,
    Nearest,
    Preset,
    Reference,
    ReferenceInstances,
    ReferenceLabels,
    Refine,
    Row,
    Seed,
    StoreAt,
    Strength,
    SystemOption,
    To,
    Tone,
    Transfer,
    Want,
    Without,
)
from ktviz.cli.making.registry import DEFAULT, making
from ktviz.cli.photos import Recording, as_it_is, checked, recorded
from ktviz.cli.streams import DASH, STDIN, from_stdin, write_photo
from ktviz.errors import KtvizError, SettingError
from ktviz.files import check_writable
from ktviz.images import Pixels, check_names, find_images

if TYPE_CHECKING:
    from ktviz.trace.trace import Trace

OUTPUT = "output"
PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp")


def translate(
    photos: Annotated[
        list[Path],
        typer.Argument(
            metavar="PHOTO|LABELS...",
            help="Photographs, or label maps where the system takes these; folders of them, or - for standard input.",
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", metavar="OUT", help="A .png for one photo, else a folder; - for standard output, as PNG."
        ),
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
    preset: Preset = None,
    transfer: Transfer = None,
    strength: Strength = None,
    without: Without = None,
    again: Again = None,
    align: Align = None,
    tone: Tone = None,
    coherence: Coherence = None,
    max_gain: MaxGain = None,
    inversion: Inversion = None,
    refine: Refine = None,
    seed: Seed = None,
    trace: Annotated[
        bool, typer.Option("--trace", help="Keep every retrieval, too, in a .parquet beside OUT.")
    ] = False,
    store: StoreAt = None,
    c2pa: C2pa = None,
    engine: EngineOption = THREADS,
    scheduler: Scheduler = None,
    side: Side = None,
    memory: Memory = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Translate photographs with the knowledge of banks or of a reference, and print what each source contributed."""
    if c2pa:
        credentials.check(output, c2pa)
    if output == DASH and (trace or as_json):
        raise SettingError("- as output", "--json or --trace beside it", "Name a file: standard output holds one thing")
    silent = quiet or as_json
    given = Given(
        system,
        library,
        bank,
        {
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
            "preset": preset,
            "transfer": transfer,
            "strength": strength,
            "without": without or None,
            "again": again,
            "align": align,
            "tone": tone,
            "coherence": coherence,
            "max_gain": max_gain,
            "inversion": inversion,
            "refine": refine,
            "seed": seed,
            "side": side,
            "memory": memory,
        },
        candidates=None if trace or store else 1,  # shares need the winners alone
        quiet=silent,
    )
    planned = inputs(photos, output, making(system).further, reserved(given), silent)
    from ktviz.explain.result import one_site
    from ktviz.trace.shares import lacking_by_class
    from ktviz.trace.store import TraceStore

    recording = Recording(given, as_it_is)
    to_record = checked(recording, {photo: name for photo, (name, _) in planned.items()})
    kept_in = None if store is None else TraceStore(store)
    failures: list[KtvizError] = []
    done: dict[Path, dict[str, Any]] = {}
    with engine_of(engine, scheduler, None, silent) as working:
        for photo, found in recorded(recording, to_record, working, "translating", silent):
            target = planned[photo][1]
            if isinstance(found, KtvizError):  # one bad photo does not cost the others
                report(found)
                failures.append(found)
                done[photo] = as_dict(photo, error=found)
                continue
            for path, pixels in outputs(found, target).items():
                if c2pa and path == target:
                    credentials.write(path, found, c2pa)
                else:
                    write_photo(path, pixels)
            if trace:
                found.save(kept(target), overwrite=True, pictures="both")
            stored = None if kept_in is None else kept_in.append(found, overwrite=True, pictures="both")
            done[photo] = as_dict(photo, target, found, kept(target) if trace else None, stored)
            if not silent:
                title, painter = f"{STDIN if photo == DASH else photo.name} → {target}", one_site(found)
                title += f" ({painter.caveat})" if painter.caveat else ""
                print_shares(painter.sources(), title, lacking_by_class(painter), to=err if target == DASH else out)
    if as_json:
        print_json({"translations": [done[photo] for photo in planned]})
    if failures:
        raise typer.Exit(exit_code(failures[0]))


def outputs(recorded: Trace, target: Path) -> dict[Path, Pixels]:
    """Every output of a run, by the path that it is written to: NAME-back.png for "output:back"."""
    found: dict[Path, Pixels] = {}
    for name, pixels in recorded.picture.canvases.items():
        if name.split(":")[0] == OUTPUT and (target != DASH or name == OUTPUT):
            found[target if name == OUTPUT else beside(target, name.split(":")[1])] = pixels
    return found


def beside(target: Path, name: str) -> Path:
    """Where a further output goes."""
    return target.with_stem(f"{target.stem}-{name}")


def kept(target: Path) -> Path:
    """Where the trace of a translation goes."""
    return target.with_suffix(".parquet")


def as_dict(
    photo: Path,
    target: Path | None = None,
    recorded: Trace | None = None,
    trace: Path | None = None,
    stored: str | None = None,
    error: KtvizError | None = None,
) -> dict[str, Any]:
    """One translation for programs; see docs/command-line.md."""
    from ktviz.explain.result import one_site
    from ktviz.trace.shares import lacking_by_class

    height, width = (None, None) if recorded is None else recorded.picture.size
    return {
        "photo": str(photo),
        "output": None if target is None else str(target),
        "trace": None if trace is None else str(trace),
        "width": width,
        "height": height,
        "retrievals": None if recorded is None else len(recorded),
        "digest": None if recorded is None else recorded.digest,
        "sources": [] if recorded is None else shares_as_json(one_site(recorded).sources()),
        "lacking": {} if recorded is None else lacking_by_class(one_site(recorded)),
        "causal": None if recorded is None else not recorded.caveat,
        "error": None if error is None else error_as_json(error),
        "stored": stored,
    }


def reserved(given: Given) -> dict[Path, str]:
    """Files that nothing may replace besides what is translated, and what they are."""
    files = {name: given[name] for name in ("reference_labels", "reference_instances", "instances") if given[name]}
    if given.reference_file is not None:
        files["reference"] = given.reference_file
    words = {"reference": "the reference", "instances": "the instance map"}
    return {Path(file).resolve(): words.get(name, "a map of the reference") for name, file in files.items()}


def inputs(
    photos: list[Path], output: Path, further: Sequence[str], reserved: Mapping[Path, str], quiet: bool
) -> dict[Path, tuple[str, Path]]:
    """What is translated: by path the name below the folder that was given, and where the translation goes.

    What is passed over is named.
    """
    if from_stdin(photos):
        return {DASH: (STDIN, output_for_stdin(output, further, reserved))}
    found = find_images(photos)
    if output == DASH:
        if len(found.paths) > 1:
            raise SettingError(f"{len(found.paths)} photos into standard output", "it takes one", "Name a folder")
        return {path: (name, DASH) for path, name in found.names.items()}
    names, earlier = apart(found.names, set(photos), output)
    targets = plan(names, output, further, reserved)
    if not quiet:
        print_passed_over(found.passed_over)
        print_passed_over(dict.fromkeys(earlier, f"they lie in {output}, where translations go"))
    return {path: (name, targets[path]) for path, name in names.items()}


def output_for_stdin(output: Path, further: Sequence[str], reserved: Mapping[Path, str]) -> Path:
    """Where the translation of the photo on standard input goes."""
    return DASH if output == DASH else next(iter(plan({Path(STDIN): STDIN}, output, further, reserved).values()))


def apart(names: dict[Path, str], given: set[Path], output: Path) -> tuple[dict[Path, str], list[Path]]:
    """Photos, and what an earlier run may have made of them: all that was found where this one will write.

    That is so only where the output lies in a folder that was given: in `translate photos -o .` nothing is an output.

    Args:
        names: By path, as `find_images` found them.
        given: Paths named outright, which are photos wherever they lie.
        output: Where translations go.

    Raises:
        SettingError: There are no others.
    """
    goal = output.resolve()
    inside = [folder for folder in given if folder.resolve() in (goal, *goal.parents)]
    earlier = [
        path
        for path in names
        if path not in given
        and any(folder in path.parents for folder in inside)
        and goal in (path.resolve(), *path.resolve().parents)
    ]
    photos = {path: name for path, name in names.items() if path not in earlier}
    if not photos:
        raise SettingError(f"write to {str(output)!r}", "all photos lie there", "Name another folder, or one inside")
    return photos, earlier


def plan(
    names: dict[Path, str], output: Path, further: Sequence[str], reserved: Mapping[Path, str]
) -> dict[Path, Path]:
    """Where each photo's translation goes: into one file, or into a folder, in the folders that it was found in.

    Args:
        names: By path: the name below the folder that was given.
        output: A file or a folder.
        further: Names of the outputs that go beside the translation.
        reserved: Pictures that nothing may replace besides the photos, and what they are.

    Raises:
        SettingError: An unknown kind of file, one file for several photos, two photos of one name, or a path of a photo
            or of a reserved picture.
        ImageError: A photo's name is not UTF-8.
        StorageError: Nothing can be written there.
    """
    check_names([*names, output])
    one_file = output.suffix.lower() in PICTURES and not output.is_dir()
    if len(names) == 1 and output.suffix and not one_file and not output.is_dir():
        raise SettingError(f"write {str(output)!r}", "an unknown kind of picture", f"Name one of {' '.join(PICTURES)}")
    if one_file and len(names) > 1:
        raise SettingError(f"{len(names)} photos into {str(output)!r}", "one file", "Name a folder")
    targets: dict[Path, Path] = {}
    photo_of: dict[Path, Path] = {}
    originals = {**reserved, **{photo.resolve(): "a photograph to translate" for photo in names}}
    for photo, name in names.items():
        targets[photo] = target = output if one_file else output / Path(name).with_suffix(".png")
        check_writable(target)
        for path in (target, *(beside(target, output_name) for output_name in further)):
            if path.resolve() in originals:
                found = f"it is {originals[path.resolve()]}"
                raise SettingError(f"write {str(path)!r}", found, "Name another output")
            other = photo_of.setdefault(path, photo)
            if other != photo:
                found = f"{str(other)!r} and {str(photo)!r} would both become it"
                raise SettingError(f"write {str(path)!r}", found, "Rename one, or translate them into two folders")
    return targets
