"""Files that appear whole or not at all, a clear word when the disk refuses, and the folders that come with ktviz."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

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
        raise StorageError(f"write {str(path)!r}", reason, "Free space or choose a folder you may write to") from None
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
