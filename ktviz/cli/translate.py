"""`ktviz translate`: photographs in, translated photographs out, with the share of each source."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from tqdm.auto import tqdm

from ktviz.cli.console import (
    Json,
    Quiet,
    err,
    error_as_json,
    exit_code,
    out,
    print_json,
    print_shares,
    report,
    shares_as_json,
)
from ktviz.cli.streams import DASH, STDIN, name_of, photos_among, read_photo, write_photo
from ktviz.errors import ImageError, KtvizError, SettingError

if TYPE_CHECKING:
    from ktviz.trace.trace import Trace

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp")


def translate(
    photos: Annotated[
        list[Path], typer.Argument(metavar="PHOTO...", help="Photographs, folders of them, or - for standard input.")
    ],
    library: Annotated[Path, typer.Option("--library", "-l", metavar="LIB.ktlib", help="The knowledge library.")],
    bank: Annotated[
        list[str], typer.Option("--bank", "-b", metavar="TASK/STYLE", help="A bank, or a task for all its styles.")
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", metavar="OUT", help="A .png for one photo, else a folder; - for standard output, as PNG."
        ),
    ],
    preset: Annotated[str, typer.Option(help="How to search: paper, beam or exact.")] = "beam",
    transfer: Annotated[str, typer.Option(help="What the winners give: statistics or swap.")] = "statistics",
    strength: Annotated[float, typer.Option(help="0 (the photo) to 1 (full transfer).")] = 1.0,
    without: Annotated[
        list[str] | None, typer.Option(metavar="SOURCE", help="A source to leave out; repeatable.")
    ] = None,
    coherence: Annotated[
        float | None, typer.Option(help="Similarity given up to continue a neighbour; 0 as published.")
    ] = None,
    max_gain: Annotated[
        float | None, typer.Option(help="Bound of the contrast gain in flat regions; 0 as published.")
    ] = None,
    trace: Annotated[
        bool, typer.Option("--trace", help="Keep every retrieval, too, in a .parquet beside OUT.")
    ] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Translate photographs with the knowledge of one or more banks, and print what each source contributed."""
    if output == DASH and (trace or as_json):
        raise SettingError("- as output", "--json or --trace beside it", "Name a file: standard output holds one thing")
    targets = plan(photos_among(photos), output)

    from ktviz.library.library import Library
    from ktviz.model.translator import Settings, Translator

    options: dict[str, Any] = {
        "preset": preset,
        "transfer": transfer,
        "strength": strength,
        "without": without or (),
        "coherence": coherence,
        "max_gain": max_gain,
    }
    Settings(**options)  # refuse bad values before any work
    banks = Library.open(library).select(bank)
    banks.excluded(options["without"])
    translator = Translator.shipped(banks)
    failures: list[KtvizError] = []
    done: list[dict[str, Any]] = []
    for photo, target in tqdm(targets.items(), desc="translating", unit="photo", disable=quiet or len(targets) < 2):
        try:
            recorded = translator.traced(read_photo(photo), **options)
        except ImageError as error:  # one bad photo does not cost the others
            report(error)
            failures.append(error)
            done.append(as_dict(photo, error=error))
            continue
        if recorded.output is not None:
            write_photo(target, recorded.output)
        if trace:
            recorded.save(kept(target), overwrite=True, pictures="both")
        done.append(as_dict(photo, target, recorded, kept(target) if trace else None))
        if not quiet and not as_json:
            title = f"{STDIN if photo == DASH else photo.name} → {target}"
            print_shares(recorded.sources(), title, to=err if target == DASH else out)
    if as_json:
        print_json({"translations": done})
    if failures:
        raise typer.Exit(exit_code(failures[0]))


def kept(target: Path) -> Path:
    """Where the trace of a translation goes."""
    return target.with_suffix(".parquet")


def as_dict(
    photo: Path,
    target: Path | None = None,
    recorded: Trace | None = None,
    trace: Path | None = None,
    error: KtvizError | None = None,
) -> dict[str, Any]:
    """One translation for programs; see docs/command-line.md."""
    height, width = (None, None) if recorded is None else recorded.picture.size
    return {
        "photo": str(photo),
        "output": None if target is None else str(target),
        "trace": None if trace is None else str(trace),
        "width": width,
        "height": height,
        "retrievals": None if recorded is None else len(recorded),
        "digest": None if recorded is None else recorded.digest,
        "sources": [] if recorded is None else shares_as_json(recorded.sources()),
        "error": None if error is None else error_as_json(error),
    }


def plan(photos: list[Path], output: Path) -> dict[Path, Path]:
    """Where each photo's translation goes.

    Raises:
        SettingError: An unknown kind of file, one file for several photos, two photos of one name, or a photo's own
            path.
    """
    if output == DASH:
        if len(photos) > 1:
            raise SettingError(f"{len(photos)} photos into standard output", "it takes one", "Name a folder")
        return {photos[0]: DASH}
    if len(photos) == 1 and output.suffix and output.suffix.lower() not in PICTURES and not output.is_dir():
        raise SettingError(f"write {str(output)!r}", "an unknown kind of picture", f"Name one of {' '.join(PICTURES)}")
    if output.suffix.lower() in PICTURES and not output.is_dir():
        if len(photos) > 1:
            raise SettingError(f"{len(photos)} photos into {str(output)!r}", "one file", "Name a folder")
        targets = {photos[0]: output}
    else:
        targets = {photo: output / f"{name_of(photo)}.png" for photo in photos}
    originals = {photo.resolve() for photo in photos}
    for target in targets.values():
        if target.resolve() in originals:
            raise SettingError(f"write {str(target)!r}", "it is a photograph to translate", "Name another output")
    if len(set(targets.values())) < len(targets):
        raise SettingError(f"{len(photos)} photos into {str(output)!r}", "two of them have the same name", "Rename one")
    return targets
