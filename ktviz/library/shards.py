"""Shards: finished pieces of work, sealed with their digests, where those who make them and the writer reach them."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from ktviz.engines.urls import opened, reaching
from ktviz.errors import LibraryError, StorageError
from ktviz.files import replacing
from ktviz.images import file_digest
from ktviz.library.sources import Stated

SEAL = ".json"
"""How the file of a shard ends that says what the others must be; it is written last."""

SHARE = "Let all machines have the library under the same path, or name a folder that all reach: --shards URL"


@dataclass(frozen=True)
class Shards:
    """A folder of shards.

    Attributes:
        folder: Where the writer has them; where they are made, too, if there is no URL, and then all machines share it.
        url: Where they are made: of a folder in anything that fsspec knows.
    """

    folder: Path
    url: str | None = None

    def within(self, name: str) -> Shards:
        """A folder within."""
        return Shards(self.folder / name, None if self.url is None else f"{self.url.rstrip('/')}/{name}")

    def taken(self, name: str) -> bool:
        """Whether the writer has a finished shard of that name."""
        return (self.folder / f"{name}{SEAL}").exists()

    def make(self, name: str, endings: Sequence[str], write: Callable[[list[Path]], object]) -> None:
        """Make a shard, unless somebody has finished it.

        Args:
            name: How its files begin.
            endings: And how they end.
            write: Writes them all.

        Raises:
            StorageError: The disk, or what the URL names, refuses; or this machine does not have the folder.
        """
        if self.url is None:
            if not self.folder.is_dir():
                raise StorageError(f"write to {str(self.folder)!r}", "there is no such folder", SHARE)
            if not self.taken(name):
                write_sealed(self.folder, name, endings, write)
            return
        files, url = opened(self.url)
        with reaching(self.url):
            if files.exists(f"{url}/{name}{SEAL}"):
                return
        with TemporaryDirectory() as scratch:
            write_sealed(Path(scratch), name, endings, write)
            with reaching(self.url):
                for ending in (*endings, SEAL):
                    files.put_file(f"{scratch}/{name}{ending}", f"{url}/{name}{ending}")

    def take(self, name: str, endings: Sequence[str], asked: str) -> tuple[list[Path], list[Stated]]:
        """The files of a finished shard, in the writer's folder, with their sizes and SHA-256.

        Args:
            name: How its files begin.
            endings: And how they end.
            asked: What an error says was asked.

        Raises:
            LibraryError: One was changed or damaged since it was finished, or is not there; the message names it.
            StorageError: What the URL names cannot be reached.
        """
        if self.url is not None and not self.taken(name):
            self._fetch(name, endings, asked)
        if not self.taken(name):
            found = f"what was finished elsewhere is not in {str(self.folder)!r}"
            raise LibraryError(asked, found, SHARE)
        paths = [self.folder / f"{name}{ending}" for ending in endings]
        todo = f"Remove the folder {str(self.folder)!r}, and build again"
        try:
            known = stated_in((self.folder / f"{name}{SEAL}").read_bytes())
            for path, stated in zip(paths, known, strict=True):
                if stated_of(path) != stated:
                    raise LibraryError(asked, f"{str(path)!r} has other bytes than it was written with", todo)
        except FileNotFoundError as error:
            raise LibraryError(asked, f"{error.filename!r} is missing", todo) from None
        except (ValueError, LookupError, TypeError):
            raise LibraryError(asked, f"{self.folder / name}{SEAL} is damaged", todo) from None
        return paths, known

    def _fetch(self, name: str, endings: Sequence[str], asked: str) -> None:
        """Bring a finished shard into the writer's folder, its seal last."""
        assert self.url is not None
        files, url = opened(self.url)
        todo = f"Remove {self.url}/{name}{SEAL}, and build again: it is made anew"
        with reaching(self.url):
            seal = files.cat_file(f"{url}/{name}{SEAL}")
        try:
            known = dict(zip(endings, stated_in(seal), strict=True))
        except (ValueError, LookupError, TypeError):
            raise LibraryError(asked, f"{self.url}/{name}{SEAL} is damaged", todo) from None
        for ending, stated in known.items():
            fetch(f"{self.url}/{name}{ending}", self.folder / f"{name}{ending}", stated, asked, todo)
        with replacing(self.folder / f"{name}{SEAL}") as partial:
            partial.write_bytes(seal)

    def give(self, path: Path) -> None:
        """Let workers have a file of the writer, by its name; those who share its folder have it."""
        if self.url is None:
            return
        files, url = opened(self.url)
        with reaching(self.url):
            if not files.exists(f"{url}/{path.name}"):
                files.put_file(str(path), f"{url}/{path.name}")

    @contextmanager
    def had(self, path: Path, stated: Stated, asked: str) -> Iterator[Path]:
        """A file of the writer, where a worker has it; errors as in `take`."""
        if self.url is None:
            yield path
            return
        with TemporaryDirectory() as scratch:
            todo = f"Remove {self.url}/{path.name}, and build again"
            fetch(f"{self.url}/{path.name}", Path(scratch) / path.name, stated, asked, todo)
            yield Path(scratch) / path.name

    def discard(self, names: Collection[str]) -> None:
        """Remove what is called so where it was made: the library is written.

        Raises:
            StorageError: What the URL names refuses.
        """
        if self.url is None:
            return
        try:
            files, url = opened(self.url)
            with reaching(self.url):
                for name in names:
                    with suppress(FileNotFoundError):
                        files.rm(f"{url}/{name}", recursive=True)
        except StorageError as error:
            found = f"{error.found}; the library itself is complete"
            raise StorageError(f"remove shards in {self.url}", found, "Remove them yourself") from None


def fetch(url: str, target: Path, stated: Stated, asked: str, todo: str) -> None:
    """Bring a file from a URL, and compare it.

    Raises:
        LibraryError: It has other bytes than are stated.
        StorageError: It cannot be reached, or the disk refuses.
    """
    files, path = opened(url)
    with replacing(target) as partial:
        with reaching(url):
            files.get_file(path, str(partial))
        if stated_of(partial) != stated:
            raise LibraryError(asked, f"{url} has other bytes than it was written with", todo)


def write_sealed(folder: Path, name: str, endings: Sequence[str], write: Callable[[list[Path]], object]) -> None:
    """Write the files of a shard, and its seal."""
    paths = [folder / f"{name}{ending}" for ending in endings]
    write(paths)
    with replacing(folder / f"{name}{SEAL}") as partial:
        partial.write_text(json.dumps([stated_of(path) for path in paths]), encoding="utf-8")


def stated_in(seal: bytes) -> list[Stated]:
    """What a seal says; raises ValueError, LookupError or TypeError for something else."""
    return [(int(size), str(digest)) for size, digest in json.loads(seal)]


def stated_of(path: Path) -> Stated:
    """Size and SHA-256 of a file."""
    return path.stat().st_size, file_digest(path)
