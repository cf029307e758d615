"""Folders of results that appear whole or not at all, and tables in them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from ktviz.errors import KtvizError, StorageError
from ktviz.files import check_writable


def check_target(folder: Path, overwrite: bool, what: str, mark: str) -> None:
    """Refuse, before any work, a folder in which something else lies.

    Args:
        folder: Where.
        overwrite: Whether what was written there before may be replaced.
        what: What is to be written: "an audit".
        mark: A file that such a folder has.

    Raises:
        StorageError: It is not empty and must not be replaced, or holds something else; or it cannot be written.
    """
    check_writable(folder)
    asked = f"write {what} to {str(folder)!r}"
    if folder.exists() and not folder.is_dir():
        raise StorageError(asked, "it is a file", "Name a new folder")
    if not folder.exists() or not any(folder.iterdir()):
        return
    if not overwrite:
        raise StorageError(asked, "it is not empty", "Name a new folder, or allow overwriting")
    if not (folder / mark).is_file():
        raise StorageError(asked, f"it holds something else than {what}", "Name a new folder")


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
