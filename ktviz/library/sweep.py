"""What is left of an edit that is over, or was killed, goes."""

from __future__ import annotations

import shutil
from pathlib import Path

from ktviz.errors import LibraryError, StorageError
from ktviz.library.banks import READ_ERRORS
from ktviz.library.format import Manifest
from ktviz.library.place import Place, contents_of


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


def remove_unnamed(library: Path, manifest: Manifest) -> None:
    tables = {library / record.folder for record in manifest.banks.values()}
    contents = {contents_of(library, name): Place(name, library, record) for name, record in manifest.banks.items()}
    for folder in (library / "banks").glob("*/*"):
        if folder in contents:
            remove_strangers(contents[folder])
        elif folder not in tables:
            shutil.rmtree(folder)
    for task in (library / "banks").glob("*"):
        if not any(task.iterdir()):
            task.rmdir()


def remove_strangers(place: Place) -> None:
    """Remove the files of sources that a bank does not have; where its table is damaged, nothing can be told."""
    try:
        named = {path.name for path, _ in place.files()}
    except (LibraryError, *READ_ERRORS):
        return
    for path in place.contents.iterdir():
        if path.name not in named:
            path.unlink()
