"""Building a bank in stages: prepare each source, put the parts together, write; each source's part can be reused."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tqdm.auto import tqdm

from ktviz.errors import LibraryError
from ktviz.files import replacing
from ktviz.images import file_digest
from ktviz.library.banks import AnyBank
from ktviz.library.format import BUILDING, BankRecord, record_files
from ktviz.library.kinds.preparer import Preparer
from ktviz.library.kinds.registry import ENGINES
from ktviz.library.layout import PLACES, Layout
from ktviz.library.sources import Source, SourceFile
from ktviz.networks.threads import one_thread

WORKERS = 4
"""Sources worked on at a time, at most."""
DIGEST = 64
"""Letters of a SHA-256, with which the files of a part begin."""


@dataclass(frozen=True)
class Part:
    """One source, prepared: all that a bank needs of it.

    Attributes:
        source: What is known of it.
        files: Its files, by how they end; see `layout.PLACES`.
    """

    source: Source
    files: Mapping[str, Path]


def prepare_parts(library: Path, files: Sequence[SourceFile], preparer: Preparer, quiet: bool) -> list[Part]:
    """Prepare sources in `building/`, some at a time; what an interrupted build has finished is used again.

    Each source is worked on by one thread alone, so that its part does not depend on how many there are.
    """
    folder = library / BUILDING / hashlib.sha256(preparer.made_with.encode()).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    workers = min(torch.get_num_threads(), WORKERS, len(files))

    def prepare(file: SourceFile) -> Part:
        return prepare_part(folder, file, preparer)

    with one_thread(), ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        return list(
            tqdm(pool.map(prepare, files), desc="preparing sources", unit="image", total=len(files), disable=quiet)
        )


def prepare_part(folder: Path, file: SourceFile, preparer: Preparer) -> Part:
    files = {ending: folder / f"{file.content}{ending}" for ending in preparer.layout.of_source}
    seal = folder / f"{file.content}.json"
    if seal.exists():
        check_part(seal, files, file)
    else:
        preparer.prepare(file, list(files.values()))
        sealed = {ending: [path.stat().st_size, file_digest(path)] for ending, path in files.items()}
        with replacing(seal) as partial:
            partial.write_text(json.dumps(sealed), encoding="utf-8")
    return Part(preparer.source(file, list(files.values())), files)


def check_part(seal: Path, parts: Mapping[str, Path], file: SourceFile) -> None:
    """Compare a finished part of an interrupted build with the digests that were noted when it was finished.

    Raises:
        LibraryError: It was changed or damaged since; the message names the file.
    """
    asked = f"go on with the interrupted build of {file.name!r}"
    todo = f"Remove the folder {str(seal.parent)!r}, and build again"
    try:
        sealed = json.loads(seal.read_text(encoding="utf-8"))
        for ending, path in parts.items():
            if sealed[ending] != [path.stat().st_size, file_digest(path)]:
                raise LibraryError(asked, f"{str(path)!r} has other bytes than it was written with", todo)
    except FileNotFoundError as error:
        raise LibraryError(asked, f"{error.filename!r} is missing", todo) from None
    except (ValueError, LookupError, TypeError):
        raise LibraryError(asked, f"{str(seal)!r} is damaged", todo) from None


def reusable_parts(bank: AnyBank, layout: Layout) -> list[Part]:
    """The parts of a bank that exists."""
    return [
        Part(source, dict(zip(layout.of_source, layout.paths(bank.folder, number), strict=True)))
        for number, source in enumerate(bank.sources)
    ]


def write_bank(
    library: Path,
    name: str,
    kind: str,
    parts: Sequence[Part],
    settings: Any,
    previous: BankRecord | None,
    quiet: bool,
) -> BankRecord:
    """Put parts together as a new generation of a bank; the manifest is still to be written.

    The result depends on the parts, their names and the settings of the bank alone: adding and removing sources gives
    the same bytes as building from what remains.
    """
    parts = sorted(parts, key=lambda part: part.source.name)
    number = 1 if previous is None else int(previous.folder.rsplit("@", 1)[1]) + 1
    folder = library / "banks" / f"{name}@{number}"
    shutil.rmtree(folder, ignore_errors=True)
    try:
        link_parts(folder, parts)
        with one_thread():
            ENGINES[kind].tables(folder, [part.source for part in parts], settings, quiet)
        bank = ENGINES[kind].load(name, folder, "")  # what cannot be opened is not announced
        relative = folder.relative_to(library).as_posix()
        return BankRecord(kind, relative, len(parts), len(bank), record_files(folder))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)  # on a full disk, these bytes are the ones that are missing
        raise


def link_parts(folder: Path, parts: Sequence[Part]) -> None:
    """Put the files of parts where those of a bank lie."""
    for number, part in enumerate(parts):
        for ending, file in part.files.items():
            target = PLACES[ending](folder, number)
            target.parent.mkdir(parents=True, exist_ok=True)
            link(file, target)


def link(source: Path, target: Path) -> None:
    """The same file under a second name; a copy where the file system has no links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def discard_parts(library: Path, digests: Collection[str]) -> None:
    """Remove the parts of some sources (SHA-256) from `building/`; those of other interrupted builds stay."""
    for part in (library / BUILDING).glob("*/*"):
        half_written = part.name.startswith(".")  # by a process that was killed
        if half_written or part.name[:DIGEST] in digests:
            part.unlink()
    for folder in (*(library / BUILDING).glob("*"), library / BUILDING):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
