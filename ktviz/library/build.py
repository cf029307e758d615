"""Building a bank in stages: prepare each source, put the parts together, write; each source's part can be reused."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from tqdm.auto import tqdm

from ktviz.errors import LibraryError
from ktviz.files import replacing
from ktviz.images import file_digest
from ktviz.library.banks import AnyBank
from ktviz.library.format import BUILDING, BankRecord, LibrarySettings, record_files
from ktviz.library.kinds.registry import ENGINES
from ktviz.library.layout import LAYOUTS
from ktviz.library.sources import Source, SourceFile
from ktviz.networks.threads import one_thread

WORKERS = 4
"""Sources worked on at a time, at most."""


@dataclass(frozen=True)
class Part:
    """One source, prepared: all that a bank needs of it.

    Attributes:
        source: What is known of it.
        files: Its files, in the order of the layout of its kind.
    """

    source: Source
    files: tuple[Path, ...]


class Preparer(Protocol):
    """What makes the parts of banks of a kind.

    `kind` is which; `made_with` tells apart what makes other parts of the same file.
    """

    kind: str
    made_with: str

    def prepare(self, file: SourceFile, files: Sequence[Path], /) -> None:
        """Write the files of a part."""
        ...

    def source(self, file: SourceFile, files: Sequence[Path], /) -> Source:
        """What is known of a source whose files are written."""
        ...


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
    suffixes = [path.suffix for path in LAYOUTS[preparer.kind].paths(folder, 0)]
    *files, seal = (folder / f"{file.sha256}{suffix}" for suffix in (*suffixes, ".json"))
    if seal.exists():
        check_part(seal, files, file)
    else:
        preparer.prepare(file, files)
        sealed = {path.suffix: [path.stat().st_size, file_digest(path)] for path in files}
        with replacing(seal) as partial:
            partial.write_text(json.dumps(sealed), encoding="utf-8")
    return Part(preparer.source(file, files), tuple(files))


def check_part(seal: Path, parts: Sequence[Path], file: SourceFile) -> None:
    """Compare a finished part of an interrupted build with the digests that were noted when it was finished.

    Raises:
        LibraryError: It was changed or damaged since; the message names the file.
    """
    asked = f"go on with the interrupted build of {file.name!r}"
    todo = f"Remove the folder {str(seal.parent)!r}, and build again"
    try:
        sealed = json.loads(seal.read_text(encoding="utf-8"))
        for path in parts:
            if sealed[path.suffix] != [path.stat().st_size, file_digest(path)]:
                raise LibraryError(asked, f"{str(path)!r} has other bytes than it was written with", todo)
    except FileNotFoundError as error:
        raise LibraryError(asked, f"{error.filename!r} is missing", todo) from None
    except (ValueError, LookupError, TypeError):
        raise LibraryError(asked, f"{str(seal)!r} is damaged", todo) from None


def reusable_parts(bank: AnyBank, kind: str) -> list[Part]:
    """The parts of a bank that exists."""
    return [Part(source, LAYOUTS[kind].paths(bank.folder, number)) for number, source in enumerate(bank.sources)]


def write_bank(
    library: Path,
    name: str,
    kind: str,
    parts: Sequence[Part],
    settings: LibrarySettings,
    previous: BankRecord | None,
    quiet: bool,
) -> BankRecord:
    """Put parts together as a new generation of a bank; the manifest is still to be written.

    The result depends on the parts, their names and the settings alone: adding and removing sources gives the same
    bytes as building from what remains.
    """
    parts = sorted(parts, key=lambda part: part.source.name)
    number = 1 if previous is None else int(previous.folder.rsplit("@", 1)[1]) + 1
    folder = library / "banks" / f"{name}@{number}"
    shutil.rmtree(folder, ignore_errors=True)
    try:
        link_parts(folder, kind, parts)
        with one_thread():
            ENGINES[kind].tables(folder, [part.source for part in parts], settings, quiet)
        bank = ENGINES[kind].load(name, folder, "")  # what cannot be opened is not announced
        relative = folder.relative_to(library).as_posix()
        return BankRecord(kind, relative, len(parts), len(bank), record_files(folder))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)  # on a full disk, these bytes are the ones that are missing
        raise


def link_parts(folder: Path, kind: str, parts: Sequence[Part]) -> None:
    """Put the files of parts where the layout of a bank says."""
    for number, part in enumerate(parts):
        for file, target in zip(part.files, LAYOUTS[kind].paths(folder, number), strict=True):
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
        if part.stem in digests or part.name.startswith("."):  # hidden: half-written by a process that was killed
            part.unlink()
    for folder in (*(library / BUILDING).glob("*"), library / BUILDING):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
