"""Files that appear whole or not at all, that are what they should be, and the folders that come with ktviz."""

from __future__ import annotations

import errno
import json
import math
import os
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from platformdirs import user_cache_path
from safetensors import SafetensorError

from ktviz.errors import KtvizError, StorageError

T = TypeVar("T")


def shipped_folder(name: str, marker: str) -> Path | None:
    """A folder that comes with ktviz: in the package, or beside it in a checkout; None if neither holds `marker`."""
    package = Path(__file__).resolve().parent
    places = (package / name, package.parent / name)
    return next((folder for folder in places if (folder / marker).exists()), None)


def cache_folder() -> Path:
    """Where ktviz keeps what it builds or fetches once: the environment variable KTVIZ_CACHE, or the user's cache."""
    given = os.environ.get("KTVIZ_CACHE")
    return Path(given).expanduser().absolute() if given else user_cache_path("ktviz")


@contextmanager
def caching() -> Iterator[None]:
    """Say what to do where the cache cannot be written.

    Raises:
        StorageError: It cannot; the message names KTVIZ_CACHE.
    """
    try:
        yield
    except OSError as error:
        if isinstance(error, KtvizError) and not isinstance(error, StorageError):
            raise
        found = error.found if isinstance(error, StorageError) else error.strerror or str(error)
        asked = f"keep something in {str(cache_folder())!r}"
        raise StorageError(asked, found, "Set KTVIZ_CACHE to a folder that you may write to") from None


def listed(names: str | os.PathLike[str] | Iterable[T]) -> list[T | str | os.PathLike[str]]:
    """Several paths or names as a list; a single one, too, instead of its letters."""
    return [names] if isinstance(names, (str, os.PathLike)) else list(names)


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside `path`; what was written there takes its place when all went well.

    Args:
        path: The file to make or replace; parent folders are made. The temporary name keeps its suffix.

    Raises:
        StorageError: Disk full, read-only, or no permission; the old file, if any, is untouched.
    """
    path = Path(path)
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".ktviz-", suffix=path.suffix)
        os.close(handle)
        temporary = Path(name)
        yield temporary
        temporary.chmod(0o644)  # temporary files are private; results are not
        temporary.replace(path)
    except KtvizError:
        raise
    except (OSError, SafetensorError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise StorageError(f"write {str(path)!r}", reason, remedy(error)) from None
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def link(source: Path, target: Path) -> None:
    """The same file under a second name; a copy where the file system has no links."""
    try:
        os.link(source, target)
    except OSError:
        with replacing(target) as partial:
            shutil.copyfile(source, partial)


def remedy(error: Exception) -> str:
    """What to do where something could not be written."""
    full = getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT)
    return "Free space, or choose another folder" if full else "Choose a folder that you may write to"


def check_writable(path: str | os.PathLike[str]) -> None:
    """Refuse, before any work, what could not be written after it: folders that are missing are made then.

    Raises:
        StorageError: The folder is a file, or closed to writing.
    """
    place = next(folder for folder in Path(path).absolute().parents if folder.exists())
    if not place.is_dir():
        raise StorageError(f"write {str(path)!r}", f"{place.name} is a file", "Name another folder")
    if not os.access(place, os.W_OK | os.X_OK):
        raise StorageError(f"write {str(path)!r}", "no permission", remedy(PermissionError()))


def check_plain(path: str | os.PathLike[str]) -> None:
    """Raise OSError unless a path is a plain file: what a pipe or a device holds may never end."""
    mode = Path(path).stat().st_mode
    if stat.S_ISDIR(mode):
        raise IsADirectoryError("it is a folder")
    if not stat.S_ISREG(mode):
        raise OSError("it is a pipe or a device, not a plain file")


def read_json(path: Path, most_bytes: int) -> Any:
    """Read JSON in which every key stands once and every number is finite.

    Args:
        path: A plain file.
        most_bytes: What it may have; looked at before it is read.

    Raises:
        OSError: Missing, or no plain file.
        ValueError: Too large, damaged, or nested too deeply.
    """
    check_plain(path)
    size = path.stat().st_size
    if size > most_bytes:
        raise ValueError(f"{size:,} bytes, at most {most_bytes:,} can be")
    return parse_json(path.read_bytes())


def parse_json(data: bytes) -> Any:
    """JSON in which every key stands once and every number is finite; ValueError for anything else."""
    try:
        return json.loads(data.decode(), object_pairs_hook=once, parse_constant=finite, parse_float=finite)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice")
    return found


def finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is no number")
    return value
