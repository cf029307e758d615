"""Building a bank in stages: prepare each source, put the parts together, write; each source's part can be reused."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ktviz.files import link
from ktviz.library.banks import AnyBank
from ktviz.library.format import BUILDING, BankRecord
from ktviz.library.kinds.preparer import Preparer
from ktviz.library.kinds.registry import ENGINES
from ktviz.library.parts import Part, Work, for_each, rows_folder, sealed, stated_of
from ktviz.library.place import Place, contents_of
from ktviz.library.sources import SourceFile, content_of, write_sources

DIGEST = 64
"""Letters of a SHA-256, with which the files of a part begin."""


def prepare_parts(library: Path, files: Sequence[SourceFile], preparer: Preparer, quiet: bool) -> list[Part]:
    """Prepare sources in `building/`; what an interrupted build has finished is used again."""
    folder = library / BUILDING / hashlib.sha256(preparer.made_with.encode()).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    return for_each(files, lambda file: prepare_part(folder, file, preparer), "preparing sources", quiet)


def prepare_part(folder: Path, file: SourceFile, preparer: Preparer) -> Part:
    asked = f"go on with the interrupted build of {file.name!r}"
    endings = preparer.layout.of_source
    files, stated = sealed(folder / file.content, endings, lambda paths: preparer.prepare(file, paths), asked)
    return Part(preparer.source(file, files), dict(zip(endings, files, strict=True)), stated)


def parts_of(bank: AnyBank) -> list[Part]:
    """The parts of a bank that exists."""
    endings, place = bank.place.record.of_source, bank.place
    return [
        Part(source, {ending: place.path(number, ending) for ending in endings}, place.stated(number))
        for number, source in enumerate(bank.sources)
    ]


def write_bank(
    library: Path,
    name: str,
    kind: str,
    parts: Sequence[Part],
    made_with: str,
    settings: Any,
    previous: AnyBank | None,
    generation: int,
    quiet: bool,
) -> BankRecord:
    """Put parts together as a new generation of a bank; the manifest is still to be written.

    Args:
        library: Its folder.
        name: Of the bank.
        kind: Of bank.
        parts: Of all sources that it is to have.
        made_with: What the parts were made with.
        settings: What its tables are made with.
        previous: The bank as it is, whose structure is kept; None to make one.
        generation: Number of the new one.
        quiet: No progress bars.
    """
    parts = sorted(parts, key=lambda part: part.source.name)
    folder, contents = library / "banks" / f"{name}@{generation}", contents_of(library, name)
    shutil.rmtree(folder, ignore_errors=True)
    linked: list[Path] = []
    try:
        parts = [kept_in(contents, part, linked) for part in parts]
        folder.mkdir(parents=True)
        sources, files = [part.source for part in parts], [part.stated for part in parts]
        write_sources(folder, sources, files)
        entries = ENGINES[kind].tables(Work(folder, parts, settings, previous, library / BUILDING, quiet))
        record = BankRecord(
            kind,
            folder.relative_to(library).as_posix(),
            tuple(parts[0].files),
            len(parts),
            entries,
            sum(size for stated in files for size, _ in stated),
            content_of(made_with, sources, files),
            {path.name: stated_of(path) for path in sorted(folder.iterdir())},
        )
        place = Place(name, library, record)
        for table, stated in record.tables.items():
            place.vouch((folder / table, stated))
        ENGINES[kind].load(place)  # what cannot be opened is not announced
        return record
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)  # on a full disk, these bytes are the ones that are missing
        for path in linked:
            path.unlink(missing_ok=True)
        raise


def kept_in(contents: Path, part: Part, linked: list[Path]) -> Part:
    """A part whose files lie where those of a bank do; those that do so for the first time are added to `linked`."""
    kept = {ending: contents / f"{part.source.content}{ending}" for ending in part.files}
    for ending, path in part.files.items():
        if not kept[ending].exists():
            contents.mkdir(parents=True, exist_ok=True)
            linked.append(kept[ending])
            link(path, kept[ending])
    return replace(part, files=kept)


def discard_parts(library: Path, digests: Collection[str]) -> None:
    """Remove the parts of some sources (SHA-256) from `building/`; those of other interrupted builds stay."""
    for part in (library / BUILDING).glob("*/*"):
        half_written = part.name.startswith(".")  # by a process that was killed
        if half_written or part.name[:DIGEST] in digests:
            part.unlink()
    for folder in (*(library / BUILDING).glob("*"), library / BUILDING):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def discard_rows(library: Path, records: Iterable[BankRecord]) -> None:
    """Remove what was worked out for the tables of banks that are written now."""
    for record in records:
        shutil.rmtree(rows_folder(library / BUILDING, record.structure), ignore_errors=True)
    if (library / BUILDING).is_dir() and not any((library / BUILDING).iterdir()):
        (library / BUILDING).rmdir()
