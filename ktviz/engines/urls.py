"""Folders by URL: of another machine, an object store, or whatever else fsspec knows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ktviz.errors import KtvizError, StorageError

SCHEME = "://"


def opened(url: str) -> tuple[Any, str]:
    """What fsspec knows a URL by: the file system, and the path within.

    Raises:
        StorageError: There is no such file system, or what speaks to it is not installed.
    """
    import fsspec

    options = {} if SCHEME in url else {"auto_mkdir": True}
    with reaching(url):
        files, path = fsspec.url_to_fs(url, use_listings_cache=False, **options)
        return files, str(path)


def whole(url: str) -> str:
    """A URL that means the same in another folder: a path is one, too."""
    return url if SCHEME in url else str(Path(url).absolute())


@contextmanager
def reaching(url: str) -> Iterator[None]:
    """Say which URL it was that failed: every file system has errors of its own."""
    try:
        yield
    except KtvizError:
        raise
    except Exception as error:
        found = f"{type(error).__name__}: {' '.join(str(error).split())}"
        raise StorageError(f"reach {url}", found, "Check the address, the keys to it, and what is installed") from None


def check_reached(url: str) -> None:
    """Raise StorageError unless a URL can be asked for something."""
    files, path = opened(url)
    with reaching(url):
        files.exists(path)
