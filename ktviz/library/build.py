"""Building a bank in stages: prepare each source, put the parts together, write; each source's part can be reused."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ktviz.engines.engine import THREADS, Engine
from ktviz.files import link
from ktviz.library.banks import AnyBank
from ktviz.library.format import BUILDING, BankRecord
from ktviz.library.kinds.preparer import Preparer
from ktviz.library.kinds.registry import KINDS
from ktviz.library.parts import Part, Work, rows_folder
from ktviz.library.place import Place, contents_of
from ktviz.library.shards import SEAL, Shards, stated_of
from ktviz.library.sources import SourceFile, content_of, write_sources
from ktviz.library.usable import check_same, name_of

DIGEST = 64
"""Letters of a SHA-256, with which the files of a part begin."""


def building(library: Path, engine: Engine) -> Shards:
    """Where pieces of a build lie."""
    return Shards(library.absolute() / BUILDING, engine.shards)


def prepared_in(shards: Shards, made_with: str) -> Shards:
    """Where parts lie among them; those that were made with something else are not confused with them."""
    return shards.within(hashlib.sha256(made_with.encode()).hexdigest()[:16])


@dataclass(frozen=True)
class Prepare:
    """Prepares a source, wherever it runs.

    Attributes:
        preparer: What makes its part.
        shards: Where that goes.
    """

    preparer: Preparer
    shards: Shards

    def __call__(self, file: SourceFile) -> None:
        """Make the part of a source, unless it is finished.

        Raises:
            LibraryError: The file is not the one that was checked.
        """
        check_same(file)
        endings = self.preparer.layout.of_source
        self.shards.make(file.content, endings, lambda paths: self.preparer.prepare(file, paths))

    def taken(self, file: SourceFile) -> Part:
        """The finished part; errors as in `Shards.take`."""
        asked = f"go on with the interrupted build of {file.name!r}"
        endings = self.preparer.layout.of_source
        files, stated = self.shards.take(file.content, endings, asked)
        return Part(self.preparer.source(file, files), dict(zip(endings, files, strict=True)), stated)


def prepare_parts(
    library: Path, files: Sequence[SourceFile], preparer: Preparer, engine: Engine, quiet: bool
) -> list[Part]:
    """Prepare sources; what an interrupted build has finished is used again, whichever engine it had."""
    prepare = Prepare(preparer, prepared_in(building(library, engine), preparer.made_with))
    prepare.shards.folder.mkdir(parents=True, exist_ok=True)
    left = [file for file in files if not prepare.shards.taken(file.content)]
    engine.map(prepare, left, "preparing sources", quiet, name_of)
    return THREADS.map(prepare.taken, files, "collecting parts", quiet)


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
    engine: Engine,
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
        engine: What works on many sources.
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
        shards = building(library, engine)
        work = Work(folder, parts, settings, previous, shards, prepared_in(shards, made_with), engine, quiet)
        entries = KINDS[kind].tables(work)
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
        KINDS[kind].load(place)  # what cannot be opened is not announced
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


def discard_prepared(
    library: Path, contents: Iterable[str], of_source: Sequence[str], made_with: str, engine: Engine
) -> None:
    """Remove the files of some sources where workers had them: the library holds them now."""
    shards = prepared_in(building(library, engine), made_with)
    shards.discard([f"{content}{ending}" for content in contents for ending in (*of_source, SEAL)])


def discard_parts(library: Path, digests: Collection[str]) -> None:
    """Remove the parts of some sources (SHA-256) from `building/`; those of other interrupted builds stay."""
    for part in (library / BUILDING).glob("*/*"):
        half_written = part.name.startswith(".ktviz-")  # by a process that was killed
        if half_written or part.name[:DIGEST] in digests:
            part.unlink()
    for folder in (*(library / BUILDING).glob("*"), library / BUILDING):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def discard_rows(library: Path, records: Iterable[BankRecord], engine: Engine) -> None:
    """Remove what was worked out for the tables of banks that are written now."""
    shards = building(library, engine)
    for folder in (rows_folder(record.structure) for record in records):
        shutil.rmtree(shards.folder / folder, ignore_errors=True)
        shards.discard([folder])
    if (library / BUILDING).is_dir() and not any((library / BUILDING).iterdir()):
        (library / BUILDING).rmdir()
