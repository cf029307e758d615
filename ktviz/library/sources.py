"""Sources: the images behind a bank, and who made them."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ktviz.errors import CreditsError, ImageError, LibraryError, MissingCreditsError
from ktviz.files import listed
from ktviz.images import file_digest, find_images

UNKNOWN = "unknown"
CREDIT_COLUMNS = ("file", "title", "creator", "year", "licence", "url")


@dataclass(frozen=True)
class Credit:
    """Who made a source; "unknown" is a value, never a gap."""

    title: str = UNKNOWN
    creator: str = UNKNOWN
    year: str = UNKNOWN
    licence: str = UNKNOWN
    url: str = UNKNOWN


@dataclass(frozen=True)
class SourceFile:
    """An image that is to enter a bank.

    Attributes:
        path: The file.
        name: Its name in the bank: the path below the folder it was found in.
        sha256: Digest of the file's bytes.
        credit: Who made it.
    """

    path: Path
    name: str
    sha256: str
    credit: Credit


@dataclass(frozen=True)
class Source:
    """One image in a bank.

    Attributes:
        name: Unique in its bank.
        sha256: Digest of the original file's bytes.
        credit: Who made it.
        width: Original width in px.
        height: Original height in px.
        rows: Height of its feature map in cells.
        columns: Width of its feature map in cells.
        entries: Patches that survived de-duplication.
        positions: Patches before de-duplication.
    """

    name: str
    sha256: str
    credit: Credit
    width: int
    height: int
    rows: int
    columns: int
    entries: int
    positions: int

    @property
    def survivor_rate(self) -> float:
        """Share of the patches that survived de-duplication."""
        return self.entries / self.positions

    @property
    def stem(self) -> str:
        """The name without its suffix."""
        return str(PurePosixPath(self.name).with_suffix(""))


def collect_sources(
    paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]], credits: Mapping[str, Credit]
) -> list[SourceFile]:
    """The images of files and folders (recursively), in the order of their names, each picture once.

    Raises:
        ImageError: A path is missing or holds no image.
        LibraryError: Two different images have the same name.
    """
    named: dict[str, SourceFile] = {}
    seen: set[str] = set()
    for path, name in named_images(paths):
        digest = digest_of(path)
        if name in named and named[name].sha256 != digest:
            raise LibraryError(
                f"source {name!r}", f"two different files have this name: {named[name].path} and {path}", "Rename one"
            )
        if digest not in seen:
            seen.add(digest)
            named[name] = SourceFile(path, name, digest, find_credit(path, name, credits))
    return [named[name] for name in sorted(named)]


def digest_of(path: Path) -> str:
    try:
        return file_digest(path)
    except OSError as error:
        raise ImageError(
            f"image {str(path)!r}", f"cannot be read ({error.strerror})", "Check it, or leave it out"
        ) from None


def named_images(paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]]) -> Iterable[tuple[Path, str]]:
    for given in map(Path, listed(paths)):
        for path in find_images([given]):
            yield path, (path.relative_to(given).as_posix() if given.is_dir() else path.name)


def find_credit(path: Path, name: str, credits: Mapping[str, Credit]) -> Credit:
    """The credit whose `file` is the longest tail of the path; unknown if there is none."""
    parts = path.absolute().parts
    for first in range(len(parts)):
        tail = "/".join(parts[first:])
        if tail in credits:
            return credits[tail]
    return credits.get(name, Credit())


def read_credits(path: str | os.PathLike[str]) -> dict[str, Credit]:
    """Credits by file, from a CSV with the columns file, title, creator, year, licence, url; gaps become "unknown".

    Raises:
        CreditsError: Missing file, no `file` column, or not text.
    """
    asked = f"credits {os.fspath(path)!r}"
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            rows = [{(name or "").strip(): value for name, value in row.items()} for row in csv.DictReader(file)]
    except FileNotFoundError:
        raise MissingCreditsError(asked, "no such file", "Check the path") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CreditsError(asked, f"not a readable CSV ({error})", "Save it as UTF-8 text") from None
    if rows and "file" not in rows[0]:
        raise CreditsError(asked, f"columns {', '.join(filter(None, rows[0]))}", f"Give {', '.join(CREDIT_COLUMNS)}")
    return {row["file"].strip(): credit_from(row) for row in rows if row["file"]}


def credit_from(row: Mapping[str, str | None]) -> Credit:
    def value(column: str) -> str:
        return (row.get(column) or "").strip() or UNKNOWN

    return Credit(*(value(column) for column in CREDIT_COLUMNS[1:]))
