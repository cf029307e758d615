"""Where a bank lies, and its files: each is compared with its digest when this process first touches it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from ktviz.errors import LibraryError
from ktviz.images import file_digest
from ktviz.library.format import MANIFEST, RESTORE, BankRecord, read_manifest, unreadable
from ktviz.library.kinds.patches.source import PatchSource
from ktviz.library.layout import PATCHES, SOURCES, THUMB, of_maps
from ktviz.library.sources import MappedSource, Source, Sources, Stated, read_sources

WORKERS = 4
"""Files hashed at a time, at most: hashing leaves Python's lock alone."""
File = tuple[Path, Stated]
"""A file of a bank, and what it must be."""

LEFT = re.compile(r"\.ktviz-.*|[0-9a-f]{64}(-[0-9a-f]{16})?(\.[a-z]+)+")
"""How the files of sources are called, and files that are only half written."""

_compared: set[tuple[object, ...]] = set()
"""Files of which this process knows that they have the bytes that were stated."""


@dataclass(frozen=True)
class Place:
    """Where a bank lies.

    Attributes:
        name: Of the bank.
        library: Its library.
        record: What the manifest says of it.
        touched: Files that were compared: what was read of them outlives an edit of the bank.
    """

    name: str
    library: Path
    record: BankRecord
    touched: set[Path] = field(default_factory=set, init=False, repr=False, compare=False)

    @property
    def folder(self) -> Path:
        """Of its tables."""
        return self.library / self.record.folder

    @property
    def contents(self) -> Path:
        """Of the files of its sources."""
        return contents_of(self.library, self.name)

    @cached_property
    def sources(self) -> Sources[Any]:
        """Its sources; raises what readers raise on a table of something else."""
        return read_sources(self.table(SOURCES), source_kind(self.record))

    def table(self, name: str) -> Path:
        """One of its tables.

        Raises:
            LibraryError: It has other bytes than the manifest states.
        """
        path = self.folder / name
        self.compare((path, self.record.tables[name]))
        return path

    def path(self, source: int, ending: str) -> Path:
        """Where a file of a source lies; see `Layout.of_source`."""
        return self.contents / f"{self.sources.content(source)}{ending}"

    def file(self, source: int, ending: str) -> Path:
        """A file of a source.

        Raises:
            LibraryError: It has other bytes than the table of sources states.
        """
        path = self.path(source, ending)
        self.compare((path, self.stated(source)[self.record.of_source.index(ending)]))
        return path

    def thumb(self, source: int) -> bytes:
        """The small JPEG of a source; errors as in `file`."""
        return self.read(source, THUMB)

    def read(self, source: int, ending: str) -> bytes:
        """What a file of a source holds; errors as in `file`."""
        path = self.file(source, ending)
        try:
            return path.read_bytes()
        except OSError as error:  # gone since it was compared
            self._check_current()
            raise unreadable(self._asked, path.relative_to(self.library).as_posix(), error) from None

    def stated(self, source: int) -> list[Stated]:
        """What the files of a source must be, in the order of `of_source`."""
        return self.sources.stated(source)

    def files(self) -> Iterator[File]:
        """All of them."""
        yield from ((self.folder / name, stated) for name, stated in self.record.tables.items())
        for source, files in self.sources.parts():
            for ending, stated in zip(self.record.of_source, files, strict=True):
                yield self.contents / f"{source.content}{ending}", stated

    def compare_tables(self) -> None:
        """Compare what was not touched yet of all that its digest is made from."""
        self.compare_all((self.folder / name, stated) for name, stated in self.record.tables.items())

    def compare_all(self, files: Iterable[File]) -> None:
        """Compare some files, several at a time."""
        with ThreadPoolExecutor(WORKERS) as pool:
            for _ in pool.map(self.compare, files):
                pass

    def compare(self, file: File) -> None:
        """Compare a file with what it must be, if this process has not done so.

        Raises:
            LibraryError: It is missing, of another size, or has other bytes; the message names it.
        """
        path, (size, digest) = file
        if path in self.touched:
            return
        called = path.relative_to(self.library).as_posix()
        try:
            found = path.stat()
            known = self._known(file)
            if found.st_size != size:
                raise self._error(f"{called} has {found.st_size:,} bytes, not {size:,}")
            if known not in _compared and file_digest(path) != digest:
                raise self._error(f"{called} has a wrong digest: its bytes were changed")
            _compared.add(known)
            self.touched.add(path)
        except OSError as error:
            self._check_current()
            raise unreadable(self._asked, called, error) from None

    def vouch(self, file: File) -> None:
        """Take it that a file is what it must be: its digest has just been taken."""
        _compared.add(self._known(file))

    def _known(self, file: File) -> tuple[object, ...]:
        path, stated = file
        found = path.stat()
        return path, found.st_dev, found.st_ino, found.st_mtime_ns, *stated

    @property
    def _asked(self) -> str:
        return f"bank {self.name!r} of {str(self.library)!r}"

    def _error(self, found: str) -> LibraryError:
        self._check_current()
        return LibraryError(self._asked, found, RESTORE)

    def _check_current(self) -> None:
        """Raise LibraryError if another process has written the bank since it was opened."""
        if read_manifest(self.library).banks.get(self.name) != self.record:
            raise LibraryError(self._asked, "it was changed since it was opened", "Open it again")

    def strangers(self) -> list[Path]:
        """What lies where its files are and is none of them: files, links, or anything else; sorted.

        What an edit that was interrupted has left there is nobody's: the next edit removes it.
        """
        wanted = {path for path, _ in self.files()}
        there = [path for folder in (self.folder, self.contents) for path in folder.rglob("*") if is_content(path)]
        return sorted(path for path in set(there) - wanted if not (path.is_file() and LEFT.fullmatch(path.name)))

    def check_strangers(self) -> None:
        """Raise LibraryError if something lies there that ktviz did not write."""
        for path in self.strangers():
            found = f"{path.relative_to(self.library).as_posix()} is not in {MANIFEST} nor in the bank's {SOURCES}"
            raise LibraryError(self._asked, found, "Remove it: ktviz did not write it")


def contents_of(library: Path, name: str) -> Path:
    """Where the files of a bank's sources lie."""
    return library / "banks" / name


def source_kind(record: BankRecord) -> type[Source]:
    """What the sources of a bank are."""
    if record.kind == PATCHES:
        return PatchSource
    return MappedSource if of_maps(record.of_source) else Source


def is_content(path: Path) -> bool:
    """Whether a path is more than a folder: a file, a link, or anything else."""
    return path.is_symlink() or not path.is_dir()
