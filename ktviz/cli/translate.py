"""`ktviz translate`: photographs in, translated photographs out, with the share of each source."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from tqdm import tqdm

from ktviz.cli.console import Quiet, exit_code, print_shares, report
from ktviz.cli.large import Memory, Side, announce, expected, shrunk
from ktviz.errors import ImageError, KtvizError, SettingError
from ktviz.images import find_images, read_image, write_image
from ktviz.memory import as_bytes

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp")


def translate(
    photos: Annotated[list[Path], typer.Argument(metavar="PHOTO...", help="Photographs, or folders of them.")],
    library: Annotated[Path, typer.Option("--library", "-l", metavar="LIB.ktlib", help="The knowledge library.")],
    bank: Annotated[
        list[str], typer.Option("--bank", "-b", metavar="TASK/STYLE", help="A bank, or a task for all its styles.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="OUT", help="A .png for one photo, else a folder.")],
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
    side: Side = None,
    memory: Memory = None,
    quiet: Quiet = False,
) -> None:
    """Translate photographs with the knowledge of one or more banks, and print what each source contributed."""
    targets = plan(find_images(photos), output)

    from ktviz.library.library import Library
    from ktviz.model.translator import Settings, Translator
    from ktviz.trace.record import record_one

    options: dict[str, Any] = {
        "preset": preset,
        "transfer": transfer,
        "strength": strength,
        "without": without or (),
        "coherence": coherence,
        "max_gain": max_gain,
    }
    Settings(**options)  # refuse bad values before any work
    if memory is not None:
        as_bytes(memory)
    banks = Library.open(library).select(bank)
    banks.excluded(options["without"])
    translator, settings = Translator.shipped(banks, memory), Settings(**options)
    recorded = None if trace else 1  # shares need the winners alone
    for photo in targets:
        expected(translator, photo, settings, recorded, side)  # refuse what does not fit before any work
    failures: list[KtvizError] = []
    for photo, target in tqdm(targets.items(), desc="translating", unit="photo", disable=quiet or len(targets) < 2):
        try:
            pixels = shrunk(read_image(photo), side)
            if not quiet:
                announce(translator, pixels, settings, recorded)
            made = record_one(translator, pixels, settings, candidates=recorded)
        except ImageError as error:  # one bad photo does not cost the others
            report(error)
            failures.append(error)
            continue
        if made.output is not None:
            write_image(target, made.output)
        if trace:
            made.save(target.with_suffix(".parquet"), overwrite=True, pictures="both")
        if not quiet:
            print_shares(made.sources(), f"{photo.name} → {target}")
    if failures:
        raise typer.Exit(exit_code(failures[0]))


def plan(photos: list[Path], output: Path) -> dict[Path, Path]:
    """Where each photo's translation goes.

    Raises:
        SettingError: An unknown kind of file, one file for several photos, two photos of one name, or a photo's own
            path.
    """
    if len(photos) == 1 and output.suffix and output.suffix.lower() not in PICTURES and not output.is_dir():
        raise SettingError(f"write {str(output)!r}", "an unknown kind of picture", f"Name one of {' '.join(PICTURES)}")
    if output.suffix.lower() in PICTURES and not output.is_dir():
        if len(photos) > 1:
            raise SettingError(f"{len(photos)} photos into {str(output)!r}", "one file", "Name a folder")
        targets = {photos[0]: output}
    else:
        targets = {photo: output / f"{photo.stem}.png" for photo in photos}
    originals = {photo.resolve() for photo in photos}
    for target in targets.values():
        if target.resolve() in originals:
            raise SettingError(f"write {str(target)!r}", "it is a photograph to translate", "Name another output")
    if len(set(targets.values())) < len(targets):
        raise SettingError(f"{len(photos)} photos into {str(output)!r}", "two of them have the same name", "Rename one")
    return targets
