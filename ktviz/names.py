"""What a person calls a source: its whole name, or the end of it. One rule, wherever a source is named."""

from __future__ import annotations

import posixpath
import unicodedata
from collections.abc import Collection

from ktviz.errors import UnknownNameError, unknown_name
from ktviz.images import suffixes


def find_name(asked: str, known: Collection[str]) -> str:
    """The source that a name means.

    A whole name is itself and nothing else. Anything shorter must be the end of exactly one name, cut at a slash, with
    its suffix or without.

    Args:
        asked: What was typed.
        known: Whole names, each once: "task/style/path.png".

    Raises:
        UnknownNameError: There is none, and the message suggests the nearest; or several, and it names them all.

    Example:
        >>> find_name("flood.jpg", ["art/ink/flood.jpg", "art/ink/flood.jpg.png"])
        'art/ink/flood.jpg'
        >>> find_name("flood", ["art/ink/flood.jpg", "art/ink/river.jpg"])
        'art/ink/flood.jpg'
    """
    if asked in known:
        return asked
    end = composed(asked)
    hits = [name for name in known if ends_in(composed(name), end)]
    if posixpath.splitext(asked)[1].lower() not in suffixes():  # "flood.jpg" never means flood.jpg.png
        hits += [name for name in known if ends_in(composed(without_suffix(name)), end) and name not in hits]
    if not hits:
        raise unknown_name("source", asked, known)
    if len(hits) > 1:
        raise UnknownNameError(f"source {asked!r}", f"it may be {' or '.join(sorted(hits))}", "Give the whole name")
    return hits[0]


def ends_in(name: str, end: str) -> bool:
    """Whether a path ends in another, whole parts only."""
    return bool(end) and f"/{name}".endswith(f"/{end}")


def composed(name: str) -> str:
    """A name with every accent joined to its letter: macOS stores two characters where a keyboard types one."""
    return unicodedata.normalize("NFC", name)


def without_suffix(name: str) -> str:
    """A source's name without that of its file format."""
    return posixpath.splitext(name)[0]
