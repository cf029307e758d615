"""Parts of banks: what is prepared of each source, sealed when it is finished, and what tables are made from."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from tqdm.auto import tqdm

from ktviz.errors import LibraryError
from ktviz.files import replacing
from ktviz.images import file_digest
from ktviz.library.sources import Source, Stated
from ktviz.networks.threads import one_thread

WORKERS = 4
"""Sources worked on at a time, at most."""

A = TypeVar("A")
B = TypeVar("B")


@dataclass(frozen=True)
class Part:
    """One source, prepared: all that a bank needs of it.

    Attributes:
        source: What is known of it.
        files: Its files, by how they end; see `Layout.of_source`.
        stated: Their sizes and SHA-256, in the same order.
    """

    source: Source
    files: Mapping[str, Path]
    stated: Sequence[Stated]


@dataclass(frozen=True)
class Work:
    """What the tables of a bank are made from.

    Attributes:
        folder: Where they are to lie.
        parts: Of all its sources, sorted by name.
        settings: As its kind has them; see `registry.Engine`.
        previous: The bank as it was; None where nothing of it is to be kept.
        scratch: Where finished parts of the work may lie.
        quiet: No progress bars.
    """

    folder: Path
    parts: Sequence[Part]
    settings: Any
    previous: Any
    scratch: Path
    quiet: bool

    @property
    def sources(self) -> list[Any]:
        """What is known of each."""
        return [part.source for part in self.parts]


def rows_folder(scratch: Path, structure: str) -> Path:
    """Where what is worked out for tables of a structure lies until they are written."""
    return scratch / f"rows-{structure[:16]}"


def for_each(things: Sequence[A], work: Callable[[A], B], what: str, quiet: bool) -> list[B]:
    """Do some work for each of some sources, several at a time.

    Each is worked on by one thread alone, so that what comes out does not depend on how many there are.
    """
    workers = max(1, min(torch.get_num_threads(), WORKERS, len(things)))
    with one_thread(), ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        return list(tqdm(pool.map(work, things), desc=what, unit="image", total=len(things), disable=quiet))


def sealed(
    stem: Path, endings: Sequence[str], write: Callable[[list[Path]], object], asked: str, seal: str = ".json"
) -> tuple[list[Path], list[Stated]]:
    """Files that are written once, and used again where an interrupted build has finished them.

    Args:
        stem: How their paths begin.
        endings: And how they end.
        write: Writes them all.
        asked: What an error says was asked.
        seal: How the file ends that says what they must be; it is written last.

    Returns:
        The files, and their sizes and SHA-256.

    Raises:
        LibraryError: One was changed or damaged since it was finished; the message names it.
    """
    files = [stem.with_name(f"{stem.name}{ending}") for ending in endings]
    note = stem.with_name(f"{stem.name}{seal}")
    if not note.exists():
        write(files)
        with replacing(note) as partial:
            partial.write_text(json.dumps([stated_of(path) for path in files]), encoding="utf-8")
    todo = f"Remove the folder {str(stem.parent)!r}, and build again"
    try:
        known = [(int(size), str(digest)) for size, digest in json.loads(note.read_text(encoding="utf-8"))]
        for path, stated in zip(files, known, strict=True):
            if stated_of(path) != stated:
                raise LibraryError(asked, f"{str(path)!r} has other bytes than it was written with", todo)
        return files, known
    except FileNotFoundError as error:
        raise LibraryError(asked, f"{error.filename!r} is missing", todo) from None
    except (ValueError, LookupError, TypeError):
        raise LibraryError(asked, f"{str(note)!r} is damaged", todo) from None


def stated_of(path: Path) -> Stated:
    """Size and SHA-256 of a file."""
    return path.stat().st_size, file_digest(path)
