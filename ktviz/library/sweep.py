"""What is left of an edit that is over, or was killed, goes."""

from __future__ import annotations

import re
from pathlib import Path

from ktviz.errors import LibraryError, StorageError
from ktviz.library.banks import READ_ERRORS
from ktviz.library.format import BUILDING, Manifest
from ktviz.library.layout import CLASSES, LAYOUTS
from ktviz.library.older import is_older
from ktviz.library.place import LEFT, Place, contents_of

TABLES = {CLASSES, *(table for layout in LAYOUTS.values() for table in layout.tables)}
"""How the tables of banks are called."""
OF_TABLES = re.compile(r".+@\d+")
"""How the folders of tables are."""


def sweep(library: Path, manifest: Manifest) -> None:
    """Remove what the manifest and the tables of sources do not name.

    Raises:
        StorageError: The disk refuses; the library itself is complete.
    """
    try:
        remove_unnamed(library, manifest)
    except OSError as error:
        raise StorageError(
            f"remove old files of {str(library)!r}",
            f"{error.strerror or error}; the library itself is complete",
            "Free the files; the next edit tries again",
        ) from None


def check_links(library: Path) -> None:
    """Refuse links within a library: what is removed through one is somebody else's.

    Raises:
        LibraryError: One is there; the message names it.
    """
    banks = library / "banks"
    for path in (banks, *banks.glob("*"), *banks.glob("*/*"), library / BUILDING, *(library / BUILDING).glob("*")):
        if path.is_symlink():
            found = f"{path.relative_to(library).as_posix()} is a link"
            raise LibraryError(f"library {str(library)!r}", found, "Put the folder itself there, or remove the link")


def remove_unnamed(library: Path, manifest: Manifest) -> None:
    """Only what ktviz writes: whatever else lies there, is a person's."""
    tables = {library / record.folder for record in manifest.banks.values()}
    contents = {contents_of(library, name): Place(name, library, record) for name, record in manifest.banks.items()}
    for folder in folders(library / "banks", "*/*"):
        if folder in contents:
            remove_left(contents[folder])
        elif folder not in tables:
            remove_written(folder)
    for task in folders(library / "banks", "*"):
        remove_empty(task)


def folders(folder: Path, pattern: str) -> list[Path]:
    """Those within a folder."""
    return [path for path in folder.glob(pattern) if path.is_dir()]


def remove_written(folder: Path) -> None:
    """Remove the files of a bank that is no more, of this format or an older one, and folders that are empty then."""
    of_tables = OF_TABLES.fullmatch(folder.name) is not None
    for path in [*folder.iterdir(), *folder.glob("*/*")]:
        name = path.relative_to(folder).as_posix()
        if path.is_file() and (LEFT.fullmatch(name) or (of_tables and (name in TABLES or is_older(name)))):
            path.unlink()
    for within in folders(folder, "*"):
        remove_empty(within)
    remove_empty(folder)


def remove_empty(folder: Path) -> None:
    if not any(folder.iterdir()):
        folder.rmdir()


def remove_left(place: Place) -> None:
    """Remove the files of sources that a bank does not have; where its table is damaged, nothing can be told."""
    try:
        named = {path.name for path, _ in place.files()}
    except (LibraryError, *READ_ERRORS):
        return
    for path in place.contents.iterdir():
        if path.name not in named and path.is_file() and LEFT.fullmatch(path.name):
            path.unlink()
