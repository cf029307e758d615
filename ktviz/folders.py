"""Folders of results that appear whole or not at all, and tables in them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import pandas as pd

from ktviz.errors import KtvizError, StorageError
from ktviz.files import check_writable, read_json

MOST_BYTES = 64 << 20
"""Of a file that says what a folder is: names and digests of a hundred thousand works."""


def check_target(folder: Path, overwrite: bool, what: str, mark: str, says: Collection[str]) -> None:
    """Refuse, before any work, a folder in which something else lies.

    Args:
        folder: Where.
        overwrite: Whether what was written there before may be replaced.
        what: What is to be written: "an audit".
        mark: A file of JSON that such a folder has.
        says: What stands in it, by name; many folders have a file of such a name, and hold other things.

    Raises:
        StorageError: It is not empty and must not be replaced, holds something else, is a link or the current folder,
            or cannot be written.
    """
    check_writable(folder)
    asked = f"write {what} to {str(folder)!r}"
    if folder.exists() and not folder.is_dir():
        raise StorageError(asked, "it is a file", "Name a new folder")
    if folder.is_symlink() or folder.resolve() == Path.cwd():
        found = "it is a link" if folder.is_symlink() else "it is the folder in which this runs"
        raise StorageError(asked, f"{found}, and the whole folder would be replaced", "Name a new folder")
    if not folder.exists() or not any(folder.iterdir()):
        return
    if not overwrite:
        raise StorageError(asked, "it is not empty", "Name a new folder, or say overwrite=True (--overwrite)")
    if not is_marked(folder / mark, says):
        raise StorageError(asked, f"it holds something else than {what}", "Name a new folder")


def is_marked(path: Path, says: Collection[str]) -> bool:
    """Whether a file is there, is JSON, and has all that it should say, by name."""
    try:
        found = read_json(path, MOST_BYTES)
    except (OSError, ValueError):
        return False
    return isinstance(found, dict) and {*says} <= {*found}


def write_folder(folder: Path, write: Callable[[Path], None], what: str) -> None:
    """Make a folder, whole or not at all, in the place of one that is there.

    Args:
        folder: Where.
        write: Fills a folder that does not exist yet.
        what: What it is, for messages.

    Raises:
        StorageError: The disk refuses.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".ktviz-", dir=folder.parent) as scratch:
            made = Path(scratch) / "made"
            write(made)
            if folder.exists():
                shutil.rmtree(folder)
            made.rename(folder)
    except KtvizError:
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise StorageError(f"write {what} to {str(folder)!r}", reason, "Choose another folder") from None


def as_csv(table: pd.DataFrame) -> str:
    """A table as CSV, numbers with nine digits; text that a spreadsheet would run gets a quote before it."""
    table = table.copy()
    for name in (name for name in table if not pd.api.types.is_numeric_dtype(table[name])):
        table[name] = [disarmed(value) for value in table[name]]
    return str(table.to_csv(index=False, float_format="%.9g", lineterminator="\n"))


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """A table as a file of CSV."""
    path.write_text(as_csv(table), encoding="utf-8")


def disarmed(value: Any) -> Any:
    """Text that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@")) else value
